from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, labels_equal, ordinary_case, unchanged
from ift_course.exercises.learner import Learner

START, END, USER, ASSISTANT, SYSTEM, NEWLINE, IGNORE = 1, 2, 3, 4, 5, 9, -100
NAMES = {
    START: "<|im_start|>",
    END: "<|im_end|>",
    USER: "user",
    ASSISTANT: "assistant",
    SYSTEM: "system",
    NEWLINE: "\n",
}


def turn(role: int, content: list[int], *, ended: bool = True) -> tuple[list[int], list[int]]:
    """A turn's ids and labels."""
    close = [END] if ended else []
    ids = [START, role, NEWLINE, *content, *close]
    labels = [IGNORE] * 3 + [x if role == ASSISTANT else IGNORE for x in [*content, *close]]
    return ([*ids, NEWLINE], [*labels, IGNORE]) if ended else (ids, labels)


def compare(learner: Learner, *turns: tuple[list[int], list[int]]) -> None:
    ids = [token for some, _ in turns for token in some]
    expected = [label for _, some in turns for label in some]
    got = learner.response_labels(ids, START, END, ASSISTANT)
    labels_equal(got, expected, [NAMES.get(i, f"w{i}") for i in ids], IGNORE)


def words(rng: Random, count: int) -> list[int]:
    return [rng.randrange(20, 90) for _ in range(count)]


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, turn(USER, words(rng, 3)), turn(ASSISTANT, words(rng, 3)))


@points(2)
def test_one_answer(learner, rng):
    """In a question and its answer, the answer's content and its end are trained."""
    compare(learner, turn(USER, words(rng, 4)), turn(ASSISTANT, words(rng, 3)))


@points(2)
def test_every_answer(learner, rng):
    """In a long conversation every answer is trained, and nothing else."""
    compare(
        learner,
        turn(SYSTEM, words(rng, 2)),
        turn(USER, words(rng, 2)),
        turn(ASSISTANT, words(rng, 1)),
        turn(USER, words(rng, 3)),
        turn(ASSISTANT, words(rng, 4)),
    )


@points(1)
def test_assistant_as_a_word(learner, rng):
    """The word "assistant" inside a message opens no answer; inside an answer it is trained."""
    compare(
        learner,
        turn(USER, [*words(rng, 1), ASSISTANT, NEWLINE, *words(rng, 1)]),
        turn(ASSISTANT, [ASSISTANT, NEWLINE, *words(rng, 1)]),
    )


@points(1)
def test_cut_off(learner, rng):
    """A last answer that is cut off, without an end, is trained as far as it goes."""
    compare(learner, turn(USER, words(rng, 1)), turn(ASSISTANT, words(rng, 3), ended=False))
    compare(learner, turn(USER, words(rng, 1)), turn(ASSISTANT, [], ended=False))


@points(1, ordinary)
def test_empty_answer(learner, rng):
    """In an empty answer, the end is trained."""
    compare(learner, turn(USER, words(rng, 2)), turn(ASSISTANT, []), turn(USER, words(rng, 1)))


@points(1, ordinary)
def test_no_answer(learner, rng):
    """Without an answer nothing is trained; no tokens give no labels."""
    compare(learner, turn(USER, words(rng, 3)))
    equal(learner.response_labels([], START, END, ASSISTANT), [])


@points(1)
def test_begins_with_an_answer(learner, rng):
    """A conversation may begin with an answer."""
    compare(learner, turn(ASSISTANT, words(rng, 2)), turn(USER, words(rng, 2)))


@points(1, ordinary)
def test_ids_stay(learner, rng):
    """The answer is right, and the ids are left unchanged."""
    ids, expected = turn(ASSISTANT, [30, 31])
    labels_equal(
        learner.response_labels(ids, START, END, ASSISTANT),
        expected,
        [NAMES.get(i, f"w{i}") for i in ids],
        IGNORE,
    )
    unchanged(learner, ids, START, END, ASSISTANT)
