"""One parser for a turn, whatever a data set calls the speaker and the words.

It reads messages of OpenAI and TRL ({"role", "content"}), ShareGPT ({"from", "value"}), Gemini
({"role", "parts"}) and Capybara ({"input", "output"}), and alternating strings as in LIMA, with
tool calls, reasoning and weights. `repair_turns` then makes a conversation that every chat template
accepts.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ift_course.data.fields import (
    Fields,
    describe_type,
    parse_json_text,
    parse_list,
    quoted,
    without_nulls,
)
from ift_course.data.records import ROLES, BadRow, Message, Turn

TOOL_CALLER = "function_call"  # a speaker whose words are a tool call, written as JSON
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
    **dict.fromkeys((TOOL_CALLER, "tool_call"), TOOL_CALLER),
}
CONTENT_KEYS = ("content", "value", "text", "parts")
REASONING_KEYS = ("reasoning_content", "reasoning", "thinking")
WEIGHT_KEYS = ("weight", "train", "loss", "loss_mask")
WEIGHTS = {1: 1, 0: 0, "1": 1, "0": 0, "true": 1, "false": 0}  # True equals 1, and so does 1.0

EMPTY_SYSTEM = "dropped an empty system turn"
ANSWER_FIRST = "dropped the assistant's words before the first question"
NO_ANSWER = "dropped a last question without an answer"
ONE_SPEAKER = "joined consecutive turns of one speaker"
TOOL_RESULT = "wrote a tool's result as JSON text"
NO_LAST_ANSWER = "the last turn must be the assistant's, because the model learns the answers"


def parse_turns(row: Fields, name: str) -> list[Turn]:
    """The turns of a column: a list of messages, one message, or alternating strings.

    Args:
        row: the row.
        name: the column.

    Raises:
        BadRow: the column does not hold turns, or one of them has no known speaker or no words.
    """
    value = row.take(name) if name in row else row.peek(name)
    items: list[Any]
    items = _message_list(value) if isinstance(value, Mapping) else parse_list(value, name)
    if all(isinstance(item, str) for item in items):
        if "conversation" not in name:
            raise BadRow(f'"{name}" is a list of strings, which does not name the speakers')
        roles = ("user", "assistant")
        items = [{"role": roles[n % 2], "content": text} for n, text in enumerate(items)]
    turns: list[Turn] = []
    for number, item in enumerate(items, 1):
        place = f'turn {number} of "{name}"'
        if isinstance(item, (list, tuple)) and len(item) == 2:
            item = {"input": item[0], "output": item[1]}
        if not isinstance(item, Mapping):
            raise BadRow(f"{place} should be an object with a speaker and words")
        fields = Fields(item, place)
        turns += _parse_exchange(fields) if _is_exchange(fields) else [parse_turn(fields)]
        row.repairs += fields.repairs
        for key in fields.unused:
            row.mark_unused(f"{name}[].{key}")
    return turns


def _message_list(value: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """One message as a list, or the messages that a table stores as one list for each key."""
    columns = list(value.values())
    if not columns or not all(isinstance(column, list) for column in columns):
        return [value]
    if len({len(column) for column in columns}) > 1:
        return [value]
    return [dict(zip(value, row, strict=True)) for row in zip(*columns, strict=True)]


def _is_exchange(fields: Fields) -> bool:
    return "input" in fields and "output" in fields and "role" not in fields


def _parse_exchange(fields: Fields) -> list[Turn]:
    return [Turn("user", fields.text("input")), Turn("assistant", fields.text("output"))]


def parse_turn(fields: Fields) -> Turn:
    """One message as a turn.

    Raises:
        BadRow: the speaker is unknown, there are no words, or the words are not text.
    """
    role = _parse_role(fields)
    calls = _parse_tool_calls(fields)
    thoughts = _thoughts_in_content(fields)
    if role == TOOL_CALLER:
        role = "assistant"
        calls = calls + _normalize_calls(parse_json_text(fields.text(*CONTENT_KEYS)), fields)
        content = ""
    else:
        content = _parse_content(fields, role, needed=not calls)
    weight = _parse_weight(fields, role)
    return Turn(
        role,
        content,
        reasoning=_parse_reasoning(fields, thoughts) if role == "assistant" else "",
        tool_calls=tuple(calls),
        tool_call_id=fields.optional_text("tool_call_id") if role == "tool" else "",
        name=fields.optional_text("name") if role == "tool" else "",
        weight=weight,
    )


def _parse_role(fields: Fields) -> str:
    speaker = fields.take("role", "from", "speaker")
    role = SPEAKERS.get(speaker.strip().lower()) if isinstance(speaker, str) else None
    if role is None:
        raise BadRow(
            f"{fields.place} has the unknown speaker {quoted(speaker)} "
            f"(known are {', '.join(ROLES)}, human, gpt …)"
        )
    return role


def _parse_content(fields: Fields, role: str, needed: bool) -> str:
    name = fields.first_present(*CONTENT_KEYS)
    value = fields.peek(name)
    if isinstance(value, list):
        fields.mark_used(name)
        return _join_parts([part for part in value if not _is_thought(part)], fields, name)
    if role == "tool" and isinstance(value, Mapping):
        fields.mark_used(name)
        fields.repairs.append(TOOL_RESULT)
        return json.dumps(without_nulls(value), ensure_ascii=False)
    if role == "system":
        return fields.optional_text(*CONTENT_KEYS)
    if role == "tool" or not needed:
        return _optional_content(fields, name)
    return fields.text(*CONTENT_KEYS)


def _is_thought(part: Any) -> bool:
    return isinstance(part, Mapping) and isinstance(part.get("thinking"), str)


def _thoughts_in_content(fields: Fields) -> str:
    """The reasoning among the parts of a message's content, as Anthropic writes it."""
    parts = fields.peek(fields.first_present(*CONTENT_KEYS))
    if not isinstance(parts, list):
        return ""
    return "\n\n".join(part["thinking"] for part in parts if _is_thought(part))


def _optional_content(fields: Fields, name: str) -> str:
    # A tool may answer "null" or nothing, and a message with a tool call may have no words.
    value = fields.take(name)
    if value is not None and not isinstance(value, str):
        raise fields.error(f'"{name}" should be text, but is {describe_type(value)}')
    return value or ""


def _join_parts(parts: list[Any], fields: Fields, name: str) -> str:
    """The text of content in parts, as OpenAI, Anthropic and Gemini write it."""
    texts = []
    for part in parts:
        text = part.get("text") if isinstance(part, Mapping) else None
        if not isinstance(text, str):
            if isinstance(part, Mapping):
                kind = part.get("type") or ", ".join(part)
            else:
                kind = describe_type(part)
            raise fields.error(f'"{name}" has a part that is not text ({kind})')
        texts.append(text)
    content = "".join(texts)
    if not content.strip():
        raise fields.error(f'"{name}" is empty')
    return content


def _parse_reasoning(fields: Fields, thoughts: str) -> str:
    """The reasoning in a column of its own, or else the `thoughts` among the content's parts."""
    reasoning = fields.optional_text(*REASONING_KEYS) or thoughts
    for name in REASONING_KEYS:
        if reasoning and fields.peek(name) == reasoning:
            fields.mark_used(name)
    return reasoning


def _parse_weight(fields: Fields, role: str) -> int:
    name = next((n for n in WEIGHT_KEYS if n in fields), None)
    if name is None:
        return 1
    value = fields.peek(name)
    key = value.strip().lower() if isinstance(value, str) else value
    weight = WEIGHTS.get(key) if isinstance(key, (bool, int, float, str)) else None
    if weight is None:
        raise fields.error(
            f'"{name}" is {quoted(value)}, but a turn is either trained (1, true) or not (0, false)'
        )
    if role == "assistant":
        fields.mark_used(name)
        return weight
    if not weight:  # the turn is never trained anyway
        fields.mark_used(name)
    return 1


def _parse_tool_calls(fields: Fields) -> list[Message]:
    for name in ("tool_calls", "function_call"):
        if name in fields:
            return _normalize_calls(parse_json_text(fields.take(name)), fields)
    return []


def _normalize_calls(value: Any, fields: Fields) -> list[Message]:
    """Tool calls in one form, {"type", "function": {"name", "arguments": object}}."""
    calls = []
    for call in value if isinstance(value, list) else [value]:
        function = call.get("function", call) if isinstance(call, Mapping) else None
        name = function.get("name") if isinstance(function, Mapping) else None
        if not isinstance(function, Mapping) or not isinstance(name, str) or not name:
            raise fields.error("a tool call has no name; it should be {name, arguments}")
        arguments = parse_json_text(function.get("arguments"))
        if not isinstance(arguments, Mapping):
            arguments = {} if arguments in (None, "") else arguments
        entry = {"type": "function", "function": {"name": name, "arguments": arguments}}
        call_id = call.get("id")
        calls.append(without_nulls(({"id": call_id} if call_id else {}) | entry))
    return calls


def parse_tools(row: Fields) -> tuple[Message, ...]:
    """The functions that a conversation may call, from a list of JSON schemas or JSON text."""
    name = row.first_present("tools", "functions")
    value = parse_json_text(row.take(name))
    if value is None:
        return ()
    tools = []
    for tool in value if isinstance(value, list) else [value]:
        if not isinstance(tool, Mapping):
            raise BadRow(
                f'"{name}" should be a list of JSON schemas, but holds {describe_type(tool)}'
            )
        is_wrapped = "function" in tool
        tools.append(without_nulls(tool if is_wrapped else {"type": "function", "function": tool}))
    return tuple(tools)


def leading_turns(row: Fields) -> tuple[Turn, ...]:
    """The system turn and the earlier exchanges that have columns of their own."""
    system = row.optional_text("system", "system_prompt")
    turns = [Turn("system", system)] if system else []
    history = parse_json_text(row.take("history"))
    if history is not None and not isinstance(history, list):
        raise BadRow(f'"history" should be a list of exchanges, but is {describe_type(history)}')
    for number, exchange in enumerate(history or (), 1):
        place = f'exchange {number} of "history"'
        if not isinstance(exchange, (list, tuple)) or len(exchange) != 2:
            raise BadRow(f"{place} should be a question and its answer")
        pair = Fields(dict(zip(("question", "answer"), exchange, strict=True)), place)
        turns += [Turn("user", pair.text("question")), Turn("assistant", pair.text("answer"))]
    return tuple(turns)


def prepend(head: Sequence[Turn], turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Both sequences, one after the other, with one system turn where both have the same.

    Raises:
        BadRow: the two system turns differ.
    """
    if head and turns and head[0].role == turns[0].role == "system":
        if turns[0].content.strip() not in ("", head[0].content.strip()):
            raise BadRow("the system turn differs from the text of the system column")
        turns = turns[1:]
    return (*head, *turns)


def repair_turns(turns: Iterable[Turn]) -> tuple[tuple[Turn, ...], tuple[str, ...]]:
    """Make speakers alternate, the user begin and the assistant end.

    Args:
        turns: the conversation as it was read.

    Returns:
        The repaired turns, and a description of each kind of repair.

    Raises:
        BadRow: two consecutive answers cannot be joined, because only one of them is trained.
    """
    repaired: list[Turn] = []
    repairs = []
    for turn in turns:
        if turn.role == "system" and not turn.content.strip():
            repairs.append(EMPTY_SYSTEM)
        elif turn.role in ("assistant", "tool") and not any(t.role == "user" for t in repaired):
            repairs.append(ANSWER_FIRST)
        elif repaired and _can_join(repaired[-1], turn):
            repaired[-1] = _join_turns(repaired[-1], turn)
            repairs.append(ONE_SPEAKER)
        else:
            repaired.append(turn)
    if any(t.role == "assistant" for t in repaired):
        while repaired[-1].role != "assistant":
            repaired.pop()
            repairs.append(NO_ANSWER)
    return tuple(repaired), tuple(dict.fromkeys(repairs))


def _can_join(first: Turn, second: Turn) -> bool:
    # Several tool calls are answered by several consecutive turns.
    return first.role == second.role != "tool" and not first.tool_calls


def _join_turns(first: Turn, second: Turn) -> Turn:
    if first.weight != second.weight:
        raise BadRow("only one of two consecutive answers is trained (weight 0); join them")
    return Turn(
        first.role,
        f"{first.content}\n\n{second.content}" if second.content else first.content,
        reasoning="\n\n".join(t.reasoning for t in (first, second) if t.reasoning),
        tool_calls=second.tool_calls,
        weight=first.weight,
    )


def complete_conversation(turns: Iterable[Turn]) -> tuple[tuple[Turn, ...], tuple[str, ...]]:
    """The repaired turns of a conversation that can be trained, and the repairs.

    Every layout ends here, so that the same rules apply to all of them.

    Raises:
        BadRow: no question is answered, or no answer is trained.
    """
    repaired, repairs = repair_turns(turns)
    if not repaired or repaired[-1].role != "assistant":
        raise BadRow(NO_LAST_ANSWER)
    if not any(turn.weight for turn in repaired if turn.role == "assistant"):
        raise BadRow("every answer has weight 0, so there is nothing to learn")
    return repaired, repairs
