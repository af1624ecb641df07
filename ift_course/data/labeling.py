"""Records as token ids and labels; an error names the row that a chat template cannot write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ift_course.data.chat_templates import active_template
from ift_course.data.loss_mask import IdsAndLabels, label_each, labels, render
from ift_course.data.records import Message, Record, Turn
from ift_course.errors import CourseError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

OnRefused = Callable[[Record, str], None]

PROBE = "Zmeyka"  # a word that no template contains
CALL: Message = {"type": "function", "function": {"name": PROBE, "arguments": {}}}
TOOL: Message = {
    "type": "function",
    "function": {
        "name": PROBE,
        "description": "",
        "parameters": {"type": "object", "properties": {}},
    },
}
# For each part of a record, turns and tools in which only that part contains the probe.
PROBES: dict[str, tuple[list[Turn], list[Message] | None]] = {
    "tool calls": ([Turn("user", "a"), Turn("assistant", "", tool_calls=(CALL,))], None),
    "the results of tools": (
        [Turn("user", "a"), Turn("assistant", "b"), Turn("tool", PROBE), Turn("assistant", "c")],
        None,
    ),
    "the descriptions of tools": ([Turn("user", "a")], [TOOL]),
    "reasoning": ([Turn("user", "a"), Turn("assistant", "b", reasoning=PROBE)], None),
}


def label_records(
    tokenizer: PreTrainedTokenizerBase,
    records: Sequence[Record],
    on_refused: OnRefused | None = None,
) -> Iterator[IdsAndLabels]:
    """Ids and labels of every record, in order.

    Args:
        tokenizer: a tokenizer with a chat template.
        records: the conversations.
        on_refused: is called with each record that the template cannot write, and the reason; the
            record is then left out. None stops at the first.

    Raises:
        CourseError: the template cannot write a record; the sentence names its file and row.
    """
    if not any(_has_extras(record) for record in records):
        n_labeled = 0
        try:
            for ids, row_labels in label_each(tokenizer, [record.messages for record in records]):
                n_labeled += 1
                yield ids, row_labels
            return
        except CourseError:
            records = records[n_labeled:]  # one by one from here, to name the row
    for record in records:
        labeled = _label(tokenizer, record, on_refused)
        if labeled is not None:
            yield labeled


def _label(
    tokenizer: PreTrainedTokenizerBase, record: Record, on_refused: OnRefused | None
) -> IdsAndLabels | None:
    try:
        refuse_unwritten(tokenizer, record)
        ids, mask = render(tokenizer, record.messages, tools=record.tools)
    except CourseError as error:
        if on_refused is None:
            sentence = f"{record.source}: {error}" if record.source else str(error)
            raise CourseError(sentence) from None
        on_refused(record, str(error))
        return None
    return ids, labels(ids, mask)


def _has_extras(record: Record) -> bool:
    """Whether a record has more than words: tools, their calls and results, or reasoning."""
    return bool(record.tools) or any(
        turn.role == "tool" or turn.tool_calls or turn.reasoning for turn in record.turns
    )


def refuse_unwritten(tokenizer: PreTrainedTokenizerBase, record: Record) -> None:
    """Raise CourseError when the template would silently leave out a part of the record."""
    template = active_template(tokenizer)
    if not template or not _has_extras(record):
        return
    is_present = {
        "tool calls": any(turn.tool_calls for turn in record.turns),
        "the results of tools": any(turn.role == "tool" for turn in record.turns),
        "the descriptions of tools": bool(record.tools),
        # Templates of reasoning models leave out the thoughts of earlier turns on purpose.
        "reasoning": bool(record.turns[-1].reasoning),
    }
    lost = [
        part
        for part, present in is_present.items()
        if present and not _template_writes(tokenizer, template, part)
    ]
    if lost:
        option = "reasoning" if lost == ["reasoning"] else "tools"
        raise CourseError(
            f"The chat template of this model does not write {', '.join(lost)}, which this row "
            "has; use a model whose template does, leave them out with "
            f"`ift data convert --without {option}`, or set such rows aside with --rejects FILE."
        )


@lru_cache(maxsize=16)
def _template_writes(tokenizer: PreTrainedTokenizerBase, template: str, part: str) -> bool:
    """Whether a template writes a part, tried with a word that no template contains.

    Args:
        tokenizer: the tokenizer of the template.
        template: the template, which also makes the cache forget an earlier one.
        part: a key of PROBES.
    """
    from jinja2 import TemplateError

    turns, tools = PROBES[part]
    options: dict[str, Any] = {"tools": tools, "chat_template": template, "tokenize": False}
    try:
        text = str(tokenizer.apply_chat_template([turn.message for turn in turns], **options))
    except (TemplateError, TypeError, ValueError, KeyError, AttributeError):
        return False
    return PROBE in text
