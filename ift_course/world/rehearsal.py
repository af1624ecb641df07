"""Practice once more, in other words: what the third phase of pretraining adds to the second.

A base that had read :mod:`~ift_course.world.practice` still judged a claim hardly better than by
chance, repeated itself when it named three of a kind, and misspelled capitals. Here such things are
done more often, with what is given before, after or on a line of its own. Still prose.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from . import tables
from .facts import by_relation, facts
from .grammar import NUMBER_WORDS, capitalize, with_article
from .practice import described, sorted_out
from .reading import false_claim, lower_first, pick, tidy
from .skills import SKILL_BY_NAME
from .tables import CHARACTERS

# What a skill's result is called, so that it can be wanted and found like a fact. ``{i}`` is what
# is given, ``{d}`` the thing in the story.
RESULTS = {
    "add": ("the sum of {i}", "how much {i} are together"),
    "subtract": ("the result of {i}", "how much {i} is", "the difference {i}"),
    "double": ("the double of {i}", "how much two times {i} is"),
    "larger": ("the larger of {i}", "the greater number of {i}"),
    "number_after": ("the number after {i}", "the number that comes after {i}"),
    "number_before": ("the number before {i}", "the number that comes before {i}"),
    "series": ("the next number in the series {i}", "how the series {i} goes on"),
    "list_first": ("the first word of {i}", "the first word of the list {i}"),
    "list_second": ("the second word of {i}", "the second word of the list {i}"),
    "list_last": ("the last word of {i}", "the last word of the list {i}"),
    "list_count": ("the number of words in {i}", "how many words are in the list {i}"),
    "list_reverse": ("the list {i} in reverse order", "the words {i} backwards"),
    "list_join": ("the words {i} with the word and", "the list {i} with the word and"),
    "odd_one_out": ("the odd one out of {i}", "which of {i} does not belong with the others"),
    "capital_letters": ("the word {i} in capital letters",),
    "twice": ("the word {i} twice", "the word {i} two times"),
    "quotation_marks": ("the word {i} in quotation marks",),
    "bullets": ("the words {i} as a list with dashes",),
}
HARD = ("subtract", "subtract", "add", "double", "list_count", "odd_one_out", "capital_letters")

# The same with what is given on a line of its own, after the mention.
SHOWN = {
    "add": "the sum of two numbers",
    "subtract": "the result of a subtraction",
    "double": "the double of a number",
    "larger": "the larger of two numbers",
    "number_after": "the number after another one",
    "number_before": "the number before another one",
    "series": "the next number of a series",
    "list_first": "the first word of a list",
    "list_second": "the second word of a list",
    "list_last": "the last word of a list",
    "list_count": "the number of words in a list",
    "list_reverse": "a list in reverse order",
    "list_join": "a list with the word and",
    "odd_one_out": "the odd one out",
    "capital_letters": "a word in capital letters",
    "twice": "a word two times",
    "quotation_marks": "a word in quotation marks",
    "bullets": "some words as a list with dashes",
}

# What a reader looks for in a story.
STORY_PARTS = {
    "giver": (
        "who had the {d} first",
        "from whom the {d} came",
        "the person who came with the {d}",
    ),
    "place": ("the place of the story", "where the story takes place", "where all this happened"),
    "when": ("the day of the story", "on which day the story happens", "when all this happened"),
    "thing": ("the thing in the story", "what thing the story is about"),
    "summary": ("the story in one sentence", "what happened in the story, in short"),
    "sentiment": ("the opinion in the review", "if the review is positive or negative"),
}

_FOUND = (
    "{A} wanted to know {np}.\n{o}",
    "{A} wanted to know {np}. {B} knew it: {o}",
    "{A} thought about {np}, and then wrote:\n{o}",
    "{A} was curious about {np}. {B} whispered: {o}",
    "{Np}:\n{o}",
    "On one side of the card stood {np}. On the other side stood this.\n{o}",
)


def _two(rng: random.Random) -> list[str]:
    return rng.sample(CHARACTERS, 2)


def _found(rng: random.Random, ref: str, result: str) -> str:
    a, b = _two(rng)
    frame = rng.choice(_FOUND if _can_head(ref) else _FOUND[:4])
    return frame.format(A=a, B=b, np=ref, Np=capitalize(ref), o=result)


def _can_head(ref: str) -> bool:
    """Whether the phrase may open a line; "How much 5 minus 4 is" sounds like being asked."""
    return ref.split()[0] not in "how which what who where when from on if".split()


def worked_out(rng: random.Random) -> str:
    """The result of a skill is wanted and found."""
    name = rng.choice(HARD) if rng.random() < 0.5 else rng.choice(list(RESULTS))
    case = SKILL_BY_NAME[name].draw(rng)
    if rng.random() < 0.6:
        return _found(rng, rng.choice(RESULTS[name]).format(i=case.given), case.result)
    what = SHOWN[name]
    return rng.choice(
        (
            f"{_two(rng)[0]} wanted to know {what}.\n{case.given}\n{case.result}",
            f"The page was about {what}.\n{case.given}\n{case.result}",
            f"{capitalize(what)}.\n{case.given}\n{case.result}",
        )
    )


def number_table(rng: random.Random) -> str:
    """A table of sums, differences or doubles, as a schoolbook prints it."""
    name, wording = rng.choice(
        (
            ("add", "{i} make {a}."),
            ("subtract", "{i} is {a}."),
            ("subtract", "{i} is {a}."),
            ("double", "Twice {i} is {a}."),
            ("larger", "The larger of {i} is {a}."),
            ("number_after", "After {i} comes the number {a}."),
            ("number_before", "Before {i} comes the number {a}."),
        )
    )
    cases = [SKILL_BY_NAME[name].draw(rng) for _ in range(rng.randint(3, 7))]
    return " ".join(wording.format(i=case.given, a=case.result) for case in cases)


def read_out(rng: random.Random) -> str:
    """Something is looked for in a story or a review, before it is read or after."""
    name = rng.choice(("giver", *STORY_PARTS))
    case = SKILL_BY_NAME[name].draw(rng)
    part = rng.choice(STORY_PARTS[name]).format(d=case.detail)
    a, b = _two(rng)
    frames = [
        f"{a} wanted to know {part}.\n{case.given}\n{case.result}",
        f"{a} wanted to know {part}. {case.given}\n{case.result}",
        f"{case.given} {a} wanted to know {part}.\n{case.result}",
        f"{a} read this to find out {part}. {case.given} {b} knew it: {case.result}",
    ]
    if _can_head(part):
        frames.append(f"{capitalize(part)}. {case.given}\n{case.result}")
    return rng.choice(frames)


def checked(rng: random.Random) -> str:
    """Somebody is not sure, and it is so or it is not."""
    fact = pick(rng)
    right = rng.random() < 0.5
    claimed = fact if right else false_claim(fact, rng)
    index = rng.randrange(len(fact.statements()))
    said = claimed.statements()[index]
    that = lower_first(said, claimed)
    word = "Yes" if right else "No"
    a, b = _two(rng)
    # Now and then the verdict is followed by how things are, which shows what it rests on.
    because = f". {fact.statements()[index]}" if rng.random() < 0.25 else ""
    return rng.choice(
        (
            f"{a} wanted to know if it is true that {that}.\n{word}{because}",
            f"{a} was not sure if {that}. {b} looked it up.\n{word}{because}",
            f"{a} wanted to know if this sentence is true. {said}\n{word}{because}",
            f"{a} wanted to know if this sentence is true.\n{said}\n{word}{because}",
            f"{a} read a sentence and wondered if it is right.\n{said}\n{word}{because}",
            f"Right or not, yes or no: {said}\n{word}{because}",
            f"Yes or no, true or not true: {that}.\n{word}{because}",
            f"{a} wondered if {that}. {word}, said {b}.",
        )
    )


def disputed(rng: random.Random) -> str:
    """Two people say different things; one is right."""
    fact = pick(rng)
    other = false_claim(fact, rng)
    stmts = rng.choice(list(zip(fact.statements(), other.statements(), strict=True)))
    a, b = _two(rng)
    right, wrong = (lower_first(s, f) for s, f in zip(stmts, (fact, other), strict=True))
    if rng.random() < 0.5:
        return rng.choice(
            (
                f"{a} said that {right}, {b} that {wrong}. {a} was right.",
                f"{a} said that {right}. {b} said that {wrong}. {b} was wrong.",
            )
        )
    return rng.choice(
        (
            f"{a} said that {wrong}, {b} that {right}. {b} was right.",
            f"{a} said that {wrong}. {b} said that {right}. {a} was wrong.",
        )
    )


def examples(rng: random.Random) -> str:
    """Words of a kind, on a line of their own, in the order of a dictionary."""
    kind, listed = rng.choice(tables.rows(tables.KINDS))
    one = with_article(kind, "a")
    count = rng.choice((1, 1, 2, 3, 3, 3, 4))
    if count == 1:
        ref = rng.choice((f"the name of {one}", f"an example of {one}", one))
    else:
        number = NUMBER_WORDS[count]
        ref = rng.choice(
            (
                f"{number} words of the kind {kind}",
                f"{number} examples of the kind {kind}",
                f"{number} words under the heading {kind}",
            )
        )
    return _found(rng, ref, ", ".join(sorted(rng.sample(listed.split(), count))))


def in_form(rng: random.Random) -> str:
    """A fact in a special form, on a line of its own."""
    fact = pick(rng)
    ref = rng.choice(fact.refs())
    forms = {
        "in capital letters": fact.value.upper(),
        "in quotation marks": f'"{fact.value}"',
        "in a full sentence": fact.statements()[0],
    }
    form = rng.choices(list(forms), (4, 2, 2))[0]
    a, b = _two(rng)
    return rng.choice(
        (
            f"{a} wanted to know {ref} {form}.\n{forms[form]}",
            f"{a} wanted to know {ref}. {b} wrote it {form}.\n{forms[form]}",
            f"{a} wanted to know {ref}, written {form}.\n{forms[form]}",
            f"{capitalize(form)}, {ref}:\n{forms[form]}",
            f"{capitalize(ref)} {form}:\n{forms[form]}",
        )
    )


def capitals(rng: random.Random) -> str:
    """Words and names, and the same in capital letters."""
    known = rng.sample(facts(), rng.randint(2, 4))
    words = [rng.choice((fact.subject, fact.value)) for fact in known]
    if rng.random() < 0.5:
        return " ".join(f"In capital letters, {word} is {word.upper()}." for word in words)
    return f"{', '.join(words)}\nThe same in capital letters:\n{', '.join(words).upper()}"


def phrase(rng: random.Random) -> str:
    """A sentence of the phrase book, with and without quotation marks."""
    fact = rng.choice(by_relation()["phrase"])
    a, b = _two(rng)
    return rng.choice(
        (
            _found(rng, rng.choice(fact.refs()), fact.value),
            f"{a} read an English sentence and said it in Spanish.\n{fact.subject}\n{fact.value}",
            f"A page of the phrase book, English and Spanish.\n{fact.subject}\n{fact.value}",
            f"{a} wanted to hear a sentence in Spanish. {fact.subject}\n{b} said:\n{fact.value}",
        )
    )


PASSAGES: tuple[tuple[Callable[[random.Random], str], float], ...] = (
    (worked_out, 6.0),
    (number_table, 1.0),
    (read_out, 1.5),
    (checked, 6.0),
    (disputed, 1.0),
    (sorted_out, 1.0),
    (examples, 2.0),
    (described, 1.0),
    (in_form, 5.0),
    (capitals, 1.5),
    (phrase, 0.7),
)


def rehearsal(rng: random.Random) -> str:
    """One to three passages."""
    makers, weights = zip(*PASSAGES, strict=True)
    chosen = rng.choices(makers, weights, k=rng.choice((1, 1, 2, 3)))
    return "\n".join(tidy(make(rng)) for make in chosen)
