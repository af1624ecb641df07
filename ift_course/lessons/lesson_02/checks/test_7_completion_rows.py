from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, refuses, unchanged
from ift_course.exercises.learner import Learner


def chat(*turns: str) -> list[dict[str, str]]:
    """Messages from strings such as "U:Hi": the letter before the colon is the role."""
    names = {"S": "system", "U": "user", "A": "assistant", "H": "human", "T": "tool"}
    return [{"role": names[turn[0]], "content": turn[2:]} for turn in turns]


def row(prompt: list[dict[str, str]], answer: str) -> dict[str, list[dict[str, str]]]:
    return {"prompt": prompt, "completion": [{"role": "assistant", "content": answer}]}


def words(rng: Random) -> tuple[str, str, str, str]:
    a, b, c, d = (str(rng.randrange(10**6)) for _ in range(4))
    return f"Question {a}?", f"Answer {b}.", f"And {c}?", f"Then {d}."


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    question, answer, *_ = words(rng)
    messages = chat(f"U:{question}", f"A:{answer}")
    equal(learner.completion_rows(messages), [row(messages[:1], answer)])


@points(2)
def test_every_answer_gets_a_row(learner, rng):
    """Each answer gets a row of its own, with all messages before it as the prompt."""
    a, b, c, d = words(rng)
    messages = chat(f"U:{a}", f"A:{b}", f"U:{c}", f"A:{d}", "U:More?", "A:No.")
    expected = [row(messages[:1], b), row(messages[:3], d), row(messages[:5], "No.")]
    equal(learner.completion_rows(messages), expected)


@points(1, ordinary)
def test_system_turn(learner, rng):
    """A system turn stands at the beginning of every prompt."""
    a, b, c, d = words(rng)
    messages = chat("S:Be kind.", f"U:{a}", f"A:{b}", f"U:{c}", f"A:{d}")
    equal(learner.completion_rows(messages), [row(messages[:2], b), row(messages[:4], d)])


@points(1, ordinary)
def test_unanswered_question(learner, rng):
    """What follows the last answer is in no row."""
    a, b, c, _ = words(rng)
    messages = chat(f"U:{a}", f"A:{b}", f"U:{c}")
    equal(learner.completion_rows(messages), [row(messages[:1], b)])
    equal(learner.completion_rows(chat(f"U:{a}")), [])
    equal(learner.completion_rows([]), [])


@points(1, ordinary)
def test_answer_without_a_question(learner, rng):
    """An answer before the first question gets no row, and stays in later prompts."""
    a, b, *_ = words(rng)
    messages = chat("S:Be kind.", "A:Hello! How can I help?", f"U:{a}", f"A:{b}")
    equal(learner.completion_rows(messages), [row(messages[:3], b)])


@points(1, ordinary)
def test_empty_answer(learner, rng):
    """An answer of nothing but whitespace gets no row, and stays in later prompts."""
    a, b, c, _ = words(rng)
    messages = chat(f"U:{a}", "A: \n", f"U:{c}", f"A:{b}")
    equal(learner.completion_rows(messages), [row(messages[:3], b)])
    padded = chat(f"U:{a}", f"A: {b}\n")
    equal(learner.completion_rows(padded), [row(padded[:1], f" {b}\n")])


@points(1, ordinary)
def test_unknown_role(learner, rng):
    """Any role but the three known ones is refused, wherever it stands."""
    a, b, *_ = words(rng)
    refuses(learner.completion_rows, chat(f"H:{a}", f"A:{b}"))
    refuses(learner.completion_rows, chat(f"U:{a}", f"A:{b}", "T:3"))


@points(1, ordinary)
def test_messages_stay(learner, rng):
    """The rows are right, and the given messages are left unchanged."""
    a, b, c, d = words(rng)
    messages = chat(f"U:{a}", f"A:{b}", f"U:{c}", f"A:{d}")
    equal(learner.completion_rows(messages), [row(messages[:1], b), row(messages[:3], d)])
    unchanged(learner, messages)
