"""The published data sets, each with its own columns, become one `Record`.

`adapt(row)` looks at the columns, finds the schema, and reads the row. What it mends on the way (an
assistant who speaks first, two turns by one speaker) it reports, so that nothing changes unseen.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ift_course.data.records import ROLES, BadRow, Record, Turn, user_text

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Adapted:
    """A row that was read. repairs: what had to be changed to make a conversation of it."""

    record: Record
    schema: str
    repairs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Schema:
    """A layout of rows: the columns that give it away and the function that reads such a row."""

    name: str
    columns: tuple[str, ...]
    read: Callable[[Row], Record | tuple[Record, tuple[str, ...]]]


# What the speakers are called in files that people have scraped and merged.
SPEAKERS = {
    **{role: role for role in ROLES},
    "human": "user",
    "prompter": "user",
    "gpt": "assistant",
    "chatgpt": "assistant",
    "gpt-4": "assistant",
    "gpt4": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "bot": "assistant",
}
ANSWER_FIRST = "dropped what the assistant said before anyone asked"
NO_ANSWER = "dropped a last question without an answer"
ONE_SPEAKER = "joined turns in a row by one speaker"


def text(row: Row, *names: str, optional: bool = False) -> str:
    """The first of these columns that is there. Raises BadRow if it is not usable text."""
    for name in names:
        value = row.get(name)
        if value is None:
            continue
        if not isinstance(value, str):
            raise BadRow(f'"{name}" should be text, but is {kind(value)}')
        if not value.isascii():
            _encodable(value, name)
        if value.strip() or optional:
            return value
        raise BadRow(f'"{name}" is empty')
    if optional:
        return ""
    raise BadRow(f'"{names[0]}" is missing')


def _encodable(value: str, name: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise BadRow(
            f'"{name}" holds half a character at position {error.start}, which no UTF-8 file can'
        ) from None


def kind(value: Any) -> str:
    """What a value is, in words a person uses."""
    if value == []:
        return "an empty list"
    names = {bool: "true or false", int: "a number", float: "a number", list: "a list", str: "text"}
    return names.get(type(value), "null" if value is None else "an object")


def messages(value: Any, name: str) -> tuple[Turn, ...]:
    """A list of {"role", "content"} with the roles of TRL, and no others."""
    value = _listed(value, name)
    turns = []
    for number, message in enumerate(value, 1):
        place = f'message {number} of "{name}"'
        if not isinstance(message, Mapping):
            raise BadRow(f"{place} should be an object with role and content")
        role = message.get("role")
        if role not in ROLES:
            known = ", ".join(ROLES)
            raise BadRow(f"{place} has the role {_shown(role)}, but only {known} are known")
        turns.append(Turn(role, _within(place, message, "content")))
    return tuple(turns)


def _listed(value: Any, name: str) -> list:
    if isinstance(value, str) and value.lstrip().startswith("["):
        # A CSV file has no lists: a conversation in one of its cells is JSON.
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise BadRow(f'"{name}" looks like a list but is not JSON') from None
    if not isinstance(value, list) or not value:
        raise BadRow(f'"{name}" should be a list of turns, but is {kind(value)}')
    return value


def _within(place: str, message: Row, *names: str) -> str:
    try:
        return text(message, *names)
    except BadRow as error:
        raise BadRow(f"{place}: {error}") from None


def _shown(value: Any) -> str:
    return json.dumps(value, default=str)[:60]


def _instruction(row: Row) -> Record:
    asked = user_text(text(row, "instruction"), text(row, "input", "context", optional=True))
    system = text(row, "system", optional=True)
    head = (Turn("system", system),) if system else ()
    answer = Turn("assistant", text(row, "output", "response"))
    return Record((*head, Turn("user", asked), answer), origin=_origin(row, "category"))


def _turns(row: Row, name: str, role: str) -> tuple[Turn, ...]:
    value = row.get(name)
    if isinstance(value, list):
        return messages(value, name)
    return (Turn(role, text(row, name)),)


def _prompt_completion(row: Row) -> Record:
    return Record((*_turns(row, "prompt", "user"), *_turns(row, "completion", "assistant")))


def _unpaired(row: Row) -> Record:
    record = _prompt_completion(row)
    if row["label"] in (True, 1, "true", "True", "1"):
        return record
    raise BadRow('"label" says that this completion is a bad one, which is not to be learned')


def _preference(row: Row) -> Record:
    """The chosen conversation, with the rejected last turns beside it."""
    prompt = _turns(row, "prompt", "user") if row.get("prompt") else ()
    chosen, rejected = _turns(row, "chosen", "assistant"), _turns(row, "rejected", "assistant")
    shared = 0
    for a, b in zip(chosen, rejected, strict=False):
        if a != b or (a.role == "assistant" and shared + 1 == min(len(chosen), len(rejected))):
            break
        shared += 1
    if not prompt and not shared:
        raise BadRow('"chosen" and "rejected" share no prompt, so there is nothing to answer')
    # UltraFeedback gives the prompt as a column and again inside chosen and rejected.
    head = chosen[:shared] if shared else prompt
    return Record((*head, *chosen[shared:]), rejected=rejected[shared:])


def _flan(row: Row) -> Record:
    turns = Turn("user", text(row, "inputs")), Turn("assistant", text(row, "targets"))
    return Record(turns, origin=_origin(row, "_task_name", "task_name", "task"))


def _messages_row(row: Row) -> Record:
    return Record(messages(row["messages"], "messages"), origin=_origin(row, "prompt_id"))


def _conversations(row: Row) -> tuple[Record, tuple[str, ...]]:
    """OpenHermes and ShareGPT: objects with a speaker and a text, named in many ways."""
    value = _listed(row["conversations"], "conversations")
    said = [_spoken(turn, n) for n, turn in enumerate(value, 1)]
    system = text(row, "system_prompt", "system", optional=True)
    if system.strip() and said[0].role != "system":
        said.insert(0, Turn("system", system))
    turns, repairs = mend(said)
    return Record(turns, origin=_origin(row, "source", "id")), repairs


def _spoken(turn: Any, number: int) -> Turn:
    place = f'turn {number} of "conversations"'
    if not isinstance(turn, Mapping):
        raise BadRow(f'{place} should be an object with "from" and "value"')
    speaker = turn.get("from", turn.get("role"))
    role = SPEAKERS.get(speaker.strip().lower()) if isinstance(speaker, str) else None
    if role is None:
        raise BadRow(f"{place} is by {_shown(speaker)}, which is no speaker we know")
    return Turn(role, _within(place, turn, "value", "content", "text"))


def _lima(row: Row) -> tuple[Record, tuple[str, ...]]:
    """The user and the assistant in turn, as plain strings."""
    said = _listed(row["conversations"], "conversations")
    turns = tuple(
        Turn(ROLES[1 + n % 2], _within(f'turn {n + 1} of "conversations"', {"text": s}, "text"))
        for n, s in enumerate(said)
    )
    mended, repairs = mend(turns)
    return Record(mended, origin=_origin(row, "source")), repairs


def mend(turns: Iterable[Turn]) -> tuple[tuple[Turn, ...], tuple[str, ...]]:
    """Make speakers alternate, the user begin and the assistant end; say what was changed."""
    kept: list[Turn] = []
    repairs = []
    for turn in turns:
        if turn.role == "assistant" and not any(t.role == "user" for t in kept):
            repairs.append(ANSWER_FIRST)
        elif kept and kept[-1].role == turn.role:
            kept[-1] = Turn(turn.role, f"{kept[-1].content}\n\n{turn.content}")
            repairs.append(ONE_SPEAKER)
        else:
            kept.append(turn)
    if any(t.role == "assistant" for t in kept):
        while kept[-1].role != "assistant":
            kept.pop()
            repairs.append(NO_ANSWER)
    return tuple(kept), tuple(dict.fromkeys(repairs))


def _origin(row: Row, *names: str) -> str:
    for name in names:
        value = row.get(name)
        if isinstance(value, str) and value:
            return value.encode(errors="replace").decode()
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
    return ""


# The first schema of which all columns are present wins, so the narrower ones stand first. Three
# publishers share the column "conversations"; what is in it tells LIMA from the others.
PROMPT_COMPLETION = Schema("prompt/completion", ("prompt", "completion"), _prompt_completion)
ALPACA = Schema("Alpaca", ("instruction", "output"), _instruction)
LIMA = Schema("LIMA", ("conversations",), _lima)
SCHEMAS = (
    Schema("UltraChat", ("prompt", "prompt_id", "messages"), _messages_row),
    Schema("preference", ("chosen", "rejected"), _preference),
    Schema("messages", ("messages",), _messages_row),
    Schema("OpenHermes", ("conversations", "system_prompt"), _conversations),
    Schema("OpenHermes", ("conversations", "custom_instruction"), _conversations),
    Schema("ShareGPT", ("conversations",), _conversations),
    Schema("unpaired preference", ("prompt", "completion", "label"), _unpaired),
    PROMPT_COMPLETION,
    Schema("Flan", ("inputs", "targets"), _flan),
    Schema("Dolly", ("instruction", "context", "response"), _instruction),
    ALPACA,
    Schema("Alpaca", ("instruction", "response"), _instruction),
)
ACCEPTED = (
    "instruction/input/output (or response), prompt/completion, messages, conversations, "
    "inputs/targets, or chosen/rejected"
)


def detect(row: Row) -> Schema | None:
    """The schema of a row, by its columns, or None when no known layout fits.

    Raises BadRow for a conversation that is no list.
    """
    found = next((s for s in SCHEMAS if _fits(s, row)), None)
    if found and found.name == "ShareGPT":
        first = _listed(row["conversations"], "conversations")[0]
        return LIMA if isinstance(first, str) else found
    return found


def _fits(schema: Schema, row: Row) -> bool:
    # Merged tables have every column in every row, and null in those that are another schema's.
    return all(name in row for name in schema.columns) and any(
        row[name] is not None for name in schema.columns
    )


def adapt(row: Any, source: str = "") -> Adapted:
    """One row of any known data set as a conversation that ends with the assistant.

    Raises BadRow, which says what is wrong but not where the row is.
    """
    if not isinstance(row, Mapping):
        raise BadRow(f"expected an object with named columns, but found {kind(row)}")
    schema = detect(row) or _nearest(row)
    if schema is None:
        found = ", ".join(map(str, row))[:200] or "none"
        raise BadRow(f"found the columns {found}, but need {ACCEPTED}")
    read = schema.read(row)
    record, repairs = read if isinstance(read, tuple) else (read, ())
    if not record.turns or record.turns[-1].role != "assistant":
        raise BadRow("the last turn must be the assistant's, for that is what is learned")
    license_ = text(row, "license", optional=True) if isinstance(row.get("license"), str) else ""
    return Adapted(replace(record, source=source, license=license_), schema.name, repairs)


def _nearest(row: Row) -> Schema | None:
    # A row with half of a layout names the missing column better than "unknown columns" does.
    for first, schema in (("instruction", ALPACA), ("prompt", PROMPT_COMPLETION)):
        if first in row and len(row) <= 3:
            return schema
    return None
