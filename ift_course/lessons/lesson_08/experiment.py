"""Lesson 08's runs: an expert for one family on top of a general model, with remedies.

The lesson runs the plain expert live, with one seed. The rest of the grid is computed by
`ift run 08 --full`, stored result by result, and read by the lesson.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, cast

from ift_course.claims import grid_store
from ift_course.claims.results import Result, item_digits, item_scores
from ift_course.lessons.lesson_08.recipes import RECIPES, SIZES, ForgettingSizes, Recipe
from ift_course.lessons.lesson_08.remedies import interpolate_weights, with_replay
from ift_course.profile import Profile
from ift_course.world.tasks import FAMILIES, Example, sample

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from ift_course.data.records import Record

GRID = tuple(RECIPES.values())
SAMPLE_PROMPTS = (
    "What is the capital of France?",
    "Name the sound of the owl.",
    "What is the first word of the list pear, lily, sock?",
    "Is it true that the capital of France is Paris?",
    "Is it true that the capital of France is Rome?",
)


class ForgettingResult(Result):
    """How the model of one recipe and seed did; `seconds` covers the training alone.

    Attributes:
        special: "1" or "0" for each exam question of the recipe's family, by the strict score.
        others: the same for the families that the general model learned, in the exam's order.
        facts: share of all facts that the model completes in plain prose.
        answers: prompt → answer, for SAMPLE_PROMPTS.
        steps: optimizer steps on top of the start.
    """

    config: Recipe
    special: str
    others: str
    facts: float
    answers: dict[str, str]
    steps: int

    def items(self, which: str) -> list[float]:
        """1.0 or 0.0 for each question of "special" or "others": one seed of a claim's arm."""
        return item_scores(getattr(self, which))

    def accuracy(self, which: str) -> float:
        """Share of right answers to "special" or "others"."""
        return getattr(self, which).count("1") / len(getattr(self, which))


@dataclass(frozen=True)
class ForgettingExam:
    """The test of every model of a seed.

    Attributes:
        special: questions of one family about held-out entities.
        others: questions of the general model's families about held-out entities.
    """

    special: list[Example]
    others: list[Example]

    @property
    def constant_share(self) -> float:
        """The share of the special questions to which the most frequent answer is right."""
        (_, count), *_ = Counter(example.response for example in self.special).most_common(1)
        return count / len(self.special)


def other_families(sizes: ForgettingSizes) -> list[str]:
    """The families that the general model learns."""
    return [family for family in FAMILIES if family not in sizes.untaught]


def make_exam(sizes: ForgettingSizes, seed: int, family: str = "") -> ForgettingExam:
    """The exam of a seed; the other families have the same number of questions each.

    Args:
        sizes: how many questions.
        seed: of the questions.
        family: of the special questions; "" means the special family of `sizes`.
    """
    options: dict[str, Any] = {"seed": 100 + seed, "split": "test"}
    return ForgettingExam(
        special=sample(sizes.special_questions, families=[family or sizes.special], **options),
        others=[
            example
            for family in other_families(sizes)
            for example in sample(sizes.per_family, families=[family], **options)
        ],
    )


def training_records(
    profile: Profile, recipe: Recipe, seed: int
) -> tuple[list[Record], list[Record]]:
    """(special, earlier) records for a recipe; the general model was trained on `earlier`.

    Each has as many records as its steps need, so that every record is seen `epochs` times.
    """
    from ift_course.data.examples import to_records

    sizes = SIZES[profile.name]
    count, family = _n_records(profile, _steps(sizes, recipe)), recipe.family or sizes.special
    special = sample(count, seed=seed, families=[family])
    n_earlier = _n_records(profile, sizes.general_steps)
    earlier = sample(n_earlier, seed=seed, families=other_families(sizes))
    return to_records(special), to_records(earlier)


def _steps(sizes: ForgettingSizes, recipe: Recipe) -> int:
    return round(recipe.steps * sizes.steps)


def _n_records(profile: Profile, steps: int) -> int:
    per_step = profile.batch_size * profile.gradient_accumulation
    return steps * per_step // SIZES[profile.name].epochs


@dataclass(frozen=True)
class TrainedModel:
    """A model and its training on top of the model it started from.

    Attributes:
        model: to be evaluated and left as it is.
        steps: optimizer steps.
        seconds: of the training.
    """

    model: PreTrainedModel
    steps: int = 0
    seconds: float = 0.0


class ModelZoo:
    """The models of one seed by their recipes, made at first use; the last few are cached.

    Attributes:
        profile: whose base and sizes the models have.
        seed: of their data and their training.
        sizes: of the profile.
    """

    def __init__(self, profile: Profile, seed: int):
        self.profile, self.seed, self.sizes = profile, seed, SIZES[profile.name]
        self._trained = lru_cache(maxsize=4)(self._train)

    def get(self, recipe: Recipe) -> TrainedModel:
        """The model of a recipe, to be evaluated and left as it is."""
        start = self._start(recipe)
        if not _steps(self.sizes, recipe):
            return start
        trained = self._trained(replace(recipe, tuned=1.0))
        if recipe.tuned == 1:
            return trained
        return replace(trained, model=interpolate_weights(start.model, trained.model, recipe.tuned))

    @cached_property
    def _loaded(self) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
        from ift_course.training.open_model import load

        return load("base", profile=self.profile.name)

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer of all models."""
        return self._loaded[1]

    @cached_property
    def base(self) -> TrainedModel:
        """The model before any tuning."""
        return TrainedModel(self._loaded[0])

    @cached_property
    def general(self) -> TrainedModel:
        """The base after tuning on many families, without the special one."""
        _, earlier = training_records(self.profile, Recipe(), self.seed)
        return self._fine_tune(self.base.model, earlier, rank=self.sizes.rank)

    def _start(self, recipe: Recipe) -> TrainedModel:
        return self.base if recipe.start == "base" else self.general

    def _train(self, recipe: Recipe) -> TrainedModel:
        special, earlier = training_records(self.profile, recipe, self.seed)
        records = with_replay(special, earlier, recipe.replay, seed=self.seed)
        rank = recipe.rank or self.sizes.rank
        return self._fine_tune(self._start(recipe).model, records, rank=rank)

    def _fine_tune(
        self, start: PreTrainedModel, records: Sequence[Record], *, rank: int
    ) -> TrainedModel:
        """A copy of `start` after SFT with the settings of all models here, adapters merged."""
        from ift_course.models.merge import unload
        from ift_course.training.adapter import Adapter
        from ift_course.training.sft import sft

        profile, policy = self.profile, copy.deepcopy(start)
        result = sft(
            policy,
            self.tokenizer,
            records,
            seed=self.seed,
            epochs=self.sizes.epochs,
            learning_rate=None if rank else profile.learning_rate,
            batch_size=profile.batch_size,
            gradient_accumulation=profile.gradient_accumulation,
            max_length=profile.max_length,
            method="lora" if rank else "full",
            adapter=Adapter(rank=rank) if rank else None,
            progress=False,
        )
        model = unload(cast("PeftModel", result.model)) if rank else result.model
        return TrainedModel(model, result.steps, result.seconds)


def evaluate_model(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    exam: ForgettingExam,
    tokens: int = 40,
) -> dict[str, Any]:
    """A model's scores in all parts of an exam, and its answers to SAMPLE_PROMPTS.

    Args:
        model: to be evaluated.
        tokenizer: of the model.
        exam: the questions.
        tokens: of an answer, at most.

    Returns:
        The fields `special`, `others`, `facts` and `answers` of `ForgettingResult`.
    """
    from ift_course.evaluation.acceptance import completion
    from ift_course.evaluation.generate import generate_replies
    from ift_course.evaluation.score import score

    scores = {
        part: score(model, tokenizer, getattr(exam, part), max_new_tokens=tokens)
        for part in ("special", "others")
    }
    replies = generate_replies(model, tokenizer, list(SAMPLE_PROMPTS), max_new_tokens=tokens)
    return {
        **{part: item_digits(of_part.correct) for part, of_part in scores.items()},
        "facts": round(completion(model, tokenizer, line_start=False).values[0], 5),
        "answers": {p: reply.text for p, reply in zip(SAMPLE_PROMPTS, replies, strict=True)},
    }


def evaluate(zoo: ModelZoo, recipe: Recipe) -> ForgettingResult:
    """Make the model of a recipe and evaluate it."""
    trained = zoo.get(recipe)
    exam = make_exam(zoo.sizes, zoo.seed, recipe.family)
    return ForgettingResult.stamped(
        recipe,
        zoo.seed,
        zoo.profile,
        seconds=trained.seconds,
        steps=trained.steps,
        **evaluate_model(trained.model, zoo.tokenizer, exam, zoo.sizes.tokens),
    )


@lru_cache(maxsize=3)
def _zoo(profile: Profile, seed: int) -> ModelZoo:
    # The general model of a seed is where nearly all of its recipes start.
    return ModelZoo(profile, seed)


def run_config(config: Recipe, seed: int, profile: Profile) -> ForgettingResult:
    """The result of a recipe and a seed, as the grid stores it."""
    from ift_course.models.quiet import quiet

    with quiet():
        return evaluate(_zoo(profile, seed), config)


def with_stored(live: Sequence[ForgettingResult], zoo: ModelZoo) -> list[ForgettingResult]:
    """Complete what was measured live by stored results.

    Of a recipe without any result, one is measured now, with the zoo's seed.

    Args:
        live: results of the zoo's seed; each replaces the stored one.
        zoo: whose profile and seeds the results have.
    """
    from ift_course.models.quiet import quiet

    profile = zoo.profile
    stored = grid_store.read(profile, "08", ForgettingResult)
    rows = {(row.config, row.seed): row for row in [*stored, *live]}
    rows = {job: row for job, row in rows.items() if job[0] in GRID and job[1] in profile.seeds}
    missing = [recipe for recipe in GRID if recipe not in {config for config, _ in rows}]
    with quiet():
        return [*rows.values(), *(evaluate(zoo, recipe) for recipe in missing)]


def arm(results: Sequence[ForgettingResult], recipe: Recipe) -> list[ForgettingResult]:
    """The results of one recipe, by seed."""
    return sorted((x for x in results if x.config == recipe), key=lambda result: result.seed)
