"""Records as tokens and labels, with what a model's chat template cannot write named by its row."""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from ift_course.data.chat_templates import active_template
from ift_course.data.loss_mask import label_each, labels, render
from ift_course.data.records import Message, Record, Turn
from ift_course.errors import CourseError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Labeled = tuple[list[int], list[int]]  # ids, and labels with IGNORE where no loss is taken
OnRefused = Callable[[Record, str], None]

PROBE = "Zmeyka"  # a word that stands in no template
CALL: Message = {"type": "function", "function": {"name": PROBE, "arguments": {}}}
TOOL: Message = {
    "type": "function",
    "function": {
        "name": PROBE,
        "description": "",
        "parameters": {"type": "object", "properties": {}},
    },
}


def label_records(
    tokenizer: "PreTrainedTokenizerBase",
    records: Sequence[Record],
    on_refused: OnRefused | None = None,
) -> Iterator[Labeled]:
    """Ids and labels of every record, in order.

    Args:
        tokenizer: with a chat template.
        records: conversations.
        on_refused: is given a record that the template cannot write, and why; the record is then
            left out. None stops at the first.

    Raises:
        CourseError: the template cannot write a record; the sentence names its file and row.
    """
    plain = all(not _extras(record) for record in records)
    if plain:
        done = 0
        try:
            for ids, row_labels in label_each(tokenizer, [record.messages for record in records]):
                done += 1
                yield ids, row_labels
            return
        except CourseError:
            records = records[done:]  # one by one from here, to name the row
    for record in records:
        labeled = _label(tokenizer, record, on_refused)
        if labeled is not None:
            yield labeled


def _label(
    tokenizer: "PreTrainedTokenizerBase", record: Record, on_refused: OnRefused | None
) -> Labeled | None:
    try:
        refuse_unwritten(tokenizer, record)
        ids, mask = render(tokenizer, record.messages, tools=record.tools)
    except CourseError as error:
        if on_refused is None:
            raise located(record, error) from None
        on_refused(record, str(error))
        return None
    return ids, labels(ids, mask)


def located(record: Record, error: CourseError) -> CourseError:
    """The error with the file and row of the record in front."""
    return CourseError(f"{record.source}: {error}" if record.source else str(error))


def _extras(record: Record) -> bool:
    return bool(record.tools) or any(
        turn.role == "tool" or turn.tool_calls or turn.reasoning for turn in record.turns
    )


def refuse_unwritten(tokenizer: "PreTrainedTokenizerBase", record: Record) -> None:
    """Raise CourseError when the template would leave out a part of the record in silence."""
    template = active_template(tokenizer)
    if not template or not _extras(record):
        return
    last = record.turns[-1]
    present = {
        "tool calls": any(turn.tool_calls for turn in record.turns),
        "the results of tools": any(turn.role == "tool" for turn in record.turns),
        "the descriptions of tools": bool(record.tools),
        # Templates of reasoning models leave out the thoughts of earlier turns on purpose.
        "reasoning": bool(last.reasoning),
    }
    lost = [
        name for name, there in present.items() if there and not _writes(tokenizer, template, name)
    ]
    if lost:
        option = "reasoning" if lost == ["reasoning"] else "tools"
        raise CourseError(
            f"The chat template of this model does not write {', '.join(lost)}, which this row "
            "has; use a model whose template does, leave them out with "
            f"`ift data convert --without {option}`, or set such rows aside with --rejects FILE."
        )


@lru_cache(maxsize=16)
def _writes(tokenizer: "PreTrainedTokenizerBase", template: str, part: str) -> bool:
    """Whether a template writes a part, found out with a word that stands in no template."""
    call = [Turn("user", "a"), Turn("assistant", "", tool_calls=(CALL,)), Turn("tool", PROBE)]
    turns, tools = {
        "tool calls": (call[:2], None),
        "the results of tools": (
            [Turn("user", "a"), Turn("assistant", "b"), call[2], Turn("assistant", "c")], None),
        "the descriptions of tools": ([Turn("user", "a")], [TOOL]),
        "reasoning": ([Turn("user", "a"), Turn("assistant", "b", reasoning=PROBE)], None),
    }[part]  # fmt: skip
    from jinja2 import TemplateError

    try:
        text = tokenizer.apply_chat_template(
            [turn.message for turn in turns], tools=tools, chat_template=template, tokenize=False
        )
    except (TemplateError, TypeError, ValueError, KeyError, AttributeError):
        return False
    return PROBE in text
