"""The course's own instruction set is well formed, free of repetition, and what its card says."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from itertools import pairwise
from statistics import mean, median
from typing import Any

import pytest

from ift_course.data import course_set
from ift_course.data.curation import exact_duplicates, format_flaws, near_duplicates
from ift_course.data.curation.duplicates import jaccard, shingles
from ift_course.data.curation.texts import words
from ift_course.data.reading import Reading, read_rows
from ift_course.data.records import Record, Turn
from ift_course.errors import CourseError
from ift_course.evaluation.preferences import RULES

Row = dict[str, Any]
CARD = (course_set.FOLDER / "README.md").read_text(encoding="utf-8")
TRAIN, TEST, OPEN, RAW, PAIRS, PROMPTS = map(course_set.load, course_set.NAMES)
ROWS = dict(zip(course_set.NAMES, (TRAIN, TEST, OPEN, RAW, PAIRS, PROMPTS), strict=True))
INSTRUCTIONS = {"train": TRAIN, "test": TEST, "open": OPEN}
KEYS = {
    "train": ["id", "category", "source", "messages"],
    "test": ["id", "category", "source", "messages", "verifier", "ideal", "wrong"],
    "open": ["id", "category", "source", "messages"],
    "raw": ["id", "source", "instruction", "input", "output", "flaw"],
    "pairs": ["id", "category", "source", "prompt", "chosen", "rejected"],
    "prompts": ["id", "category", "source", "messages", "verifier", "ideal", "wrong"],
}


def contents(row: Row) -> list[str]:
    """All texts of a row that a person reads."""
    columns = [row.get(name, []) for name in ("messages", "prompt", "chosen", "rejected")]
    texts = [message["content"] for column in columns for message in column]
    texts += [row[name] for name in ("instruction", "input", "output", "ideal") if name in row]
    return texts + row.get("wrong", [])


def last_question(row: Row) -> str:
    messages = row["prompt"] if "prompt" in row else row["messages"]
    return [message["content"] for message in messages if message["role"] == "user"][-1]


def answers(row: Row) -> list[str]:
    return [x["content"] for x in row["messages"] if x["role"] == "assistant"]


def n_words(text: str) -> int:
    return len(text.split())


def grams(texts: list[str], n: int = 8) -> set[tuple[str, ...]]:
    """All sequences of n words, none of which reaches from one text into the next."""
    texts_words = [words(text) for text in texts]
    return {tuple(x[i : i + n]) for x in texts_words for i in range(len(x) - n + 1)}


def raw_record(row: Row) -> Record:
    """A raw row as a record; the readers rightly refuse those without an answer."""
    question = f"{row['instruction']}\n{row['input']}".strip()
    return Record((Turn("user", question), Turn("assistant", row["output"])))


def read(name: str) -> Reading:
    return read_rows(course_set.path(name), pairs=name == "pairs")


# --- layout


@pytest.mark.parametrize("name", course_set.NAMES)
def test_rows_have_their_columns_and_are_numbered(name):
    assert all(list(row) == KEYS[name] for row in ROWS[name])
    assert [row["id"] for row in ROWS[name]] == [
        f"{name}-{number:03}" for number in range(1, len(ROWS[name]) + 1)
    ]
    assert {row["source"] for row in ROWS[name]} == {"course"}


@pytest.mark.parametrize("name", INSTRUCTIONS)
def test_conversations_alternate_and_end_with_the_right_speaker(name):
    for row in INSTRUCTIONS[name]:
        roles = [message["role"] for message in row["messages"]]
        roles = roles[1:] if roles[0] == "system" else roles
        assert roles[0] == "user" and all(a != b for a, b in pairwise(roles)), row["id"]
        assert set(roles) <= {"user", "assistant"}, row["id"]
        assert roles[-1] == ("assistant" if name == "train" else "user"), row["id"]
        has_system = row["messages"][0]["role"] == "system"
        assert has_system == (row["category"] == "system-prompt"), row["id"]
        assert (len(roles) > 2) == (row["category"] == "multi-turn"), row["id"]


def test_test_rows_have_three_different_wrong_answers():
    for row in TEST:
        assert len({row["ideal"], *row["wrong"]}) == 4, row["id"]


@pytest.mark.parametrize("name", ["train", "pairs"])
def test_the_readers_use_every_row_without_a_repair(name):
    account = read(name).account
    assert account.used == account.read == len(ROWS[name])
    assert not account.repairs and not account.special and not account.notes


def test_an_unknown_part_is_refused_in_one_sentence():
    with pytest.raises(CourseError, match=r'no part "tests"; choose one of train, test'):
        course_set.load("tests")


# --- lengths


def test_rows_fit_into_the_training_length_and_most_answers_are_short():
    assert max(sum(map(n_words, contents(row))) for row in TRAIN) <= 180
    lengths = [n_words(answer) for row in TRAIN for answer in answers(row)]
    assert min(lengths) == 1 and max(lengths) <= 200
    assert sum(5 <= length <= 60 for length in lengths) >= 0.75 * len(lengths)
    assert sum(length > 80 for length in lengths) >= 8


def test_neither_side_of_a_pair_is_recognized_by_its_length():
    lengths = [
        (n_words(row["chosen"][0]["content"]), n_words(row["rejected"][0]["content"]))
        for row in PAIRS
    ]
    assert all(0.5 <= chosen / rejected <= 2 for chosen, rejected in lengths)
    assert abs(mean(chosen - rejected for chosen, rejected in lengths)) < 1
    assert 0.3 < mean(chosen > rejected for chosen, rejected in lengths) < 0.7


# --- repetition


@pytest.mark.parametrize("name", ["train", "pairs"])
def test_no_row_repeats_another(name):
    records = read(name).records
    assert not any(x is not None for x in exact_duplicates(records) + near_duplicates(records))


@pytest.mark.parametrize("name", [*INSTRUCTIONS, "pairs", "prompts"])
def test_no_question_nearly_repeats_another_of_its_file(name):
    questions = [last_question(row) for row in ROWS[name]]
    pieces = [shingles(question) for question in questions]
    for i, piece in enumerate(pieces):
        for j in range(i):
            assert jaccard(piece, pieces[j]) < 0.7, (questions[i], questions[j])


@pytest.mark.parametrize("name", ["train", "open", "pairs", "prompts"])
def test_nothing_of_the_test_set_is_in_another_file(name):
    seen = grams([text for row in ROWS[name] for text in contents(row)])
    assert len(seen) > 100
    questions = [shingles(last_question(row)) for row in ROWS[name]]
    for row in TEST:
        assert not grams(contents(row)) & seen, row["id"]
        question = shingles(last_question(row))
        assert max(jaccard(question, other) for other in questions) < 0.7, row["id"]


# --- balance


@pytest.mark.parametrize("name", INSTRUCTIONS)
def test_no_category_is_rare_or_dominates(name):
    counts = Counter(row["category"] for row in INSTRUCTIONS[name])
    assert min(counts.values()) >= 5
    assert max(counts.values()) <= 0.15 * len(INSTRUCTIONS[name])
    assert set(counts) <= {row["category"] for row in TRAIN}


def test_a_prefix_of_the_training_set_covers_all_categories():
    assert {row["category"] for row in TRAIN[:48]} == {row["category"] for row in TRAIN}


def test_pairs_reward_neither_agreeing_nor_refusing():
    counts = Counter(row["category"] for row in PAIRS)
    assert counts["right-belief"] == counts["wrong-belief"]
    assert counts["harmless-request"] == counts["harmful-request"]


def test_prompts_ask_as_often_about_wrong_beliefs_as_about_right_ones():
    counts = Counter(row["category"] for row in PROMPTS)
    assert counts["right-belief"] == counts["wrong-belief"] and len(PROMPTS) == 200
    assert set(counts) == set(RULES)


# --- form


def test_every_training_answer_ends_cleanly():
    for record, row in zip(read("train").records, TRAIN, strict=True):
        assert not format_flaws(record), row["id"]
        for answer in answers(row):
            last_line = answer.rsplit("\n", 1)[-1]
            is_item = re.match(r"[-*|] |\d+\. ", last_line)
            assert is_item or n_words(last_line) < 10 or last_line[-1] in ".!?\"')", row["id"]


@pytest.mark.parametrize("name", [*INSTRUCTIONS, "pairs", "prompts"])
def test_texts_are_plain_unicode_without_stray_white_space(name):
    for row in ROWS[name]:
        for text in contents(row):
            assert text and text == text.strip() == unicodedata.normalize("NFC", text), row["id"]
            assert not re.search(r" \n|\n{3}|\S {2,}\S", text), row["id"]
            for character in filter(lambda x: ord(x) > 126, text):
                is_latin = unicodedata.name(character).startswith("LATIN")
                assert is_latin or character in "×¿¡", (row["id"], character)


# --- raw rows


def test_labels_of_raw_rows_agree_with_the_duplicates_that_are_there():
    duplicates = [x is not None for x in exact_duplicates([raw_record(row) for row in RAW])]
    assert duplicates == [row["flaw"] == "exact-duplicate" for row in RAW]
    for i, row in enumerate(RAW):
        if row["flaw"] == "near-duplicate":
            pieces = shingles(row["output"])
            earlier = (jaccard(pieces, shingles(x["output"])) for x in RAW[:i])
            assert max(earlier) > 0.5, row["id"]


def test_raw_rows_hold_test_questions_where_their_label_says_so_and_nowhere_else():
    originals = [shingles(last_question(row)) for row in TEST]
    test_grams = grams([text for row in TEST for text in contents(row)])
    for row in RAW:
        question = shingles(raw_record(row).turns[0].content)
        similarity = max(jaccard(question, original) for original in originals)
        if row["flaw"] == "leaked-test-question":
            assert similarity > 0.6, row["id"]
        else:
            assert similarity < 0.7 and not grams(contents(row)) & test_grams, row["id"]


def test_good_raw_rows_have_no_flaw_that_a_rule_can_see():
    records = [raw_record(row) for row in RAW if row["flaw"] is None]
    assert not any(map(format_flaws, records))
    assert not any(x is not None for x in near_duplicates(records))


SIGNS = {
    "html": r"<\w+|</\w+>|&\w+;",
    "mojibake": r"Ã|â|Â|\ufffd|\w\? [a-z]",
    "tracking": r"\w+\.example/",
    "boilerplate": r"\bAI\b|language model|hope this|anything else|newsletter|cookies",
}


@pytest.mark.parametrize("flaw", SIGNS)
def test_a_flaw_of_raw_rows_is_visible_there_and_in_no_good_row(flaw):
    for row in RAW:
        if row["flaw"] in (flaw, None):
            assert bool(re.search(SIGNS[flaw], row["output"])) == (row["flaw"] == flaw), row["id"]


def test_raw_rows_without_an_answer_or_an_input_are_labeled():
    for row in RAW:
        lacks_input = row["instruction"].split(" the ")[-1].startswith("following")
        assert lacks_input == (row["flaw"] == "missing-input"), row["id"]
        is_empty = row["output"].casefold() in ("", "-", "...", "n/a", "<nooutput>", "no output")
        assert is_empty == (row["flaw"] == "empty-answer"), row["id"]


# --- data card


def table(heading: str) -> dict[str, list[int]]:
    """The numbers of the card's table whose first column has this heading, by its first column."""
    lines = CARD[CARD.index(f"| {heading} |") :].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in lines]
    return {name: [int(x) for x in others if x.isdigit()] for name, *others in cells}


def test_the_card_counts_what_is_there():
    assert table("file") == {f"{name}.jsonl": [len(rows)] for name, rows in ROWS.items()}
    counts = [Counter(row["category"] for row in rows) for rows in INSTRUCTIONS.values()]
    expected = {name: [count[name] for count in counts] for name in counts[0]}
    assert table("category | train") == expected | {"all": [len(x) for x in INSTRUCTIONS.values()]}
    pairs = Counter(row["category"] for row in PAIRS)
    assert table("category | pairs") == {k: [n] for k, n in pairs.items()} | {"all": [len(PAIRS)]}
    prompts = Counter(row["category"] for row in PROMPTS)
    expected = {k: [n] for k, n in prompts.items()} | {"all": [len(PROMPTS)]}
    assert table("category | prompts") == expected
    flaws = Counter(row["flaw"] or "none" for row in RAW)
    assert table("flaw") == {k: [n] for k, n in flaws.items()} | {"all": [len(RAW)]}


def test_the_card_states_the_lengths_that_are_there():
    lengths = [n_words(answer) for row in TRAIN for answer in answers(row)]
    longest = max(sum(map(n_words, contents(row))) for row in TRAIN)
    sentence = (
        f"The answers in `train.jsonl` have {min(lengths)} to {max(lengths)} words (median "
        f"{median(lengths):g}), and no row has more than {longest} words."
    )
    assert sentence in " ".join(CARD.split())
