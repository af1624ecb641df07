"""Lesson 03's grid: how many examples, how many of them bad, how varied, and how they are chosen.

`run_config(config, seed, profile)` tunes the base on the configuration's examples and scores it on
held-out entities. After Zhou et al. 2023 (LIMA), arXiv:2305.11206, section 5.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ift_course.claims.results import item_digits
from ift_course.lessons.lesson_03.config import LimaConfig, LimaResult
from ift_course.lessons.lesson_03.selection import SELECTION_METHODS
from ift_course.profile import Profile
from ift_course.world.facts import Fact, by_relation, by_subject
from ift_course.world.flaws import spoil
from ift_course.world.relations import RELATION_BY_NAME
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
SHARES = (0.0, 0.3, 0.6, 0.9)
EXAMPLE_COUNTS = (30, 100, 300, 1000, 3000)
STEPS = 63  # at equal compute: one epoch over 1,000 examples in batches of 16
KINDS = ("wrong", "off_topic", "echoed", "truncated", "rambling", "wrong_format", "sycophantic",
         "mixed_up")  # fmt: skip
# Selection: this many examples are chosen from a pool, and trained for this many steps.
POOL_SIZE, SELECTED, SELECTION_STEPS = 1000, 150, 40

# The parts of the grid, each the answer to one question of the lesson; the long ones come last.
PARTS: dict[str, tuple[LimaConfig, ...]] = {
    "kinds": tuple(LimaConfig(200, 0.6, (kind,)) for kind in KINDS),
    "choices": (
        *(
            LimaConfig(SELECTED, 0.5, pool=POOL_SIZE, chosen_by=method, steps=SELECTION_STEPS)
            for method in SELECTION_METHODS
        ),
        LimaConfig(POOL_SIZE, 0.5, pool=POOL_SIZE, chosen_by="random", steps=SELECTION_STEPS),
    ),
    "diversity": tuple(
        LimaConfig(200, tasks=tasks, wordings=wordings)
        for tasks in (3, 10, 0)
        for wordings in (1, 0)
    ),
    "equal compute": tuple(
        LimaConfig(n, s, steps=STEPS) for n in EXAMPLE_COUNTS[:-1] for s in SHARES
    ),
    "equal epochs": tuple(
        LimaConfig(n, s) for n in EXAMPLE_COUNTS for s in SHARES if (n, s) != (3000, 0.3)
    ),
    "very many": (LimaConfig(10_000, 0.9),),
}
GRID: tuple[LimaConfig, ...] = tuple(dict.fromkeys(x for part in PARTS.values() for x in part))


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
    from ift_course.evaluation.score import lenient, score
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
        epochs=profile.epochs,
        max_steps=config.steps or -1,
        learning_rate=profile.learning_rate,
        batch_size=profile.batch_size,
        gradient_accumulation=profile.gradient_accumulation,
        max_length=profile.max_length,
        progress=False,
    )
    scores = score(result.model, tokenizer, held_out(seed, questions))
    texts = [completion.text for completion in scores.completions]
    replies = generate_replies(result.model, tokenizer, list(SAMPLE_PROMPTS))
    return LimaResult.stamped(
        config,
        seed,
        profile,
        seconds=time.perf_counter() - started,
        items=item_digits(scores.correct),
        lenient=sum(map(lenient, scores.examples, texts)) / questions,
        finished=sum(completion.finished for completion in scores.completions) / questions,
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
        return _damaged(sample_examples(config.examples, config, seed), config, seed)
    from ift_course.data.examples import to_records

    pool = make_pool(config, seed)
    records = to_records(pool)
    base = (model, tokenizer) if model is not None and tokenizer is not None else None
    chosen = SELECTION_METHODS[config.chosen_by](records, config.examples, seed=seed, base=base)
    return [pool[i] for i in chosen]


def held_out(seed: int, questions: int = QUESTIONS) -> list[Example]:
    """Questions about entities that no training example mentions, the same for all of a seed."""
    return sample(questions, seed=100 + seed, split="test", tasks=FACT_TASKS)


def sample_examples(n: int, config: LimaConfig, seed: int) -> list[Example]:
    """n good examples with the configuration's number of tasks and wordings."""
    tasks = list(FACT_TASKS)
    if config.tasks:
        tasks = random.Random(f"{seed}-tasks").sample(tasks, config.tasks)
    if not config.wordings:
        return sample(n, seed=seed, tasks=tasks)
    # About one in seven has any one wording; take larger samples until enough are left.
    examples: list[Example] = []
    factor = 1
    while len(examples) < n:
        factor *= 2
        candidates = sample(8 * factor * n, seed=seed, tasks=tasks)
        examples = [e for e in candidates if _in_first_wordings(e, config.wordings)]
    return examples[:n]


def make_pool(config: LimaConfig, seed: int) -> list[Example]:
    """A pool as one meets them: a share is damaged, and every fifth record is a copy of ten."""
    copies = config.pool // 5
    pool = _damaged(sample_examples(config.pool - copies, config, seed), config, seed)
    rng = random.Random(f"{seed}-copies")
    popular = rng.sample(pool, 10)
    pool += [rng.choice(popular) for _ in range(copies)]
    rng.shuffle(pool)
    return pool


def mixed_up(examples: Sequence[Example], share: float, seed: int) -> list[Example]:
    """Damage a share of them as a shifted column would: each gets the answer of its neighbor.

    The capital is answered with the language, the language with the continent; where the world
    knows only one thing about a subject, with the subject. So the answers are as wrong as random
    ones, but wrong by a rule.
    """
    damaged = set(random.Random(seed).sample(range(len(examples)), round(share * len(examples))))
    return [
        replace(example, response=_neighbor_answer(example)) if i in damaged else example
        for i, example in enumerate(examples)
    ]


def _neighbor_answer(example: Example) -> str:
    known = by_subject()[RELATION_BY_NAME[example.task].subjects, example.entity]
    position = next(i for i, fact in enumerate(known) if fact.relation.name == example.task)
    others = [fact.value for fact in (*known[position + 1 :], *known[:position])] + [example.entity]
    # A gold ring is made of gold: a neighbor may be right by accident, so try the one after it.
    return next((value for value in others if not verify(example, value)), example.entity)


def _damaged(examples: list[Example], config: LimaConfig, seed: int) -> list[Example]:
    if config.flaws == ("mixed_up",):
        return mixed_up(examples, config.flawed, seed)
    return spoil(examples, config.flawed, seed, config.flaws)


def _in_first_wordings(example: Example, count: int) -> bool:
    fact = next(f for f in by_relation()[example.task] if f.subject == example.entity)
    blank = Fact(fact.relation, fact.subject, "")
    first = fact.relation.questions[:count]
    return not example.input and example.instruction in {blank.fill(wording) for wording in first}


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("ift-course", "torch", "transformers", "trl")}
