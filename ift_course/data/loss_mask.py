"""From a conversation to tokens and loss mask in one pass, so that they cannot drift apart."""

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ift_course.data.chat_templates import active_template
from ift_course.data.gc_pause import gc_paused
from ift_course.data.records import Message
from ift_course.errors import CourseError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedTokenizerBase

Messages = Sequence[Message]
Tools = Sequence[Message]
Span = tuple[int, int]  # of characters, or of tokens

AHEAD = 2  # batches in the making
IGNORE = -100  # the label that PyTorch's cross-entropy leaves out


def render(
    tokenizer: "PreTrainedTokenizerBase",
    messages: Messages,
    *,
    add_generation_prompt: bool = False,
    tools: Tools | None = None,
) -> tuple[list[int], list[int]]:
    """Token ids of a conversation and its loss mask: 1 = the assistant's tokens and end of turn.

    Both lists have the same length. The template's `{% generation %}` block says what is trained;
    a template without one is rendered turn by turn, and what each assistant turn adds is trained.
    An answer with the key "weight": 0 is not.

    Args:
        tokenizer: with a chat template.
        messages: the conversation, {"role", "content", …}.
        add_generation_prompt: end with what opens an answer.
        tools: JSON schemas of the functions that may be called.

    Raises:
        CourseError: the tokenizer has no chat template, the template refuses the roles, or it does
            not write an answer whole and behind its prompt, so that it cannot be told from it.
    """
    template = active_template(tokenizer)
    if not template:
        raise CourseError(
            "This tokenizer has no chat template; set tokenizer.chat_template = "
            "ift_course.data.chat_templates.CHATML (ift sft does so for you)."
        )
    options = {"add_generation_prompt": add_generation_prompt, "tools": list(tools or ()) or None}
    if marks_answers(template):
        return _render_marked(tokenizer, template, messages, options)
    if not any(message["role"] == "assistant" for message in messages):
        ids = _ids(tokenizer, template, messages, options)
        return ids, [0] * len(ids)
    try:
        return _render_by_turns(tokenizer, template, messages, options)
    except _NotTold as error:
        training = _known_training_template(tokenizer)
        if training is None:
            raise CourseError(
                f"The chat template of this model {error.why}, so the answer of turn {error.turn} "
                "cannot be told from its prompt; use conversations with one answer, or give the "
                "template a {% generation %} block."
            ) from None
        return _render_marked(tokenizer, training, messages, options)


def render_all(
    tokenizer: "PreTrainedTokenizerBase", conversations: Sequence[Messages], batch_size: int = 64
) -> list[tuple[list[int], list[int]]]:
    """What `render` says of every conversation, several times as fast."""
    return [
        (ids, [int(label != IGNORE) for label in row_labels])
        for ids, row_labels in label_each(tokenizer, conversations, batch_size)
    ]


def label_each(
    tokenizer: "PreTrainedTokenizerBase", conversations: Sequence[Messages], batch_size: int = 64
) -> Iterator[tuple[list[int], list[int]]]:
    """Ids and labels of every conversation: the next batches are in the making while you use one.

    Texts go to the tokenizer by the batch, and it takes all cores. Raises CourseError as `render`
    does.
    """
    template = active_template(tokenizer)
    if not template or not marks_answers(template) or not tokenizer.is_fast:
        for messages in conversations:
            ids, mask = render(tokenizer, messages)
            yield ids, labels(ids, mask)
        return
    tokenizer("")  # ends what truncation or padding an earlier call has set in the backend
    batches: deque[Future] = deque()
    # The tokenizer lets go of Python while it works: meanwhile the next batch becomes text.
    with _all_cores(), gc_paused(), ThreadPoolExecutor(1) as worker:
        for start in range(0, len(conversations), batch_size):
            batch = conversations[start : start + batch_size]
            texts, answers = _marked_texts(tokenizer, template, batch, {})
            batches.append(worker.submit(_tokenize, tokenizer.backend_tokenizer, texts, answers))
            if len(batches) > AHEAD:
                yield from batches.popleft().result()
        for batch in batches:
            yield from batch.result()


def _marked_texts(
    tokenizer, template: str, conversations: Sequence[Messages], options: dict[str, Any]
) -> tuple[list[str], list[list[Span]]]:
    """The conversations written out, and where in the text each answer that is trained stands."""
    # What apply_chat_template does, without the columns that it makes for every token besides.
    from transformers.utils.chat_template_utils import render_jinja_template

    with _refusals():
        texts, spans = render_jinja_template(
            conversations=[list(messages) for messages in conversations],
            chat_template=template,
            return_assistant_tokens_mask=True,
            **options,
            **tokenizer.special_tokens_map,
        )
    return texts, [
        _trained_spans(messages, text, answers)
        for messages, text, answers in zip(conversations, texts, spans, strict=True)
    ]


def _trained_spans(messages: Messages, text: str, spans: Sequence[Span]) -> list[Span]:
    """The spans of answers that are to be learned. Raises CourseError if an answer is in none."""
    answers = [message for message in messages if message["role"] == "assistant"]
    if len(spans) == len(answers):
        pairs = list(zip(answers, spans, strict=True))
        for answer, (start, stop) in pairs:
            _refuse_cut_answer(answer, text[start:stop])
        return [span for answer, span in pairs if answer.get("weight", 1)]
    whole = "".join(text[start:stop] for start, stop in spans)
    for answer in answers:
        _refuse_cut_answer(answer, whole)
        if not answer.get("weight", 1):
            raise CourseError(
                "The chat template of this model does not mark each answer on its own, so one of "
                'them cannot be left out; leave out rows with "weight": 0.'
            )
    return list(spans)


def _refuse_cut_answer(answer: Message, written: str) -> None:
    if not _contains(written, answer):
        raise CourseError(
            "The chat template of this model marks as the assistant's what does not hold the "
            f"answer ({answer['content'].strip()[:40]!r}); mend its {{% generation %}} block."
        )


def _contains(written: str, answer: Message) -> bool:
    """Whether the answer stands whole in what a template wrote, white space apart."""
    # Templates of reasoning models move or drop what stands before the end of a thought.
    content = answer["content"].rpartition("</think>")[2]
    return content.strip() in written or "".join(content.split()) in "".join(written.split())


def _tokenize(backend, texts: list[str], answers: list) -> list[tuple[list[int], list[int]]]:
    encodings = backend.encode_batch(texts, add_special_tokens=False)
    return [_labeled(e, spans) for e, spans in zip(encodings, answers, strict=True)]


def _labeled(encoding, spans: Iterable[Span]) -> tuple[list[int], list[int]]:
    """Ids, and labels: the ids of the answers, which stand at these characters, else IGNORE."""
    ids = encoding.ids
    row_labels = [IGNORE] * len(ids)
    for start, stop in spans:
        first, last = encoding.char_to_token(start), encoding.char_to_token(stop - 1)
        if first is None:
            break
        end = last + 1 if last else len(ids)
        row_labels[first:end] = ids[first:end]
    return ids, row_labels


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


@contextmanager
def _refusals() -> Iterator[None]:
    from jinja2 import TemplateError

    try:
        yield
    except TemplateError as error:
        raise CourseError(
            f"The chat template of this model refuses the conversation ({error}); change the "
            "roles or their order in the data. If it refuses system turns, --fold-system puts "
            "them into the first question."
        ) from None


def _ids(tokenizer, template: str, messages: Messages, options: dict[str, Any]) -> list[int]:
    with _refusals():
        return tokenizer.apply_chat_template(
            list(messages), chat_template=template, return_dict=True, **options
        )["input_ids"]


def _render_marked(
    tokenizer, template: str, messages: Messages, options: dict[str, Any]
) -> tuple[list[int], list[int]]:
    [text], [spans] = _marked_texts(tokenizer, template, [messages], options)
    if not tokenizer.is_fast:  # which does not know at which character a token stands
        with _refusals():
            encoded = tokenizer.apply_chat_template(
                list(messages), chat_template=template, return_dict=True,
                return_assistant_tokens_mask=True, **options,
            )  # fmt: skip
        return encoded["input_ids"], encoded["assistant_masks"]
    ids, row_labels = _labeled(tokenizer(text, add_special_tokens=False).encodings[0], spans)
    return ids, [int(label != IGNORE) for label in row_labels]


class _NotTold(Exception):
    def __init__(self, turn: int, why: str):
        self.turn, self.why = turn, why


def _render_by_turns(
    tokenizer, template: str, messages: Messages, options: dict[str, Any]
) -> tuple[list[int], list[int]]:
    ids = _ids(tokenizer, template, messages, options)
    mask = [0] * len(ids)
    special, ended = _special_ids(tokenizer), []
    for turn, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        opened = options | {"add_generation_prompt": True}
        prompt = _ids(tokenizer, template, messages[:turn], opened)
        closed = options | {"add_generation_prompt": False}
        answered = _ids(tokenizer, template, messages[: turn + 1], closed)
        # `answered` may be the longer one by an end of text that only closes a whole conversation.
        stop = _common_length(answered, ids)
        start = _common_length(prompt, ids)
        # An answer that begins with a newline may melt into one token with the prompt's last.
        if start < len(prompt) - 1 or stop <= start:
            raise _NotTold(turn + 1, "rewrites earlier turns")
        if not _holds(tokenizer, ids[start:stop], message):
            raise _NotTold(turn + 1, "does not write an answer as it stands")
        stop = _end_of_answer(tokenizer, ids, start, stop)
        ended.append(ids[stop - 1] in special)
        if len(set(ended)) > 1:
            raise _NotTold(turn + 1, "ends earlier answers in another way than the last")
        if message.get("weight", 1):
            mask[start:stop] = [1] * (stop - start)
    return ids, mask


def _holds(tokenizer, ids: list[int], message: Message) -> bool:
    """Whether these tokens are the answer: sharing a beginning with it is not enough."""
    unknown = tokenizer.unk_token_id
    return (unknown is not None and unknown in ids) or _contains(tokenizer.decode(ids), message)


def _common_length(a: list[int], b: list[int]) -> int:
    pairs = zip(a, b, strict=False)
    return next((i for i, (x, y) in enumerate(pairs) if x != y), min(len(a), len(b)))


def _special_ids(tokenizer) -> set[int]:
    return set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)


def _end_of_answer(tokenizer, ids: list[int], start: int, stop: int) -> int:
    """Where the answer with its end of turn stops, of what a template wrote for it.

    The newline after the end of a turn is the template's, nobody generates it, nor the end of text
    with which some templates close a whole conversation. A template that ends no turn keeps all.
    """
    special = _special_ids(tokenizer)
    tail = stop  # from here on, nothing but special tokens and white space
    while tail > start and (
        ids[tail - 1] in special or not tokenizer.decode([ids[tail - 1]]).strip()
    ):
        tail -= 1
    first = next((i for i in range(tail, stop) if ids[i] in special), None)
    if first is None:
        return stop
    return next((i for i in range(first, stop) if ids[i] not in special), stop)


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
