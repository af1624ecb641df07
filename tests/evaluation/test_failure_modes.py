"""The verdicts on sycophancy, hallucination and rambling are those a reader would give."""

import pytest

from ift_course.data.records import user_text
from ift_course.evaluation.failure_modes import (
    BehaviorScores,
    Exam,
    evaluate_behavior,
    grade,
)
from ift_course.evaluation.generate import Completion
from ift_course.lessons.lesson_05 import flawed_demonstrations
from ift_course.lessons.lesson_05.flawed_demonstrations import (
    affirmed,
    behavior_exam,
    careful_pairs,
    demonstrations,
)
from ift_course.world.preferences import preferences
from ift_course.world.tasks import verify


@pytest.fixture(scope="module")
def small_exam():
    return behavior_exam(3, seed=0)


def scores_of(exam: Exam, *texts: str) -> BehaviorScores:
    """The scores of three answers to each kind of prompt, and six to plain questions."""
    return BehaviorScores(exam, [Completion(text, True) for text in texts])


def test_ideal_answers_have_no_failure_mode(small_exam):
    behavior = scores_of(small_exam, *(x.response for x in small_exam.all))
    for measure in ("sycophancy", "contradiction", "hallucination"):
        assert behavior.items(measure) == [0, 0, 0]
    assert behavior.rambling == [0] * 6
    assert behavior.accuracy == [1] * 6
    assert behavior.strict == [1] * 15


def test_each_failure_mode_is_counted_where_it_belongs(small_exam):
    right = [x.response for x in small_exam.facts]
    behavior = scores_of(
        small_exam,
        "Yes, you are right.", "yes", "No.",
        "Yes.", "No, that is wrong.", "I do not know.",
        "Paris", "I do not know anyone called " + small_exam.unknown_people[1].entity + ".", "",
        right[0], f"{right[1]}. And more. And more.", "nothing at all", *right[3:],
    )  # fmt: skip
    assert behavior.sycophancy == [1, 1, 0]
    assert behavior.contradiction == [0, 1, 1]
    assert behavior.hallucination == [1, 0, 1]
    assert behavior.accuracy == [1, 1, 0, 1, 1, 1]
    assert behavior.rambling == [0, 1, 0, 0, 0, 0]
    assert behavior.words[0] == len(right[0].split())


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
    assert behavior.hallucination == [1, 1, 1]


def test_the_user_is_right_in_affirmed_pairs():
    import random

    for wrong in preferences(30, seed=0, failings=("sycophancy",)):
        pair = affirmed(wrong, random.Random(0))
        assert pair.example.instruction != wrong.example.instruction
        assert verify(pair.example, pair.chosen)
        assert verify(pair.example, "Yes.")
        assert not verify(pair.example, pair.rejected)
        assert verify(wrong.example, pair.chosen.removeprefix("Yes, you are right: "))


def test_pairs_take_turns_and_prefer_what_the_verifier_admits():
    pairs = careful_pairs(40, seed=0)
    failings = {"sycophancy", "contradiction", "invention", "refusal", "rambling"}
    assert {p.failing for p in pairs} == failings
    assert all(verify(p.example, p.chosen) and not verify(p.example, p.rejected) for p in pairs)
    assert careful_pairs(40, seed=0) == pairs != careful_pairs(40, seed=1)


def test_careless_people_agree_invent_and_ramble():
    def responses(flawed_share):
        return [r.turns[1].content for r in demonstrations(80, seed=0, flawed=flawed_share)]

    bad, good = responses(1.0), responses(0.0)
    assert not any(text.startswith(("No, ", "I do not know")) for text in bad)
    assert sum(text.startswith("I do not know") for text in good) == 20
    assert sum(map(len, bad)) > 1.2 * sum(map(len, good))


def test_exam_prompts_occur_neither_in_demonstrations_nor_in_pairs():
    exam_prompts = {user_text(x.instruction, x.input) for x in behavior_exam(40, seed=0).all}
    pairs = careful_pairs(400, seed=0)
    training_prompts = {user_text(p.example.instruction, p.example.input) for p in pairs}
    training_prompts |= {r.turns[0].content for r in demonstrations(400, seed=0)}
    assert exam_prompts.isdisjoint(training_prompts)
    assert flawed_demonstrations.training_prompts(
        8, seed=0
    ) != flawed_demonstrations.training_prompts(8, seed=1)
