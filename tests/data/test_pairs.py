"""Preference files of every layout become the same pairs; a row that is not a pair is named."""

from __future__ import annotations

import json

import pytest

from ift_course.data.pairs import Pair, to_pairs
from ift_course.data.reading import parse_pair, read_pairs
from ift_course.data.records import BadRow, Turn
from ift_course.errors import CourseError

QUESTION, GOOD, BAD = "Is Rome in Spain?", "No, Rome is in Italy.", "Yes, you are right."
USER = {"role": "user", "content": QUESTION}


def answer(content: str) -> dict:
    return {"role": "assistant", "content": content}


EXPECTED = Pair((Turn("user", QUESTION),), GOOD, BAD)
LAYOUTS = {
    "explicit, strings": {"prompt": QUESTION, "chosen": GOOD, "rejected": BAD},
    "explicit, messages": {"prompt": [USER], "chosen": [answer(GOOD)], "rejected": [answer(BAD)]},
    "explicit, one message": {"prompt": [USER], "chosen": answer(GOOD), "rejected": answer(BAD)},
    "prompt as text, answers as messages": {
        "prompt": QUESTION, "chosen": [answer(GOOD)], "rejected": [answer(BAD)]},
    "implicit, messages": {"chosen": [USER, answer(GOOD)], "rejected": [USER, answer(BAD)]},
    "UltraFeedback": {
        "prompt": QUESTION, "chosen": [USER, answer(GOOD)], "rejected": [USER, answer(BAD)],
        "score_chosen": 8.0},
    "HH-RLHF": {
        "chosen": f"\n\nHuman: {QUESTION}\n\nAssistant: {GOOD}",
        "rejected": f"\n\nHuman: {QUESTION}\n\nAssistant: {BAD}"},
    "HH-RLHF with its prompt apart": {
        "prompt": f"\n\nHuman: {QUESTION}\n\nAssistant:", "chosen": GOOD, "rejected": BAD},
    "implicit, strings": {"chosen": f"{QUESTION} {GOOD}", "rejected": f"{QUESTION} {BAD}"},
    "question": {"question": QUESTION, "chosen": GOOD, "rejected": BAD, "system": ""},
    "instruction and input": {
        "instruction": QUESTION, "input": "", "chosen": GOOD, "rejected": BAD},
    "from and value": {
        "prompt": [{"from": "human", "value": QUESTION}],
        "chosen": {"from": "gpt", "value": GOOD}, "rejected": {"from": "gpt", "value": BAD}},
    "messages as JSON in a CSV cell": {
        "chosen": json.dumps([USER, answer(GOOD)]), "rejected": json.dumps([USER, answer(BAD)])},
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_pair(layout):
    assert parse_pair(LAYOUTS[layout]) == EXPECTED


def test_a_system_turn_and_earlier_turns_belong_to_the_prompt():
    earlier = [{"role": "system", "content": "Be brief."}, USER, answer("Hm?"), USER]
    pair = parse_pair({"chosen": [*earlier, answer(GOOD)], "rejected": [*earlier, answer(BAD)]})
    assert [turn.role for turn in pair.prompt] == ["system", "user", "assistant", "user"]
    assert pair.chosen_messages == [*earlier, answer(GOOD)]
    assert pair.rejected_messages == [*earlier, answer(BAD)]
    row = {"system": "Be brief.", "prompt": QUESTION, "chosen": GOOD, "rejected": BAD}
    assert parse_pair(row).prompt[0] == Turn("system", "Be brief.")


def test_half_a_word_is_not_a_prompt():
    pair = parse_pair({"chosen": "The sky is blue.", "rejected": "The sky is black."})
    assert (pair.prompt[0].content, pair.chosen, pair.rejected) == (
        "The sky is", "blue.", "black.")  # fmt: skip


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"prompt": QUESTION, "chosen": GOOD}, '"rejected" is missing'),
        ({"body": "Rome"}, "found the columns body, but need"),
        (["Rome"], "expected an object with named columns, but found a list"),
        ({"prompt": QUESTION, "chosen": GOOD, "rejected": GOOD}, "are the same"),
        ({"prompt": QUESTION, "chosen": " ", "rejected": BAD}, '"chosen" is empty'),
        ({"prompt": QUESTION, "chosen": 5, "rejected": BAD}, '"chosen" should be a list of turns'),
        ({"chosen": GOOD, "rejected": BAD}, "share no beginning"),
        ({"chosen": [answer(GOOD)], "rejected": [answer(BAD)]}, "there is no prompt"),
        ({"chosen": [USER], "rejected": [USER, answer(BAD)]}, "must end with the assistant"),
        (
            {"chosen": [USER, answer(GOOD)], "rejected": [{**USER, "content": "?"}, answer(BAD)]},
            "differ before their last turn",
        ),
        (
            {"chosen": f"{QUESTION} Yes", "rejected": f"{QUESTION} "},
            "only the beginning of the other",
        ),
        ({"prompt": [{"role": "bot", "content": "?"}], "chosen": GOOD, "rejected": BAD}, "bot"),
    ],
)
def test_a_row_that_is_not_a_pair_is_refused(row, sentence):
    with pytest.raises(BadRow) as error:
        parse_pair(row)
    assert sentence in str(error.value)


def test_a_file_is_read_and_its_bad_row_named(tmp_path):
    path = tmp_path / "pairs.jsonl"
    good = json.dumps(LAYOUTS["explicit, strings"])
    path.write_text(f"{good}\n\n{good}\n", encoding="utf-8")
    assert [pair.source for pair in read_pairs(path)] == [
        "pairs.jsonl, row 1",
        "pairs.jsonl, row 3",
    ]
    path.write_text(f'{good}\n{{"prompt": "x", "chosen": "y"}}\n', encoding="utf-8")
    with pytest.raises(CourseError, match=r'pairs\.jsonl, row 2: "rejected" is missing.*Fix or'):
        read_pairs(path)
    path.write_text("[]", encoding="utf-8")
    with pytest.raises(CourseError, match="is empty"):
        read_pairs(path)
    with pytest.raises(CourseError, match="There is no file"):
        read_pairs(tmp_path / "none.jsonl")


def test_the_worlds_preferences_become_pairs():
    from ift_course.world.preferences import preferences

    samples = preferences(6, seed=0)
    pairs = to_pairs(samples)
    assert [(p.chosen, p.rejected) for p in pairs] == [(p.chosen, p.rejected) for p in samples]
    assert pairs[0].swapped.chosen == pairs[0].rejected
    assert pairs[0].swapped.swapped == pairs[0]
