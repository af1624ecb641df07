"""Lesson 07's grid: the training set of each generation, the figures and their sentences."""

from dataclasses import replace
from statistics import fmean

import pytest

from ift_course.claims import grid_store
from ift_course.errors import CourseError
from ift_course.evaluation.generate import Completion
from ift_course.evaluation.judge import Verdict
from ift_course.evaluation.score import Scores
from ift_course.lessons.lesson_07 import experiment, figures, pipeline
from ift_course.lessons.lesson_07.experiment import (
    CHAINS,
    CHOSEN,
    GENERATIONS,
    GRID,
    KEPT,
    PEOPLE,
    REPLACED,
    WEAKER,
    Generation,
    StudentConfig,
    StudentResult,
)
from ift_course.lessons.lesson_07.selection import CHOICES, JUDGE
from ift_course.lessons.lesson_07.sizes import SIZES
from ift_course.models.fingerprint import base_identity
from ift_course.profile import get_profile
from tests.lessons.lesson_07.test_pipeline import FRANCE, ITALY, SPAIN, answered

TINY = get_profile("tiny")


def make_generation(items: str = "1100", **changes) -> Generation:
    values = dict(items=items, examples=2, right=0.5, different=2, words=1.0)
    return Generation(**(values | changes))


def make_result(config: StudentConfig, seed: int, *items: str) -> StudentResult:
    return StudentResult(
        config=config, seed=seed, generations=list(map(make_generation, items)), seconds=1.0,
        date="2026-11-20", base=base_identity(TINY), machine="a machine", threads=1,
    )  # fmt: skip


class TrainingSets(list):
    """The answers that each student learned from, and from which base it started."""

    bases: list[str]


@pytest.fixture
def trained(monkeypatch):
    """Models are strings and learn nothing; returns the training set of each student."""
    training_sets = TrainingSets()
    bases = training_sets.bases = []
    pool = (answered(FRANCE, "Paris", "Rome", rewards=(-0.9, -0.1)),
            answered(SPAIN, "Madrid", "Oslo", rewards=(-0.1, -0.2)))  # fmt: skip

    def tune_student(profile, records, seed, base):
        bases.append(base)
        training_sets.append([record.turns[-1].content for record in records])
        return f"student {len(training_sets)}", "tokenizer"

    def score(model, tokenizer, examples, **options):
        return Scores(examples, [Completion(x.response, True) for x in examples],
                      [True] * len(examples))  # fmt: skip

    def sample_answers(model, tokenizer, asked, *, seed, sizes, answers):
        assert answers == 1
        return [answered(x, f"{model} says {seed}") for x in asked]

    monkeypatch.setitem(SIZES, "tiny", replace(SIZES["tiny"], exam=3))
    monkeypatch.setattr(pipeline, "questions", lambda sizes, seed: [FRANCE, SPAIN])
    monkeypatch.setattr(pipeline, "make_pool", lambda profile, seed: pool)
    monkeypatch.setattr(pipeline, "tune_student", tune_student)
    monkeypatch.setattr(pipeline, "sample_answers", sample_answers)
    monkeypatch.setattr(experiment, "score", score)
    return training_sets


def test_a_config_tunes_on_its_choice(trained):
    result = experiment.run_config(StudentConfig(JUDGE), 0, TINY)
    assert trained == [["Rome", "Madrid"]]
    [generation] = result.generations
    assert (generation.examples, generation.right, generation.different) == (2, 0.5, 2)
    assert generation.accuracy == 1.0 and len(generation.scores) == 3


def test_where_answers_are_replaced_only_those_of_the_student_before_are_learned(trained):
    result = experiment.run_config(REPLACED, 7, TINY)
    assert trained == [["Paris", "Madrid"], *[[f"student {g} says {10 * g + 7}"] * 2
                                              for g in range(1, GENERATIONS)]]  # fmt: skip
    assert [x.right for x in result.generations] == [1.0, *[0.0] * (GENERATIONS - 1)]


def test_where_they_join_people_s_answers_stay_in_every_generation(trained):
    result = experiment.run_config(KEPT, 7, TINY)
    assert trained[0] == ["Paris", "Madrid"]
    for g in range(1, GENERATIONS):
        assert trained[g] == ["Paris", "Madrid", *[f"student {g} says {10 * g + 7}"] * 2]
    assert [x.examples for x in result.generations] == [2, *[4] * (GENERATIONS - 1)]


def test_the_weaker_student_learns_from_the_same_answers(trained):
    for config in (StudentConfig(JUDGE), WEAKER):
        experiment.run_config(config, 0, TINY)
    assert trained[0] == trained[1] and trained.bases == ["shipped", "prose"]


def test_the_grid_has_each_choice_both_chains_and_the_weaker_student_once():
    assert len(set(GRID)) == len(GRID) == len(CHOSEN) + len(CHAINS) + 1
    assert {x.choice for x in GRID} - {PEOPLE} <= set(CHOICES)


def test_results_go_to_the_store_and_come_back(tmp_path, monkeypatch):
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    monkeypatch.setattr(grid_store, "evidence_root", lambda: tmp_path / "nothing" / "results")
    results = [make_result(GRID[-1], 1, "11", "00"), make_result(GRID[0], 0, "10")]
    for result in results:
        grid_store.add(TINY, "07", result)
    stored = grid_store.read(TINY, "07", StudentResult)
    assert {(r.config, r.seed): r for r in stored} == {(r.config, r.seed): r for r in results}


GOOD, BAD = ["1" * 30] * 3, ["0" * 30] * 3


def arms(**items: list[str]) -> dict[str, list[list[float]]]:
    return {name: [list(map(float, seed)) for seed in seeds] for name, seeds in items.items()}


def chain(*by_generation: list[str]) -> list[StudentResult]:
    return [make_result(REPLACED, seed, *items)
            for seed, items in enumerate(zip(*by_generation, strict=True))]  # fmt: skip


class TestSentences:
    @pytest.mark.parametrize(
        ("first", "second", "verdict"),
        [(GOOD, BAD, "better"), (BAD, GOOD, "worse"), (GOOD, GOOD, "not decided")],
    )
    def test_a_comparison_says_what_the_interval_says(self, first, second, verdict):
        sentence = figures.comparison_sentence("a", "b", arms(a=first, b=second))
        assert sentence.startswith("a − b: ") and sentence.endswith(verdict)

    @pytest.mark.parametrize(
        ("first", "second", "fate"),
        [(GOOD, BAD, "as predicted"), (BAD, GOOD, "reverse"), (GOOD, GOOD, "does not decide it")],
    )
    def test_a_prediction_came_out_only_if_the_whole_interval_does(self, first, second, fate):
        assert fate in figures.prediction_sentence("a", "b", arms(a=first, b=second))

    @pytest.mark.parametrize(
        ("first", "last", "change"),
        [(GOOD, BAD, "falls"), (BAD, GOOD, "rises"), (GOOD, GOOD, "does not clearly change")],
    )
    def test_a_chain_falls_only_if_the_interval_is_below_zero(self, first, last, change):
        sentence = figures.collapse_sentence({"replace": chain(first, last)})
        assert f"the accuracy {change} from generation 1 to 2" in sentence

    @pytest.mark.parametrize(
        ("right", "different", "words"),
        [(0.1, 1, "both happen"), (0.1, 9, "not yet the loss of rare"),
         (0.9, 1, "but not more errors"), (0.9, 9, "nothing collapses")],
    )  # fmt: skip
    def test_the_cause_of_a_collapse_is_read_off_the_training_sets(self, right, different, words):
        first = make_generation(right=0.5, different=5)
        last = make_generation(right=right, different=different)
        result = make_result(REPLACED, 0).model_copy(update={"generations": [first, last]})
        assert words in figures.cause_sentence([result])

    def test_the_title_over_the_students_names_the_best_and_the_worst(self):
        figure = figures.students(arms(a=GOOD, b=BAD))
        assert "“a” reaches 1.00 and “b” 0.00" in figure.alt

    def test_the_title_over_the_generations_names_both_ends(self):
        figure = figures.generations({"replace": chain(GOOD, BAD), "join": chain(GOOD, GOOD)})
        title = figure.get_suptitle().replace("\n", " ")
        assert title == (
            "From 1.00 in generation 1 to 0.00 in generation 2 if models' answers replace "
            "people's, and to 1.00 if they join them"
        )

    @pytest.mark.parametrize(
        ("strong", "weak", "words"),
        [(GOOD, BAD, "it is behind"), (BAD, GOOD, "it is ahead"), (GOOD, GOOD, "told apart")],
    )
    def test_a_weaker_student_is_behind_only_beyond_the_interval(self, strong, weak, words):
        assert words in figures.weaker_sentence(chain(strong), chain(weak))

    def test_the_judges_sentence_counts_places_orders_and_winners(self):
        verdicts = [Verdict("A", "A"), Verdict("A", "B"), Verdict("B", "A"), Verdict("A", "A")]
        sentence = figures.judge_sentence(verdicts, ["first", "first", "first", "second"])
        assert "first in 75%" in sentence and "both orders for 50% of 4 pairs" in sentence
        assert "2 answers win in both orders, 1 of them right" in sentence

    def test_a_judge_without_winners_is_said_to_have_none(self):
        sentence = figures.judge_sentence([Verdict("A", "A")] * 3, ["first"] * 3)
        assert sentence.endswith("No answer wins in both orders.")

    def test_wrong_answers_that_begin_rightly_are_counted(self):
        pool = [answered(FRANCE, "Paris", "Parisian mice", "Rome"), answered(SPAIN, "Madrid")]
        assert figures.fault_sentence(pool).startswith("1 of the pool's 2 wrong answers begin")

    @pytest.mark.parametrize(
        ("lean", "finding"),
        [(1.0, "better than a coin"), (-1.0, "worse than a coin"), (None, "no better")],
    )
    def test_a_leaning_is_called_good_only_beyond_its_interval(self, lean, finding):
        truth = ["first", "second"] * 10
        signs = [1.0 if x == "first" else -1.0 for x in truth]
        leans = [lean * x for x in signs] if lean else [1.0] * 10 + [-1.0] * 10
        verdicts = [Verdict("A", "A", x) for x in leans]
        assert finding in figures.kappa_sentence(verdicts, truth)

    def test_lost_questions_are_those_without_a_right_answer(self):
        pool = [answered(FRANCE, "Paris", "Rome"), answered(ITALY, "Oslo", "Paris")]
        assert "asked 2 times: 1 of 2 questions" in figures.lost_sentence(pool)
        assert "capital (1 of 2)" in figures.lost_sentence(pool)


class TestPools:
    def test_most_mixed_is_nearest_to_half_right_and_the_first_of_equals(self):
        one_of_four = answered(FRANCE, "Paris", "Rome", "Rome", "Rome")
        halves = [answered(SPAIN, "Madrid", "Oslo"), answered(FRANCE, "Paris", "Rome")]
        assert figures.most_mixed([one_of_four, *halves]) is halves[0]

    def test_without_right_and_wrong_answers_most_mixed_names_the_remedy(self):
        with pytest.raises(CourseError, match=r"all right or all wrong.*temperature"):
            figures.most_mixed([answered(FRANCE, "Paris", "Paris"), answered(SPAIN, "Oslo")])

    def test_pairs_are_of_one_question_and_ties_count_as_halves(self):
        pool = [
            answered(FRANCE, "Paris", "Oslo", "Rome", rewards=(2.0, 1.0, 2.0)),
            answered(SPAIN, "Madrid", "Oslo", rewards=(-5.0, -4.0)),
        ]
        assert figures.ranked_well(pool) == pytest.approx(fmean([1, 0.5, 0]))

    def test_rows_of_the_pipeline_are_verified_by_their_question(self):
        rows = [
            {"prompt": [{"content": pipeline.text_of(x)}], "completion": [{"content": "Madrid"}]}
            for x in (FRANCE, SPAIN)
        ]
        assert figures.verify_rows([FRANCE, SPAIN], rows) == [False, True]
