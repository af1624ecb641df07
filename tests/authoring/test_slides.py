"""A deck shows what the notebook holds, and loads nothing."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ift_course.authoring.report import figures
from ift_course.authoring.slides import notebook_parts, render
from ift_course.authoring.slides.deck import make_deck
from ift_course.cli import app
from ift_course.errors import CourseError
from ift_course.lessons.discover import Lesson, lessons

ADDRESS = re.compile(
    r"""(?:src|href|data|action|poster|srcset)\s*=\s*["']([^"']*)|url\(([^)]*)\)|@import"""
)
PARTS = notebook_parts.Part


@pytest.fixture(scope="module")
def decks():
    return {x.number: make_deck(x) for x in lessons()}


@pytest.fixture(scope="module")
def pages(decks):
    return {number: render.html(deck) for number, deck in decks.items()}


def test_every_lesson_has_a_deck_that_loads_nothing(pages):
    assert len(pages) == len(lessons()) > 0
    for page in pages.values():
        for match in ADDRESS.finditer(page):
            address = match[1] or match[2] or ""
            # A link that a person may follow is no resource.
            is_link = match[0].startswith("href") and address.startswith("https://")
            assert address.startswith(("data:", "#")) or is_link, match[0][:80]
        assert "<link" not in page and "<iframe" not in page and "<script src" not in page


def test_every_figure_of_the_notebook_is_in_the_deck_with_a_description(decks, pages):
    for number, deck in decks.items():
        uris = [x.uri for x in figures(deck.lesson.source.with_suffix(".ipynb"))]
        assert [x.values["uri"] for x in deck.slides if x.kind == "picture"] == uris
        assert all(uri in pages[number] for uri in uris)
        assert all(x.values["alt"] for x in deck.slides if x.kind == "picture")


def test_every_published_claim_is_in_the_deck_as_it_was_measured(decks):
    for deck in decks.values():
        claims = [x.values["claim"].id for x in deck.slides if x.kind == "claim"]
        rows = [row for x in deck.slides if x.kind == "findings" for row in x.values["rows"]]
        assert len(claims) == len(set(claims)) <= len(rows)
        for slide in (x for x in deck.slides if x.kind == "claim"):
            claim = slide.values["claim"]
            assert (slide.values["verdict"], claim.statement) in [row[:2] for row in rows]


def test_an_answer_stands_on_the_slide_after_its_question(decks):
    for deck in decks.values():
        questions = [i for i, x in enumerate(deck.slides) if x.title == "Question"]
        for index in questions:
            question, answer = deck.slides[index : index + 2]
            assert not question.values["answer"] and answer.values["answer"]
            assert question.values["options"] == answer.values["options"]
    assert sum(x.title == "Question" for deck in decks.values() for x in deck.slides) > 20


def test_a_prediction_is_followed_by_what_came_out(decks):
    asked = 0
    for deck in decks.values():
        for slide, after in zip(deck.slides, deck.slides[1:], strict=False):
            if slide.title == "What do you expect?":
                asked += 1
                assert after.kind in ("output", "picture", "claim", "text", "code"), deck.lesson
    assert asked >= 2 * (len(decks) - 1)  # every lesson but the overview asks at least twice


def test_each_deck_begins_with_the_lesson_and_ends_with_exercises(decks):
    for deck in decks.values():
        assert deck.slides[0].title == deck.lesson.title and deck.slides[-1].title == "Exercises"
        assert sum(x.kind == "code" for x in deck.slides) <= 1
    assert sum(x.kind == "code" for deck in decks.values() for x in deck.slides) >= 8


@pytest.mark.parametrize(("text", "invites"), [
    ("**Predict:** what is left?", True), ("Look at it. Predict the three losses.", True),
    ("Before you run the cell, predict which.", True), ("It learns to predict tokens.", False),
    ("We had predicted that it wins.", False), ("**Predict before you run.** With 63", True),
])  # fmt: skip
def test_only_an_invitation_to_predict_is_one(text, invites):
    assert notebook_parts.is_invitation(PARTS("", blocks=[text])) == invites


def test_texts_cannot_become_markup_and_local_links_become_text():
    html = str(render.markdown("<b>x</b> [here](../docs/a.md) [there](https://a.org) $a_b$"))
    assert "<b>" not in html and "../docs" not in html and "here" in html
    assert 'href="https://a.org"' in html and "FORMULA" not in html


def test_long_output_is_cut_and_says_so(tmp_path):
    printed = "".join(f"line {n}\n" for n in range(60))
    cells = [{"cell_type": "markdown", "source": "# T\n\n**Predict** it."},
             {"cell_type": "code", "source": "f()", "outputs": [
                 {"output_type": "stream", "name": "stdout", "text": printed}]}]  # fmt: skip
    (tmp_path / "77_t.ipynb").write_text(json.dumps({"cells": cells}))
    source = tmp_path / "77_t.py"
    source.write_text("# %% [markdown]\n# # T\n")
    page = render.html(make_deck(Lesson("77", "77_t", source)))
    assert "line 21" in page and "line 22" not in page and "38 more lines" in page


def test_a_lesson_that_was_not_built_is_said():
    with pytest.raises(CourseError, match="ift build 78"):
        make_deck(Lesson("78", "78_t", Path("nowhere/78_t.py")))


@pytest.mark.parametrize(("arguments", "message"), [
    ([], "Name the lessons"), (["03", "--all"], "Name the lessons"),
    (["77"], 'There is no lesson "77"'),
])  # fmt: skip
def test_a_wrong_command_is_one_sentence(arguments, message, tmp_path):
    result = CliRunner().invoke(app, ["slides", *arguments, "--out", str(tmp_path / "x")])
    assert result.exit_code == 2 and message in result.output
    assert not (tmp_path / "x").exists()


def test_the_command_writes_the_deck_it_names(tmp_path):
    result = CliRunner().invoke(app, ["slides", "3", "--out", str(tmp_path)])
    [path] = tmp_path.iterdir()
    assert result.exit_code == 0 and path.name in result.output.replace("\n", "")
    assert path.name.startswith("03_") and path.stat().st_size < 500_000
