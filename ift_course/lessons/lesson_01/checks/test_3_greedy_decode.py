from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, unchanged
from ift_course.exercises.handles import Handle
from ift_course.exercises.learner import Learner


def chain(following: dict[int, int], size: int) -> Handle:
    """A model for which `following[token]` is the likeliest token after `token`."""
    rows = [[1.0 if j == following.get(i) else 0.0 for j in range(size)] for i in range(size)]
    return Handle("next_token_table", {"rows": rows})


def reference(model, prompt: list[int], most: int, end: int) -> list[int]:
    new: list[int] = []
    while len(new) < most:
        scores = model([*prompt, *new]).tolist()
        best = scores.index(max(scores))
        if best == end:
            return new
        new.append(best)
    return new


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    model = Handle("counting_model", {"vocabulary": 30, "seed": rng.randrange(10**6)})
    prompt = [rng.randrange(30) for _ in range(2)]
    equal(learner.greedy_decode(model, prompt, 5, 99), reference(model.build(), prompt, 5, end=99))


@points(2)
def test_likeliest_each_time(learner, rng):
    """Each new token is the likeliest one after all tokens before it."""
    for length in (1, 3):
        model = Handle("counting_model", {"vocabulary": 30, "seed": rng.randrange(1000)})
        prompt = [rng.randrange(30) for _ in range(length)]
        expected = reference(model.build(), prompt, 6, end=99)
        equal(learner.greedy_decode(model, prompt, 6, 99), expected)


@points(1, ordinary)
def test_stops_at_the_end(learner, rng):
    """It stops at the end token, which is not part of the result."""
    following = {3: 4, 4: 5, 5: 6, 6: 1}
    equal(learner.greedy_decode(chain(following, 7), [3], 10, 6), [4, 5])


@points(1, ordinary)
def test_end_at_once(learner, rng):
    """If the end comes first, the result is empty."""
    equal(learner.greedy_decode(chain({2: 0}, 3), [1, 2], 5, 0), [])


@points(1, ordinary)
def test_end_in_the_prompt(learner, rng):
    """An end token in the prompt does not stop anything."""
    following = {0: 1, 1: 2, 2: 0}
    equal(learner.greedy_decode(chain(following, 3), [2, 0, 0], 5, 0), [1, 2])


@points(1, ordinary)
def test_limit(learner, rng):
    """There are never more than max_new_tokens new tokens, however long the prompt is."""
    circle = chain({0: 1, 1: 2, 2: 0}, 3)
    equal(learner.greedy_decode(circle, [0, 1, 2, 0], 4, 9), [1, 2, 0, 1])
    equal(learner.greedy_decode(circle, [0], 0, 9), [])


@points(1, ordinary)
def test_ties(learner, rng):
    """Among equally likely tokens the lowest id is taken, even if that is token 0."""
    model = Handle(
        "next_token_table", {"rows": [[0.5, 0.5, 0.5], [-1.0, 2.0, 2.0], [1.0, 0.0, 1.0]]}
    )
    equal(learner.greedy_decode(model, [0], 2, 9), [0, 0])
    equal(learner.greedy_decode(model, [1], 2, 9), [1, 1])
    equal(learner.greedy_decode(model, [2], 1, 9), [0])


@points(1, ordinary)
def test_prompt_stays(learner, rng):
    """The answer is right, and the prompt is left unchanged."""
    prompt = [3, 4]
    model = chain({4: 5, 5: 6}, 7)
    equal(learner.greedy_decode(model, prompt, 9, 6), [5])
    unchanged(learner, model, prompt, 9, 6)
