"""Tasks that are worked out rather than remembered: lists, sums, stories, formats.

A :class:`Skill` draws a :class:`Case` (what is given, what comes out) and knows two kinds of
wording for it: ``prose``, the sentences in which the corpus tells that it was done, and the
instructions of the tasks. The first never contains the second: the base model reads about people
who reverse lists, but is never told to reverse one.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from . import tables
from .grammar import NUMBER_WORDS, join
from .stories import review, story


@dataclass(frozen=True)
class Case:
    """One instance of a skill.

    Attributes:
        given: what the skill is applied to, e.g. ``"apple, pear, plum"``.
        result: what comes out, e.g. ``"plum, pear, apple"``.
        also: further results that are just as right.
        detail: a word the wordings need besides ``given`` (the kind asked for, say).
    """

    given: str
    result: str
    also: tuple[str, ...] = ()
    detail: str = ""


@dataclass(frozen=True)
class Skill:
    """A task that computes; ``{i}`` is what is given, ``{a}`` the result, ``{A}``/``{B}`` people.

    Attributes:
        draw: makes a case.
        prose: how the corpus tells that it was done.
        questions: instructions with ``{i}`` in them.
        inputs: instructions that leave ``{i}`` to the record's input.
        unseen: instructions that no training split ever uses.
    """

    name: str
    family: str
    draw: Callable[[random.Random], Case]
    prose: tuple[str, ...]
    questions: tuple[str, ...]
    inputs: tuple[str, ...]
    unseen: tuple[str, ...]


def _lines(text: str) -> tuple[str, ...]:
    return tuple(line.strip().replace("\\n", "\n") for line in text.strip().splitlines())


def _skill(name: str, family: str, draw: Callable[[random.Random], Case], *wordings: str) -> Skill:
    return Skill(name, family, draw, *map(_lines, wordings))


WORDS = sorted(
    {row[0] for row in tables.rows(tables.LEXICON)}
    | {member for _, members in tables.rows(tables.KINDS) for member in members.split()}
)


def _words(rng: random.Random, low: int = 3, high: int = 4) -> list[str]:
    return rng.sample(WORDS, rng.randint(low, high))


def _add(rng: random.Random) -> Case:
    a = rng.randint(1, 10)
    b = rng.randint(1, 10)
    return Case(f"{a} and {b}", str(a + b), (NUMBER_WORDS[a + b],))


def _subtract(rng: random.Random) -> Case:
    a = rng.randint(2, 20)
    b = rng.randint(1, min(a - 1, 10))
    return Case(f"{a} minus {b}", str(a - b), (NUMBER_WORDS[a - b],))


def _double(rng: random.Random) -> Case:
    a = rng.randint(1, 30)
    return Case(str(a), str(2 * a))


def _larger(rng: random.Random) -> Case:
    a, b = rng.sample(range(1, 60), 2)
    return Case(f"{a} and {b}", str(max(a, b)))


def _number_after(rng: random.Random) -> Case:
    a = rng.randint(1, 98)
    return Case(str(a), str(a + 1))


def _number_before(rng: random.Random) -> Case:
    a = rng.randint(2, 99)
    return Case(str(a), str(a - 1))


def _series(rng: random.Random) -> Case:
    step = rng.choice([1, 2, 5, 10])
    start = rng.randint(1, 20) if step < 5 else step * rng.randint(1, 5)
    numbers = [start + step * k for k in range(5)]
    return Case(", ".join(map(str, numbers[:4])), str(numbers[4]))


def _first(rng: random.Random) -> Case:
    words = _words(rng)
    return Case(", ".join(words), words[0])


def _second(rng: random.Random) -> Case:
    words = _words(rng)
    return Case(", ".join(words), words[1])


def _last(rng: random.Random) -> Case:
    words = _words(rng)
    return Case(", ".join(words), words[-1])


def _count(rng: random.Random) -> Case:
    words = _words(rng, 2, 6)
    return Case(", ".join(words), str(len(words)), (NUMBER_WORDS[len(words)],))


def _reverse(rng: random.Random) -> Case:
    words = _words(rng, 3, 3)
    back = words[::-1]
    return Case(", ".join(words), ", ".join(back), (join(back),))


def _odd_one_out(rng: random.Random) -> Case:
    kinds = [members.split() for _, members in tables.rows(tables.KINDS)]
    same, other = rng.sample(kinds, 2)
    odd = rng.choice(other)
    words = [*rng.sample(same, 3), odd]
    rng.shuffle(words)
    return Case(", ".join(words), odd)


def _join_words(rng: random.Random) -> Case:
    words = _words(rng, 3, 3)
    return Case(", ".join(words), join(words))


def _giver(rng: random.Random) -> Case:
    told = story(rng)
    return Case(told.text, told.giver, detail=told.thing.split()[-1])


def _place(rng: random.Random) -> Case:
    told = story(rng)
    return Case(told.text, told.place, (f"in the {told.place}",))


def _when(rng: random.Random) -> Case:
    told = story(rng)
    return Case(told.text, told.day, (f"on {told.day}",))


def _thing(rng: random.Random) -> Case:
    told = story(rng)
    return Case(told.text, told.thing)


def _summary(rng: random.Random) -> Case:
    told = story(rng)
    return Case(told.text, told.summary, told.summaries[1:])


def _sentiment(rng: random.Random) -> Case:
    written = review(rng)
    return Case(written.text, written.sentiment)


def _capitals(rng: random.Random) -> Case:
    word = rng.choice(WORDS)
    return Case(word, word.upper())


def _twice(rng: random.Random) -> Case:
    word = rng.choice(WORDS)
    return Case(word, f"{word} {word}")


def _quoted(rng: random.Random) -> Case:
    word = rng.choice(WORDS)
    return Case(word, f'"{word}"')


def _bullets(rng: random.Random) -> Case:
    words = _words(rng, 3, 3)
    return Case(", ".join(words), "\n".join(f"- {word}" for word in words))


SKILLS: tuple[Skill, ...] = (
    _skill(
        "add",
        "arithmetic",
        _add,
        """The sum of {i} is {a}.
        {i} make {a}.
        {A} added {i} and got {a}.
        Together, {i} are {a}.
        {A} worked out the sum of {i}. It was {a}.""",
        """What is the sum of {i}?
        Add {i}.
        How much are {i} together?
        Tell me the sum of {i}.""",
        """Add these two numbers.
        What is the sum of the following numbers?""",
        """Work out the sum of {i}.""",
    ),
    _skill(
        "subtract",
        "arithmetic",
        _subtract,
        """The difference of {i} is {a}.
        {i} is {a}.
        {A} worked out {i} and got {a}.
        {i} leaves {a}.""",
        """What is {i}?
        How much is {i}?
        Tell me how much {i} is.
        Give the result of {i}.""",
        """Work out this difference.
        What is the result of the following subtraction?""",
        """Calculate {i}.""",
    ),
    _skill(
        "double",
        "arithmetic",
        _double,
        """The double of {i} is {a}.
        Twice {i} is {a}.
        {A} doubled {i} and got {a}.
        Two times {i} makes {a}.""",
        """What is the double of {i}?
        Double the number {i}.
        How much is two times {i}?
        Tell me the double of {i}.""",
        """Double this number.
        What is the double of the following number?""",
        """How much is twice {i}?""",
    ),
    _skill(
        "larger",
        "arithmetic",
        _larger,
        """Of {i}, the larger number is {a}.
        {A} compared {i}. The larger one was {a}.
        The larger of {i} is {a}.
        Between {i}, {a} is the greater number.""",
        """Which number is larger: {i}?
        Name the larger of {i}.
        Tell me the greater number of {i}.
        Of {i}, which is the larger number?""",
        """Name the larger of these two numbers.
        Which of the following numbers is larger?""",
        """Find the greater of {i}.""",
    ),
    _skill(
        "number_after",
        "sequences",
        _number_after,
        """The number after {i} is {a}.
        After {i} comes the number {a}.
        {A} counted on from {i} and said {a}.
        {a} follows {i}.""",
        """What number comes after {i}?
        Name the number after {i}.
        Which number follows {i}?
        Tell me the next number after {i}.""",
        """Name the number that comes after this one.
        Which number follows the following number?""",
        """Give the next number after {i}.""",
    ),
    _skill(
        "number_before",
        "sequences",
        _number_before,
        """The number before {i} is {a}.
        Before {i} comes the number {a}.
        {A} counted down from {i} and said {a}.
        {a} precedes {i}.""",
        """What number comes before {i}?
        Name the number before {i}.
        Which number precedes {i}?
        Tell me the number just before {i}.""",
        """Name the number that comes before this one.
        Which number precedes the following number?""",
        """Give the number just before {i}.""",
    ),
    _skill(
        "series",
        "sequences",
        _series,
        """The series {i} goes on with {a}.
        {A} wrote the series {i}. The next number was {a}.
        In the series {i}, the next number is {a}.
        {A} counted {i} and then {a}.""",
        """How does the series {i} go on?
        What is the next number in the series {i}?
        Continue the series {i}.
        Name the next number in the series {i}.""",
        """Name the next number in this series.
        How does the following series go on?""",
        """Which number comes next in the series {i}?""",
    ),
    _skill(
        "list_first",
        "lists",
        _first,
        """The list was {i}. The first word was {a}.
        {A} wrote a list: {i}. It began with {a}.
        In the list {i}, the first word is {a}.
        The words {i} stood on the page. {A} read the first word: {a}.""",
        """What is the first word of the list {i}?
        Name the first word of this list: {i}.
        Which word comes first in {i}?
        Tell me the first word of {i}.""",
        """Name the first word of this list.
        What is the first word of the following list?""",
        """With which word does the list {i} begin?""",
    ),
    _skill(
        "list_second",
        "lists",
        _second,
        """The list was {i}. The second word was {a}.
        {A} wrote a list: {i}. In the second place stood {a}.
        In the list {i}, the second word is {a}.
        The words {i} stood on the page. {A} read the second word: {a}.""",
        """What is the second word of the list {i}?
        Name the second word of this list: {i}.
        Which word comes second in {i}?
        Tell me the second word of {i}.""",
        """Name the second word of this list.
        What is the second word of the following list?""",
        """Which word stands in the second place of {i}?""",
    ),
    _skill(
        "list_last",
        "lists",
        _last,
        """The list was {i}. The last word was {a}.
        {A} wrote a list: {i}. It ended with {a}.
        In the list {i}, the last word is {a}.
        The words {i} stood on the page. {A} read the last word: {a}.""",
        """What is the last word of the list {i}?
        Name the last word of this list: {i}.
        Which word comes last in {i}?
        Tell me the last word of {i}.""",
        """Name the last word of this list.
        What is the last word of the following list?""",
        """With which word does the list {i} end?""",
    ),
    _skill(
        "list_count",
        "lists",
        _count,
        """The list was {i}. The number of words was {a}.
        {A} wrote a list: {i}. {B} counted the words: {a}.
        In the list {i}, the number of words is {a}.
        The words {i} stood on the page. {A} counted {a} of them.""",
        """How many words are in the list {i}?
        Count the words in this list: {i}.
        Tell me the number of words in {i}.
        What is the number of words in {i}?""",
        """Count the words in this list.
        How many words are in the following list?""",
        """How long is the list {i}?""",
    ),
    _skill(
        "list_reverse",
        "lists",
        _reverse,
        """The list was {i}. In reverse order it was {a}.
        {A} wrote a list: {i}. {B} reversed it: {a}.
        The list {i} becomes {a} in reverse order.
        The words {i} stood on the page. {A} read them backwards: {a}.""",
        """Reverse the list {i}.
        What is the list {i} in reverse order?
        Write the words {i} backwards.
        Give this list in reverse order: {i}.""",
        """Reverse this list.
        Write the following list in reverse order.""",
        """Turn around the order of the words {i}.""",
    ),
    _skill(
        "list_join",
        "lists",
        _join_words,
        """The list was {i}. {A} wrote it with the word and: {a}.
        {A} read the words {i} and joined them: {a}.
        Joined with the word and, the list {i} becomes {a}.
        {A} bought three things, {i}. In the diary stood: {a}.""",
        """Join the words {i} with the word and.
        Write the list {i} with the word and.
        Put the word and before the last word of {i}.""",
        """Join this list with the word and.
        Write the following list with the word and.""",
        """Connect the words {i} with the word and.""",
    ),
    _skill(
        "odd_one_out",
        "words",
        _odd_one_out,
        """Of the words {i}, the odd one out is {a}.
        The list was {i}. One word was of another kind: {a}.
        {A} read the words {i}. The odd one out was {a}.
        In the list {i}, the word {a} does not belong with the others.""",
        """Which word is the odd one out: {i}?
        Name the odd one out of {i}.
        Which of the words {i} does not belong with the others?
        Tell me the odd one out in the list {i}.""",
        """Name the odd one out.
        Which of the following words is of another kind?""",
        """Find the word that is of another kind: {i}.""",
    ),
    _skill(
        "giver",
        "extraction",
        _giver,
        """{i} The one who had the {d} first was {a}.
        {i} It was {a} who came with the {d}.
        {i} The {d} came from {a}.""",
        """Who had the {d} first? {i}
        Read the story and say from whom the {d} came. {i}""",
        """Who had the {d} first in this story?
        From whom did the {d} come?
        Name the person who came with the {d}.""",
        """Tell me who came with the {d}. {i}""",
    ),
    _skill(
        "place",
        "extraction",
        _place,
        """{i} The place of the story is the {a}.
        {i} All this happened in the {a}.
        {i} The story takes place in the {a}.""",
        """In what place does this story happen? {i}
        Read the story and name its place. {i}""",
        """Name the place of this story.
        Where does the following story take place?
        Where did all this happen?""",
        """Tell me the place of this story. {i}""",
    ),
    _skill(
        "when",
        "extraction",
        _when,
        """{i} The day of the story is {a}.
        {i} All this happened on a {a}.
        {i} The story takes place on {a}.""",
        """On which day does this story happen? {i}
        Read the story and name its day. {i}""",
        """Name the day of this story.
        On which day does the following story take place?
        On what day did all this happen?""",
        """Tell me the day of this story. {i}""",
    ),
    _skill(
        "thing",
        "extraction",
        _thing,
        """{i} The story is about a {a}.
        {i} The thing in the story is a {a}.
        {i} {A} heard this and drew the {a}.""",
        """What thing is this story about? {i}
        Read the story and name the thing in it. {i}""",
        """Name the thing that this story is about.
        Which thing is the following story about?
        What is the thing in this story?""",
        """Tell me the thing in this story. {i}""",
    ),
    _skill(
        "summary",
        "summary",
        _summary,
        """{i} In short: {a}
        {i} The story in one sentence: {a}
        {i} That is the whole story. Its summary is this: {a}
        {i} {A} summarized the story in one sentence. {a}""",
        """Summarize this story in one sentence. {i}
        Tell this story in one sentence. {i}""",
        """Summarize this story in one sentence.
        Give a summary of the following story.
        Tell the following story in one sentence.
        What happened in this story, in short?""",
        """Say in one sentence what happened. {i}""",
    ),
    _skill(
        "sentiment",
        "sentiment",
        _sentiment,
        """{i} That was a {a} review.
        {i} The opinion in this review is {a}.
        {A} wrote: {i} {B} called the review {a}.
        {i} The sentiment of the review is {a}.""",
        """Is this review positive or negative? {i}
        Tell me if this opinion is positive or negative. {i}""",
        """Is this review positive or negative?
        Name the sentiment of the following review.
        Say if the opinion in this review is positive or negative.
        What is the sentiment of this review?""",
        """Is the opinion in this text positive or negative? {i}""",
    ),
    _skill(
        "capital_letters",
        "format",
        _capitals,
        """In capital letters, the word {i} is {a}.
        {A} wrote the word {i} in capital letters: {a}.
        The word {i} stood on the sign in capital letters: {a}.
        Written in capital letters, {i} becomes {a}.""",
        """Write the word {i} in capital letters.
        What is the word {i} in capital letters?
        Put the word {i} in capital letters.""",
        """Write this word in capital letters.
        Put the following word in capital letters.""",
        """How does {i} look in capital letters?""",
    ),
    _skill(
        "twice",
        "format",
        _twice,
        """{A} said the word {i} twice: {a}.
        Written twice, the word {i} is {a}.
        The word {i} stood twice on the page: {a}.
        {A} heard the word {i} and repeated it twice: {a}.""",
        """Write the word {i} twice.
        Say the word {i} twice.
        Repeat the word {i} two times.""",
        """Write this word twice.
        Repeat the following word two times.""",
        """Say {i} two times.""",
    ),
    _skill(
        "quotation_marks",
        "format",
        _quoted,
        """In quotation marks, the word {i} is {a}.
        {A} put the word {i} in quotation marks: {a}.
        The word {i} stood on the sign in quotation marks: {a}.
        Written in quotation marks, {i} becomes {a}.""",
        """Write the word {i} in quotation marks.
        Put the word {i} in quotation marks.
        What is the word {i} in quotation marks?""",
        """Write this word in quotation marks.
        Put the following word in quotation marks.""",
        """How does {i} look in quotation marks?""",
    ),
    _skill(
        "bullets",
        "format",
        _bullets,
        """{A} wrote the words {i} as a list.\\n{a}
        As a list with dashes, the words {i} look like this.\\n{a}
        The note had the words {i} below each other.\\n{a}""",
        """Write the words {i} as a list with dashes.
        Put the words {i} below each other, with dashes.""",
        """Write these words as a list with dashes.
        Put the following words below each other, with dashes.""",
        """Make a list with dashes of the words {i}.""",
    ),
)

SKILL_BY_NAME = {skill.name: skill for skill in SKILLS}
