"""Every data set becomes a list of `Record`: a conversation, whatever its columns were called.

A datum goes one way: file (`files.py`) → rows → `schemas.py` → `Record` → chat template → tokens
(`loss_mask.py`).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

ROLES = ("system", "user", "assistant", "tool")
Message = dict[str, Any]


@dataclass(frozen=True)
class Turn:
    """What one speaker says, with what today's data sets put beside the words.

    Attributes:
        role: one of ROLES.
        content: the words; empty only beside `tool_calls`.
        reasoning: what the assistant thinks before it answers.
        tool_calls: what the assistant calls, as {"type": "function", "function": {"name",
            "arguments"}} with the arguments as an object.
        tool_call_id, name: which call a turn of the role "tool" answers, and by which tool.
        weight: 0 where this answer is not to be learned, though later ones are.
    """

    role: str
    content: str
    reasoning: str = ""
    tool_calls: tuple[Message, ...] = field(default=(), hash=False)
    tool_call_id: str = ""
    name: str = ""
    weight: int = 1

    @property
    def message(self) -> Message:
        """The turn as chat templates and TRL read it; a key for nothing is left out."""
        extras: Message = {
            "reasoning_content": self.reasoning,
            "tool_calls": list(self.tool_calls),
            "tool_call_id": self.tool_call_id,
            "name": self.name,
        }
        message: Message = {"role": self.role, "content": self.content}
        message |= {name: value for name, value in extras.items() if value}
        return message if self.weight else message | {"weight": 0}


@dataclass(frozen=True)
class Record:
    """One training conversation; the turns of the role "assistant" are what is learned."""

    turns: tuple[Turn, ...]
    source: str = ""  # where it stands, for messages: "data.jsonl, row 17"
    origin: str = ""  # what its row says of where it is from: a data set, a task, an id
    license: str = ""
    rejected: tuple[Turn, ...] = ()  # of a preference: the turns that lost to those at the end
    tools: tuple[Message, ...] = field(default=(), hash=False)  # JSON schemas of functions

    @property
    def messages(self) -> list[Message]:
        return [turn.message for turn in self.turns]

    @classmethod
    def from_messages(cls, messages: Iterable[Mapping[str, str]], source: str = "") -> "Record":
        return cls(tuple(Turn(m["role"], m["content"]) for m in messages), source)

    @classmethod
    def from_instruction(
        cls, instruction: str, input: str, response: str, system: str = "", source: str = ""
    ) -> "Record":
        """The (instruction, input, output) triple of the Alpaca format (Taori et al., 2023)."""
        head = (Turn("system", system),) if system else ()
        user, assistant = Turn("user", user_text(instruction, input)), Turn("assistant", response)
        return cls((*head, user, assistant), source)


def user_text(instruction: str, input: str = "") -> str:
    """The user's turn made of an instruction and its optional input.

    The only place where the two are joined: what is trained and what is asked later must agree.
    """
    return f"{instruction}\n{input}" if input else instruction


class BadRow(Exception):
    """What is wrong with one row and what to do; whoever reads the file adds file and row number.

    Attributes:
        reason: the same for all rows with this fault, so that they can be counted together.
    """

    def __init__(self, reason: str, detail: str = ""):
        """detail: what only this row has, as a column number; shown in brackets."""
        super().__init__(f"{reason} ({detail})" if detail else reason)
        self.reason = reason


class Unpreferred(BadRow):
    """A pair that is whole and prefers nothing: both responses are the same, or one is empty."""
