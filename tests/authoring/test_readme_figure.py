"""The README's figure shows the stored runs, and its description has all of its content."""

import re
from io import BytesIO

from PIL import Image

from ift_course.authoring import readme_figure
from ift_course.authoring.readme_figure import BeforeAfter, ReadmeFigure
from ift_course.paths import checkout
from ift_course.plots.figure import PNG_WIDTH

TOY = ReadmeFigure(
    BeforeAfter("A cow", "Moo?", "The cow\nsays [moo]. …", "moo"),
    {"curated": {30: [[1.0, 0.0], [1.0, 1.0]], 1000: [[1.0, 1.0], [1.0, 1.0]]}},
)


def test_the_text_has_every_answer_and_every_mean():
    assert 'A cow. "Moo?": before "The cow / says [moo]. …", after "moo".' in TOY.alt
    assert "curated 0.75 at 30, 1.00 at 1,000" in TOY.alt


def test_the_text_is_one_line_of_markdown():
    assert re.fullmatch(r"!\[[^\[\]\n]+\]\(docs/front\.png\)\n", readme_figure.block(TOY))


def test_a_course_without_stored_runs_has_an_empty_picture():
    png = readme_figure.draw(ReadmeFigure(None, {})).png()
    assert Image.open(BytesIO(png)).width == PNG_WIDTH


def test_the_title_states_the_finding_from_the_runs():
    good, flawed = {300: [[1.0, 0.8]]}, {1000: [[0.5, 0.5]]}
    finding = ReadmeFigure(None, {"good": good, "60 % flawed": flawed}).finding
    assert finding.split() == (
        "Closed world: 300 good examples give 0.90, 1,000 of which 60 % are flawed, 0.50".split()
    )
    assert TOY.finding == ""


def test_the_published_runs_have_both_halves():
    content = readme_figure.read()
    assert content.answers.title.startswith("Gemma 3 270M before and after")
    assert content.answers.before.endswith(" …"), "the base did not stop"
    assert not content.answers.after.endswith(" …"), "the tuned model did"
    assert len(content.lines["good"]) >= 4 and content.finding


def test_a_panel_computed_here_is_not_published(tmp_path, monkeypatch):
    before = readme_figure.read().answers
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    (tmp_path / "gemma").mkdir()
    (tmp_path / "gemma" / "00.json").write_text("{}")
    assert readme_figure.read().answers == before


def test_the_picture_is_in_the_repository_as_large_as_it_is_drawn():
    image = Image.open(checkout() / readme_figure.FILE)
    fig = readme_figure.draw(readme_figure.read())
    assert (image.width, image.mode) == (PNG_WIDTH, "P")
    assert image.height == round(image.width * fig.get_figheight() / fig.get_figwidth())
