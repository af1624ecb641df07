from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, refuses, unchanged
from ift_course.exercises.learner import Learner


def row(*turns: tuple[str, str]) -> dict:
    return {"conversations": [{"from": name, "value": value} for name, value in turns]}


def said(*turns: tuple[str, str]) -> list[dict[str, str]]:
    return [{"role": role, "content": content} for role, content in turns]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    question, answer = f"Question {rng.randrange(10**6)}?", f"Answer {rng.randrange(10**6)}."
    given = row(("human", question), ("gpt", answer))
    equal(learner.adapt_sharegpt(given), said(("user", question), ("assistant", answer)))


@points(2)
def test_roles(learner, rng):
    """Names become roles, and values become contents, in order."""
    a, b, c, d = (f"{word} {rng.randrange(100)}" for word in ("Hi", "Hello", "And", "Sure"))
    given = row(("system", "Be kind."), ("human", a), ("gpt", b), ("user", c), ("chatgpt", d))
    expected = said(
        ("system", "Be kind."), ("user", a), ("assistant", b), ("user", c), ("assistant", d)
    )
    equal(learner.adapt_sharegpt(given), expected)


@points(1, ordinary)
def test_white_space(learner, rng):
    """White space around a value is removed, inside it stays."""
    given = row(("human", " \n two\n\nlines "), ("gpt", "\tyes \n"))
    equal(learner.adapt_sharegpt(given), said(("user", "two\n\nlines"), ("assistant", "yes")))


@points(1, ordinary)
def test_begins_with_an_answer(learner, rng):
    """Answers that come before any question are left out."""
    given = row(("gpt", "… and so on."), ("chatgpt", "Bye."), ("human", "Hm?"), ("gpt", "Well."))
    equal(learner.adapt_sharegpt(given), said(("user", "Hm?"), ("assistant", "Well.")))
    given = row(("system", "Be kind."), ("gpt", "Hello."), ("human", "Hm?"), ("gpt", "Well."))
    expected = said(("system", "Be kind."), ("user", "Hm?"), ("assistant", "Well."))
    equal(learner.adapt_sharegpt(given), expected)


@points(1, ordinary)
def test_ends_without_an_answer(learner, rng):
    """What follows the last answer is left out."""
    given = row(("human", "One?"), ("gpt", "1"), ("human", "Two?"), ("system", "Hurry."))
    equal(learner.adapt_sharegpt(given), said(("user", "One?"), ("assistant", "1")))


@points(2, ordinary)
def test_neighbors(learner, rng):
    """Neighbors of the same role become one message, with an empty line between them."""
    given = row(
        ("human", "One "),
        ("user", "two"),
        ("human", "three"),
        ("gpt", "four"),
        ("gpt", "five"),
        ("human", "six"),
        ("gpt", "seven"),
    )
    expected = said(
        ("user", "One\n\ntwo\n\nthree"),
        ("assistant", "four\n\nfive"),
        ("user", "six"),
        ("assistant", "seven"),
    )
    equal(learner.adapt_sharegpt(given), expected)


@points(1, ordinary)
def test_nothing_left(learner, rng):
    """A row without any usable answer gives an empty list."""
    for given in (
        row(),
        row(("human", "Hm?")),
        row(("gpt", "Hello.")),
        row(("gpt", "Hello."), ("human", "Hm?")),
        row(("system", "Be kind.")),
    ):
        equal(learner.adapt_sharegpt(given), [])


@points(1, ordinary)
def test_unknown_name(learner, rng):
    """An unknown name is refused with a ValueError, wherever it stands."""
    refuses(learner.adapt_sharegpt, row(("human", "Hm?"), ("tool", "42"), ("gpt", "Well.")))
    refuses(learner.adapt_sharegpt, row(("bot", "Hello."), ("human", "Hm?"), ("gpt", "Well.")))
    refuses(learner.adapt_sharegpt, row(("human", "Hm?"), ("gpt", "Well."), ("bing", "?")))


@points(1, ordinary)
def test_row_stays(learner, rng):
    """The answer is right, and the row is left as it was."""
    given = row(("human", "One "), ("human", "two"), ("gpt", " 12 "))
    equal(learner.adapt_sharegpt(given), said(("user", "One\n\ntwo"), ("assistant", "12")))
    unchanged(learner, given)
