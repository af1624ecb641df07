import math
from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone

NAN = float("nan")


def reference(prompts: list[str], rewards: list[float], share: float) -> list[int]:
    indices = []
    for i, prompt in enumerate(prompts):
        rivals = [
            j for j, other in enumerate(prompts) if other == prompt and rewards[j] == rewards[j]
        ]
        ahead = sum(rewards[j] > rewards[i] or (rewards[j] == rewards[i] and j < i) for j in rivals)
        if i in rivals and ahead < math.ceil(share * len(rivals)):
            indices.append(i)
    return indices


def compare(learner: Learner, prompts: list[str], rewards: list[float], share: float) -> None:
    equal(learner.keep_best(prompts, rewards, share), reference(prompts, rewards, share))


def answers(rng: Random, prompts: int, each: int, values: int = 1000):
    questions = [f"question {i}" for i in range(prompts) for _ in range(each)]
    rng.shuffle(questions)
    return questions, [rng.randint(0, values) / 10 for _ in questions]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    for size in (8, 10):
        rewards = [float(x) for x in rng.sample(range(1000), size)]
        compare(learner, ["question"] * size, rewards, 0.5)


@points(2)
def test_of_each_prompt(learner, rng):
    """The best answers of each prompt are kept, however high the rewards of others are."""
    compare(learner, ["a", "a", "b", "b"], [1.0, 2.0, 10.0, 20.0], 0.5)
    compare(learner, ["a", "b"] * 4, [float(x) for x in (1, 80, 3, 60, 4, 70, 2, 50)], 0.25)
    for share in (0.125, 0.25, 0.5):
        compare(learner, *answers(rng, 4, 8), share)


@points(1, ordinary)
def test_the_highest(learner, rng):
    """High rewards are good, and negative ones are lower than 0."""
    compare(learner, ["a"] * 4, [-5.0, -1.0, -3.0, 0.0], 0.5)


@points(1, ordinary)
def test_ascending(learner, rng):
    """The indices are in ascending order, not in the order of the rewards or prompts."""
    compare(learner, ["b", "a", "b", "a"], [1.0, 2.0, 3.0, 4.0], 1.0)
    compare(learner, ["b", "a", "b", "a"], [9.0, 2.0, 3.0, 4.0], 0.5)


@points(2, ordinary)
def test_ties(learner, rng):
    """Between equal rewards the earlier answer is kept, and no more than the share."""
    compare(learner, ["a"] * 4, [2.0, 2.0, 2.0, 2.0], 0.5)
    compare(learner, ["a"] * 4, [1.0, 2.0, 2.0, 1.0], 0.75)
    for _ in range(3):
        compare(learner, *answers(rng, 3, 8, values=3), 0.5)


@points(1, ordinary)
def test_rounded_up(learner, rng):
    """The number is rounded up, so every prompt keeps at least one answer."""
    compare(learner, ["a", "b", "b", "b"], [1.0, 1.0, 2.0, 3.0], 0.25)
    compare(learner, ["b"] * 5, [5.0, 1.0, 2.0, 4.0, 3.0], 0.5)


@points(1, ordinary)
def test_together_or_not(learner, rng):
    """Answers to one prompt need not be next to each other."""
    compare(learner, ["a", "b", "a", "a", "b", "a"], [1.0, 1.0, 3.0, 2.0, 2.0, 4.0], 0.5)


@points(1, ordinary)
def test_nan(learner, rng):
    """A reward of NaN is never kept and does not count."""
    compare(learner, ["a"] * 4, [NAN, 1.0, 2.0, NAN], 0.5)
    compare(learner, ["a", "b", "b"], [NAN, NAN, 0.5], 1.0)


@points(1, ordinary)
def test_limits(learner, rng):
    """A share of 1 keeps all; 0 or less, or more than 1, is refused with a ValueError."""
    compare(learner, ["a", "b", "a"], [1.0, 2.0, 0.0], 1.0)
    compare(learner, [], [], 0.5)
    for share in (0.0, -0.5, 1.5):
        refuses(learner.keep_best, ["a"], [1.0], share)


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, and both lists are left unchanged."""
    prompts, rewards = ["b", "a", "b"], [3.0, 1.0, 2.0]
    leaves_inputs_alone(learner, compare, prompts, rewards, 0.5)
