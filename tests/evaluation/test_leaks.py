"""The questions of a test file are read with and without answers."""

import json

import pytest

from ift_course.errors import CourseError
from ift_course.evaluation.leaks import read_questions


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Why?"},
        {"prompt": "Why?", "verifier": {"type": "of another program"}},
        {"prompt": "Why?", "response": ""},
        {"instruction": "Why?", "input": ""},
        {"question": "Why?", "answer": ""},
        {"question": "Why?", "response": None},
        {"query": "Why?"},
        {"problem": "Why?"},
        {"inputs": "Why?"},
        {"input": "Why?", "output": ""},
        {"messages": [{"role": "user", "content": "Why?"}]},
        {"conversations": [{"from": "human", "value": "Why?"}]},
    ],
    ids=str,
)
def test_a_question_needs_no_answer_and_no_known_verifier(row, tmp_path):
    path = tmp_path / "test.jsonl"
    path.write_text(json.dumps(row) + "\n" + json.dumps({"prompt": "Who?", "completion": "I."}))
    assert read_questions(path) == ["Why?", "Who?"]


def test_a_conversation_that_goes_on_without_an_answer_keeps_its_last_question(tmp_path):
    path = tmp_path / "test.jsonl"
    roles = ("user", "assistant", "user")
    turns = [{"role": role, "content": role[0]} for role in roles]
    path.write_text(json.dumps({"messages": turns}))
    assert read_questions(path) == ["u\nu"]


def test_a_row_without_a_question_is_one_sentence(tmp_path):
    path = tmp_path / "test.jsonl"
    path.write_text(json.dumps({"prompt": "Why?"}) + "\n" + json.dumps({"body": "x"}))
    with pytest.raises(CourseError, match=r"test\.jsonl, row 2: .*Fix or delete that row"):
        read_questions(path)


def test_a_file_without_rows_is_one_sentence(tmp_path):
    path = tmp_path / "test.jsonl"
    path.write_text("[]")
    with pytest.raises(CourseError, match="has no rows; it needs at least one with a question"):
        read_questions(path)
