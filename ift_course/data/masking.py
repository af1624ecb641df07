"""From a conversation to tokens and loss mask in one pass, so that they cannot drift apart."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ift_course.data.uncollected import uncollected
from ift_course.errors import CourseError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

Messages = Sequence[dict[str, str]]

AHEAD = 2  # batches in the making
IGNORE = -100  # the label that PyTorch's cross-entropy leaves out


def render(
    tokenizer: "PreTrainedTokenizerBase", messages: Messages, *, add_generation_prompt: bool = False
) -> tuple[list[int], list[int]]:
    """Token ids of a conversation and its loss mask: 1 = the assistant's tokens and end of turn.

    Both lists have the same length. The template's `{% generation %}` block says what is trained;
    a template without one is rendered turn by turn, and what each assistant turn adds is trained.

    Raises CourseError if the tokenizer has no chat template, the template refuses the roles, or the
    answer cannot be told from the prompt (a template that rewrites earlier turns).
    """
    if not tokenizer.chat_template:
        raise CourseError(
            "This tokenizer has no chat template; set tokenizer.chat_template = "
            "ift_course.data.templates.CHATML (ift sft does so for you)."
        )
    if marks_answers(tokenizer.chat_template):
        return _render_marked(tokenizer, messages, None, add_generation_prompt)
    if not any(message["role"] == "assistant" for message in messages):
        ids = _ids(tokenizer, messages, add_generation_prompt)
        return ids, [0] * len(ids)
    try:
        return _render_by_turns(tokenizer, messages, add_generation_prompt)
    except _NotAPrefix as error:
        template = _known_training_template(tokenizer)
        if template is None:
            raise CourseError(
                "The chat template of this model rewrites earlier turns, so the answer of turn "
                f"{error.turn} cannot be told from its prompt; use conversations with one answer, "
                "or give the template a {% generation %} block."
            ) from None
        return _render_marked(tokenizer, messages, template, add_generation_prompt)


def render_all(
    tokenizer: "PreTrainedTokenizerBase", conversations: Sequence[Messages], batch_size: int = 64
) -> list[tuple[list[int], list[int]]]:
    """What `render` says of every conversation, several times as fast."""
    return [
        (ids, [int(label != IGNORE) for label in found])
        for ids, found in label_each(tokenizer, conversations, batch_size)
    ]


def label_each(
    tokenizer: "PreTrainedTokenizerBase", conversations: Sequence[Messages], batch_size: int = 64
) -> Iterator[tuple[list[int], list[int]]]:
    """Ids and labels of every conversation: the next batches are in the making while you use one.

    Texts go to the tokenizer by the batch, and it takes all cores. Raises CourseError as `render`
    does.
    """
    template = tokenizer.chat_template
    if not template or not marks_answers(template) or not tokenizer.is_fast:
        for messages in conversations:
            ids, mask = render(tokenizer, messages)
            yield ids, labels(ids, mask)
        return
    # What apply_chat_template does, without the columns that it makes for every token besides.
    from transformers.utils.chat_template_utils import render_jinja_template

    tokenizer("")  # ends what truncation or padding an earlier call has set in the backend
    special = tokenizer.special_tokens_map
    batches: deque[Future] = deque()
    # The tokenizer lets go of Python while it works: meanwhile the next batch becomes text.
    with _all_cores(), _refusals(), uncollected(), ThreadPoolExecutor(1) as worker:
        for start in range(0, len(conversations), batch_size):
            texts, answers = render_jinja_template(
                conversations=[list(m) for m in conversations[start : start + batch_size]],
                chat_template=template,
                return_assistant_tokens_mask=True,
                **special,
            )
            batches.append(worker.submit(_tokenize, tokenizer.backend_tokenizer, texts, answers))
            if len(batches) > AHEAD:
                yield from batches.popleft().result()
        for batch in batches:
            yield from batch.result()


def _tokenize(backend, texts: list[str], answers: list) -> list[tuple[list[int], list[int]]]:
    encodings = backend.encode_batch(texts, add_special_tokens=False)
    return [_labeled(e, spans) for e, spans in zip(encodings, answers, strict=True)]


def _labeled(encoding, spans: Iterable[tuple[int, int]]) -> tuple[list[int], list[int]]:
    """Ids, and labels: the ids of the answers, which stand at these characters, else IGNORE."""
    ids = encoding.ids
    found = [IGNORE] * len(ids)
    for start, stop in spans:
        first, last = encoding.char_to_token(start), encoding.char_to_token(stop - 1)
        if first is None:
            break
        end = last + 1 if last else len(ids)
        found[first:end] = ids[first:end]
    return ids, found


@contextmanager
def _all_cores() -> Iterator[None]:
    # Switched off elsewhere because of a warning about forks; here nothing is forked.
    name = "TOKENIZERS_PARALLELISM"
    before = os.environ.get(name)
    os.environ[name] = "true"
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def marks_answers(template: str) -> bool:
    """Whether the template itself says which tokens are the assistant's."""
    import re

    return re.search(r"\{%-?\s*generation\s*-?%\}", template) is not None


def _apply(tokenizer: "PreTrainedTokenizerBase", messages: Messages, **options):
    with _refusals():
        return tokenizer.apply_chat_template(list(messages), return_dict=True, **options)


@contextmanager
def _refusals() -> Iterator[None]:
    from jinja2 import TemplateError

    try:
        yield
    except TemplateError as error:
        raise CourseError(
            f"The chat template of this model refuses the conversation ({error}); "
            "change the roles or their order in the data."
        ) from None


def _ids(tokenizer, messages: Messages, add_generation_prompt: bool = False) -> list[int]:
    return _apply(tokenizer, messages, add_generation_prompt=add_generation_prompt)["input_ids"]


def _render_marked(
    tokenizer, messages: Messages, template: str | None, add_generation_prompt: bool
) -> tuple[list[int], list[int]]:
    encoded = _apply(
        tokenizer,
        messages,
        chat_template=template,
        add_generation_prompt=add_generation_prompt,
        return_assistant_tokens_mask=True,
    )
    return encoded["input_ids"], encoded["assistant_masks"]


class _NotAPrefix(Exception):
    def __init__(self, turn: int):
        self.turn = turn


def _render_by_turns(
    tokenizer, messages: Messages, add_generation_prompt: bool
) -> tuple[list[int], list[int]]:
    ids = _ids(tokenizer, messages, add_generation_prompt)
    mask = [0] * len(ids)
    for turn, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        prompt = _ids(tokenizer, messages[:turn], add_generation_prompt=True)
        answered = _ids(tokenizer, messages[: turn + 1])
        # `answered` may be the longer one by an end of text that only closes a whole conversation.
        stop = _common_length(answered, ids)
        start = _common_length(prompt, ids)
        # An answer that begins with a newline may melt into one token with the prompt's last.
        if start < len(prompt) - 1 or stop <= start:
            raise _NotAPrefix(turn + 1)
        mask[start:stop] = [1] * (stop - start)
        _leave_out_separator(tokenizer, ids, mask, start, stop)
    return ids, mask


def _common_length(a: list[int], b: list[int]) -> int:
    pairs = zip(a, b, strict=False)
    return next((i for i, (x, y) in enumerate(pairs) if x != y), min(len(a), len(b)))


def _leave_out_separator(tokenizer, ids: list[int], mask: list[int], start: int, stop: int) -> None:
    # The newline after the end of a turn is the template's, nobody generates it. The end of turn is
    # the last special token; a template without one keeps everything.
    special = set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)
    ends = [i for i in range(start, stop) if ids[i] in special]
    if ends and not tokenizer.decode(ids[ends[-1] + 1 : stop]).strip():
        mask[ends[-1] + 1 : stop] = [0] * (stop - ends[-1] - 1)


def _known_training_template(tokenizer) -> str | None:
    # TRL keeps prefix-preserving templates with `{% generation %}` for well-known model families.
    try:
        from trl.chat_template_utils import get_training_chat_template

        template = get_training_chat_template(tokenizer)
    except (ImportError, ValueError):
        return None
    return template if template and marks_answers(template) else None


def labels(ids: Sequence[int], mask: Sequence[int]) -> list[int]:
    """The ids where the mask is 1, IGNORE elsewhere; not shifted (the model shifts them itself)."""
    return [token if trained else IGNORE for token, trained in zip(ids, mask, strict=True)]


def is_trained(labels: Sequence[int]) -> bool:
    """Whether a loss is taken anywhere."""
    return labels.count(IGNORE) < len(labels)


def collate(rows: Sequence[dict[str, list[int]]], pad_token_id: int) -> dict[str, "torch.Tensor"]:
    """Pad rows of {"input_ids", "labels"} on the right to the longest.

    Returns int64 tensors of shape (rows, longest): input_ids, labels (IGNORE on the padding) and
    attention_mask (0 on the padding).
    """
    import torch

    longest = max(len(row["input_ids"]) for row in rows)

    def padded(values: Sequence[int], fill: int) -> list[int]:
        return [*values, *[fill] * (longest - len(values))]

    return {
        "input_ids": torch.tensor([padded(row["input_ids"], pad_token_id) for row in rows]),
        "labels": torch.tensor([padded(row["labels"], IGNORE) for row in rows]),
        "attention_mask": torch.tensor([padded([1] * len(row["input_ids"]), 0) for row in rows]),
    }
