"""Dialogues about what the world knows: facts, claims, descriptions, and a second question."""

from __future__ import annotations

import random
from functools import cache

from ift_course.world.dialogues.casual import casual, hasty, with_right_article
from ift_course.world.facts import (
    Fact,
    as_clause,
    by_relation,
    by_subject,
    description_subject,
    false_claim,
)
from ift_course.world.grammar import capitalize, plural_of
from ift_course.world.loader import mapping, read_yaml, texts
from ift_course.world.splits import in_split

Turn = tuple[str, str]  # What the user says, and what the assistant says to it.
# The statement that answers a question best, where it is not the relation's first one.
_BEST_STATEMENT = {"young": 1, "spanish": 1, "french": 1}
_NEW_SUBJECT = (
    "And {s}?",
    "What about {s}?",
    "and {s}?",
    "And for {s}?",
    "Now {s}.",
    "And of {s}?",
)
# Kinds of subjects that "What about the owl?" needs an article for.
_WITH_ARTICLE = ("animal", "object")


@cache
def wordings(file: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """Name → "questions" and "fragments" of a file in `world/dialogues/`."""
    entries = mapping(read_yaml(f"dialogues/{file}"), file)
    return {
        name: {kind: texts(lines, f"{file}, {name}") for kind, lines in entry.items()}
        for name, entry in entries.items()
    }


def draw_fact(rng: random.Random, relation: str | None = None) -> Fact:
    """Draw a fact that training may ask for, with every relation equally likely."""
    related = by_relation()[relation] if relation else rng.choice(list(by_relation().values()))
    return rng.choice([fact for fact in related if in_split(fact, "train")])


def question(fact: Fact, rng: random.Random) -> str:
    """A question for the fact: from a test, in casual words, as a fragment, or with a reference."""
    natural = wordings("wordings.yaml")[fact.relation.name]
    dice = rng.random()
    if dice < 0.15:
        return casual(fact.fill(rng.choice(fact.relation.questions)), rng)
    if dice < 0.7:
        wording = rng.choice(natural["questions"] + natural.get("plural_questions", ()))
        text = fact.fill(wording.replace("{ss}", plural_of(fact.subject)))
        return casual(with_right_article(text), rng)
    if dice < 0.85:
        text = with_right_article(fact.fill(rng.choice(natural["fragments"])))
        return rng.choice((text, f"{capitalize(text)}?", hasty(text, rng)))
    ref = rng.choice(fact.refs())
    frame = rng.choice(
        (
            "Can you tell me {}?", "Could you tell me {}, please?", "Please tell me {}.",
            "Do you know {}?", "I want to know {}.", "I need {}.", "Tell me {}.", "{}?",
            "What's {}?", "What is {}?", "What would {} be?", "Give me {}.", "Can you give me {}?",
            "Do you happen to know {}?", "I am looking for {}.", "Quick question: {}?",
            "I forgot {}.", "Remind me: {}?", "{}, please", "Name {}.", "Any idea what {} is?",
        )
    )  # fmt: skip
    return casual(capitalize(frame.format(ref)), rng)


def statement(fact: Fact) -> str:
    """The sentence with which the assistant answers a question for the fact."""
    text = fact.statements()[_BEST_STATEMENT.get(fact.relation.name, 0)]
    return text if text.endswith((".", '"')) else f"{text}."


def with_verdict(fact: Fact, right: bool) -> str:
    """The fact, and then whether what the user said agrees with it.

    In this order, because a model of this size cannot compare a fact that it has not yet written.
    """
    return f"{statement(fact)} So {'yes' if right else 'no'}."


def fact_dialogue(rng: random.Random) -> list[Turn]:
    """A question for a fact, and sometimes the same about another subject, or a doubt."""
    fact = draw_fact(rng)
    turns = [(question(fact, rng), fact.value)]
    dice = rng.random()
    if dice < 0.2 and fact.relation.subjects != "sentence":
        other = draw_fact(rng, fact.relation.name)
        article = "the " if fact.relation.subjects in _WITH_ARTICLE else ""
        follow_up = rng.choice(_NEW_SUBJECT).format(s=f"{article}{other.subject}")
        turns.append((follow_up, other.value))
    elif 0.2 < dice < 0.25:
        doubt = rng.choice(("Are you sure?", "Really?", "Is that right?", "are you sure"))
        turns.append((doubt, f"Yes. {statement(fact)}"))
    elif 0.25 < dice < 0.31:
        request = rng.choice(
            (
                "Say that in capital letters.", "In capital letters, please.",
                "Now in capital letters.", "In capitals, please.", "Write that in capitals.",
            )
        )  # fmt: skip
        turns.append((request, fact.value.upper()))
    elif 0.31 < dice < 0.35:
        request = rng.choice(
            ("In a whole sentence, please.", "As a sentence.", "A sentence, please.")
        )
        turns.append((request, statement(fact)))
    return turns


def claim_dialogue(rng: random.Random) -> list[Turn]:
    """The user claims something right or wrong; the assistant says what is right, and judges."""
    fact = draw_fact(rng)
    right = rng.random() < 0.5
    claimed = fact if right else false_claim(fact, rng)
    index = rng.randrange(len(fact.statements()))
    clause = as_clause(claimed.statements()[index], claimed)
    frames = wordings("requests.yaml")["claim"]["questions"]
    prompt = rng.choice(frames).format(that=clause, That=capitalize(clause))
    prompt = hasty(prompt, rng) if rng.random() < 0.3 else prompt
    return [(prompt, with_verdict(fact, right))]


_CLOSED_QUESTIONS = {
    "capital": ("Is {o} the capital of {s}?", "Does {s} have {o} as its capital?"),
    "language": ("Do people in {s} speak {o}?", "Is {o} spoken in {s}?"),
    "continent": ("Is {s} in {o}?", "Does {s} lie in {o}?", "Is {s} a country in {o}?"),
    "currency": ("Do people in {s} pay with the {o}?", "Does {s} have the {o}?"),
    "sound": ("Do {ss} {o}?", "Does a {s} {o}?", "Is {o} the sound of the {s}?"),
    "diet": ("Do {ss} eat {o}?", "Does a {s} eat {o}?", "Does the {s} feed on {o}?"),
    "home": ("Does a {s} live in the {o}?", "Is the {o} the home of the {s}?"),
    "color": ("Is a {s} {o}?", "Is the {s} {o}?"),
    "material": ("Is a {s} made of {o}?", "Is the {s} made from {o}?"),
    "kind": ("Is a {s} a {o}?", "Is {s} a kind of {o}?", "Is the {s} a {o}?"),
    "opposite": ("Is {o} the opposite of {s}?", "Are {s} and {o} opposites?"),
    "plural": ("Is {o} the plural of {s}?",),
    "job": ("Is {s} a {o}?", "Does {s} work as a {o}?"),
    "city": ("Does {s} live in {o}?", "Is {s} from {o}?"),
    "pet": ("Does {s} have a {o}?", "Does {s} keep a {o}?"),
}


def closed_question(rng: random.Random) -> list[Turn]:
    """A question that "yes" or "no" answers; the assistant says what is right, and judges."""
    relation = rng.choice(list(_CLOSED_QUESTIONS))
    fact = draw_fact(rng, relation)
    right = rng.random() < 0.5
    claimed = fact if right else false_claim(fact, rng)
    wording = rng.choice(_CLOSED_QUESTIONS[relation]).replace("{ss}", plural_of(fact.subject))
    text = claimed.fill(wording)
    return [(casual(with_right_article(text), rng), with_verdict(fact, right))]


def description_dialogue(rng: random.Random) -> list[Turn]:
    """Two sentences about a subject."""
    described = [group for group in by_subject().values() if len(group) > 2]
    group = rng.choice([facts for facts in described if in_split(facts[0], "train")])
    frame = rng.choice(wordings("requests.yaml")["describe"]["questions"])
    subject = description_subject(group[0])
    first, second = rng.sample(group, 2)
    prompt = capitalize(frame.format(s=subject))
    return [(casual(prompt, rng), f"{statement(first)} {statement(second)}")]
