"""Layouts that people bring, and what stands in a row beside the words: used, or named."""

from __future__ import annotations

import json

import pytest

from ift_course.data.records import BadRow, Unpreferred
from ift_course.data.schemas import parse_row
from ift_course.data.turns import EMPTY_SYSTEM

QUESTION, ANSWER = "Which river flows through Vienna?", "The Danube."
CHAT = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER}]
WRONG = {"role": "assistant", "content": "The Rhine."}
SYSTEM = {"role": "system", "content": "Answer briefly."}


def text_row(*turns: str) -> dict:
    return {"text": "".join(turns)}


SAME_CHAT = {
    "OpenOrca": {"id": "flan.1", "system_prompt": "", "question": QUESTION, "response": ANSWER},
    "question/response": {"question": QUESTION, "response": ANSWER},
    "question/answer": {"question": QUESTION, "answer": ANSWER},
    "prompt/response": {"prompt": QUESTION, "response": ANSWER},
    "problem/solution": {"problem": QUESTION, "solution": ANSWER},
    "input/output": {"input": QUESTION, "output": ANSWER},
    "text": text_row("### Human: ", QUESTION, "### Assistant: ", ANSWER),
    "Capybara": {"source": "Know-Logic", "conversation": [{"input": QUESTION, "output": ANSWER}]},
    "Gemini": {"contents": [{"role": "user", "parts": [{"text": QUESTION}]},
                            {"role": "model", "parts": [{"text": ANSWER}]}]},
    "OpenAssistant tree": {
        "message_tree_id": "t", "tree_state": "ready",
        "prompt": {"role": "prompter", "text": QUESTION, "replies": [
            {"role": "assistant", "text": "No idea.", "rank": 1},
            {"role": "assistant", "text": ANSWER, "rank": 0, "replies": []}]}},
}  # fmt: skip


@pytest.mark.parametrize("name", SAME_CHAT)
def test_a_layout_is_known_and_read(name):
    result = parse_row(SAME_CHAT[name])
    assert result.schema == name
    assert result.record.messages == CHAT


@pytest.mark.parametrize(
    "row",
    [
        text_row("\n\nHuman: ", QUESTION, "\n\nAssistant: ", ANSWER),
        text_row("### Instruction:\n", QUESTION, "\n\n### Response:\n", ANSWER),
        text_row("<|im_start|>user\n", QUESTION, "<|im_end|>\n<|im_start|>assistant\n", ANSWER,
                 "<|im_end|>\n"),
        {"messages": [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}, CHAT[1]]},
        {"messages": [{"role": "Human", "content": QUESTION}, {"role": "ai", "content": ANSWER}]},
        {"messages": json.dumps(CHAT), "conversations": None},
        {"dialogue": CHAT},
        {"messages": {"role": ["user", "assistant"], "content": [QUESTION, ANSWER]}},
        {"conversations": [[QUESTION, ANSWER]]},
    ],
)  # fmt: skip
def test_one_parser_reads_every_way_of_writing_a_turn(row):
    assert parse_row(row).record.messages == CHAT


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"text": "Vienna lies on the Danube."}, "names no speakers"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "not text"),
        ({"messages": [QUESTION, ANSWER]}, "does not name the speakers"),
        ({"instruction": QUESTION, "output": "nan"}, "stands for a missing value"),
        ({"instruction": QUESTION, "output": ANSWER, "history": [["only one"]]}, "exchange 1"),
        ({"instruction": QUESTION, "output": ANSWER, "history": "none yet"}, "list of exchanges"),
        (
            {"system": "Be long.", "messages": [SYSTEM, *CHAT]},
            "differs from the text of the system column",
        ),
        ({"messages": [CHAT[0], {**CHAT[1], "weight": 0}]}, "nothing to learn"),
        ({"messages": [CHAT[0], {**CHAT[1], "weight": 0.5}]}, "either trained"),
        (
            {"messages": [CHAT[0], {"role": "assistant", "tool_calls": [{"id": "1"}]}]},
            "no name",
        ),
    ],
)
def test_what_cannot_be_read_is_refused(row, why):
    with pytest.raises(BadRow, match=why):
        parse_row(row)


def test_a_system_column_and_a_history_come_first_in_every_layout():
    head = {"system": SYSTEM["content"], "history": [["Is Vienna in Austria?", "Yes."]]}
    earlier = [SYSTEM, {"role": "user", "content": "Is Vienna in Austria?"},
               {"role": "assistant", "content": "Yes."}]  # fmt: skip
    for row in (
        {"instruction": QUESTION, "output": ANSWER},
        {"prompt": QUESTION, "completion": ANSWER},
        {"question": QUESTION, "answer": ANSWER},
        {"messages": CHAT},
        {"conversations": CHAT},
        {"prompt": QUESTION, "chosen": ANSWER, "rejected": WRONG["content"]},
        {"instruction": QUESTION, "chosen": ANSWER, "rejected": WRONG["content"]},
    ):
        result = parse_row(row | head)
        assert result.record.messages == [*earlier, *CHAT]
        assert result.unused == ()


def test_an_empty_system_turn_is_no_turn_in_any_layout():
    for empty in ("", " \n", None):
        turn = {"role": "system", "content": empty}
        result = parse_row({"messages": [turn, *CHAT]})
        assert result.record.messages == CHAT
        assert result.repairs == (EMPTY_SYSTEM,)
        pair = {"chosen": [turn, *CHAT], "rejected": [turn, CHAT[0], WRONG]}
        assert parse_row(pair).record.messages == CHAT


@pytest.mark.parametrize("column", ["messages", "conversations", "prompt"])
def test_the_same_repairs_are_made_and_said_in_every_layout(column):
    broken = [{"role": "assistant", "content": "Welcome!"}, CHAT[0],
              {"role": "user", "content": "Quick!"}, *CHAT[1:]]  # fmt: skip
    row = {column: broken}
    if column == "prompt":
        row = {"prompt": broken[:-1], "completion": broken[-1:]}
    result = parse_row(row)
    assert [turn.role for turn in result.record.turns] == ["user", "assistant"]
    assert len(result.repairs) == 2


def test_reasoning_tools_and_weights_are_carried():
    call = {"name": "depth", "arguments": '{"river": "Danube"}'}
    row = {
        "tools": json.dumps([{"name": "depth", "parameters": {}}]),
        "messages": [
            CHAT[0],
            {"role": "assistant", "content": "The Rhine?", "train": False},
            {"role": "user", "content": "How deep is it?"},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "c1", "function": call}]},
            {"role": "tool", "name": "depth", "tool_call_id": "c1", "content": {"m": 8}},
            {"role": "assistant", "content": "8 m.", "thinking": "The tool says 8."},
        ],
    }
    record = parse_row(row).record
    assert record.tools == ({"type": "function", "function": {"name": "depth", "parameters": {}}},)
    first, called, result, last = (record.turns[i] for i in (1, 3, 4, 5))
    assert first.weight == 0 and first.message["weight"] == 0
    assert called.tool_calls[0]["function"]["arguments"] == {"river": "Danube"}
    assert (result.role, result.content, result.tool_call_id) == ("tool", '{"m": 8}', "c1")
    assert last.message["reasoning_content"] == "The tool says 8."
    again = parse_row({"messages": record.messages, "tools": list(record.tools)}).record
    assert (again.turns, again.tools) == (record.turns, record.tools)


def test_thoughts_in_parts_of_the_content_are_reasoning():
    parts = [{"type": "thinking", "thinking": "A capital."}, {"type": "text", "text": ANSWER}]
    turn = parse_row({"messages": [CHAT[0], {"role": "assistant", "content": parts}]}).record.turns[
        1
    ]
    assert (turn.content, turn.reasoning) == (ANSWER, "A capital.")


def test_shared_function_calls_become_tool_calls():
    talk = [
        {"from": "human", "value": QUESTION},
        {"from": "function_call", "value": '{"name": "look_up", "arguments": {"x": 1}}'},
        {"from": "observation", "value": "Danube"},
        {"from": "gpt", "value": ANSWER},
    ]
    turns = parse_row({"conversations": talk}).record.turns
    assert [turn.role for turn in turns] == ["user", "assistant", "tool", "assistant"]
    assert turns[1].tool_calls[0]["function"] == {"name": "look_up", "arguments": {"x": 1}}


@pytest.mark.parametrize(
    ("row", "unused"),
    [
        ({"instruction": QUESTION, "output": ANSWER, "topic": "rivers", "votes": 0},
         ("topic", "votes")),
        ({"instruction": QUESTION, "output": ANSWER, "response": "Danube"}, ("response",)),
        ({"messages": [CHAT[0], {**CHAT[1], "model": "x"}], "lang": "en"},
         ("lang", "messages[].model")),
        ({"messages": [{**CHAT[0], "weight": 1}, CHAT[1]]}, ("messages[].weight",)),
        ({"prompt": QUESTION, "completion": ANSWER, "label": "rivers"}, ("label",)),
        ({"prompt": "Something else", "messages": CHAT}, ("prompt",)),
        ({"prompt": QUESTION, "answers": [
            {"answer": ANSWER, "rank": 1}, {"answer": "Hm.", "rank": 2},
            {"answer": "No.", "rank": 3}]}, ("answers between the best and the worst",)),
    ],
)  # fmt: skip
def test_whatever_has_a_value_and_is_not_used_is_named(row, unused):
    assert parse_row(row).unused == unused


def test_a_column_without_a_value_is_not_reported():
    row = {
        "instruction": QUESTION,
        "input": "nan",
        "output": ANSWER,
        "tools": [],
        "tags": None,
        "x": "",
    }
    result = parse_row(row)
    assert (result.record.messages, result.unused) == (CHAT, ())
    assert result.repairs == ('read "nan" in "input" as missing',)


def with_prompt(turns: list) -> dict:
    return {"chosen": [*turns, *CHAT], "rejected": [*turns, CHAT[0], WRONG]}


PAIRS = {
    "Orca of H4": {"prompt": QUESTION, **with_prompt([SYSTEM])},
    "prompt as messages": {"prompt": [SYSTEM, CHAT[0]], **with_prompt([SYSTEM])},
    "system as a column": {"system": SYSTEM["content"], "prompt": QUESTION, **with_prompt([])},
    "prompt before both": {"prompt": [SYSTEM, CHAT[0]], "chosen": [CHAT[1]], "rejected": [WRONG]},
    "Intel": {"system": SYSTEM["content"], "question": QUESTION, "chosen": ANSWER,
              "rejected": WRONG["content"]},
    "ms-swift": {"messages": [SYSTEM, *CHAT], "rejected_response": WRONG["content"]},
    "stack exchange": {"system": SYSTEM["content"], "question": QUESTION, "response_j": ANSWER,
                       "response_k": WRONG["content"]},
    "PKU": {"system": SYSTEM["content"], "prompt": QUESTION, "response_0": WRONG["content"],
            "response_1": ANSWER, "better_response_id": 1},
    "LlamaFactory": {"conversations": [{"from": "system", "value": SYSTEM["content"]},
                                       {"from": "human", "value": QUESTION}],
                     "chosen": {"from": "gpt", "value": ANSWER},
                     "rejected": {"from": "gpt", "value": WRONG["content"]}},
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_the_prompt_of_a_pair_stands_there_once_with_its_system_turn_first(name):
    result = parse_row(PAIRS[name])
    assert result.record.messages == [SYSTEM, *CHAT]
    assert [turn.message for turn in result.record.rejected] == [WRONG]
    assert result.unused == ()


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"prompt": "Which sea?", **with_prompt([])}, "differs from the beginning"),
        (
            {"prompt": QUESTION, "chosen": f"{QUESTION} {ANSWER}", "rejected": f"{QUESTION} No."},
            "trained twice",
        ),
        (
            {"system": "Be long.", "prompt": QUESTION, **with_prompt([SYSTEM])},
            "different system turns",
        ),
        (
            {
                "prompt": [CHAT[0], CHAT[1]],
                "chosen": [CHAT[1]],
                "rejected": [WRONG],
            },
            "end with the",
        ),
        ({"prompt": QUESTION, "answers": [{"answer": ANSWER, "rank": 1}]}, "two or more"),
    ],
)
def test_a_pair_that_can_be_read_in_two_ways_is_refused(row, why):
    with pytest.raises(BadRow, match=why):
        parse_row(row)


@pytest.mark.parametrize("rejected", [ANSWER, "", " \n"])
def test_a_pair_without_a_preference_has_its_own_error(rejected):
    with pytest.raises(Unpreferred):
        parse_row({"prompt": QUESTION, "chosen": ANSWER, "rejected": rejected})
