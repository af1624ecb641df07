"""Makes a class of any size, and grades it: `python a_class.py SUBMISSIONS GRADEBOOK [JOBS]`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from ift_course.grading.grade import Progress

RIGHT = """
def response_labels(ids, prompt):
    if prompt > len(ids):
        raise ValueError("the prompt is longer than the row")
    return [-100] * prompt + ids[prompt:]
"""
WRONG = RIGHT.replace("[-100] * prompt", "[0] * prompt")
HALF = RIGHT.replace("> len(ids)", "> 10_000")
CRASH = "import os\ndef response_labels(ids, prompt):\n    os._exit(0)\n"
FOLDER = Path(__file__).parent / "exercises"
POINTS = {RIGHT: 7, WRONG: 2, HALF: 6, CRASH: 0}


def make(
    folder: Path, students: int, kinds: tuple[str, ...] = tuple(POINTS), head: str = ""
) -> dict[str, int]:
    """Writes the class.

    Args:
        folder: Where; it must not be there yet.
        students: How many.
        kinds: The code of one student after the other.
        head: Lines before the code of everybody.

    Returns:
        Each student's points.
    """
    folder.mkdir(parents=True)
    expected = {}
    for number in range(students):
        code = kinds[number % len(kinds)]
        (folder / f"student{number:04}.py").write_text(f"{head}# {number}\n{code}")
        expected[f"student{number:04}"] = POINTS[code]
    return expected


def grade(
    folder: Path,
    out: Path,
    jobs: int = 1,
    on_done: Callable[[Progress], None] = lambda progress: None,
) -> None:
    """Grades the class and writes all reports.

    Args:
        folder: Of the class.
        out: The folder of the gradebook.
        jobs: Submissions at a time.
        on_done: Called after each submission.
    """
    from ift_course.grading import gradebook, reports
    from ift_course.grading.grade import grade_class
    from ift_course.grading.plan import GradingPlan
    from ift_course.grading.pool import GradingConfig

    config = GradingConfig(GradingPlan("90", folder=FOLDER))
    grade_class(folder, out, config, jobs=jobs, on_done=on_done)
    reports.write(gradebook.load(out), out)


if __name__ == "__main__":
    grade(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 1)
