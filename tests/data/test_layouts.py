"""Layouts that people bring, and what stands in a row beside the words: used, or named."""

import json

import pytest

from ift_course.data.records import BadRow, Unpreferred
from ift_course.data.schemas import parse_row
from ift_course.data.turns import EMPTY_SYSTEM

ASK, ANSWER = "Which river flows through Vienna?", "The Danube."
TALK = [{"role": "user", "content": ASK}, {"role": "assistant", "content": ANSWER}]
WRONG = {"role": "assistant", "content": "The Rhine."}
SYSTEM = {"role": "system", "content": "Answer briefly."}


def text_row(*turns: str) -> dict:
    return {"text": "".join(turns)}


SAME_TALK = {
    "OpenOrca": {"id": "flan.1", "system_prompt": "", "question": ASK, "response": ANSWER},
    "question/response": {"question": ASK, "response": ANSWER},
    "question/answer": {"question": ASK, "answer": ANSWER},
    "prompt/response": {"prompt": ASK, "response": ANSWER},
    "problem/solution": {"problem": ASK, "solution": ANSWER},
    "input/output": {"input": ASK, "output": ANSWER},
    "text": text_row("### Human: ", ASK, "### Assistant: ", ANSWER),
    "Capybara": {"source": "Know-Logic", "conversation": [{"input": ASK, "output": ANSWER}]},
    "Gemini": {"contents": [{"role": "user", "parts": [{"text": ASK}]},
                            {"role": "model", "parts": [{"text": ANSWER}]}]},
    "OpenAssistant tree": {
        "message_tree_id": "t", "tree_state": "ready",
        "prompt": {"role": "prompter", "text": ASK, "replies": [
            {"role": "assistant", "text": "No idea.", "rank": 1},
            {"role": "assistant", "text": ANSWER, "rank": 0, "replies": []}]}},
}  # fmt: skip


@pytest.mark.parametrize("name", SAME_TALK)
def test_a_layout_is_known_and_read(name):
    result = parse_row(SAME_TALK[name])
    assert result.schema == name
    assert result.record.messages == TALK


@pytest.mark.parametrize(
    "row",
    [
        text_row("\n\nHuman: ", ASK, "\n\nAssistant: ", ANSWER),
        text_row("### Instruction:\n", ASK, "\n\n### Response:\n", ANSWER),
        text_row("<|im_start|>user\n", ASK, "<|im_end|>\n<|im_start|>assistant\n", ANSWER,
                 "<|im_end|>\n"),
        {"messages": [{"role": "user", "content": [{"type": "text", "text": ASK}]}, TALK[1]]},
        {"messages": [{"role": "Human", "content": ASK}, {"role": "ai", "content": ANSWER}]},
        {"messages": json.dumps(TALK), "conversations": None},
        {"dialogue": TALK},
        {"messages": {"role": ["user", "assistant"], "content": [ASK, ANSWER]}},
        {"conversations": [[ASK, ANSWER]]},
    ],
)  # fmt: skip
def test_one_parser_reads_every_way_of_writing_a_turn(row):
    assert parse_row(row).record.messages == TALK


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"text": "Vienna lies on the Danube."}, "names no speakers"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, "no text"),
        ({"messages": [ASK, ANSWER]}, "does not say who speaks"),
        ({"instruction": ASK, "output": "nan"}, "a program means nothing"),
        ({"instruction": ASK, "output": ANSWER, "history": [["only one"]]}, "exchange 1"),
        ({"instruction": ASK, "output": ANSWER, "history": "none yet"}, "list of exchanges"),
        ({"system": "Be long.", "messages": [SYSTEM, *TALK]}, "something else than the column"),
        ({"messages": [TALK[0], {**TALK[1], "weight": 0}]}, "nothing to learn"),
        ({"messages": [TALK[0], {**TALK[1], "weight": 0.5}]}, "is trained"),
        ({"messages": [TALK[0], {"role": "assistant", "tool_calls": [{"id": "1"}]}]}, "no name"),
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
        {"instruction": ASK, "output": ANSWER},
        {"prompt": ASK, "completion": ANSWER},
        {"question": ASK, "answer": ANSWER},
        {"messages": TALK},
        {"conversations": TALK},
        {"prompt": ASK, "chosen": ANSWER, "rejected": WRONG["content"]},
        {"instruction": ASK, "chosen": ANSWER, "rejected": WRONG["content"]},
    ):
        result = parse_row(row | head)
        assert result.record.messages == [*earlier, *TALK]
        assert result.unused == ()


def test_an_empty_system_turn_is_no_turn_in_any_layout():
    for empty in ("", " \n", None):
        turn = {"role": "system", "content": empty}
        result = parse_row({"messages": [turn, *TALK]})
        assert result.record.messages == TALK
        assert result.repairs == (EMPTY_SYSTEM,)
        pair = {"chosen": [turn, *TALK], "rejected": [turn, TALK[0], WRONG]}
        assert parse_row(pair).record.messages == TALK


@pytest.mark.parametrize("column", ["messages", "conversations", "prompt"])
def test_the_same_repairs_are_made_and_said_in_every_layout(column):
    broken = [{"role": "assistant", "content": "Welcome!"}, TALK[0],
              {"role": "user", "content": "Quick!"}, *TALK[1:]]  # fmt: skip
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
            TALK[0],
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
    turn = parse_row({"messages": [TALK[0], {"role": "assistant", "content": parts}]}).record.turns[
        1
    ]
    assert (turn.content, turn.reasoning) == (ANSWER, "A capital.")


def test_shared_function_calls_become_tool_calls():
    talk = [
        {"from": "human", "value": ASK},
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
        ({"instruction": ASK, "output": ANSWER, "topic": "rivers", "votes": 0}, ("topic", "votes")),
        ({"instruction": ASK, "output": ANSWER, "response": "Danube"}, ("response",)),
        ({"messages": [TALK[0], {**TALK[1], "model": "x"}], "lang": "en"},
         ("lang", "messages[].model")),
        ({"messages": [{**TALK[0], "weight": 1}, TALK[1]]}, ("messages[].weight",)),
        ({"prompt": ASK, "completion": ANSWER, "label": "rivers"}, ("label",)),
        ({"prompt": "Something else", "messages": TALK}, ("prompt",)),
        ({"prompt": ASK, "answers": [
            {"answer": ANSWER, "rank": 1}, {"answer": "Hm.", "rank": 2},
            {"answer": "No.", "rank": 3}]}, ("answers between the best and the worst",)),
    ],
)  # fmt: skip
def test_whatever_has_a_value_and_is_not_used_is_named(row, unused):
    assert parse_row(row).unused == unused


def test_a_column_for_nothing_is_not_unused():
    row = {"instruction": ASK, "input": "nan", "output": ANSWER, "tools": [], "tags": None, "x": ""}
    result = parse_row(row)
    assert (result.record.messages, result.unused) == (TALK, ())
    assert result.repairs == ('read "nan" in "input" as nothing',)


def with_prompt(turns: list) -> dict:
    return {"chosen": [*turns, *TALK], "rejected": [*turns, TALK[0], WRONG]}


PAIRS = {
    "Orca of H4": {"prompt": ASK, **with_prompt([SYSTEM])},
    "prompt as messages": {"prompt": [SYSTEM, TALK[0]], **with_prompt([SYSTEM])},
    "system as a column": {"system": SYSTEM["content"], "prompt": ASK, **with_prompt([])},
    "prompt before both": {"prompt": [SYSTEM, TALK[0]], "chosen": [TALK[1]], "rejected": [WRONG]},
    "Intel": {"system": SYSTEM["content"], "question": ASK, "chosen": ANSWER,
              "rejected": WRONG["content"]},
    "ms-swift": {"messages": [SYSTEM, *TALK], "rejected_response": WRONG["content"]},
    "stack exchange": {"system": SYSTEM["content"], "question": ASK, "response_j": ANSWER,
                       "response_k": WRONG["content"]},
    "PKU": {"system": SYSTEM["content"], "prompt": ASK, "response_0": WRONG["content"],
            "response_1": ANSWER, "better_response_id": 1},
    "LlamaFactory": {"conversations": [{"from": "system", "value": SYSTEM["content"]},
                                       {"from": "human", "value": ASK}],
                     "chosen": {"from": "gpt", "value": ANSWER},
                     "rejected": {"from": "gpt", "value": WRONG["content"]}},
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_the_prompt_of_a_pair_stands_there_once_with_its_system_turn_first(name):
    result = parse_row(PAIRS[name])
    assert result.record.messages == [SYSTEM, *TALK]
    assert [turn.message for turn in result.record.rejected] == [WRONG]
    assert result.unused == ()


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"prompt": "Which sea?", **with_prompt([])}, "something else than the beginning"),
        ({"prompt": ASK, "chosen": f"{ASK} {ANSWER}", "rejected": f"{ASK} No."}, "trained twice"),
        ({"system": "Be long.", "prompt": ASK, **with_prompt([SYSTEM])}, "different system turns"),
        ({"prompt": [TALK[0], TALK[1]], "chosen": [TALK[1]], "rejected": [WRONG]}, "end with the"),
        ({"prompt": ASK, "answers": [{"answer": ANSWER, "rank": 1}]}, "two or more"),
    ],
)
def test_a_pair_that_can_be_read_in_two_ways_is_refused(row, why):
    with pytest.raises(BadRow, match=why):
        parse_row(row)


@pytest.mark.parametrize("rejected", [ANSWER, "", " \n"])
def test_a_pair_that_prefers_nothing_is_a_kind_of_its_own(rejected):
    with pytest.raises(Unpreferred):
        parse_row({"prompt": ASK, "chosen": ANSWER, "rejected": rejected})
