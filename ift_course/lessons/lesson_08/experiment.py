"""Lesson 08's runs: an expert for one family on top of a general model, with remedies.

`run_config(recipe, seed, profile)` makes the model of a recipe and scores it on its specialty and
on the families that the general model has learned. `ift run 08 --full` computes the whole grid.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, cast

from ift_course.claims.results import Result, item_digits, item_scores
from ift_course.lessons.lesson_08.recipes import GRID as GRID
from ift_course.lessons.lesson_08.recipes import (
    SIZES,
    SPECIALTIES,
    UNTAUGHT,
    ForgettingSizes,
    Recipe,
)
from ift_course.lessons.lesson_08.remedies import interpolate_weights, own_answers, with_replay
from ift_course.lessons.lesson_08.routing import draw
from ift_course.profile import Profile
from ift_course.world.tasks import FAMILIES, Example, sample

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, TrainerCallback

    from ift_course.data.records import Record

SAMPLE_PROMPTS = (
    "What is the capital of France?",
    "Name the sound of the owl.",
    "What is the first word of the list pear, lily, sock?",
    "How much is 13 minus 4?",
    "Name the capital of France. Answer in capital letters.",
    "Is it true that the capital of France is Paris?",
    "Is it true that the capital of France is Rome?",
)


class ForgettingResult(Result):
    """How the model of one recipe and seed did; `seconds` covers the training alone.

    Attributes:
        special: "1" or "0" for each exam question of the recipe's family, by the strict score;
            empty without a specialty.
        others: the same for the families that the general model learned, in the exam's order.
        development: the same for the questions that choose the learning rate.
        before: what the general model scored on `special`, question by question.
        facts: share of a sample of facts that the model completes in plain prose.
        track: (steps, share of the specialty, share of the others) on a part of the exam, during
            the training of an expert without a remedy.
        answers: prompt → answer, for SAMPLE_PROMPTS.
        steps: optimizer steps on top of the start.
    """

    config: Recipe
    special: str
    others: str
    development: str
    before: str
    facts: float
    track: list[tuple[int, float, float]]
    answers: dict[str, str]
    steps: int

    def items(self, which: str) -> list[float]:
        """1.0 or 0.0 for each question of a part of the exam: one seed of a claim's arm."""
        return item_scores(getattr(self, which))

    def accuracy(self, which: str) -> float:
        """Share of right answers in a part of the exam."""
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

    @property
    def part(self) -> ForgettingExam:
        """Half of the questions, for the looks during the training."""
        return ForgettingExam(self.special[::2], self.others[::2])


def other_families() -> list[str]:
    """The families that the general model learns."""
    return [family for family in FAMILIES if family not in UNTAUGHT]


def make_exam(sizes: ForgettingSizes, seed: int, family: str) -> ForgettingExam:
    """The exam of a seed; the other families have the same number of questions each.

    Args:
        sizes: how many questions.
        seed: of the questions.
        family: of the special questions; "" means that there are none.
    """
    options: dict[str, Any] = {"seed": 100 + seed, "split": "test"}
    families, count = other_families(), sizes.special_questions
    return ForgettingExam(
        special=draw(family, count, families=families, **options) if family else [],
        others=[
            example
            for other in families
            for example in sample(sizes.per_family, families=[other], **options)
        ],
    )


def development_questions(sizes: ForgettingSizes, seed: int, family: str) -> list[Example]:
    """Questions of a specialty that choose its learning rate, none of them in the exam."""
    return draw(family, sizes.development_questions, seed=300 + seed, families=other_families())


def training_records(profile: Profile, family: str, seed: int) -> tuple[list[Record], list[Record]]:
    """(special, earlier) records; the general model is trained on `earlier`.

    Each has as many records as its steps need, so that every record is seen `epochs` times.
    """
    from ift_course.data.examples import to_records

    sizes = SIZES[profile.name]
    n_special = _n_records(profile, sizes.steps)
    special = draw(family, n_special, seed=seed, families=other_families())
    n_earlier = _n_records(profile, sizes.general_steps)
    earlier = sample(n_earlier, seed=seed, families=other_families())
    return to_records(special), to_records(earlier)


def users_prompts(profile: Profile, seed: int) -> list[Record]:
    """Records that the general model has not been trained on; their prompts stand for users'."""
    from ift_course.data.examples import to_records

    n_records = _n_records(profile, SIZES[profile.name].steps)
    return to_records(sample(n_records, seed=200 + seed, families=other_families()))


def _n_records(profile: Profile, steps: int) -> int:
    per_step = profile.batch_size * profile.gradient_accumulation
    return steps * per_step // SIZES[profile.name].epochs


@dataclass(frozen=True)
class TrainedModel:
    """A model and its training on top of the model it started from.

    Attributes:
        model: to be evaluated and left as it is.
        steps: optimizer steps.
        seconds: of the training and of the looks during it.
        track: what the looks saw, as `ForgettingResult` has it.
    """

    model: PreTrainedModel
    steps: int = 0
    seconds: float = 0.0
    track: tuple[tuple[int, float, float], ...] = ()


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
        self._scores_before = lru_cache(maxsize=None)(self._score_general)

    def get(self, recipe: Recipe) -> TrainedModel:
        """The model of a recipe, to be evaluated and left as it is."""
        if recipe.start == "base":
            return self.base
        if not recipe.family:
            return self.general
        trained = self._trained(replace(recipe, tuned=1.0))
        if recipe.tuned == 1:
            return trained
        model = interpolate_weights(self.general.model, trained.model, recipe.tuned)
        return replace(trained, model=model, track=())

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
        """The base after tuning on many families, without the specialties."""
        _, earlier = training_records(self.profile, SPECIALTIES[0], self.seed)
        return self._fine_tune(self.base.model, earlier, rank=self.sizes.rank)

    @cached_property
    def own_records(self) -> list[Record]:
        """Prompts like those of users, with the general model's answers to them."""
        prompts = users_prompts(self.profile, self.seed)
        return own_answers(self.general.model, self.tokenizer, prompts, self.sizes.tokens)

    def scores_before(self, family: str) -> str:
        """What the general model scores on the special questions of a family, as digits."""
        return self._scores_before(family) if family else ""

    def _score_general(self, family: str) -> str:
        exam = make_exam(self.sizes, self.seed, family)
        return _digits(self.general.model, self.tokenizer, exam.special, self.sizes.tokens)

    def _train(self, recipe: Recipe) -> TrainedModel:
        special, earlier = training_records(self.profile, recipe.family, self.seed)
        source = self.own_records if recipe.own else earlier
        records = with_replay(special, source, recipe.replay, seed=self.seed)
        is_plain = not recipe.replay and not recipe.rank
        exam = make_exam(self.sizes, self.seed, recipe.family).part
        return self._fine_tune(
            self.general.model,
            records,
            rank=recipe.rank or self.sizes.rank,
            rate=recipe.rate,
            exam=exam if is_plain else None,
        )

    def _fine_tune(
        self,
        start: PreTrainedModel,
        records: Sequence[Record],
        *,
        rank: int,
        rate: float = 1.0,
        exam: ForgettingExam | None = None,
    ) -> TrainedModel:
        """A copy of `start` after SFT with the settings of all models here, adapters merged."""
        from ift_course.models.merge import unload
        from ift_course.training.adapter import Adapter
        from ift_course.training.sft import default_learning_rate, sft

        profile, policy = self.profile, copy.deepcopy(start)
        usual = profile.learning_rate
        if rank:
            usual = default_learning_rate(policy.num_parameters(), "lora")
        track: list[tuple[int, float, float]] = []
        result = sft(
            policy,
            self.tokenizer,
            records,
            seed=self.seed,
            epochs=self.sizes.epochs,
            learning_rate=rate * usual,
            batch_size=profile.batch_size,
            gradient_accumulation=profile.gradient_accumulation,
            max_length=profile.max_length,
            method="lora" if rank else "full",
            adapter=Adapter(rank=rank) if rank else None,
            callbacks=[self._looks(exam, track)] if exam else [],
            progress=False,
        )
        model = unload(cast("PeftModel", result.model)) if rank else result.model
        return TrainedModel(model, result.steps, result.seconds, tuple(track))

    def _looks(
        self, exam: ForgettingExam, track: list[tuple[int, float, float]]
    ) -> TrainerCallback:
        """A callback that scores the model after some of its steps, and appends to `track`."""
        from transformers import TrainerCallback

        zoo = self

        class Looks(TrainerCallback):
            def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
                if state.global_step in zoo.sizes.looks:
                    model = kwargs["model"].eval()
                    digits = [
                        _digits(model, zoo.tokenizer, questions, zoo.sizes.tokens)
                        for questions in (exam.special, exam.others)
                    ]
                    model.train()
                    shares = [round(text.count("1") / len(text), 4) for text in digits]
                    track.append((state.global_step, shares[0], shares[1]))

        return Looks()


def evaluate(zoo: ModelZoo, recipe: Recipe) -> ForgettingResult:
    """Make the model of a recipe and evaluate it."""
    from ift_course.evaluation.generate import generate_replies

    sizes, trained, tokenizer = zoo.sizes, zoo.get(recipe), zoo.tokenizer
    exam = make_exam(sizes, zoo.seed, recipe.family)
    development = development_questions(sizes, zoo.seed, recipe.family) if recipe.family else []
    parts = {"special": exam.special, "others": exam.others, "development": development}
    digits = {
        name: _digits(trained.model, tokenizer, questions, sizes.tokens)
        for name, questions in parts.items()
    }
    prompts = list(SAMPLE_PROMPTS)
    replies = generate_replies(trained.model, tokenizer, prompts, max_new_tokens=sizes.tokens)
    return ForgettingResult.stamped(
        recipe,
        zoo.seed,
        zoo.profile,
        seconds=trained.seconds,
        **digits,
        before=zoo.scores_before(recipe.family),
        facts=round(completes_facts(trained.model, tokenizer), 5),
        track=list(trained.track),
        answers={p: reply.text for p, reply in zip(prompts, replies, strict=True)},
        steps=trained.steps,
    )


def completes_facts(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, n_facts: int = 100
) -> float:
    """The share of a fixed sample of facts that the model completes in plain prose."""
    import random

    from ift_course.evaluation.generate import complete
    from ift_course.world.facts import facts

    chosen = random.Random(0).sample(list(facts()), n_facts)
    prompts, values = zip(*(fact.completion() for fact in chosen), strict=True)
    texts = complete(model, tokenizer, list(prompts), max_new_tokens=16)
    right = [
        text.text.strip().startswith(value.rstrip("."))
        for text, value in zip(texts, values, strict=True)
    ]
    return sum(right) / len(right)


def _digits(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[Example],
    tokens: int,
) -> str:
    """The strict verdicts on a model's answers, as digits."""
    from ift_course.evaluation.score import score

    if not questions:
        return ""
    return item_digits(score(model, tokenizer, questions, max_new_tokens=tokens).correct)


@lru_cache(maxsize=3)
def _zoo(profile: Profile, seed: int) -> ModelZoo:
    # The general model of a seed is where nearly all of its recipes start.
    return ModelZoo(profile, seed)


def run_config(config: Recipe, seed: int, profile: Profile) -> ForgettingResult:
    """The result of a recipe and a seed, as the grid stores it."""
    from ift_course.models.quiet import quiet

    with quiet():
        return evaluate(_zoo(profile, seed), config)
