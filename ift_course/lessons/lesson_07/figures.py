"""Lesson 07's figures and tables of its pools and of its grid."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from statistics import fmean

from ift_course.errors import CourseError
from ift_course.evaluation.failure_modes import knows
from ift_course.evaluation.generate import Completion
from ift_course.lessons.lesson_07.experiment import Generation, StudentResult
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


def preferred(
    pool: Pool, better: Iterable[str] = (RIGHT,), worse: Iterable[str] = ANSWER_TYPES[1:]
) -> float:
    """How often the judge prefers an answer of a better type to one of a worse type.

    Args:
        pool: the answers and their rewards.
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
        rewards = list(zip(answer_types(item), item.rewards, strict=True))
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


def generations(results: Iterable[StudentResult], choice: str) -> list[list[Generation]]:
    """The generations of a choice, seed by seed."""
    chosen = [result for result in results if result.config.choice == choice]
    return [result.generations for result in sorted(chosen, key=lambda result: result.seed)]


def arms(results: Sequence[StudentResult]) -> dict[str, list[list[float]]]:
    """Choice → the item scores of its first student, seed by seed: the arms of a claim or chart."""
    named = {name: generations(results, name) for name in CHOICES}
    return {
        name: [of_seed[0].scores for of_seed in seeds] for name, seeds in named.items() if seeds
    }


def over_generations(results: Iterable[StudentResult], choice: str, measure: str) -> list[list]:
    """A measure of `Generation` for each generation of a choice, each with its seeds."""
    by_seed = generations(results, choice)
    return [[getattr(x, measure) for x in of_number] for of_number in zip(*by_seed, strict=True)]
