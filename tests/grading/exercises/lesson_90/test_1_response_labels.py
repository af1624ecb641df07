"""Six checks of a function without torch: what the tests and the benchmark of grading use."""

from ift_course.exercises import points
from ift_course.exercises.compare import equal, refuses, unchanged


def labels(ids, prompt):
    return [-100] * prompt + ids[prompt:]


@points(2)
def test_prompt_has_no_label(learner, rng):
    """Only the response is trained: the prompt's labels are -100."""
    ids = [rng.randrange(7, 90) for _ in range(6)]
    equal(learner.response_labels(ids, 2), labels(ids, 2))


@points(1)
def test_everything_is_prompt(learner, rng):
    """A row that is all prompt has no label."""
    ids = [rng.randrange(7, 90) for _ in range(3)]
    equal(learner.response_labels(ids, 3), labels(ids, 3))


@points(1)
def test_nothing_is_prompt(learner, rng):
    """Without a prompt every token is trained."""
    ids = [rng.randrange(7, 90) for _ in range(3)]
    equal(learner.response_labels(ids, 0), ids)


@points(1)
def test_long_rows(learner, rng):
    """A row of a thousand tokens is no trouble."""
    ids = [rng.randrange(7, 90) for _ in range(1000)]
    equal(learner.response_labels(ids, 400), labels(ids, 400))


@points(1)
def test_too_long_a_prompt_is_refused(learner):
    """A prompt longer than the row is refused with a ValueError."""
    refuses(learner.response_labels, [1, 2], 3)


@points(1)
def test_inputs_stay(learner, rng):
    """The ids are left as they were."""
    ids = [rng.randrange(7, 90) for _ in range(4)]
    equal(learner.response_labels(ids, 1), labels(ids, 1))
    unchanged(learner, ids, 1)
