"""`claim`: a lesson states an expectation, measures it, and records whether it held.

A lesson calls `claim` once for each thing it wants to show. The claim goes to
`results/<profile>/claims.json` (`claims.store`), and a card with the verdict appears in the
notebook.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

import numpy as np

from ift_course import session
from ift_course.claims import store
from ift_course.claims.entry import Claim
from ift_course.errors import CourseError
from ift_course.evaluation.intervals import Interval, seeds_interval, two_level_interval

FEWEST_SEEDS = 3
DIGITS = 6  # rounding, so that a rerun with the same numbers leaves the same file

Seeds = Sequence[float] | Sequence[Sequence[float]]


def claim(
    id: str,
    statement: str,
    *,
    source: str,
    metric: str,
    arms: Mapping[str, Seeds],
    effect: str | tuple[str, str],
    at_least: float | None = None,
    at_most: float | None = None,
    subject: int | Sequence[int] = (),
    literature: str = "",
    differs: str = "",
) -> Claim:
    """Test an expectation against measurements; record the claim and show its card.

    Args:
        id: as "03.quality-beats-quantity"; an earlier claim of this id is replaced.
        statement: the expectation in one sentence.
        source: the publication that it comes from.
        metric: what the numbers are.
        arms: for each arm one number per seed, or one list of item scores per seed.
        effect: "a" is the mean of arm a, ("a", "b") that of a minus b, paired by seed.
        at_least: the claim holds only if the whole 95 % interval of the effect is above this. With
            item scores the interval covers seeds and items (`intervals.two_level_interval`),
            otherwise seeds only (Student's t).
        at_most: the claim holds only if the whole interval is below this.
        subject: which numbers of `lessons.objectives` it shows; docs/claims.md is sorted by them.
        literature: the statement as the field puts it, where that is not `statement`.
        differs: how the result differs from the literature and why, in a sentence; "" if it does
            not.

    Raises:
        CourseError: a bound, an arm or a seed is missing, or a number is not finite.
    """
    if at_least is None and at_most is None:
        raise CourseError(f'Claim "{id}" cannot fail: give it at_least or at_most.')
    values = {name: [_seed_values(id, name, s) for s in seeds] for name, seeds in arms.items()}
    of = [effect] if isinstance(effect, str) else list(effect)
    _check(id, values, of)
    means = {name: [float(seed.mean()) for seed in seeds] for name, seeds in values.items()}
    size = np.mean(means[of[0]]) - (np.mean(means[of[1]]) if len(of) == 2 else 0)
    (low, high), method = _interval(id, values, of)
    current = session.current()
    entry = Claim(
        id=id,
        lesson=current.lesson,
        statement=statement,
        source=source,
        metric=metric,
        arms={name: [round(v, DIGITS) for v in seeds] for name, seeds in means.items()},
        of=of,
        effect=round(float(size), DIGITS),
        interval=(round(low, DIGITS), round(high, DIGITS)),
        method=method,
        at_least=at_least,
        at_most=at_most,
        holds=(at_least is None or low >= at_least) and (at_most is None or high <= at_most),
        subject=(subject,) if isinstance(subject, int) else tuple(subject),
        literature=literature,
        differs=differs,
        seconds=round(time.perf_counter() - current.started),
        peak_mb=_peak_mb(),
    )
    store.add_claim(entry, current.profile.name)
    entry.show(store.published_claims(current.profile.name).get(id))
    return entry


def _seed_values(id: str, arm: str, seed: float | Sequence[float]) -> np.ndarray:
    """One seed of an arm as an array: of shape () for one number, of shape (items,) for scores."""
    try:
        array = np.asarray(seed, dtype=float)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.ndim > 1 or array.size == 0:
        raise CourseError(
            f'Claim "{id}", arm "{arm}": each seed must be a number or a list of item scores.'
        )
    if not np.isfinite(array).all():
        raise CourseError(
            f'Claim "{id}", arm "{arm}" has a value that is not a finite number; '
            "find the run that diverged or measured nothing."
        )
    return array


def _check(id: str, values: dict[str, list[np.ndarray]], of: list[str]) -> None:
    if len(of) not in (1, 2):
        raise CourseError(f'Claim "{id}": effect names one arm, or two to subtract.')
    for name in of:
        if name not in values:
            raise CourseError(
                f'Claim "{id}": effect names the arm "{name}", but the arms are '
                f"{', '.join(values)}."
            )
    counts = {name: len(seeds) for name, seeds in values.items()}
    if len(set(counts.values())) > 1:
        numbers = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise CourseError(f'Claim "{id}": every arm needs the same seeds, but {numbers}.')
    if counts[of[0]] < FEWEST_SEEDS:
        raise CourseError(
            f'Claim "{id}" has {counts[of[0]]} seed(s) per arm; measure at least {FEWEST_SEEDS}.'
        )


def _interval(id: str, values: dict[str, list[np.ndarray]], of: list[str]) -> tuple[Interval, str]:
    arms = [values[name] for name in of]
    shapes = [{seed.shape for seed in arm} for arm in arms]
    if all(shape == {()} for shape in shapes):
        effects = np.array(arms[0]) - (np.array(arms[1]) if len(arms) == 2 else 0)
        return seeds_interval(effects.tolist()), "over seeds"
    for name, shape in zip(of, shapes, strict=True):
        if len(shape) > 1 or shape == {()}:
            raise CourseError(
                f'Claim "{id}": give item scores for every seed of "{name}", '
                "the same number of them, or give plain numbers in all arms of the effect."
            )
    scores = [[seed.tolist() for seed in arm] for arm in arms]
    return two_level_interval(*scores), "over seeds and items"


def _peak_mb() -> int:
    from ift_course.hardware import peak_memory_mb

    return round(peak_memory_mb())
