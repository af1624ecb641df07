"""Lesson 08's runs: an expert for one family, from the base or from a general model, with remedies.

The lesson runs the plain expert and two remedies live, with one seed. All of them with three seeds
take longer: they are computed here, kept run by run, and read by the lesson, which says so:

    python -m ift_course.experiments.forgetting

A computation that is stopped goes on where it was.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from ift_course.errors import CourseError
from ift_course.experiments.forgetting_remedies import averaged, held_to, with_replay
from ift_course.experiments.store import base_identity
from ift_course.paths import results_dir, results_path, shipped, write_whole
from ift_course.profile import Profile, get_profile
from ift_course.world.corpus import documents
from ift_course.world.tasks import FAMILIES, Example, sample

LESSON = "08"
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


RECIPES: dict[str, Recipe] = {
    "base": Recipe(start="base", steps=0),
    "general model": Recipe(steps=0),
    "expert from the base": Recipe(start="base", general=True),
    "all mixed": Recipe(start="base", general=True, replay=None),
    "expert": Recipe(),
    "replay 1 %": Recipe(replay=0.01),
    "replay 5 %": Recipe(replay=0.05),
    "replay 25 %": Recipe(replay=0.25),
    "LoRA, rank 16": Recipe(rank=16),
    "LoRA, rank 2": Recipe(rank=2),
    "rate ÷ 4": Recipe(rate=1 / 4),
    "rate ÷ 16": Recipe(rate=1 / 16),
    "a quarter of the steps": Recipe(steps=1 / 4),
    "KL, weight 0.3": Recipe(kl=0.3),
    "KL, weight 3": Recipe(kl=3.0),
    "average, 25 % expert": Recipe(tuned=0.25),
    "average, 50 % expert": Recipe(tuned=0.5),
    "average, 75 % expert": Recipe(tuned=0.75),
    "expert for writing": Recipe("writing"),
    "expert for format": Recipe("format"),
    "expert for arithmetic": Recipe("arithmetic"),
}
ASKED = (
    "What is the capital of France?",
    "Name the sound of the owl.",
    "What is the first word of the list pear, lily, sock?",
    "Is it true that the capital of France is Paris?",
    "Is it true that the capital of France is Rome?",
)


class Stored(BaseModel):
    """A model that was made, and how it did.

    special, others: "1" or "0" for each exam question, by the strict score, in the exam's order;
    `special` is about the recipe's family, `others` about those that the general model learned.
    prose: mean loss on unseen plain text, in nats a token. facts: share of all facts that it
    completes in plain prose. said: its answers to ASKED. seconds: of the training alone.
    """

    model_config = ConfigDict(frozen=True)

    recipe: Recipe
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
    from ift_course.data.examples import records_of

    plan = PLANS[profile.name]
    count, family = _rows(profile, _steps(plan, recipe)), recipe.family or plan.special
    special = sample(count, seed=seed, families=[family])
    earlier = sample(_rows(profile, plan.general_steps), seed=seed, families=other_families(plan))
    return records_of(special), records_of(earlier)


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
    """Makes the models of one seed by their recipes; each is trained once."""

    def __init__(self, profile: Profile, seed: int):
        self.profile, self.seed, self.plan = profile, seed, PLANS[profile.name]
        self._trained: dict[Recipe, Made] = {}

    def __call__(self, recipe: Recipe) -> Made:
        """The model of a recipe, to be looked at and left as it is."""
        start = self.base if recipe.start == "base" else self.general
        if not _steps(self.plan, recipe):
            return start
        whole = replace(recipe, tuned=1.0)
        if whole not in self._trained:
            self._trained[whole] = self._train(whole, start.model)
        made = self._trained[whole]
        if recipe.tuned == 1:
            return made
        return replace(made, model=averaged(start.model, made.model, recipe.tuned))

    @cached_property
    def _loaded(self):
        from ift_course.models.load import load

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

    def _train(self, recipe: Recipe, start) -> Made:
        special, earlier = rows_of(self.profile, recipe, self.seed)
        share = len(earlier) / len(special) if recipe.replay is None else recipe.replay
        records = with_replay(special, earlier, share, seed=self.seed)
        rank = recipe.rank or self.plan.rank
        return self._tuned(start, records, rate=recipe.rate, rank=rank, kl=recipe.kl)

    def _tuned(self, start, records: Sequence, *, rate=1.0, rank=0, kl=0.0) -> Made:
        """A copy of `start` after SFT as all models of this lesson get it, adapters merged."""
        from ift_course.training.adapter import Adapter
        from ift_course.training.sft import default_learning_rate, sft

        profile, policy = self.profile, copy.deepcopy(start)
        peak = profile.learning_rate
        if rank:
            peak = default_learning_rate(policy.num_parameters(), "lora")
        with held_to(start, policy, kl) if kl else nullcontext():
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

    Right answers as "1" and wrong ones as "0"; the rest as `Stored` has it.
    """
    from ift_course.evaluation.bar import completion
    from ift_course.evaluation.generate import answer
    from ift_course.evaluation.perplexity import text_loss
    from ift_course.evaluation.score import score

    scores = {
        part: score(model, tokenizer, getattr(paper, part), max_new_tokens=tokens)
        for part in ("special", "others")
    }
    said = answer(model, tokenizer, list(ASKED), max_new_tokens=tokens)
    return {
        **{part: "".join(str(int(x)) for x in found.correct) for part, found in scores.items()},
        "prose": round(text_loss(model, tokenizer, paper.prose).loss, 5),
        "facts": round(completion(model, tokenizer).values[0], 5),
        "said": {asked: given.text for asked, given in zip(ASKED, said, strict=True)},
    }


def run(make: Maker, recipe: Recipe) -> Stored:
    """The model of a recipe, made and examined."""
    from ift_course.hardware import machine

    made = make(recipe)
    return Stored(
        recipe=recipe,
        seed=make.seed,
        **sit(
            made.model,
            make.tokenizer,
            exam(make.plan, make.seed, recipe.family),
            make.plan.tokens,
        ),
        steps=made.steps,
        seconds=round(made.seconds, 1),
        date=datetime.now(timezone.utc).date().isoformat(),
        machine=machine(),
        base=base_identity(make.profile),
    )


Job = tuple[Recipe, int]


def compute(
    recipes: Sequence[Recipe] = tuple(RECIPES.values()),
    *,
    seeds: Sequence[int] | None = None,
    profile: str | None = None,
    on_progress: Callable[[int, int, Stored | None], None] | None = None,
) -> list[Stored]:
    """The rows of the recipes, seed by seed: those that are stored, and those computed now.

    seeds: the profile's without it. on_progress: called with the rows done, the rows wanted and
    the newest (None at first). Raises CourseError if the store is damaged.
    """
    chosen = get_profile(profile)
    wanted = [(recipe, seed) for seed in seeds or chosen.seeds for recipe in recipes]
    kept = {(row.recipe, row.seed): row for row in read(chosen)}
    missing = [job for job in wanted if job not in kept]
    done = len(wanted) - len(missing)
    report = on_progress or (lambda done, total, newest: None)
    report(done, len(wanted), None)
    for number, row in enumerate(_computed(missing, chosen), done + 1):
        add(chosen, row)
        kept[row.recipe, row.seed] = row
        report(number, len(wanted), row)
    return [kept[job] for job in wanted]


def _computed(missing: Sequence[Job], profile: Profile) -> Iterator[Stored]:
    for seed in dict.fromkeys(seed for _, seed in missing):
        make = Maker(profile, seed)
        yield from (run(make, recipe) for recipe, of_seed in missing if of_seed == seed)


def read(profile: Profile) -> list[Stored]:
    """The rows made here, else those that came with the course; of today's base weights only.

    Raises CourseError if the file is damaged.
    """
    own, published = (
        folder / "grids" / f"{LESSON}.json"
        for folder in (results_path(profile.name), shipped() / "results" / profile.name)
    )
    path = own if own.exists() else published
    if not path.exists():
        return []
    try:
        rows = TypeAdapter(list[Stored]).validate_json(path.read_bytes())
    except ValidationError:
        raise CourseError(
            f"{path} is damaged; delete it and run "
            "`python -m ift_course.experiments.forgetting` again."
        ) from None
    base = base_identity(profile)
    return [row for row in rows if row.base == base]


def add(profile: Profile, row: Stored) -> Path:
    """Puts one row to the stored ones; it replaces one of its recipe and seed."""
    from filelock import FileLock

    folder = results_dir(profile.name) / "grids"
    folder.mkdir(exist_ok=True)
    path = folder / f"{LESSON}.json"
    # Two terminals may be computing different seeds.
    with FileLock(path.with_name(path.name + ".lock")):
        rows = {(x.recipe, x.seed): x for x in [*read(profile), row]}
        ordered = sorted(rows.values(), key=lambda x: (x.seed, str(x.recipe)))
        # One line a row: the file is read by people and by git, a line at a time.
        lines = [json.dumps(x.model_dump(mode="json"), ensure_ascii=False) for x in ordered]
        write_whole(path, "[\n" + ",\n".join(lines) + "\n]\n")
    return path


def arm(rows: Sequence[Stored], recipe: Recipe) -> list[Stored]:
    """The rows of one recipe, by seed."""
    return sorted((row for row in rows if row.recipe == recipe), key=lambda row: row.seed)


def main() -> None:
    """Computes what is missing, and says how far it is. Seeds may be named: 0 1 2."""
    import sys

    from rich.console import Console

    from ift_course.models.quiet import quiet

    console = Console(stderr=True)
    names = {recipe: name for name, recipe in RECIPES.items()}

    def told(done: int, total: int, newest: Stored | None) -> None:
        what = f"{names[newest.recipe]}, seed {newest.seed}" if newest else ""
        console.print(f"{done} of {total} runs {what}")

    with quiet():
        compute(seeds=[int(word) for word in sys.argv[1:]] or None, on_progress=told)


if __name__ == "__main__":
    main()
