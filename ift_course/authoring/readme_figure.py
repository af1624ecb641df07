"""The README's picture: a model before and after its tuning, and how little data that takes.

Both halves are drawn from stored runs in results/tiny/grids/, of lessons 08 and 03.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from matplotlib import rc_context

from ift_course.plots.figure import COLORS, FAINT, INK, STYLE, Picture, picture
from ift_course.plots.grid_figures import Curves, draw_line, mark_sizes
from ift_course.profile import get_profile

BEGIN = "<!-- picture: drawn by `ift build --docs` from results/tiny/grids, do not edit -->"
END = "<!-- picture: end -->"
FILE = "docs/front.png"
QUESTIONS = 2  # as many as fit
LINE = 0.078  # of the height


@dataclass(frozen=True)
class Said:
    """One question, and what one model said before and after tuning."""

    question: str
    base: str
    tuned: str


@dataclass(frozen=True)
class Front:
    """What the picture shows. lines: share flawed, in words → number of examples → seeds' items."""

    said: Sequence[Said]
    lines: Curves

    @property
    def alt(self) -> str:
        """The picture in words, with its numbers."""
        told = "; ".join(
            f'"{x.question}": base "{" / ".join(x.base.splitlines())}", tuned "{x.tuned}"'
            for x in self.said
        )
        lines = "; ".join(
            f"{name} "
            + ", ".join(f"{_mean(seeds):.2f} at {n:,.0f}" for n, seeds in sorted(points.items()))
            for name, points in self.lines.items()
        )
        return (
            f"Left, the same model before and after tuning. {told}. Right, share of held-out "
            f"questions answered rightly by number of examples tuned on: {lines}."
        )


def read() -> Front:
    """What is stored of the profile tiny; nothing on a side that was never computed."""
    from ift_course.claims import grid_store
    from ift_course.lessons.lesson_03 import config, figures
    from ift_course.lessons.lesson_08 import experiment, recipes

    profile = get_profile("tiny")
    rows = {
        row.config: row
        for row in reversed(grid_store.read(profile, "08", experiment.ForgettingResult))
        if row.config in (recipes.RECIPES["base"], recipes.RECIPES["general model"])
    }
    said = []
    if len(rows) == 2:
        base, tuned = (rows[recipes.RECIPES[name]].answers for name in ("base", "general model"))
        said = [Said(q, base[q], tuned[q]) for q in experiment.SAMPLE_PROMPTS[:QUESTIONS]]
    of_lesson_03 = grid_store.read(profile, "03", config.LimaResult)
    return Front(said, figures.by_share(of_lesson_03, equal_steps=True))


def draw(front: Front) -> Picture:
    """The answers on the left, the curves on the right."""
    sheet = picture(3.3, title="", alt=front.alt)
    with rc_context(STYLE):
        left, right = sheet.subplots(1, 2, width_ratios=(1, 1.12))
        _draw_answers(left, front.said)
        _draw_lines(right, front.lines)
    return sheet


def block(front: Front) -> str:
    """The README's lines between BEGIN and END."""
    return f"![{front.alt.replace('[', '(').replace(']', ')')}]({FILE})\n"


def _draw_answers(ax, said: Sequence[Said]) -> None:
    ax.set_axis_off()
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    ax.set_title("The same model, before and after", loc="left", fontsize=11.5, fontweight="bold")
    top = 0.97
    for one in said:
        ax.text(0, top, one.question, va="top", fontsize=10.5, fontweight="bold", color=INK)
        for name, text, color in (("base", one.base, FAINT), ("tuned", one.tuned, COLORS[0])):
            top -= LINE
            ax.text(0, top, name, va="top", fontsize=9.5, color=FAINT)
            lines = [part for line in text.splitlines() for part in textwrap.wrap(line, 42)]
            weight = "bold" if name == "tuned" else "normal"
            ax.text(0.17, top, "\n".join(lines), va="top", fontsize=9.5, color=color,
                    fontweight=weight, linespacing=1.25)  # fmt: skip
            top -= LINE * (len(lines) - 1)
        top -= 1.5 * LINE


def _draw_lines(ax, lines: Curves) -> None:
    ax.set_title("Quality before quantity", loc="left", fontsize=11.5, fontweight="bold")
    for number, (name, points) in enumerate(lines.items()):
        draw_line(ax, points, number)
        last = max(points)
        ax.annotate(name, (last, _mean(points[last])), xytext=(7, 0), textcoords="offset points",
                    va="center", fontsize=9.5, annotation_clip=False)  # fmt: skip
    mark_sizes(ax, {n for points in lines.values() for n in points})
    ax.grid(True, axis="y")
    ax.grid(False, axis="x")
    ax.set_xlabel("examples tuned on, at equal compute")
    ax.set_ylabel("share right (95 % band)")


def _mean(seeds: Sequence[Sequence[float]]) -> float:
    return fmean(map(fmean, seeds))
