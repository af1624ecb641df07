import re
from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone


def words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def contains(text: str, part: str) -> bool:
    all_words, run = words(text), words(part)
    starts = range(len(all_words) - len(run) + 1)
    return any(all_words[i : i + len(run)] == run for i in starts)


def reference(text: str, answers: list[str], forbidden: list[str], max_words: int) -> bool:
    if len(text.split()) > max_words or any(contains(text, part) for part in forbidden):
        return False
    return any(contains(text, answer) for answer in answers)


def compare(
    learner: Learner, text: str, answers: list[str], forbidden: list[str], max_words: int
) -> None:
    got = learner.accepts(text, answers, forbidden, max_words)
    equal(got, reference(text, answers, forbidden, max_words))


def name(rng: Random) -> str:
    return "".join(rng.choice("abcdefghijklmnoprstuvw") for _ in range(8))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    for _ in range(6):
        text = [name(rng) for _ in range(5)]
        has_answer, is_forbidden = rng.random() < 0.7, rng.random() < 0.3
        answer = text[rng.randrange(5)] if has_answer else name(rng)
        other = text[rng.randrange(5)] if is_forbidden else name(rng)
        compare(learner, " ".join(text), [name(rng), answer], [other], 9)


@points(2, ordinary)
def test_answers(learner, rng):
    """One of the answers is enough, and none is too few."""
    compare(learner, "It is Paris", ["Lyon", "Paris"], [], 9)
    compare(learner, "It is Paris", ["Paris", "Lyon"], [], 9)
    compare(learner, "It is Rome", ["Lyon", "Paris"], [], 9)
    compare(learner, "", ["Paris"], [], 9)


@points(1, ordinary)
def test_forbidden(learner, rng):
    """Any of the forbidden texts makes the answer wrong."""
    compare(learner, "Paris, not Lyon", ["Paris"], ["Lyon"], 9)
    compare(learner, "Paris, not Lyon", ["Paris"], ["Rome", "Lyon"], 9)
    compare(learner, "Paris, not Lyon", ["Paris"], ["Lyon", "Rome"], 9)
    compare(learner, "Paris, not Lyon", ["Paris"], ["Rome", "Bonn"], 9)


@points(2, ordinary)
def test_whole_words(learner, rng):
    """Only whole words count, for the answers and for the forbidden texts."""
    for text in ("They growl", "Owls", "growls", "An owl!", "owl"):
        compare(learner, text, ["owl"], [], 9)
        compare(learner, f"bird: {text}", ["bird"], ["owl"], 9)


@points(1, ordinary)
def test_case_and_punctuation(learner, rng):
    """Case and punctuation make no difference."""
    compare(learner, "PARIS, of course!", ["paris"], [], 9)
    compare(learner, "(paris)", ["Paris."], ["LYON"], 9)
    compare(learner, "paris/lyon", ["Paris"], ["LYON"], 9)


@points(1, ordinary)
def test_several_words(learner, rng):
    """The words of an answer stand in a row, and in the same order."""
    for text in ("In New York.", "york new", "new old york", "newyork", "a new, York"):
        compare(learner, text, ["New York"], [], 9)
        compare(learner, f"city {text}", ["city"], ["New York"], 9)
    compare(learner, "It is to day", ["today"], [], 9)


@points(1, ordinary)
def test_length(learner, rng):
    """As many words as allowed are fine, one more is not; words are separated by white space."""
    for limit in (2, 3, 4):
        compare(learner, "Paris it is", ["Paris"], [], limit)
        compare(learner, "well-known  Paris,\nthen", ["Paris"], [], limit)


@points(1, ordinary)
def test_refusals(learner, rng):
    """Without answers there is nothing to verify: a ValueError."""
    refuses(learner.accepts, "Paris", [], ["Lyon"], 9)


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, and the lists are left unchanged."""
    leaves_inputs_alone(learner, compare, "Paris or Lyon", ["Paris", "Rome"], ["Bonn"], 5)
