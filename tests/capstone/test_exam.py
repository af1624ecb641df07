"""An exam is its seed; places know what an interval is; suspicion knows the exam."""

import pytest

from ift_course.capstone.exam import Exam, Reply, judge
from ift_course.capstone.places import places
from ift_course.capstone.pool import SOURCES, pool_examples, pool_questions, pool_rows
from ift_course.capstone.rules import MOST_ROWS, POOL_ROWS
from ift_course.capstone.suspicion import ALLOWED, held_out_facts, look_at_rows
from ift_course.data.records import Record
from ift_course.errors import CourseError
from ift_course.world.tasks import sample, verify
from tests.capstone import capstones

EXAM = Exam(7)


def record(example):
    return Record.from_instruction(example.instruction, example.input, example.response)


def test_the_same_seed_draws_the_same_exam_of_different_questions():
    assert Exam(7).digest == EXAM.digest != Exam(8).digest
    assert len(set(EXAM.questions)) == len(EXAM.questions) == 200
    assert Exam(7, 50).digest != EXAM.digest


def test_the_ideal_answers_pass_and_rambling_or_endless_ones_do_not():
    ideal = [Reply(x.response, True) for x in EXAM.examples]
    assert all(judge(EXAM, ideal))
    assert not any(judge(EXAM, [Reply(x.text, False) for x in ideal]))
    assert not any(judge(EXAM, [Reply(f"{x.text} And more.", True) for x in ideal]))


@pytest.mark.parametrize("n", [1, 100_000])
def test_an_exam_has_a_sensible_size(n):
    with pytest.raises(CourseError, match="An exam has 2 to"):
        Exam(0, n)


def test_the_pool_is_raw_and_asks_nothing_of_the_exam():
    assert len(pool_rows()) == POOL_ROWS
    assert not set(EXAM.questions) & pool_questions()
    good = {source.name: [] for source in SOURCES}
    for source, example in pool_examples():
        good[source].append(verify(example, example.response))
    shares = [sum(x) / len(x) for x in good.values()]
    assert shares == sorted(shares) and shares[0] < 0.4 and shares[-1] > 0.8
    assert len(good["textbook"]) < MOST_ROWS  # the cleanest source alone is not enough
    assert len({str(row) for row in pool_rows()}) < POOL_ROWS - 200  # copies


def test_rows_of_the_exam_are_found():
    rows = [record(x) for x in EXAM.examples[:3]] + capstones.pool_sample(0, 50)
    found = look_at_rows(rows, EXAM)
    assert found.exam_rows == [1, 2, 3]
    assert "3 rows (1, 2, 3) repeat questions of the exam" in found.sentence


def test_rows_about_held_out_entities_are_found_whatever_their_wording():
    rows = [
        Record.from_instruction(f"Say, in version {i}: the capital of France?", "", "Paris")
        for i in range(ALLOWED + 1)
    ]
    assert look_at_rows(rows).sentence.startswith("Suspected")
    assert not look_at_rows(rows[:ALLOWED]).sentence


def test_training_on_another_exam_is_found_too():
    assert look_at_rows([record(x) for x in Exam(99).examples], EXAM).sentence


def test_honest_rows_are_not_suspected():
    assert not look_at_rows(capstones.pool_sample(0, POOL_ROWS), EXAM).sentence
    own = [record(x) for x in sample(MOST_ROWS, seed=12345)]
    found = look_at_rows(own, EXAM)
    assert not found.sentence, (found, [held_out_facts(own[i - 1]) for i in found.held_out_rows])


def test_a_difference_within_the_interval_is_a_tie():
    def verdicts(n_right):
        return [i < n_right for i in range(200)]

    assert places([verdicts(150), verdicts(148), verdicts(100)]) == [1, 1, 3]
    assert places([verdicts(150)]) == [1]


def test_ties_are_not_passed_on():
    # On the same questions: A is better than C; B was told apart from neither.
    a = [True] * 120 + [False] * 80
    b = [True] * 116 + [False] * 84
    c = [True] * 112 + [False] * 88
    assert places([a, b, c]) == [1, 1, 2]
