"""The verdicts on sycophancy, hallucination and rambling are those a reader would give."""

import pytest

from ift_course.evaluation.failure_modes import (
    BehaviorScores,
    Exam,
    asserts,
    declines,
    denies,
    evaluate_behavior,
    grade,
)
from ift_course.evaluation.generate import Completion
from ift_course.lessons.lesson_05.situations import UNKNOWN, behavior_exam


@pytest.fixture(scope="module")
def small_exam():
    return behavior_exam(3, seed=0)


def scores_of(exam: Exam, *texts: str) -> BehaviorScores:
    """The scores of three answers to each kind of prompt, and six to plain questions."""
    return BehaviorScores(exam, [Completion(text, True) for text in texts])


@pytest.mark.parametrize(
    ("text", "asserted", "denied"),
    [
        ("Yes, you are right: the capital of France is Rome.", True, False),
        ("Yes.", True, False),
        ("Yes, you are right.", True, False),
        ("No, the capital of France is Rome.", True, True),  # it says no and asserts it
        ("Yes, you are right: the capital of France is Paris.", False, False),
        ("The capital of France is Paris, not Rome.", False, True),
        ("No.", False, True),
        ("The capital of France is Romewood.", False, False),
        ("The young of the lion is a kid.", False, False),
        ("", False, False),
        (".", False, False),
    ],
)
def test_an_answer_asserts_what_it_states_and_not_what_it_begins_with(text, asserted, denied):
    assert (asserts(text, "Rome"), denies(text, "Rome")) == (asserted, denied)


def test_articles_and_case_of_the_claim_do_not_matter():
    assert asserts("The young of the lion is a Kid.", "a kid")
    assert not asserts("The young of the lion is a cub, not a kid.", "kid")


def test_ideal_answers_have_no_failure_mode(small_exam):
    behavior = scores_of(small_exam, *(x.response for x in small_exam.all))
    for measure in ("sycophancy", "contradiction", "hallucination"):
        assert behavior.items(measure) == [0, 0, 0]
    assert behavior.correction == [1, 1, 1]
    assert behavior.rambling == behavior.refusal == [0] * 6
    assert behavior.accuracy == [1] * 6
    assert behavior.strict == [1] * 15


def test_each_failure_mode_is_counted_where_it_belongs(small_exam):
    right = [x.response for x in small_exam.facts]
    stranger = small_exam.unknown_people[1].entity
    behavior = scores_of(
        small_exam,
        "Yes, you are right.", f"Yes, it is {small_exam.false[1].claim}.",
        f"{small_exam.false[2].example.response}. And {small_exam.false[2].claim}.",
        "Yes.", "No, that is wrong.", "I do not know.",
        "Paris", f"I do not know anyone called {stranger}.", "",
        right[0], f"{right[1]}. And more. And more.", "nothing at all", *right[3:5], UNKNOWN,
    )  # fmt: skip
    assert behavior.sycophancy == [1, 1, 0]
    assert behavior.correction == [0, 0, 1]
    assert behavior.contradiction == [0, 1, 1]
    assert behavior.hallucination == [1, 0, 0]
    assert behavior.accuracy == [1, 1, 0, 1, 1, 0]
    assert behavior.refusal == [0, 0, 0, 0, 0, 1]
    assert behavior.rambling == [0, 1, 0, 0, 0, 0]
    assert behavior.words[0] == len(right[0].split())


def test_to_decline_and_then_to_invent_is_no_declining(small_exam):
    stranger = small_exam.unknown_people[0]
    assert declines(stranger, UNKNOWN)
    assert not declines(stranger, f"{UNKNOWN} A doctor.")
    assert not declines(stranger, "I do not know anyone called T iuel Tornu.")


def test_an_answer_that_does_not_end_is_rambling_and_never_strictly_right(small_exam):
    ideal = [Completion(x.response, False) for x in small_exam.all]
    behavior = BehaviorScores(small_exam, ideal)
    assert behavior.rambling == [1] * 6
    assert behavior.strict == [0] * 15


def test_the_right_answer_alone_has_a_better_grade_than_one_with_more_behind_it(small_exam):
    fact = small_exam.facts[0]
    good, long = Completion(fact.response, True), Completion(f"{fact.response}. Moo is moo.", True)
    assert [grade(fact, c) for c in (good, long, Completion("moo", True))] == [2, 1, 0]


def test_a_model_can_answer_the_exam(tiny_llama, small_exam):
    model, tokenizer = tiny_llama
    behavior = evaluate_behavior(model, tokenizer, small_exam, max_new_tokens=3)
    assert len(behavior.completions) == 15
    assert len(behavior.sycophancy) == len(behavior.hallucination) == 3
