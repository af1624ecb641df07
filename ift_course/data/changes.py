"""What a user may ask to be left out of conversations, or to be written in another way."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, get_args

from ift_course.data.records import Record, Turn
from ift_course.data.schemas import ParsedRow
from ift_course.data.turns import whole

Part = Literal["system", "reasoning", "tools"]
PARTS: tuple[Part, ...] = get_args(Part)

# How special tokens of common model families are written. A tokenizer reads them inside a text as
# if the template had written them: whoever wrote the text can end the turn.
SPECIAL = re.compile(
    r"<\|[a-zA-Z][\w ]{0,40}\|>|</?s>|\[/?INST\]|<</?SYS>>"
    r"|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>|<｜[^｜\n]{1,40}｜>"
)


def special_tokens(record: Record) -> list[str]:
    """Texts in a record that a tokenizer may read as special tokens."""
    texts = [turn.content for turn in (*record.turns, *record.rejected)]
    return sorted({token for text in texts for token in SPECIAL.findall(text)})


@dataclass(frozen=True)
class Changes:
    """What is done to every record after it was read.

    Attributes:
        without: parts that are left out: system turns, reasoning, or tools with their calls and
            results.
        fold_system: put a system turn before the first question, for templates that refuse one.
        escape_special: put a space into what looks like a special token, which makes it words.
    """

    without: tuple[Part, ...] = ()
    fold_system: bool = False
    escape_special: bool = False

    def apply(self, result: ParsedRow) -> ParsedRow:
        """The row with its record changed, and what was changed among the repairs.

        Raises:
            BadRow: no answer is left.
        """
        record, notes = result.record, []
        for step, note in self._steps():
            changed = step(record)
            if changed != record:
                record = changed
                notes.append(note)
        if not notes:
            return result
        turns, repairs = whole(record.turns)
        repairs = dict.fromkeys([*result.repairs, *notes, *repairs])
        return replace(result, record=replace(record, turns=turns), repairs=tuple(repairs))

    def _steps(self) -> list[tuple[Callable[[Record], Record], str]]:
        steps: list[tuple[Callable[[Record], Record], str]] = []
        if "system" in self.without:
            steps.append((_without_system, "left out the system turn"))
        if "reasoning" in self.without:
            steps.append((_without_reasoning, "left out the reasoning"))
        if "tools" in self.without:
            steps.append((_without_tools, "left out tools, their calls and results"))
        if self.fold_system:
            steps.append((_folded, "put the system turn before the first question"))
        if self.escape_special:
            steps.append((_escaped, "escaped special tokens in the text"))
        return steps


AS_IS = Changes()


def _without_system(record: Record) -> Record:
    return replace(record, turns=tuple(t for t in record.turns if t.role != "system"))


def _without_reasoning(record: Record) -> Record:
    bare = (tuple(replace(t, reasoning="") for t in ts) for ts in (record.turns, record.rejected))
    turns, rejected = bare
    return replace(record, turns=turns, rejected=rejected)


def _without_tools(record: Record) -> Record:
    spoken = [replace(t, tool_calls=()) for t in record.turns if t.role != "tool"]
    return replace(record, turns=tuple(t for t in spoken if t.content), tools=())


def _folded(record: Record) -> Record:
    system = [turn.content for turn in record.turns if turn.role == "system"]
    rest = [turn for turn in record.turns if turn.role != "system"]
    if not system or rest[0].role != "user":
        return record
    first = replace(rest[0], content="\n\n".join([*system, rest[0].content]))
    return replace(record, turns=(first, *rest[1:]))


def _escaped(record: Record) -> Record:
    turns, rejected = (
        tuple(_escaped_turn(turn) for turn in turns) for turns in (record.turns, record.rejected)
    )
    return replace(record, turns=turns, rejected=rejected)


def _escaped_turn(turn: Turn) -> Turn:
    return replace(turn, content=SPECIAL.sub(lambda m: f"{m[0][0]} {m[0][1:]}", turn.content))
