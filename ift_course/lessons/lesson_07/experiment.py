"""Lesson 07's grid: what a student learns from, and what becomes of it in later generations.

`run_cell(cell, seed, profile)` chooses from the seed's pool (`synthetic_pool`), tunes a fresh base
on the choice, and asks it about held-out entities. After Chen et al. 2023 (AlpaGasus),
arXiv:2307.08701, and for later generations Shumailov et al. 2024, *AI models collapse when trained
on recursively generated data*, Nature 631.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from datetime import datetime, timezone
from statistics import fmean

from pydantic import BaseModel, ConfigDict

from ift_course.claims.grid_store import base_identity
from ift_course.evaluation.failure_modes import knows
from ift_course.evaluation.score import Scores, score
from ift_course.lessons.lesson_03.experiment import held_out
from ift_course.lessons.lesson_07 import pipeline
from ift_course.lessons.lesson_07.pipeline import PLANS, Plan
from ift_course.lessons.lesson_07.selection import CHOICES, Picks, records, share_right
from ift_course.lessons.lesson_07.teacher_pool import harvest, pool_of
from ift_course.profile import Profile

TEACHER = "teacher"
UNFILTERED, FILTERED = "random, one each", "shortest of each"
GENERATIONS = 3
# Put to every student, so that a reader sees what a share of right answers looks like.
ASKED = (
    "What is the capital of France?",
    "Name the sound of the owl.",
    "What is the opposite of hot?",
)


@dataclass(frozen=True)
class Cell:
    """What a student learns from.

    Attributes:
        choice: a name of `synthetic_choices.CHOICES`, or "teacher" for the teacher itself.
        once: read all of it once, instead of the plan's number of steps.
        generations: each one after the first learns from what the one before it wrote.
    """

    choice: str
    once: bool = False
    generations: int = 1

    @property
    def sort_key(self) -> tuple:
        """An order of cells that is the same in every run."""
        return astuple(self)


CHAINS = tuple(Cell(choice, generations=GENERATIONS) for choice in (UNFILTERED, FILTERED))
# The long ones come last.
GRID: tuple[Cell, ...] = (Cell(TEACHER), *map(Cell, CHOICES), Cell("all", once=True), *CHAINS)


def seeds_of(profile: Profile) -> list[int]:
    """The seeds of the grid: students differ so much that three do not decide."""
    return [seed + 10 * i for i in range(PLANS[profile.name].repeats) for seed in profile.seeds]


class Generation(BaseModel):
    """One student, and what it learned from.

    items: "1" or "0" for each exam question, by the strict score; knows: the same for answers that
    begin rightly, whatever follows. words: of an answer in the exam, on average. said: to a few
    fixed questions. Of what it learned from: `right`, the share of right answers; `different`
    instructions among them; `sense`, the share of instructions that the world can mark;
    `facts` and `kinds`, how many different ones these ask about.
    """

    model_config = ConfigDict(frozen=True)

    items: str
    knows: str
    words: float
    said: dict[str, str]
    steps: int
    right: float = 0.0
    different: int = 0
    sense: float = 0.0
    facts: int = 0
    kinds: int = 0

    @property
    def scores(self) -> list[float]:
        """1.0 or 0.0 for each exam question: what `claim` takes as one seed of an arm."""
        return [float(item) for item in self.items]

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return fmean(self.scores)


class Row(BaseModel):
    """What one cell gave with one seed: its generations, the first one first."""

    model_config = ConfigDict(frozen=True)

    cell: Cell
    seed: int
    generations: list[Generation]
    seconds: float
    date: str
    base: str
    machine: str
    threads: int


def run_cell(cell: Cell, seed: int, profile: Profile) -> Row:
    """Choose, tune and ask; in later generations, write and answer first."""
    import torch

    from ift_course.hardware import machine

    began = time.perf_counter()
    made = list(_generations(cell, seed, profile))
    return Row(
        cell=cell,
        seed=seed,
        generations=made,
        seconds=round(time.perf_counter() - began, 1),
        date=datetime.now(timezone.utc).date().isoformat(),
        base=base_identity(profile),
        machine=machine(),
        threads=torch.get_num_threads(),
    )


def _generations(cell: Cell, seed: int, profile: Profile) -> Iterator[Generation]:
    plan = PLANS[profile.name]
    if cell.choice == TEACHER:
        yield examined(*pipeline.teacher_stage(profile, seed), seed, plan)
        return
    pool = pool_of(profile, seed).pool
    for number in range(1, cell.generations + 1):
        picks = CHOICES[cell.choice](pool, seed)
        student, tokenizer = taught(pool, picks, seed, profile, once=cell.once)
        yield examined(student, tokenizer, seed, plan, pool, picks)
        if number == cell.generations:
            return
        body = student, tokenizer
        pool = _next_pool(pool, picks, body, 10 * number + seed, profile, cell.choice == FILTERED)


def taught(pool, picks: Picks, seed: int, profile: Profile, *, once: bool = False):
    """(model, tokenizer): a fresh base after SFT on the picks."""
    plan = PLANS[profile.name]
    options = {"epochs": 1} if once else {"max_steps": plan.steps}
    return pipeline.tuned(profile, records(pool, picks), seed, **options)


def examined(model, tokenizer, seed: int, plan: Plan, pool=(), picks: Picks = ()) -> Generation:
    """The model's exam, and what it had learned from."""
    found = score(model, tokenizer, held_out(seed, plan.exam), max_new_tokens=plan.tokens)
    said = pipeline.generate_replies(model, tokenizer, list(ASKED), max_new_tokens=plan.tokens)
    return Generation(
        items=_digits(found.correct),
        knows=_digits(_known(found)),
        words=round(fmean(len(c.text.split()) for c in found.completions), 2),
        said={asked: c.text for asked, c in zip(ASKED, said, strict=True)},
        steps=plan.steps,
        **(_material(pool, picks) if picks else {}),
    )


def _material(pool, picks: Picks) -> dict:
    texts = [pool[i].instruction for i, _ in picks]
    asked = [pipeline.meaning(text) for text in texts]
    return {
        "right": round(share_right(pool, picks), 4),
        "different": len(set(texts)),
        "sense": round(sum(x is not None for x in asked) / len(asked), 4),
        "facts": len({(x.task, x.entity) for x in asked if x}),
        "kinds": len({x.task for x in asked if x}),
    }


def _next_pool(pool, picks: Picks, body, seed: int, profile: Profile, filtered: bool):
    """What the next generation chooses from: the student's answers to a new writer's instructions.

    filtered: the instructions must be new to each other and get several answers each, and there are
        fewer of them when the writer has no more; otherwise they are taken as they come, with one
        answer each.
    """
    plan = PLANS[profile.name]
    source = [pool[i].instruction for i, _ in picks]
    writer, tokenizer = pipeline.writer_stage(profile, body, source, seed)
    if filtered:
        drawn = harvest(plan, writer, tokenizer, source, seed, may_run_dry=True).clean
    else:
        drawn = []
        while len(drawn) < plan.instructions:
            more = pipeline.write(
                writer,
                tokenizer,
                source,
                plan.instructions,
                seed=100 * seed + len(drawn),
                plan=plan,
            )
            texts = (said.text.strip() for said in more)
            drawn += [text for text in texts if not pipeline.held_out(text)]
    return pipeline.ask(
        *body,
        drawn[: plan.instructions],
        seed=seed,
        plan=plan,
        answers=plan.answers if filtered else 1,
    )


def _known(found: Scores) -> list[bool]:
    return [
        knows(example, completion.text)
        for example, completion in zip(found.examples, found.completions, strict=True)
    ]


def _digits(items) -> str:
    return "".join(str(int(item)) for item in items)
