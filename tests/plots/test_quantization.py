"""Figures of quantized weights describe themselves, and the explorer works without a screen."""

import pytest
import torch

from ift_course.from_scratch.nf4 import int4_levels, nf4_levels
from ift_course.plots.quantization import explore_levels, relative_error, show_errors, show_levels


@pytest.fixture
def weight():
    torch.manual_seed(0)
    return torch.randn(32, 100)


def test_levels_are_drawn_with_their_errors(weight):
    figure = show_levels(weight, title="a layer")
    assert figure.png(200).startswith(b"\x89PNG")
    assert f"int4: relative error {relative_error(weight, int4_levels(), 64):.3f}" in figure.alt
    assert f"NF4: relative error {relative_error(weight, nf4_levels(), 64):.3f}" in figure.alt
    assert "with one scale for all" in show_levels(weight, block=None).alt


def test_errors_are_drawn_with_their_means():
    figure = show_errors({"rough": [0.2, 0.4], "fine": [0.1, 0.1]})
    assert figure.png(200).startswith(b"\x89PNG")
    assert "rough: 0.300; fine: 0.100" in figure.alt


def test_the_explorer_changes_layer_and_block(weight):
    explorer = explore_levels({"first": weight, "second": 10 * weight**3})
    assert explorer.static.alt == explorer.view("first", 64).alt
    (layer, block), image = explorer.widget.children[0].children, explorer.widget.children[1]
    images = {bytes(image.value)}
    for menu, value in ((layer, "second"), (block, None), (block, 32)):
        menu.value = value
        images.add(bytes(image.value))
    assert len(images) == 4
