"""What lesson 07 shows of its pools and of its grid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from html import escape
from statistics import fmean

from ift_course.errors import CourseError
from ift_course.evaluation.failure_modes import knows
from ift_course.evaluation.generate import Completion
from ift_course.lessons.lesson_07.experiment import TEACHER, Cell, Generation, Row
from ift_course.lessons.lesson_07.pipeline import Asked, Pool, meaning
from ift_course.lessons.lesson_07.selection import CHOICES
from ift_course.world.tasks import Example
from ift_course.world.verify import split_sentences

RIGHT, RIGHT_AND_MORE = "right", "right, and more"
WRONG, WRONG_AND_MORE = "wrong", "wrong, and more"
SORTS = (RIGHT, RIGHT_AND_MORE, WRONG, WRONG_AND_MORE)


def sort_of(example: Example, said: Completion) -> str:
    """Which of SORTS an answer is: does it begin rightly, and does it go on after its answer?"""
    more = not said.finished or len(split_sentences(said.text)) > 1
    if knows(example, said.text):
        return RIGHT_AND_MORE if more else RIGHT
    return WRONG_AND_MORE if more else WRONG


def sorts(asked: Asked) -> list[str]:
    """The sort of each answer to an instruction that the world understands."""
    return [_sort(asked.instruction, said) for said in asked.answers]


@cache  # the pictures of a lesson ask for the same pools many times
def _sort(instruction: str, said: Completion) -> str:
    return sort_of(meaning(instruction), said)


def sensible(pool: Pool) -> list[Asked]:
    """The part of the pool whose instructions the world understands, so that answers can be
    marked."""
    return [asked for asked in pool if meaning(asked.instruction)]


def shares_of_sorts(pool: Pool) -> dict[str, float]:
    """The share of each sort among the answers to sensible instructions."""
    found = Counter(sort for asked in sensible(pool) for sort in sorts(asked))
    return {sort: found[sort] / found.total() for sort in SORTS}


def rewards_by_sort(pool: Pool, name: str) -> dict[str, list[float]]:
    """The rewards that a judge gave to each sort of answer."""
    found: dict[str, list[float]] = {sort: [] for sort in SORTS}
    for asked in sensible(pool):
        for sort, reward in zip(sorts(asked), asked.rewards[name], strict=True):
            found[sort].append(reward)
    return found


def preferred(
    pool: Pool, name: str, better: Iterable[str] = (RIGHT,), worse: Iterable[str] = SORTS[1:]
) -> float:
    """How often the judge puts an answer of a better sort before one of a worse sort.

    Of all pairs of answers to one instruction; equal rewards count one half. The default is: right
    and nothing else, against everything else. NaN if there is no pair.
    """
    better, worse = set(better), set(worse)
    points = []
    for asked in sensible(pool):
        marks = list(zip(sorts(asked), asked.rewards[name], strict=True))
        high = [reward for sort, reward in marks if sort in better]
        low = [reward for sort, reward in marks if sort in worse]
        points += [(1 + (a > b) - (a < b)) / 2 for a in high for b in low]
    return fmean(points) if points else float("nan")


def most_mixed(pool: Pool) -> Asked:
    """The first of the instructions whose answers are nearest to half right.

    Raises CourseError if no instruction has both right and wrong answers.
    """
    mixed = [asked for asked in pool if 0 < sum(asked.right) < len(asked.answers)]
    if not mixed:
        raise CourseError(
            "The teacher's answers to each instruction are all right or all wrong, so no judge can "
            "choose between them; raise the temperature of the answers in "
            "`ift_course.lessons.lesson_07.pipeline.PLANS`."
        )
    return min(mixed, key=lambda asked: abs(sum(asked.right) - len(asked.answers) / 2))


def generations(rows: Iterable[Row], cell: Cell) -> list[list[Generation]]:
    """The generations of a cell, seed by seed."""
    found = [row for row in rows if row.cell == cell]
    return [row.generations for row in sorted(found, key=lambda row: row.seed)]


def arm(rows: Iterable[Row], choice: str, *, once: bool = False) -> list[list[float]]:
    """The item scores of a choice's student, seed by seed: an arm of a claim or a chart."""
    return [made[0].scores for made in generations(rows, Cell(choice, once=once))]


def arms(rows: Sequence[Row]) -> dict[str, list[list[float]]]:
    """The arms of all choices that have rows, and the teacher's, in the order of the lesson."""
    names = {TEACHER: (TEACHER, False), "all, read once": ("all", True)}
    names |= {name: (name, False) for name in CHOICES}
    found = {name: arm(rows, choice, once=once) for name, (choice, once) in names.items()}
    return {name: seeds for name, seeds in found.items() if seeds}


def over_generations(rows: Sequence[Row], cell: Cell, measure: str) -> list[list]:
    """A measure of `Generation` for each generation, each with its seeds."""
    seeds = generations(rows, cell)
    return [[getattr(made[g], measure) for made in seeds] for g in range(cell.generations)]


def browse(pool: Pool, name: str = "habits") -> Callable[[int], str]:
    """A view for `display.grids.explore`: the number of an instruction → its answers as HTML."""

    def view(number: int) -> str:
        asked = pool[number]
        order = sorted(range(len(asked.answers)), key=lambda j: -asked.rewards[name][j])
        lines = "".join(
            f"<li>{'✓' if asked.right[j] else '✗'} {asked.rewards[name][j]:+.2f} "
            f"{escape(asked.answers[j].text)}</li>"
            for j in order
        )
        return f"<p><b>{escape(asked.instruction)}</b></p><ol>{lines}</ol>"

    return view
