from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, refuses, unchanged
from ift_course.exercises.learner import Learner


def row(*turns: tuple[str, str]) -> dict:
    return {"conversations": [{"from": name, "value": value} for name, value in turns]}


def messages(*turns: tuple[str, str]) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in turns]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    question, answer = f"Question {rng.randrange(10**6)}?", f"Answer {rng.randrange(10**6)}."
    source = row(("human", question), ("gpt", answer))
    equal(learner.adapt_sharegpt(source), messages(("user", question), ("assistant", answer)))


@points(2)
def test_roles(learner, rng):
    """Names become roles, and values become contents, in order."""
    a, b, c, d = (f"{word} {rng.randrange(100)}" for word in ("Hi", "Hello", "And", "Sure"))
    source = row(("system", "Be kind."), ("human", a), ("gpt", b), ("user", c), ("chatgpt", d))
    expected = messages(
        ("system", "Be kind."), ("user", a), ("assistant", b), ("user", c), ("assistant", d)
    )
    equal(learner.adapt_sharegpt(source), expected)


@points(1, ordinary)
def test_white_space(learner, rng):
    """Whitespace around a value is removed; inside a value it stays."""
    source = row(("human", " \n two\n\nlines "), ("gpt", "\tyes \n"))
    equal(learner.adapt_sharegpt(source), messages(("user", "two\n\nlines"), ("assistant", "yes")))


@points(1, ordinary)
def test_begins_with_an_answer(learner, rng):
    """Answers before the first question are left out."""
    source = row(("gpt", "… and so on."), ("chatgpt", "Bye."), ("human", "Hm?"), ("gpt", "Well."))
    equal(learner.adapt_sharegpt(source), messages(("user", "Hm?"), ("assistant", "Well.")))
    source = row(("system", "Be kind."), ("gpt", "Hello."), ("human", "Hm?"), ("gpt", "Well."))
    expected = messages(("system", "Be kind."), ("user", "Hm?"), ("assistant", "Well."))
    equal(learner.adapt_sharegpt(source), expected)


@points(1, ordinary)
def test_ends_without_an_answer(learner, rng):
    """Everything after the last answer is left out."""
    source = row(("human", "One?"), ("gpt", "1"), ("human", "Two?"), ("system", "Hurry."))
    equal(learner.adapt_sharegpt(source), messages(("user", "One?"), ("assistant", "1")))


@points(2, ordinary)
def test_neighbors(learner, rng):
    """Neighbors of the same role become one message, with an empty line between them."""
    source = row(
        ("human", "One "),
        ("user", "two"),
        ("human", "three"),
        ("gpt", "four"),
        ("gpt", "five"),
        ("human", "six"),
        ("gpt", "seven"),
    )
    expected = messages(
        ("user", "One\n\ntwo\n\nthree"),
        ("assistant", "four\n\nfive"),
        ("user", "six"),
        ("assistant", "seven"),
    )
    equal(learner.adapt_sharegpt(source), expected)


@points(1, ordinary)
def test_nothing_left(learner, rng):
    """A row without any usable answer gives an empty list."""
    for source in (
        row(),
        row(("human", "Hm?")),
        row(("gpt", "Hello.")),
        row(("gpt", "Hello."), ("human", "Hm?")),
        row(("system", "Be kind.")),
    ):
        equal(learner.adapt_sharegpt(source), [])


@points(1, ordinary)
def test_unknown_name(learner, rng):
    """An unknown name is refused with a ValueError, wherever it occurs."""
    refuses(learner.adapt_sharegpt, row(("human", "Hm?"), ("tool", "42"), ("gpt", "Well.")))
    refuses(learner.adapt_sharegpt, row(("bot", "Hello."), ("human", "Hm?"), ("gpt", "Well.")))
    refuses(learner.adapt_sharegpt, row(("human", "Hm?"), ("gpt", "Well."), ("bing", "?")))


@points(1, ordinary)
def test_row_stays(learner, rng):
    """The answer is right, and the row is left unchanged."""
    source = row(("human", "One "), ("human", "two"), ("gpt", " 12 "))
    equal(learner.adapt_sharegpt(source), messages(("user", "One\n\ntwo"), ("assistant", "12")))
    unchanged(learner, source)
