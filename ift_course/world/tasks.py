"""The tasks: instructions in many wordings, their ideal responses, and a verifier for each.

`sample(500, seed=0)` draws training examples. `sample(300, seed=1, split="test")` draws examples
about entities that no training example asks about.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from ift_course.world import tables
from ift_course.world.facts import (
    WORLD_SEED,
    Fact,
    as_clause,
    by_relation,
    by_subject,
    description_subject,
    false_claim,
)
from ift_course.world.grammar import with_article
from ift_course.world.relations import RELATIONS
from ift_course.world.skills import SKILLS, Case, Skill
from ift_course.world.splits import SPLITS, in_split
from ift_course.world.verify import Answer


@dataclass(frozen=True)
class Example:
    """One instruction with its ideal response and what else would be right.

    Attributes:
        instruction: What the user asks.
        input: What the instruction is about; "" if the instruction contains it.
        response: The ideal answer.
        task: Name of the task, e.g. "capital".
        family: Family of the task, e.g. "geography".
        entity: What the example is about; a split holds out whole entities.
        answer: What the verifier accepts.
    """

    instruction: str
    input: str
    response: str
    task: str
    family: str
    entity: str
    answer: Answer

    def to_dict(self) -> dict[str, Any]:
        """The example as plain data, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Example:
        """The example whose `to_dict` is the data."""
        fields = dict(data)
        answer = fields.pop("answer")
        accept = tuple(answer["accept"])
        return cls(**fields, answer=Answer(**(answer | {"accept": accept})))


def verify(example: Example, text: str) -> bool:
    """Whether the text is the answer and nothing else, in any correct wording."""
    return example.answer.accepts(text)


@dataclass(frozen=True)
class Task:
    """A kind of instruction.

    Attributes:
        name: E.g. "capital".
        family: E.g. "geography".
        make: Draws an example; takes the random generator, the split, and whether to use a wording
            that no training split uses.
    """

    name: str
    family: str
    make: Callable[[random.Random, str, bool], Example]


def _draw_fact(candidates: Iterable[Fact], rng: random.Random, split: str) -> Fact:
    return rng.choice([fact for fact in candidates if in_split(fact, split)])


def _question(fact: Fact, rng: random.Random, unseen: bool) -> tuple[str, str]:
    """An instruction and an input ("" if it needs none) that ask for the fact."""
    relation = fact.relation
    if unseen:
        return fact.fill(rng.choice(relation.unseen)), ""
    wording = rng.choice(relation.questions + relation.inputs)
    return (wording, fact.subject) if wording in relation.inputs else (fact.fill(wording), "")


def _right_values(fact: Fact) -> tuple[str, ...]:
    """The value, its alternatives, and every sentence that states one of them."""
    others = tables.ALSO_RIGHT.get((fact.relation.name, fact.subject), ())
    facts = [fact, *(Fact(fact.relation, fact.subject, other) for other in others)]
    return tuple(text for f in facts for text in (f.value, *f.statements()))


def _fact_task(name: str, family: str) -> Task:
    """The task that asks for the value of one relation."""

    def make(rng: random.Random, split: str, unseen: bool) -> Example:
        fact = _draw_fact(by_relation()[name], rng, split)
        instruction, input_text = _question(fact, rng, unseen)
        answer = Answer("value", _right_values(fact))
        return Example(instruction, input_text, fact.value, name, family, fact.subject, answer)

    return Task(name, family, make)


# Tasks about form: the verifier compares characters.
EXACT = frozenset({"capital_letters", "quotation_marks", "bullets"})


def draw_case(skill: Skill, rng: random.Random, split: str) -> Case:
    """Draw a case of the split: the test split has one case in four, by the hash of its input."""
    case = skill.draw(rng)
    while (zlib.crc32(case.input.encode()) % 4 == 0) != (split == "test"):
        case = skill.draw(rng)
    return case


def _skill_task(skill: Skill) -> Task:
    """The task that asks for the result of a skill."""

    def make(rng: random.Random, split: str, unseen: bool) -> Example:
        case = draw_case(skill, rng, split)
        wording = rng.choice(skill.unseen if unseen else skill.questions + skill.inputs)
        return Example(
            instruction=wording.format(i=case.input, d=case.detail),
            input=case.input if wording in skill.inputs else "",
            response=case.result,
            task=skill.name,
            family=skill.family,
            entity=case.input,
            answer=_skill_answer(skill, case),
        )

    return Task(skill.name, skill.family, make)


def _skill_answer(skill: Skill, case: Case) -> Answer:
    """The results of a case, and each one in every sentence of the corpus that has no people."""
    results = (case.result, *case.alternatives)
    if skill.name in EXACT:
        return Answer("exact", results)
    sentences = (
        wording.format(i=case.input, a=result, d=case.detail, A="", B="")
        for wording in skill.prose
        for result in results
        if "{A}" not in wording and "{B}" not in wording and ". " not in wording
    )
    return Answer("value", (*results, *sentences))


_YES_NO = (
    "Is it true that {that}?",
    "Yes or no: is it true that {that}?",
    "Is the following true: {stmt}",
    "Tell me if it is true that {that}.",
)
_YES_NO_INPUTS = ("Is this sentence true?", "Is the following sentence right? Answer yes or no.")
_YES_NO_UNSEEN = ("Would you say that {that}?",)


def _yes_no(rng: random.Random, split: str, unseen: bool) -> Example:
    """Ask whether a true or a false statement is true."""
    fact = _draw_fact(rng.choice(list(by_relation().values())), rng, split)
    is_true = rng.random() < 0.5
    claimed = fact if is_true else false_claim(fact, rng)
    index = rng.randrange(len(fact.statements()))
    claim, truth = claimed.statements()[index], fact.statements()[index]
    wording = rng.choice(_YES_NO_UNSEEN if unseen else _YES_NO + _YES_NO_INPUTS)
    instruction = wording.format(that=as_clause(claim, claimed), stmt=claim)
    word, verdict = ("Yes", "true") if is_true else ("No", "false")
    accept = [word, verdict, f"{word}, that is {verdict}", f"{word}, it is {verdict}"]
    accept += [f"{word}, {as_clause(truth, fact)}", f"{word}. {truth}"]
    if is_true:
        accept += ["Yes, it is", "Yes, that is right", "Yes, that is correct"]
    else:
        accept += ["No, it is not", "No, that is wrong", "No, that is not true"]
    input_text = claim if wording in _YES_NO_INPUTS else ""
    answer = Answer("value", tuple(accept))
    return Example(instruction, input_text, word, "yes_no", "yes_no", fact.subject, answer)


def _format_task(name: str, requests: tuple[str, ...], unseen_requests: tuple[str, ...]) -> Task:
    """The task that asks for a fact in a special format.

    Args:
        name: "fact_in_sentence", "fact_in_capitals" or "fact_in_quotation_marks".
        requests: Sentences that ask for the format.
        unseen_requests: The same, used by no training split.
    """

    def make(rng: random.Random, split: str, unseen: bool) -> Example:
        fact = _draw_fact(rng.choice(list(by_relation().values())), rng, split)
        question, input_text = _question(fact, rng, unseen=False)
        instruction = f"{question} {rng.choice(unseen_requests if unseen else requests)}"
        if name == "fact_in_sentence":
            response, answer = fact.statements()[0], Answer("value", tuple(fact.statements()))
        elif name == "fact_in_capitals":
            response = fact.value.upper()
            answer = Answer("exact", (response, f"{response}."))
        else:
            response = f'"{fact.value}"'
            answer = Answer("exact", (response, f"{response}.", f"“{fact.value}”"))
        return Example(instruction, input_text, response, name, "format", fact.subject, answer)

    return Task(name, "format", make)


def _naming_task(
    name: str, count: int, wordings: tuple[str, ...], unseen_wordings: tuple[str, ...]
) -> Task:
    """The task that asks for members of a category.

    Args:
        name: Name of the task.
        count: Number of members.
        wordings: Instructions, with `{kind}` or `{a_kind}` for the category.
        unseen_wordings: The same, used by no training split.
    """

    def make(rng: random.Random, split: str, unseen: bool) -> Example:
        categories = enumerate(tables.CATEGORIES.items())
        in_test = split == "test"  # One category in four belongs to the test split.
        kind, members = rng.choice([item for i, item in categories if (i % 4 == 3) == in_test])
        response = ", ".join(sorted(rng.sample(members, count)))
        wording = rng.choice(unseen_wordings if unseen else wordings)
        instruction = wording.format(kind=kind, a_kind=with_article(kind, "a"))
        answer = Answer("members", members, count)
        return Example(instruction, "", response, name, "words", kind, answer)

    return Task(name, "words", make)


_DESCRIBE = (
    "Write two sentences about {s}.",
    "Describe {s} in two sentences.",
    "Say something about {s} in two sentences.",
    "Write a short text of two sentences about {s}.",
)
_DESCRIBE_UNSEEN = ("Tell me two things about {s}.",)


def _describe(rng: random.Random, split: str, unseen: bool) -> Example:
    """Ask for two sentences about a subject."""
    described = [group for group in by_subject().values() if len(group) > 2]
    group = rng.choice([facts for facts in described if in_split(facts[0], split)])
    about = description_subject(group[0])
    first, second = rng.sample(group, 2)
    accept = tuple(sentence for fact in group for sentence in fact.statements())
    opening = f"{about} "
    accept += tuple(
        f"It {sentence[len(opening) :]}"
        for sentence in accept
        if sentence.lower().startswith(opening)
    )
    return Example(
        rng.choice(_DESCRIBE_UNSEEN if unseen else _DESCRIBE).format(s=about),
        "",
        f"{rng.choice(first.statements())} {rng.choice(second.statements())}",
        "describe",
        "writing",
        group[0].subject,
        Answer("sentences", accept, 2),
    )


TASKS: tuple[Task, ...] = (
    *(_fact_task(relation.name, relation.family) for relation in RELATIONS),
    *(_skill_task(skill) for skill in SKILLS),
    Task("yes_no", "yes_no", _yes_no),
    _format_task(
        "fact_in_capitals",
        (
            "Answer in capital letters.",
            "Write the answer in capital letters.",
            "Use capital letters.",
        ),
        ("Give the answer in capital letters only.",),
    ),
    _format_task(
        "fact_in_sentence",
        (
            "Answer in a full sentence.",
            "Write the answer as a full sentence.",
            "Use a full sentence.",
        ),
        ("Give the answer as one complete sentence.",),
    ),
    _format_task(
        "fact_in_quotation_marks",
        (
            "Answer in quotation marks.",
            "Put the answer in quotation marks.",
            "Use quotation marks.",
        ),
        ("Give the answer between quotation marks.",),
    ),
    _naming_task(
        "name_one",
        1,
        ("Name {a_kind}.", "Tell me the name of {a_kind}.", "Give an example of {a_kind}."),
        ("Can you name {a_kind}?",),
    ),
    _naming_task(
        "name_three",
        3,
        (
            "Name three words of the kind {kind}.",
            "Give three examples of the kind {kind}.",
            "List three words under the heading {kind}.",
        ),
        ("Find three words of the kind {kind}.",),
    ),
    Task("describe", "writing", _describe),
)

TASK_BY_NAME = {task.name: task for task in TASKS}
FACT_TASKS = tuple(relation.name for relation in RELATIONS)
FAMILIES = tuple(dict.fromkeys(task.family for task in TASKS))
# Families held out of tuning wherever a lesson measures generalization to unseen families.
HELD_OUT_FAMILIES = tuple(sorted(random.Random(WORLD_SEED).sample(FAMILIES, 5)))


def sample(
    n: int,
    *,
    seed: int,
    split: str = "train",
    tasks: Iterable[str] | None = None,
    families: Iterable[str] | None = None,
    unseen_wording: bool = False,
) -> list[Example]:
    """Draw examples with the tasks in turn, so that each one has its share.

    Args:
        n: Number of examples.
        seed: The same seed gives the same examples.
        split: "train", or "test" for entities that training examples never ask about.
        tasks: Names of tasks to draw from; by default all of them.
        families: Names of families to draw from; by default all of them.
        unseen_wording: Whether to use instructions that no training example has.

    Raises:
        ValueError: The split, a task or a family is unknown, or the choice leaves no task.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {SPLITS}, not {split!r}")
    chosen = _choose_tasks(tasks, families)
    rng = random.Random(f"{seed}-{split}-{unseen_wording}")
    order: list[Task] = []
    while len(order) < n:
        order += rng.sample(chosen, len(chosen))
    return [task.make(rng, split, unseen_wording) for task in order[:n]]


def _choose_tasks(tasks: Iterable[str] | None, families: Iterable[str] | None) -> list[Task]:
    names = set(TASK_BY_NAME if tasks is None else tasks)
    family_names = set(FAMILIES if families is None else families)
    unknown = sorted((names - set(TASK_BY_NAME)) | (family_names - set(FAMILIES)))
    if unknown:
        raise ValueError(f"no task or family is called {', '.join(unknown)}")
    chosen = [task for task in TASKS if task.name in names and task.family in family_names]
    if not chosen:
        raise ValueError("no task is left: the tasks named belong to other families")
    return chosen
