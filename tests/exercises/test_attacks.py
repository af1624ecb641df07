"""A table of answers or a constant instead of a function earns next to nothing."""

import pytest

from ift_course.exercises import catalog
from tests.exercises import attacks

LESSONS = sorted({x.lesson for x in catalog.exercises()})
GRADED = "spring/mallory"  # the course's seed and the student, as the grader joins them
RECORDED = ["autumn/ada", "autumn/grace", "winter/alan"]

MOST_FROM_TABLES = 0.10
MOST_FROM_CONSTANTS = 0.03


@pytest.fixture(scope="module", params=LESSONS)
def lesson(request):
    return request.param


@pytest.fixture(scope="module")
def table(lesson):
    return attacks.recorded(lesson, RECORDED)


def share(lesson: str, passed: dict[str, int]) -> float:
    return sum(passed.values()) / attacks.total(lesson)


@pytest.mark.slow
@pytest.mark.parametrize("kind", attacks.TABLES)
def test_a_table_of_other_students_answers_earns_at_most_a_tenth(lesson, table, kind):
    passed: dict[str, int] = {}
    for exercise in catalog.exercises(lesson):
        function = attacks.TABLES[kind](table, exercise.function)
        passed |= attacks.earned(exercise, function, GRADED)
    print(f"lesson {lesson}, table ({kind}): {share(lesson, passed):.1%} {sorted(passed)}")
    assert share(lesson, passed) <= MOST_FROM_TABLES, passed


@pytest.mark.slow
@pytest.mark.parametrize("name", attacks.CONSTANTS)
def test_one_constant_everywhere_earns_next_to_nothing(lesson, name):
    passed: dict[str, int] = {}
    for exercise in catalog.exercises(lesson):
        answer = attacks.CONSTANTS[name]
        passed |= attacks.earned(exercise, lambda *_, a=answer: attacks.give(a), GRADED)
    print(f"lesson {lesson}, {name}: {share(lesson, passed):.1%} {sorted(passed)}")
    assert share(lesson, passed) <= MOST_FROM_CONSTANTS, passed


def test_the_first_argument_handed_back_earns_next_to_nothing(lesson):
    passed: dict[str, int] = {}
    for exercise in catalog.exercises(lesson):
        passed |= attacks.earned(exercise, lambda first, *_: first, GRADED)
    assert share(lesson, passed) <= MOST_FROM_CONSTANTS, passed


@pytest.mark.slow
def test_the_best_constant_of_each_function_earns_next_to_nothing(lesson, table):
    passed: dict[str, int] = {}
    for exercise in catalog.exercises(lesson):
        answers = [*attacks.CONSTANTS.values(), *table.frequent(exercise.function, 8)]
        tries = [
            attacks.earned(exercise, lambda *_, a=answer: attacks.give(a), GRADED)
            for answer in answers
        ]
        passed |= max(tries, key=lambda one: sum(one.values()))
    print(f"lesson {lesson}, best constants: {share(lesson, passed):.1%} {sorted(passed)}")
    assert share(lesson, passed) <= MOST_FROM_CONSTANTS, passed


def test_the_attack_itself_works(lesson):
    """A table recorded from the same student and seed earns nearly every point."""
    table = attacks.recorded(lesson, [GRADED])
    passed: dict[str, int] = {}
    for exercise in catalog.exercises(lesson):
        function = attacks.by_turn(table, exercise.function)
        passed |= attacks.earned(exercise, function, GRADED)
    assert share(lesson, passed) > 0.9
