"""Lesson 06's figures and tables: results of the grid in, plain data for the charts out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import fmean

from ift_course.lessons.lesson_06 import experiment
from ift_course.lessons.lesson_06.experiment import ALL, MultitaskConfig, MultitaskResult
from ift_course.plots.transcript import Reply
from ift_course.world.tasks import HELD_OUT_FAMILIES

Arm = list[list[float]]  # item scores, one list for each seed

ALL_TOGETHER = f"all {ALL} families"


def paired(results: Sequence[MultitaskResult], *configs: MultitaskConfig) -> list[Arm]:
    """An arm for each configuration, with the seeds that all of them have."""
    seeds = set.intersection(
        *({result.seed for result in results if result.config == config} for config in configs)
    )
    return [
        [result.scores() for result in _by_seed(results, config) if result.seed in seeds]
        for config in configs
    ]


def together_and_alone(results: Sequence[MultitaskResult]) -> tuple[Arm, Arm]:
    """(all families together, one family alone): a pair for each family that was tuned on alone.

    The two models of a pair have the same seed, and so the same questions.
    """
    together = {result.seed: result for result in _by_seed(results, experiment.TOGETHER)}
    alone = [result for result in _alone(results) if result.seed in together]
    return [together[result.seed].scores() for result in alone], [x.scores() for x in alone]


def by_held_out(results: Sequence[MultitaskResult]) -> dict[tuple[str, str], float]:
    """(what was tuned on, held-out family) → share of right answers.

    A row for each family that was tuned on alone, the one that teaches least first, and one for all
    families together.
    """
    groups: dict[str, list[MultitaskResult]] = defaultdict(list)
    for result in sorted(_alone(results), key=lambda result: result.accuracy()):
        groups[f"{result.families[0]} alone"].append(result)
    groups[ALL_TOGETHER] = _by_seed(results, experiment.TOGETHER)
    return {
        (row, family): fmean(family_shares(result)[family] for result in group)
        for row, group in groups.items()
        if group
        for family in HELD_OUT_FAMILIES
    }


def family_shares(result: MultitaskResult) -> dict[str, float]:
    """Held-out family → share of right answers, of a model that was asked about all of them."""
    scores = result.scores()
    each = len(scores) // len(HELD_OUT_FAMILIES)
    return {family: fmean(scores[i * each :][:each]) for i, family in enumerate(HELD_OUT_FAMILIES)}


def replies(result: MultitaskResult) -> dict[str, Reply]:
    """Question → the reply with its verdict, for the questions whose answers are stored."""
    scores = result.scores()
    verdicts = scores[:: len(scores) // len(result.answers)]
    return {
        question: Reply(text, correct=bool(verdict))
        for (question, text), verdict in zip(result.answers.items(), verdicts, strict=True)
    }


def in_prose(results: Sequence[MultitaskResult], base: str) -> tuple[Arm, Arm]:
    """(the untuned base completing sentences, the base tuned on all families answering).

    Both on the questions that have such a sentence, one list for each seed that both have.
    """
    untuned = MultitaskConfig(0, base=base)
    before = {result.seed: result for result in _by_seed(results, untuned)}
    tuned = MultitaskConfig(ALL, base=base)
    after = {result.seed: result for result in _by_seed(results, tuned)}
    completed, answered = [], []
    for seed in sorted(before.keys() & after.keys()):
        sentences = before[seed].items["in prose"]
        pairs = zip(sentences, after[seed].items["held out"], strict=True)
        completed.append(before[seed].scores("in prose"))
        answered.append([float(right) for sentence, right in pairs if sentence != "-"])
    return completed, answered


def _by_seed(results: Sequence[MultitaskResult], config: MultitaskConfig) -> list[MultitaskResult]:
    return sorted((x for x in results if x.config == config), key=lambda result: result.seed)


def _alone(results: Sequence[MultitaskResult]) -> list[MultitaskResult]:
    return [result for config in experiment.ALONE for result in _by_seed(results, config)]
