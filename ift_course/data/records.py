"""Every data set becomes a list of `Record`: one conversation each, whatever its columns.

The path of an example: file (`files.py`) → row (`schemas.py`) → `Record` → chat template → token
ids and loss mask (`loss_mask.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

ROLES = ("system", "user", "assistant", "tool")
Message = dict[str, Any]
# A row's number, from 1 (in a JSONL file, its line), and the row itself or what is wrong with it.
NumberedRow = tuple[int, Any]


@dataclass(frozen=True)
class Turn:
    """What one speaker says, with what current data sets put beside the words.

    Attributes:
        role: one of ROLES.
        content: the words; empty only beside `tool_calls`.
        reasoning: the assistant's thoughts before the answer.
        tool_calls: the assistant's calls, as {"type": "function", "function": {"name",
            "arguments"}} with the arguments as an object.
        tool_call_id: in a turn of the role "tool", the id of the call that it answers.
        name: in a turn of the role "tool", the name of the tool that answers.
        weight: 0 for an answer that is read but not trained, 1 otherwise.
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
        """The turn as chat templates and TRL read it; keys without a value are left out."""
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
    """One training conversation; the model learns the turns of the role "assistant".

    Attributes:
        turns: the conversation, which ends with the assistant.
        source: file and row, for messages: "data.jsonl, row 17".
        origin: what the row itself names as its origin: a data set, a task, an id.
        license: the license that the row names.
        rejected: in a preference pair, the turns that lost to those at the end of `turns`.
        tools: JSON schemas of the functions that may be called.
    """

    turns: tuple[Turn, ...]
    source: str = ""
    origin: str = ""
    license: str = ""
    rejected: tuple[Turn, ...] = ()
    tools: tuple[Message, ...] = field(default=(), hash=False)

    @property
    def messages(self) -> list[Message]:
        """The conversation as chat templates and TRL read it."""
        return [turn.message for turn in self.turns]

    @classmethod
    def from_messages(cls, messages: Iterable[Mapping[str, str]], source: str = "") -> Record:
        """Make a record of {"role", "content"} messages."""
        return cls(tuple(Turn(m["role"], m["content"]) for m in messages), source)

    @classmethod
    def from_instruction(
        cls, instruction: str, input: str, response: str, system: str = "", source: str = ""
    ) -> Record:
        """Make a record of Alpaca's triple of instruction, input and output (Taori et al. 2023)."""
        head = (Turn("system", system),) if system else ()
        user, assistant = Turn("user", user_text(instruction, input)), Turn("assistant", response)
        return cls((*head, user, assistant), source)


def user_text(instruction: str, input: str = "") -> str:
    """Join an instruction and its optional input into the user's turn.

    This is the only place where the two are joined, because the model must be asked at evaluation
    exactly as it was trained.
    """
    return f"{instruction}\n{input}" if input else instruction


class BadRow(Exception):
    """What is wrong with one row and how to fix it.

    The reader of the file adds its name and the row's number.

    Attributes:
        reason: the same text for all rows with this fault, so that they can be counted together.
    """

    def __init__(self, reason: str, detail: str = ""):
        """Create the error.

        Args:
            reason: what is wrong, in words that fit every row with this fault.
            detail: what applies to this row alone, such as a column number; shown in parentheses.
        """
        super().__init__(f"{reason} ({detail})" if detail else reason)
        self.reason = reason


class Unpreferred(BadRow):
    """A complete pair without a preference: both responses are equal, or one is empty."""
