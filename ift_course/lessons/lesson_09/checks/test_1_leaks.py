import re
from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone


def reference(train: list[str], test: list[str], n: int) -> list[int]:
    def line(text: str) -> str:
        return " " + "".join(f"{word} " for word in re.findall(r"\w+", text.lower()))

    indices = []
    for i, text in enumerate(test):
        words = line(text).split()
        size = min(n, len(words))
        runs = [
            " " + "".join(f"{w} " for w in words[k : k + size])
            for k in range(len(words) - size + 1)
        ]
        if words and any(run in line(other) for run in runs for other in train):
            indices.append(i)
    return indices


def compare(learner: Learner, train: list[str], test: list[str], n: int) -> None:
    equal(learner.leaks(train, test, n), reference(train, test, n))


def text(rng: Random, length: int) -> str:
    return " ".join(rng.choice("ab cd ef gh ij kl mn".split()) for _ in range(length))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    train = [unique(rng, 6) for _ in range(3)]
    leaked = [train[rng.randrange(3)] for _ in range(5)]
    test = [*leaked, *(unique(rng, 6) for _ in range(5))]
    rng.shuffle(test)
    compare(learner, train, test, 4)


def unique(rng: Random, length: int) -> str:
    """A text whose words occur in no other text."""
    return " ".join(f"word{rng.randrange(10**6)}" for _ in range(length))


@points(2)
def test_shared_runs(learner, rng):
    """A test text that shares n words in a row with a training text is found."""
    train = ["the capital of France is Paris", "an owl eats mice at night"]
    compare(
        learner, train, ["tell me the capital of Italy", "what eats an owl", "mice at night"], 3
    )
    for n in (2, 3):
        compare(learner, [text(rng, 9) for _ in range(3)], [text(rng, 6) for _ in range(8)], n)


@points(1, ordinary)
def test_exactly_n(learner, rng):
    """n words in a row are needed, n − 1 are too few."""
    train = ["one two three four five"]
    test = ["x two three four y", "x two three y", "three four five", "one two x four five"]
    compare(learner, train, test, 3)


@points(1, ordinary)
def test_words_only(learner, rng):
    """Case and punctuation do not count."""
    compare(learner, ["The capital, of France!"], ["The (capital) of", "The capital of; France"], 3)
    train = ["The capital, of FRANCE!"]
    compare(learner, train, ["the capital of france", "(Capital) OF; France?", "capitals of"], 3)


@points(1, ordinary)
def test_order(learner, rng):
    """The words must be in the same order, next to each other."""
    train = ["one two three four", "five six"]
    compare(learner, train, ["three two one", "one three four", "four five six x"], 3)


@points(2, ordinary)
def test_short_texts(learner, rng):
    """A test text of fewer than n words leaks if all of it occurs in a training text."""
    train = ["name the capital of France", "owl"]
    compare(learner, train, ["the capital", "capital the", "owl", "Owl!", "France", "an owl"], 5)
    compare(learner, ["one"], ["one two three"], 5)
    compare(learner, ["growl at night"], ["owl", "owl at", "at night"], 5)


@points(1, ordinary)
def test_nothing(learner, rng):
    """A text without words never leaks; without texts there are no leaks."""
    compare(learner, ["a b c", "", "?"], ["", " !? ", "a b"], 2)
    compare(learner, [], ["a b c", ""], 2)
    compare(learner, ["a b c"], [], 2)


@points(1, ordinary)
def test_single_words(learner, rng):
    """With n = 1 a shared word is enough; below 1, n is refused with a ValueError."""
    compare(learner, ["a b"], ["x", "b y", "bb"], 1)
    for n in (0, -1):
        refuses(learner.leaks, ["a b"], ["a b"], n)


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, and the lists are left unchanged."""
    train, test = ["A b c", "d"], ["B C", "x"]
    leaves_inputs_alone(learner, compare, train, test, 2)
