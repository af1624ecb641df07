"""Preference files: a prompt, the response that was preferred, and the one that was not.

The prompt stands in a column of its own or at the beginning of both responses; a prompt or a
response is a string, a message or a list of messages. All of it becomes one `Pair`.
"""

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
    """One prompt and two responses of the assistant to it, the better one first."""

    prompt: tuple[Turn, ...]
    chosen: str
    rejected: str
    source: str = ""  # where it stands, for messages: "pairs.jsonl, row 17"
    tools: tuple[Message, ...] = field(default=(), hash=False)

    @property
    def chosen_messages(self) -> list[Message]:
        return self._answered(self.chosen)

    @property
    def rejected_messages(self) -> list[Message]:
        return self._answered(self.rejected)

    @property
    def record(self) -> Record:
        """The conversation that ends with the chosen response."""
        return Record((*self.prompt, Turn("assistant", self.chosen)), self.source, tools=self.tools)

    def _answered(self, response: str) -> list[Message]:
        # Earlier answers in the prompt are read and never trained.
        prompt = [replace(turn, weight=1) for turn in self.prompt]
        return Record((*prompt, Turn("assistant", response))).messages

    @property
    def swapped(self) -> "Pair":
        """The same pair with the worse response preferred."""
        return replace(self, chosen=self.rejected, rejected=self.chosen)


def to_pairs(preferences: Iterable[Preference]) -> list[Pair]:
    """The world's preferences as pairs."""
    return [
        Pair((Turn("user", user_text(p.example.instruction, p.example.input)),), p.chosen,
             p.rejected, p.failing)
        for p in preferences
    ]  # fmt: skip


def pair_from(record: Record) -> Pair:
    """The pair of a record with a rejected response. Raises BadRow for what is no pair of words."""
    chosen, rejected = record.turns[-1], record.rejected[-1]
    for name, turn in (("chosen", chosen), ("rejected", rejected)):
        if turn.tool_calls or turn.reasoning:
            what = "a tool" if turn.tool_calls else "its reasoning"
            raise BadRow(f'"{name}" compares {what}, and only words can be compared here')
    return Pair(record.turns[:-1], chosen.content, rejected.content, record.source, record.tools)
