"""The checks that a lesson is graded by, and what a verdict depends on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from ift_course import __version__
from ift_course.errors import CourseError
from ift_course.exercises import catalog, source
from ift_course.exercises.catalog import Check, Exercise
from ift_course.paths import PACKAGE

if TYPE_CHECKING:
    from pathlib import Path

    from ift_course.grading.results import PlanLine, PlannedExercise

LESSONS, MACHINERY = PACKAGE / "lessons", PACKAGE / "exercises"


@dataclass(frozen=True)
class GradingPlan:
    """The checks of a lesson: the public ones and an instructor's hidden ones.

    Attributes:
        lesson: Its number, as "02".
        hidden: The instructor's folder of checks.
        seed: Names the course; inputs vary with it and with the student.
        folder: The folder of the public checks; None for the course's own.
    """

    lesson: str
    hidden: Path | None = None
    seed: str = "0"
    folder: Path | None = None

    @cached_property
    def checks(self) -> list[tuple[Exercise, Check]]:
        """Every check with its exercise, in order; those of a hidden folder are all hidden.

        Raises:
            CourseError: The lesson has no checks, or a check file cannot be executed.
        """
        public = catalog.exercises(self.lesson, self.folder)
        pairs = [(exercise, check) for exercise in public for check in _checks(exercise)]
        if not pairs:
            known = ", ".join(sorted({x.lesson for x in catalog.exercises(folder=self.folder)}))
            raise CourseError(f"Lesson {self.lesson} has no checks; there are: {known}.")
        functions = {exercise.function for exercise, _ in pairs}
        for exercise in catalog.exercises(self.lesson, self.hidden) if self.hidden else []:
            if exercise.function not in functions:
                raise CourseError(
                    f"{exercise.path} is not named after an exercise of lesson {self.lesson}; "
                    f"they are: {', '.join(sorted(functions))}."
                )
            pairs += [(exercise, _hidden(check)) for check in _checks(exercise)]
        return sorted(pairs, key=lambda pair: pair[0].number)

    @property
    def functions(self) -> list[str]:
        """The functions that the learner writes, in order."""
        return list(dict.fromkeys(exercise.function for exercise, _ in self.checks))

    @property
    def secret_paths(self) -> list[Path]:
        """The paths that no student's process may read."""
        checks, wrong = LESSONS.glob("*/checks"), LESSONS.glob("*/misconceptions")
        own = [*checks, *wrong, source.folder()]
        return [*own, *(x for x in (self.hidden, self.folder) if x)]

    @property
    def check_sources(self) -> list[bytes]:
        """The code of each check file."""
        return [path.read_bytes() for path in {exercise.path for exercise, _ in self.checks}]

    def key(self, exercise: Exercise, sha: str, student: str) -> str:
        """Changes whenever a verdict may: with the work, the checks, the package, the seed.

        Args:
            exercise: Whose checks are run.
            sha: Of the submission.
            student: The student's key.
        """
        parts = (sha, _digest([exercise.path]), _digest_of_machinery(), self.seed, student)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def line(self) -> PlanLine:
        """For the results: all that a report needs to know about the checks."""
        exercises: dict[str, PlannedExercise] = {}
        for exercise, check in self.checks:
            title = source.title(exercise.id) or exercise.function
            planned = exercises.setdefault(
                exercise.id,
                {"id": exercise.id, "function": exercise.function, "title": title, "checks": []},
            )
            planned["checks"].append({"id": check.id, "title": check.title, "worth": check.points,
                                      "hidden": check.hidden})  # fmt: skip
        return {"kind": "plan", "lesson": self.lesson, "exercises": list(exercises.values())}


def _checks(exercise: Exercise) -> list[Check]:
    try:
        return catalog.checks(exercise)
    except Exception as error:
        raise CourseError(f"{exercise.path} cannot be executed: {error!r}.") from None


def _hidden(check: Check) -> Check:
    """A check of the instructor's folder, renamed because a public one may have the same id."""
    return Check(**vars(check) | {"id": check.id.replace("/", "/hidden:", 1), "hidden": True})


def _digest(paths: list[Path]) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def _digest_of_machinery() -> str:
    """What all verdicts depend on: how values cross and how they are compared."""
    return __version__ + _digest(sorted(MACHINERY.glob("*.py")))
