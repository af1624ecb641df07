"""Each verifier of the course's test set accepts the ideal answer and refuses three wrong ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ift_course.data import course_set

verifiers = pytest.importorskip("ift_course.evaluation.verifiers")

ROWS = course_set.load("test")
# Answers that were worded independently of the verifiers, by the row's id.
GOOD_ANSWERS = json.loads(
    Path(__file__).with_name("course_set_good_answers.json").read_text(encoding="utf-8")
)


@pytest.fixture(params=ROWS, ids=[row["id"] for row in ROWS])
def row(request) -> dict[str, Any]:
    if '"ifeval"' in json.dumps(request.param["verifier"]):
        pytest.importorskip("if_verifiable", reason="is an extra")
    return request.param


def test_the_ideal_answer_is_accepted_and_three_wrong_ones_are_refused(row):
    verifier = verifiers.parse_verifier(row["verifier"])
    assert verifier.fault(row["ideal"]) is None
    assert [answer for answer in row["wrong"] if verifier.accepts(answer)] == []


def test_good_answers_in_other_words_are_accepted(row):
    verifier = verifiers.parse_verifier(row["verifier"])
    answers = GOOD_ANSWERS.get(row["id"], [])
    assert [answer for answer in answers if not verifier.accepts(answer)] == []


def test_the_other_good_answers_belong_to_rows():
    assert len(GOOD_ANSWERS) > 90 and set(GOOD_ANSWERS) <= {row["id"] for row in ROWS}


def test_silence_and_an_echo_of_the_question_are_refused(row):
    verifier = verifiers.parse_verifier(row["verifier"])
    question = row["messages"][-1]["content"]
    # A base model often writes the question again and again.
    echoes = ["\n".join([question] * n) for n in (1, 2, 3)]
    assert [answer for answer in ("", *echoes) if verifier.accepts(answer)] == []


def test_rambling_on_after_the_ideal_answer_is_refused(row):
    verifier = verifiers.parse_verifier(row["verifier"])
    # As a base model does: it invents further questions and answers until it is cut.
    rambling = row["ideal"] + "\nQuestion: What is it? Answer: It is what it is.\n" * 12
    assert not verifier.accepts(rambling)


def test_all_types_of_verifiers_occur():
    text = json.dumps([row["verifier"] for row in ROWS])
    for kind in ("exact", "one_of", "contains", "number", "regex", "json_schema", "ifeval", "all"):
        assert f'"type": "{kind}"' in text, kind
