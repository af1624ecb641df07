from collections.abc import Iterable
from fractions import Fraction
from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone


def triples(text: str) -> set[str]:
    words = text.lower().split()
    return {" ".join(words[i : i + 3]) for i in range(len(words) - 2)} or {" ".join(words)}


def reference(texts: list[str], threshold: float) -> list[int]:
    sets = [triples(text) for text in texts]
    group = list(range(len(texts)))
    for i in range(len(texts)):
        for j in range(i):
            shared = Fraction(len(sets[i] & sets[j]), len(sets[i] | sets[j]))
            if shared >= Fraction(str(threshold)):
                group = [group[j] if g == group[i] else g for g in group]
    members = [[i for i in range(len(texts)) if group[i] == g] for g in set(group)]
    return sorted(min(some, key=lambda i: (-len(texts[i]), i)) for some in members)


def compare(learner: Learner, texts: list[str], threshold: float) -> None:
    equal(learner.deduplicate(texts, threshold), reference(texts, threshold))


def letters(text: Iterable[str]) -> str:
    """Make a word of each letter: "abc" → "a b c"."""
    return " ".join(text)


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    for _ in range(2):
        texts = [letters(rng.sample("abcdefghijklmnopqrstuvwxyz", 8)) for _ in range(5)]
        texts += rng.choices(texts, k=5)
        rng.shuffle(texts)
        compare(learner, texts, 1.0)


@points(1, ordinary)
def test_copies(learner, rng):
    """Of exact copies the first is kept; case and whitespace do not count."""
    compare(learner, ["a b c d", "x y z", "a b c d", "a b c d", "x y z"], 1.0)
    compare(learner, ["A b  C d", "a B c d", "a b c"], 1.0)


@points(2, ordinary)
def test_threshold(learner, rng):
    """Texts are similar from the threshold on: shared triples divided by triples of either."""
    texts = [letters("abcdefg"), letters("abcdxyz"), letters("abcdefx"), letters("mnopqrs")]
    for threshold in (0.2, 0.25, 0.5, 0.6, 0.65, 0.7, 1.0):
        compare(learner, texts, threshold)
    compare(learner, [letters("abcde"), letters("abcdefgh")], 0.5)
    compare(learner, [letters("abcde"), letters("abcdefgh")], 0.51)


@points(2, ordinary)
def test_chains(learner, rng):
    """If A is similar to B and B to C, all three are one group, in whatever order they come."""
    a, b, c = letters("abcdefgh"), letters("efghabcdijkl"), letters("ijklmnop")
    for texts in ([a, b, c], [a, c, b], [c, a, b], [b, c, a, "q r s"]):
        compare(learner, texts, 0.2)
    compare(
        learner,
        [
            letters("abcdef"),
            letters("uvwxyz"),
            letters("cdefgh"),
            letters("ghij"),
            letters("efghij"),
        ],
        0.2,
    )


@points(1, ordinary)
def test_longest_is_kept(learner, rng):
    """Of each group the longest text is kept, by characters, wherever it is."""
    compare(learner, ["a b c d", "a b c d longer", "a b c d x", "k l m"], 0.5)
    compare(learner, ["a b c d word", "a b c d e f", "q"], 0.3)
    compare(learner, ["a b c d x", "a b c d y", "a b c d zz", "a b c d ww"], 0.5)


@points(1, ordinary)
def test_short_texts(learner, rng):
    """Texts of fewer than three words are compared as a whole, including empty ones."""
    compare(learner, ["yes", "no", "Yes", "yes no", "no yes", "yes no"], 0.5)
    compare(learner, ["", "a", " ", "a b c", "b c", ""], 0.5)
    compare(learner, ["a b", "a b c", "a"], 0.1)


@points(1, ordinary)
def test_sets(learner, rng):
    """A triple that occurs twice in a text counts once."""
    compare(learner, [letters("abcabcabc"), letters("abcab"), letters("abcd")], 0.9)


@points(1, ordinary)
def test_many(learner, rng):
    """It works for a mixture of texts, and the indices are in ascending order."""
    texts = ["".join(rng.choice("abc ") for _ in range(rng.randint(4, 16))) for _ in range(30)]
    compare(learner, texts, 0.3)
    compare(learner, [], 0.5)


@points(1, ordinary)
def test_refusals(learner, rng):
    """A threshold outside (0, 1] is refused with a ValueError."""
    for threshold in (0.0, -0.5, 1.01):
        refuses(learner.deduplicate, ["a b c", "d"], threshold)


@points(1, ordinary)
def test_texts_stay(learner, rng):
    """The answer is right, and the list is left unchanged."""
    texts = ["B b b b", "a", "b b b B"]
    leaves_inputs_alone(learner, compare, texts, 0.5)
