"""Published data sets, each with its own columns, become one `Record`.

`parse_row(row)` looks at the columns, detects the schema and reads the row. It reports its repairs
(an assistant who speaks first, two consecutive turns of one speaker) and the columns that it does
not use, so that nothing changes or is lost unnoticed. `pair_schemas.py` reads preference pairs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ift_course.data.fields import Fields, describe_type, join_names, parse_json_text
from ift_course.data.message_rows import reply_rank
from ift_course.data.pair_schemas import PAIR_COLUMNS, read_preference
from ift_course.data.records import BadRow, Record, Turn, user_text
from ift_course.data.transcripts import parse_transcript
from ift_course.data.turns import (
    complete_conversation,
    leading_turns,
    parse_tools,
    parse_turn,
    parse_turns,
    prepend,
)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class ParsedRow:
    """A row that was read.

    Attributes:
        record: the conversation.
        schema: the name of the row's schema.
        repairs: what was changed to make a conversation of it.
        unused: the columns, and the keys inside them, whose value nothing has read.
    """

    record: Record
    schema: str
    repairs: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()


@dataclass(frozen=True)
class Schema:
    """A layout of rows.

    Attributes:
        name: the data set or format, as reports name it.
        columns: the columns that identify the layout.
        read: makes a record of such a row.
    """

    name: str
    columns: tuple[str, ...]
    read: Callable[[Fields], Record]


def _read_instruction(row: Fields) -> Record:
    question = user_text(row.text("instruction"), row.optional_text("input", "context"))
    turns = Turn("user", question), Turn("assistant", row.text("output", "response", "answer"))
    return Record((*leading_turns(row), *turns))


def _column_turns(row: Fields, name: str, role: str) -> list[Turn]:
    """The turns of a column, whose text is one turn of the given role."""
    value = row.peek(name)
    if isinstance(value, list) or (isinstance(value, str) and value.lstrip().startswith("[{")):
        return parse_turns(row, name)
    return [Turn(role, row.text(name))]


def _read_prompt_completion(row: Fields) -> Record:
    prompt = _column_turns(row, "prompt", "user")
    completion = _column_turns(row, "completion", "assistant")
    return Record((*prepend(leading_turns(row), prompt), *completion))


def _read_unpaired_preference(row: Fields) -> Record:
    if VERDICTS[_lowercase(row.take("label"))]:
        return _read_prompt_completion(row)
    raise BadRow('"label" marks this completion as bad, so the model should not learn it')


# How TRL's KTO layout and its copies write thumbs up and thumbs down.
VERDICTS = {True: True, False: False, "true": True, "false": False, "1": True, "0": False}


def _lowercase(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


def is_verdict(value: Any) -> bool:
    """Whether a label means good or bad, rather than, for example, a topic."""
    return isinstance(value, (bool, int, str)) and _lowercase(value) in VERDICTS


def _read_question_answer(row: Fields) -> Record:
    pairs = [names for names in QUESTION_ANSWER if all(map(row.has_column, names))]
    complete = [names for names in pairs if all(name in row for name in names)]
    question_name, answer_name = (complete or pairs)[0]
    question = user_text(row.text(question_name), row.optional_text("context"))
    answer = row.text(answer_name)
    return Record((*leading_turns(row), Turn("user", question), Turn("assistant", answer)))


def _read_flan(row: Fields) -> Record:
    return Record((Turn("user", row.text("inputs")), Turn("assistant", row.text("targets"))))


def _read_messages(row: Fields) -> Record:
    turns = parse_turns(row, "messages")
    first_question = next((turn.content for turn in turns if turn.role == "user"), None)
    if "prompt" in row and row.peek("prompt") == first_question:
        row.mark_used("prompt")  # UltraChat repeats the first question in a column of its own
    return Record(prepend(leading_turns(row), turns))


def _read_conversations(row: Fields) -> Record:
    """OpenHermes, ShareGPT, LIMA and Capybara, which name the speakers in many ways."""
    turns = parse_turns(row, row.first_present(*CONVERSATION_COLUMNS))
    return Record(prepend(leading_turns(row), turns))


def _read_gemini(row: Fields) -> Record:
    turns = parse_turns(row, "contents")
    name = row.first_present("systemInstruction", "system_instruction")
    instruction = row.take(name)
    if isinstance(instruction, Mapping):
        fields = Fields({"role": "system", **instruction}, f'"{name}"')
        turns = [parse_turn(fields), *turns]
    elif instruction is not None:
        raise BadRow(
            f'"{name}" should be an object with parts, but is {describe_type(instruction)}'
        )
    return Record(tuple(turns))


def _read_text(row: Fields) -> Record:
    turns = parse_transcript(row.text("text"))
    if not turns:
        raise BadRow(
            '"text" names no speakers (as "### Human: … ### Assistant: …" does), so the answer '
            "cannot be separated from the question"
        )
    return Record(turns)


def _read_tree(row: Fields) -> Record:
    """An OpenAssistant tree: the conversation of the best reply to each best reply."""
    node, turns, n_left_out = row.take("prompt"), [], 0
    while isinstance(node, Mapping):
        fields = Fields({k: v for k, v in node.items() if k in ("role", "text")}, '"prompt"')
        turns.append(parse_turn(fields))
        replies = [reply for reply in node.get("replies") or () if isinstance(reply, Mapping)]
        n_left_out += max(len(replies) - 1, 0)
        node = min(replies, key=reply_rank, default=None)
    if n_left_out:
        row.mark_unused("replies with a lower rank")
    return Record(tuple(turns))


# Pairs of text columns whose names say which is the question and which the answer.
QUESTION_ANSWER = (
    ("question", "response"),
    ("question", "answer"),
    ("prompt", "response"),
    ("query", "response"),
    ("problem", "solution"),
    ("input", "output"),
)
CONVERSATION_COLUMNS = ("conversations", "conversation", "dialog", "dialogue")
# The first schema whose columns all have a value wins, so the narrower ones come first.
PROMPT_COMPLETION = Schema("prompt/completion", ("prompt", "completion"), _read_prompt_completion)
ALPACA = Schema("Alpaca", ("instruction", "output"), _read_instruction)
LIMA = Schema("LIMA", ("conversations",), _read_conversations)
SCHEMAS = (
    *(Schema("preference", columns, read_preference) for columns in PAIR_COLUMNS),
    Schema("UltraChat", ("prompt", "prompt_id", "messages"), _read_messages),
    Schema("OpenAssistant tree", ("message_tree_id", "prompt"), _read_tree),
    Schema("messages", ("messages",), _read_messages),
    Schema("OpenHermes", ("conversations", "system_prompt"), _read_conversations),
    Schema("OpenHermes", ("conversations", "custom_instruction"), _read_conversations),
    Schema("ShareGPT", ("conversations",), _read_conversations),
    *(Schema("Capybara", (name,), _read_conversations) for name in CONVERSATION_COLUMNS[1:]),
    Schema("Gemini", ("contents",), _read_gemini),
    Schema("unpaired preference", ("prompt", "completion", "label"), _read_unpaired_preference),
    PROMPT_COMPLETION,
    Schema("Flan", ("inputs", "targets"), _read_flan),
    Schema("Dolly", ("instruction", "context", "response"), _read_instruction),
    ALPACA,
    Schema("Alpaca", ("instruction", "response"), _read_instruction),
    Schema("OpenOrca", ("system_prompt", "question", "response"), _read_question_answer),
    *(Schema("/".join(pair), pair, _read_question_answer) for pair in QUESTION_ANSWER),
    Schema("text", ("text",), _read_text),
)
ACCEPTED = (
    "instruction/input/output (or response), prompt/completion, question/answer, messages, "
    "conversations, contents, inputs/targets, text with speakers, or chosen/rejected"
)


def detect_schema(row: Row, label_is_verdict: bool = True) -> Schema | None:
    """The schema of a row by the columns that have a value, or None when no schema fits.

    Merged tables have every column in every row, and null in those of the other schemas. A row
    without a value where its schema needs one is recognized by its column names alone.

    Args:
        row: the row.
        label_is_verdict: whether a column "label" may mean good or bad.
    """
    fields = Fields(row)
    by_values = next((s for s in SCHEMAS if all(name in fields for name in s.columns)), None)
    by_names = next((s for s in SCHEMAS if _has_columns(s, row)), None)
    schema = _more_specific(by_values, by_names)
    if schema is not None and schema.name == "unpaired preference":
        return schema if label_is_verdict and is_verdict(row["label"]) else PROMPT_COMPLETION
    if schema is not None and schema.name == "ShareGPT":
        return LIMA if _is_lima(parse_json_text(row["conversations"])) else schema
    return schema


def _more_specific(by_values: Schema | None, by_names: Schema | None) -> Schema | None:
    # OpenHermes is recognized by columns that are null in most of its rows.
    if by_values and by_names and set(by_values.columns) < set(by_names.columns):
        return by_names if by_values.read is by_names.read else by_values
    return by_values or by_names


def _has_columns(schema: Schema, row: Row) -> bool:
    return all(name in row for name in schema.columns) and any(
        row[name] is not None for name in schema.columns
    )


def _is_lima(turns: Any) -> bool:
    return isinstance(turns, list) and bool(turns) and isinstance(turns[0], str)


# The columns that name a row's origin, by schema.
ORIGIN_COLUMNS = {
    "UltraChat": ("prompt_id",),
    "Flan": ("_task_name", "task_name", "task"),
    "Dolly": ("category",),
    "ShareGPT": ("source", "id"),
}
OTHER_ORIGIN_COLUMNS = ("source", "id", "category", "prompt_id")


def parse_row(row: Any, source: str = "", *, label_is_verdict: bool = True) -> ParsedRow:
    """Read one row of any known data set as a conversation that ends with the assistant.

    Args:
        row: the row, as a mapping of its columns.
        source: file and row, for messages.
        label_is_verdict: whether a column "label" may mean good or bad, which one row alone does
            not show (`reading.parsed_rows` looks at many).

    Raises:
        BadRow: the row cannot be read; the message does not name the file and the row.
    """
    if not isinstance(row, Mapping):
        raise BadRow(f"expected an object with named columns, but found {describe_type(row)}")
    schema = detect_schema(row, label_is_verdict) or _nearest_schema(row)
    if schema is None:
        raise BadRow(f"found the columns {join_names(row)}, but need {ACCEPTED}")
    fields = Fields(row)
    record = schema.read(fields)
    turns, repairs = complete_conversation(record.turns)
    license_ = fields.optional_text("license") if isinstance(row.get("license"), str) else ""
    record = replace(
        record,
        turns=turns,
        source=source,
        license=license_,
        origin=_origin(fields, schema),
        tools=parse_tools(fields),
    )
    all_repairs = tuple(dict.fromkeys([*fields.repairs, *repairs]))
    return ParsedRow(record, schema.name, all_repairs, fields.unused)


def _origin(row: Fields, schema: Schema) -> str:
    for name in ORIGIN_COLUMNS.get(schema.name, OTHER_ORIGIN_COLUMNS):
        value = row.peek(name)
        if isinstance(value, str) and value:
            row.mark_used(name)
            return value.encode(errors="replace").decode()
        if isinstance(value, int) and not isinstance(value, bool):
            row.mark_used(name)
            return str(value)
    return ""


def _nearest_schema(row: Row) -> Schema | None:
    # For a row with half of a layout, naming the missing column helps more than "unknown columns".
    if "chosen" in row or "rejected" in row:
        return SCHEMAS[0]
    for column, schema in (("instruction", ALPACA), ("prompt", PROMPT_COMPLETION)):
        if column in row and len(row) <= 3:
            return schema
    return None
