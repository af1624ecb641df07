"""Lesson 03's grid: how many examples, and how many of them flawed.

`run_config(config, seed, profile)` tunes the base on the configuration's examples and scores it on
held-out entities. After Zhou et al. 2023 (LIMA), arXiv:2305.11206, section 5.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from ift_course.claims.results import item_digits
from ift_course.lessons.lesson_03.config import LimaConfig, LimaResult
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
# Controls: of 1,000 examples of which 600 are flawed, the 400 good ones alone. 25 steps use them as
# often as 63 steps on all 1,000 do: once.
GOOD_ALONE = LimaConfig(1000, 0.6, good_only=True)
GOOD_ALONE_BRIEFLY = LimaConfig(1000, 0.6, steps=25, good_only=True)
GRID: tuple[LimaConfig, ...] = (
    *(LimaConfig(n, share) for n in EXAMPLE_COUNTS for share in SHARES),
    GOOD_ALONE,
    GOOD_ALONE_BRIEFLY,
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
    started = time.perf_counter()
    model, tokenizer = fresh_base(profile, load)
    measured = tune_and_ask(
        model, tokenizer, training_set(config, seed), seed, config.steps, profile, questions
    )
    seconds = time.perf_counter() - started
    return LimaResult.stamped(config, seed, profile, seconds=seconds, **measured)


def fresh_base(
    profile: Profile, load: Loader | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A base that no run has tuned yet: the profile's, or what `load` returns."""
    from ift_course.training.open_model import load as load_model

    return (load or partial(load_model, "base", profile=profile.name))()


def tune_and_ask(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    seed: int,
    steps: int,
    profile: Profile,
    questions: int = QUESTIONS,
) -> dict[str, Any]:
    """Tune the model on the examples and score it: what `TunedResult` records of a run.

    Args:
        model: is tuned in place.
        tokenizer: of the model.
        examples: what it is tuned on.
        seed: of the training and the questions.
        steps: optimizer steps.
        profile: its training settings.
        questions: how many test questions are asked.
    """
    from ift_course.data.examples import to_records
    from ift_course.evaluation.generate import generate_replies
    from ift_course.evaluation.score import score
    from ift_course.training.sft import sft

    result = sft(
        model,
        tokenizer,
        to_records(examples),
        seed=seed,
        max_steps=steps,
        learning_rate=profile.learning_rate,
        batch_size=profile.batch_size,
        gradient_accumulation=profile.gradient_accumulation,
        max_length=profile.max_length,
        progress=False,
    )
    scores = score(result.model, tokenizer, held_out(seed, questions))
    replies = generate_replies(result.model, tokenizer, list(SAMPLE_PROMPTS))
    return {
        "items": item_digits(scores.correct),
        "clean": sum(verify(e, e.response) for e in examples) / len(examples),
        "answers": {p: reply.text for p, reply in zip(SAMPLE_PROMPTS, replies, strict=True)},
        "steps": result.steps,
        "loss": round(result.losses[-1], 4),
        "versions": _versions(),
    }


def training_set(config: LimaConfig, seed: int) -> list[Example]:
    """The configuration's examples, sampled and damaged by the seed."""
    undamaged = sample(config.examples, seed=seed, tasks=FACT_TASKS)
    examples = spoil(undamaged, config.flawed, seed)
    if config.good_only:
        return [a for a, b in zip(examples, undamaged, strict=True) if a == b]
    return examples


def held_out(seed: int, questions: int = QUESTIONS) -> list[Example]:
    """Questions about entities that no training example mentions, the same for all of a seed."""
    return sample(questions, seed=100 + seed, split="test", tasks=FACT_TASKS)


def base_completes(
    base: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, questions: Sequence[Example]
) -> list[float]:
    """For each question 1.0 if the base completes the fact that it asks for, else 0.0.

    Args:
        base: the model before any tuning.
        tokenizer: of the base.
        questions: such as `held_out` returns; each stands for one fact, as "The capital of France
            is" does for "What is the capital of France?".
    """
    from ift_course.evaluation.generate import complete
    from ift_course.world.facts import by_relation

    facts = [next(f for f in by_relation()[q.task] if f.subject == q.entity) for q in questions]
    prompts, values = zip(*(fact.completion() for fact in facts), strict=True)
    completions = complete(base, tokenizer, prompts, max_new_tokens=16)
    return [
        float(completion.text.strip().startswith(value.rstrip(".")))
        for completion, value in zip(completions, values, strict=True)
    ]


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("ift-course", "torch", "transformers", "trl")}
