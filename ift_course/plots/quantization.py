"""Weights and the levels to which they are rounded: a figure, an explorer, errors and usage."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, cast

import numpy as np

from ift_course.from_scratch.nf4 import BLOCK, encode, int4_levels, nf4_levels, round_trip
from ift_course.plots.figure import (
    COLORS,
    Picture,
    footnote,
    new_figure,
    subplots,
)
from ift_course.plots.widgets import display_both

if TYPE_CHECKING:
    from ipywidgets import VBox
    from torch import Tensor

BLOCKS = (32, 64, 128, 256, 1024, None)  # None: one scale for the whole matrix


def relative_error(weight: Tensor, levels: Tensor, block: int | None) -> float:
    """Norm of the rounding error divided by the norm of the weights (Frobenius norms).

    Args:
        weight: One layer's matrix, float.
        levels: The 16 levels, from -1 to 1.
        block: Weights with a common scale; None gives the whole matrix one scale.
    """
    return ((round_trip(weight, levels, block) - weight).norm() / weight.norm()).item()


def level_sets() -> dict[str, Tensor]:
    """Return the levels that are compared: 15 even ones (symmetric int4), 16 even ones, NF4."""
    import torch

    return {
        "int4, 15 levels": int4_levels(),
        "16 even levels": torch.linspace(-1, 1, 16),
        "NF4": nf4_levels(),
    }


def level_usage(weight: Tensor, levels: Tensor, block: int | None) -> list[float]:
    """The share of the weights that is rounded to each level.

    Args:
        weight: One layer's matrix, float.
        levels: The levels, from -1 to 1.
        block: Weights with a common scale; None gives the whole matrix one scale.
    """
    codes, _ = encode(weight.flatten(), levels, block or weight.numel())
    counts = codes.int().bincount(minlength=len(levels))
    return (counts / codes.numel()).tolist()


def show_levels(weight: Tensor, *, block: int | None = BLOCK, title: str = "") -> Picture:
    """A histogram of the scaled weights, with the levels of int4, 16 even ones, and NF4.

    Weights are divided by the largest absolute value of their block.

    Args:
        weight: One layer's matrix, float.
        block: Weights with a common scale; None gives the whole matrix one scale.
        title: Above the figure.
    """
    size = block or weight.numel()
    _, absmax = encode(weight.flatten(), nf4_levels(), size)
    missing = -weight.numel() % size
    padded = np.pad(weight.float().flatten().numpy(), (0, missing)).reshape(-1, size)
    scaled = (padded / absmax[:, None].numpy()).flatten()[: weight.numel()]
    errors = {
        name: (levels, relative_error(weight, levels, block))
        for name, levels in level_sets().items()
    }
    scaling = f"in blocks of {block}" if block else "with one scale for all"
    summary = "; ".join(
        f"{name}: relative error {error:.3f}" for name, (_, error) in errors.items()
    )
    fig = new_figure(
        6.0, title=title, alt=f"Histogram of weights {scaling} with the levels. {summary}."
    )
    panels = subplots(fig, len(errors), 1, sharex=True)
    for ax, color, (name, (levels, error)) in zip(panels, COLORS, errors.items(), strict=False):
        ax.hist(scaled, bins=160, range=(-1, 1), color="#CFCFCF")
        top = ax.get_ylim()[1]
        ax.vlines(levels, 0, top, color=color, linewidth=1.4)
        ax.set_ylim(0, top)
        usage = level_usage(weight, levels, block)
        ax.set_title(
            f"{name}, {scaling}: relative error {error:.3f}, "
            f"levels used {min(usage):.1%} to {max(usage):.1%}",
            loc="left",
            fontsize=11,
        )
        ax.set_yticks([])
        ax.grid(False)
        ax.spines["left"].set_visible(False)
    panels[-1].set_xlabel("weight / its block's largest" if block else "weight / the largest")
    footnote(fig, "gray: histogram of the weights, with spikes where a block's largest are · "
             "lines: the levels")  # fmt: skip
    return fig


class LevelExplorer:
    """Menus of layers and block sizes, with the levels and the rounding error.

    Displaying the explorer shows both of its forms: `widget` is interactive, and `static`, the
    first layer in blocks of 64, is what a notebook keeps without a kernel.
    """

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        self.weights = dict(weights)

    def view(self, layer: str, block: int | None = BLOCK) -> Picture:
        """The figure of one layer in blocks of one size."""
        return show_levels(self.weights[layer], block=block, title=layer)

    @cached_property
    def static(self) -> Picture:
        """The first layer in blocks of 64."""
        return self.view(next(iter(self.weights)))

    @cached_property
    def widget(self) -> VBox:
        """Two menus and the figure, created on first use."""
        import ipywidgets as widgets

        layer = widgets.Dropdown(options=list(self.weights), description="Layer")
        sizes = [(str(block or "whole matrix"), block) for block in BLOCKS]
        block = widgets.Dropdown(options=sizes, value=BLOCK, description="Block")
        image = widgets.Image(value=self.static.png(), format="png", width=800)

        def draw(_: object = None) -> None:
            image.value = self.view(str(layer.value), cast("int | None", block.value)).png()

        for menu in (layer, block):
            menu.observe(draw, names="value")
        return widgets.VBox([widgets.HBox([layer, block]), image])

    def _ipython_display_(self) -> None:
        display_both(
            self.widget,
            self.static,
            hint="Run this cell to choose a layer and a block size. One of them:",
        )


def explore_levels(weights: Mapping[str, Tensor]) -> LevelExplorer:
    """An explorer of the weights of layers, given by name."""
    return LevelExplorer(weights)
