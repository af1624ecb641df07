"""Weights and the 16 levels they are rounded to: a picture, an explorer, and the errors.

show_levels(weight)     where the levels of NF4 and int4 lie among the weights of a layer
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ift_course.from_scratch.nf4 import BLOCK, encode, int4_levels, nf4_levels, round_trip
from ift_course.plots.figure import COLORS, FAINT, INK, STYLE, Picture, axes, footnote, picture

if TYPE_CHECKING:
    from torch import Tensor

BLOCKS = (32, 64, 128, 256, 1024, None)  # None: one scale for the whole matrix


def relative_error(weight: Tensor, levels: Tensor, block: int | None) -> float:
    """Size of the rounding error as a share of the size of the weights (Frobenius norms)."""
    return ((round_trip(weight, levels, block) - weight).norm() / weight.norm()).item()


def show_levels(weight: Tensor, *, block: int | None = BLOCK, title: str = "") -> Picture:
    """The weights divided by their block's largest, as a histogram, under both sets of levels.

    weight: one layer's matrix, float. block: None gives the whole matrix one scale.
    """
    from matplotlib import rc_context

    size = block or weight.numel()
    _, absmax = encode(weight.flatten(), nf4_levels(), size)
    missing = -weight.numel() % size
    padded = np.pad(weight.float().flatten().numpy(), (0, missing)).reshape(-1, size)
    scaled = (padded / absmax[:, None].numpy()).flatten()[: weight.numel()]
    errors = {
        "int4": (int4_levels(), relative_error(weight, int4_levels(), block)),
        "NF4": (nf4_levels(), relative_error(weight, nf4_levels(), block)),
    }
    each = f"in blocks of {block}" if block else "with one scale for all"
    told = "; ".join(f"{name}: relative error {error:.3f}" for name, (_, error) in errors.items())
    sheet = picture(4.4, title=title, alt=f"Histogram of weights {each} under the levels. {told}.")
    with rc_context(STYLE):
        panels = sheet.subplots(2, 1, sharex=True)
    for ax, color, (name, (levels, error)) in zip(panels, COLORS, errors.items(), strict=False):
        ax.hist(scaled, bins=160, range=(-1, 1), color="#CFCFCF")
        top = ax.get_ylim()[1]
        ax.vlines(levels, 0, top, color=color, linewidth=1.4)
        ax.set_ylim(0, top)
        ax.set_title(f"{name}, {each}: relative error {error:.3f}", loc="left", fontsize=11)
        ax.set_yticks([])
        ax.grid(False)
        ax.spines["left"].set_visible(False)
    panels[-1].set_xlabel("weight / its block's largest" if block else "weight / the largest")
    footnote(sheet, "gray: how many weights lie there · lines: the levels they are rounded to")
    return sheet


def show_errors(errors: Mapping[str, Sequence[float]], *, title: str = "") -> Picture:
    """One row for each way to round: a dot for every layer's relative error, a bar for the mean."""
    means = {name: float(np.mean(values)) for name, values in errors.items()}
    told = "; ".join(f"{name}: {mean:.3f}" for name, mean in means.items())
    sheet = picture(1.3 + 0.6 * len(errors), title=title, alt=f"Relative errors, mean: {told}.")
    ax = axes(sheet, xlabel="relative error of the weights", grid="x")
    for y, (name, values) in enumerate(errors.items()):
        ax.barh(y, means[name], height=0.56, color=COLORS[0], alpha=0.35, edgecolor=COLORS[0])
        spread = y + np.linspace(-0.2, 0.2, len(values))
        ax.scatter(values, spread, s=14, color="white", edgecolor=INK, linewidth=0.8, zorder=3)
        ax.annotate(f"{means[name]:.3f}", (0, y), xytext=(8, 0), va="center",
                    textcoords="offset points", fontweight="bold")  # fmt: skip
    ax.set_yticks(range(len(errors)), list(errors))
    ax.invert_yaxis()
    ax.spines["left"].set_visible(False)
    ax.axvline(0, color=FAINT, linewidth=1)
    footnote(sheet, "bar: mean over the layers · dot: one layer")
    return sheet


class LevelExplorer:
    """Choose a layer and a block size, and see where the levels fall and what they cost.

    `static` is the first layer in blocks of 64, which a notebook keeps without a kernel; `widget`
    is what one plays with. Showing the explorer shows both.
    """

    def __init__(self, weights: Mapping[str, Tensor]):
        self.weights = dict(weights)

    def view(self, layer: str, block: int | None = BLOCK) -> Picture:
        """The picture of one layer in blocks of one size."""
        return show_levels(self.weights[layer], block=block, title=layer)

    @cached_property
    def static(self) -> Picture:
        """The first layer in blocks of 64."""
        return self.view(next(iter(self.weights)))

    @cached_property
    def widget(self):
        """Two menus and the picture, made when they are first needed."""
        import ipywidgets as widgets

        layer = widgets.Dropdown(options=list(self.weights), description="Layer")
        sizes = [(str(block or "whole matrix"), block) for block in BLOCKS]
        block = widgets.Dropdown(options=sizes, value=BLOCK, description="Block")
        image = widgets.Image(value=self.static.png(), format="png", width=800)

        def draw(_=None) -> None:
            image.value = self.view(layer.value, block.value).png()

        for menu in (layer, block):
            menu.observe(draw, names="value")
        return widgets.VBox([widgets.HBox([layer, block]), image])

    def _ipython_display_(self) -> None:
        from IPython.display import display

        bundle = self.widget._repr_mimebundle_()
        # Where no widget can be drawn, as on GitHub, this line stands in its place.
        bundle["text/plain"] = "Run this cell to choose a layer and a block size. One of them:"
        display(bundle, raw=True)
        display(self.static)


def explore_levels(weights: Mapping[str, Tensor]) -> LevelExplorer:
    """An explorer of layers' weights, given by name."""
    return LevelExplorer(weights)
