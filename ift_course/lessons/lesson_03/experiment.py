"""Lesson 03's grid: how many examples, how many of them bad, how varied, and chosen how.

`run_cell(cell, seed)` tunes the base on the cell's examples and scores it on held-out entities.
After Zhou et al. 2023 (LIMA), arXiv:2305.11206, section 5.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from functools import partial

from ift_course.claims.grid_store import base_identity
from ift_course.lessons.lesson_03.config import Cell, Row
from ift_course.profile import Profile
from ift_course.world.facts import Fact, by_relation, by_subject
from ift_course.world.flaws import spoil
from ift_course.world.relations import RELATION_BY_NAME
from ift_course.world.tasks import FACT_TASKS, Example, sample, verify

QUESTIONS = 200
# Put to every model of the grid, so that a reader sees what a share of right answers looks like.
ASKED = (
    "What is the capital of France?",
    "Name the sound of the owl.",
    "What is the opposite of hot?",
)
SHARES = (0.0, 0.3, 0.6, 0.9)
SIZES = (30, 100, 300, 1000, 3000)
STEPS = 63  # at equal compute: batches of 16 in which 1,000 examples pass once
KINDS = ("wrong", "off_topic", "echoed", "truncated", "rambling", "wrong_format", "sycophantic",
         "mixed_up")  # fmt: skip
POOL, KEPT, KEPT_STEPS = 1000, 150, 40
WAYS = ("random", "no duplicates", "well formed", "varied", "expected", "difficult", "curated")

# The parts of the grid, each the answer to one question of the lesson; the long ones come last.
PARTS: dict[str, tuple[Cell, ...]] = {
    "kinds": tuple(Cell(200, 0.6, (kind,)) for kind in KINDS),
    "choices": (
        *(Cell(KEPT, 0.5, pool=POOL, chosen_by=way, steps=KEPT_STEPS) for way in WAYS),
        Cell(POOL, 0.5, pool=POOL, chosen_by="random", steps=KEPT_STEPS),
    ),
    "diversity": tuple(
        Cell(200, tasks=tasks, wordings=wordings) for tasks in (3, 10, 0) for wordings in (1, 0)
    ),
    "equal compute": tuple(Cell(n, s, steps=STEPS) for n in SIZES[:-1] for s in SHARES),
    "equal epochs": tuple(Cell(n, s) for n in SIZES for s in SHARES if (n, s) != (3000, 0.3)),
    "very many": (Cell(10_000, 0.9),),
}
GRID: tuple[Cell, ...] = tuple(dict.fromkeys(cell for part in PARTS.values() for cell in part))


def run_cell(
    cell: Cell, seed: int, profile: Profile, *, load: Callable | None = None, questions=QUESTIONS
) -> Row:
    """Tune a fresh base on the cell's examples, ask it about held-out entities, and say how it did.

    load: returns a fresh (model, tokenizer); the profile's base without it.
    """
    import torch

    from ift_course.data.examples import to_records
    from ift_course.evaluation.generate import generate_replies
    from ift_course.evaluation.score import lenient, score
    from ift_course.hardware import machine
    from ift_course.training.open_model import load as load_model
    from ift_course.training.sft import sft

    started = time.perf_counter()
    model, tokenizer = (load or partial(load_model, "base", profile=profile.name))()
    examples = training_set(cell, seed, model, tokenizer)
    result = sft(
        model,
        tokenizer,
        to_records(examples),
        seed=seed,
        epochs=profile.epochs,
        max_steps=cell.steps or -1,
        learning_rate=profile.learning_rate,
        batch_size=profile.batch_size,
        gradient_accumulation=profile.gradient_accumulation,
        max_length=profile.max_length,
        progress=False,
    )
    scores = score(result.model, tokenizer, held_out(seed, questions))
    texts = [completion.text for completion in scores.completions]
    said = generate_replies(result.model, tokenizer, list(ASKED))
    return Row(
        cell=cell,
        seed=seed,
        items="".join(str(int(right)) for right in scores.correct),
        lenient=sum(map(lenient, scores.examples, texts)) / questions,
        ended=sum(completion.finished for completion in scores.completions) / questions,
        clean=sum(verify(e, e.response) for e in examples) / len(examples),
        said={asked: completion.text for asked, completion in zip(ASKED, said, strict=True)},
        steps=result.steps,
        loss=round(result.losses[-1], 4),
        seconds=round(time.perf_counter() - started, 1),
        date=datetime.now(timezone.utc).date().isoformat(),
        base=base_identity(profile),
        machine=machine(),
        threads=torch.get_num_threads(),
        versions=_versions(),
    )


def training_set(cell: Cell, seed: int, model=None, tokenizer=None) -> list[Example]:
    """The cell's examples: drawn, damaged, and chosen, all by the seed.

    model, tokenizer: the base, for the choices that ask it.
    """
    if not cell.pool:
        return _spoiled(draw(cell.examples, cell, seed), cell, seed)
    from ift_course.data.examples import to_records
    from ift_course.lessons.lesson_03.selection import CHOICES

    pool = pool_of(cell, seed)
    records = to_records(pool)
    chosen = CHOICES[cell.chosen_by](
        records, cell.examples, seed=seed, model=model, tokenizer=tokenizer
    )
    return [pool[i] for i in chosen]


def held_out(seed: int, questions: int = QUESTIONS) -> list[Example]:
    """Questions about entities that no training example mentions, for all cells of a seed."""
    return sample(questions, seed=100 + seed, split="test", tasks=FACT_TASKS)


def draw(n: int, cell: Cell, seed: int) -> list[Example]:
    """n good examples with the cell's number of tasks and wordings."""
    tasks = list(FACT_TASKS)
    if cell.tasks:
        tasks = random.Random(f"{seed}-tasks").sample(tasks, cell.tasks)
    if not cell.wordings:
        return sample(n, seed=seed, tasks=tasks)
    # About one in seven is put in any one wording; draw until there are enough of each task.
    found: list[Example] = []
    share = 1
    while len(found) < n:
        share *= 2
        drawn = sample(8 * share * n, seed=seed, tasks=tasks)
        found = [e for e in drawn if _in_first_wordings(e, cell.wordings)]
    return found[:n]


def pool_of(cell: Cell, seed: int) -> list[Example]:
    """A pool as one finds them: a share is damaged, and every fifth record is a copy of ten."""
    copies = cell.pool // 5
    pool = _spoiled(draw(cell.pool - copies, cell, seed), cell, seed)
    rng = random.Random(f"{seed}-copies")
    popular = rng.sample(pool, 10)
    pool += [rng.choice(popular) for _ in range(copies)]
    rng.shuffle(pool)
    return pool


def mixed_up(examples: Sequence[Example], share: float, seed: int) -> list[Example]:
    """Damage a share of them as a shifted column would: always the answer next door.

    The capital is answered with the language, the language with the continent; where the world
    knows only one thing about a subject, with the subject. So the answers are as wrong as random
    ones, but wrong by a rule.
    """
    bad = set(random.Random(seed).sample(range(len(examples)), round(share * len(examples))))
    return [replace(e, response=_next_door(e)) if i in bad else e for i, e in enumerate(examples)]


def _next_door(example: Example) -> str:
    known = by_subject()[RELATION_BY_NAME[example.task].subjects, example.entity]
    place = next(i for i, fact in enumerate(known) if fact.relation.name == example.task)
    doors = [fact.value for fact in (*known[place + 1 :], *known[:place])] + [example.entity]
    # A gold ring is made of gold: the next door may be right by accident, so try the one after.
    return next((door for door in doors if not verify(example, door)), example.entity)


def _spoiled(examples: list[Example], cell: Cell, seed: int) -> list[Example]:
    if cell.flaws == ("mixed_up",):
        return mixed_up(examples, cell.flawed, seed)
    return spoil(examples, cell.flawed, seed, cell.flaws)


def _in_first_wordings(example: Example, count: int) -> bool:
    fact = next(f for f in by_relation()[example.task] if f.subject == example.entity)
    blank = Fact(fact.relation, fact.subject, "")
    first = fact.relation.questions[:count]
    return not example.input and example.instruction in {blank.fill(wording) for wording in first}


def _versions() -> dict[str, str]:
    from importlib.metadata import version

    return {name: version(name) for name in ("ift-course", "torch", "transformers", "trl")}
