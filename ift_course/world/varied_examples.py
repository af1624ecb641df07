"""Varied worked examples: what the third phase of pretraining adds to the second.

A base model that had read the worked examples still judged claims hardly better than chance,
repeated itself when it named three members of a category, and misspelled words in capital letters.
Here the same things happen more often and in other words, and the input comes before the request,
after it, or on its own line. The passages are still prose without instructions.
"""

from __future__ import annotations

import random

from ift_course.world import tables
from ift_course.world.collections import listing
from ift_course.world.facts import as_clause, by_relation, facts, false_claim, random_fact
from ift_course.world.grammar import NUMBER_WORDS, capitalize, with_article
from ift_course.world.lookup_series import carried_series, indirect_lookup, lookup_series
from ift_course.world.passages import WeightedPassage, draw_passages, two_characters
from ift_course.world.skill_phrases import RESULTS
from ift_course.world.skills import SKILL_BY_NAME
from ift_course.world.strangers import strangers
from ift_course.world.worked_examples import description, odd_one_out

# Skills that are drawn more often; the one that is here twice, twice as often.
HARD = ("subtract", "subtract", "add", "double", "list_count", "odd_one_out", "capital_letters")

# The same without the input, which follows on its own line.
TITLES = {
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

# What somebody looks for in a story or a review; `{d}` is the thing in the story.
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

_LOOKUPS = (
    "{A} wanted to know {np}.\n{o}",
    "{A} wanted to know {np}. {B} knew it: {o}",
    "{A} thought about {np}, and then wrote:\n{o}",
    "{A} was curious about {np}. {B} whispered: {o}",
    "{Np}:\n{o}",
    "On one side of the card stood {np}. On the other side stood this.\n{o}",
)


def _lookup(rng: random.Random, ref: str, result: str) -> str:
    a, b = two_characters(rng)
    frame = rng.choice(_LOOKUPS if _can_open_line(ref) else _LOOKUPS[:4])
    return frame.format(A=a, B=b, np=ref, Np=capitalize(ref), o=result)


def _can_open_line(ref: str) -> bool:
    """Whether a line may start with the phrase; "How much 5 minus 4 is" reads like a question."""
    return ref.split()[0] not in "how which what who where when from on if".split()


def skill_result(rng: random.Random) -> str:
    """Somebody wants the result of a skill and gets it."""
    name = rng.choice(HARD) if rng.random() < 0.5 else rng.choice(list(RESULTS))
    case = SKILL_BY_NAME[name].draw(rng)
    if rng.random() < 0.6:
        return _lookup(rng, rng.choice(RESULTS[name]).format(i=case.input), case.result)
    what = TITLES[name]
    return rng.choice(
        (
            f"{two_characters(rng)[0]} wanted to know {what}.\n{case.input}\n{case.result}",
            f"The page was about {what}.\n{case.input}\n{case.result}",
            f"{capitalize(what)}.\n{case.input}\n{case.result}",
        )
    )


def number_table(rng: random.Random) -> str:
    """A table of sums, differences or doubles, as in a schoolbook."""
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
    return " ".join(wording.format(i=case.input, a=case.result) for case in cases)


def story_lookup(rng: random.Random) -> str:
    """Somebody looks for something in a story or a review, before or after reading it."""
    name = rng.choice(("giver", *STORY_PARTS))
    case = SKILL_BY_NAME[name].draw(rng)
    part = rng.choice(STORY_PARTS[name]).format(d=case.detail)
    a, b = two_characters(rng)
    frames = [
        f"{a} wanted to know {part}.\n{case.input}\n{case.result}",
        f"{a} wanted to know {part}. {case.input}\n{case.result}",
        f"{case.input} {a} wanted to know {part}.\n{case.result}",
        f"{a} read this to find out {part}. {case.input} {b} knew it: {case.result}",
    ]
    if _can_open_line(part):
        frames.append(f"{capitalize(part)}. {case.input}\n{case.result}")
    return rng.choice(frames)


def verdict(rng: random.Random) -> str:
    """Somebody wants to know whether a claim is true; the answer is yes or no."""
    fact = random_fact(rng)
    right = rng.random() < 0.5
    claimed = fact if right else false_claim(fact, rng)
    index = rng.randrange(len(fact.statements()))
    sentence = claimed.statements()[index]
    clause = as_clause(sentence, claimed)
    word = "Yes" if right else "No"
    a, b = two_characters(rng)
    # Sometimes the true statement follows the verdict and shows the reason for it.
    reason = f". {fact.statements()[index]}" if rng.random() < 0.25 else ""
    return rng.choice(
        (
            f"{a} wanted to know if it is true that {clause}.\n{word}{reason}",
            f"{a} was not sure if {clause}. {b} looked it up.\n{word}{reason}",
            f"{a} wanted to know if this sentence is true. {sentence}\n{word}{reason}",
            f"{a} wanted to know if this sentence is true.\n{sentence}\n{word}{reason}",
            f"{a} read a sentence and wondered if it is right.\n{sentence}\n{word}{reason}",
            f"Right or not, yes or no: {sentence}\n{word}{reason}",
            f"Yes or no, true or not true: {clause}.\n{word}{reason}",
            f"{a} wondered if {clause}. {word}, said {b}.",
        )
    )


def disagreement(rng: random.Random) -> str:
    """Two people claim different things, and one of them is right."""
    fact = random_fact(rng)
    other = false_claim(fact, rng)
    pairs = list(zip(fact.statements(), other.statements(), strict=True))
    true_sentence, false_sentence = rng.choice(pairs)
    a, b = two_characters(rng)
    right, wrong = as_clause(true_sentence, fact), as_clause(false_sentence, other)
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


def category_examples(rng: random.Random) -> str:
    """One to four members of a category in alphabetical order."""
    kind, members = rng.choice(list(tables.CATEGORIES.items()))
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
    return _lookup(rng, ref, ", ".join(sorted(rng.sample(members, count))))


def formatted_fact(rng: random.Random) -> str:
    """A fact in a special format, on its own line."""
    fact = random_fact(rng)
    ref = rng.choice(fact.refs())
    forms = {
        "in capital letters": fact.value.upper(),
        "in quotation marks": f'"{fact.value}"',
        "in a full sentence": fact.statements()[0],
    }
    form = rng.choices(list(forms), (4, 2, 2))[0]
    a, b = two_characters(rng)
    return rng.choice(
        (
            f"{a} wanted to know {ref} {form}.\n{forms[form]}",
            f"{a} wanted to know {ref}. {b} wrote it {form}.\n{forms[form]}",
            f"{a} wanted to know {ref}, written {form}.\n{forms[form]}",
            f"{capitalize(form)}, {ref}:\n{forms[form]}",
            f"{capitalize(ref)} {form}:\n{forms[form]}",
        )
    )


def capital_letters(rng: random.Random) -> str:
    """Words and names, and the same words in capital letters."""
    chosen = rng.sample(facts(), rng.randint(2, 4))
    words = [rng.choice((fact.subject, fact.value)) for fact in chosen]
    if rng.random() < 0.5:
        return " ".join(f"In capital letters, {word} is {word.upper()}." for word in words)
    if rng.random() < 0.5:
        return " ".join(f"In small letters, {word.upper()} is {word.lower()}." for word in words)
    return f"{', '.join(words)}\nThe same in capital letters:\n{', '.join(words).upper()}"


def translated_phrase(rng: random.Random) -> str:
    """A sentence from the phrase book and its translation."""
    fact = rng.choice(by_relation()["phrase"])
    a, b = two_characters(rng)
    return rng.choice(
        (
            _lookup(rng, rng.choice(fact.refs()), fact.value),
            f"{a} read an English sentence and said it in Spanish.\n{fact.subject}\n{fact.value}",
            f"A page of the phrase book, English and Spanish.\n{fact.subject}\n{fact.value}",
            f"{a} wanted to hear a sentence in Spanish. {fact.subject}\n{b} said:\n{fact.value}",
        )
    )


PASSAGES: tuple[WeightedPassage, ...] = (
    (skill_result, 6.0),
    (number_table, 1.0),
    (story_lookup, 1.5),
    (verdict, 6.0),
    (disagreement, 1.0),
    (odd_one_out, 1.0),
    (category_examples, 2.0),
    (description, 1.0),
    (formatted_fact, 5.0),
    (capital_letters, 1.5),
    (translated_phrase, 0.7),
    (indirect_lookup, 5.0),
    (lookup_series, 6.0),
    (carried_series, 8.0),
    (listing, 1.0),
    (strangers, 5.0),
)


def varied_examples(rng: random.Random) -> str:
    """Draw one to three varied worked examples."""
    return draw_passages(PASSAGES, rng)
