"""Preference files: a prompt, the response that was preferred, and the one that was not.

The prompt stands in a column of its own or at the beginning of both responses; a prompt or a
response is a string, a message or a list of messages. All of it becomes one `Pair`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ift_course.data.adapters import SPEAKERS, kind, messages, text
from ift_course.data.files import Rows
from ift_course.data.records import BadRow, Record, Turn, user_text
from ift_course.errors import CourseError
from ift_course.world.preferences import Preference

ACCEPTED = (
    '"chosen" and "rejected", with the prompt as "prompt" or at the beginning of both; '
    "each a string or a list of messages"
)
PROMPTS = ("prompt", "question", "instruction")
# How the turns of Anthropic's HH-RLHF, and of files made like it, are written in one string.
SPOKEN = re.compile(r"\n\n(Human|Assistant):[ ]?")


@dataclass(frozen=True)
class Pair:
    """One prompt and two responses of the assistant to it, the better one first."""

    prompt: tuple[Turn, ...]
    chosen: str
    rejected: str
    source: str = ""  # where it stands, for messages: "pairs.jsonl, row 17"

    @property
    def chosen_messages(self) -> list[dict[str, str]]:
        return self._answered(self.chosen)

    @property
    def rejected_messages(self) -> list[dict[str, str]]:
        return self._answered(self.rejected)

    def _answered(self, response: str) -> list[dict[str, str]]:
        return Record((*self.prompt, Turn("assistant", response))).messages

    @property
    def swapped(self) -> "Pair":
        """The same pair with the worse response preferred."""
        return Pair(self.prompt, self.rejected, self.chosen, self.source)


def pairs_of(preferences: Iterable[Preference]) -> list[Pair]:
    """The world's preferences as pairs."""
    return [
        Pair((Turn("user", user_text(p.example.instruction, p.example.input)),), p.chosen,
             p.rejected, p.failing)
        for p in preferences
    ]  # fmt: skip


def read_pairs(path: str | Path) -> list[Pair]:
    """Read preference pairs from a JSON, JSONL, Parquet or CSV file.

    Raises CourseError, naming the file, the row (counted from 1; in a JSONL file, the line) and the
    remedy, when the file is missing, empty, damaged, or a row is not a pair.
    """
    rows = Rows(path)
    pairs = []
    for number, row in rows:
        source = f"{rows.path.name}, row {number}"
        try:
            if isinstance(row, BadRow):
                raise row
            pairs.append(pair_of(row, source))
        except BadRow as error:
            raise CourseError(f"{source}: {error}. Fix or delete it and run again.") from None
    if not pairs:
        raise CourseError(f"{path} is empty; it needs at least one row with {ACCEPTED}.")
    return pairs


def pair_of(row: Any, source: str = "") -> Pair:
    """One row as a pair. Raises BadRow, which says what is wrong but not where the row is."""
    if not isinstance(row, Mapping):
        raise BadRow(f"expected an object with named columns, but found {kind(row)}")
    for name in ("chosen", "rejected"):
        if row.get(name) is None:
            found = ", ".join(map(str, row))[:200] or "none"
            raise BadRow(f'"{name}" is missing; found the columns {found}, but need {ACCEPTED}')
    prompt = _prompt(row)
    if not prompt and _is_text(row["chosen"]) and _is_text(row["rejected"]):
        chosen, rejected = _split_strings(text(row, "chosen"), text(row, "rejected"))
    else:
        chosen, rejected = _turns(row, "chosen"), _turns(row, "rejected")
    return _pair(prompt, chosen, rejected, source)


def _prompt(row: Mapping) -> tuple[Turn, ...]:
    name = next((n for n in PROMPTS if row.get(n)), None)
    if name is None:
        return ()
    if not _is_text(row[name]):
        return _turns(row, name)
    system = text(row, "system", optional=True)
    asked = user_text(text(row, name), text(row, "input", "context", optional=True))
    head = (Turn("system", system),) if system.strip() else ()
    return (*head, *(_transcript(asked) or (Turn("user", asked),)))


def _turns(row: Mapping, name: str) -> tuple[Turn, ...]:
    """The turns of a column: a string is what the assistant says."""
    value = row[name]
    if _is_text(value):
        return (Turn("assistant", text(row, name)),)
    if isinstance(value, Mapping):
        value = [value]
    if isinstance(value, list):
        value = [_message(turn) for turn in value]
    return messages(value, name)


def _is_text(value: Any) -> bool:
    """Whether it is a string, and not a list of messages in a cell of a CSV file."""
    return isinstance(value, str) and not value.lstrip().startswith("[{")


def _message(turn: Any) -> Any:
    """A turn written {"from", "value"} as {"role", "content"}; others as they are."""
    if isinstance(turn, Mapping) and "from" in turn and "role" not in turn:
        return {"role": SPEAKERS.get(turn["from"], turn["from"]), "content": turn.get("value")}
    return turn


def _pair(
    prompt: tuple[Turn, ...], chosen: tuple[Turn, ...], rejected: tuple[Turn, ...], source: str
) -> Pair:
    for name, turns in (("chosen", chosen), ("rejected", rejected)):
        if turns[-1].role != "assistant":
            raise BadRow(f'"{name}" must end with the assistant, whose answers are compared')
    if chosen[:-1] != rejected[:-1]:
        raise BadRow('"chosen" and "rejected" part before their last turn, so they answer '
                     "different questions")  # fmt: skip
    # UltraFeedback gives the prompt as a column and again inside chosen and rejected.
    head = chosen[:-1] if chosen[: len(prompt)] == prompt or not prompt else prompt + chosen[:-1]
    if not any(turn.role == "user" for turn in head):
        raise BadRow('there is no prompt: give a column "prompt", or begin both with it')
    if chosen[-1] == rejected[-1]:
        raise BadRow('"chosen" and "rejected" are the same, so neither is preferred')
    return Pair(head, chosen[-1].content, rejected[-1].content, source)


def _split_strings(chosen: str, rejected: str) -> tuple[tuple[Turn, ...], tuple[Turn, ...]]:
    """Two strings that begin with their common prompt."""
    spoken = _transcript(chosen), _transcript(rejected)
    if all(spoken):
        return spoken
    prompt = _shared_words(chosen, rejected)
    if not prompt.strip():
        raise BadRow('"chosen" and "rejected" share no beginning, so the prompt is missing: give a '
                     'column "prompt"')  # fmt: skip
    if len(prompt.rstrip()) in (len(chosen.rstrip()), len(rejected.rstrip())):
        raise BadRow("one response is only the beginning of the other, so the prompt cannot be "
                     'told from it: give a column "prompt"')  # fmt: skip
    asked = Turn("user", prompt.strip())
    return tuple(
        (asked, Turn("assistant", whole[len(prompt) :].strip())) for whole in (chosen, rejected)
    )


def _shared_words(a: str, b: str) -> str:
    """The common beginning, up to the last whole word: a response starts with a word."""
    pairs = enumerate(zip(a, b, strict=False))
    differ = next((at for at, (x, y) in pairs if x != y), min(len(a), len(b)))
    spaces = [match.end() for match in re.finditer(r"\s", a[:differ])]
    return a[: spaces[-1]] if spaces else ""


def _transcript(whole: str) -> tuple[Turn, ...]:
    """The turns of "\\n\\nHuman: …\\n\\nAssistant: …"; none if it is not written so."""
    pieces = SPOKEN.split(whole if whole.startswith("\n\n") else f"\n\n{whole}")
    if pieces[0].strip() or len(pieces) < 3:
        return ()
    turns = [
        Turn("user" if speaker == "Human" else "assistant", said.strip())
        for speaker, said in zip(pieces[1::2], pieces[2::2], strict=True)
    ]
    while turns and not turns[-1].content:  # a prompt that ends "\n\nAssistant:"
        turns.pop()
    return tuple(turns)
