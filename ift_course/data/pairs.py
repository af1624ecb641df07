"""Preference pairs: a prompt, the response that was preferred, and the one that was not.

`pair_schemas.py` reads the layouts in which published data sets write them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from ift_course.data.records import BadRow, Message, Record, Turn, user_text
from ift_course.world.preferences import Preference

ACCEPTED = (
    '"chosen" and "rejected", with the prompt as "prompt" or at the beginning of both; '
    "each a string or a list of messages"
)


@dataclass(frozen=True)
class Pair:
    """One prompt and two responses of the assistant to it.

    Attributes:
        prompt: the turns before the response.
        chosen: the better response.
        rejected: the worse response.
        source: file and row, for messages: "pairs.jsonl, row 17".
        tools: JSON schemas of the functions that may be called.
    """

    prompt: tuple[Turn, ...]
    chosen: str
    rejected: str
    source: str = ""
    tools: tuple[Message, ...] = field(default=(), hash=False)

    @property
    def chosen_messages(self) -> list[Message]:
        """The conversation that ends with the chosen response."""
        return self._messages_with(self.chosen)

    @property
    def rejected_messages(self) -> list[Message]:
        """The conversation that ends with the rejected response."""
        return self._messages_with(self.rejected)

    @property
    def record(self) -> Record:
        """The conversation that ends with the chosen response, as a record."""
        return Record((*self.prompt, Turn("assistant", self.chosen)), self.source, tools=self.tools)

    def _messages_with(self, response: str) -> list[Message]:
        # Answers in the prompt are read and never trained, so their weights do not matter.
        prompt = [replace(turn, weight=1) for turn in self.prompt]
        return Record((*prompt, Turn("assistant", response))).messages

    @property
    def swapped(self) -> Pair:
        """The same pair with the worse response preferred."""
        return replace(self, chosen=self.rejected, rejected=self.chosen)


def to_pairs(preferences: Iterable[Preference]) -> list[Pair]:
    """The world's preferences as pairs."""
    return [
        Pair(
            prompt=(Turn("user", user_text(p.example.instruction, p.example.input)),),
            chosen=p.chosen,
            rejected=p.rejected,
            source=p.failing,
        )
        for p in preferences
    ]


def pair_from(record: Record) -> Pair:
    """The pair of a record with a rejected response.

    Raises:
        BadRow: the responses differ in more than their words.
    """
    chosen, rejected = record.turns[-1], record.rejected[-1]
    for name, turn in (("chosen", chosen), ("rejected", rejected)):
        if turn.tool_calls or turn.reasoning:
            part = "a tool call" if turn.tool_calls else "reasoning"
            raise BadRow(f'"{name}" contains {part}, but only words can be compared here')
    return Pair(record.turns[:-1], chosen.content, rejected.content, record.source, record.tools)
