"""The corpus: prose, consistent with the facts, free of anything that looks like a task."""

import itertools
import re

import pytest

from ift_course.world.corpus import Mixture, documents
from ift_course.world.facts import by_relation, values
from ift_course.world.relations import RELATIONS
from ift_course.world.skills import SKILLS
from ift_course.world.tables import TABLES, UNKNOWN_PEOPLE

# "Oslo lies in Asia.⏎No": a claim and its denial.
DENIED = re.compile(r"^(?:.* is true\. )?(.+)\nNo\b", re.MULTILINE)
SENTENCE_END = re.compile(r"(?<=[.])\s+|\n+")


@pytest.fixture(scope="module")
def pages() -> list[str]:
    stream = documents(11, Mixture(0.2, 0.15, 0.15, drills=0.15, talk=0.15))
    return list(itertools.islice(stream, 20_000))


def sentences(pages):
    for page in pages:
        yield from (s for s in SENTENCE_END.split(page) if s)


def test_no_question_mark_outside_the_phrase_book(pages):
    phrases = [phrase for row in TABLES["phrase_book"].rows for phrase in row if "?" in phrase]
    # Ignore case, because the corpus has the phrases in capital letters, too.
    phrase_book = re.compile("|".join(map(re.escape, phrases)), re.IGNORECASE)
    for page in pages:
        page = phrase_book.sub("", page)
        assert not re.search(r"[?¿]", page), page


def test_no_special_token_and_no_word_of_a_chat(pages):
    banned = re.compile(r"<\||\b(please|instruction|question|answer|assistant|user|task)\b", re.I)
    for page in pages:
        assert not banned.search(page), page


def test_no_sentence_opens_like_an_instruction(pages):
    openings = set()
    for source in (*RELATIONS, *SKILLS):
        for wording in (*source.questions, *source.inputs, *source.unseen):
            words = wording.split("{")[0].split()[:3]
            if len(words) >= 2:
                openings.add(" ".join(words))
    assert len(openings) > 100
    for sentence in sentences(pages):
        words = sentence.split()
        assert " ".join(words[:3]) not in openings, sentence
        assert " ".join(words[:2]) not in openings, sentence


@pytest.fixture(scope="module")
def readings_of():
    patterns = [
        (relation.name, _pattern(wording, relation.name))
        for relation in RELATIONS
        for wording in relation.statements
    ]

    def find(sentence: str) -> list[tuple[str, str, str]]:
        matches = ((name, pattern.fullmatch(sentence)) for name, pattern in patterns)
        return [(name, match["s"], match["o"]) for name, match in matches if match]

    return find


def test_every_claim_that_is_denied_is_false(pages, readings_of):
    n_checked = 0
    for claim in DENIED.findall("\n\n".join(pages[:5_000])):
        readings = readings_of(claim)
        assert not any(_true(*reading) for reading in readings), claim
        n_checked += bool(readings)
    assert n_checked >= 50


def test_every_statement_agrees_with_the_facts(pages, readings_of):
    counts = dict.fromkeys(values(), 0)
    undenied = (DENIED.sub("", page) for page in pages)
    for sentence in itertools.islice(sentences(undenied), 20_000):
        readings = readings_of(sentence)
        if not readings:
            continue
        # "After Monday comes Tuesday" has one reading; a sentence with several must be true in one.
        assert any(_true(*reading) for reading in readings), sentence
        for name, _, _ in readings:
            counts[name] += 1
    assert min(counts.values()) >= 10, counts


def _pattern(wording: str, name: str) -> re.Pattern[str]:
    subjects = "|".join(re.escape(f.subject) for f in by_relation()[name])
    objects = "|".join(sorted({re.escape(f.value) for f in by_relation()[name]}, key=len)[::-1])
    text = re.escape(wording.strip())
    for slot, group in (("{s}", f"(?P<s>{subjects})"), ("{o}", f"(?P<o>{objects})")):
        text = text.replace(re.escape(slot), group, 1)
        text = text.replace(re.escape(slot), group.replace("?P<", "?P<again_"), 1)
    text = text.replace(re.escape("{ao}"), f"(?:an? |the )?(?P<o>{objects})")
    return re.compile(text, re.IGNORECASE)


def _true(name: str, subject: str, value: str) -> bool:
    true_values = {s.lower(): v.lower() for s, v in values()[name].items()}
    return true_values[subject.lower()] == value.lower()


def _is_refrain(page):
    """Whether the page says the same random words two to five times and nothing else."""
    words = re.findall(r"\w+", page)
    return any(len(words) % n == 0 and words == words[: len(words) // n] * n for n in range(2, 6))


def test_one_page_in_ten_is_a_refrain(pages):
    assert 0.08 < sum(map(_is_refrain, pages)) / len(pages) < 0.12


def test_every_relation_has_at_least_four_wordings():
    assert len(RELATIONS) >= 25
    for relation in RELATIONS:
        assert len(set(relation.statements)) >= 4, relation.name
        assert len(set(relation.refs)) >= 4, relation.name


def test_unknown_people_are_never_mentioned(pages):
    text = "\n".join(pages)
    assert not [name for name in UNKNOWN_PEOPLE if name in text]


def test_the_same_seed_writes_the_same_pages():
    first = list(itertools.islice(documents(seed=5), 50))
    assert first == list(itertools.islice(documents(seed=5), 50))
    assert first != list(itertools.islice(documents(seed=6), 50))


def test_prose_reports_no_lookup_and_no_skill():
    prose = list(itertools.islice(documents(seed=7), 3_000))
    assert not [page for page in prose if "wanted to know" in page and "who" not in page]
    assert not [page for page in prose if re.search("first word|sum of|odd one out", page)]
    mixed = list(itertools.islice(documents(7, Mixture(comprehension=0.7)), 3_000))
    assert sum("wanted to know" in page for page in mixed) > 300


def test_values_stand_at_the_start_of_a_line_as_well_as_within_one():
    pages = "\n".join(itertools.islice(documents(7, Mixture(comprehension=0.7)), 20_000))
    values_of_relations = {fact.value for group in by_relation().values() for fact in group}
    own_line = set(pages.split("\n"))
    within = {value for value in values_of_relations if f" {value}" in pages}
    assert len(values_of_relations & own_line) >= 0.95 * len(values_of_relations)
    assert within == values_of_relations


def test_pages_read_as_prose(pages):
    for page in pages:
        if _is_refrain(page):
            continue
        assert page[0].isupper() or not page[0].isalpha() or page[0] in '"', page
        assert not re.search(r" [.,;]|\.\.|  |\{|\}|\b(an) [bcdfgjklmnpqrstvwxyz]", page), page
        assert not re.search(r"\ba [aeio][a-z]", page), page
