"""Every term has a short definition, appears in its lesson, and can be linked to."""

import re

import pytest

from ift_course.errors import CourseError
from ift_course.lessons import glossary
from ift_course.lessons.discover import START, lessons
from ift_course.paths import checkout

TERMS = glossary.terms()
REQUIRED = {"fine-tuning", "RLHF", "prompt engineering", "LLM", "alignment", "batch size"}
ABBREVIATED = r"\b(et al|e\.g|i\.e)\."
each_term = pytest.mark.parametrize("term", TERMS, ids=[term.name for term in TERMS])


def source_of(number: str) -> str:
    """A lesson's source."""
    [path] = (checkout() / "notebooks").glob(f"{number}_*.py")
    # A paragraph of a Markdown cell is wrapped, and a term may stand across the wrap.
    return re.sub(r"\n# ", " ", path.read_text(encoding="utf-8")).casefold()


def test_there_are_at_least_forty_and_those_that_everybody_asks_for():
    assert len(TERMS) >= 40
    assert {term.name for term in TERMS} >= REQUIRED


@each_term
def test_a_definition_is_one_or_two_sentences(term):
    text = re.sub(ABBREVIATED, "", term.means)
    assert text.endswith(".")
    assert len(re.findall(r"[.!?](?= [A-Z0-9]|$)", text)) <= 2


@each_term
def test_a_term_appears_in_its_lesson(term):
    text = source_of(term.lesson)
    if not text:
        pytest.skip(f"lesson {term.lesson} is not written yet")
    names = [term.name, *term.also]
    assert any(re.search(rf"\b{re.escape(name.casefold())}", text) for name in names)


def test_no_two_terms_share_a_name_or_an_anchor():
    assert len({term.name.casefold() for term in TERMS}) == len(TERMS)
    assert len({term.anchor for term in TERMS}) == len(TERMS)


def test_anchors_are_those_that_github_makes():
    assert glossary.term("chat template").anchor == "chat-template"
    assert glossary.term("Bradley–Terry model").anchor == "bradleyterry-model"
    assert glossary.term("LLM-as-a-judge").anchor == "llm-as-a-judge"


def test_every_lesson_brings_terms_and_links_to_them():
    for lesson in lessons():
        if lesson.number != START:
            assert any(term.lesson == lesson.number for term in TERMS)
            assert "{{ terms }}" in lesson.source.read_text(encoding="utf-8"), lesson.name


def test_an_unknown_term_is_an_error():
    with pytest.raises(CourseError, match='no term "nonsense"'):
        glossary.term("nonsense")
