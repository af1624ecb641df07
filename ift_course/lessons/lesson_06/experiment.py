"""Lesson 06's grid: how many families of tasks a model is tuned on, and how they are put.

`run_cell(cell, seed, profile)` tunes a base on the cell's examples and asks it about five families
that are held out, all at once or, as in the paper, one at a time. After Wei et al. 2022 (FLAN),
arXiv:2109.01652, sections 2.2 and 4.
"""

from __future__ import annotations

import math
import random
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass, replace
from datetime import datetime, timezone
from functools import cache, partial

from pydantic import BaseModel, ConfigDict

from ift_course.claims.grid_store import base_identity
from ift_course.lessons.lesson_06.bases import SHIPPED, load_base
from ift_course.profile import Profile
from ift_course.world.facts import Fact, by_relation
from ift_course.world.relations import RELATION_BY_NAME, RELATIONS
from ift_course.world.skills import SKILL_BY_NAME
from ift_course.world.tasks import (
    FACT_TASKS,
    FAMILIES,
    HELD_OUT_FAMILIES,
    Example,
    sample,
    verify,
)

TUNED_FAMILIES = tuple(name for name in FAMILIES if name not in HELD_OUT_FAMILIES)
EXAMPLES = 440  # shared out equally among 1, 2, 4 or all 11 families
ALL = len(TUNED_FAMILIES)
ALL_BUT_ONE = len(FAMILIES) - 1  # the one is what is tested
COUNTS = (1, 2, 4, 8, ALL)
NEIGHBORS = {"summary": "extraction"}  # both begin with the same stories
EACH = 24  # questions from each held-out family
OTHERS = 55  # questions about what the model was tuned on


@dataclass(frozen=True)
class Cell:
    """What a base is tuned on.

    Attributes:
        families: how many, in the seed's order; 0 leaves the base as it is.
        examples: how many in all, the same number from each family.
        one_wording: each task is put in one way only, instead of in all.
        instructions: False shows the model what is given and not what is asked, as ordinary
            fine-tuning on one task does.
        equal_steps: train for as many steps as `EXAMPLES` take, whatever the number of examples.
        leaks: keep the examples of other families that ask about a held-out one.
        base: a name of `multitask_bases`.
        skip: leave out so many at the beginning of the seed's order.
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

    @property
    def sort_key(self) -> tuple:
        """An order of cells that is the same in every run."""
        return astuple(self)


BASES = (SHIPPED, "prose")
# The parts of the grid, each the answer to one question of the lesson.
PARTS: dict[str, tuple[Cell, ...]] = {
    "families": tuple(Cell(count) for count in COUNTS),
    "more of one": (Cell(1, 4 * EXAMPLES, equal_steps=True),),
    "wordings": (Cell(ALL, one_wording=True),),
    "no instruction": (Cell(1, instructions=False), Cell(ALL, instructions=False)),
    "leaks": (Cell(ALL, leaks=True),),
    "neighbor": tuple(Cell(min(count, ALL - 1), without="extraction") for count in COUNTS),
    "one at a time": (
        *(Cell(ALL_BUT_ONE, tested=family) for family in HELD_OUT_FAMILIES),
        *(Cell(ALL_BUT_ONE - 1, without=near, tested=family) for family, near in NEIGHBORS.items()),
    ),
    "bases": tuple(Cell(count, base=base) for base in BASES for count in (0, 1, ALL)),
}
# How much one or a few families give depends on which. So this part is measured with more seeds,
# each of which begins with another family:
# `grids.full("06", seeds=range(11), cells=PARTS["families"])`, and "one at a time" likewise.
GRID: tuple[Cell, ...] = tuple(dict.fromkeys(cell for part in PARTS.values() for cell in part))


class Row(BaseModel):
    """What one cell gave with one seed.

    items: for each test "1" or "0" for each question: "held out", families never tuned on; "tuned",
        the cell's own, put as in tuning; "reworded", these in wordings no example has; and of the
        untuned base "in prose", the held-out questions as sentences to complete, with "-" where
        there is no such sentence.
    families: those tuned on. said: the answer to one question of each held-out family.
    seconds: all of the cell. base: of the shipped weights.
    """

    model_config = ConfigDict(frozen=True)

    cell: Cell
    seed: int
    items: dict[str, str]
    families: list[str]
    said: dict[str, str]
    steps: int
    loss: float
    seconds: float
    date: str
    base: str
    machine: str
    threads: int

    def scores(self, test: str = "held out") -> list[float]:
        """1.0 or 0.0 for each question of the test: what `claim` takes as one seed of an arm."""
        return [float(item) for item in self.items[test] if item != "-"]

    def accuracy(self, test: str = "held out") -> float:
        """Share of right answers, the same weight for each family."""
        scores = self.scores(test)
        return sum(scores) / len(scores)


def run_cell(cell: Cell, seed: int, profile: Profile, *, load: Callable | None = None) -> Row:
    """Tune a fresh base on the cell's examples, ask it about held-out families, say how it did.

    load: returns a fresh (model, tokenizer); the cell's base without it.
    """
    import torch

    from ift_course.evaluation.score import score
    from ift_course.hardware import machine

    began = time.perf_counter()
    model, tokenizer = (load or partial(load_base, cell.base, profile))()
    families = families_of(cell, seed)
    losses = []
    if families:
        shown = min(cell.examples, EXAMPLES) if cell.equal_steps else cell.examples
        losses = tune(model, tokenizer, training_set(cell, seed), seed, profile, shown)
    found = {name: score(model, tokenizer, asked) for name, asked in tests(cell, seed).items()}
    items = {name: _digits(scores.correct) for name, scores in found.items()}
    if not families:
        items["in prose"] = completes(model, tokenizer, tests(cell, seed)["held out"])
    held_out = found["held out"]
    return Row(
        cell=cell,
        seed=seed,
        items=items,
        families=list(families),
        said={
            f"{e.instruction}\n{e.input}".strip(): completion.text
            for e, completion in list(zip(held_out.examples, held_out.completions, strict=True))[
                ::EACH
            ]
        },
        steps=len(losses),
        loss=round(losses[-1], 4) if losses else 0.0,
        seconds=round(time.perf_counter() - began, 1),
        date=datetime.now(timezone.utc).date().isoformat(),
        base=base_identity(profile),
        machine=machine(),
        threads=torch.get_num_threads(),
    )


def tune(
    model, tokenizer, examples: Sequence[Example], seed: int, profile: Profile, steps_of: int = 0
) -> list[float]:
    """Tune the model in place with the profile's settings; the loss of each step.

    steps_of: take as many steps as so many examples would; 0 means as there are.
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


def order(seed: int) -> list[str]:
    """The families that may be tuned on, in the seed's order: a cell takes the first of them.

    Seeds that follow each other begin with different families, so that a few of them do not all
    measure the same one.
    """
    first = random.Random("families").sample(TUNED_FAMILIES, ALL)[seed % ALL]
    others = [family for family in TUNED_FAMILIES if family != first]
    return [first, *random.Random(f"{seed}-families").sample(others, ALL - 1)]


def families_of(cell: Cell, seed: int) -> list[str]:
    """The families that the cell's model is tuned on: the first of the seed's order."""
    more = [family for family in HELD_OUT_FAMILIES if cell.tested and family != cell.tested]
    names = [name for name in [*order(seed), *more] if name != cell.without]
    return names[cell.skip : cell.skip + cell.families]


def fair_cell(count: int, family: str, seed: int) -> Cell:
    """The cell that tests a held-out family in FLAN's way: its neighbor is not tuned on either.

    count: families to tune on. Up to `ALL`, one model is asked about all five families. With
    `ALL_BUT_ONE`, each has a model of its own, tuned on everything else (Wei et al. 2022,
    section 2.2).
    """
    cell = Cell(count, tested=family if count > ALL else "")
    near = NEIGHBORS.get(family, "")
    if near not in families_of(cell, seed):
        return cell
    most = ALL_BUT_ONE if cell.tested else ALL
    return replace(cell, families=min(count, most - 1), without=near)


def training_set(cell: Cell, seed: int) -> list[Example]:
    """The cell's examples, the same number from each of its families."""
    keep = [] if cell.leaks else [lambda example: not leaks(example)]
    keep += [in_first_wording] if cell.one_wording else []
    examples = draw(cell.examples, families_of(cell, seed), seed=seed, keep=keep)
    return examples if cell.instructions else [bare(example) for example in examples]


def tests(cell: Cell, seed: int) -> dict[str, list[Example]]:
    """The questions put to the cell's model, by test; the held-out ones are equal for all cells."""
    asked = {"held out": held_out(seed, EACH)}
    if cell.tested:
        return {"held out": [e for e in asked["held out"] if e.family == cell.tested]}
    if families := families_of(cell, seed):
        tuned = draw(OTHERS, families, seed=100 + seed, split="test")
        asked["tuned"] = tuned if cell.instructions else [bare(example) for example in tuned]
        asked["reworded"] = draw(OTHERS, families, seed=100 + seed, split="test", reworded=True)
    return asked


def held_out(seed: int, each: int = EACH) -> list[Example]:
    """Questions from the families that no cell is tuned on, `each` from each, family by family."""
    return [
        example
        for family in HELD_OUT_FAMILIES
        for example in sample(each, seed=100 + seed, split="test", families=[family])
    ]


def draw(
    n: int,
    families: Sequence[str],
    *,
    seed: int,
    split: str = "train",
    reworded: bool = False,
    keep: Sequence[Callable[[Example], bool]] = (),
) -> list[Example]:
    """n examples that pass every test of `keep`, in equal shares from the families, shuffled."""
    found: list[Example] = []
    for i, family in enumerate(families):
        wanted = n // len(families) + (i < n % len(families))
        share: list[Example] = []
        tries = wanted
        while len(share) < wanted:
            tries *= 2
            drawn = sample(
                tries, seed=seed, split=split, families=[family], unseen_wording=reworded
            )
            share = [example for example in drawn if all(test(example) for test in keep)]
        found += share[:wanted]
    random.Random(seed).shuffle(found)
    return found


# Tasks that ask about facts of any family, held-out ones too.
BORROWING = ("yes_no", "fact_in_capitals", "fact_in_sentence", "fact_in_quotation_marks")


def leaks(example: Example) -> bool:
    """Whether an example of a tuned family may ask what only a held-out family should.

    "What is the Spanish word for dog? Answer in capital letters." is of the family "format", and
    asks for a translation. Everything about a subject that a held-out family knows is sorted out,
    which is more than need be.
    """
    return example.task in BORROWING and example.entity in _held_out_subjects()


@cache
def _held_out_subjects() -> frozenset[str]:
    names = [relation.name for relation in RELATIONS if relation.family in HELD_OUT_FAMILIES]
    return frozenset(fact.subject for name in names for fact in by_relation()[name])


# How an example begins and ends that is put in its task's first wording, where this is not to be
# had from the relation or the skill.
FIRST = {
    "yes_no": ("Is it true that ", "?"),
    "name_one": ("Name ", "."),
    "name_three": ("Name three words ", "."),
    "fact_in_capitals": ("", " Answer in capital letters."),
    "fact_in_sentence": ("", " Answer in a full sentence."),
    "fact_in_quotation_marks": ("", " Answer in quotation marks."),
}


def in_first_wording(example: Example) -> bool:
    """Whether the example is put in the first of its task's wordings."""
    if example.input:
        return False
    if example.task in FIRST:
        start, end = FIRST[example.task]
        return example.instruction.startswith(start) and example.instruction.endswith(end)
    if example.task in FACT_TASKS:
        relation = RELATION_BY_NAME[example.task]
        first = Fact(relation, example.entity, "").fill(relation.questions[0])
        return example.instruction == first
    first = SKILL_BY_NAME[example.task].questions[0].format(i=example.entity, d="\0")
    return re.fullmatch(re.escape(first).replace("\0", r"\w+"), example.instruction) is not None


def bare(example: Example) -> Example:
    """The same example without its instruction: what is given, and the response."""
    given = example.input or example.entity
    if example.task == "yes_no" and not example.input:
        given = re.split(r"true(?: that|:) ", example.instruction)[-1]
    return replace(example, instruction=given, input="")


def in_prose(example: Example) -> str | None:
    """The example as a sentence to complete, in words that the corpus uses; None if there is none.

    "Name the color of the sky." becomes "The color of the sky is".
    """
    if example.task in FACT_TASKS:
        known = by_relation()[example.task]
        return next(fact for fact in known if fact.subject == example.entity).completion()[0]
    if example.task not in SKILL_BY_NAME:
        return None
    wordings = SKILL_BY_NAME[example.task].prose
    ending = (w for w in wordings if w.removesuffix(".").endswith("{a}") and "{A}" not in w)
    wording = next(ending).partition("{a}")[0].rstrip()
    return wording.format(i=example.entity, d="")


def completes(model, tokenizer, examples: Sequence[Example]) -> str:
    """ "1" or "0" for each example that a model completes as prose; "-" where there is no prose."""
    from ift_course.evaluation.generate import complete

    prompts = [in_prose(example) for example in examples]
    asked = [prompt for prompt in prompts if prompt]
    said = iter(complete(model, tokenizer, asked, max_new_tokens=40))
    return "".join(
        str(int(_completed(example, next(said).text))) if prompt else "-"
        for example, prompt in zip(examples, prompts, strict=True)
    )


def _completed(example: Example, text: str) -> bool:
    """Whether the text goes on with a right answer and then ends the sentence."""
    ends = [text.strip()[: i + 1] for i, mark in enumerate(text.strip()) if mark in '."']
    return any(verify(example, end.rstrip('"')) for end in ends[:2])


def _digits(items: Sequence[float]) -> str:
    return "".join(str(int(item)) for item in items)
