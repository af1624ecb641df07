"""The README's picture shows what is stored, and its text says all that it shows."""

import re
from io import BytesIO

from matplotlib.image import imread

from ift_course.authoring import readme_figure
from ift_course.authoring.readme_figure import Front, Said
from ift_course.paths import checkout
from ift_course.plots.figure import SHARPNESS, WIDTH

TOY = Front(
    [Said("Moo?", "The cow\nsays [moo].", "moo")],
    {"curated": {30: [[1.0, 0.0], [1.0, 1.0]], 1000: [[1.0, 1.0], [1.0, 1.0]]}},
)


def test_the_text_has_every_answer_and_every_mean():
    assert '"Moo?": base "The cow / says [moo].", tuned "moo"' in TOY.alt
    assert "curated 0.75 at 30, 1.00 at 1,000" in TOY.alt


def test_the_text_is_one_line_of_markdown():
    assert re.fullmatch(r"!\[[^\[\]\n]+\]\(docs/front\.png\)\n", readme_figure.block(TOY))


def test_a_course_without_stored_runs_has_an_empty_picture():
    png = readme_figure.draw(Front([], {})).png()
    assert imread(BytesIO(png)).shape[1] == WIDTH * SHARPNESS


def test_the_shipped_grids_have_both_halves():
    shown = readme_figure.read()
    assert [x.tuned for x in shown.said] == ["Paris", "hoot"]
    assert all(x.base != x.tuned for x in shown.said)
    assert len(shown.lines["curated"]) >= 4


def test_the_picture_is_in_the_repository_as_large_as_it_is_drawn():
    height, width, _ = imread(checkout() / readme_figure.FILE).shape
    sheet = readme_figure.draw(readme_figure.read())
    assert width == WIDTH * SHARPNESS
    assert height == round(width * sheet.get_figheight() / sheet.get_figwidth())
