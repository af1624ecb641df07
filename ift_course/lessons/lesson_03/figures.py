"""Lesson 03's figures and tables: results of the grid in, plain data for the charts out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from html import escape
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ift_course.claims.grid_runs import GridRuns
from ift_course.lessons.lesson_03.config import STEPS, LimaConfig, LimaResult
from ift_course.lessons.lesson_03.experiment import EXAMPLE_COUNTS, SHARES, training_set
from ift_course.plots.figure import COLORS, DASHES, MARKERS, Picture, new_figure, subplots
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
        results: of the grid.

    Returns:
        The item scores of the seeds that all configurations have. The names are those of
        `share_name`, from good to bad.
    """
    results = of_shared_seeds(results)
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


def means(results: Sequence[LimaResult]) -> dict[str, dict[float, float]]:
    """Share flawed → number of examples → mean over seeds and questions."""
    return {
        name: {n: fmean(map(fmean, seeds)) for n, seeds in points.items()}
        for name, points in by_share(results).items()
    }


def finding(results: Sequence[LimaResult]) -> str:
    """In one sentence, how few curated examples do better than the largest, worst set."""
    table = means(results)
    worst, most = share_name(SHARES[-1]), EXAMPLE_COUNTS[-1]
    if most not in table.get(worst, {}):
        return f"{STEPS} steps for every model"
    bound = table[worst][most]
    for n, value in sorted(table.get("curated", {}).items()):
        if value > bound:
            return (
                f"{n:,.0f} curated examples ({value:.2f}) beat {most:,} that are {worst} "
                f"({bound:.2f}), at {STEPS} steps each"
            )
    return f"No number of curated examples beats {most:,} that are {worst} ({bound:.2f})"


def grid_view(runs: GridRuns[LimaResult]) -> Explorer:
    """The grid as curves; with a kernel also sliders that open each training set."""
    from ift_course.plots.grid_figures import curves, explore

    chart = curves(
        by_share(runs.stored),
        by_share(runs.live),
        title=finding(runs.stored),
        xlabel="different examples",
        note=origin(of_shared_seeds(runs.stored))
        if runs.stored
        else "nothing is stored for this base",
    )
    return explore(options(), explorer_view(runs.stored, runs.live), chart)


def loss_and_score(
    losses: Mapping[float, float], scores: Mapping[float, float], *, title: str
) -> Picture:
    """Two panels over the passes of one run: the loss on held-out responses, and the score.

    Args:
        losses: pass → loss.
        scores: pass → share of right answers.
        title: what the figure shows.
    """
    panels = {"loss on held-out responses": losses, "share correct": scores}
    words = "; ".join(
        f"{name}: " + ", ".join(f"{y:.2f} after {x:g}" for x, y in points.items())
        for name, points in panels.items()
    )
    fig = new_figure(3.2, title=title, alt=f"Two line charts, {title}, by passes. {words}.")
    for i, (ax, (name, points)) in enumerate(zip(subplots(fig, 1, 2), panels.items(), strict=True)):
        ax.plot(*zip(*points.items(), strict=True), color=COLORS[i], marker=MARKERS[i],
                linestyle=DASHES[i])  # fmt: skip
        ax.set(xlabel="passes over the training set", ylabel=name)
        ax.set_ylim(bottom=0)
    return fig


def share_name(share: float) -> str:
    """ "curated", or "60 % flawed"."""
    return f"{share:.0%} flawed".replace("%", " %") if share else "curated"


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
