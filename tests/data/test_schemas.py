"""The real schemas become the same record; what is mended is said, what cannot be is refused."""

import pytest

from ift_course.data.records import BadRow
from ift_course.data.samples import ANSWER, ASK, CONVERSATION, GPT, HUMAN, ROWS, USER, VARIANTS
from ift_course.data.schemas import parse_row
from ift_course.data.turns import ANSWER_FIRST, NO_ANSWER, ONE_SPEAKER


@pytest.mark.parametrize("name", VARIANTS)
def test_every_schema_becomes_the_same_conversation(name):
    found = parse_row(VARIANTS[name], "data.jsonl, row 1")
    assert found.record.messages == CONVERSATION
    assert found.record.source == "data.jsonl, row 1"
    assert found.repairs == ()


@pytest.mark.parametrize("name", ROWS)
def test_the_schema_is_known_by_its_columns(name):
    assert parse_row(ROWS[name]).schema == name


def test_what_a_row_says_of_its_origin_is_kept():
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
    again = parse_row(row | {"conversations": inside})
    assert len(again.record.turns) == 3


def said(*turns: tuple[str, str]) -> dict:
    return {"conversations": [{"from": speaker, "value": value} for speaker, value in turns]}


@pytest.mark.parametrize("speakers", [("human", "gpt"), ("user", "chatgpt"), ("Human", "bard"),
                                      ("user", "assistant"), ("human", "bing")])  # fmt: skip
def test_speakers_of_many_names_are_known(speakers):
    assert (
        parse_row(said((speakers[0], ASK), (speakers[1], ANSWER))).record.messages == CONVERSATION
    )


def test_a_conversation_is_mended_and_it_is_said_how():
    scraped = said(
        ("gpt", "As I said:"), ("human", "Name the capital."), ("human", "France"),
        ("gpt", "Paris"), ("human", "Thanks!"),
    )  # fmt: skip
    found = parse_row(scraped)
    assert [t.role for t in found.record.turns] == ["user", "assistant"]
    assert found.record.turns[0].content == "Name the capital.\n\nFrance"
    assert set(found.repairs) == {ANSWER_FIRST, ONE_SPEAKER, NO_ANSWER}


BAD = {
    "LIMA's test questions": ({"conversations": [ASK], "source": "test"}, "last turn must be"),
    "an empty conversation": ({"id": "x", "conversations": []}, "an empty list"),
    "only the assistant": (said(("gpt", "Hello.")), "last turn must be|nobody"),
    "an unknown speaker": (said(("narrator", ASK), ("gpt", ANSWER)), 'by "narrator", which is no'),
    "a turn without text": (said(("human", ASK), ("gpt", " ")), 'turn 2 .*"value" is empty'),
    "a number for a turn": ({"conversations": [ASK, 5]}, "turn 1 .*should be an object"),
    "strings and objects": ({"conversations": [HUMAN, ASK]}, "turn 2 .*should be an object"),
    "pretraining text": ({"text": "Paris is a city."}, '"text" names no speakers'),
    "a bad completion": ({"prompt": ASK, "completion": "Lyon", "label": False}, "is a bad one"),
    "nothing shared": ({"chosen": "Paris.", "rejected": "Lyon."}, "share no beginning"),
    "half a character": ({"prompt": ASK, "completion": "\ud83d"}, "half a character"),
    "Flan with a list": ({"inputs": ASK, "targets": [ANSWER]}, "should be text, but is a list"),
    "a cell that is no JSON": ({"messages": "[{'role': 'user'}]"}, "looks like a list"),
    "two asked, none answered": ({"messages": [USER, USER]}, "last turn must be"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_a_bad_row_says_what_is_wrong(case):
    row, complaint = BAD[case]
    with pytest.raises(BadRow, match=complaint):
        parse_row(row)
