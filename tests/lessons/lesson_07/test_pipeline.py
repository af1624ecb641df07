"""Lesson 07's pipeline: questions, answers, the judge's rewards, and what is chosen."""

from dataclasses import replace

import pytest

from ift_course.evaluation.generate import Completion
from ift_course.lessons.lesson_03.experiment import held_out
from ift_course.lessons.lesson_07 import pipeline
from ift_course.lessons.lesson_07.pipeline import AnsweredQuestion
from ift_course.lessons.lesson_07.selection import (
    ALL,
    CHOICES,
    JUDGE,
    JUDGE_OF_ALL,
    RANDOM,
    VERIFIER,
    records,
    share_right,
)
from ift_course.lessons.lesson_07.sizes import SIZES
from ift_course.profile import PROFILES, get_profile
from ift_course.world.tasks import FACT_TASKS, sample
from tests.families import make

TINY = get_profile("tiny")
CAPITALS = {
    x.entity: replace(x, instruction=f"What is the capital of {x.entity}?", input="")
    for split in ("train", "test")
    for x in sample(400, seed=0, tasks=["capital"], split=split)
}
FRANCE, SPAIN, ITALY = (CAPITALS[country] for country in ("France", "Spain", "Italy"))


def answered(question, *answers: str, finished: bool = True, rewards=()) -> AnsweredQuestion:
    completions = tuple(Completion(text, finished) for text in answers)
    return AnsweredQuestion(question, completions, rewards)


@pytest.fixture
def pool() -> list[AnsweredQuestion]:
    return [
        answered(FRANCE, "Paris. Rome.", "Rome", "Paris", rewards=(-0.1, -0.9, -0.5)),
        answered(SPAIN, "Paris", "Madrid", "Madrid", rewards=(-2.0, -1.5, -1.5)),
        answered(ITALY, "Paris", "Madrid", "Oslo", rewards=(-3.0, -4.0, -5.0)),
    ]


def test_every_profile_has_sizes_with_several_answers_to_each_question():
    assert set(SIZES) == set(PROFILES)
    assert all(sizes.answers > 1 for sizes in SIZES.values())


def test_on_tiny_the_best_tenth_is_one_of_ten():
    assert SIZES["tiny"].answers == 10


@pytest.mark.parametrize("seed", range(3))
def test_neither_the_teacher_nor_the_student_is_asked_about_an_entity_of_the_exam(seed):
    sizes = SIZES["tiny"]
    exam = {(x.task, x.entity) for x in held_out(seed, sizes.exam)}
    asked = [*pipeline.questions(sizes, seed), *pipeline.demonstrations(sizes, seed)]
    assert {x.task for x in asked} == set(FACT_TASKS)
    assert not exam & {(x.task, x.entity) for x in asked}


def test_right_is_the_strict_verdict():
    assert answered(FRANCE, "Paris", "Paris. Rome.", "Rome").right == [True, False, False]
    assert answered(FRANCE, "Paris", finished=False).right == [False]


def test_answers_are_sampled_in_groups_and_again_the_same_for_the_same_seed():
    model, tokenizer = make("qwen2-base")
    sizes = replace(SIZES["tiny"], tokens=3)

    def sampled(seed):
        asked = [FRANCE, SPAIN]
        return pipeline.sample_answers(model, tokenizer, asked, seed=seed, sizes=sizes, answers=4)

    items = sampled(0)
    assert [x.question for x in items] == [FRANCE, SPAIN]
    assert [len(x.answers) for x in items] == [4, 4]
    assert len({answer.text for x in items for answer in x.answers}) > 1
    assert sampled(0) == items != sampled(1)


def test_an_answer_ends_where_the_model_stops_and_is_unfinished_if_it_does_not():
    _, tokenizer = make("qwen2-base")
    owl, end = tokenizer("Owl.")["input_ids"], tokenizer.convert_tokens_to_ids("<|im_end|>")
    assert pipeline._completion(tokenizer, [*owl, end, end], {end}) == Completion("Owl.", True)
    assert pipeline._completion(tokenizer, owl, {end}) == Completion("Owl.", False)


def test_a_reward_is_the_mean_log_probability_of_the_answer_and_belongs_to_it(monkeypatch, pool):
    from ift_course.evaluation import perplexity

    def losses(model, tokenizer, judged, *, max_length):
        return [float(len(record.turns[-1].content)) for record in judged]

    monkeypatch.setattr(perplexity, "response_losses", losses)
    for item in pipeline.with_likelihoods(pool, "model", "tokenizer", 128):
        assert item.rewards == tuple(-float(len(x.text)) for x in item.answers)


@pytest.mark.parametrize("name", [RANDOM, JUDGE])
def test_a_choice_of_each_keeps_one_answer_to_every_question(pool, name):
    for seed in range(4):
        picks = CHOICES[name](pool, seed)
        assert [i for i, _ in picks] == [0, 1, 2] and picks == CHOICES[name](pool, seed)


def test_the_judge_prefers_high_rewards_whether_they_are_right_or_not(pool):
    picks = dict(CHOICES[JUDGE](pool, 0))
    assert picks[0] == 0 and picks[2] == 0 and picks[1] in (1, 2)
    assert share_right(pool, list(picks.items())) == pytest.approx(1 / 3)


def test_between_equal_rewards_chance_decides(pool):
    assert len({dict(CHOICES[JUDGE](pool, seed))[1] for seed in range(20)}) == 2


def test_the_best_of_all_may_leave_questions_out(pool):
    assert {i for i, _ in CHOICES[JUDGE_OF_ALL](pool, 0)} == {0}


def test_the_verifier_keeps_one_right_answer_and_only_questions_that_have_one(pool):
    for seed in range(5):
        picks = CHOICES[VERIFIER](pool, seed)
        assert share_right(pool, picks) == 1.0 and [i for i, _ in picks] == [0, 1]


def test_all_is_all_and_becomes_records(pool):
    picks = CHOICES[ALL](pool, 0)
    rows = records(pool, picks)
    assert len(rows) == 9
    assert [turn.content for turn in rows[2].turns] == ["What is the capital of France?", "Paris"]
