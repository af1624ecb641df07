import re
from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone


def line(text: str) -> str:
    return " " + "".join(f"{word} " for word in re.findall(r"\w+", text.lower()))


def reference(generated: list[str], exam: list[str], n: int, share: float) -> list[int]:
    indices = []
    for i, text in enumerate(generated):
        for question in exam:
            words = line(question).split()
            size = min(n, len(words))
            runs = {
                " " + "".join(f"{w} " for w in words[k : k + size])
                for k in range(len(words) - size + 1)
                if words
            }
            if runs and sum(run in line(text) for run in runs) >= share * len(runs):
                indices.append(i)
                break
    return indices


def compare(learner: Learner, generated: list[str], exam: list[str], n: int, share: float) -> None:
    equal(learner.contaminated(generated, exam, n, share), reference(generated, exam, n, share))


def text(rng: Random, length: int) -> str:
    return " ".join(rng.choice("ab cd ef".split()) for _ in range(length))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    """Whole exam questions, among texts that share no word with the exam."""
    exam = [unique(rng) for _ in range(5)]
    generated = [*exam, *(unique(rng) for _ in range(5))]
    rng.shuffle(generated)
    compare(learner, generated, exam, 2, 1.0)


def unique(rng: Random) -> str:
    return " ".join(f"word{rng.randrange(10**6)}" for _ in range(5))


@points(2, ordinary)
def test_the_share(learner, rng):
    """A text counts from exactly the share on, not below it."""
    exam = ["a b c d e"]  # four pairs of words
    generated = ["a b c d e", "a b c d x", "a b c x d", "a b x y z", "b c x d e"]
    for share in (0.25, 0.5, 0.75, 1.0):
        compare(learner, generated, exam, 2, share)
    for share in (0.5, 0.75):
        compare(learner, [text(rng, 7) for _ in range(6)], [text(rng, 5)], 2, share)


@points(2, ordinary)
def test_of_the_question(learner, rng):
    """The share is that of the question's runs, however long the generated text is."""
    long = "well then please tell me now and quickly if you can a b c d e or else never mind it"
    compare(learner, [long, "a b"], ["a b c d e"], 2, 0.75)
    compare(learner, ["a b c", "a b c d e f g h i j"], ["a b c d e f"], 3, 0.5)


@points(1, ordinary)
def test_one_question(learner, rng):
    """The runs must belong to one question; halves of two questions do not add up."""
    compare(learner, ["a b x c d"], ["a b y z", "w v c d"], 2, 0.5)
    compare(learner, ["a b c w x y"], ["a b c d e", "v w x y z"], 2, 0.75)
    compare(learner, ["a b c d"], ["a b c", "a b d"], 2, 0.5)
    compare(learner, ["q r s", "w x y z"], ["a b c", "w x y z"], 2, 1.0)


@points(1, ordinary)
def test_words_in_a_row(learner, rng):
    """Runs are words in a row, in their order."""
    compare(learner, ["c b a", "a x b x c", "x a b c"], ["a b c"], 2, 0.5)


@points(1, ordinary)
def test_words_only(learner, rng):
    """Case and punctuation do not count, and only whole words do."""
    exam = ["What is the CAPITAL, of France?"]
    same = ["What is the CAPITAL of France", "what is the capital, of france?", "WHAT (is) the"]
    compare(learner, same, exam, 3, 1.0)
    compare(learner, ["what is the capitals of france"], exam, 3, 1.0)
    compare(learner, ["growl at night", "an owl at night"], ["owl at"], 2, 1.0)


@points(1, ordinary)
def test_runs_as_a_set(learner, rng):
    """A run that occurs twice in the question counts once."""
    compare(learner, ["a b", "b a b", "b c"], ["a b a b c"], 2, 0.5)


@points(1, ordinary)
def test_short_questions(learner, rng):
    """A question of fewer than n words is found if all its words occur in a row."""
    compare(learner, ["name the owl now", "the name owl", "owl"], ["name the owl"], 5, 0.5)
    compare(learner, ["my owl sings", "growl"], ["owl"], 3, 1.0)
    compare(learner, ["a b"], ["a b c"], 3, 0.5)


@points(1, ordinary)
def test_nothing(learner, rng):
    """A question without words finds nothing; without texts or questions nothing is found."""
    compare(learner, ["a b", "", "?"], ["", " ?! "], 2, 0.5)
    compare(learner, ["", "?!"], ["a b"], 2, 0.5)
    compare(learner, [], ["a b"], 2, 0.5)
    compare(learner, ["a b"], [], 2, 0.5)


@points(1, ordinary)
def test_limits(learner, rng):
    """n = 1 counts single words; n below 1 and a share outside (0, 1] raise a ValueError."""
    compare(learner, ["c x a", "x a y", "z"], ["a b c"], 1, 0.5)
    for n, share in ((0, 0.5), (-1, 0.5), (2, 0.0), (2, -0.5), (2, 1.5)):
        refuses(learner.contaminated, ["a b"], ["a b"], n, share)


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, and both lists are left unchanged."""
    generated, exam = ["A b c", "d"], ["B C", "x"]
    leaves_inputs_alone(learner, compare, generated, exam, 2, 1.0)
