"""The real schemas become the same record; repairs are named, other rows are refused."""

from __future__ import annotations

import pytest

from ift_course.data.records import BadRow
from ift_course.data.samples import (
    ANSWER,
    CONVERSATION,
    GPT,
    HUMAN,
    QUESTION,
    ROWS,
    USER,
    VARIANTS,
)
from ift_course.data.schemas import parse_row
from ift_course.data.turns import ANSWER_FIRST, NO_ANSWER, ONE_SPEAKER


@pytest.mark.parametrize("name", VARIANTS)
def test_every_schema_becomes_the_same_conversation(name):
    result = parse_row(VARIANTS[name], "data.jsonl, row 1")
    assert result.record.messages == CONVERSATION
    assert result.record.source == "data.jsonl, row 1"
    assert result.repairs == ()


@pytest.mark.parametrize("name", ROWS)
def test_the_schema_is_known_by_its_columns(name):
    assert parse_row(ROWS[name]).schema == name


def test_a_row_s_origin_and_license_are_kept():
    origins = {name: parse_row(row).record.origin for name, row in ROWS.items()}
    assert origins == {
        "OpenHermes": "airoboros2.2", "UltraChat": "f0e37e9f", "Dolly": "closed_qa",
        "ShareGPT": "QWJhYvA_0", "Flan": "capitals:1.0.0", "Alpaca": "", "LIMA": "stackexchange",
        "prompt/completion": "", "messages": "", "preference": "",
    }  # fmt: skip
    assert parse_row(ROWS["Dolly"] | {"license": "CC-BY-SA-3.0"}).record.license == "CC-BY-SA-3.0"


@pytest.mark.parametrize("name", [n for n in VARIANTS if "reference" in n or "Feedback" in n])
def test_a_preference_keeps_its_rejected_answer(name):
    if name != "unpaired preference":
        rejected = parse_row(VARIANTS[name]).record.rejected
        assert [(turn.role, turn.content) for turn in rejected] == [("assistant", "Lyon")]


def test_a_system_prompt_in_its_own_column_is_the_first_turn():
    row = ROWS["OpenHermes"] | {"system_prompt": "Be brief."}
    assert parse_row(row).record.messages == [
        {"role": "system", "content": "Be brief."},
        *CONVERSATION,
    ]
    inside = [{"from": "system", "value": "Be brief."}, HUMAN, GPT]
    result = parse_row(row | {"conversations": inside})
    assert len(result.record.turns) == 3


def sharegpt(*turns: tuple[str, str]) -> dict:
    return {"conversations": [{"from": speaker, "value": value} for speaker, value in turns]}


@pytest.mark.parametrize("speakers", [("human", "gpt"), ("user", "chatgpt"), ("Human", "bard"),
                                      ("user", "assistant"), ("human", "bing")])  # fmt: skip
def test_speakers_of_many_names_are_known(speakers):
    assert (
        parse_row(sharegpt((speakers[0], QUESTION), (speakers[1], ANSWER))).record.messages
        == CONVERSATION
    )


def test_a_conversation_is_repaired_and_the_repairs_are_named():
    scraped = sharegpt(
        ("gpt", "As I said:"), ("human", "Name the capital."), ("human", "France"),
        ("gpt", "Paris"), ("human", "Thanks!"),
    )  # fmt: skip
    result = parse_row(scraped)
    assert [t.role for t in result.record.turns] == ["user", "assistant"]
    assert result.record.turns[0].content == "Name the capital.\n\nFrance"
    assert set(result.repairs) == {ANSWER_FIRST, ONE_SPEAKER, NO_ANSWER}


BAD = {
    "LIMA's test questions": ({"conversations": [QUESTION], "source": "test"}, "last turn must be"),
    "an empty conversation": ({"id": "x", "conversations": []}, "an empty list"),
    "only the assistant": (sharegpt(("gpt", "Hello.")), "last turn must be|nobody"),
    "an unknown speaker": (sharegpt(("narrator", QUESTION), ("gpt", ANSWER)),
                           'the unknown speaker "narrator"'),
    "a turn without text": (sharegpt(("human", QUESTION), ("gpt", " ")),
                            'turn 2 .*"value" is empty'),
    "a number for a turn": ({"conversations": [QUESTION, 5]}, "turn 1 .*should be an object"),
    "strings and objects": ({"conversations": [HUMAN, QUESTION]}, "turn 2 .*should be an object"),
    "pretraining text": ({"text": "Paris is a city."}, '"text" names no speakers'),
    "a bad completion": ({"prompt": QUESTION, "completion": "Lyon", "label": False}, "as bad"),
    "nothing shared": ({"chosen": "Paris.", "rejected": "Lyon."}, "share no beginning"),
    "half a character": ({"prompt": QUESTION, "completion": "\ud83d"}, "half a character"),
    "Flan with a list": ({"inputs": QUESTION, "targets": [ANSWER]}, "should be text, but is a"),
    "a cell that is no JSON": ({"messages": "[{'role': 'user'}]"}, "looks like a list"),
    "two questions without an answer": ({"messages": [USER, USER]}, "last turn must be"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_row_is_refused_with_its_fault(case):
    row, complaint = BAD[case]
    with pytest.raises(BadRow, match=complaint):
        parse_row(row)


@pytest.mark.parametrize("system", [{}, {"system_prompt": ""}])
@pytest.mark.parametrize("answer", ["", None])
def test_a_question_whose_answer_is_empty_is_a_bad_row_and_no_crash(answer, system):
    with pytest.raises(BadRow, match=r'"answer" is (empty|missing)'):
        parse_row({"question": "Why?", "answer": answer, **system})
