"""Lesson 06's figures and tables: results of the grid in, plain data for the charts out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from statistics import fmean
from typing import Any

from ift_course.lessons.lesson_06 import experiment
from ift_course.lessons.lesson_06.bases import SHIPPED
from ift_course.lessons.lesson_06.experiment import COUNTS, MultitaskConfig, MultitaskResult
from ift_course.world.tasks import HELD_OUT_FAMILIES

Arm = list[list[float]]  # item scores, one list for each seed

ALL_OTHERS = "all others"
KINDS: dict[str, dict[str, Any]] = {
    "as usual": {},
    "one wording": {"one_wording": True},
    "no instruction": {"instructions": False},
    "four times the examples": {"examples": 4 * experiment.EXAMPLES, "equal_steps": True},
}


def arm(results: Sequence[MultitaskResult], config: MultitaskConfig, test: str = "held out") -> Arm:
    """The item scores of a configuration, one list for each seed: an arm of a claim or a chart."""
    return [result.scores(test) for result in _by_seed(results, config)]


def paired(results: Sequence[MultitaskResult], *configs: MultitaskConfig) -> list[Arm]:
    """An arm for each configuration, with the seeds that all of them have."""
    seeds = set.intersection(
        *({result.seed for result in results if result.config == config} for config in configs)
    )
    return [arm([x for x in results if x.seed in seeds], config) for config in configs]


def by_families(
    results: Sequence[MultitaskResult], base: str = SHIPPED, test: str = "held out"
) -> dict[int, Arm]:
    """Number of families tuned on → seeds, of the plain configurations of a base."""
    arms = {count: arm(results, MultitaskConfig(count, base=base), test) for count in COUNTS}
    return {count: seeds for count, seeds in arms.items() if seeds}


def without(family: str, seeds: Sequence[Sequence[float]]) -> Arm:
    """The held-out scores by seed, on all families but one."""
    index = HELD_OUT_FAMILIES.index(family)
    each = len(seeds[0]) // len(HELD_OUT_FAMILIES)
    return [[*scores[: index * each], *scores[(index + 1) * each :]] for scores in seeds]


def by_held_out(results: Sequence[MultitaskResult]) -> dict[tuple[str, str], float]:
    """(number of families tuned on, held-out family) → mean share of right answers.

    The last row has FLAN's way: the model was tuned on everything else.
    """
    means = {
        (str(count), family): fmean(map(fmean, seeds))
        for count in COUNTS
        for family, seeds in families(results, MultitaskConfig(count)).items()
    }
    for family in HELD_OUT_FAMILIES:
        if seeds := arm(results, experiment.fair_config(experiment.ALL_BUT_ONE, family, 0)):
            means[ALL_OTHERS, family] = fmean(map(fmean, seeds))
    return means


def families(results: Sequence[MultitaskResult], config: MultitaskConfig) -> dict[str, Arm]:
    """Held-out family → seeds, of one configuration."""
    seeds = arm(results, config)
    if not seeds:
        return {}
    each = len(seeds[0]) // len(HELD_OUT_FAMILIES)
    return {
        family: [scores[i * each :][:each] for scores in seeds]
        for i, family in enumerate(HELD_OUT_FAMILIES)
    }


def one_at_a_time(results: Sequence[MultitaskResult], *counts: int) -> list[Arm]:
    """An arm for each number of families tuned on, with the seeds that all of them have.

    Each held-out family is tested in FLAN's way, by its `experiment.fair_config`.
    """
    by_config = {(result.config, result.seed): result for result in results}
    arms: list[Arm] = [[] for _ in counts]
    for seed in sorted({result.seed for result in results}):
        tests = [
            [
                (by_config.get((experiment.fair_config(count, family, seed), seed)), family)
                for family in HELD_OUT_FAMILIES
            ]
            for count in counts
        ]
        if all(result for of_count in tests for result, _ in of_count):
            for seeds, of_count in zip(arms, tests, strict=True):
                seeds.append(
                    [
                        score
                        for result, family in of_count
                        if result
                        for score in _family_scores(result, family)
                    ]
                )
    return arms


def in_flans_way(results: Sequence[MultitaskResult]) -> dict[int, Arm]:
    """Number of families tuned on → seeds, each held-out family tested in FLAN's way."""
    counts = (*COUNTS, experiment.ALL_BUT_ONE)
    arms = {count: one_at_a_time(results, count)[0] for count in counts}
    return {count: seeds for count, seeds in arms.items() if seeds}


def _family_scores(result: MultitaskResult, family: str) -> list[float]:
    if result.config.tested:
        return result.scores()
    return families([result], result.config)[family][0]


def in_prose(
    results: Sequence[MultitaskResult], base: str, config: MultitaskConfig
) -> tuple[Arm, Arm]:
    """(the untuned base completing sentences, the configuration's model following instructions).

    Both on the questions that have such a sentence, one list for each seed that both have.
    """
    untuned = MultitaskConfig(0, base=base)
    before = {result.seed: result for result in _by_seed(results, untuned)}
    after = {result.seed: result for result in _by_seed(results, config)}
    completed, answered = [], []
    for seed in sorted(before.keys() & after.keys()):
        sentences = before[seed].items["in prose"]
        pairs = zip(sentences, after[seed].items["held out"], strict=True)
        completed.append(before[seed].scores("in prose"))
        answered.append([float(right) for sentence, right in pairs if sentence != "-"])
    return completed, answered


def origin(results: Sequence[MultitaskResult]) -> str:
    """Where stored results are from: seeds, dates, machine."""
    dates = sorted({result.date for result in results})
    when = dates[0] if len(dates) == 1 else f"{dates[0]} to {dates[-1]}"
    seeds = len({result.seed for result in results})
    return f"{seeds} seed{'s' if seeds > 1 else ''}, {when}, {results[0].machine}"


def options() -> dict[str, list[Any]]:
    """The sliders of the explorer."""
    return {"families": [0, *COUNTS], "tuned": list(KINDS)}


def explorer_view(results: Sequence[MultitaskResult]) -> Callable[[int, str], str]:
    """A view for `plots.grid_figures.explore`: a model's training data, scores and answers.

    The examples and answers are those of the first seed that was measured.
    """
    from ift_course.plots.transcript import TranscriptRow, transcript

    def view(count: int, kind: str) -> str:
        config = MultitaskConfig(count, **KINDS[kind]) if count else MultitaskConfig(0)
        chosen = _by_seed(results, config)
        if not chosen:
            return "<p><b>Not measured</b>: choose 1 or all families for this one.</p>"
        result = chosen[0]
        examples = experiment.training_set(config, result.seed)[:6] if count else []
        items = "".join(
            f"<li>{escape(f'{e.instruction} {e.input}'.strip())} → <i>{escape(e.response)}</i></li>"
            for e in examples
        )
        seeds = ", ".join(f"{result.accuracy():.2f}" for result in chosen)
        head = f"<p>Tuned on {', '.join(result.families) or 'nothing'}.</p><ul>{items}</ul>"
        rows = [
            TranscriptRow(question, {"it says": text}) for question, text in result.answers.items()
        ]
        answers = transcript(rows).html()
        return f"{head}<p>Held-out families, by seed: <b>{seeds}</b></p>{answers}"

    return view


def _by_seed(results: Sequence[MultitaskResult], config: MultitaskConfig) -> list[MultitaskResult]:
    return sorted((x for x in results if x.config == config), key=lambda result: result.seed)
