"""Lesson 07's grid: the training set of each generation, and the lesson's figures."""

import math

import pytest

from ift_course.claims import grid_store
from ift_course.errors import CourseError
from ift_course.evaluation.generate import Completion
from ift_course.evaluation.score import Scores
from ift_course.lessons.lesson_07 import experiment, figures, pipeline
from ift_course.lessons.lesson_07.experiment import (
    CHAINS,
    FILTERED,
    GRID,
    TEACHER,
    UNFILTERED,
    Generation,
    StudentConfig,
    StudentResult,
)
from ift_course.lessons.lesson_07.pipeline import AnsweredInstruction
from ift_course.lessons.lesson_07.selection import CHOICES
from ift_course.lessons.lesson_07.sizes import SIZES
from ift_course.lessons.lesson_07.teacher_pool import Harvest, StoredPool
from ift_course.models.fingerprint import base_identity
from ift_course.profile import get_profile

TINY = get_profile("tiny")
FRANCE, OWL = "What is the capital of France?", "Name the sound of the owl."
RAMBLING = "Paris. The owl eats mice."


def answered(instruction: str, *answers: str, rewards=()) -> AnsweredInstruction:
    by_judge = {"habits": tuple(rewards)} if rewards else {}
    completions = tuple(Completion(text, True) for text in answers)
    return AnsweredInstruction(instruction, completions, by_judge)


def make_generation(items: str = "1100", **changes) -> Generation:
    values = dict(items=items, knows=items, words=1.0, answers={}, steps=3)
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
    monkeypatch.setattr(
        pipeline, "generate_replies", lambda m, t, texts, **o: [Completion("x", True)] * 3
    )
    monkeypatch.setattr(pipeline, "teacher_stage", lambda profile, seed: ("teacher", "tokenizer"))
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


def test_the_teacher_is_tested_and_learns_nothing(trained):
    [generation] = experiment.run_config(StudentConfig(TEACHER), 0, TINY).generations
    assert trained == [] and generation.different == 0


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


def test_the_grid_has_every_choice_and_the_long_configs_come_last():
    assert len(set(GRID)) == len(GRID)
    assert {config.choice for config in GRID} == {*CHOICES, TEACHER}
    assert {config.choice for config in CHAINS} == {UNFILTERED, FILTERED}
    assert GRID[-len(CHAINS) :] == CHAINS


def test_results_go_to_the_store_and_come_back(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(grid_store, "evidence_root", lambda: tmp_path / "nothing" / "results")
    results = [
        make_result(CHAINS[0], 1, make_generation(), make_generation("0000")),
        make_result(GRID[0], 0),
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
        assert figures.preferred(pool, "habits") == pytest.approx((1 + 0.5 + 1) / 3)
        right, more, wrong, _ = figures.ANSWER_TYPES
        assert figures.preferred(pool, "habits", [right], [more]) == 1.0
        assert figures.preferred(pool, "habits", [more], [wrong]) == 0.0
        assert math.isnan(figures.preferred(pool[2:], "habits"))

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

    def test_shares_and_rewards_are_of_sensible_instructions(self):
        pool = [answered(OWL, "hoot", "moo", rewards=(1.0, 2.0)), answered("Nonsense?", "hoot")]
        assert figures.shares_by_type(pool) == {
            "right": 0.5, "right, and more": 0.0, "wrong": 0.5, "wrong, and more": 0.0,
        }  # fmt: skip
        assert figures.rewards_by_type(pool, "habits")["wrong"] == [2.0]

    def test_arms_are_single_students_by_seed_and_chains_stay_apart(self):
        results = [
            make_result(CHAINS[0], 1, *[make_generation(x) for x in ("1111", "0000", "1000")]),
            make_result(CHAINS[0], 0, *[make_generation(x) for x in ("1000", "0001", "1100")]),
            make_result(StudentConfig("all"), 1, make_generation("0111")),
            make_result(StudentConfig("all"), 0, make_generation("0011")),
            make_result(StudentConfig("all", once=True), 0, make_generation("0001")),
        ]
        assert figures.arms(results) == {
            "all, read once": [[0.0, 0.0, 0.0, 1.0]],
            "all": [[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0]],
        }
        assert figures.over_generations(results, CHAINS[0], "accuracy") == [
            [0.25, 1.0],
            [0.25, 0.0],
            [0.5, 0.25],
        ]

    def test_browsing_shows_the_best_first_and_escapes(self):
        pool = [answered("<b>?", "<i>", "two", rewards=(0.5, 1.5))]
        html = figures.browse(pool)(0)
        assert html.index("two") < html.index("&lt;i&gt;") and "<i>" not in html
