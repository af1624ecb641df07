"""Preference files of every layout become the same pairs; what is no pair is named by its row."""

import json

import pytest

from ift_course.data.pairs import Pair, to_pairs
from ift_course.data.reading import pair_of, read_pairs
from ift_course.data.records import BadRow, Turn
from ift_course.errors import CourseError

ASKED, GOOD, BAD = "Is Rome in Spain?", "No, Rome is in Italy.", "Yes, you are right."
USER = {"role": "user", "content": ASKED}


def says(content: str) -> dict:
    return {"role": "assistant", "content": content}


WANTED = Pair((Turn("user", ASKED),), GOOD, BAD)
LAYOUTS = {
    "explicit, strings": {"prompt": ASKED, "chosen": GOOD, "rejected": BAD},
    "explicit, messages": {"prompt": [USER], "chosen": [says(GOOD)], "rejected": [says(BAD)]},
    "explicit, one message": {"prompt": [USER], "chosen": says(GOOD), "rejected": says(BAD)},
    "prompt as text, answers as messages": {
        "prompt": ASKED, "chosen": [says(GOOD)], "rejected": [says(BAD)]},
    "implicit, messages": {"chosen": [USER, says(GOOD)], "rejected": [USER, says(BAD)]},
    "UltraFeedback": {
        "prompt": ASKED, "chosen": [USER, says(GOOD)], "rejected": [USER, says(BAD)],
        "score_chosen": 8.0},
    "HH-RLHF": {
        "chosen": f"\n\nHuman: {ASKED}\n\nAssistant: {GOOD}",
        "rejected": f"\n\nHuman: {ASKED}\n\nAssistant: {BAD}"},
    "HH-RLHF with its prompt apart": {
        "prompt": f"\n\nHuman: {ASKED}\n\nAssistant:", "chosen": GOOD, "rejected": BAD},
    "implicit, strings": {"chosen": f"{ASKED} {GOOD}", "rejected": f"{ASKED} {BAD}"},
    "question": {"question": ASKED, "chosen": GOOD, "rejected": BAD, "system": ""},
    "instruction and input": {"instruction": ASKED, "input": "", "chosen": GOOD, "rejected": BAD},
    "from and value": {
        "prompt": [{"from": "human", "value": ASKED}],
        "chosen": {"from": "gpt", "value": GOOD}, "rejected": {"from": "gpt", "value": BAD}},
    "messages as JSON in a CSV cell": {
        "chosen": json.dumps([USER, says(GOOD)]), "rejected": json.dumps([USER, says(BAD)])},
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_same_pair(layout):
    assert pair_of(LAYOUTS[layout]) == WANTED


def test_a_system_turn_and_earlier_turns_belong_to_the_prompt():
    earlier = [{"role": "system", "content": "Be brief."}, USER, says("Hm?"), USER]
    found = pair_of({"chosen": [*earlier, says(GOOD)], "rejected": [*earlier, says(BAD)]})
    assert [turn.role for turn in found.prompt] == ["system", "user", "assistant", "user"]
    assert found.chosen_messages == [*earlier, says(GOOD)]
    assert found.rejected_messages == [*earlier, says(BAD)]
    told = {"system": "Be brief.", "prompt": ASKED, "chosen": GOOD, "rejected": BAD}
    assert pair_of(told).prompt[0] == Turn("system", "Be brief.")


def test_half_a_word_is_not_a_prompt():
    found = pair_of({"chosen": "The sky is blue.", "rejected": "The sky is black."})
    assert (found.prompt[0].content, found.chosen, found.rejected) == (
        "The sky is", "blue.", "black.")  # fmt: skip


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"prompt": ASKED, "chosen": GOOD}, '"rejected" is missing'),
        ({"body": "Rome"}, "found the columns body, but need"),
        (["Rome"], "expected an object with named columns, but found a list"),
        ({"prompt": ASKED, "chosen": GOOD, "rejected": GOOD}, "are the same"),
        ({"prompt": ASKED, "chosen": " ", "rejected": BAD}, '"chosen" is empty'),
        ({"prompt": ASKED, "chosen": 5, "rejected": BAD}, '"chosen" should be a list of turns'),
        ({"chosen": GOOD, "rejected": BAD}, "share no beginning"),
        ({"chosen": [says(GOOD)], "rejected": [says(BAD)]}, "there is no prompt"),
        ({"chosen": [USER], "rejected": [USER, says(BAD)]}, "must end with the assistant"),
        (
            {"chosen": [USER, says(GOOD)], "rejected": [{**USER, "content": "?"}, says(BAD)]},
            "part before their last turn",
        ),
        ({"chosen": f"{ASKED} Yes", "rejected": f"{ASKED} "}, "only the beginning of the other"),
        ({"prompt": [{"role": "bot", "content": "?"}], "chosen": GOOD, "rejected": BAD}, "bot"),
    ],
)
def test_what_is_no_pair_is_said(row, sentence):
    with pytest.raises(BadRow) as error:
        pair_of(row)
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

    drawn = preferences(6, seed=0)
    pairs = to_pairs(drawn)
    assert [(p.chosen, p.rejected) for p in pairs] == [(p.chosen, p.rejected) for p in drawn]
    assert pairs[0].swapped.chosen == pairs[0].rejected
    assert pairs[0].swapped.swapped == pairs[0]
