"""Lesson 03's figures and tables: results of the grid in, plain data for the charts out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ift_course.claims.grid_runs import GridRuns
from ift_course.evaluation.intervals import items_interval, paired_difference, two_level_interval
from ift_course.lessons.lesson_03.config import STEPS, LimaConfig, LimaResult
from ift_course.lessons.lesson_03.experiment import EXAMPLE_COUNTS, SHARES, training_set
from ift_course.plots.figure import (
    COLORS,
    DASHES,
    MARKERS,
    Picture,
    footnote,
    new_figure,
    subplots,
)
from ift_course.world.tasks import Example

if TYPE_CHECKING:
    from ift_course.plots.grid_figures import Explorer


def arm(results: Iterable[LimaResult], config: LimaConfig) -> list[list[float]]:
    """The item scores of a configuration, one list for each seed: an arm of a claim or a chart."""
    chosen = sorted((x for x in results if x.config == config), key=lambda x: x.seed)
    return [result.scores for result in chosen]


def by_share(results: Sequence[LimaResult]) -> dict[str, dict[float, list[list[float]]]]:
    """Share flawed → number of examples → seeds.

    Args:
        results: of the grid; its controls are left out.

    Returns:
        The item scores of the seeds that all configurations have. The names are those of
        `share_name`, from good to flawed.
    """
    results = of_shared_seeds([result for result in results if not result.config.good_only])
    configs = {result.config for result in results}
    lines: dict[str, dict[float, list[list[float]]]] = {}
    for config in sorted(configs, key=lambda config: (config.flawed, config.examples)):
        lines.setdefault(share_name(config.flawed), {})[config.examples] = arm(results, config)
    return lines


def of_shared_seeds(results: Sequence[LimaResult]) -> list[LimaResult]:
    """The results of those seeds that all configurations have, so that points compare."""
    by_config: dict[LimaConfig, set[int]] = {}
    for result in results:
        by_config.setdefault(result.config, set()).add(result.seed)
    shared = set.intersection(*by_config.values()) if by_config else set()
    return [result for result in results if result.seed in shared]


def difference(
    first: Sequence[Sequence[float]], second: Sequence[Sequence[float]], digits: int = 3
) -> str:
    """How much better the first arm is, with the interval of a claim: "0.113 (0.017 to 0.210)".

    Args:
        first: item scores, one list for each seed.
        second: those of another arm with the same seeds.
        digits: after the decimal point.
    """
    effect, (low, high) = paired_difference(first, second)
    return f"{effect:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def costs(results: Sequence[LimaResult]) -> dict[tuple[str, float], str]:
    """(Share flawed, number of examples) → what the flaws cost, as `difference` has it."""
    lines = by_share(results)
    good = lines.get(share_name(0.0), {})
    return {
        (name, n): difference(good[n], seeds)
        for name, points in lines.items()
        if name != share_name(0.0)
        for n, seeds in sorted(points.items())
        if n in good
    }


def finding(results: Sequence[LimaResult]) -> str:
    """In one sentence, how few good examples are certain to beat the largest, most flawed set."""
    lines = by_share(results)
    name, most = share_name(SHARES[-1]), EXAMPLE_COUNTS[-1]
    rival = f"{most:,} with {name}"
    worst = lines.get(name, {}).get(most, [])
    if len(worst) < 2:  # one seed decides nothing
        return f"{STEPS} steps for every model"
    for n, seeds in sorted(lines.get(share_name(0.0), {}).items()):
        if two_level_interval(seeds, worst)[0] > 0:
            gain = difference(seeds, worst, digits=2)
            return f"{n:,.0f} good examples beat {rival} by {gain}"
    return f"No number of good examples is certain to beat {rival}"


def grid_view(
    runs: GridRuns[LimaResult], live: Mapping[str, Mapping[float, list[list[float]]]] | None = None
) -> Explorer:
    """The grid as curves; with a kernel also sliders that open each training set.

    Args:
        runs: of the grid.
        live: further measurements of this notebook, as `by_share` has them.
    """
    from ift_course.plots.grid_figures import curves, explore

    measured = {name: dict(points) for name, points in by_share(runs.live).items()}
    for name, points in (live or {}).items():
        measured[name] = {**points, **measured.get(name, {})}
    chart = curves(
        by_share(runs.stored),
        measured,
        title=finding(runs.stored),
        xlabel="different examples",
        note=origin(of_shared_seeds(runs.stored))
        if runs.stored
        else "nothing is stored for this base",
    )
    return explore(options(), explorer_view(runs.stored, runs.live), chart)


def loss_and_score(
    losses: Mapping[float, float], verdicts: Mapping[float, Sequence[float]]
) -> Picture:
    """Two panels over the steps of one run: the loss on held-out responses, and the score.

    Args:
        losses: step → loss.
        verdicts: step → 1.0 or 0.0 for each question.
    """
    scores = {step: fmean(items) for step, items in verdicts.items()}
    panels = {"loss on held-out responses": losses, "share correct": scores}
    words = "; ".join(
        f"{name}: " + ", ".join(f"{y:.2f} after {x:g}" for x, y in points.items())
        for name, points in panels.items()
    )
    title = parting(losses, scores)
    fig = new_figure(3.2, title=title, alt=f"Two line charts, {title}, by steps. {words}.")
    left, right = subplots(fig, 1, 2)
    for i, (ax, (name, points)) in enumerate(zip((left, right), panels.items(), strict=True)):
        ax.plot(*zip(*points.items(), strict=True), color=COLORS[i], marker=MARKERS[i],
                linestyle=DASHES[i], clip_on=False)  # fmt: skip
        ax.set(xlabel="optimizer steps", ylabel=name)
        ax.set_xticks(list(points))
        ax.set_ylim(bottom=0)
    for step, items in verdicts.items():
        right.plot([step, step], items_interval(items), color=COLORS[1], linewidth=1.2)
    right.set_ylim(0, 1.03)
    footnote(fig, "bar: 95 % interval over the questions")
    return fig


def parting(losses: Mapping[float, float], scores: Mapping[float, float]) -> str:
    """A title for `loss_and_score`: whether the loss fell on after the score had peaked.

    Args:
        losses: step → loss.
        scores: step → share correct.
    """
    last = max(losses)
    if losses[last] == min(losses.values()) and scores[last] < max(scores.values()):
        return "The loss keeps falling after the score has stopped rising (one run)"
    return "The loss and the score of one run"


def share_name(share: float) -> str:
    """ "good", or "60 % flawed"."""
    return f"{share:.0%} flawed".replace("%", " %") if share else "good"


def origin(results: Sequence[LimaResult]) -> str:
    """Where stored results are from: seeds of each configuration, dates, machines."""
    dates = sorted({result.date for result in results})
    machines = ", ".join(sorted({result.machine for result in results}))
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    seeds = Counter(result.config for result in results).values()
    count = f"{min(seeds)} seeds" if len(set(seeds)) == 1 else f"{min(seeds)} to {max(seeds)} seeds"
    return f"{count}, {when}, {machines}"


def explorer_view(
    results: Sequence[LimaResult], live: Sequence[LimaResult] = ()
) -> Callable[[int, str], str]:
    """A view for `plots.grid_figures.explore`: number of examples, share flawed → HTML.

    It shows what the model was tuned on, how it scored, and what it answers.
    """
    from ift_course.plots.transcript import TranscriptRow, transcript

    def view(examples: int, share: str) -> str:
        config = LimaConfig(examples, next(s for s in SHARES if share_name(s) == share))
        chosen = [result for result in [*live, *results] if result.config == config]
        tuned_on = "".join(_training_line(e) for e in training_set(config, 0)[:6])
        head = f"<p>Tuned on {examples:,} examples, among them:</p><ul>{tuned_on}</ul>"
        if not chosen:
            return f"{head}<p><b>Not measured</b>: <code>ift run 03 --full</code> does it.</p>"
        by_seed = {result.seed: result for result in chosen}.values()
        accuracies = ", ".join(f"{result.accuracy:.3f}" for result in by_seed)
        mean = fmean(result.accuracy for result in by_seed)
        rows = [
            TranscriptRow(
                prompt, {f"seed {result.seed}": result.answers[prompt] for result in by_seed}
            )
            for prompt in chosen[0].answers
        ]
        return f"{head}<p><b>{mean:.3f}</b> right (seeds {accuracies})</p>{transcript(rows).html()}"

    return view


def options() -> dict[str, list[Any]]:
    """The sliders of the explorer."""
    return {
        "examples": list(EXAMPLE_COUNTS),
        "quality": [share_name(share) for share in SHARES],
    }


def _training_line(example: Example) -> str:
    from ift_course.data.records import user_text
    from ift_course.world.tasks import verify

    mark = "✓" if verify(example, example.response) else "✗"
    question = escape(user_text(example.instruction, example.input))
    return f"<li>{mark} {question} → <i>{escape(example.response) or '(nothing)'}</i></li>"
