from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone


def common(a: list[str], b: list[str]) -> int:
    """The length of the longest common subsequence, by its definition."""
    table = {}
    for i in range(len(a) + 1):
        for j in range(len(b) + 1):
            if i == 0 or j == 0:
                table[i, j] = 0
            elif a[i - 1] == b[j - 1]:
                table[i, j] = table[i - 1, j - 1] + 1
            else:
                table[i, j] = max(table[i - 1, j], table[i, j - 1])
    return table[len(a), len(b)]


def reference(candidates: list[str], pool: list[str], limit: float) -> list[int]:
    known, added = [text.lower().split() for text in pool], []
    for i, text in enumerate(candidates):
        words = text.lower().split()
        alike = [2 * common(words, other) / (len(words) + len(other)) for other in known if words]
        if words and not any(value >= limit for value in alike):
            known.append(words)
            added.append(i)
    return added


def compare(learner: Learner, candidates: list[str], pool: list[str], limit: float) -> None:
    equal(learner.novel(candidates, pool, limit), reference(candidates, pool, limit))


def text(rng: Random, low: int = 3, high: int = 8) -> str:
    return " ".join(rng.choice("ab cd ef gh".split()) for _ in range(rng.randint(low, high)))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    """Copies of texts in the pool, among unique texts."""
    pool = [unique(rng) for _ in range(5)]
    candidates = [*pool, *(unique(rng) for _ in range(5))]
    rng.shuffle(candidates)
    compare(learner, candidates, pool, 0.7)


def unique(rng: Random) -> str:
    return " ".join(f"word{rng.randrange(10**6)}" for _ in range(5))


@points(1, ordinary)
def test_one_pair(learner, rng):
    """A candidate that is too similar to a text of the pool is not added."""
    pool = ["name the capital of france"]
    compare(learner, ["name the capital of spain", "count to ten please"], pool, 0.7)
    compare(learner, ["name the capital of spain", "count to ten please"], pool, 0.9)


@points(2)
def test_subsequence(learner, rng):
    """Similarity counts the longest common subsequence: in order, with gaps allowed."""
    pool = ["a b c d e f"]
    compare(learner, ["a x b x c x d", "f e d c b a", "x y c d x y", "b a d c f e"], pool, 0.5)
    for limit in (0.45, 0.6):
        for _ in range(3):
            compare(learner, [text(rng)], [text(rng)], limit)
            compare(learner, [text(rng) for _ in range(5)], [text(rng)], limit)


@points(1, ordinary)
def test_both_lengths(learner, rng):
    """Both lengths count: twice the common words divided by the words of both texts."""
    compare(learner, ["a b"], ["a b c d e f g h"], 0.5)
    compare(learner, ["a b c d e f g h"], ["a b"], 0.5)
    compare(learner, ["a b", "a", "a b c"], ["a b c d"], 0.7)


@points(1, ordinary)
def test_less_than(learner, rng):
    """A similarity of exactly the limit is too much."""
    compare(learner, ["a b x y"], ["a b c d"], 0.5)
    compare(learner, ["a b c x"], ["a b c d"], 0.75)
    compare(learner, ["a b c d"], ["a b c d"], 1.0)


@points(2, ordinary)
def test_the_pool_grows(learner, rng):
    """A candidate is compared with those added before it, and not with those refused."""
    compare(learner, ["a b c d", "a b c x", "w v u t"], [], 0.7)
    # The second is refused because of the pool; the third resembles only the second.
    compare(learner, ["p q", "a b c x y", "c x y z"], ["a b c d"], 0.6)
    for _ in range(3):
        compare(learner, [text(rng) for _ in range(12)], [text(rng) for _ in range(2)], 0.7)


@points(1, ordinary)
def test_any_of_the_pool(learner, rng):
    """One text of the pool that is too similar is enough, wherever it is."""
    pool = ["u v w", "a b c", "x y z"]
    compare(learner, ["a b c d", "x y z d", "u v w d", "m n o"], pool, 0.8)


@points(1, ordinary)
def test_words(learner, rng):
    """Case and spaces do not count, and punctuation belongs to the word."""
    compare(learner, ["NAME  the\nOwl", "Name the owl."], ["name the owl"], 0.7)
    compare(learner, ["name the owl", "NAME THE OWL"], ["Name The Owl"], 0.7)
    compare(learner, ["Name the owl!"], ["name the owl"], 0.6)


@points(1, ordinary)
def test_nothing(learner, rng):
    """A candidate without words is never added; an empty pool refuses nothing."""
    compare(learner, ["", "a b", "  ", "c"], [], 0.5)
    compare(learner, ["", "a"], ["", "b"], 0.5)
    compare(learner, [], ["a"], 0.5)


@points(1, ordinary)
def test_limits(learner, rng):
    """A limit of 1 accepts all but copies; 0 or less, or more than 1, raises a ValueError."""
    compare(learner, ["a b c", "A b C", "a b"], ["a b d"], 1.0)
    for limit in (0.0, -0.5, 1.5):
        refuses(learner.novel, ["a"], ["b"], limit)


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, and both lists are left unchanged."""
    candidates, pool = ["a b", "c d"], ["a b"]
    leaves_inputs_alone(learner, compare, candidates, pool, 0.7)
