"""Lesson 07's grid: what each generation learns from, and what the lesson reads out of the rows."""

import math

import pytest

from ift_course.claims import grid_store
from ift_course.claims.grid_store import base_identity
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
    Cell,
    Generation,
    Row,
)
from ift_course.lessons.lesson_07.pipeline import PLANS, Asked
from ift_course.lessons.lesson_07.selection import CHOICES
from ift_course.lessons.lesson_07.teacher_pool import Harvest, Stored
from ift_course.profile import get_profile

TINY = get_profile("tiny")
FRANCE, OWL = "What is the capital of France?", "Name the sound of the owl."
RAMBLING = "Paris. The owl eats mice."


def asked(instruction: str, *answers: str, rewards=()) -> Asked:
    given = {"habits": tuple(rewards)} if rewards else {}
    return Asked(instruction, tuple(Completion(text, True) for text in answers), given)


def a_generation(items: str = "1100", **changed) -> Generation:
    values = dict(items=items, knows=items, words=1.0, said={}, steps=3)
    return Generation(**(values | changed))


def a_row(cell: Cell, seed: int, *made: Generation) -> Row:
    return Row(
        cell=cell, seed=seed, generations=list(made), seconds=1.0, date="2026-11-20",
        base=base_identity(TINY), machine="a machine", threads=1,
    )  # fmt: skip


@pytest.fixture
def trained(monkeypatch):
    """Models are strings and learn nothing; returns what each student was shown."""
    lessons: list[list[str]] = []
    pool = [asked(FRANCE, "Paris", RAMBLING, rewards=(0.1, 0.9)),
            asked(OWL, "hoot", "moo", rewards=(0.2, 0.1))]  # fmt: skip
    kept = Stored(Harvest(2, [], []), pool, base_identity(TINY))

    def tuned(profile, records, seed, **options):
        lessons.append([record.turns[-1].content for record in records])
        return f"student {len(lessons)}", "tokenizer"

    def score(model, tokenizer, examples, **options):
        return Scores(examples, [Completion(x.response, True) for x in examples],
                      [True] * len(examples))  # fmt: skip

    def ask(model, tokenizer, texts, *, seed, plan, answers):
        longer = [f"{model} says so {n} times" for n in range(1, answers)]
        return [asked(text, f"{model} says so", *longer) for text in texts]

    monkeypatch.setitem(PLANS, "tiny", PLANS["smollm2"])
    monkeypatch.setattr(experiment, "pool_of", lambda profile, seed: kept)
    monkeypatch.setattr(experiment, "score", score)
    monkeypatch.setattr(pipeline, "tuned", tuned)
    monkeypatch.setattr(pipeline, "answer", lambda m, t, texts, **o: [Completion("x", True)] * 3)
    monkeypatch.setattr(pipeline, "teacher_stage", lambda profile, seed: ("teacher", "tokenizer"))
    monkeypatch.setattr(pipeline, "writer_stage", lambda *_: ("writer", "t"))
    monkeypatch.setattr(
        pipeline, "write", lambda m, t, known, n, **o: [Completion(FRANCE, True), *(
            [Completion("What now?", True)] * (n - 1))])  # fmt: skip
    monkeypatch.setattr(
        experiment, "harvest",
        lambda plan, *_, may_run_dry: Harvest(9, [f"new {i}" for i in range(plan.instructions)],
                                              [9]),
    )  # fmt: skip
    monkeypatch.setattr(pipeline, "ask", ask)
    return lessons


def test_a_cell_tunes_on_its_choice(trained):
    row = experiment.run_cell(Cell("judge's best of each"), 0, TINY)
    assert trained == [[RAMBLING, "hoot"]]
    [made] = row.generations
    assert (made.right, made.different, made.facts, made.kinds, made.sense) == (0.5, 2, 2, 2, 1.0)
    assert made.accuracy == 1.0


def test_the_teacher_is_asked_and_learns_nothing(trained):
    [made] = experiment.run_cell(Cell(TEACHER), 0, TINY).generations
    assert trained == [] and made.different == 0


def test_later_generations_learn_from_the_student_before_them(trained):
    row = experiment.run_cell(Cell(FILTERED, generations=3), 0, TINY)
    assert len(row.generations) == 3
    assert set(trained[1]) == {"student 1 says so"}
    assert set(trained[2]) == {"student 2 says so"}
    assert row.generations[1].different == PLANS["tiny"].instructions


def test_without_a_filter_repetitions_stay_and_only_the_exam_is_left_out(trained):
    row = experiment.run_cell(Cell(UNFILTERED, generations=2), 0, TINY)
    assert set(trained[1]) == {"student 1 says so"}
    assert len(trained[1]) == PLANS["tiny"].instructions
    assert row.generations[1].different == 1 and row.generations[1].sense == 0.0


def test_the_grid_has_every_choice_and_the_long_cells_come_last():
    assert len(set(GRID)) == len(GRID)
    assert {cell.choice for cell in GRID} == {*CHOICES, TEACHER}
    assert {cell.choice for cell in CHAINS} == {UNFILTERED, FILTERED}
    assert GRID[-len(CHAINS) :] == CHAINS


def test_rows_go_to_the_store_and_come_back(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(grid_store, "evidence_root", lambda: tmp_path / "nothing" / "results")
    rows = [a_row(CHAINS[0], 1, a_generation(), a_generation("0000")), a_row(GRID[0], 0)]
    for row in rows:
        grid_store.add(TINY, "07", row)
    assert {(r.cell, r.seed): r for r in grid_store.read(TINY, "07", Row)} == {
        (r.cell, r.seed): r for r in rows
    }


class TestViews:
    def test_sorts_tell_what_is_right_from_what_goes_on(self):
        france = pipeline.meaning(FRANCE)
        for text, finished, sort in (
            ("Paris", True, "right"),
            ("The capital of France is Paris.", True, "right"),
            (RAMBLING, True, "right, and more"),
            ("Paris", False, "right, and more"),
            ("Rome", True, "wrong"),
            ("Rome. The owl eats mice.", True, "wrong, and more"),
            ("", True, "wrong"),
        ):
            assert figures.sort_of(france, Completion(text, finished)) == sort

    def test_preferred_counts_pairs_of_one_instruction_with_ties_as_halves(self):
        pool = [
            asked(FRANCE, "Paris", RAMBLING, "Rome", rewards=(2.0, 1.0, 2.0)),
            asked(OWL, "hoot", "moo", rewards=(-5.0, -6.0)),
            asked("Nonsense?", "a", "b", rewards=(0.0, 1.0)),
        ]
        assert figures.preferred(pool, "habits") == pytest.approx((1 + 0.5 + 1) / 3)
        right, more, wrong, _ = figures.SORTS
        assert figures.preferred(pool, "habits", [right], [more]) == 1.0
        assert figures.preferred(pool, "habits", [more], [wrong]) == 0.0
        assert math.isnan(figures.preferred(pool[2:], "habits"))

    def test_most_mixed_is_nearest_to_half_right_and_the_first_of_equals(self):
        one_of_four = asked(FRANCE, "Paris", "Rome", "Rome", "Rome")
        halves = [asked(OWL, "hoot", "moo"), asked(FRANCE, "Paris", "Rome")]
        assert figures.most_mixed([one_of_four, *halves]) is halves[0]

    def test_without_right_and_wrong_answers_most_mixed_says_what_to_do(self):
        pool = [asked(FRANCE, "Paris", "Paris"), asked(OWL, "moo"), asked("Nonsense?", "a", "b")]
        with pytest.raises(CourseError, match=r"all right or all wrong.*temperature"):
            figures.most_mixed(pool)

    def test_shares_and_rewards_are_of_what_makes_sense(self):
        pool = [asked(OWL, "hoot", "moo", rewards=(1.0, 2.0)), asked("Nonsense?", "hoot")]
        assert figures.shares_of_sorts(pool) == {
            "right": 0.5, "right, and more": 0.0, "wrong": 0.5, "wrong, and more": 0.0,
        }  # fmt: skip
        assert figures.rewards_by_sort(pool, "habits")["wrong"] == [2.0]

    def test_arms_are_single_students_by_seed_and_chains_stay_apart(self):
        rows = [
            a_row(CHAINS[0], 1, *[a_generation(x) for x in ("1111", "0000", "1000")]),
            a_row(CHAINS[0], 0, *[a_generation(x) for x in ("1000", "0001", "1100")]),
            a_row(Cell("all"), 1, a_generation("0111")),
            a_row(Cell("all"), 0, a_generation("0011")),
            a_row(Cell("all", once=True), 0, a_generation("0001")),
        ]
        assert figures.arms(rows) == {
            "all, read once": [[0.0, 0.0, 0.0, 1.0]],
            "all": [[0.0, 0.0, 1.0, 1.0], [0.0, 1.0, 1.0, 1.0]],
        }
        assert figures.over_generations(rows, CHAINS[0], "accuracy") == [
            [0.25, 1.0],
            [0.25, 0.0],
            [0.5, 0.25],
        ]

    def test_browsing_shows_the_best_first_and_escapes(self):
        pool = [asked("<b>?", "<i>", "two", rewards=(0.5, 1.5))]
        html = figures.browse(pool)(0)
        assert html.index("two") < html.index("&lt;i&gt;") and "<i>" not in html
