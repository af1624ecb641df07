"""Lesson 07's grid: students of different training sets, and what becomes of their students.

`run_config(config, seed, profile)` selects answers from the seed's pool (`teacher_pool`), tunes a
fresh base on the selection, and tests it on held-out entities. After Chen et al. 2023 (AlpaGasus),
arXiv:2307.08701, and for later generations Shumailov et al. 2024, *AI models collapse when trained
on recursively generated data*, Nature 631.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from ift_course.claims.results import Config, Result, item_digits, item_scores
from ift_course.evaluation.failure_modes import knows
from ift_course.evaluation.score import Scores, score
from ift_course.lessons.lesson_03.experiment import held_out
from ift_course.lessons.lesson_07 import pipeline
from ift_course.lessons.lesson_07.pipeline import Pool
from ift_course.lessons.lesson_07.selection import CHOICES, Picks, records, share_right
from ift_course.lessons.lesson_07.sizes import SIZES, StudentSizes
from ift_course.lessons.lesson_07.teacher_pool import collect_instructions, get_pool
from ift_course.profile import Profile

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from ift_course.lessons.lesson_07.pipeline import AnsweredInstruction, Loaded

UNFILTERED, FILTERED = "random, one each", "shortest of each"
GENERATIONS = 2


@dataclass(frozen=True)
class StudentConfig(Config):
    """The training set of a student.

    Attributes:
        choice: a name of `selection.CHOICES`.
        generations: each one after the first learns from what the previous one wrote.
    """

    choice: str
    generations: int = 1


# The long ones come last. The first generation of a chain is also the student of its choice.
GRID: tuple[StudentConfig, ...] = (
    *map(StudentConfig, ("all", "judge's best of each", "verifier's best")),
    *(StudentConfig(choice, GENERATIONS) for choice in (UNFILTERED, FILTERED)),
)


class Generation(BaseModel):
    """One student and its training set.

    Attributes:
        items: "1" or "0" for each exam question, by the strict score.
        knows: the same, where an answer counts if it begins with the right one.
        words: of an answer in the exam, on average.
        right: the share of right answers in the training set.
        different: how many different instructions the training set has.
        sense: the share of its instructions that the world understands.
        facts: how many different facts these ask about.
        kinds: how many different kinds of fact these ask about.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    items: str
    knows: str
    words: float
    right: float
    different: int
    sense: float
    facts: int
    kinds: int

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
    """Select, tune and test; in later generations, write and answer first."""
    started = time.perf_counter()
    generations = list(_generations(config, seed, profile))
    return StudentResult.stamped(
        config, seed, profile, seconds=time.perf_counter() - started, generations=generations
    )


def _generations(config: StudentConfig, seed: int, profile: Profile) -> Iterator[Generation]:
    sizes = SIZES[profile.name]
    filtered = config.choice == FILTERED
    pool: Pool = get_pool(profile, seed).pool
    for number in range(1, config.generations + 1):
        picks = CHOICES[config.choice](pool, seed)
        student = pipeline.fine_tune(profile, records(pool, picks), seed, max_steps=sizes.steps)
        yield evaluate_student(*student, seed, sizes, pool, picks)
        if number == config.generations:
            return
        pool = _next_pool(pool, picks, student, 10 * number + seed, profile, filtered)


def evaluate_student(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    seed: int,
    sizes: StudentSizes,
    pool: Pool,
    picks: Picks,
) -> Generation:
    """Test a student on the exam and describe its training set.

    Args:
        model: the student.
        tokenizer: of the model.
        seed: of the exam.
        sizes: of the exam and of an answer.
        pool: the answers that the student's training set was selected from.
        picks: the selection.
    """
    scores = score(model, tokenizer, held_out(seed, sizes.exam), max_new_tokens=sizes.tokens)
    return Generation(
        items=item_digits(scores.correct),
        knows=item_digits(_known(scores)),
        words=round(fmean(len(c.text.split()) for c in scores.completions), 2),
        **_describe_training_set(pool, picks),
    )


def _describe_training_set(pool: Pool, picks: Picks) -> dict[str, Any]:
    texts = [pool[i].instruction for i, _ in picks]
    questions = [pipeline.to_question(text) for text in texts]
    return {
        "right": round(share_right(pool, picks), 4),
        "different": len(set(texts)),
        "sense": round(sum(x is not None for x in questions) / len(questions), 4),
        "facts": len({(x.task, x.entity) for x in questions if x}),
        "kinds": len({x.task for x in questions if x}),
    }


def _next_pool(
    pool: Pool, picks: Picks, student: Loaded, seed: int, profile: Profile, filtered: bool
) -> list[AnsweredInstruction]:
    """The next generation's pool: the student's answers to a new writer's instructions.

    Args:
        pool: the pool of this generation.
        picks: the student's training set.
        student: (model, tokenizer).
        seed: of the writer and the answers.
        profile: whose sizes to use.
        filtered: the instructions must be new to each other and get several answers each, and there
            are fewer of them when the writer runs dry; otherwise they are taken as they come, with
            one answer each.
    """
    sizes = SIZES[profile.name]
    source = [pool[i].instruction for i, _ in picks]
    writer, tokenizer = pipeline.writer_stage(profile, student, source, seed)
    if filtered:
        harvest = collect_instructions(sizes, writer, tokenizer, source, seed, may_run_dry=True)
        instructions = harvest.clean
    else:
        instructions = []
        while len(instructions) < sizes.instructions:
            completions = pipeline.write_instructions(
                writer,
                tokenizer,
                source,
                sizes.instructions,
                seed=100 * seed + len(instructions),
                sizes=sizes,
            )
            texts = (completion.text.strip() for completion in completions)
            instructions += [text for text in texts if not pipeline.is_held_out(text)]
    return pipeline.sample_answers(
        *student,
        instructions[: sizes.instructions],
        seed=seed,
        sizes=sizes,
        answers=sizes.answers if filtered else 1,
    )


def _known(scores: Scores) -> list[bool]:
    return [
        knows(example, completion.text)
        for example, completion in zip(scores.examples, scores.completions, strict=True)
    ]
