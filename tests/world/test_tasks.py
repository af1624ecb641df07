"""Tasks: ideal responses are right, splits hold out whole entities, every task has its share."""

import itertools
import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ift_course.world.facts import facts, values
from ift_course.world.splits import held_out
from ift_course.world.tasks import (
    FACT_TASKS,
    FAMILIES,
    HELD_OUT_FAMILIES,
    TASKS,
    Example,
    sample,
    verify,
)

ALL_EXAMPLES = [
    example
    for split in ("train", "test")
    for unseen in (False, True)
    for example in sample(1500, seed=4, split=split, unseen_wording=unseen)
]


def examples_of(task: str) -> list[Example]:
    return [example for example in ALL_EXAMPLES if example.task == task]


@pytest.mark.parametrize("task", [task.name for task in TASKS])
def test_the_ideal_response_is_accepted(task):
    assert examples_of(task)
    for example in examples_of(task):
        assert verify(example, example.response), example


@pytest.mark.parametrize("task", [task.name for task in TASKS])
def test_other_answers_are_rejected(task):
    examples = examples_of(task)
    n_rejected = 0
    for example, other in itertools.pairwise(examples):
        if other.response.casefold() == example.response.casefold():
            continue
        if task in ("name_one", "name_three") and other.entity == example.entity:
            continue
        if task == "describe" and other.entity == example.entity:
            continue
        assert not verify(example, other.response), (example, other.response)
        n_rejected += 1
    assert n_rejected


@pytest.mark.parametrize("task", [task.name for task in TASKS])
def test_additions_and_omissions_are_rejected(task):
    for example in examples_of(task)[:10]:
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
    for example in examples_of(task):
        assert example.response == values()[task][example.entity]


def test_every_wording_of_a_fact_is_accepted():
    for example in ALL_EXAMPLES:
        if example.task in FACT_TASKS:
            fact = next(
                f for f in facts() if (f.relation.name, f.subject) == (example.task, example.entity)
            )
            wordings = [*fact.statements(), fact.value, f"It is {fact.value}.", f" {fact.value}. "]
            assert all(verify(example, text) for text in wordings), (example, wordings)


def compute(task: str, text: str) -> str:
    """Result of a skill, by a second implementation."""
    words = text.split(", ")
    numbers = [int(word) for word in text.replace(",", " ").split() if word.isdigit()]
    results = {
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
    return results[task]()


@pytest.mark.parametrize(
    "task",
    ["list_first", "list_second", "list_last", "list_count", "list_reverse", "add", "subtract",
     "double", "larger", "number_after", "number_before", "series"],
)  # fmt: skip
def test_results_of_skills_are_right(task):
    for example in examples_of(task):
        assert example.response == compute(task, example.entity)
        assert example.entity in f"{example.instruction} {example.input}"


def test_training_never_asks_about_a_held_out_entity():
    kinds = {f.relation.name: f.relation.subjects for f in facts()}
    for example in sample(6000, seed=9, split="train", tasks=FACT_TASKS):
        assert example.entity not in held_out(kinds[example.task])
    test_entities = {e.entity for e in sample(6000, seed=9, split="test", tasks=FACT_TASKS)}
    assert test_entities <= {entity for kind in set(kinds.values()) for entity in held_out(kind)}


def test_the_running_examples_are_held_out():
    assert "France" in held_out("country")
    assert "owl" in held_out("animal")


def test_cases_differ_between_the_splits():
    train = {e.entity for e in sample(4000, seed=1, families=("lists", "arithmetic"))}
    test = {e.entity for e in sample(4000, seed=2, split="test", families=("lists", "arithmetic"))}
    assert not train & test


def test_unseen_wordings_are_never_used_in_training():
    train = {e.instruction for e in sample(6000, seed=1)}
    unseen = {e.instruction for e in sample(2000, seed=1, unseen_wording=True)}
    assert not train & unseen


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
    "options", [{"split": "dev"}, {"tasks": ["flying"]}, {"families": ["lists"], "tasks": ["add"]}]
)
def test_an_invalid_choice_is_rejected(options):
    with pytest.raises(ValueError, match=r"split|task"):
        sample(3, seed=0, **options)


def test_an_example_survives_json():
    for example in ALL_EXAMPLES[:200]:
        assert Example.from_dict(json.loads(json.dumps(example.to_dict()))) == example
