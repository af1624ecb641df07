"""Lesson 06's grid: how many families of tasks a model is tuned on, and how they are worded.

`run_config(config, seed, profile)` tunes a base on the configuration's examples and asks it about
five held-out families, all at once or, as in the paper, one at a time. After Wei et al. 2022
(FLAN), arXiv:2109.01652, sections 2.2 and 4.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import TYPE_CHECKING

from ift_course.claims.results import Config, Result, item_digits, item_scores
from ift_course.lessons.lesson_06.bases import SHIPPED, load_base
from ift_course.lessons.lesson_06.wordings import bare, completes, in_first_wording
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
EXAMPLES = 440  # shared out equally among 1, 2, 4 or all 11 families
ALL = len(TUNED_FAMILIES)
ALL_BUT_ONE = len(FAMILIES) - 1  # the remaining one is tested
COUNTS = (1, 2, 4, 8, ALL)
NEIGHBORS = {"summary": "extraction"}  # both begin with the same stories
EACH = 24  # questions from each held-out family
OTHERS = 55  # questions from the families that the model was tuned on


@dataclass(frozen=True)
class MultitaskConfig(Config):
    """The examples that a base is tuned on.

    Attributes:
        families: how many, in the seed's order; 0 leaves the base as it is.
        examples: how many in all, the same number from each family.
        one_wording: each task has only one wording, instead of all of them.
        instructions: False shows the model the input without the instruction, as ordinary
            fine-tuning on one task does.
        equal_steps: train for as many steps as `EXAMPLES` take, whatever the number of examples.
        leaks: keep the examples of other families that ask about a held-out one.
        base: a name of `bases.load_base`.
        skip: leave out this many families at the beginning of the seed's order.
        without: leave out this family.
        tested: ask about this held-out family only. The other four come after the seed's order,
            and may be tuned on.
    """

    families: int
    examples: int = EXAMPLES
    one_wording: bool = False
    instructions: bool = True
    equal_steps: bool = False
    leaks: bool = False
    base: str = SHIPPED
    skip: int = 0
    without: str = ""
    tested: str = ""


BASES = (SHIPPED, "prose")
# The parts of the grid, each the answer to one question of the lesson.
PARTS: dict[str, tuple[MultitaskConfig, ...]] = {
    "families": tuple(MultitaskConfig(count) for count in COUNTS),
    "more of one": (MultitaskConfig(1, 4 * EXAMPLES, equal_steps=True),),
    "wordings": (MultitaskConfig(ALL, one_wording=True),),
    "no instruction": (
        MultitaskConfig(1, instructions=False),
        MultitaskConfig(ALL, instructions=False),
    ),
    "leaks": (MultitaskConfig(ALL, leaks=True),),
    "neighbor": tuple(
        MultitaskConfig(min(count, ALL - 1), without="extraction") for count in COUNTS
    ),
    "one at a time": (
        *(MultitaskConfig(ALL_BUT_ONE, tested=family) for family in HELD_OUT_FAMILIES),
        *(
            MultitaskConfig(ALL_BUT_ONE - 1, without=near, tested=family)
            for family, near in NEIGHBORS.items()
        ),
    ),
    "bases": tuple(MultitaskConfig(count, base=base) for base in BASES for count in (0, 1, ALL)),
}
# The effect of one or a few families depends on which they are. So this part is measured with more
# seeds, each of which begins with another family:
# `grids.full("06", seeds=range(11), configs=PARTS["families"])`, and "one at a time" likewise.
GRID: tuple[MultitaskConfig, ...] = tuple(dict.fromkeys(x for part in PARTS.values() for x in part))


class MultitaskResult(Result):
    """How the model of one configuration and seed did.

    `seconds` covers the whole run; `base` is of the shipped weights.

    Attributes:
        items: for each test "1" or "0" for each question: "held out", families never tuned on;
            "tuned", the configuration's own families, worded as in tuning; "reworded", the same in
            wordings that no example has; and for the untuned base "in prose", the held-out
            questions as sentences to complete, with "-" where there is no such sentence.
        families: those tuned on.
        answers: question → answer, for one question of each held-out family.
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
        count = min(config.examples, EXAMPLES) if config.equal_steps else config.examples
        losses = tune(model, tokenizer, training_set(config, seed), seed, profile, count)
    questions = tests(config, seed)
    scores = {name: score(model, tokenizer, examples) for name, examples in questions.items()}
    items = {name: item_digits(test.correct) for name, test in scores.items()}
    if not families:
        items["in prose"] = completes(model, tokenizer, questions["held out"])
    held_out = scores["held out"]
    pairs = list(zip(held_out.examples, held_out.completions, strict=True))
    return MultitaskResult.stamped(
        config,
        seed,
        profile,
        seconds=time.perf_counter() - started,
        items=items,
        families=list(families),
        answers={f"{x.instruction}\n{x.input}".strip(): reply.text for x, reply in pairs[::EACH]},
        steps=len(losses),
        loss=round(losses[-1], 4) if losses else 0.0,
    )


def tune(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    seed: int,
    profile: Profile,
    steps_of: int = 0,
) -> list[float]:
    """Tune the model in place with the profile's settings.

    Args:
        model: is changed.
        tokenizer: of the model.
        examples: the training set.
        seed: of the training.
        profile: its settings.
        steps_of: take as many steps as this many examples would; 0 means the actual number.

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
        max_steps=round(profile.epochs * math.ceil((steps_of or len(examples)) / batch)),
        learning_rate=profile.learning_rate,
        batch_size=profile.batch_size,
        gradient_accumulation=profile.gradient_accumulation,
        max_length=profile.max_length,
        progress=False,
    ).losses


def family_order(seed: int) -> list[str]:
    """The families that may be tuned on, in the seed's order: a configuration takes the first ones.

    Consecutive seeds begin with different families, so that a few seeds do not all measure the same
    family.
    """
    first = random.Random("families").sample(TUNED_FAMILIES, ALL)[seed % ALL]
    others = [family for family in TUNED_FAMILIES if family != first]
    return [first, *random.Random(f"{seed}-families").sample(others, ALL - 1)]


def families_of(config: MultitaskConfig, seed: int) -> list[str]:
    """The families that the configuration's model is tuned on: the first of the seed's order."""
    more = [family for family in HELD_OUT_FAMILIES if config.tested and family != config.tested]
    names = [name for name in [*family_order(seed), *more] if name != config.without]
    return names[config.skip : config.skip + config.families]


def fair_config(count: int, family: str, seed: int) -> MultitaskConfig:
    """The configuration that tests a held-out family in FLAN's way, without its neighbor.

    Args:
        count: families to tune on. Up to `ALL`, one model is tested on all five families. With
            `ALL_BUT_ONE`, each family has a model of its own, tuned on everything else (Wei et al.
            2022, section 2.2).
        family: the held-out family.
        seed: decides the order of the families.
    """
    config = MultitaskConfig(count, tested=family if count > ALL else "")
    near = NEIGHBORS.get(family, "")
    if near not in families_of(config, seed):
        return config
    most = ALL_BUT_ONE if config.tested else ALL
    return replace(config, families=min(count, most - 1), without=near)


def training_set(config: MultitaskConfig, seed: int) -> list[Example]:
    """The configuration's examples, the same number from each of its families."""
    keep: list[Callable[[Example], bool]] = []
    if not config.leaks:
        keep.append(lambda example: not leaks(example))
    if config.one_wording:
        keep.append(in_first_wording)
    examples = sample_examples(config.examples, families_of(config, seed), seed=seed, keep=keep)
    return examples if config.instructions else [bare(example) for example in examples]


def tests(config: MultitaskConfig, seed: int) -> dict[str, list[Example]]:
    """Test → questions for the configuration's model; the held-out ones are equal for all."""
    questions = {"held out": held_out(seed, EACH)}
    if config.tested:
        return {"held out": [e for e in questions["held out"] if e.family == config.tested]}
    if families := families_of(config, seed):
        tuned = sample_examples(OTHERS, families, seed=100 + seed, split="test")
        questions["tuned"] = tuned if config.instructions else [bare(x) for x in tuned]
        questions["reworded"] = sample_examples(
            OTHERS, families, seed=100 + seed, split="test", reworded=True
        )
    return questions


def held_out(seed: int, each: int = EACH) -> list[Example]:
    """Questions from the five held-out families, family by family, `each` from each."""
    return [
        example
        for family in HELD_OUT_FAMILIES
        for example in sample(each, seed=100 + seed, split="test", families=[family])
    ]


def sample_examples(
    n: int,
    families: Sequence[str],
    *,
    seed: int,
    split: str = "train",
    reworded: bool = False,
    keep: Sequence[Callable[[Example], bool]] = (),
) -> list[Example]:
    """Sample examples in equal shares from the families, shuffled.

    Args:
        n: how many in all.
        families: where they come from.
        seed: of the sampling and the shuffling.
        split: "train" or "test".
        reworded: in wordings that no training example has.
        keep: predicates that every example must satisfy.
    """
    examples: list[Example] = []
    for i, family in enumerate(families):
        share_size = n // len(families) + (i < n % len(families))
        share: list[Example] = []
        n_candidates = share_size
        while len(share) < share_size:
            n_candidates *= 2
            candidates = sample(
                n_candidates, seed=seed, split=split, families=[family], unseen_wording=reworded
            )
            share = [example for example in candidates if all(test(example) for test in keep)]
        examples += share[:share_size]
    random.Random(seed).shuffle(examples)
    return examples


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
