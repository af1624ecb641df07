"""Exercises: written once in solutions/NN_topic.py, checked by the same files everywhere.

A notebook, a shell, pytest and the grader all run the checks that stand beside the lesson:
`lessons/lesson_02/checks/test_3_response_labels.py` holds those of exercise 02.3, whose function
is `response_labels`. A check calls `learner.response_labels(...)` and compares what comes back with
an independent reference or a property, never with anything of the learner's.
"""

from collections.abc import Callable


def points(worth: int, *, hidden: bool = False) -> Callable[[Callable], Callable]:
    """Marks a test function as a check and says what it is worth.

    hidden: only the instructor's grader runs it. The docstring's first paragraph is the check's
    title, in words for the learner.
    """

    def mark(run: Callable) -> Callable:
        run.worth, run.hidden = worth, hidden
        return run

    return mark
