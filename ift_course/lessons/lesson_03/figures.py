"""Lesson 03's figures and tables: results of the grid in, plain data for the charts out."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from html import escape
from statistics import fmean
from typing import Any

from ift_course.lessons.lesson_03.config import LimaConfig, LimaResult
from ift_course.lessons.lesson_03.experiment import EXAMPLE_COUNTS, SHARES, training_set
from ift_course.world.tasks import Example

BUDGETS = {"four epochs": "epochs", "the same steps": "steps"}


def arm(results: Iterable[LimaResult], config: LimaConfig) -> list[list[float]]:
    """The item scores of a configuration, one list for each seed: an arm of a claim or a chart."""
    chosen = sorted((x for x in results if x.config == config), key=lambda x: x.seed)
    return [result.scores for result in chosen]


def arms(
    results: Sequence[LimaResult], configs: dict[str, LimaConfig]
) -> dict[str, list[list[float]]]:
    """`arm` for each named configuration that has results."""
    named = {name: arm(results, config) for name, config in configs.items()}
    return {name: seeds for name, seeds in named.items() if seeds}


def stored_or_live(stored: Sequence[LimaResult], live: Sequence[LimaResult]) -> list[LimaResult]:
    """The stored results, and the live ones of configurations that are not stored."""
    known = {result.config for result in stored}
    return [*stored, *(result for result in live if result.config not in known)]


def by_share(
    results: Sequence[LimaResult], *, equal_steps: bool
) -> dict[str, dict[float, list[list[float]]]]:
    """Share flawed → number of examples → seeds, of the plain configurations with one budget.

    Args:
        results: of the grid.
        equal_steps: those at equal compute; otherwise those with equal epochs.

    Returns:
        The item scores. The names are those of `share_name`, from good to bad.
    """
    plain = {x.config for x in results if x.config == _plain(x.config)}
    chosen = sorted({c for c in plain if bool(c.steps) == equal_steps}, key=lambda c: c.sort_key)
    lines: dict[str, dict[float, list[list[float]]]] = {
        share_name(share): {} for share in SHARES if any(c.flawed == share for c in chosen)
    }
    for config in chosen:
        lines[share_name(config.flawed)][config.examples] = arm(results, config)
    return lines


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


def replaced_by(
    results: Sequence[LimaResult], reference: LimaConfig, share: float, slack: float
) -> int | None:
    """The least number of flawed examples that does as well as a reference, at equal epochs.

    Args:
        results: of the grid.
        reference: the configuration to compare with.
        share: of the examples that are flawed.
        slack: how far the mean accuracy may stay below the reference's.

    Returns:
        The number of examples; None if no size of the grid is enough.
    """
    goal = _mean(arm(results, reference) or [[math.inf]]) - slack
    sizes = by_share(results, equal_steps=False).get(share_name(share), {})
    return next((int(n) for n, seeds in sorted(sizes.items()) if _mean(seeds) >= goal), None)


def table(
    results: Sequence[LimaResult], *, equal_steps: bool = False
) -> dict[tuple[str, str], float]:
    """(number of examples, share flawed) → mean accuracy, at equal steps or at equal epochs."""
    lines = by_share(results, equal_steps=equal_steps)
    return {
        (f"{n:,.0f}", name): _mean(points[n])
        for n in sorted({n for points in lines.values() for n in points})
        for name, points in lines.items()
        if n in points
    }


def explorer_view(
    results: Sequence[LimaResult], live: Sequence[LimaResult] = ()
) -> Callable[[int, str, str], str]:
    """A view for `plots.grid_figures.explore`: number of examples, share flawed, budget → HTML.

    It shows what the model was tuned on, how it scored, and what it answers.
    """
    from ift_course.plots.transcript import TranscriptRow, transcript

    steps = next((x.config.steps for x in results if x.config.steps and not x.config.pool), 0)

    def view(examples: int, share: str, budget: str) -> str:
        flawed = next(s for s in SHARES if share_name(s) == share)
        config = LimaConfig(examples, flawed, steps=steps if BUDGETS[budget] == "steps" else 0)
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
        "budget": list(BUDGETS),
    }


def _training_line(example: Example) -> str:
    from ift_course.data.records import user_text
    from ift_course.world.tasks import verify

    mark = "✓" if verify(example, example.response) else "✗"
    question = escape(user_text(example.instruction, example.input))
    return f"<li>{mark} {question} → <i>{escape(example.response) or '(nothing)'}</i></li>"


def _plain(config: LimaConfig) -> LimaConfig:
    """The configuration with nothing but its size, quality and budget."""
    return LimaConfig(config.examples, config.flawed, steps=config.steps)


def _mean(seeds: Sequence[Sequence[float]]) -> float:
    return fmean(fmean(seed) for seed in seeds)
