"""Lesson 03's grid: how many examples, how many of them flawed, and how they are chosen.

`run_config(config, seed, profile)` tunes the base on the configuration's examples and scores it on
held-out entities. After Zhou et al. 2023 (LIMA), arXiv:2305.11206, section 5.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from ift_course.claims.results import item_digits
from ift_course.lessons.lesson_03.config import LimaConfig, LimaResult
from ift_course.lessons.lesson_03.selection import SELECTION_METHODS
from ift_course.profile import Profile
from ift_course.world.flaws import spoil
from ift_course.world.tasks import FACT_TASKS, Example, sample, verify

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    Loader = Callable[[], tuple[PreTrainedModel, PreTrainedTokenizerBase]]

QUESTIONS = 200
# Put to every model of the grid, so that a reader sees what a share of right answers looks like.
SAMPLE_PROMPTS = (
    "What is the capital of France?",
    "Name the sound of the owl.",
    "What is the opposite of hot?",
)
SHARES = (0.0, 0.3, 0.6)
EXAMPLE_COUNTS = (30, 100, 300, 1000)
# Selection: this many examples are chosen from a pool, and trained for this many steps.
POOL_SIZE, SELECTED, SELECTION_STEPS = 1000, 150, 40

# Way of choosing → configuration. The claim takes six seeds of "random" and "curated":
# `grids.full("03", seeds=range(6), configs=[SELECTIONS["random"], SELECTIONS["curated"]])`.
SELECTIONS: dict[str, LimaConfig] = {
    method: LimaConfig(SELECTED, 0.5, SELECTION_STEPS, pool=POOL_SIZE, chosen_by=method)
    for method in SELECTION_METHODS
} | {"all 1,000": LimaConfig(POOL_SIZE, 0.5, SELECTION_STEPS, pool=POOL_SIZE, chosen_by="random")}
GRID: tuple[LimaConfig, ...] = (
    *SELECTIONS.values(),
    *(LimaConfig(n, share) for n in EXAMPLE_COUNTS for share in SHARES),
)


def run_config(
    config: LimaConfig,
    seed: int,
    profile: Profile,
    *,
    load: Loader | None = None,
    questions: int = QUESTIONS,
) -> LimaResult:
    """Tune a fresh base on the configuration's examples and score it on held-out entities.

    Args:
        config: the training set and the compute budget.
        seed: of the examples, the training and the questions.
        profile: its base model and its training settings.
        load: returns a fresh (model, tokenizer); None loads the profile's base.
        questions: how many test questions are asked.
    """
    from ift_course.data.examples import to_records
    from ift_course.evaluation.generate import generate_replies
    from ift_course.evaluation.score import score
    from ift_course.training.open_model import load as load_model
    from ift_course.training.sft import sft

    started = time.perf_counter()
    model, tokenizer = (load or partial(load_model, "base", profile=profile.name))()
    examples = training_set(config, seed, model, tokenizer)
    result = sft(
        model,
        tokenizer,
        to_records(examples),
        seed=seed,
        max_steps=config.steps,
        learning_rate=profile.learning_rate,
        batch_size=profile.batch_size,
        gradient_accumulation=profile.gradient_accumulation,
        max_length=profile.max_length,
        progress=False,
    )
    scores = score(result.model, tokenizer, held_out(seed, questions))
    replies = generate_replies(result.model, tokenizer, list(SAMPLE_PROMPTS))
    return LimaResult.stamped(
        config,
        seed,
        profile,
        seconds=time.perf_counter() - started,
        items=item_digits(scores.correct),
        clean=sum(verify(e, e.response) for e in examples) / len(examples),
        answers={p: reply.text for p, reply in zip(SAMPLE_PROMPTS, replies, strict=True)},
        steps=result.steps,
        loss=round(result.losses[-1], 4),
        versions=_versions(),
    )


def training_set(
    config: LimaConfig,
    seed: int,
    model: PreTrainedModel | None = None,
    tokenizer: PreTrainedTokenizerBase | None = None,
) -> list[Example]:
    """The configuration's examples: sampled, damaged, and chosen, all by the seed.

    Args:
        config: what to sample.
        seed: of the sampling, the damage and the choice.
        model: the base, for the selection methods that score records with it.
        tokenizer: of the base, likewise.
    """
    if not config.pool:
        return spoil(sample(config.examples, seed=seed, tasks=FACT_TASKS), config.flawed, seed)
    from ift_course.data.examples import to_records

    pool = make_pool(config, seed)
    records = to_records(pool)
    base = (model, tokenizer) if model is not None and tokenizer is not None else None
    chosen = SELECTION_METHODS[config.chosen_by](records, config.examples, seed=seed, base=base)
    return [pool[i] for i in chosen]


def held_out(seed: int, questions: int = QUESTIONS) -> list[Example]:
    """Questions about entities that no training example mentions, the same for all of a seed."""
    return sample(questions, seed=100 + seed, split="test", tasks=FACT_TASKS)


def make_pool(config: LimaConfig, seed: int) -> list[Example]:
    """A pool as one meets them: a share is damaged, and every fifth record is a copy of ten."""
    copies = config.pool // 5
    pool = spoil(sample(config.pool - copies, seed=seed, tasks=FACT_TASKS), config.flawed, seed)
    rng = random.Random(f"{seed}-copies")
    popular = rng.sample(pool, 10)
    pool += [rng.choice(popular) for _ in range(copies)]
    rng.shuffle(pool)
    return pool


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("ift-course", "torch", "transformers", "trl")}
