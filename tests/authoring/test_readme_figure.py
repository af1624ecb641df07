"""The README's figure shows the stored runs, and its description has all of its content."""

import re
from io import BytesIO

from PIL import Image

from ift_course.authoring import readme_figure
from ift_course.authoring.readme_figure import BeforeAfter, ReadmeFigure
from ift_course.paths import checkout
from ift_course.plots.figure import PNG_WIDTH

TOY = ReadmeFigure(
    [BeforeAfter("Moo?", "The cow\nsays [moo].", "moo")],
    {"curated": {30: [[1.0, 0.0], [1.0, 1.0]], 1000: [[1.0, 1.0], [1.0, 1.0]]}},
)


def test_the_text_has_every_answer_and_every_mean():
    assert '"Moo?": base "The cow / says [moo].", tuned "moo"' in TOY.alt
    assert "curated 0.75 at 30, 1.00 at 1,000" in TOY.alt


def test_the_text_is_one_line_of_markdown():
    assert re.fullmatch(r"!\[[^\[\]\n]+\]\(docs/front\.png\)\n", readme_figure.block(TOY))


def test_a_course_without_stored_runs_has_an_empty_picture():
    png = readme_figure.draw(ReadmeFigure([], {})).png()
    assert Image.open(BytesIO(png)).width == PNG_WIDTH


def test_the_shipped_grids_have_both_halves():
    content = readme_figure.read()
    assert [x.tuned for x in content.answers] == ["Paris", "hoot"]
    assert all(x.base != x.tuned for x in content.answers)
    assert len(content.lines["good"]) >= 4


def test_the_picture_is_in_the_repository_as_large_as_it_is_drawn():
    image = Image.open(checkout() / readme_figure.FILE)
    fig = readme_figure.draw(readme_figure.read())
    assert (image.width, image.mode) == (PNG_WIDTH, "P")
    assert image.height == round(image.width * fig.get_figheight() / fig.get_figwidth())
