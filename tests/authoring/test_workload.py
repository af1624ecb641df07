"""Plans name every lesson once, in an order that respects what a lesson needs, and add up."""

import pytest

from ift_course.authoring import workload
from ift_course.lessons.discover import lessons
from ift_course.lessons.timings import read_timings

NEEDS = {"09": ["03"], "10": ["05", "09"], "11": ["05"], "12": ["09"]}
NO_EXERCISES = ("00", "12")  # the capstone is an exercise itself, without a time


@pytest.fixture(scope="module")
def loads():
    return workload.workloads(read_timings("tiny", published=True))


@pytest.mark.parametrize("weeks", workload.PLANS)
def test_a_plan_has_its_weeks_and_every_lesson_once_in_order(weeks):
    plan = workload.PLANS[weeks]
    order = [number for week in plan for number in week]
    assert set(order) == {x.number for x in lessons()}
    for number, needed in NEEDS.items():
        assert all(order.index(x) < order.index(number) for x in needed)


def test_hours_are_those_that_the_lessons_and_exercises_say(loads):
    assert all(x.reading > 5 for x in loads.values())
    assert all(x.exercises >= 30 for number, x in loads.items() if number not in NO_EXERCISES)
    assert loads["03"].written == 1 and loads["00"].exercises == 0
    three = loads["03"]
    assert three.hours == (three.reading + three.running + three.exercises) / 60


def test_there_is_a_table_for_each_plan(loads):
    assert workload.plans(loads).count("weeks\n") == len(workload.PLANS)
