"""Lesson 08's runs: an expert for one family, from the base or from a general model, with remedies.

A recipe is a cell of the grid. The lesson runs the plain expert and some remedies live, with one
seed; the rest is computed by `ift run 08 --full`, kept row by row, and read by the lesson.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import cached_property, lru_cache
from itertools import islice
from typing import Any

from pydantic import BaseModel, ConfigDict

from ift_course.claims.grid_store import base_identity
from ift_course.lessons.lesson_08.remedies import interpolate_weights, kl_regularized, with_replay
from ift_course.profile import Profile
from ift_course.world.corpus import documents
from ift_course.world.tasks import FAMILIES, Example, sample

PROSE_SEED = 10_000_019  # far from the seeds of the text that the base was trained on


@dataclass(frozen=True)
class Plan:
    """The sizes of the lesson on one profile.

    special: the family of the expert. untaught: families that the general model does not learn,
    the special one among them. general_steps, steps: optimizer steps of the general model, and of
    each expert on top of it. epochs: how often a step's rows are seen. per_family: exam questions
    of each family that the general model learns. rank: of LoRA where full tuning does not fit; 0
    means full.
    """

    special: str = "yes_no"
    untaught: tuple[str, ...] = ("yes_no", "writing", "format", "arithmetic")
    general_steps: int = 160
    steps: int = 48
    epochs: int = 4
    special_questions: int = 100
    per_family: int = 15
    prose: int = 150
    rank: int = 0
    tokens: int = 40


PLANS = {
    "tiny": Plan(),
    "smollm2": Plan(
        general_steps=24, steps=12, epochs=1, special_questions=10, per_family=2, prose=20, rank=16
    ),
    "t4": Plan(general_steps=125, steps=32, epochs=1, per_family=10, rank=16),
    "gpu24": Plan(general_steps=250, steps=64, epochs=1, per_family=20, rank=16),
}


@dataclass(frozen=True)
class Recipe:
    """How a model is made. The default is the plain expert on top of the general model.

    family: what it is an expert for; "" means the plan's special one. start: "base" or "general".
    steps: as a multiple of the plan's; 0 trains nothing. general: adds
    the general model's steps to them. replay: share of the rows that are the general model's;
    None means all that it has had, so that both data sets are learned in one go.
    rate: as a multiple of the profile's learning rate. kl: weight of the KL to the start. rank: of
    LoRA; 0 means what the plan says. tuned: share of the tuned weights in the average with the
    start's; 1 averages nothing.
    """

    family: str = ""
    start: str = "general"
    steps: float = 1.0
    general: bool = False
    replay: float | None = 0.0
    rate: float = 1.0
    kl: float = 0.0
    rank: int = 0
    tuned: float = 1.0

    @property
    def sort_key(self) -> str:
        """An order of recipes that is the same in every run."""
        return repr(self)


RECIPES: dict[str, Recipe] = {
    "base": Recipe(start="base", steps=0),
    "general model": Recipe(steps=0),
    "expert from the base": Recipe(start="base", general=True),
    "all mixed": Recipe(start="base", general=True, replay=None),
    "expert": Recipe(),
    "average, 25 % expert": Recipe(tuned=0.25),
    "average, 50 % expert": Recipe(tuned=0.5),
    "average, 75 % expert": Recipe(tuned=0.75),
    "replay 1 %": Recipe(replay=0.01),
    "replay 5 %": Recipe(replay=0.05),
    "replay 25 %": Recipe(replay=0.25),
    "LoRA, rank 16": Recipe(rank=16),
    "LoRA, rank 2": Recipe(rank=2),
    "LoRA, rank 16, rate ÷ 8": Recipe(rank=16, rate=1 / 8),
    "rate ÷ 4": Recipe(rate=1 / 4),
    "rate ÷ 16": Recipe(rate=1 / 16),
    "a quarter of the steps": Recipe(steps=1 / 4),
    "KL, weight 0.3": Recipe(kl=0.3),
    "KL, weight 3": Recipe(kl=3.0),
    "expert for writing": Recipe("writing"),
    "expert for format": Recipe("format"),
    "expert for arithmetic": Recipe("arithmetic"),
}
GRID = tuple(RECIPES.values())
ASKED = (
    "What is the capital of France?",
    "Name the sound of the owl.",
    "What is the first word of the list pear, lily, sock?",
    "Is it true that the capital of France is Paris?",
    "Is it true that the capital of France is Rome?",
)


class Row(BaseModel):
    """A model that was made, and how it did.

    special, others: "1" or "0" for each exam question, by the strict score, in the exam's order;
    `special` is about the recipe's family, `others` about those that the general model learned.
    prose: mean loss on unseen plain text, in nats a token. facts: share of all facts that it
    completes in plain prose. said: its answers to ASKED. seconds: of the training alone.
    """

    model_config = ConfigDict(frozen=True)

    cell: Recipe
    seed: int
    special: str
    others: str
    prose: float
    facts: float
    said: dict[str, str]
    steps: int
    seconds: float
    date: str
    machine: str
    base: str

    def items(self, which: str) -> list[float]:
        """1.0 or 0.0 for each question of "special" or "others": one seed of a claim's arm."""
        return [float(item) for item in getattr(self, which)]

    def accuracy(self, which: str) -> float:
        """Share of right answers to "special" or "others"."""
        return getattr(self, which).count("1") / len(getattr(self, which))


@dataclass(frozen=True)
class Exam:
    """What every model of a seed is asked: about held-out entities, and plain prose."""

    special: list[Example]
    others: list[Example]
    prose: list[str]


def other_families(plan: Plan) -> list[str]:
    """The families that the general model learns."""
    return [family for family in FAMILIES if family not in plan.untaught]


def exam(plan: Plan, seed: int, family: str = "") -> Exam:
    """The questions of a seed; each of the other families has as many as any.

    family: of the special questions; "" means the plan's.
    """
    options = {"seed": 100 + seed, "split": "test"}
    return Exam(
        special=sample(plan.special_questions, families=[family or plan.special], **options),
        others=[
            example
            for family in other_families(plan)
            for example in sample(plan.per_family, families=[family], **options)
        ],
        prose=list(islice(documents(PROSE_SEED), plan.prose)),
    )


def rows_of(profile: Profile, recipe: Recipe, seed: int) -> tuple[list, list]:
    """(special, earlier) records to choose from for a recipe; `earlier` trained the general model.

    Both as many as the steps take, so that every row is seen `epochs` times.
    """
    from ift_course.data.examples import to_records

    plan = PLANS[profile.name]
    count, family = _rows(profile, _steps(plan, recipe)), recipe.family or plan.special
    special = sample(count, seed=seed, families=[family])
    earlier = sample(_rows(profile, plan.general_steps), seed=seed, families=other_families(plan))
    return to_records(special), to_records(earlier)


def _steps(plan: Plan, recipe: Recipe) -> int:
    return round(recipe.steps * plan.steps) + recipe.general * plan.general_steps


def _rows(profile: Profile, steps: int) -> int:
    per_step = profile.batch_size * profile.gradient_accumulation
    return steps * per_step // PLANS[profile.name].epochs


@dataclass(frozen=True)
class Made:
    """A model and what it took on top of the one it started from: optimizer steps and seconds."""

    model: Any
    steps: int = 0
    seconds: float = 0.0


class Maker:
    """Makes the models of one seed by their recipes; the last few are remembered."""

    def __init__(self, profile: Profile, seed: int):
        self.profile, self.seed, self.plan = profile, seed, PLANS[profile.name]
        self._trained = lru_cache(maxsize=4)(self._train)

    def __call__(self, recipe: Recipe) -> Made:
        """The model of a recipe, to be looked at and left as it is."""
        start = self._start(recipe)
        if not _steps(self.plan, recipe):
            return start
        made = self._trained(replace(recipe, tuned=1.0))
        if recipe.tuned == 1:
            return made
        return replace(made, model=interpolate_weights(start.model, made.model, recipe.tuned))

    @cached_property
    def _loaded(self):
        from ift_course.training.open_model import load

        return load("base", profile=self.profile.name)

    @property
    def tokenizer(self):
        """The one of all models."""
        return self._loaded[1]

    @cached_property
    def base(self) -> Made:
        """The model before any tuning."""
        return Made(self._loaded[0])

    @cached_property
    def general(self) -> Made:
        """The base after tuning on many families, the special one not among them."""
        _, earlier = rows_of(self.profile, Recipe(), self.seed)
        return self._tuned(self.base.model, earlier, rank=self.plan.rank)

    def _start(self, recipe: Recipe) -> Made:
        return self.base if recipe.start == "base" else self.general

    def _train(self, recipe: Recipe) -> Made:
        special, earlier = rows_of(self.profile, recipe, self.seed)
        share = len(earlier) / len(special) if recipe.replay is None else recipe.replay
        records = with_replay(special, earlier, share, seed=self.seed)
        rank = recipe.rank or self.plan.rank
        start = self._start(recipe).model
        return self._tuned(start, records, rate=recipe.rate, rank=rank, kl=recipe.kl)

    def _tuned(self, start, records: Sequence, *, rate=1.0, rank=0, kl=0.0) -> Made:
        """A copy of `start` after SFT as all models of this lesson get it, adapters merged."""
        from ift_course.training.adapter import Adapter
        from ift_course.training.sft import default_learning_rate, sft

        profile, policy = self.profile, copy.deepcopy(start)
        peak = profile.learning_rate
        if rank:
            peak = default_learning_rate(policy.num_parameters(), "lora")
        with kl_regularized(start, policy, kl) if kl else nullcontext():
            result = sft(
                policy,
                self.tokenizer,
                records,
                seed=self.seed,
                epochs=self.plan.epochs,
                learning_rate=rate * peak,
                batch_size=profile.batch_size,
                gradient_accumulation=profile.gradient_accumulation,
                max_length=profile.max_length,
                method="lora" if rank else "full",
                adapter=Adapter(rank=rank) if rank else None,
                progress=False,
            )
        model = result.model.merge_and_unload() if rank else result.model
        return Made(model, result.steps, result.seconds)


def sit(model, tokenizer, paper: Exam, tokens: int = 40) -> dict[str, Any]:
    """What a model scores on all parts of an exam, and its answers to ASKED.

    Right answers as "1" and wrong ones as "0"; the rest as `Row` has it.
    """
    from ift_course.evaluation.acceptance import completion
    from ift_course.evaluation.generate import generate_replies
    from ift_course.evaluation.perplexity import text_loss
    from ift_course.evaluation.score import score

    scores = {
        part: score(model, tokenizer, getattr(paper, part), max_new_tokens=tokens)
        for part in ("special", "others")
    }
    said = generate_replies(model, tokenizer, list(ASKED), max_new_tokens=tokens)
    return {
        **{part: "".join(str(int(x)) for x in found.correct) for part, found in scores.items()},
        "prose": round(text_loss(model, tokenizer, paper.prose).loss, 5),
        "facts": round(completion(model, tokenizer).values[0], 5),
        "said": {asked: given.text for asked, given in zip(ASKED, said, strict=True)},
    }


def examined(make: Maker, recipe: Recipe) -> Row:
    """The model of a recipe, made and examined."""
    from ift_course.hardware import machine

    made = make(recipe)
    paper = exam(make.plan, make.seed, recipe.family)
    return Row(
        cell=recipe,
        seed=make.seed,
        **sit(made.model, make.tokenizer, paper, make.plan.tokens),
        steps=made.steps,
        seconds=round(made.seconds, 1),
        date=datetime.now(timezone.utc).date().isoformat(),
        machine=machine(),
        base=base_identity(make.profile),
    )


@lru_cache(maxsize=3)
def _maker(profile: Profile, seed: int) -> Maker:
    # The general model of a seed is where nearly all of its recipes start.
    return Maker(profile, seed)


def run_cell(cell: Recipe, seed: int, profile: Profile) -> Row:
    """The row of a recipe and a seed, as the grid stores it."""
    from ift_course.models.quiet import quiet

    with quiet():
        return examined(_maker(profile, seed), cell)


def arm(rows: Sequence[Row], recipe: Recipe) -> list[Row]:
    """The rows of one recipe, by seed."""
    return sorted((row for row in rows if row.cell == recipe), key=lambda row: row.seed)
