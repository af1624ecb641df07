"""From a conversation to token ids and loss mask in one pass, so that the two always agree."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ift_course.data.chat_templates import active_template, special_ids
from ift_course.data.fast_tokenize import tokenize_batches
from ift_course.data.records import Message
from ift_course.errors import CourseError

if TYPE_CHECKING:
    import torch
    from tokenizers import Encoding
    from transformers import PreTrainedTokenizerBase

Messages = Sequence[Message]
Tools = Sequence[Message]
Span = tuple[int, int]  # start and stop, in characters
IdsAndMask = tuple[list[int], list[int]]  # of equal length; 1 where the loss is taken
IdsAndLabels = tuple[list[int], list[int]]  # of equal length; IGNORE where no loss is taken

IGNORE = -100  # the label that PyTorch's cross-entropy leaves out


def render(
    tokenizer: PreTrainedTokenizerBase,
    messages: Messages,
    *,
    add_generation_prompt: bool = False,
    tools: Tools | None = None,
) -> IdsAndMask:
    """Token ids of a conversation and its loss mask: 1 = the assistant's tokens and end of turn.

    The template's `{% generation %}` block marks what is trained. A template without one is
    rendered turn by turn, and the tokens that each assistant turn adds are trained. An answer with
    the key "weight": 0 is not trained.

    Args:
        tokenizer: a tokenizer with a chat template.
        messages: the conversation, {"role", "content", …}.
        add_generation_prompt: end with the tokens that open an answer.
        tools: JSON schemas of the functions that may be called.

    Returns:
        Two lists of the same length: token ids, and the mask of zeros and ones.

    Raises:
        CourseError: the tokenizer has no chat template, the template refuses the roles, or it does
            not write an answer completely and after its prompt, so that the two cannot be
            separated.
    """
    template = active_template(tokenizer)
    if not template:
        raise CourseError(
            "This tokenizer has no chat template; set tokenizer.chat_template = "
            "ift_course.data.chat_templates.CHATML (ift sft does so for you)."
        )
    options = {"add_generation_prompt": add_generation_prompt, "tools": list(tools or ()) or None}
    if has_generation_block(template):
        return _render_marked(tokenizer, template, messages, options)
    if not any(message["role"] == "assistant" for message in messages):
        ids = _template_ids(tokenizer, template, messages, options)
        return ids, [0] * len(ids)
    try:
        return _render_by_turns(tokenizer, template, messages, options)
    except _Inseparable as error:
        training_template = _known_training_template(tokenizer)
        if training_template is None:
            raise CourseError(
                f"The chat template of this model {error.reason}, so the answer of turn "
                f"{error.turn} cannot be separated from its prompt; use conversations with one "
                "answer, or give the template a {% generation %} block."
            ) from None
        return _render_marked(tokenizer, training_template, messages, options)


def render_all(
    tokenizer: PreTrainedTokenizerBase, conversations: Sequence[Messages], batch_size: int = 64
) -> list[IdsAndMask]:
    """The results of `render` for every conversation, several times as fast."""
    return [
        (ids, [int(label != IGNORE) for label in row_labels])
        for ids, row_labels in label_each(tokenizer, conversations, batch_size)
    ]


def label_each(
    tokenizer: PreTrainedTokenizerBase, conversations: Sequence[Messages], batch_size: int = 64
) -> Iterator[IdsAndLabels]:
    """Ids and labels of every conversation, in order.

    Args:
        tokenizer: a tokenizer with a chat template.
        conversations: the messages of each conversation.
        batch_size: how many texts go to the tokenizer together.

    Raises:
        CourseError: as `render` does.
    """
    template = active_template(tokenizer)
    if not template or not has_generation_block(template) or not tokenizer.is_fast:
        for messages in conversations:
            ids, mask = render(tokenizer, messages)
            yield ids, labels(ids, mask)
        return
    starts = range(0, len(conversations), batch_size)
    batches = (conversations[start : start + batch_size] for start in starts)
    written = (_write_marked(tokenizer, template, batch, {}) for batch in batches)
    for encodings, spans in tokenize_batches(tokenizer, written):
        yield from map(_label_spans, encodings, spans)


def _write_marked(
    tokenizer: PreTrainedTokenizerBase,
    template: str,
    conversations: Sequence[Messages],
    options: dict[str, Any],
) -> tuple[list[str], list[list[Span]]]:
    """The text of each conversation, and the spans of its trained answers in that text."""
    # `apply_chat_template` without the columns that it makes for every token.
    from transformers.utils.chat_template_utils import render_jinja_template

    special_tokens: dict[str, Any] = dict(tokenizer.special_tokens_map)
    with _template_errors():
        rendered: Any = render_jinja_template(
            conversations=[list(messages) for messages in conversations],
            chat_template=template,
            return_assistant_tokens_mask=True,
            **options,
            **special_tokens,
        )
    texts, spans = rendered
    return texts, [
        _trained_spans(messages, text, answer_spans)
        for messages, text, answer_spans in zip(conversations, texts, spans, strict=True)
    ]


def _trained_spans(messages: Messages, text: str, spans: Sequence[Span]) -> list[Span]:
    """The spans of the answers that are trained.

    Raises:
        CourseError: an answer is in none of the spans.
    """
    answers = [message for message in messages if message["role"] == "assistant"]
    if len(spans) == len(answers):
        pairs = list(zip(answers, spans, strict=True))
        for answer, (start, stop) in pairs:
            _refuse_missing_answer(answer, text[start:stop])
        return [span for answer, span in pairs if answer.get("weight", 1)]
    marked_text = "".join(text[start:stop] for start, stop in spans)
    for answer in answers:
        _refuse_missing_answer(answer, marked_text)
        if not answer.get("weight", 1):
            raise CourseError(
                "The chat template of this model does not mark each answer separately, so one of "
                'them cannot be left out; remove rows with "weight": 0.'
            )
    return list(spans)


def _refuse_missing_answer(answer: Message, marked_text: str) -> None:
    if not _contains_answer(marked_text, answer):
        raise CourseError(
            "The chat template of this model marks text as the assistant's that does not contain "
            f"the answer ({answer['content'].strip()[:40]!r}); fix its {{% generation %}} block."
        )


def _contains_answer(text: str, answer: Message) -> bool:
    """Whether a template's text contains the complete answer, apart from white space."""
    # Templates of reasoning models move or drop the text before the end of a thought.
    content = answer["content"].rpartition("</think>")[2]
    return content.strip() in text or "".join(content.split()) in "".join(text.split())


def _label_spans(encoding: Encoding, spans: Iterable[Span]) -> IdsAndLabels:
    """Ids and labels of a text whose characters in `spans` are trained."""
    ids = encoding.ids
    row_labels = [IGNORE] * len(ids)
    for start, stop in spans:
        first, last = encoding.char_to_token(start), encoding.char_to_token(stop - 1)
        if first is None:
            break
        end = last + 1 if last else len(ids)
        row_labels[first:end] = ids[first:end]
    return ids, row_labels


def has_generation_block(template: str) -> bool:
    """Whether the template itself marks which tokens are the assistant's."""
    return re.search(r"\{%-?\s*generation\s*-?%\}", template) is not None


@contextmanager
def _template_errors() -> Iterator[None]:
    from jinja2 import TemplateError

    try:
        yield
    except TemplateError as error:
        raise CourseError(
            f"The chat template of this model refuses the conversation ({error}); change the "
            "roles or their order in the data. If it refuses system turns, --fold-system puts "
            "them into the first question."
        ) from None


def _template_ids(
    tokenizer: PreTrainedTokenizerBase, template: str, messages: Messages, options: dict[str, Any]
) -> list[int]:
    with _template_errors():
        encoding: Any = tokenizer.apply_chat_template(
            list(messages), chat_template=template, return_dict=True, **options
        )
    return encoding["input_ids"]


def _render_marked(
    tokenizer: PreTrainedTokenizerBase, template: str, messages: Messages, options: dict[str, Any]
) -> IdsAndMask:
    [text], [spans] = _write_marked(tokenizer, template, [messages], options)
    if not tokenizer.is_fast:  # a slow tokenizer does not know which characters a token stands for
        with _template_errors():
            encoding: Any = tokenizer.apply_chat_template(
                list(messages), chat_template=template, return_dict=True,
                return_assistant_tokens_mask=True, **options,
            )  # fmt: skip
        return encoding["input_ids"], encoding["assistant_masks"]
    encodings: Any = tokenizer(text, add_special_tokens=False).encodings
    ids, row_labels = _label_spans(encodings[0], spans)
    return ids, [int(label != IGNORE) for label in row_labels]


class _Inseparable(Exception):
    """A template without a generation block mixes a turn's answer with its prompt."""

    def __init__(self, turn: int, reason: str):
        self.turn, self.reason = turn, reason


def _render_by_turns(
    tokenizer: PreTrainedTokenizerBase, template: str, messages: Messages, options: dict[str, Any]
) -> IdsAndMask:
    """Find each answer as the tokens that the conversation gains when the answer is added."""
    ids = _template_ids(tokenizer, template, messages, options)
    mask = [0] * len(ids)
    special = special_ids(tokenizer)
    ends_with_special = set()
    for turn, message in enumerate(messages):
        if message["role"] != "assistant":
            continue
        prompt = _template_ids(
            tokenizer, template, messages[:turn], options | {"add_generation_prompt": True}
        )
        answered = _template_ids(
            tokenizer, template, messages[: turn + 1], options | {"add_generation_prompt": False}
        )
        # `answered` may have an extra end of text, which closes only a whole conversation.
        stop = _common_length(answered, ids)
        start = _common_length(prompt, ids)
        # A newline that opens an answer may share a token with the end of the prompt.
        if start < len(prompt) - 1 or stop <= start:
            raise _Inseparable(turn + 1, "rewrites earlier turns")
        if not _ids_contain(tokenizer, ids[start:stop], message):
            raise _Inseparable(turn + 1, "changes the text of an answer")
        stop = _end_of_answer(tokenizer, ids, start, stop)
        ends_with_special.add(ids[stop - 1] in special)
        if len(ends_with_special) > 1:
            raise _Inseparable(turn + 1, "ends earlier answers in another way than the last")
        if message.get("weight", 1):
            mask[start:stop] = [1] * (stop - start)
    return ids, mask


def _ids_contain(tokenizer: PreTrainedTokenizerBase, ids: list[int], answer: Message) -> bool:
    """Whether these tokens are the complete answer: the same beginning is not enough."""
    unknown = tokenizer.unk_token_id
    if unknown is not None and unknown in ids:
        return True
    return _contains_answer(str(tokenizer.decode(ids)), answer)


def _common_length(a: list[int], b: list[int]) -> int:
    pairs = zip(a, b, strict=False)
    return next((i for i, (x, y) in enumerate(pairs) if x != y), min(len(a), len(b)))


def _end_of_answer(
    tokenizer: PreTrainedTokenizerBase, ids: list[int], start: int, stop: int
) -> int:
    """The index after an answer and its end of turn, among the tokens of its turn.

    The model generates neither the newline after the end of a turn nor the end of text with which
    some templates close a whole conversation. If the template ends no turn, all tokens are kept.

    Args:
        tokenizer: the tokenizer of the ids.
        ids: the conversation.
        start: the first token of the turn.
        stop: the index after its last token.
    """
    special = special_ids(tokenizer)
    tail = stop  # from here on, nothing but special tokens and white space
    while tail > start and (
        ids[tail - 1] in special or not str(tokenizer.decode([ids[tail - 1]])).strip()
    ):
        tail -= 1
    first = next((i for i in range(tail, stop) if ids[i] in special), None)
    if first is None:
        return stop
    return next((i for i in range(first, stop) if ids[i] not in special), stop)


def _known_training_template(tokenizer: PreTrainedTokenizerBase) -> str | None:
    # TRL has prefix-preserving templates with `{% generation %}` for well-known model families.
    try:
        from trl.chat_template_utils import get_training_chat_template

        template = get_training_chat_template(tokenizer)
    except (ImportError, ValueError):
        return None
    return template if template and has_generation_block(template) else None


def labels(ids: Sequence[int], mask: Sequence[int]) -> list[int]:
    """The ids where the mask is 1, IGNORE elsewhere; not shifted, because the model shifts them."""
    return [token if trained else IGNORE for token, trained in zip(ids, mask, strict=True)]


def is_trained(labels: Sequence[int]) -> bool:
    """Whether the loss is taken on any token."""
    return labels.count(IGNORE) < len(labels)


def collate(rows: Sequence[dict[str, list[int]]], pad_token_id: int) -> dict[str, torch.Tensor]:
    """Pad rows on the right to the length of the longest.

    Args:
        rows: {"input_ids", "labels"} of each sequence.
        pad_token_id: the id that fills `input_ids`.

    Returns:
        int64 tensors of shape (rows, longest): input_ids, labels (IGNORE on the padding) and
        attention_mask (0 on the padding).
    """
    import torch

    longest = max(len(row["input_ids"]) for row in rows)

    def pad(values: Sequence[int], fill: int) -> list[int]:
        return [*values, *[fill] * (longest - len(values))]

    return {
        "input_ids": torch.tensor([pad(row["input_ids"], pad_token_id) for row in rows]),
        "labels": torch.tensor([pad(row["labels"], IGNORE) for row in rows]),
        "attention_mask": torch.tensor([pad([1] * len(row["input_ids"]), 0) for row in rows]),
    }
