"""Lesson 07's figures and tables of its pools and of its grid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from html import escape
from statistics import fmean

from ift_course.errors import CourseError
from ift_course.evaluation.failure_modes import knows
from ift_course.evaluation.generate import Completion
from ift_course.lessons.lesson_07.experiment import (
    TEACHER,
    Generation,
    StudentConfig,
    StudentResult,
)
from ift_course.lessons.lesson_07.pipeline import AnsweredInstruction, Pool, to_question
from ift_course.lessons.lesson_07.selection import CHOICES
from ift_course.world.tasks import Example
from ift_course.world.verify import split_sentences

RIGHT, RIGHT_AND_MORE = "right", "right, and more"
WRONG, WRONG_AND_MORE = "wrong", "wrong, and more"
ANSWER_TYPES = (RIGHT, RIGHT_AND_MORE, WRONG, WRONG_AND_MORE)


def answer_type(example: Example, answer: Completion) -> str:
    """Which of ANSWER_TYPES it is: does it begin rightly, and is there more after the answer?"""
    more = not answer.finished or len(split_sentences(answer.text)) > 1
    if knows(example, answer.text):
        return RIGHT_AND_MORE if more else RIGHT
    return WRONG_AND_MORE if more else WRONG


def answer_types(item: AnsweredInstruction) -> list[str]:
    """The type of each answer to an instruction that the world understands."""
    return [_answer_type(item.instruction, answer) for answer in item.answers]


@cache  # the figures of a lesson classify the same pools many times
def _answer_type(instruction: str, answer: Completion) -> str:
    question = to_question(instruction)
    if question is None:
        raise ValueError(f"The world does not understand the instruction {instruction!r}.")
    return answer_type(question, answer)


def sensible(pool: Pool) -> list[AnsweredInstruction]:
    """The part of the pool whose instructions the world understands, so that it can verify them."""
    return [item for item in pool if to_question(item.instruction)]


def shares_by_type(pool: Pool) -> dict[str, float]:
    """The share of each type among the answers to sensible instructions."""
    counts = Counter(kind for item in sensible(pool) for kind in answer_types(item))
    return {kind: counts[kind] / counts.total() for kind in ANSWER_TYPES}


def rewards_by_type(pool: Pool, name: str) -> dict[str, list[float]]:
    """The rewards that a judge gave to each type of answer."""
    by_type: dict[str, list[float]] = {kind: [] for kind in ANSWER_TYPES}
    for item in sensible(pool):
        for kind, reward in zip(answer_types(item), item.rewards[name], strict=True):
            by_type[kind].append(reward)
    return by_type


def preferred(
    pool: Pool, name: str, better: Iterable[str] = (RIGHT,), worse: Iterable[str] = ANSWER_TYPES[1:]
) -> float:
    """How often a judge prefers an answer of a better type to one of a worse type.

    Args:
        pool: the answers and their rewards.
        name: of the judge.
        better: types of answers.
        worse: types of answers. By default, the right answer and nothing else is compared with all
            others.

    Returns:
        The share of all pairs of answers to one instruction; equal rewards count one half. NaN if
        there is no pair.
    """
    better, worse = set(better), set(worse)
    points = []
    for item in sensible(pool):
        rewards = list(zip(answer_types(item), item.rewards[name], strict=True))
        high = [reward for kind, reward in rewards if kind in better]
        low = [reward for kind, reward in rewards if kind in worse]
        points += [(1 + (a > b) - (a < b)) / 2 for a in high for b in low]
    return fmean(points) if points else float("nan")


def most_mixed(pool: Pool) -> AnsweredInstruction:
    """The first of the instructions whose answers are nearest to half right.

    Raises:
        CourseError: no instruction has both right and wrong answers.
    """
    mixed = [item for item in pool if 0 < sum(item.right) < len(item.answers)]
    if not mixed:
        raise CourseError(
            "The teacher's answers to each instruction are all right or all wrong, so no judge can "
            "choose between them; raise the temperature of the answers in "
            "`ift_course.lessons.lesson_07.sizes.SIZES`."
        )
    return min(mixed, key=lambda item: abs(sum(item.right) - len(item.answers) / 2))


def generations(results: Iterable[StudentResult], config: StudentConfig) -> list[list[Generation]]:
    """The generations of a configuration, seed by seed."""
    chosen = [result for result in results if result.config == config]
    return [result.generations for result in sorted(chosen, key=lambda result: result.seed)]


def arm(results: Iterable[StudentResult], choice: str, *, once: bool = False) -> list[list[float]]:
    """The item scores of a choice's student, seed by seed: an arm of a claim or a chart."""
    config = StudentConfig(choice, once=once)
    return [of_seed[0].scores for of_seed in generations(results, config)]


def arms(results: Sequence[StudentResult]) -> dict[str, list[list[float]]]:
    """The arms of all choices that have results, and the teacher's, in the order of the lesson."""
    names = {TEACHER: (TEACHER, False), "all, read once": ("all", True)}
    names |= {name: (name, False) for name in CHOICES}
    named = {name: arm(results, choice, once=once) for name, (choice, once) in names.items()}
    return {name: seeds for name, seeds in named.items() if seeds}


def over_generations(
    results: Sequence[StudentResult], config: StudentConfig, measure: str
) -> list[list]:
    """A measure of `Generation` for each generation, each with its seeds."""
    seeds = generations(results, config)
    return [[getattr(of_seed[g], measure) for of_seed in seeds] for g in range(config.generations)]


def browse(pool: Pool, name: str = "habits") -> Callable[[int], str]:
    """A view for `plots.grid_figures.explore`: number of an instruction → its answers as HTML."""

    def view(number: int) -> str:
        item = pool[number]
        order = sorted(range(len(item.answers)), key=lambda j: -item.rewards[name][j])
        right = item.right
        lines = "".join(
            f"<li>{'✓' if right[j] else '✗'} {item.rewards[name][j]:+.2f} "
            f"{escape(item.answers[j].text)}</li>"
            for j in order
        )
        return f"<p><b>{escape(item.instruction)}</b></p><ol>{lines}</ol>"

    return view
