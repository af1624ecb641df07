"""Changes that a user may request: parts of conversations left out, or written in another way."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from ift_course.data.records import Record, Turn
from ift_course.data.schemas import ParsedRow
from ift_course.data.turns import complete_conversation

Part = Literal["system", "reasoning", "tools"]

# How common model families write their special tokens. A tokenizer reads them in a text as if the
# template had written them, so whoever wrote the text can end the turn.
SPECIAL_TOKEN = re.compile(
    r"<\|[a-zA-Z][\w ]{0,40}\|>|</?s>|\[/?INST\]|<</?SYS>>"
    r"|<(?:start|end)_of_turn>|<(?:bos|eos|pad|unk)>|<｜[^｜\n]{1,40}｜>"
)


def special_tokens(record: Record) -> list[str]:
    """The texts in a record that a tokenizer may read as special tokens."""
    texts = [turn.content for turn in (*record.turns, *record.rejected)]
    return sorted({token for text in texts for token in SPECIAL_TOKEN.findall(text)})


@dataclass(frozen=True)
class Changes:
    """What to change in every record after it was read.

    Attributes:
        without: parts that are left out: system turns, reasoning, or tools with their calls and
            results.
        fold_system: put a system turn before the first question, for templates that refuse one.
        escape_special: put a space into texts that look like special tokens, so that the tokenizer
            reads them as ordinary text.
    """

    without: tuple[Part, ...] = ()
    fold_system: bool = False
    escape_special: bool = False

    def apply(self, row: ParsedRow) -> ParsedRow:
        """The row with its record changed; its repairs name the changes.

        Raises:
            BadRow: no answer is left.
        """
        record, notes = row.record, []
        for change, note in self._steps():
            changed = change(record)
            if changed != record:
                record = changed
                notes.append(note)
        if not notes:
            return row
        turns, repairs = complete_conversation(record.turns)
        all_repairs = dict.fromkeys([*row.repairs, *notes, *repairs])
        return replace(row, record=replace(record, turns=turns), repairs=tuple(all_repairs))

    def _steps(self) -> list[tuple[Callable[[Record], Record], str]]:
        steps: list[tuple[Callable[[Record], Record], str]] = []
        if "system" in self.without:
            steps.append((_remove_system, "left out the system turn"))
        if "reasoning" in self.without:
            steps.append((_remove_reasoning, "left out the reasoning"))
        if "tools" in self.without:
            steps.append((_remove_tools, "left out tools, their calls and results"))
        if self.fold_system:
            steps.append((_fold_system, "put the system turn before the first question"))
        if self.escape_special:
            steps.append((_escape_special_tokens, "escaped special tokens in the text"))
        return steps


NO_CHANGES = Changes()


def _remove_system(record: Record) -> Record:
    return replace(record, turns=tuple(turn for turn in record.turns if turn.role != "system"))


def _remove_reasoning(record: Record) -> Record:
    turns, rejected = (
        tuple(replace(turn, reasoning="") for turn in turns)
        for turns in (record.turns, record.rejected)
    )
    return replace(record, turns=turns, rejected=rejected)


def _remove_tools(record: Record) -> Record:
    turns = [replace(turn, tool_calls=()) for turn in record.turns if turn.role != "tool"]
    return replace(record, turns=tuple(turn for turn in turns if turn.content), tools=())


def _fold_system(record: Record) -> Record:
    system_texts = [turn.content for turn in record.turns if turn.role == "system"]
    others = [turn for turn in record.turns if turn.role != "system"]
    if not system_texts or others[0].role != "user":
        return record
    question = replace(others[0], content="\n\n".join([*system_texts, others[0].content]))
    return replace(record, turns=(question, *others[1:]))


def _escape_special_tokens(record: Record) -> Record:
    turns, rejected = (
        tuple(_escape_turn(turn) for turn in turns) for turns in (record.turns, record.rejected)
    )
    return replace(record, turns=turns, rejected=rejected)


def _escape_turn(turn: Turn) -> Turn:
    content = SPECIAL_TOKEN.sub(lambda match: f"{match[0][0]} {match[0][1:]}", turn.content)
    return replace(turn, content=content)
