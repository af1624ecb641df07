"""A lesson's results: those of its stored grid, and those that the notebook measures itself.

Three seeds of every configuration take longer than a lesson may. So a few runs are measured while
the reader watches, with the first seed, and everything else is read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from ift_course.claims import grid_store
from ift_course.claims.results import Config, Result
from ift_course.profile import Profile

R = TypeVar("R", bound=Result)


class GridRuns(Generic[R]):
    """The results of a lesson's grid, stored and live.

    Attributes:
        stored: the results that came with the course or were computed here.
        live: the results that were measured in this notebook.
    """

    def __init__(
        self, lesson: str, profile: Profile, kind: type[R], run_config: Callable[..., R]
    ) -> None:
        """Read what is stored for the profile's base.

        Args:
            lesson: its number, as "03".
            profile: whose results to read, and with whose base to measure.
            kind: the lesson's class of results.
            run_config: measures one configuration with one seed.
        """
        self.lesson, self.profile, self._run_config = lesson, profile, run_config
        self.stored: list[R] = grid_store.read(profile, lesson, kind)
        self.live: list[R] = []

    def of(
        self, config: Config, *, seeds: Sequence[int] | None = None, now: bool = False
    ) -> list[R]:
        """A result for each stored seed; the first seed is measured if it is missing.

        Args:
            config: what to return the results of.
            seeds: which seeds; None stands for those of the profile.
            now: measure the first seed even if it is stored.
        """
        seeds = self.profile.seeds if seeds is None else seeds
        by_seed = {x.seed: x for x in self.stored if x.config == config}
        if now or seeds[0] not in by_seed:
            by_seed[seeds[0]] = self._run_config(config, seeds[0], self.profile)
            self.live.append(by_seed[seeds[0]])
        return [by_seed[seed] for seed in seeds if seed in by_seed]

    def decide(self, *arms: Sequence[R]) -> bool:
        """Whether all arms have the same seeds, and enough for a claim; otherwise say so."""
        seeds = {tuple(result.seed for result in arm) for arm in arms}
        if len(seeds) == 1 and len(arms[0]) >= len(self.profile.seeds):
            return True
        print(
            "Not all seeds are stored, so nothing is claimed: "
            f"`ift run {self.lesson} --full` computes them."
        )
        return False

    @property
    def best_known(self) -> list[R]:
        """The stored results, and the live ones of configurations that are not stored."""
        known = {result.config for result in self.stored}
        return [*self.stored, *(result for result in self.live if result.config not in known)]
