"""Lesson 09's grid: records chosen from a flawed pool in different ways, at equal size and steps.

`run_config(config, seed, profile)` chooses, tunes the base, and scores it as lesson 03 does.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING, Any

from ift_course.data.examples import to_records
from ift_course.lessons.lesson_03.experiment import QUESTIONS, fresh_base, tune_and_ask
from ift_course.lessons.lesson_09.config import POOL_SIZE, CurationConfig, CurationResult
from ift_course.lessons.lesson_09.selection import CONTROLS, SELECTION_METHODS
from ift_course.profile import Profile
from ift_course.world.flaws import spoil
from ift_course.world.tasks import FACT_TASKS, Example, sample, verify

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from ift_course.data.records import Record
    from ift_course.lessons.lesson_03.experiment import Loader

COPIED = 10  # records of a pool that are posted again and again

# Way of choosing → configuration. The lesson takes six seeds of those that it claims something
# about: `grids.full("09", seeds=range(6), configs=[SELECTIONS[name] for name in CLAIMED])`.
SELECTIONS: dict[str, CurationConfig] = {
    method: CurationConfig(method) for method in (*SELECTION_METHODS, *CONTROLS)
} | {"all 1,000": CurationConfig("random", selected=POOL_SIZE)}
CLAIMED = ("random", "curated")
GRID: tuple[CurationConfig, ...] = tuple(SELECTIONS.values())


def run_config(
    config: CurationConfig,
    seed: int,
    profile: Profile,
    *,
    load: Loader | None = None,
    questions: int = QUESTIONS,
) -> CurationResult:
    """Choose from a pool, tune a fresh base on the choice, and score it on held-out entities.

    Args:
        config: the pool, the choice and the compute budget.
        seed: of the pool, the choice, the training and the questions.
        profile: its base model and its training settings.
        load: returns a fresh (model, tokenizer); None loads the profile's base.
        questions: how many test questions are asked.
    """
    started = time.perf_counter()
    model, tokenizer = fresh_base(profile, load)
    examples = training_set(config, seed, model, tokenizer)
    measured = tune_and_ask(model, tokenizer, examples, seed, config.steps, profile, questions)
    seconds = time.perf_counter() - started
    return CurationResult.stamped(config, seed, profile, seconds=seconds, **measured)


def training_set(
    config: CurationConfig,
    seed: int,
    model: PreTrainedModel | None = None,
    tokenizer: PreTrainedTokenizerBase | None = None,
) -> list[Example]:
    """The examples that the configuration's method chooses from its pool.

    Args:
        config: what to choose.
        seed: of the pool and the choice.
        model: the base, for the methods that score records with it.
        tokenizer: of the base, likewise.
    """
    pool = make_pool(config, seed)
    base = (model, tokenizer) if model is not None and tokenizer is not None else None
    options: dict[str, Any] = {"seed": seed, "base": base}
    if config.method in CONTROLS:
        options["is_right"] = [verify(example, example.response) for example in pool]
    choose = (SELECTION_METHODS | CONTROLS)[config.method]
    return [pool[i] for i in choose(to_records(pool), config.selected, **options)]


def make_pool(config: CurationConfig, seed: int) -> list[Example]:
    """A pool as one meets them: a share is damaged, and every fifth record is a copy of ten."""
    copies = config.pool // 5
    pool = spoil(sample(config.pool - copies, seed=seed, tasks=FACT_TASKS), config.flawed, seed)
    rng = random.Random(f"{seed}-copies")
    popular = rng.sample(pool, COPIED)
    pool += [rng.choice(popular) for _ in range(copies)]
    rng.shuffle(pool)
    return pool


def judged_pool(seed: int) -> tuple[list[Record], list[bool]]:
    """The pool of all configurations as records, and for each whether its response is wrong."""
    pool = make_pool(GRID[0], seed)
    return to_records(pool), [not verify(example, example.response) for example in pool]
