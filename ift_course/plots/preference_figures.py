"""Pictures of preference tuning: stages side by side, rewards, calibration, overoptimization."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property

import numpy as np

from ift_course.plots.charts import Seeds, _summary
from ift_course.plots.figure import (
    COLORS,
    DASHES,
    FAINT,
    INK,
    MARKERS,
    Picture,
    axes,
    footnote,
    picture,
)
from ift_course.plots.transcript import Transcript


def stages(measured: Mapping[str, Mapping[str, Seeds]], *, title: str = "") -> Picture:
    """Every stage's share on every measure, with its 95 % interval.

    measured: measure -> stage -> seeds, as `charts.bars_with_intervals` takes them.
    """
    rows = {
        measure: {stage: _summary(seeds, (0.0, 1.0)) for stage, seeds in stages.items()}
        for measure, stages in measured.items()
    }
    told = "; ".join(
        f"{measure}: " + ", ".join(f"{stage} {np.mean(m):.2f}" for stage, (m, _) in found.items())
        for measure, found in rows.items()
    )
    names = list(next(iter(rows.values())))
    height = 0.6 + (0.16 * len(names) + 0.3) * len(rows)
    height += 0.25 * -(-len(names) // 3)
    sheet = picture(height, title=title, alt=f"Dot chart, {title}: {told}.")
    ax = axes(sheet, xlabel="share of prompts", grid="x")
    step = 0.8 / len(names)
    for y, found in enumerate(rows.values()):
        for i, (means, interval) in enumerate(found.values()):
            at = y - 0.4 + step * (i + 0.5)
            low, high = interval or (np.mean(means), np.mean(means))
            ax.plot([low, high], [at, at], color=COLORS[i], linewidth=2, solid_capstyle="butt")
            ax.plot(np.mean(means), at, MARKERS[i], color=COLORS[i], markersize=7, clip_on=False,
                    label=names[i] if y == 0 else None)  # fmt: skip
        if y:
            ax.axhline(y - 0.5, color=FAINT, linewidth=0.5)
    ax.set_yticks(range(len(rows)), list(rows))
    ax.set_ylim(len(rows) - 0.5, -0.5)
    ax.set_xlim(0, 1)
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=10)
    footnote(sheet, "mark: mean over seeds · line: 95 % interval")
    return sheet


def dpo_curves(history: Sequence[Mapping[str, float]], *, title: str = "") -> Picture:
    """Rewards and log-probabilities of chosen and rejected responses by step, side by side."""
    panels = {
        "implicit reward": ("rewards/chosen", "rewards/rejected", "rewards/margins"),
        "log-probability (nats)": ("logps/chosen", "logps/rejected"),
    }
    first, last = history[0], history[-1]
    told = "; ".join(
        f"{name} from {first[name]:.2f} to {last[name]:.2f}"
        for names in panels.values()
        for name in names
    )
    sheet = picture(3.6, title=title, alt=f"Line charts, {title}: {told}.")
    for ax, (label, names) in zip(_two_axes(sheet), panels.items(), strict=True):
        for i, name in enumerate(names):
            values = np.array([row[name] for row in history])
            steps = range(1, len(values) + 1)
            ax.plot(steps, values, color=COLORS[i], alpha=0.25, linewidth=1)
            ax.plot(steps, _smoothed(values), color=COLORS[i], linestyle=DASHES[i],
                    label=name.partition("/")[2].removesuffix("s"))  # fmt: skip
        ax.set_xlabel("step")
        ax.set_ylabel(label)
        ax.legend(frameon=False, fontsize=10)
    footnote(sheet, "faint: each step · strong: moving mean")
    return sheet


def _smoothed(values: np.ndarray) -> np.ndarray:
    """Mean over a sixth of the run around each step: batches differ much in length."""
    half = max(1, len(values) // 12)
    return np.array([values[max(0, i - half) : i + half + 1].mean() for i in range(len(values))])


def _two_axes(sheet: Picture):
    from matplotlib import rc_context

    from ift_course.plots.figure import STYLE

    with rc_context(STYLE):
        drawn = sheet.subplots(1, 2)
    for ax in drawn:
        ax.grid(False, axis="x")
    return drawn


def calibration(
    predicted: Sequence[float], preferred: Sequence[bool], *, bins: int = 6, title: str = ""
) -> Picture:
    """Does what a reward model believes come true?

    predicted: its probability that the first response of a pair is preferred. preferred: whether it
    was. Pairs are put into bins of equal numbers by `predicted`.
    """
    from ift_course.evaluation.intervals import items_interval

    order = np.argsort(predicted, kind="stable")
    points = []
    for chunk in np.array_split(order, bins):
        hits = [float(preferred[i]) for i in chunk]
        points.append((np.mean([predicted[i] for i in chunk]), np.mean(hits), items_interval(hits)))
    told = ", ".join(f"{p:.2f} believed and {s:.2f} so" for p, s, _ in points)
    sheet = picture(4.2, title=title, alt=f"Calibration chart, {title}: {told}.")
    ax = axes(sheet, xlabel="believed: probability that the first response is preferred",
              ylabel="share in which it was")  # fmt: skip
    ax.plot([0, 1], [0, 1], color=FAINT, linestyle=":", linewidth=1)
    for believed, share, (low, high) in points:
        ax.plot([believed, believed], [low, high], color=INK, linewidth=2)
        ax.plot(believed, share, "o", color=COLORS[0], markersize=8)
    ax.set_xlim(0, 1)
    ax.set_ylim(-0.02, 1.02)
    footnote(sheet, "dotted: a perfectly calibrated model · line: 95 % interval over pairs")
    return sheet


def overoptimization(
    curves: Mapping[str, Sequence[Sequence[Mapping[str, float]]]],
    *,
    names: Mapping[str, str],
    title: str = "",
    xlabel: str = "KL from the SFT model (nats a response)",
) -> Picture:
    """What was rewarded and what was wanted, by the distance from the start; one panel a curve.

    curves: panel -> seeds -> points with "kl" and the keys of `names`. names: key -> what it is.
    """
    told = "; ".join(
        f"{panel}: " + ", ".join(
            f"{said} from {np.mean([s[0][key] for s in seeds]):.2f} to "
            f"{np.mean([s[-1][key] for s in seeds]):.2f}" for key, said in names.items()
        )
        for panel, seeds in curves.items()
    )  # fmt: skip
    sheet = picture(3.8, title=title, alt=f"Line charts, {title}: {told}.")
    from matplotlib import rc_context

    from ift_course.plots.figure import STYLE

    with rc_context(STYLE):
        drawn = sheet.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    for ax, (panel, seeds) in zip(drawn, curves.items(), strict=True):
        for i, (key, said) in enumerate(names.items()):
            for number, points in enumerate(seeds):
                ax.plot([p["kl"] for p in points], [p[key] for p in points], color=COLORS[3 * i],
                        marker=MARKERS[i], linestyle=DASHES[i], markersize=5, linewidth=1.4,
                        label=said if number == 0 else None)  # fmt: skip
        ax.set_title(panel, fontsize=11)
        ax.set_xlabel(xlabel, fontsize=10)
        ax.grid(False, axis="x")
    drawn[0].legend(frameon=False, fontsize=10)
    drawn[0].set_ylabel("mean over samples")
    footnote(sheet, "one line a seed; points in the order of training")
    return sheet


class Slider:
    """A value to choose and what belongs to it; without a kernel, the table of all values.

    static: shows everything. view: the table of one value.
    """

    def __init__(self, name: str, values: Sequence[float], view: Callable[[float], Transcript],
                 static: Transcript):  # fmt: skip
        self.name, self.values, self.view, self.static = name, list(values), view, static

    @cached_property
    def widget(self):
        """The slider and the table below it, made when they are first needed."""
        import ipywidgets as widgets

        middle = self.values[len(self.values) // 2]
        slider = widgets.SelectionSlider(options=self.values, value=middle, description=self.name)
        shown = widgets.HTML(self.view(middle).html())

        def show(_=None) -> None:
            shown.value = self.view(slider.value).html()

        slider.observe(show, names="value")
        return widgets.VBox([slider, shown])

    def _ipython_display_(self) -> None:
        from IPython.display import display

        bundle = self.widget._repr_mimebundle_()
        # Where no widget can be drawn, as on GitHub, this line stands in its place.
        bundle["text/plain"] = f"Run this cell to move {self.name}. All of its values:"
        display(bundle, raw=True)
        display(self.static)
