"""One parser for what somebody says, whatever a data set calls the speaker and the words.

Messages of OpenAI and TRL ({"role", "content"}), ShareGPT ({"from", "value"}), Gemini ({"role",
"parts"}) and Capybara ({"input", "output"}), strings in turn as LIMA has them, with tool calls,
reasoning and weights. `repair` then makes a conversation of them that every template accepts.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ift_course.data.fields import Fields, as_list, kind, parsed, quoted, without_nulls
from ift_course.data.records import ROLES, BadRow, Message, Turn

CALLER = "function_call"  # a speaker whose words are the call of a tool, written as JSON
SPEAKERS = {
    **{role: role for role in ROLES},
    **dict.fromkeys(("developer",), "system"),
    **dict.fromkeys(("human", "prompter"), "user"),
    **dict.fromkeys(
        ("gpt", "chatgpt", "gpt-4", "gpt4", "bing", "bard", "model", "bot", "ai"), "assistant"
    ),
    **dict.fromkeys(
        ("function", "function_response", "tool_response", "observation", "ipython"), "tool"
    ),
    **dict.fromkeys((CALLER, "tool_call"), CALLER),
}
WORDS = ("content", "value", "text", "parts")
REASONING = ("reasoning_content", "reasoning", "thinking")
WEIGHTS = ("weight", "train", "loss", "loss_mask")
TRAINED = {1: 1, 0: 0, "1": 1, "0": 0, "true": 1, "false": 0}  # True is 1, and 1.0 too

EMPTY_SYSTEM = "dropped an empty system turn"
ANSWER_FIRST = "dropped what the assistant said before anyone asked"
NO_ANSWER = "dropped a last question without an answer"
ONE_SPEAKER = "joined turns in a row by one speaker"
TOOL_RESULT = "wrote a tool's result as JSON text"
NO_LAST_ANSWER = "the last turn must be the assistant's, because that is what is learned"


def turns_of(row: Fields, name: str) -> list[Turn]:
    """The turns of a column: a list of messages, one message, or strings in turn.

    Raises:
        BadRow: it is no such list, or a turn of it has no known speaker or no words.
    """
    value = row.take(name) if name in row else row.peek(name)
    items = _rows_of(value) if isinstance(value, Mapping) else as_list(value, name)
    if all(isinstance(item, str) for item in items):
        if "conversation" not in name:
            raise BadRow(f'"{name}" is a list of strings, which does not say who speaks')
        roles = ("user", "assistant")
        items = [{"role": roles[n % 2], "content": text} for n, text in enumerate(items)]
    turns: list[Turn] = []
    for number, item in enumerate(items, 1):
        place = f'turn {number} of "{name}"'
        if isinstance(item, (list, tuple)) and len(item) == 2:
            item = dict(zip(("input", "output"), item, strict=True))
        if not isinstance(item, Mapping):
            raise BadRow(f"{place} should be an object with a speaker and words")
        fields = Fields(item, place)
        turns += _exchange(fields) if _is_exchange(fields) else [turn_of(fields)]
        row.repairs += fields.repairs
        for key in fields.unused:
            row.leave_out(f"{name}[].{key}")
    return turns


def _rows_of(value: Mapping[str, Any]) -> list:
    """One message as a list, or messages as a table stores them: a list for each key."""
    columns = list(value.values())
    if not columns or not all(isinstance(column, list) for column in columns):
        return [value]
    if len({len(column) for column in columns}) > 1:
        return [value]
    return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]


def _is_exchange(fields: Fields) -> bool:
    return "input" in fields and "output" in fields and "role" not in fields


def _exchange(fields: Fields) -> list[Turn]:
    return [Turn("user", fields.text("input")), Turn("assistant", fields.text("output"))]


def turn_of(fields: Fields) -> Turn:
    """One message. Raises BadRow for an unknown speaker, no words, or words that are no text."""
    role = _role(fields)
    calls = _tool_calls(fields)
    thought = _take_thought(fields)
    if role == CALLER:
        role, calls = "assistant", calls + _calls(parsed(fields.text(*WORDS)), fields)
        content = ""
    else:
        content = _content(fields, role, needed=not calls)
    weight = _weight(fields, role)
    return Turn(
        role,
        content,
        reasoning=_reasoning(fields, thought) if role == "assistant" else "",
        tool_calls=tuple(calls),
        tool_call_id=fields.optional_text("tool_call_id") if role == "tool" else "",
        name=fields.optional_text("name") if role == "tool" else "",
        weight=weight,
    )


def _role(fields: Fields) -> str:
    speaker = fields.take("role", "from", "speaker")
    role = SPEAKERS.get(speaker.strip().lower()) if isinstance(speaker, str) else None
    if role is None:
        known = ", ".join(ROLES)
        raise BadRow(
            f"{fields.place} is by {quoted(speaker)}, which is no speaker we know "
            f"({known}, human, gpt …)"
        )
    return role


def _content(fields: Fields, role: str, needed: bool) -> str:
    name = fields.first(*WORDS)
    value = fields.peek(name)
    if isinstance(value, list):
        fields.use(name)
        return _joined([part for part in value if not _is_thought(part)], fields, name)
    if role == "tool" and isinstance(value, Mapping):
        fields.use(name)
        fields.repairs.append(TOOL_RESULT)
        return json.dumps(without_nulls(value), ensure_ascii=False)
    if role == "system" or role == "tool" or not needed:
        return fields.optional_text(*WORDS) if role == "system" else _plain(fields, name)
    return fields.text(*WORDS)


def _is_thought(part: Any) -> bool:
    return isinstance(part, Mapping) and isinstance(part.get("thinking"), str)


def _take_thought(fields: Fields) -> str:
    """The reasoning in content of parts, as Anthropic writes it."""
    parts = fields.peek(fields.first(*WORDS))
    if not isinstance(parts, list):
        return ""
    return "\n\n".join(part["thinking"] for part in parts if _is_thought(part))


def _plain(fields: Fields, name: str) -> str:
    # A tool may answer "null" or nothing, and beside a call there may be no words.
    value = fields.take(name)
    if value is not None and not isinstance(value, str):
        raise fields.bad(f'"{name}" should be text, but is {kind(value)}')
    return value or ""


def _joined(parts: list, fields: Fields, name: str) -> str:
    """The text of content in parts, as OpenAI, Anthropic and Gemini write it."""
    texts = []
    for part in parts:
        text = part.get("text") if isinstance(part, Mapping) else None
        if not isinstance(text, str):
            what = part.get("type") or ", ".join(part) if isinstance(part, Mapping) else kind(part)
            raise fields.bad(f'"{name}" has a part that is no text ({what})')
        texts.append(text)
    whole = "".join(texts)
    if not whole.strip():
        raise fields.bad(f'"{name}" is empty')
    return whole


def _reasoning(fields: Fields, thought: str) -> str:
    """What the assistant thinks. thought: that of a part of its content."""
    thoughts = fields.optional_text(*REASONING) or thought
    for name in REASONING:
        if thoughts and fields.peek(name) == thoughts:
            fields.use(name)
    return thoughts


def _weight(fields: Fields, role: str) -> int:
    name = next((n for n in WEIGHTS if n in fields), None)
    if name is None:
        return 1
    value = fields.peek(name)
    plain = value.strip().lower() if isinstance(value, str) else value
    weight = TRAINED.get(plain) if isinstance(plain, (bool, int, float, str)) else None
    if weight is None:
        raise fields.bad(
            f'"{name}" is {quoted(value)}, but a turn is trained (1, true) or not (0, false)'
        )
    if role == "assistant":
        fields.use(name)
        return weight
    if not weight:  # never trained anyway
        fields.use(name)
    return 1


def _tool_calls(fields: Fields) -> list[Message]:
    for name in ("tool_calls", "function_call"):
        if name in fields:
            return _calls(parsed(fields.take(name)), fields)
    return []


def _calls(value: Any, fields: Fields) -> list[Message]:
    """Calls in one form, {"type", "function": {"name", "arguments": object}}."""
    calls = []
    for call in value if isinstance(value, list) else [value]:
        function = call.get("function", call) if isinstance(call, Mapping) else None
        name = function.get("name") if isinstance(function, Mapping) else None
        if not isinstance(name, str) or not name:
            raise fields.bad("a tool call has no name; it should be {name, arguments}")
        arguments = parsed(function.get("arguments"))
        if not isinstance(arguments, Mapping):
            arguments = {} if arguments in (None, "") else arguments
        entry = {"type": "function", "function": {"name": name, "arguments": arguments}}
        identity = call.get("id")
        calls.append(without_nulls(({"id": identity} if identity else {}) | entry))
    return calls


def tools_of(row: Fields) -> tuple[Message, ...]:
    """The functions that a conversation may call, from a list of JSON schemas or JSON text."""
    name = row.first("tools", "functions")
    value = parsed(row.take(name))
    if value is None:
        return ()
    tools = []
    for tool in value if isinstance(value, list) else [value]:
        if not isinstance(tool, Mapping):
            raise BadRow(f'"{name}" should be a list of JSON schemas, but holds {kind(tool)}')
        tools.append(without_nulls(tool if "function" in tool else
                                   {"type": "function", "function": tool}))  # fmt: skip
    return tuple(tools)


def head_of(row: Fields) -> tuple[Turn, ...]:
    """The system turn, and the earlier questions and answers, that stand in their own columns."""
    system = row.optional_text("system", "system_prompt")
    turns = [Turn("system", system)] if system else []
    history = parsed(row.take("history"))
    if history is not None and not isinstance(history, list):
        raise BadRow(f'"history" should be a list of exchanges, but is {kind(history)}')
    for number, exchange in enumerate(history or (), 1):
        place = f'exchange {number} of "history"'
        if not isinstance(exchange, (list, tuple)) or len(exchange) != 2:
            raise BadRow(f"{place} should be a question and its answer")
        pair = Fields(dict(zip(("question", "answer"), exchange, strict=True)), place)
        turns += [Turn("user", pair.text("question")), Turn("assistant", pair.text("answer"))]
    return tuple(turns)


def behind(head: Sequence[Turn], turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """The turns behind their head, with one system turn where both have the same.

    Raises:
        BadRow: the two system turns differ.
    """
    if head and turns and head[0].role == turns[0].role == "system":
        if turns[0].content.strip() not in ("", head[0].content.strip()):
            raise BadRow("the system turn says something else than the column with its name")
        turns = turns[1:]
    return (*head, *turns)


def repair(turns: Iterable[Turn]) -> tuple[tuple[Turn, ...], tuple[str, ...]]:
    """Make speakers alternate, the user begin and the assistant end; say what was changed.

    Raises:
        BadRow: two answers in a row cannot be joined, because only one of them is to be learned.
    """
    repaired: list[Turn] = []
    repairs = []
    for turn in turns:
        if turn.role == "system" and not turn.content.strip():
            repairs.append(EMPTY_SYSTEM)
        elif turn.role in ("assistant", "tool") and not any(t.role == "user" for t in repaired):
            repairs.append(ANSWER_FIRST)
        elif repaired and _joinable(repaired[-1], turn):
            repaired[-1] = _join(repaired[-1], turn)
            repairs.append(ONE_SPEAKER)
        else:
            repaired.append(turn)
    if any(t.role == "assistant" for t in repaired):
        while repaired[-1].role != "assistant":
            repaired.pop()
            repairs.append(NO_ANSWER)
    return tuple(repaired), tuple(dict.fromkeys(repairs))


def _joinable(first: Turn, second: Turn) -> bool:
    # Several calls of tools are answered by several turns in a row.
    return first.role == second.role != "tool" and not first.tool_calls


def _join(first: Turn, second: Turn) -> Turn:
    if first.weight != second.weight:
        raise BadRow("of two answers in a row only one is to be learned (weight 0); join them")
    return Turn(
        first.role,
        f"{first.content}\n\n{second.content}" if second.content else first.content,
        reasoning="\n\n".join(t.reasoning for t in (first, second) if t.reasoning),
        tool_calls=second.tool_calls,
        weight=first.weight,
    )


def whole(turns: Iterable[Turn]) -> tuple[tuple[Turn, ...], tuple[str, ...]]:
    """The turns repaired. Raises BadRow when no question is answered, or nothing is to be learned.

    Every layout ends here, so that what holds for one holds for all.
    """
    repaired, repairs = repair(turns)
    if not repaired or repaired[-1].role != "assistant":
        raise BadRow(NO_LAST_ANSWER)
    if not any(turn.weight for turn in repaired if turn.role == "assistant"):
        raise BadRow("every answer has weight 0, so there is nothing to learn")
    return repaired, repairs
