"""Lesson 07's grid: students of different training sets, and what becomes of their students.

`run_config(config, seed, profile)` selects answers from the seed's pool, tunes a fresh student on
the selection, and tests it on held-out entities. After Chen et al. 2023 (AlpaGasus),
arXiv:2307.08701, Shumailov et al. 2024 (model collapse), Nature 631, and Gerstgrasser et al. 2024,
arXiv:2404.01413, who keep the real data.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from ift_course.claims.results import Config, Result, item_digits, item_scores
from ift_course.evaluation.generate import Completion
from ift_course.evaluation.score import score
from ift_course.lessons.lesson_03.experiment import held_out
from ift_course.lessons.lesson_06.bases import PROSE, SHIPPED
from ift_course.lessons.lesson_07 import pipeline
from ift_course.lessons.lesson_07.pipeline import AnsweredQuestion, Pool
from ift_course.lessons.lesson_07.selection import (
    ALL,
    CHOICES,
    JUDGE,
    RANDOM,
    VERIFIER,
    Picks,
    records,
    share_right,
)
from ift_course.lessons.lesson_07.sizes import SIZES
from ift_course.profile import Profile
from ift_course.world.tasks import Example

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

PEOPLE = "people"  # the right answers that the world holds
GENERATIONS = 4


@dataclass(frozen=True)
class StudentConfig(Config):
    """The training set of a student.

    Attributes:
        choice: a name of `selection.CHOICES`, or PEOPLE.
        generations: each one after the first learns from what the previous one answered.
        keep_real: the first generation's training set stays in that of all later ones.
        student: which base learns, as in lesson 06: "shipped", or "prose", which has read less.
    """

    choice: str
    generations: int = 1
    keep_real: bool = False
    student: str = SHIPPED


REPLACED = StudentConfig(PEOPLE, GENERATIONS)
KEPT = StudentConfig(PEOPLE, GENERATIONS, keep_real=True)
CHAINS = {"replace": REPLACED, "join": KEPT}  # what the answers of models do to those of people
CHOSEN = (ALL, RANDOM, JUDGE, VERIFIER)
WEAKER = StudentConfig(JUDGE, student=PROSE)  # learns from the same answers
GRID: tuple[StudentConfig, ...] = (*map(StudentConfig, CHOSEN), *CHAINS.values(), WEAKER)


class Generation(BaseModel):
    """One student and its training set.

    Attributes:
        items: "1" or "0" for each exam question, by the strict score.
        examples: in the training set.
        right: the share of right answers in it.
        different: how many different answers it has.
        words: of an answer in the exam, on average.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: str
    examples: int
    right: float
    different: int
    words: float

    @property
    def scores(self) -> list[float]:
        """1.0 or 0.0 for each exam question: what `claim` takes as one seed of an arm."""
        return item_scores(self.items)

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return fmean(self.scores)


class StudentResult(Result):
    """The students of one configuration and seed; `seconds` covers the whole run.

    Attributes:
        generations: the first one first.
    """

    config: StudentConfig
    generations: list[Generation]


def run_config(config: StudentConfig, seed: int, profile: Profile) -> StudentResult:
    """Select, tune and test; in later generations, answer first."""
    started = time.perf_counter()
    generations = list(_generations(config, seed, profile))
    return StudentResult.stamped(
        config, seed, profile, seconds=time.perf_counter() - started, generations=generations
    )


def _generations(config: StudentConfig, seed: int, profile: Profile) -> Iterator[Generation]:
    sizes = SIZES[profile.name]
    examples = pipeline.questions(sizes, seed)
    real = by_people(examples)
    pool = real if config.choice == PEOPLE else pipeline.make_pool(profile, seed)
    picks = CHOICES[ALL if config.choice == PEOPLE else config.choice](pool, seed)
    for number in range(1, config.generations + 1):
        training_set = records(pool, picks)
        model, tokenizer = pipeline.tune_student(profile, training_set, seed, config.student)
        yield evaluate(model, tokenizer, seed, profile, pool, picks)
        if number == config.generations:
            return
        # At the temperature of 1, a model gives an answer as often as it believes it; hotter, the
        # noise of the sampling alone would ruin the chain.
        pool = pipeline.sample_answers(
            model, tokenizer, examples, seed=10 * number + seed,
            sizes=replace(sizes, temperature=1.0), answers=1,
        )  # fmt: skip
        pool = [*real, *pool] if config.keep_real else pool
        picks = CHOICES[ALL](pool, seed)


def by_people(examples: Sequence[Example]) -> list[AnsweredQuestion]:
    """The questions with the right answers that the world holds."""
    return [AnsweredQuestion(x, (Completion(x.response, True),)) for x in examples]


def evaluate(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    seed: int,
    profile: Profile,
    pool: Pool,
    picks: Picks,
) -> Generation:
    """Test a student on the exam and describe its training set.

    Args:
        model: the student.
        tokenizer: of the model.
        seed: of the exam.
        profile: whose sizes to use.
        pool: the answers that the student's training set was selected from.
        picks: the selection.
    """
    sizes = SIZES[profile.name]
    scores = score(model, tokenizer, held_out(seed, sizes.exam), max_new_tokens=sizes.tokens)
    return Generation(
        items=item_digits(scores.correct),
        examples=len(picks),
        right=round(share_right(pool, picks), 4),
        different=len({pool[i].answers[j].text for i, j in picks}),
        words=round(fmean(len(x.text.split()) for x in scores.completions), 2),
    )
