"""Lesson 07's grid: the training set of each generation, and the lesson's figures."""

import math

import pytest
from ift_course.lessons.lesson_07.teacher_pool import Harvest, StoredPool

from ift_course.claims import grid_store
from ift_course.errors import CourseError
from ift_course.evaluation.generate import Completion
from ift_course.evaluation.score import Scores
from ift_course.lessons.lesson_07 import experiment, figures, pipeline
from ift_course.lessons.lesson_07.experiment import (
    FILTERED,
    GENERATIONS,
    GRID,
    UNFILTERED,
    Generation,
    StudentConfig,
    StudentResult,
)
from ift_course.lessons.lesson_07.pipeline import AnsweredInstruction
from ift_course.lessons.lesson_07.selection import CHOICES
from ift_course.lessons.lesson_07.sizes import SIZES
from ift_course.models.fingerprint import base_identity
from ift_course.profile import get_profile

TINY = get_profile("tiny")
FRANCE, OWL = "What is the capital of France?", "Name the sound of the owl."
RAMBLING = "Paris. The owl eats mice."


def answered(instruction: str, *answers: str, rewards=()) -> AnsweredInstruction:
    completions = tuple(Completion(text, True) for text in answers)
    return AnsweredInstruction(instruction, completions, tuple(rewards))


def make_generation(items: str = "1100", **changes) -> Generation:
    values = dict(
        items=items, knows=items, words=1.0, right=0.5, different=2, sense=1.0, facts=2, kinds=2
    )
    return Generation(**(values | changes))


def make_result(config: StudentConfig, seed: int, *generations: Generation) -> StudentResult:
    return StudentResult(
        config=config, seed=seed, generations=list(generations), seconds=1.0, date="2026-11-20",
        base=base_identity(TINY), machine="a machine", threads=1,
    )  # fmt: skip


@pytest.fixture
def trained(monkeypatch):
    """Models are strings and learn nothing; returns the training set of each student."""
    training_sets: list[list[str]] = []
    pool = [answered(FRANCE, "Paris", RAMBLING, rewards=(0.1, 0.9)),
            answered(OWL, "hoot", "moo", rewards=(0.2, 0.1))]  # fmt: skip
    stored = StoredPool(Harvest(2, [], []), pool, base_identity(TINY))

    def fine_tune(profile, records, seed, **options):
        training_sets.append([record.turns[-1].content for record in records])
        return f"student {len(training_sets)}", "tokenizer"

    def score(model, tokenizer, examples, **options):
        return Scores(examples, [Completion(x.response, True) for x in examples],
                      [True] * len(examples))  # fmt: skip

    def sample_answers(model, tokenizer, texts, *, seed, sizes, answers):
        longer = [f"{model} says so {n} times" for n in range(1, answers)]
        return [answered(text, f"{model} says so", *longer) for text in texts]

    monkeypatch.setitem(SIZES, "tiny", SIZES["smollm2"])
    monkeypatch.setattr(experiment, "get_pool", lambda profile, seed: stored)
    monkeypatch.setattr(experiment, "score", score)
    monkeypatch.setattr(pipeline, "fine_tune", fine_tune)
    monkeypatch.setattr(pipeline, "writer_stage", lambda *_: ("writer", "t"))
    monkeypatch.setattr(
        pipeline, "write_instructions", lambda m, t, known, n, **o: [Completion(FRANCE, True), *(
            [Completion("What now?", True)] * (n - 1))])  # fmt: skip
    monkeypatch.setattr(
        experiment, "collect_instructions",
        lambda sizes, *_, may_run_dry: Harvest(9, [f"new {i}" for i in range(sizes.instructions)],
                                              [9]),
    )  # fmt: skip
    monkeypatch.setattr(pipeline, "sample_answers", sample_answers)
    return training_sets


def test_a_config_tunes_on_its_choice(trained):
    result = experiment.run_config(StudentConfig("judge's best of each"), 0, TINY)
    assert trained == [[RAMBLING, "hoot"]]
    [generation] = result.generations
    assert (generation.right, generation.different, generation.facts) == (0.5, 2, 2)
    assert (generation.kinds, generation.sense) == (2, 1.0)
    assert generation.accuracy == 1.0


def test_later_generations_learn_from_the_student_before_them(trained):
    result = experiment.run_config(StudentConfig(FILTERED, generations=3), 0, TINY)
    assert len(result.generations) == 3
    assert set(trained[1]) == {"student 1 says so"}
    assert set(trained[2]) == {"student 2 says so"}
    assert result.generations[1].different == SIZES["tiny"].instructions


def test_without_a_filter_repetitions_stay_and_only_the_exam_is_left_out(trained):
    result = experiment.run_config(StudentConfig(UNFILTERED, generations=2), 0, TINY)
    assert set(trained[1]) == {"student 1 says so"}
    assert len(trained[1]) == SIZES["tiny"].instructions
    assert result.generations[1].different == 1 and result.generations[1].sense == 0.0


def test_the_grid_has_a_choice_once_and_the_chains_come_last():
    choices = [config.choice for config in GRID]
    assert len(set(choices)) == len(choices) and set(choices) <= set(CHOICES)
    chains = [config.choice for config in GRID if config.generations == GENERATIONS]
    assert chains == choices[-2:] == [UNFILTERED, FILTERED]


def test_results_go_to_the_store_and_come_back(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(grid_store, "evidence_root", lambda: tmp_path / "nothing" / "results")
    results = [
        make_result(GRID[-1], 1, make_generation(), make_generation("0000")),
        make_result(GRID[0], 0, make_generation()),
    ]
    for result in results:
        grid_store.add(TINY, "07", result)
    stored = grid_store.read(TINY, "07", StudentResult)
    assert {(r.config, r.seed): r for r in stored} == {(r.config, r.seed): r for r in results}


class TestFigures:
    def test_types_separate_right_from_wrong_and_short_from_rambling(self):
        france = pipeline.to_question(FRANCE)
        for text, finished, kind in (
            ("Paris", True, "right"),
            ("The capital of France is Paris.", True, "right"),
            (RAMBLING, True, "right, and more"),
            ("Paris", False, "right, and more"),
            ("Rome", True, "wrong"),
            ("Rome. The owl eats mice.", True, "wrong, and more"),
            ("", True, "wrong"),
        ):
            assert figures.answer_type(france, Completion(text, finished)) == kind

    def test_preferred_counts_pairs_of_one_instruction_with_ties_as_halves(self):
        pool = [
            answered(FRANCE, "Paris", RAMBLING, "Rome", rewards=(2.0, 1.0, 2.0)),
            answered(OWL, "hoot", "moo", rewards=(-5.0, -6.0)),
            answered("Nonsense?", "a", "b", rewards=(0.0, 1.0)),
        ]
        assert figures.preferred(pool) == pytest.approx((1 + 0.5 + 1) / 3)
        right, more, wrong, _ = figures.ANSWER_TYPES
        assert figures.preferred(pool, [right], [more]) == 1.0
        assert figures.preferred(pool, [more], [wrong]) == 0.0
        assert math.isnan(figures.preferred(pool[2:]))

    def test_most_mixed_is_nearest_to_half_right_and_the_first_of_equals(self):
        one_of_four = answered(FRANCE, "Paris", "Rome", "Rome", "Rome")
        halves = [answered(OWL, "hoot", "moo"), answered(FRANCE, "Paris", "Rome")]
        assert figures.most_mixed([one_of_four, *halves]) is halves[0]

    def test_without_right_and_wrong_answers_most_mixed_names_the_remedy(self):
        pool = [
            answered(FRANCE, "Paris", "Paris"),
            answered(OWL, "moo"),
            answered("Nonsense?", "a", "b"),
        ]
        with pytest.raises(CourseError, match=r"all right or all wrong.*temperature"):
            figures.most_mixed(pool)

    def test_shares_are_of_sensible_instructions(self):
        pool = [answered(OWL, "hoot", "moo"), answered("Nonsense?", "hoot")]
        assert figures.shares_by_type(pool) == {
            "right": 0.5, "right, and more": 0.0, "wrong": 0.5, "wrong, and more": 0.0,
        }  # fmt: skip

    def test_arms_are_the_first_students_by_seed_in_the_order_of_the_choices(self):
        chain, single = StudentConfig(UNFILTERED, 2), StudentConfig("all")
        results = [
            make_result(chain, 1, make_generation("1111"), make_generation("0000")),
            make_result(chain, 0, make_generation("1000"), make_generation("1100")),
            make_result(single, 1, make_generation("0111")),
            make_result(single, 0, make_generation("0011")),
        ]
        arms = figures.arms(results)
        assert list(arms) == ["all", UNFILTERED]
        assert arms["all"] == [[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0]]
        assert arms[UNFILTERED] == [[1.0, 0.0, 0.0, 0.0], [1.0, 1.0, 1.0, 1.0]]
        accuracy = figures.over_generations(results, UNFILTERED, "accuracy")
        assert accuracy == [[0.25, 1.0], [0.5, 0.0]]
