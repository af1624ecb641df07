"""Pictures are small files that look right: 1,200 pixels wide, with a palette on white."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from ift_course.plots import charts
from ift_course.plots.figure import COLORS, PALETTE_SIZE, PNG_WIDTH, WIDTH, text_color


@pytest.fixture(scope="module")
def picture():
    return charts.loss_curve({"a": [3.0, 2.0, 1.0], "b": [3.0, 2.5, 2.4]}, title="Two runs")


@pytest.fixture(scope="module")
def image(picture):
    return Image.open(BytesIO(picture.png()))


def test_a_file_is_1200_pixels_wide_with_a_palette(image):
    assert image.width == PNG_WIDTH == 1200
    assert image.mode == "P"
    assert len(image.getcolors()) <= PALETTE_SIZE


def test_the_background_stays_white_and_lines_keep_their_colors(image):
    pixels = np.array(image.convert("RGB"))
    assert (pixels[0, 0] == 255).all()
    for color in COLORS[:2]:
        rgb = [int(color[i : i + 2], 16) for i in (1, 3, 5)]
        assert np.abs(pixels.astype(int) - rgb).max(axis=2).min() <= 8


def test_the_palette_makes_the_file_smaller_and_the_picture_hardly_different(picture, image):
    file = BytesIO()
    picture.savefig(file, format="png", dpi=PNG_WIDTH / picture.get_figwidth())
    full = np.array(Image.open(file).convert("RGB")).astype(int)
    assert len(picture.png()) < 0.7 * file.getbuffer().nbytes
    assert np.abs(full - np.array(image.convert("RGB"))).mean() < 1


def test_a_notebook_shows_it_as_wide_as_githubs_column(picture):
    data, metadata = picture._repr_mimebundle_()
    assert metadata["image/png"] == {"width": WIDTH, "alt": picture.alt}
    assert Image.open(BytesIO(data["image/png"])).size == Image.open(BytesIO(picture.png())).size


@pytest.mark.parametrize(
    ("color", "text"),
    [("#767676", "#767676"), ("#0072B2", "#0072b2"), ("#E69F00", "#9c6c00"), ("white", "#757575")],
)
def test_words_on_white_are_darkened_only_as_far_as_they_need_it(color, text):
    assert text_color(color) == text


def test_the_names_at_the_ends_of_lines_have_the_colors_of_their_lines(picture):
    names = {text.get_text(): text.get_color() for text in picture.axes[0].texts}
    assert names == {"a": text_color(COLORS[0]), "b": text_color(COLORS[1])}
