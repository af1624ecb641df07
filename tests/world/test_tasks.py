"""Tasks: ideal responses are right, splits hold out what they promise, samples are fair."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ift_course.world.facts import facts, values
from ift_course.world.tasks import (
    FACT_TASKS,
    FAMILIES,
    HELD_OUT_FAMILIES,
    TASKS,
    Example,
    held_out,
    sample,
    verify,
)

EVERYTHING = [
    example
    for split in ("train", "test")
    for unseen in (False, True)
    for example in sample(1500, seed=4, split=split, unseen_wording=unseen)
]


def of(task: str) -> list[Example]:
    return [example for example in EVERYTHING if example.task == task]


@pytest.mark.parametrize("task", [task.name for task in TASKS])
def test_the_ideal_response_is_admitted(task):
    assert of(task)
    for example in of(task):
        assert verify(example, example.response), example


@pytest.mark.parametrize("task", [task.name for task in TASKS])
def test_other_answers_are_refused(task):
    examples = of(task)
    refused = 0
    for example, other in itertools.pairwise(examples):
        if other.response.casefold() == example.response.casefold():
            continue
        if task in ("name_one", "name_three") and other.entity == example.entity:
            continue
        if task == "describe" and other.entity == example.entity:
            continue
        assert not verify(example, other.response), (example, other.response)
        refused += 1
    assert refused


@pytest.mark.parametrize("task", [task.name for task in TASKS])
def test_additions_and_omissions_are_refused(task):
    for example in of(task)[:10]:
        for bad in (
            "",
            example.response[: len(example.response) // 2],
            f"{example.response} And more.",
            f"{example.response}\n{example.response}\n{example.response}",
            f"I would say {example.response}",
        ):
            assert not verify(example, bad), (example, bad)


@pytest.mark.parametrize("task", FACT_TASKS)
def test_fact_responses_are_the_facts(task):
    for example in of(task):
        assert example.response == values()[task][example.entity]


def test_every_way_of_stating_a_fact_is_admitted():
    for example in EVERYTHING:
        if example.task in FACT_TASKS:
            fact = next(
                f for f in facts() if (f.relation.name, f.subject) == (example.task, example.entity)
            )
            ways = [*fact.statements(), fact.value, f"It is {fact.value}.", f" {fact.value}. "]
            assert all(verify(example, way) for way in ways), (example, ways)


def worked_out(task: str, given: str) -> str:
    """The same skills, written a second time and in another way."""
    words = given.split(", ")
    numbers = [int(word) for word in given.replace(",", " ").split() if word.isdigit()]
    ways = {
        "list_first": lambda: words[0],
        "list_second": lambda: words[1],
        "list_last": lambda: words[-1],
        "list_count": lambda: str(len(words)),
        "list_reverse": lambda: ", ".join(reversed(words)),
        "add": lambda: str(sum(numbers)),
        "subtract": lambda: str(numbers[0] - numbers[1]),
        "double": lambda: str(2 * numbers[0]),
        "larger": lambda: str(max(numbers)),
        "number_after": lambda: str(numbers[0] + 1),
        "number_before": lambda: str(numbers[0] - 1),
        "series": lambda: str(2 * numbers[-1] - numbers[-2]),
    }
    return ways[task]()


@pytest.mark.parametrize(
    "task",
    ["list_first", "list_second", "list_last", "list_count", "list_reverse", "add", "subtract",
     "double", "larger", "number_after", "number_before", "series"],
)  # fmt: skip
def test_lists_and_sums_are_worked_out_right(task):
    for example in of(task):
        assert example.response == worked_out(task, example.entity)
        assert example.entity in f"{example.instruction} {example.input}"


def test_training_never_asks_about_a_held_out_entity():
    kinds = {f.relation.name: f.relation.subjects for f in facts()}
    for example in sample(6000, seed=9, split="train", tasks=FACT_TASKS):
        hidden = held_out(kinds[example.task])
        assert example.entity not in hidden
    asked = {e.entity for e in sample(6000, seed=9, split="test", tasks=FACT_TASKS)}
    assert asked <= {entity for kind in set(kinds.values()) for entity in held_out(kind)}


def test_the_running_examples_are_held_out():
    assert "France" in held_out("country")
    assert "owl" in held_out("animal")


def test_worked_out_cases_differ_between_the_splits():
    train = {e.entity for e in sample(4000, seed=1, families=("lists", "arithmetic"))}
    test = {e.entity for e in sample(4000, seed=2, split="test", families=("lists", "arithmetic"))}
    assert not train & test


def test_unseen_wordings_are_never_used_in_training():
    seen = {e.instruction for e in sample(6000, seed=1)}
    unseen = {e.instruction for e in sample(2000, seed=1, unseen_wording=True)}
    assert not seen & unseen


@given(st.integers(1, 400), st.integers(0, 10_000))
def test_every_task_gets_its_share(n, seed):
    counts = Counter(e.task for e in sample(n, seed=seed))
    assert sum(counts.values()) == n
    assert max(counts.values()) - min(counts[t.name] for t in TASKS) <= 1


def test_samples_are_reproducible_and_differ_by_seed():
    assert sample(50, seed=1) == sample(50, seed=1)
    assert sample(50, seed=1) != sample(50, seed=2)


def test_families_cover_the_subject_and_some_are_held_out():
    assert len(FAMILIES) >= 12
    assert 3 <= len(HELD_OUT_FAMILIES) < len(FAMILIES) / 2


@pytest.mark.parametrize(
    "wrong", [{"split": "dev"}, {"tasks": ["flying"]}, {"families": ["lists"], "tasks": ["add"]}]
)
def test_wrong_choices_are_refused(wrong):
    with pytest.raises(ValueError, match=r"split|task"):
        sample(3, seed=0, **wrong)


def test_an_example_survives_json():
    import json

    for example in EVERYTHING[:200]:
        assert Example.from_dict(json.loads(json.dumps(example.to_dict()))) == example
