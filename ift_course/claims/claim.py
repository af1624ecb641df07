"""The ledger of claims: what the course says, what was measured, and whether it held.

A lesson calls `claim` once for each thing it wants to show. The entry goes to
results/<profile>/claims.json and a card with the verdict appears in the notebook.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, PrivateAttr, TypeAdapter, ValidationError

from ift_course import session
from ift_course.disk import atomic_write_text
from ift_course.errors import CourseError
from ift_course.evaluation.intervals import Interval, seeds_interval, two_level_interval
from ift_course.paths import results_dir

FEWEST_SEEDS = 3
DIGITS = 6  # so that a rerun with the same numbers leaves the same file

Seeds = Sequence[float] | Sequence[Sequence[float]]


class Claim(BaseModel):
    """One entry of the ledger.

    arms: the per-seed values of each arm (means, where item scores were given).
    effect: the mean of the arm in `of`, or of the first arm in it minus the second.
    interval: 95 %, (low, high); method: how it was found. holds: all of it keeps the bounds.
    subject, literature, differs: as `claim` takes them.
    seconds: since the lesson began. peak_mb: the most memory used so far, in MB of 10^6 bytes.
    """

    model_config = ConfigDict(frozen=True)

    id: str
    lesson: str
    statement: str
    source: str
    metric: str
    arms: dict[str, list[float]]
    of: list[str]
    effect: float
    interval: tuple[float, float]
    method: str
    at_least: float | None
    at_most: float | None
    holds: bool
    subject: tuple[int, ...] = ()
    literature: str = ""
    differs: str = ""
    seconds: int
    peak_mb: int

    _shown_in: int | None = PrivateAttr(default=None)

    def card(self):
        """The claim as a `display.cards.Card`."""
        from ift_course.plots.cards import Card

        low, high = self.interval
        arms = [
            f"{name}: {np.mean(values):.3g} (seeds {', '.join(f'{v:.3g}' for v in values)})"
            for name, values in self.arms.items()
        ]
        return Card(
            kind="good" if self.holds else "bad",
            verdict="holds" if self.holds else "does not hold",
            title=self.statement,
            details=[
                f"{' − '.join(self.of)}, {self.metric}: {self.effect:.3g}, "
                f"95 % interval {low:.3g} to {high:.3g} ({self.method}); needs {self.bound}",
                " · ".join(arms),
                *([f"Not as in the literature: {self.differs}"] if self.differs else []),
                f"Source: {self.source} · claim {self.id}",
            ],
        )

    @property
    def bound(self) -> str:
        """What the interval has to keep, in words."""
        parts = []
        if self.at_least is not None:
            parts.append(f"at least {self.at_least:g}")
        if self.at_most is not None:
            parts.append(f"at most {self.at_most:g}")
        return " and ".join(parts)

    def _ipython_display_(self) -> None:
        # `claim` has shown its card already when the notebook echoes a cell's last value.
        if self._shown_in is None or self._shown_in != _cell():
            self._show()

    def _show(self) -> None:
        from ift_course.plots.cards import show

        self._shown_in = _cell()
        show(self.card())


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
    """Say what was expected, what was measured and whether it held; record and show it.

    id: "03.quality-beats-quantity"; an earlier claim of this id is replaced.
    statement: the expectation in one sentence. source: who says so. metric: what the numbers are.
    arms: for each arm one number per seed, or one list of item scores per seed.
    effect: "a" is the mean of arm a, ("a", "b") that of a minus b, paired by seed.
    at_least, at_most: the claim holds if the whole 95 % interval of the effect keeps the bounds.
        With item scores it covers seeds and items (`intervals.two_level_interval`), else seeds
        (Student's t).
    subject: which numbers of `lessons.objectives` it shows; docs/claims.md is sorted by them.
    literature: the statement as the field puts it, where that is not `statement`.
    differs: what is otherwise here than in the literature, and why, in a sentence; "" if nothing.
    Raises CourseError if a bound, an arm or seeds are missing, or a number is not finite.
    """
    if at_least is None and at_most is None:
        raise CourseError(f'Claim "{id}" cannot fail: give it at_least or at_most.')
    values = {name: [_seed(id, name, s) for s in seeds] for name, seeds in arms.items()}
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
    _record(entry, current.profile.name)
    entry._show()
    return entry


def read_claims(profile: str) -> list[Claim]:
    """The recorded claims of a profile, sorted by id; none if nothing was recorded.

    Raises CourseError if the file is not a ledger.
    """
    return read_ledger(results_dir(profile) / "claims.json")


def _seed(id: str, arm: str, seed) -> np.ndarray:
    """One seed of an arm as a flat array: one number, or its item scores."""
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
        told = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise CourseError(f'Claim "{id}": every arm needs the same seeds, but {told}.')
    if counts[of[0]] < FEWEST_SEEDS:
        raise CourseError(
            f'Claim "{id}" has {counts[of[0]]} seed(s) per arm; measure at least {FEWEST_SEEDS}.'
        )


def _interval(id: str, values: dict[str, list[np.ndarray]], of: list[str]) -> tuple[Interval, str]:
    arms = [values[name] for name in of]
    shapes = [{seed.shape for seed in arm} for arm in arms]
    if all(shape == {()} for shape in shapes):
        effects = np.array(arms[0]) - (np.array(arms[1]) if len(arms) == 2 else 0)
        return seeds_interval(effects), "over seeds"
    for name, shape in zip(of, shapes, strict=True):
        if len(shape) > 1 or shape == {()}:
            raise CourseError(
                f'Claim "{id}": give item scores for every seed of "{name}", '
                "the same number of them, or give plain numbers in all arms of the effect."
            )
    return two_level_interval(*arms), "over seeds and items"


def _record(entry: Claim, profile: str) -> None:
    from filelock import FileLock

    path = results_dir(profile) / "claims.json"
    # Lessons may run side by side and write to the same ledger.
    with FileLock(path.with_name(path.name + ".lock")):
        others = [item for item in read_ledger(path) if item.id != entry.id]
        entries = sorted([*others, entry], key=lambda item: item.id)
        data = json.dumps(
            [e.model_dump(mode="json") for e in entries], indent=1, ensure_ascii=False
        )
        atomic_write_text(path, data + "\n")


def read_ledger(path: Path) -> list[Claim]:
    """The claims of one file; none if there is no file.

    Raises CourseError if it is not a ledger.
    """
    if not path.exists():
        return []
    try:
        return TypeAdapter(list[Claim]).validate_json(path.read_bytes())
    except ValidationError as error:
        raise CourseError(
            f"{path} is not a ledger of claims ({error.error_count()} errors); "
            "delete it and run the lessons again."
        ) from None


def _peak_mb() -> int:
    from ift_course.hardware import peak_memory_mb

    return round(peak_memory_mb())


def _cell() -> int | None:
    """The number of the notebook cell that is running."""
    from IPython import get_ipython

    shell = get_ipython()
    return shell.execution_count if shell else None
