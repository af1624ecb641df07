"""The README's figure: a model before and after tuning, and how little data that takes.

Both halves show stored runs in results/tiny/grids/, of lessons 08 and 03.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from ift_course.plots.figure import (
    COLORS,
    FAINT,
    INK,
    Picture,
    house_style,
    new_figure,
    subplots,
)
from ift_course.plots.grid_figures import Curves, draw_line, set_size_axis
from ift_course.profile import get_profile

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BEGIN = "<!-- picture: drawn by `ift build --docs` from results/tiny/grids, do not edit -->"
END = "<!-- picture: end -->"
FILE = "docs/front.png"
N_QUESTIONS = 2  # more do not fit
LINE = 0.078  # height of a line, as a share of the figure's height


@dataclass(frozen=True)
class BeforeAfter:
    """A question, and one model's answers to it before and after tuning."""

    question: str
    base: str
    tuned: str


@dataclass(frozen=True)
class ReadmeFigure:
    """The data of the figure.

    Attributes:
        answers: The left half; empty if the runs of lesson 08 are not stored.
        lines: The right half: name of the data → number of examples → item scores of each seed.
    """

    answers: Sequence[BeforeAfter]
    lines: Curves

    @property
    def alt(self) -> str:
        """The figure in words, with its numbers."""
        answers = "; ".join(
            f'"{x.question}": base "{" / ".join(x.base.splitlines())}", tuned "{x.tuned}"'
            for x in self.answers
        )
        lines = "; ".join(
            f"{name} "
            + ", ".join(f"{_mean(seeds):.2f} at {n:,.0f}" for n, seeds in sorted(points.items()))
            for name, points in self.lines.items()
        )
        return (
            f"Left, the same model before and after tuning. {answers}. Right, share of held-out "
            f"questions answered rightly by number of examples tuned on: {lines}."
        )


def read() -> ReadmeFigure:
    """Read the stored runs of the profile tiny; a half without stored runs stays empty."""
    from ift_course.claims import grid_store
    from ift_course.lessons.lesson_03 import config, figures
    from ift_course.lessons.lesson_08 import experiment, recipes

    profile = get_profile("tiny")
    rows = {
        row.config: row
        for row in reversed(grid_store.read(profile, "08", experiment.ForgettingResult))
        if row.config in (recipes.RECIPES["base"], recipes.RECIPES["general model"])
    }
    answers = []
    if len(rows) == 2:
        base, tuned = (rows[recipes.RECIPES[name]].answers for name in ("base", "general model"))
        prompts = experiment.SAMPLE_PROMPTS[:N_QUESTIONS]
        answers = [BeforeAfter(prompt, base[prompt], tuned[prompt]) for prompt in prompts]
    lesson_03_results = grid_store.read(profile, "03", config.LimaResult)
    return ReadmeFigure(answers, figures.by_share(lesson_03_results))


def draw(content: ReadmeFigure) -> Picture:
    """Draw the answers on the left and the curves on the right."""
    fig = new_figure(3.3, title="", alt=content.alt)
    left, right = subplots(fig, 1, 2, width_ratios=(1, 1.12))
    with house_style():
        _draw_answers(left, content.answers)
        _draw_lines(right, content.lines)
    return fig


def block(content: ReadmeFigure) -> str:
    """The README's lines between BEGIN and END."""
    return f"![{content.alt.replace('[', '(').replace(']', ')')}]({FILE})\n"


def _draw_answers(ax: Axes, answers: Sequence[BeforeAfter]) -> None:
    ax.set_axis_off()
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_title("The same model, before and after", loc="left", fontsize=11.5, fontweight="bold")
    top = 0.97
    for answer in answers:
        ax.text(0, top, answer.question, va="top", fontsize=10.5, fontweight="bold", color=INK)
        for name, text, color in (("base", answer.base, FAINT), ("tuned", answer.tuned, COLORS[0])):
            top -= LINE
            ax.text(0, top, name, va="top", fontsize=9.5, color=FAINT)
            lines = [part for line in text.splitlines() for part in textwrap.wrap(line, 42)]
            weight = "bold" if name == "tuned" else "normal"
            ax.text(0.17, top, "\n".join(lines), va="top", fontsize=9.5, color=color,
                    fontweight=weight, linespacing=1.25)  # fmt: skip
            top -= LINE * (len(lines) - 1)
        top -= 1.5 * LINE


def _draw_lines(ax: Axes, lines: Curves) -> None:
    ax.set_title("Quality before quantity", loc="left", fontsize=11.5, fontweight="bold")
    for number, (name, points) in enumerate(lines.items()):
        draw_line(ax, points, number)
        last = max(points)
        ax.annotate(name, (last, _mean(points[last])), xytext=(7, 0), textcoords="offset points",
                    va="center", fontsize=9.5, annotation_clip=False)  # fmt: skip
    set_size_axis(ax, {n for points in lines.values() for n in points})
    ax.grid(True, axis="y")
    ax.grid(False, axis="x")
    ax.set_xlabel("examples tuned on, at equal compute")
    ax.set_ylabel("share right (95 % band)")


def _mean(seeds: Sequence[Sequence[float]]) -> float:
    return fmean(map(fmean, seeds))
