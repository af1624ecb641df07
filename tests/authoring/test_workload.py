"""Plans name every lesson once, in an order that respects what a lesson needs, and add up."""

import pytest

from ift_course.authoring import workload
from ift_course.lessons.discover import lessons
from ift_course.lessons.timings import read_timings

NEEDS = {"09": ["03"], "10": ["05", "09"]}


@pytest.fixture(scope="module")
def loads():
    return workload.workloads(read_timings("tiny", published=True))


@pytest.mark.parametrize("weeks", workload.PLANS)
def test_a_plan_has_its_weeks_and_every_lesson_once_in_order(weeks):
    plan = workload.PLANS[weeks]
    order = [number for week in plan for number in week]
    existing = {x.number for x in lessons()}
    assert len(plan) == weeks and len(order) == len(set(order))
    assert existing - set(workload.COMING) <= set(order) <= existing | set(workload.COMING)
    for number, needed in NEEDS.items():
        assert all(order.index(x) < order.index(number) for x in needed)


def test_hours_are_those_that_the_lessons_and_exercises_say(loads):
    assert all(x.reading > 5 for x in loads.values())
    assert all(x.exercises >= 30 for number, x in loads.items() if number != "00")
    assert loads["03"].written == 1 and loads["00"].exercises == 0
    three = loads["03"]
    assert three.hours == (three.reading + three.running + three.exercises) / 60


def test_the_tables_name_what_is_still_to_come(loads):
    text = workload.plans(loads)
    assert text.count("weeks\n") == len(workload.PLANS)
    for number, name in workload.COMING.items():
        assert (f"{number} {name} (to come)" in text) == (number not in loads)
