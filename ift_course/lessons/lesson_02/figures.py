"""Lesson 02's drawings: packed sequences, the mask that separates examples, and formats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from statistics import fmean
from typing import TYPE_CHECKING

from ift_course.from_scratch.packing import best_fit_decreasing
from ift_course.plots.charts import bars_with_intervals
from ift_course.plots.chat_formats import FormatExplorer
from ift_course.plots.figure import COLORS, FAINT, INK, Picture, footnote, new_figure, subplots
from ift_course.plots.loss_mask import MaskView
from ift_course.plots.packed_rows import show_packing

if TYPE_CHECKING:
    from matplotlib.patches import Rectangle
    from transformers import PreTrainedTokenizerBase

QUESTION = {"role": "user", "content": "Name the sound of the owl."}
ANSWER = {"role": "assistant", "content": "hoot"}
BRIEF = {"role": "system", "content": "Be brief."}


def packing(lengths: Sequence[int], capacity: int) -> Picture:
    """Draw examples padded and packed; the title says what packing saves.

    Args:
        lengths: Of the examples, in tokens.
        capacity: Of a sequence, in tokens.
    """
    packed = len(best_fit_decreasing(lengths, capacity))
    title = f"Packing puts {len(lengths)} examples into {packed} sequences of {capacity} tokens"
    return show_packing(lengths, capacity, title=title)


def block_mask(lengths: Sequence[int]) -> Picture:
    """Draw who may look at whom in a packed sequence: causally alone, and with examples separated.

    Args:
        lengths: Of the examples in the sequence, in tokens.
    """
    example = [i for i, length in enumerate(lengths) for _ in range(length)]
    size = len(example)
    pairs = [(row, column) for row in range(size) for column in range(row + 1)]
    across = [(row, column) for row, column in pairs if example[row] != example[column]]
    title = (
        f"Under the causal mask alone, {len(across)} of the {len(pairs)} allowed links lead to "
        "another example"
    )
    fig = new_figure(3.6, title=title, alt=f"{title}. Examples of {list(lengths)} tokens.")
    panels = subplots(fig, 1, 2)
    for ax, name, separated in zip(
        panels, ("causal mask alone", "causal and block-diagonal"), (False, True), strict=True
    ):
        for row, column in pairs:
            crosses = example[row] != example[column]
            if crosses and separated:
                continue
            ax.add_patch(_square(column, row, crosses))
        for border in _borders(lengths):
            for line in (ax.axhline, ax.axvline):
                line(border - 0.5, color=FAINT, linewidth=1, linestyle="--")
        ax.set_xlim(-0.6, size - 0.4)
        ax.set_ylim(size - 0.4, -0.6)
        ax.set_aspect("equal")
        ax.set_xticks(range(size), [str(i + 1) for i in range(size)])
        ax.set_yticks(range(size), [str(i + 1) for i in range(size)])
        ax.grid(False)
        ax.set_title(name, loc="left", fontsize=11)
        ax.set_xlabel("token that is attended to")
    panels[0].set_ylabel("token that attends")
    footnote(fig, "filled: of the same example · ×: of another example")
    return fig


class _Formats(FormatExplorer):
    """The explorer, with one exchange in three formats as its picture without a kernel."""

    @cached_property
    def static(self) -> MaskView:
        styles = {"ChatML": "chatml", "Llama 3": "llama-3", "Alpaca": "alpaca"}
        views = [self.view("one turn", style) for style in styles.values()]
        return MaskView([view.rows[0] for view in views], list(styles))


def explore(tokenizer: PreTrainedTokenizerBase) -> FormatExplorer:
    """A widget that shows conversations in the formats of five families."""
    conversations = {
        "with a system turn": [BRIEF, QUESTION, ANSWER],
        "one turn": [QUESTION, ANSWER],
        "two turns": [QUESTION, ANSWER, QUESTION, ANSWER],
    }
    styles = ["llama-3", "alpaca", "zephyr", "mistral", "chatml"]
    return _Formats(tokenizer, conversations, styles)


def formats(arms: Mapping[str, Sequence[Sequence[float]]]) -> Picture:
    """Bars of the same model asked in several formats; the title says what the worst one costs.

    Args:
        arms: For each format a list of item scores for each seed, the trained format first.
    """
    means = {name: [fmean(items) for items in seeds] for name, seeds in arms.items()}
    trained = next(iter(means))
    worst = min(means, key=lambda name: fmean(means[name]))
    low, high = min(means[worst]), max(means[worst])
    title = (
        f"Asked in {worst}, the model is right {fmean(means[worst]):.0%} of the time "
        f"({low:.0%} to {high:.0%} by seed) instead of {fmean(means[trained]):.0%}"
    )
    return bars_with_intervals(arms, title=title)


def _square(column: int, row: int, crosses: bool) -> Rectangle:
    from matplotlib.patches import Rectangle

    return Rectangle(
        (column - 0.44, row - 0.44),
        0.88,
        0.88,
        facecolor="white" if crosses else COLORS[0],
        edgecolor=COLORS[3] if crosses else INK,
        hatch="xx" if crosses else None,
        linewidth=1,
    )


def _borders(lengths: Sequence[int]) -> list[int]:
    """The positions at which a new example begins, without the first."""
    return [sum(lengths[:i]) for i in range(1, len(lengths))]
