"""The README's figure: a real base model before and after tuning, and how little data that takes.

The left half shows answers in results/gemma/00.json, the right one runs of lesson 03 in
results/tiny/grids/.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING

from ift_course.panels.panel import Run, read_panel
from ift_course.paths import evidence_root
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
from ift_course.profile import REAL, get_profile

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BEGIN = "<!-- picture: drawn by `ift build --docs` from results/, do not edit -->"
END = "<!-- picture: end -->"
FILE = "docs/front.png"
QUESTION = "Give me three tips for saving money."  # the base continues it in fluent English
LINE = 0.067  # height of a line, as a share of the axes' height
WRAP = 42  # characters of an answer in one line
SMALL, LARGE, FLAWED = 300, 1000, "60 % flawed"  # what the title on the right compares


@dataclass(frozen=True)
class BeforeAfter:
    """A question, and one model's answers to it before and after tuning.

    Attributes:
        title: What model it is, and what it was tuned on.
        question: The question.
        before: The base's answer.
        after: The tuned model's answer.
    """

    title: str
    question: str
    before: str
    after: str


@dataclass(frozen=True)
class ReadmeFigure:
    """The data of the figure.

    Attributes:
        answers: The left half; None if no answers of the real model are stored.
        lines: The right half: name of the data → number of examples → item scores of each seed.
    """

    answers: BeforeAfter | None
    lines: Curves

    @property
    def finding(self) -> str:
        """What the right half shows; empty without the two points that it compares."""
        good, flawed = (self.lines.get(name, {}) for name in ("good", FLAWED))
        if SMALL not in good or LARGE not in flawed:
            return ""
        return (
            f"Closed world: {SMALL:,} good examples give {_mean(good[SMALL]):.2f},\n"
            f"{LARGE:,} of which {FLAWED.replace(' flawed', '')} are flawed, "
            f"{_mean(flawed[LARGE]):.2f}"
        )

    @property
    def alt(self) -> str:
        """The figure in words, with its numbers."""
        parts = []
        if x := self.answers:
            before, after = (" / ".join(text.splitlines()) for text in (x.before, x.after))
            parts.append(f'Left: {x.title}. "{x.question}": before "{before}", after "{after}".')
        lines = "; ".join(
            f"{name} "
            + ", ".join(f"{_mean(seeds):.2f} at {n:,.0f}" for n, seeds in sorted(points.items()))
            for name, points in self.lines.items()
        )
        parts.append(
            "Right: share of held-out questions of the closed world answered correctly, by number "
            f"of examples tuned on: {lines}."
        )
        return " ".join(parts)


def read() -> ReadmeFigure:
    """Read the published runs; a half without any stays empty."""
    from ift_course.claims import grid_store
    from ift_course.lessons.lesson_03 import config, figures

    lesson_03_results = grid_store.read(get_profile("tiny"), "03", config.LimaResult)
    return ReadmeFigure(_published_answers(), figures.by_share(lesson_03_results))


def _published_answers() -> BeforeAfter | None:
    """The real model's answers to QUESTION, of lesson 00's panel."""
    path = evidence_root() / REAL / "00.json"
    if not path.exists():
        return None
    panel = read_panel(path)
    before, after = (_reply(runs[0]) for runs in panel.arms.values())
    title = panel.title.replace("A real base model", panel.model)
    return BeforeAfter(title, QUESTION, before, after)


def _reply(run: Run) -> str:
    """What the run answers to QUESTION; a mark shows that it was cut."""
    [reply] = [reply for reply in run.replies if reply.prompt == QUESTION]
    return reply.text if reply.finished else f"{reply.text} …"


def draw(content: ReadmeFigure) -> Picture:
    """Draw the answers on the left and the curves on the right."""
    fig = new_figure(3.4, title="", alt=content.alt)
    left, right = subplots(fig, 1, 2, width_ratios=(1, 1.12))
    with house_style():
        _draw_answers(left, content.answers)
        _draw_lines(right, content)
    return fig


def block(content: ReadmeFigure) -> str:
    """The README's lines between BEGIN and END."""
    return f"![{content.alt.replace('[', '(').replace(']', ')')}]({FILE})\n"


def _draw_answers(ax: Axes, answers: BeforeAfter | None) -> None:
    ax.set_axis_off()
    if answers is None:
        return
    ax.set_xlim(0, 1)
    ax.set_ylim(0, 1)
    title = "\n".join(textwrap.wrap(answers.title, 31))
    ax.set_title(title, loc="left", fontsize=11, fontweight="bold")
    top = 0.985
    ax.text(0, top, answers.question, va="top", fontsize=10.5, fontweight="bold", color=INK)
    for name, text in (("before", answers.before), ("after", answers.after)):
        top -= 1.7 * LINE
        color = INK if name == "before" else COLORS[0]
        ax.text(0, top, name, va="top", fontsize=9.5, color=FAINT, linespacing=1.25)
        lines = [part for line in text.splitlines() for part in textwrap.wrap(line, WRAP)]
        ax.text(0.17, top, "\n".join(lines), va="top", fontsize=9.5, color=color,
                linespacing=1.25)  # fmt: skip
        top -= LINE * (len(lines) - 1)


def _draw_lines(ax: Axes, content: ReadmeFigure) -> None:
    lines = content.lines
    ax.set_title(content.finding, loc="left", fontsize=11, fontweight="bold")
    for number, (name, points) in enumerate(lines.items()):
        draw_line(ax, points, number)
        last = max(points)
        ax.annotate(name, (last, _mean(points[last])), xytext=(7, 0), textcoords="offset points",
                    va="center", fontsize=9.5, annotation_clip=False)  # fmt: skip
    set_size_axis(ax, {n for points in lines.values() for n in points})
    ax.grid(True, axis="y")
    ax.grid(False, axis="x")
    ax.set_xlabel("examples tuned on, at equal compute")
    ax.set_ylabel("share correct (95 % band)")


def _mean(seeds: Sequence[Sequence[float]]) -> float:
    return fmean(map(fmean, seeds))
