"""The published data sets, each with its own columns, become one `Record`.

`parse_row(row)` looks at the columns, finds the schema, and reads the row. It reports what it
repairs on the way (an assistant who speaks first, two turns by one speaker) and which columns it
does not use, so that nothing changes or is lost unseen. `pair_schemas.py` reads pairs of responses.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ift_course.data import turns as parse
from ift_course.data.fields import Fields, kind, named, parsed
from ift_course.data.message_rows import rank_of
from ift_course.data.pair_schemas import PAIRED, read_preference
from ift_course.data.records import BadRow, Record, Turn, user_text
from ift_course.data.transcripts import transcript

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ParsedRow:
    """A row that was read.

    Attributes:
        repairs: what had to be changed to make a conversation of it.
        unused: the columns, and the keys inside them, that have a value nobody read.
    """

    record: Record
    schema: str
    repairs: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Schema:
    """A layout of rows: the columns that give it away and the function that reads such a row."""

    name: str
    columns: tuple[str, ...]
    read: Callable[[Fields], Record]


def _instruction(row: Fields) -> Record:
    question = user_text(row.text("instruction"), row.optional_text("input", "context"))
    turns = Turn("user", question), Turn("assistant", row.text("output", "response", "answer"))
    return Record((*parse.head_of(row), *turns))


def _turns(row: Fields, name: str, role: str) -> list[Turn]:
    value = row.peek(name)
    if isinstance(value, list) or (isinstance(value, str) and value.lstrip().startswith("[{")):
        return parse.turns_of(row, name)
    return [Turn(role, row.text(name))]


def _prompt_completion(row: Fields) -> Record:
    prompt, completion = _turns(row, "prompt", "user"), _turns(row, "completion", "assistant")
    return Record((*parse.behind(parse.head_of(row), prompt), *completion))


def _unpaired(row: Fields) -> Record:
    if VERDICTS[_plain(row.take("label"))]:
        return _prompt_completion(row)
    raise BadRow('"label" says that this completion is a bad one, which is not to be learned')


# What TRL's KTO layout and its copies write for thumbs up and thumbs down.
VERDICTS = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}


def _plain(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def is_verdict(value: Any) -> bool:
    """Whether a label says good or bad, and not, for instance, what a row is about."""
    return isinstance(value, (bool, int, str)) and _plain(value) in VERDICTS


def _question_answer(row: Fields) -> Record:
    asked, answered = next(pair for pair in QUESTIONS if all(name in row for name in pair))
    question = user_text(row.text(asked), row.optional_text("context"))
    answer = row.text(answered)
    return Record((*parse.head_of(row), Turn("user", question), Turn("assistant", answer)))


def _flan(row: Fields) -> Record:
    return Record((Turn("user", row.text("inputs")), Turn("assistant", row.text("targets"))))


def _messages(row: Fields) -> Record:
    turns = parse.turns_of(row, "messages")
    first = next((turn.content for turn in turns if turn.role == "user"), None)
    if "prompt" in row and row.peek("prompt") == first:
        row.use("prompt")  # UltraChat says it twice
    return Record(parse.behind(parse.head_of(row), turns))


def _conversations(row: Fields) -> Record:
    """OpenHermes, ShareGPT, LIMA and Capybara: who speaks is written in many ways."""
    return Record(parse.behind(parse.head_of(row), parse.turns_of(row, row.first(*CONVERSATIONS))))


def _gemini(row: Fields) -> Record:
    turns = parse.turns_of(row, "contents")
    name = row.first("systemInstruction", "system_instruction")
    instruction = row.take(name)
    if isinstance(instruction, Mapping):
        turn = Fields({"role": "system", **instruction}, f'"{name}"')
        turns = [parse.turn_of(turn), *turns]
    elif instruction is not None:
        raise BadRow(f'"{name}" should be an object with parts, but is {kind(instruction)}')
    return Record(tuple(turns))


def _text(row: Fields) -> Record:
    turns = transcript(row.text("text"))
    if not turns:
        raise BadRow(
            '"text" names no speakers (as "### Human: … ### Assistant: …" does), so what is asked '
            "cannot be told from what is answered"
        )
    return Record(turns)


def _tree(row: Fields) -> Record:
    """An OpenAssistant tree: the conversation of the best reply to each best reply."""
    node, turns, left = row.take("prompt"), [], 0
    while isinstance(node, Mapping):
        fields = Fields({k: v for k, v in node.items() if k in ("role", "text")}, '"prompt"')
        turns.append(parse.turn_of(fields))
        replies = [r for r in node.get("replies") or () if isinstance(r, Mapping)]
        left += max(len(replies) - 1, 0)
        node = min(replies, key=rank_of, default=None)
    if left:
        row.leave_out("replies that another one beat")
    return Record(tuple(turns))


# Two columns of text that name themselves as a question and its answer.
QUESTIONS = (
    ("question", "response"),
    ("question", "answer"),
    ("prompt", "response"),
    ("query", "response"),
    ("problem", "solution"),
    ("input", "output"),
)
CONVERSATIONS = ("conversations", "conversation", "dialog", "dialogue")
# The first schema of which all columns have a value wins, so the narrower ones stand first.
PROMPT_COMPLETION = Schema("prompt/completion", ("prompt", "completion"), _prompt_completion)
ALPACA = Schema("Alpaca", ("instruction", "output"), _instruction)
LIMA = Schema("LIMA", ("conversations",), _conversations)
SCHEMAS = (
    *(Schema("preference", columns, read_preference) for columns in PAIRED),
    Schema("UltraChat", ("prompt", "prompt_id", "messages"), _messages),
    Schema("OpenAssistant tree", ("message_tree_id", "prompt"), _tree),
    Schema("messages", ("messages",), _messages),
    Schema("OpenHermes", ("conversations", "system_prompt"), _conversations),
    Schema("OpenHermes", ("conversations", "custom_instruction"), _conversations),
    Schema("ShareGPT", ("conversations",), _conversations),
    *(Schema("Capybara", (name,), _conversations) for name in CONVERSATIONS[1:]),
    Schema("Gemini", ("contents",), _gemini),
    Schema("unpaired preference", ("prompt", "completion", "label"), _unpaired),
    PROMPT_COMPLETION,
    Schema("Flan", ("inputs", "targets"), _flan),
    Schema("Dolly", ("instruction", "context", "response"), _instruction),
    ALPACA,
    Schema("Alpaca", ("instruction", "response"), _instruction),
    Schema("OpenOrca", ("system_prompt", "question", "response"), _question_answer),
    *(Schema("/".join(pair), pair, _question_answer) for pair in QUESTIONS),
    Schema("text", ("text",), _text),
)
ACCEPTED = (
    "instruction/input/output (or response), prompt/completion, question/answer, messages, "
    "conversations, contents, inputs/targets, text with speakers, or chosen/rejected"
)


def detect(row: Row, label_is_verdict: bool = True) -> Schema | None:
    """The schema of a row, by the columns that have a value, or None when no known layout fits.

    Merged tables have every column in every row, and null in those of the other schemas. A row
    without a value where its schema needs one is known by its columns alone.
    """
    fields = Fields(row)
    full = next((s for s in SCHEMAS if all(name in fields for name in s.columns)), None)
    named_only = next((s for s in SCHEMAS if _fits(s, row)), None)
    schema = _narrower(full, named_only)
    if schema is not None and schema.name == "unpaired preference":
        verdict = label_is_verdict and is_verdict(row["label"])
        return schema if verdict else PROMPT_COMPLETION
    if schema is not None and schema.name == "ShareGPT":
        return LIMA if _is_lima(parsed(row["conversations"])) else schema
    return schema


def _narrower(full: Schema | None, named_only: Schema | None) -> Schema | None:
    # OpenHermes is known by columns that are null in most of its rows.
    if full is not None and named_only is not None and set(full.columns) < set(named_only.columns):
        return named_only if full.read is named_only.read else full
    return full or named_only


def _fits(schema: Schema, row: Row) -> bool:
    return all(name in row for name in schema.columns) and any(
        row[name] is not None for name in schema.columns
    )


def _is_lima(turns: Any) -> bool:
    return isinstance(turns, list) and bool(turns) and isinstance(turns[0], str)


# Of which names a row says where it is from, by what it is.
ORIGINS = {
    "UltraChat": ("prompt_id",),
    "Flan": ("_task_name", "task_name", "task"),
    "Dolly": ("category",),
    "ShareGPT": ("source", "id"),
}


def parse_row(row: Any, source: str = "", *, label_is_verdict: bool = True) -> ParsedRow:
    """One row of any known data set as a conversation that ends with the assistant.

    Args:
        source: where the row stands, for messages.
        label_is_verdict: whether a column "label" may mean good or bad, which one row alone does
            not show (`reading.parsed_rows` looks at many).

    Raises:
        BadRow: it says what is wrong but not where the row is.
    """
    if not isinstance(row, Mapping):
        raise BadRow(f"expected an object with named columns, but found {kind(row)}")
    schema = detect(row, label_is_verdict) or _nearest(row)
    if schema is None:
        raise BadRow(f"found the columns {named(row)}, but need {ACCEPTED}")
    fields = Fields(row)
    record = schema.read(fields)
    turns, repairs = parse.whole(record.turns)
    license_ = fields.optional_text("license") if isinstance(row.get("license"), str) else ""
    record = replace(
        record,
        turns=turns,
        source=source,
        license=license_,
        origin=_origin(fields, schema),
        tools=parse.tools_of(fields),
    )
    return ParsedRow(
        record, schema.name, tuple(dict.fromkeys([*fields.repairs, *repairs])), fields.unused
    )


def _origin(row: Fields, schema: Schema) -> str:
    for name in ORIGINS.get(schema.name, ("source", "id", "category", "prompt_id")):
        value = row.peek(name)
        if isinstance(value, str) and value:
            row.use(name)
            return value.encode(errors="replace").decode()
        if isinstance(value, int) and not isinstance(value, bool):
            row.use(name)
            return str(value)
    return ""


def _nearest(row: Row) -> Schema | None:
    # A row with half of a layout names the missing column better than "unknown columns" does.
    if "chosen" in row or "rejected" in row:
        return SCHEMAS[0]
    for first, schema in (("instruction", ALPACA), ("prompt", PROMPT_COMPLETION)):
        if first in row and len(row) <= 3:
            return schema
    return None
