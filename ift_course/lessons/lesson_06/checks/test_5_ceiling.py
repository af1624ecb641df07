from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone


def reference(examples: list[dict[str, str]], seen: list[str]) -> float:
    right, left = 0, list(examples)
    while left:
        same = [x for x in left if all(x[field] == left[0][field] for field in seen)]
        left = [x for x in left if not any(x is y for y in same)]
        responses = [x["response"] for x in same]
        right += max(responses.count(response) for response in responses)
    return right / len(examples)


def compare(learner: Learner, examples: list[dict[str, str]], seen: list[str]) -> None:
    close(learner.ceiling(examples, seen), reference(examples, seen), 1e-9)


def rows(*texts: str) -> list[dict[str, str]]:
    """Examples from texts such as "capital|France|Paris"."""
    names = ("instruction", "input", "response")
    return [dict(zip(names, row.split("|"), strict=True)) for row in texts]


COUNTRIES = rows(
    "capital|France|Paris",
    "capital|Spain|Madrid",
    "language|France|French",
    "city|France|Paris",
    "language|Spain|Spanish",
    "capital|Peru|Lima",
)


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    """An unpredictable number of examples that all look the same."""
    for _ in range(3):
        responses = [str(rng.randrange(9)) for _ in range(rng.randint(40, 90))]
        compare(learner, rows(*(f"same|x|{x}" for x in responses)), ["instruction"])


@points(2, ordinary)
def test_input_only(learner, rng):
    """Among examples that look the same, those with the most frequent response can be correct."""
    compare(learner, COUNTRIES, ["input"])
    compare(learner, COUNTRIES, ["instruction"])


@points(1, ordinary)
def test_everything_seen(learner, rng):
    """Seeing all that differs, a model can be right everywhere; the same question may have two
    answers."""
    compare(learner, COUNTRIES, ["instruction", "input"])
    compare(
        learner, COUNTRIES + rows("capital|France|Lyon", "capital|Peru|Lima"),
        ["instruction", "input"],
    )  # fmt: skip


@points(1, ordinary)
def test_nothing_seen(learner, rng):
    """If no field is seen, the most frequent response of all is best."""
    compare(learner, COUNTRIES, [])
    compare(learner, rows("a|b|c"), [])


@points(2)
def test_large_and_small_groups(learner, rng):
    """Every example counts once, whether many look like it or few."""
    many = rows(*["a|France|Paris"] * 9, "b|France|French", "a|Peru|Lima", "b|Peru|Spanish")
    compare(learner, many, ["input"])
    for _ in range(3):
        examples = rows(*(f"{rng.choice('ab')}|{rng.choice('xyz')}|{rng.choice('123')}"
                      for _ in range(40)))  # fmt: skip
        for seen in (["input"], ["input", "instruction"], []):
            compare(learner, examples, seen)


@points(1, ordinary)
def test_order_of_examples(learner, rng):
    """The order of the examples does not matter."""
    examples = rows("a|x|1", "a|x|2", "a|x|2", "a|x|3", "a|y|2", "a|y|1")
    compare(learner, examples, ["input"])
    compare(learner, examples[::-1], ["input"])


@points(1, ordinary)
def test_fields_are_not_joined(learner, rng):
    """Fields are compared one by one, not as one long text."""
    compare(
        learner, rows("ab|c|1", "a|bc|2", "ab|c|1", "a|bc|2"), ["instruction", "input"]
    )  # fmt: skip
    compare(
        learner, rows("a b|c|1", "a|b c|2", "|a b c|3", "a,b|c|4"), ["instruction", "input"]
    )  # fmt: skip


@points(1, ordinary)
def test_exact_texts(learner, rng):
    """Case and spaces count, both in the fields and in the responses."""
    compare(learner, rows("a|x|Yes", "a|x|yes", "a|x|yes", "a|X|no", "a|x |no"), ["input"])
    compare(learner, rows("a|x|Yes", "a|x|yes ", "a|x|yes", "a|x|no"), ["input"])


@points(1, ordinary)
def test_other_fields(learner, rng):
    """Any fields can be seen, including the response itself."""
    examples = [{"response": str(i % 3), "hint": str(i % 2), "input": "x"} for i in range(9)]
    compare(learner, examples, ["hint"])
    compare(learner, examples, ["response"])


@points(1, ordinary)
def test_refusals(learner, rng):
    """An empty list of examples is refused with a ValueError."""
    refuses(learner.ceiling, [], ["input"])
    refuses(learner.ceiling, [], [])


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, and examples and fields are left unchanged."""
    leaves_inputs_alone(learner, compare, COUNTRIES, ["input"])
