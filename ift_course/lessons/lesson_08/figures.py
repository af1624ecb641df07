"""Lesson 08's figures and tables: four experts, their pace, and what each remedy is worth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import TYPE_CHECKING

from ift_course.claims.results import origin as origin
from ift_course.evaluation.intervals import two_level_interval
from ift_course.lessons.lesson_08.experiment import ForgettingResult
from ift_course.lessons.lesson_08.recipes import PLAIN, SPECIALTIES, candidates
from ift_course.lessons.lesson_08.summary import (
    Change,
    Outcome,
    Seeds,
    arm,
    best,
    difference,
    measured,
    outcomes,
    pace,
    share,
    track,
)
from ift_course.plots.figure import (
    COLORS,
    DASHES,
    FAINT,
    INK,
    MARKERS,
    Picture,
    footnote,
    house_style,
    new_figure,
    subplots,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def specialties(results: Sequence[ForgettingResult]) -> Picture:
    """Four experts: what each scores on its specialty, and on the other families."""
    experts = sorted(outcomes(results, method=PLAIN), key=lambda x: -x.loss.mean)
    title = (
        f"Clearly learned: {names(x for x in experts if is_skilled(x))}; "
        f"costly to the other families: {names(x for x in experts if is_costly(x))}"
    )
    numbers = "; ".join(
        f"{x.family}: specialty {share(x.special):.2f}, before {share(x.before):.2f}, "
        f"a constant answer {share(x.constant):.2f}, others {share(x.others):.2f}, "
        f"before {share(x.others_before):.2f}"
        for x in experts
    )
    fig = new_figure(2.6, title=title, alt=f"Dot chart, {title}: {numbers}.")
    with house_style():
        left, right = subplots(fig, 1, 2, sharey=True)
        for y, x in enumerate(experts):
            _dot(left, y, x.before, 3, "general model", y == 0)
            _dot(left, y, x.constant, 6, "a constant answer", y == 0, hollow=True)
            _dot(left, y, x.special, 0, "expert", y == 0)
            _dot(right, y, x.others_before, 3, "", False)
            _dot(right, y, x.others, 0, "", False)
        _share_axis(left, "right on its specialty")
        _share_axis(right, "right on the other families")
        left.set_yticks(range(len(experts)), [x.family for x in experts])
        left.set_ylim(len(experts) - 0.5, -0.5)
        _legend_above(left, ncols=3)
    footnote(fig, f"mark: mean · line: 95 % interval · {origin(results)}")
    return fig


def over_time(results: Sequence[ForgettingResult]) -> Picture:
    """Both scores of each expert after so many steps."""
    curves = {family: track(results, family) for family in SPECIALTIES}
    experts = outcomes(results, method=PLAIN)
    title = (
        f"The other families fall while these experts train: {names(filter(is_costly, experts))}; "
        f"not clearly: {names(x for x in experts if not is_costly(x))}"
    )
    numbers = "; ".join(
        f"{family}: " + ", ".join(f"{a:.2f} and {b:.2f} after {n}" for n, (a, b) in points.items())
        for family, points in curves.items()
    )
    alt = f"Line charts, {title}. Specialty and others by steps. {numbers}."
    fig = new_figure(2.9, title=title, alt=alt)
    with house_style():
        panels = subplots(fig, 1, len(curves), sharey=True)
        for ax, (family, points) in zip(panels, curves.items(), strict=True):
            for i, name in enumerate(("specialty", "other families")):
                values = [pair[i] for pair in points.values()]
                ax.plot(list(points), values, color=COLORS[i], marker=MARKERS[i],
                        linestyle=DASHES[i], markersize=5, label=name)  # fmt: skip
            ax.set_title(family, fontsize=11)
            ax.set_xlabel("steps")
            ax.set_ylim(0, 1)
        panels[0].set_ylabel("share right")
        panels[0].set_title("\n" + panels[0].get_title(), fontsize=11)
        _legend_above(panels[0], ncols=2, height=1.14)
    footnote(fig, f"half of the exam's questions · {origin(results)}")
    return fig


def remedies(results: Sequence[ForgettingResult], family: str) -> Picture:
    """Every remedy for one specialty, as rows: what it gained, and what the others still score."""
    rows = sorted(outcomes(results, family), key=lambda x: share(x.others))
    expert = next(x for x in rows if x.method == PLAIN)
    top = [x for x in rows if x is not expert][-1]
    title = f"{family} / other families: " + ", ".join(
        f"{share(x.special):.2f} / {share(x.others):.2f} ({name})"
        for name, x in (("no remedy", expert), (top.method, top))
    )
    if not any(map(is_skilled, rows)):
        title += f"; no method learns {family}"
    numbers = "; ".join(
        f"{x.method}: {share(x.special):.2f} on the specialty, {share(x.others):.2f} on the others"
        for x in rows
    )
    fig = new_figure(2.7, title=title, alt=f"Dot chart, {title}: {numbers}.")
    with house_style():
        left, right = subplots(fig, 1, 2, sharey=True)
        for y, x in enumerate(rows):
            color = 3 if x.method == PLAIN else 0
            _dot(left, y, x.special, color, "", False)
            _dot(right, y, x.others, color, "", False)
        for ax, level, name in (
            (left, share(expert.reference), "without learning"),
            (right, share(expert.others_before), "general model"),
        ):
            ax.axvline(level, color=INK, linewidth=1, linestyle="--")
            ax.annotate(name, (level, 1), xycoords=("data", "axes fraction"), xytext=(0, 3),
                        textcoords="offset points", ha="center", fontsize=9)  # fmt: skip
        _share_axis(left, f"right on {family}")
        _share_axis(right, "right on the other families")
        left.set_yticks(range(len(rows)), [x.method for x in rows])
        left.set_ylim(-0.6, len(rows) - 0.4)
    footnote(fig, f"mark: mean · line: 95 % interval · {origin(results)}")
    return fig


def table(rows: Sequence[Outcome]) -> str:
    """A line for each outcome: its scores, its gain and loss with their intervals, and its rate.

    The gain is counted from what needs no learning, the loss from the general model. "facts" are
    completed in plain text. The rate is a multiple of the method's usual one.
    """
    heading = f"{'':34}special  others   {'gain':24}{'loss':24}facts  rate"
    lines = [
        f"{x.family + ', ' + x.method:34}{share(x.special):7.2f}{share(x.others):8.2f}   "
        f"{x.gain!s:24}{x.loss!s:24}{x.facts:5.2f}{x.recipe.rate:6.2f}"
        for x in rows
    ]
    return "\n".join([heading, *lines])


def what_is_learned(experts: Sequence[Outcome]) -> str:
    """Say which experts have gained clearly, which have lost clearly, and which have done both."""
    both = [x for x in experts if is_skilled(x) and is_costly(x)]
    return "\n".join(
        [
            f"Clearly above what needs no learning: {names(filter(is_skilled, experts))}.",
            f"Not clearly above it: {names(x for x in experts if not is_skilled(x))}.",
            f"Clearly lower on the other families: {names(filter(is_costly, experts))}.",
            f"A clear gain that cost something: {names(both)}."
            if both
            else "No expert is in the first line and in the third: no loss bought a clear skill.",
        ]
    )


def names(experts: Iterable[Outcome]) -> str:
    """The specialties of some experts, in a list to be read."""
    return ", ".join(x.family for x in experts) or "none"


def rate_verdicts(results: Sequence[ForgettingResult]) -> str:
    """Compare the lower rate with the higher one, where an expert is costly at one of them."""
    lines = []
    for family in SPECIALTIES:
        by_rate = sorted(
            (measured(results, family, PLAIN, recipe) for recipe in candidates(family, PLAIN)),
            key=lambda x: x.recipe.rate,
        )
        if any(map(is_costly, by_rate)):
            low, high = by_rate
            lines.append(f"{family}, at the lower rate: {more_or_less(low, high)}")
    return "\n".join(lines)


def rate_table(results: Sequence[ForgettingResult]) -> str:
    """Each expert at both learning rates; a star marks the one that was chosen."""
    lines = [f"{'':12}{'rate':>6}{'development':>13}{'special':>9}{'others':>8}"]
    for family in SPECIALTIES:
        chosen = best(results, family, PLAIN)
        for recipe in candidates(family, PLAIN):
            runs = arm(results, recipe)
            means = [
                fmean(x.accuracy(w) for x in runs) for w in ("development", "special", "others")
            ]
            lines.append(
                f"{family:12}{recipe.rate:6.2f}{means[0]:13.2f}{means[1]:9.2f}{means[2]:8.2f}"
                + " *" * (recipe == chosen)
            )
    return "\n".join(lines)


def pace_table(results: Sequence[ForgettingResult]) -> str:
    """Both scores of each expert after a quarter of its steps, and which of them changed first.

    Where the specialty does not end above what needs no learning, its score goes up and down with
    the answer that the model happens to prefer, and nothing can be said to come first.
    """
    lines = [f"{'':12}{'steps':>5}  {'specialty':>9}  {'others':>6}"]
    for expert in outcomes(results, method=PLAIN):
        points = track(results, expert.family)
        words = what_comes_first(points) if is_skilled(expert) else "no clear skill at the end"
        for step in (0, quarter(points), max(points)):
            special, others = points[step]
            line = f"{expert.family:12}{step:5}  {special:9.2f}  {others:6.2f}"
            lines.append(line + f"  {words}" * (step == quarter(points)))
    return "\n".join(lines)


def is_skilled(expert: Outcome) -> bool:
    """Whether the whole interval of the gain lies above what needs no learning."""
    return expert.gain.interval[0] > 0


def is_costly(expert: Outcome) -> bool:
    """Whether the whole interval of the loss on the other families lies above 0."""
    return expert.loss.interval[0] > 0


def what_comes_first(points: dict[int, tuple[float, float]]) -> str:
    """Whether an expert has gained or lost first, a quarter of the way, in a few words.

    Args:
        points: as `track` returns them.
    """
    start, end = points[0], points[max(points)]
    if start[1] - end[1] < 0.05:
        return "hardly any loss"
    if end[0] - start[0] < 0.05:
        return "a loss, and hardly any gain"
    gain, loss = pace(points, quarter(points))
    if abs(gain - loss) < 0.1:
        return "gain and loss keep pace"
    return "the gain comes first" if gain > loss else "the loss comes first"


def quarter(points: dict[int, tuple[float, float]]) -> int:
    """The look nearest to a quarter of the steps."""
    return min(points, key=lambda step: abs(step - max(points) / 4))


def verdicts(methods: dict[str, Outcome]) -> str:
    """Compare each remedy with the expert that has none, and say what that shows.

    Args:
        methods: the outcomes of one specialty, by the name of the method.
    """
    expert = methods[PLAIN]
    lines = [f"{name}: {more_or_less(x, expert)}" for name, x in methods.items() if x is not expert]
    skilled = [name for name, x in methods.items() if is_skilled(x)]
    meaning = (
        f"Clearly above what needs no learning: {', '.join(skilled)}."
        if skilled
        else f"No method has learned {expert.family}, so this shows what each one protects, "
        "and not which trade is the best."
    )
    return "\n".join(["Against the expert without a remedy", *lines, meaning])


def more_or_less(one: Outcome, other: Outcome) -> str:
    """What one arm has more or less than another of the same specialty, in a sentence."""
    others = difference(one.others, other.others)
    special = difference(one.special, other.special)
    return f"{compared(others)} of the other families, and {compared(special)} on the specialty."


def prediction(
    name: str, change: Change, at_least: float | None = None, at_most: float | None = None
) -> str:
    """A prediction with its fate, in a line.

    Args:
        name: of the difference.
        change: as it was measured.
        at_least: the bound that was predicted, if it is a lower one.
        at_most: the bound that was predicted, if it is an upper one.
    """
    low, high = change.interval
    if at_least is not None:
        bound, is_met, is_missed = f"at least {at_least}", low >= at_least, high < at_least
    else:
        assert at_most is not None
        bound, is_met, is_missed = f"at most {at_most}", high <= at_most, low > at_most
    verdict = "as predicted" if is_met else "not as predicted" if is_missed else "undecided"
    return f"{name}: predicted {bound}, measured {change}: {verdict}"


def compared(change: Change) -> str:
    """A difference in words, which say no more than its interval does."""
    low, high = change.interval
    word = "more" if low > 0 else "less" if high < 0 else "no clear difference"
    return f"{word}, {change.mean:+.2f} ({low:+.2f} to {high:+.2f}),"


def _dot(
    ax: Axes, y: float, seeds: Seeds, style: int, name: str, first: bool, hollow: bool = False
) -> None:
    """A mean with its interval on one row."""
    if len(seeds) > 1:
        low, high = two_level_interval(seeds)
        ax.plot([max(low, 0), min(high, 1)], [y, y], color=COLORS[style], linewidth=1.2)
    ax.plot(share(seeds), y, MARKERS[style], color="white" if hollow else COLORS[style],
            markeredgecolor=COLORS[style], markersize=8, clip_on=False, zorder=3,
            label=name if first else None)  # fmt: skip


def _legend_above(ax: Axes, ncols: int, height: float = 1.0) -> None:
    """A legend above the axes that may be wider than they are, without moving them."""
    if not ax.get_title():
        ax.set_title(" ")  # keeps the place
    legend = ax.legend(loc="lower left", bbox_to_anchor=(0, height), ncols=ncols, frameon=False,
                       fontsize=9)  # fmt: skip
    legend.set_in_layout(False)


def _share_axis(ax: Axes, label: str) -> None:
    ax.grid(False)
    ax.grid(True, axis="x")
    ax.set_xlim(-0.02, 1.02)
    ax.set_xlabel(label)
    ax.spines["left"].set_color(FAINT)
