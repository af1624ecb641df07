"""What lesson 08's grid says: the rate of each arm, what it gained, and what it kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from statistics import fmean

from ift_course.evaluation.intervals import Interval, paired_difference
from ift_course.lessons.lesson_08.experiment import ForgettingResult, make_exam
from ift_course.lessons.lesson_08.recipes import (
    AVERAGE,
    METHODS,
    PLAIN,
    RECIPES,
    SIZES,
    SPECIALTIES,
    Recipe,
    candidates,
)
from ift_course.profile import get_profile
from ift_course.world.tasks import verify

GENERAL = RECIPES["general model"]
Seeds = list[list[float]]  # for each seed its item scores


@dataclass(frozen=True)
class Change:
    """A difference of two arms with its 95 % interval."""

    mean: float
    interval: Interval

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.mean:.2f} ({low:.2f} to {high:.2f})"


@dataclass(frozen=True)
class Outcome:
    """What a method did with a specialty, over the seeds of the grid.

    Attributes:
        family: the specialty.
        method: a name of `METHODS`.
        recipe: with the learning rate that the development questions chose.
        special: item scores on the specialty.
        others: item scores on the families of the general model.
        before: what the general model scores on the same special questions.
        constant: what the most frequent answer scores on them.
        others_before: what the general model scores on the other families.
        facts: share of a sample of facts that the model completes in plain prose.
        facts_before: the same for the general model.
    """

    family: str
    method: str
    recipe: Recipe
    special: Seeds
    others: Seeds
    before: Seeds
    constant: Seeds
    others_before: Seeds
    facts: float
    facts_before: float

    @property
    def reference(self) -> Seeds:
        """The better of the general model and the constant answer: what needs no learning."""
        return max(self.before, self.constant, key=share)

    @property
    def gain(self) -> Change:
        """How far the specialty is above what needs no learning."""
        return difference(self.special, self.reference)

    @property
    def loss(self) -> Change:
        """How far the other families are below the general model."""
        return difference(self.others_before, self.others)


def share(seeds: Seeds) -> float:
    """The mean over seeds and questions."""
    return fmean(map(fmean, seeds))


def difference(first: Seeds, second: Seeds) -> Change:
    """How much more the first arm scores than the second on the same questions."""
    return Change(*paired_difference(first, second))


def arm(results: Sequence[ForgettingResult], recipe: Recipe) -> list[ForgettingResult]:
    """The results of one recipe, by seed."""
    return sorted((x for x in results if x.config == recipe), key=lambda result: result.seed)


def best(results: Sequence[ForgettingResult], family: str, method: str) -> Recipe:
    """The recipe of a method with the learning rate that does best on development questions.

    The development questions are of the specialty alone, because that is what people tune for. Of
    equal rates the lower one is taken. An average has the rate of its expert.
    """
    if method == AVERAGE:
        return replace(best(results, family, PLAIN), tuned=METHODS[AVERAGE].tuned)

    def quality(recipe: Recipe) -> tuple[float, float]:
        return fmean(x.accuracy("development") for x in arm(results, recipe)), -recipe.rate

    return max((x for x in candidates(family, method) if arm(results, x)), key=quality)


def outcome(results: Sequence[ForgettingResult], family: str, method: str) -> Outcome:
    """What a method did with a specialty, at the rate that the development questions chose."""
    return measured(results, family, method, best(results, family, method))


def measured(
    results: Sequence[ForgettingResult], family: str, method: str, recipe: Recipe
) -> Outcome:
    """What one recipe of a method did with a specialty, whether its rate was chosen or not."""
    runs, general = arm(results, recipe), {x.seed: x for x in arm(results, GENERAL)}
    return Outcome(
        family=family,
        method=method,
        recipe=recipe,
        special=[x.items("special") for x in runs],
        others=[x.items("others") for x in runs],
        before=[x.items("before") for x in runs],
        constant=[constant_items(family, x.seed) for x in runs],
        others_before=[general[x.seed].items("others") for x in runs],
        facts=fmean(x.facts for x in runs),
        facts_before=fmean(general[x.seed].facts for x in runs),
    )


def outcomes(
    results: Sequence[ForgettingResult], family: str = "", method: str = ""
) -> list[Outcome]:
    """What was measured of a specialty (all methods) or of a method (all specialties).

    Args:
        results: of the grid.
        family: only this specialty; "" stands for all.
        method: only this method; "" stands for all.
    """
    return [
        outcome(results, one, name)
        for one in ([family] if family else SPECIALTIES)
        for name in ([method] if method else METHODS)
        if any(arm(results, recipe) for recipe in candidates(one, name))
    ]


@cache
def constant_items(family: str, seed: int, profile: str = "") -> list[float]:
    """1.0 or 0.0 for each special question: whether the most frequent answer is right."""
    exam = make_exam(SIZES[get_profile(profile or None).name], seed, family)
    (answer, _), *_ = Counter(example.response for example in exam.special).most_common(1)
    return [float(verify(example, answer)) for example in exam.special]


def gains_and_losses(
    results: Sequence[ForgettingResult], family: str
) -> dict[str, tuple[float, float]]:
    """Method → (gain on the specialty, loss on the others), as shares of the questions."""
    return {x.method: (x.gain.mean, x.loss.mean) for x in outcomes(results, family)}


def track(results: Sequence[ForgettingResult], family: str) -> dict[int, tuple[float, float]]:
    """Steps → (share of the specialty, share of the others) of the plain expert, over the seeds.

    Measured on half of the exam's questions, at the start and at the end, too.
    """
    runs = arm(results, best(results, family, PLAIN))
    general = {x.seed: x for x in arm(results, GENERAL)}
    points: dict[int, list[tuple[float, float]]] = {}
    for x in runs:
        start = x.items("before")[::2], general[x.seed].items("others")[::2]
        end = x.items("special")[::2], x.items("others")[::2]
        looks = [(0, *map(fmean, start)), *x.track, (x.steps, *map(fmean, end))]
        for step, special, others in looks:
            points.setdefault(step, []).append((special, others))
    return {
        step: (fmean(special for special, _ in pairs), fmean(others for _, others in pairs))
        for step, pairs in sorted(points.items())
    }


def pace(points: dict[int, tuple[float, float]], step: int) -> tuple[float, float]:
    """How much of its final gain and of its final loss an expert has after some steps.

    Args:
        points: as `track` returns them.
        step: one of its steps.
    """
    start, now, end = points[0], points[step], points[max(points)]
    gain, loss = (
        (now[i] - start[i]) / (end[i] - start[i]) if end[i] != start[i] else 0.0 for i in (0, 1)
    )
    return gain, loss
