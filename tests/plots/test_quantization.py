"""Figures of quantized weights describe themselves, and the explorer works without a screen."""

import pytest
import torch

from ift_course.from_scratch.nf4 import int4_levels, nf4_levels
from ift_course.plots.quantization import (
    explore_levels,
    level_sets,
    level_usage,
    relative_error,
    show_levels,
)


@pytest.fixture
def weight():
    torch.manual_seed(0)
    return torch.randn(32, 100)


def test_levels_are_drawn_with_their_errors(weight):
    figure = show_levels(weight, title="a layer")
    assert figure.png(200).startswith(b"\x89PNG")
    assert (
        f"int4, 15 levels: relative error {relative_error(weight, int4_levels(), 64):.3f}"
        in figure.alt
    )
    assert f"NF4: relative error {relative_error(weight, nf4_levels(), 64):.3f}" in figure.alt
    assert "with one scale for all" in show_levels(weight, block=None).alt


def test_every_weight_is_rounded_to_one_of_the_levels(weight):
    for levels in level_sets().values():
        usage = level_usage(weight, levels, 64)
        assert len(usage) == len(levels) and sum(usage) == pytest.approx(1)


def test_sixteen_even_levels_lie_between_int4_and_nf4_in_error(weight):
    int4, even, nf4 = (relative_error(weight, levels, 64) for levels in level_sets().values())
    assert int4 > even > nf4


def test_the_explorer_changes_layer_and_block(weight):
    explorer = explore_levels({"first": weight, "second": 10 * weight**3})
    assert explorer.static.alt == explorer.view("first", 64).alt
    (layer, block), image = explorer.widget.children[0].children, explorer.widget.children[1]
    images = {bytes(image.value)}
    for menu, value in ((layer, "second"), (block, None), (block, 32)):
        menu.value = value
        images.add(bytes(image.value))
    assert len(images) == 4
