"""The questions of a test file are read with and without answers."""

import json

import pytest

from ift_course.data.curation.texts import user_text_of
from ift_course.diagnosis.held_out import NO_ANSWER, read_test
from ift_course.errors import CourseError


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": "Why?"},
        {"prompt": "Why?", "verifier": "exact"},
        {"instruction": "Why?", "input": ""},
        {"question": "Why?", "answer": ""},
        {"inputs": "Why?"},
        {"messages": [{"role": "user", "content": "Why?"}]},
    ],
)
def test_a_question_needs_no_answer(row, tmp_path):
    path = tmp_path / "test.jsonl"
    path.write_text(json.dumps(row) + "\n" + json.dumps({"prompt": "Who?", "completion": "I."}))
    records = read_test(path)
    assert [user_text_of(record) for record in records] == ["Why?", "Who?"]
    assert [record.turns[-1].content for record in records] == [NO_ANSWER, "I."]


def test_a_row_without_a_question_is_one_sentence(tmp_path):
    path = tmp_path / "test.jsonl"
    path.write_text(json.dumps({"prompt": "Why?"}) + "\n" + json.dumps({"body": "x"}))
    with pytest.raises(CourseError, match=r"test\.jsonl, row 2: .*--test"):
        read_test(path)
