from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import close, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone


def reference(prompts: list[str], rewards: list[float], right: list[bool]) -> float:
    won = pairs = 0.0
    answers = list(zip(prompts, rewards, right, strict=True))
    for prompt, reward, good in answers:
        if not good:
            continue
        for other, rival, fine in answers:
            if other == prompt and not fine:
                pairs += 1
                won += 1.0 if reward > rival else 0.5 if reward == rival else 0.0
    return won / pairs


def compare(learner: Learner, prompts: list[str], rewards: list[float], right: list[bool]) -> None:
    close(learner.ranked_right(prompts, rewards, right), reference(prompts, rewards, right))


def pool(rng: Random, prompts: int, each: int, values: int):
    questions = [f"question {i}" for i in range(prompts) for _ in range(each)]
    rng.shuffle(questions)
    rewards = [float(rng.randint(-values, values)) for _ in questions]
    return questions, rewards, [rng.random() < 0.4 for _ in questions[:-2]] + [True, False]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    for right, wrong in ((3, 5), (5, 7), (5, 9)):  # odd, so that no judge scores exactly one half
        answers = right + wrong
        rewards = [float(x) for x in rng.sample(range(1000), answers)]
        marks = [True] * right + [False] * wrong
        rng.shuffle(marks)
        compare(learner, ["question"] * answers, rewards, marks)


@points(2)
def test_pairs_of_one_prompt(learner, rng):
    """Every right answer to a prompt is compared with every wrong one."""
    compare(learner, ["a"] * 4, [4.0, 1.0, 3.0, 2.0], [True, True, False, False])
    compare(learner, ["a"] * 3, [1.0, 2.0, 0.5], [True, False, False])
    for _ in range(3):
        compare(learner, ["a"] * 9, *pool(rng, 1, 9, 500)[1:])


@points(2)
def test_prompts_apart(learner, rng):
    """Answers to different prompts are never compared."""
    compare(learner, ["a", "a", "b", "b"], [1.0, 0.0, 9.0, 8.0], [True, False, False, True])
    for _ in range(3):
        prompts, rewards, right = pool(rng, 3, 6, 500)
        prompts[-2:] = ["the same"] * 2
        compare(learner, prompts, rewards, right)


@points(1, ordinary)
def test_ties(learner, rng):
    """Equal rewards count one half."""
    compare(learner, ["a"] * 2, [1.0, 1.0], [True, False])
    compare(learner, ["a"] * 4, [1.0, 1.0, 1.0, 2.0], [True, False, False, True])
    compare(learner, ["a"] * 8, *pool(rng, 1, 8, 2)[1:])


@points(1, ordinary)
def test_pairs_count_the_same(learner, rng):
    """All pairs count the same, so a prompt with many pairs counts more."""
    prompts = ["a"] * 4 + ["b"] * 2
    compare(
        learner, prompts, [3.0, 1.0, 1.0, 1.0, 0.0, 1.0], [True, False, False, False, True, False]
    )


@points(1, ordinary)
def test_only_order_counts(learner, rng):
    """Negative, tiny, and huge rewards are compared like all others."""
    compare(learner, ["a"] * 3, [-2.0, -3.0, -1.0], [True, False, False])
    compare(learner, ["a"] * 3, [1e-9, 0.0, 1e9], [True, False, False])


@points(1, ordinary)
def test_extremes(learner, rng):
    """A judge that is always right gets 1, and one that is always wrong gets 0."""
    for right in ([True, False], [False, True]):
        compare(learner, ["a", "a"], [2.0, 1.0], right)
    compare(learner, ["a", "b", "a", "b"], [5.0, 0.0, 4.0, -1.0], [True, True, False, False])


@points(1, ordinary)
def test_prompts_without_pairs(learner, rng):
    """A prompt whose answers are all right, or all wrong, does not count."""
    prompts = ["a", "a", "b", "b", "c", "c"]
    compare(
        learner, prompts, [1.0, 2.0, 3.0, 4.0, 6.0, 5.0], [True, True, False, False, False, True]
    )


@points(1, ordinary)
def test_no_pair(learner, rng):
    """Input without any pair is refused with a ValueError."""
    refuses(learner.ranked_right, [], [], [])
    refuses(learner.ranked_right, ["a", "b"], [1.0, 2.0], [True, False])
    refuses(learner.ranked_right, ["a", "a"], [1.0, 2.0], [True, True])
    refuses(learner.ranked_right, ["a", "a"], [1.0, 2.0], [False, False])


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, and the lists are left unchanged."""
    prompts, rewards, right = ["a", "b", "a", "b"], [2.0, 1.0, 3.0, 0.0], [True, True, False, False]
    leaves_inputs_alone(learner, compare, prompts, rewards, right)
