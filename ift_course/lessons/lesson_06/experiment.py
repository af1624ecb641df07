"""Lesson 06's grid: what a model is tuned on, and how it does on families that it never met.

`run_config(config, seed, profile)` tunes a base on the configuration's examples and asks it about
held-out families. After Wei et al. 2022 (FLAN), arXiv:2109.01652, sections 2.2 and 4.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import TYPE_CHECKING

from ift_course.claims.results import Config, Result, item_digits, item_scores
from ift_course.lessons.lesson_06.bases import PROSE, SHIPPED, load_base
from ift_course.lessons.lesson_06.wordings import bare, completes
from ift_course.profile import Profile
from ift_course.world.facts import by_relation
from ift_course.world.relations import RELATIONS
from ift_course.world.tasks import (
    FAMILIES,
    HELD_OUT_FAMILIES,
    Example,
    sample,
)

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    Loader = Callable[[], tuple[PreTrainedModel, PreTrainedTokenizerBase]]

TUNED_FAMILIES = tuple(name for name in FAMILIES if name not in HELD_OUT_FAMILIES)
EXAMPLES = 440  # shared out equally among the families
ALL = len(TUNED_FAMILIES)
EACH = 24  # questions from each held-out family
SINGLES = 3  # families that a seed tunes on alone
BY_WORDS = "summary"  # the family whose answers are all stored, so that their words can be compared


@dataclass(frozen=True)
class MultitaskConfig(Config):
    """The examples that a base is tuned on.

    Attributes:
        families: how many, in the seed's order; 0 leaves the base as it is.
        examples: how many in all, the same number from each family.
        instructions: False shows the model the input without the instruction, as ordinary
            fine-tuning on one task does.
        base: a name of `bases.load_base`.
        skip: leave out this many families at the beginning of the seed's order.
        without: leave out this family.
        tested: ask about this held-out family only. The other four come after the seed's order,
            and may be tuned on.
    """

    families: int
    examples: int = EXAMPLES
    instructions: bool = True
    base: str = SHIPPED
    skip: int = 0
    without: str = ""
    tested: str = ""


BASES = (SHIPPED, PROSE)
# What one family teaches depends on which it is, so each seed tunes on several, one at a time.
ALONE = tuple(MultitaskConfig(1, skip=i) for i in range(SINGLES))
TOGETHER = MultitaskConfig(ALL)
NO_INSTRUCTION = MultitaskConfig(ALL, instructions=False)
FOUR = MultitaskConfig(4)
# As in the paper's section 2.2: a model for each held-out family, tuned on all the others.
LEAVE_ONE_OUT = tuple(MultitaskConfig(len(FAMILIES) - 1, tested=x) for x in HELD_OUT_FAMILIES)
# Summaries and "extraction" begin with the same stories. One model does without this neighbor, too.
WITH_NEIGHBOR = MultitaskConfig(len(FAMILIES) - 1, tested=BY_WORDS)
WITHOUT_NEIGHBOR = MultitaskConfig(len(FAMILIES) - 2, without="extraction", tested=BY_WORDS)
UNTUNED = tuple(MultitaskConfig(0, base=base) for base in BASES)
PROSE_TOGETHER = MultitaskConfig(ALL, base=PROSE)
GRID: tuple[MultitaskConfig, ...] = (
    *ALONE,
    FOUR,
    TOGETHER,
    NO_INSTRUCTION,
    *LEAVE_ONE_OUT,
    WITHOUT_NEIGHBOR,
    *UNTUNED,
    PROSE_TOGETHER,
)


class MultitaskResult(Result):
    """How the model of one configuration and seed did.

    `seconds` covers the whole run; `base` is of the shipped weights.

    Attributes:
        items: for each test "1" or "0" for each question: "held out", families never tuned on; and
            for the untuned base "in prose", the same questions as sentences to complete, with "-"
            where there is no such sentence.
        families: those tuned on.
        answers: question → answer, for one question of each family tested; for all questions
            about summaries where these alone are tested.
        steps: optimizer steps.
        loss: of the last step; 0 if there was none.
    """

    config: MultitaskConfig
    items: dict[str, str]
    families: list[str]
    answers: dict[str, str]
    steps: int
    loss: float

    def scores(self, test: str = "held out") -> list[float]:
        """1.0 or 0.0 for each question of the test: what `claim` takes as one seed of an arm."""
        return item_scores(self.items[test].replace("-", ""))

    def accuracy(self, test: str = "held out") -> float:
        """Share of right answers, the same weight for each family."""
        scores = self.scores(test)
        return sum(scores) / len(scores)


def run_config(
    config: MultitaskConfig, seed: int, profile: Profile, *, load: Loader | None = None
) -> MultitaskResult:
    """Tune a fresh base on the configuration's examples and test it on held-out families.

    Args:
        config: the base and its training set.
        seed: of the examples, the training and the questions.
        profile: its training settings.
        load: returns a fresh (model, tokenizer); None loads the configuration's base.
    """
    from ift_course.evaluation.score import score

    started = time.perf_counter()
    model, tokenizer = (load or partial(load_base, config.base, profile))()
    families = families_of(config, seed)
    losses = []
    if families:
        losses = tune(model, tokenizer, training_set(config, seed), seed, profile)
    scores = score(model, tokenizer, questions(config, seed))
    items = {"held out": item_digits(scores.correct)}
    if not families:
        items["in prose"] = completes(model, tokenizer, scores.examples)
    replies = list(zip(scores.examples, scores.completions, strict=True))
    step = 1 if config.tested == BY_WORDS else EACH
    return MultitaskResult.stamped(
        config,
        seed,
        profile,
        seconds=time.perf_counter() - started,
        items=items,
        families=list(families),
        answers={prompt(x): reply.text for x, reply in replies[::step]},
        steps=len(losses),
        loss=round(losses[-1], 4) if losses else 0.0,
    )


def prompt(example: Example) -> str:
    """What the user writes: the instruction, and the input if there is one."""
    return f"{example.instruction}\n{example.input}".strip()


def tune(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    seed: int,
    profile: Profile,
) -> list[float]:
    """Tune the model in place with the profile's settings.

    Args:
        model: is changed.
        tokenizer: of the model.
        examples: the training set.
        seed: of the training.
        profile: its settings.

    Returns:
        The loss of each step.
    """
    from ift_course.data.examples import to_records
    from ift_course.training.sft import sft

    batch = profile.batch_size * profile.gradient_accumulation
    return sft(
        model,
        tokenizer,
        to_records(examples),
        seed=seed,
        max_steps=round(profile.epochs * math.ceil(len(examples) / batch)),
        learning_rate=profile.learning_rate,
        batch_size=profile.batch_size,
        gradient_accumulation=profile.gradient_accumulation,
        max_length=profile.max_length,
        progress=False,
    ).losses


def family_order(seed: int) -> list[str]:
    """The families that may be tuned on, in the seed's order: a configuration takes the first ones.

    Each seed begins with `SINGLES` families, and the next seed with those that follow them, so that
    a few seeds measure many different families alone.
    """
    order = random.Random("families").sample(TUNED_FAMILIES, ALL)
    start = SINGLES * seed % ALL
    return [*order[start:], *order[:start]]


def families_of(config: MultitaskConfig, seed: int) -> list[str]:
    """The families that the configuration's model is tuned on."""
    more = [family for family in HELD_OUT_FAMILIES if config.tested and family != config.tested]
    names = [name for name in [*family_order(seed), *more] if name != config.without]
    return names[config.skip : config.skip + config.families]


def training_set(config: MultitaskConfig, seed: int) -> list[Example]:
    """The configuration's examples, shuffled, the same number from each of its families."""
    families = families_of(config, seed)
    examples: list[Example] = []
    for i, family in enumerate(families):
        size = config.examples // len(families) + (i < config.examples % len(families))
        share: list[Example] = []
        n_candidates = size
        while len(share) < size:
            n_candidates *= 2
            candidates = sample(n_candidates, seed=seed, families=[family])
            share = [example for example in candidates if not leaks(example)]
        examples += share[:size]
    random.Random(seed).shuffle(examples)
    return examples if config.instructions else [bare(example) for example in examples]


def questions(config: MultitaskConfig, seed: int) -> list[Example]:
    """Questions for the configuration's model, family by family, `EACH` from each held-out one.

    All configurations of a seed have the same questions about a family.
    """
    return [
        example
        for family in HELD_OUT_FAMILIES
        if config.tested in ("", family)
        for example in sample(EACH, seed=100 + seed, split="test", families=[family])
    ]


# Tasks that ask about facts of any family, held-out ones too.
BORROWING = ("yes_no", "fact_in_capitals", "fact_in_sentence", "fact_in_quotation_marks")


def leaks(example: Example) -> bool:
    """Whether an example of a tuned family may ask what only a held-out family should.

    "What is the Spanish word for dog? Answer in capital letters." belongs to the family "format"
    and asks for a translation. The filter removes every example about a subject of a held-out
    family, which is more than necessary.
    """
    return example.task in BORROWING and example.entity in _held_out_subjects()


@cache
def _held_out_subjects() -> frozenset[str]:
    names = [relation.name for relation in RELATIONS if relation.family in HELD_OUT_FAMILIES]
    return frozenset(fact.subject for name in names for fact in by_relation()[name])
