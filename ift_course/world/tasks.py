"""The tasks: instructions in many wordings, their ideal responses, and a verifier for each.

``sample(500, seed=0)`` draws training examples, ``sample(300, seed=1, split="test")`` examples
about entities that no training example ever mentions in its instruction.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from functools import cache

from . import tables
from .facts import WORLD_SEED, Fact, by_relation, by_subject
from .reading import false_claim, lower_first
from .relations import RELATIONS
from .skills import SKILLS, Skill
from .verify import Answer

SPLITS = ("train", "test")
HELD_OUT_SHARE = 0.25
# The course's running examples are always held out, so that showing them is never showing off.
ALWAYS_HELD_OUT = frozenset({"France", "owl"})


@dataclass(frozen=True)
class Example:
    """One instruction with its ideal response and what else would be right.

    Attributes:
        instruction: what the user asks.
        input: what it is asked about; ``""`` when the instruction says it all.
        response: the ideal answer.
        task: e.g. ``"capital"``.
        family: e.g. ``"geography"``.
        entity: what the example is about; splits hold out whole entities.
        answer: the verifier's data.
    """

    instruction: str
    input: str
    response: str
    task: str
    family: str
    entity: str
    answer: Answer

    def to_dict(self) -> dict:
        """Plain data, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict) -> Example:
        """The inverse of :meth:`to_dict`."""
        answer = data["answer"]
        return cls(**(data | {"answer": Answer(**(answer | {"accept": tuple(answer["accept"])}))}))


def verify(example: Example, text: str) -> bool:
    """Strict: the answer, only the answer, in any correct wording."""
    return example.answer.admits(text)


@dataclass(frozen=True)
class Task:
    """A kind of instruction. ``make(rng, split, unseen)`` draws an example of it."""

    name: str
    family: str
    make: Callable[[random.Random, str, bool], Example]


@cache
def held_out(subjects: str) -> frozenset[str]:
    """The entities of one kind that training examples never ask about."""
    names = sorted({subject for kind, subject in by_subject() if kind == subjects})
    rng = random.Random(f"{WORLD_SEED}-{subjects}")
    count = max(1, round(HELD_OUT_SHARE * len(names)))
    chosen = set(rng.sample(names, count)) | (ALWAYS_HELD_OUT & set(names))
    if subjects == "adjective":  # a pair of opposites is one thing: hold out both directions
        pairs = [pair for pair in tables.rows(tables.OPPOSITES) if chosen & set(pair[:1])]
        chosen = {word for pair in pairs for word in pair}
    return frozenset(chosen)


def in_split(fact: Fact, split: str) -> bool:
    """Whether the fact's subject belongs to the split."""
    return (fact.subject in held_out(fact.relation.subjects)) == (split == "test")


def _draw_fact(known: Iterable[Fact], rng: random.Random, split: str) -> Fact:
    return rng.choice([fact for fact in known if in_split(fact, split)])


def _question(fact: Fact, rng: random.Random, unseen: bool) -> tuple[str, str]:
    """An instruction and an input that ask for the fact."""
    relation = fact.relation
    if unseen:
        return fact.fill(rng.choice(relation.unseen)), ""
    asked = rng.choice(relation.questions + relation.inputs)
    return (asked, fact.subject) if asked in relation.inputs else (fact.fill(asked), "")


def _right_values(fact: Fact) -> tuple[str, ...]:
    """The value and every sentence that states it."""
    others = tables.ALSO_RIGHT.get((fact.relation.name, fact.subject), ())
    facts = [fact, *(Fact(fact.relation, fact.subject, other) for other in others)]
    return tuple(text for f in facts for text in (f.value, *f.statements()))


def _recall(name: str, family: str) -> Task:
    def make(rng: random.Random, split: str, unseen: bool) -> Example:
        fact = _draw_fact(by_relation()[name], rng, split)
        instruction, given = _question(fact, rng, unseen)
        answer = Answer("value", _right_values(fact))
        return Example(instruction, given, fact.value, name, family, fact.subject, answer)

    return Task(name, family, make)


# Tasks about form: characters count, and the verifier compares them.
EXACT = frozenset({"capital_letters", "quotation_marks", "bullets"})


def _skilled(skill: Skill) -> Task:
    def make(rng: random.Random, split: str, unseen: bool) -> Example:
        case = skill.draw(rng)
        # A case has no entity to hold out, so the cases themselves are divided, one in four.
        while (zlib.crc32(case.given.encode()) % 4 == 0) != (split == "test"):
            case = skill.draw(rng)
        wordings = skill.unseen if unseen else skill.questions + skill.inputs
        asked = rng.choice(wordings)
        instruction = asked.format(i=case.given, d=case.detail)
        given = case.given if asked in skill.inputs else ""
        mode = "exact" if skill.name in EXACT else "value"
        accept = (case.result, *case.also)
        if mode == "value":
            accept += tuple(
                wording.format(i=case.given, a=right, d=case.detail, A="", B="")
                for wording in skill.prose
                for right in (case.result, *case.also)
                if "{A}" not in wording and "{B}" not in wording and ". " not in wording
            )
        answer = Answer(mode, accept)
        return Example(
            instruction, given, case.result, skill.name, skill.family, case.given, answer
        )

    return Task(skill.name, skill.family, make)


_YES_NO = (
    "Is it true that {that}?",
    "Yes or no: is it true that {that}?",
    "Is the following true: {stmt}",
    "Tell me if it is true that {that}.",
)
_YES_NO_INPUTS = ("Is this sentence true?", "Is the following sentence right? Answer yes or no.")
_YES_NO_UNSEEN = ("Would you say that {that}?",)


def _yes_no(rng: random.Random, split: str, unseen: bool) -> Example:
    fact = _draw_fact(rng.choice(list(by_relation().values())), rng, split)
    right = rng.random() < 0.5
    claimed = fact if right else false_claim(fact, rng)
    index = rng.randrange(len(fact.statements()))
    stmt = claimed.statements()[index]
    asked = rng.choice(_YES_NO_UNSEEN if unseen else _YES_NO + _YES_NO_INPUTS)
    instruction = asked.format(that=lower_first(stmt, claimed), stmt=stmt)
    word, judged = ("Yes", "true") if right else ("No", "false")
    same = fact.statements()[index]
    accept = [word, judged, f"{word}, that is {judged}", f"{word}, it is {judged}"]
    accept += [f"{word}, {lower_first(same, fact)}", f"{word}. {same}"]
    if right:
        accept += ["Yes, it is", "Yes, that is right", "Yes, that is correct"]
    else:
        accept += ["No, it is not", "No, that is wrong", "No, that is not true"]
    given = stmt if asked in _YES_NO_INPUTS else ""
    answer = Answer("value", tuple(accept))
    return Example(instruction, given, word, "yes_no", "yes_no", fact.subject, answer)


def _in_form(name: str, requests: tuple[str, ...], unseen_requests: tuple[str, ...]) -> Task:
    """A fact, asked for in a special form."""

    def make(rng: random.Random, split: str, unseen: bool) -> Example:
        fact = _draw_fact(rng.choice(list(by_relation().values())), rng, split)
        question, given = _question(fact, rng, unseen=False)
        instruction = f"{question} {rng.choice(unseen_requests if unseen else requests)}"
        if name == "fact_in_sentence":
            response, answer = fact.statements()[0], Answer("value", tuple(fact.statements()))
        elif name == "fact_in_capitals":
            response = fact.value.upper()
            answer = Answer("exact", (response, f"{response}."))
        else:
            response = f'"{fact.value}"'
            answer = Answer("exact", (response, f"{response}.", f"“{fact.value}”"))
        return Example(instruction, given, response, name, "format", fact.subject, answer)

    return Task(name, "format", make)


def _name_members(
    count: int, name: str, wordings: tuple[str, ...], unseen: tuple[str, ...]
) -> Task:
    def make(rng: random.Random, split: str, new_wording: bool) -> Example:
        kinds = tables.rows(tables.KINDS)
        kind, listed = rng.choice([row for i, row in enumerate(kinds) if _kind_split(i) == split])
        members = listed.split()
        response = ", ".join(sorted(rng.sample(members, count)))
        instruction = rng.choice(unseen if new_wording else wordings).format(
            kind=kind, a_kind=("an " if kind[0] in "aeiou" else "a ") + kind
        )
        answer = Answer("members", tuple(members), count)
        return Example(instruction, "", response, name, "words", kind, answer)

    return Task(name, "words", make)


def _kind_split(index: int) -> str:
    return "test" if index % 4 == 3 else "train"


def _describe(rng: random.Random, split: str, unseen: bool) -> Example:
    known = rng.choice([
        facts for facts in by_subject().values() if len(facts) > 2 and in_split(facts[0], split)
    ])  # fmt: skip
    kind, subject = known[0].relation.subjects, known[0].subject
    about = subject if kind in ("country", "person", "noun", "day", "month") else f"the {subject}"
    first, second = rng.sample(known, 2)
    wordings = (
        ("Tell me two things about {s}.",)
        if unseen
        else (
            "Write two sentences about {s}.",
            "Describe {s} in two sentences.",
            "Say something about {s} in two sentences.",
            "Write a short text of two sentences about {s}.",
        )
    )
    accept = tuple(stmt for fact in known for stmt in fact.statements())
    accept += tuple(
        f"It {stmt[len(about) + 1 :]}" for stmt in accept if stmt.lower().startswith(f"{about} ")
    )
    return Example(
        rng.choice(wordings).format(s=about),
        "",
        f"{rng.choice(first.statements())} {rng.choice(second.statements())}",
        "describe",
        "writing",
        subject,
        Answer("sentences", accept, 2),
    )


TASKS: tuple[Task, ...] = (
    *(_recall(relation.name, relation.family) for relation in RELATIONS),
    *(_skilled(skill) for skill in SKILLS),
    Task("yes_no", "yes_no", _yes_no),
    _in_form(
        "fact_in_capitals",
        (
            "Answer in capital letters.",
            "Write the answer in capital letters.",
            "Use capital letters.",
        ),
        ("Give the answer in capital letters only.",),
    ),
    _in_form(
        "fact_in_sentence",
        (
            "Answer in a full sentence.",
            "Write the answer as a full sentence.",
            "Use a full sentence.",
        ),
        ("Give the answer as one complete sentence.",),
    ),
    _in_form(
        "fact_in_quotation_marks",
        (
            "Answer in quotation marks.",
            "Put the answer in quotation marks.",
            "Use quotation marks.",
        ),
        ("Give the answer between quotation marks.",),
    ),
    _name_members(
        1,
        "name_one",
        ("Name {a_kind}.", "Tell me the name of {a_kind}.", "Give an example of {a_kind}."),
        ("Can you name {a_kind}?",),
    ),
    _name_members(
        3,
        "name_three",
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
# Families kept out of tuning wherever a lesson asks how far instruction following carries.
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
    """Draw ``n`` examples, the tasks taking turns so that each has its share.

    Args:
        n: how many.
        seed: the same seed gives the same examples.
        split: ``"train"``, or ``"test"`` for entities that training never asks about.
        tasks: names of tasks to draw from; all of them by default.
        families: names of families to draw from; all of them by default.
        unseen_wording: use instructions that no training example has.

    Raises:
        ValueError: an unknown split, task or family, or a choice that leaves no task.
    """
    if split not in SPLITS:
        raise ValueError(f"split must be one of {SPLITS}, not {split!r}")
    chosen = _choose(tasks, families)
    rng = random.Random(f"{seed}-{split}-{unseen_wording}")
    order: list[Task] = []
    while len(order) < n:
        order += rng.sample(chosen, len(chosen))
    return [task.make(rng, split, unseen_wording) for task in order[:n]]


def _choose(tasks: Iterable[str] | None, families: Iterable[str] | None) -> list[Task]:
    names = set(TASK_BY_NAME if tasks is None else tasks)
    wanted = set(FAMILIES if families is None else families)
    unknown = sorted((names - set(TASK_BY_NAME)) | (wanted - set(FAMILIES)))
    if unknown:
        raise ValueError(f"no task or family is called {', '.join(unknown)}")
    chosen = [task for task in TASKS if task.name in names and task.family in wanted]
    if not chosen:
        raise ValueError("no task is left: the tasks named belong to other families")
    return chosen
