"""Which checks a lesson is graded by, and what a verdict depends on."""

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ift_course import __version__
from ift_course.errors import CourseError
from ift_course.exercises import catalog, source
from ift_course.exercises.catalog import Check, Exercise
from ift_course.paths import PACKAGE

LESSONS, MACHINERY = PACKAGE / "lessons", PACKAGE / "exercises"


@dataclass(frozen=True)
class Plan:
    """The checks of a lesson, the public ones and an instructor's hidden ones.

    hidden: the instructor's folder. seed: names the course; inputs vary with it and the student.
    folder: of the checks themselves, the course's own without.
    """

    lesson: str
    hidden: Path | None = None
    seed: str = "0"
    folder: Path | None = None

    @cached_property
    def checks(self) -> list[tuple[Exercise, Check]]:
        """Every check with its exercise, in order; those of a hidden folder are all hidden.

        Raises:
            CourseError: the lesson has no checks, or a check file cannot be executed.
        """
        public = catalog.exercises(self.lesson, self.folder)
        found = [(x, check) for x in public for check in _checks(x)]
        if not found:
            known = ", ".join(sorted({x.lesson for x in catalog.exercises(folder=self.folder)}))
            raise CourseError(f"Lesson {self.lesson} has no checks; there are: {known}.")
        names = {x.function for x, _ in found}
        for exercise in catalog.exercises(self.lesson, self.hidden) if self.hidden else []:
            if exercise.function not in names:
                raise CourseError(
                    f"{exercise.path} is named after no exercise of lesson {self.lesson}; "
                    f"they are: {', '.join(sorted(names))}."
                )
            found += [(exercise, _hidden(check)) for check in _checks(exercise)]
        return sorted(found, key=lambda x: x[0].number)

    @property
    def functions(self) -> list[str]:
        """What the learner writes, in order."""
        return list(dict.fromkeys(exercise.function for exercise, _ in self.checks))

    @property
    def secret(self) -> list[Path]:
        """What no student's process may read."""
        checks, wrong = LESSONS.glob("*/checks"), LESSONS.glob("*/misconceptions")
        return [*checks, *wrong, source.folder(), *(x for x in (self.hidden, self.folder) if x)]

    @property
    def codes(self) -> list[bytes]:
        """The check files, as bytes."""
        return [path.read_bytes() for path in {exercise.path for exercise, _ in self.checks}]

    def key(self, exercise: Exercise, sha: str, student: str) -> str:
        """Changes whenever a verdict may: with the work, the checks, the package, the seed."""
        parts = (sha, _digest([exercise.path]), _machinery(), self.seed, student)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]

    def line(self) -> dict:
        """For the results: all that a report needs to know about the checks."""
        exercises: dict[str, dict] = {}
        for exercise, check in self.checks:
            about = {"id": exercise.id, "function": exercise.function,
                     "title": source.title(exercise.id) or exercise.function}  # fmt: skip
            row = exercises.setdefault(exercise.id, about | {"checks": []})
            row["checks"].append({"id": check.id, "title": check.title, "worth": check.points,
                                  "hidden": check.hidden})  # fmt: skip
        return {"kind": "plan", "lesson": self.lesson, "exercises": list(exercises.values())}


def _checks(exercise: Exercise) -> list[Check]:
    try:
        return catalog.checks(exercise)
    except Exception as error:
        raise CourseError(f"{exercise.path} cannot be executed: {error!r}.") from None


def _hidden(check: Check) -> Check:
    """A check of the instructor's folder; its id may be that of a public one."""
    identity = check.id.replace("/", "/hidden:", 1)
    return Check(**vars(check) | {"id": identity, "hidden": True})


def _digest(paths: list[Path]) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()


def _machinery() -> str:
    """What all verdicts depend on: how values cross and how they are compared."""
    return __version__ + _digest(sorted(MACHINERY.glob("*.py")))
