"""What every stored result has in common: its configuration, its seed, and where it was computed.

Each lesson with a grid has a subclass of `Config` (what one run is computed from) and one of
`Result` (what the run gave).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from ift_course.models.fingerprint import base_identity

if TYPE_CHECKING:
    from typing_extensions import Self

    from ift_course.profile import Profile


@dataclass(frozen=True)
class Config:
    """What one run of a grid is computed from, besides its seed."""

    @property
    def sort_key(self) -> tuple[Any, ...]:
        """An order of configurations that is the same in every run."""
        return astuple(self)


class Result(BaseModel):
    """What a run gave for one configuration and one seed; subclasses add what they measure.

    Attributes:
        config: the lesson's `Config`.
        seed: of everything random in the run.
        seconds: wall-clock time of the run, or of the part that the subclass names.
        date: the day of the run (UTC), as "2026-01-02".
        base: which base weights it started from (`models.fingerprint.base_identity`).
        machine: where it ran, as "AMD EPYC, 2 cores".
        threads: of PyTorch; 0 if they were not recorded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    config: Any
    seed: int
    seconds: float
    date: str
    base: str
    machine: str
    threads: int = 0

    @classmethod
    def stamped(
        cls, config: Config, seed: int, profile: Profile, *, seconds: float, **measured: Any
    ) -> Self:
        """The result of a run that has just ended, with today's date, the base and the machine.

        Args:
            config: what was run.
            seed: the seed of the run.
            profile: whose base model the run started from.
            seconds: how long the run took.
            measured: the fields of the subclass.
        """
        import torch

        from ift_course.hardware import machine

        return cls(
            config=config,
            seed=seed,
            seconds=round(seconds, 1),
            date=datetime.now(timezone.utc).date().isoformat(),
            base=base_identity(profile),
            machine=machine(),
            threads=torch.get_num_threads(),
            **measured,
        )


def origin(results: Sequence[Result]) -> str:
    """Where stored results are from: the number of seeds, the latest date, the machines."""
    n_seeds = len({result.seed for result in results})
    machines = ", ".join(sorted({result.machine for result in results}))
    seeds = f"{n_seeds} seed{'s' if n_seeds > 1 else ''}"
    return f"{seeds}, {max(result.date for result in results)}, {machines}"


def item_digits(items: Sequence[float] | Sequence[bool]) -> str:
    """Item scores of 0 and 1 as one string of digits, the form in which they are stored."""
    return "".join(str(int(item)) for item in items)


def item_scores(digits: str) -> list[float]:
    """The item scores in a string of digits: what `claim` takes as one seed of an arm."""
    return [float(digit) for digit in digits]
