"""Lesson 05's prompts and pairs are what the lesson says of them."""

import random

from ift_course.data.records import user_text
from ift_course.evaluation.failure_modes import asserts
from ift_course.evaluation.generate import Completion
from ift_course.lessons.lesson_05.annotators import biased_pairs, checked_pairs
from ift_course.lessons.lesson_05.situations import (
    UNKNOWN,
    behavior_exam,
    belief,
    demonstrations,
    preference_prompts,
    situations,
    written_pairs,
)
from ift_course.world.tasks import verify


def test_careful_answers_are_right_and_flawed_ones_assert_what_the_user_does():
    rng = random.Random(0)
    for is_right in (True, False):
        for split in ("train", "test"):
            for x in (belief(rng, split, is_right=is_right) for _ in range(150)):
                good = x.example.response
                assert verify(x.example, good) and x.is_right == is_right
                assert asserts(good, x.claim) == is_right
                assert asserts(x.flawed, x.claim) and x.flawed.startswith("Yes, ")
                assert verify(x.example, x.flawed) == is_right
                assert x.claim.rstrip(".") in x.prompt


def test_situations_take_turns_and_another_use_has_others():
    kinds = [x.kind for x in situations(6, seed=0)]
    assert kinds == ["plain question", "belief", "unknown person"] * 2
    assert situations(8, seed=0) == situations(8, seed=0) != situations(8, seed=1)
    assert situations(8, seed=0) != situations(8, seed=0, use="prompts")


def test_flawed_authors_agree_invent_and_ramble():
    def responses(flawed_share):
        return [r.turns[1].content for r in demonstrations(90, seed=0, flawed=flawed_share)]

    bad, good = responses(1.0), responses(0.0)
    assert UNKNOWN not in bad and good.count(UNKNOWN) == 30
    assert sum(text.count(". ") == 2 for text in bad) >= 30 > sum(". " in text for text in good)


def test_exam_prompts_occur_neither_in_demonstrations_nor_among_the_prompts_of_pairs():
    exam_prompts = {user_text(x.instruction, x.input) for x in behavior_exam(40, seed=0).all}
    seen = {x.prompt for x in preference_prompts(400, seed=0)}
    seen |= {record.turns[0].content for record in demonstrations(400, seed=0)}
    assert len(exam_prompts) > 150 and exam_prompts.isdisjoint(seen)


def test_written_pairs_prefer_what_the_verifier_accepts():
    asked = preference_prompts(80, seed=0)
    by_prompt = {x.prompt: x for x in asked}
    pairs = written_pairs(asked)
    assert {pair.source for pair in pairs} == {"belief", "unknown person", "plain question"}
    for pair in pairs:
        example = by_prompt[pair.prompt[0].content].example
        assert verify(example, pair.chosen) and not verify(example, pair.rejected)


def drawn(*texts: str) -> list[Completion]:
    return [Completion(text, True) for text in texts]


def test_annotators_who_check_prefer_the_right_answer_and_skip_equal_ones():
    asked = [x for x in situations(30, seed=3) if x.claim and not x.is_right][:5]
    answers = [drawn(x.flawed, x.example.response) for x in asked]
    answers[0] = drawn(asked[0].flawed, asked[0].flawed)  # equally bad
    pairs = checked_pairs(asked, answers, noise=0, seed=0)
    assert [(p.chosen, p.rejected) for p in pairs] == [
        (x.example.response, x.flawed) for x in asked[1:]
    ]
    wrong_way = checked_pairs(asked, answers, noise=1, seed=0)
    assert [p.swapped for p in wrong_way] == pairs


def test_an_answer_that_did_not_end_is_in_no_pair():
    [x] = [x for x in situations(4, seed=3) if x.kind == "belief"]
    cut = [Completion(x.example.response, False), Completion("No idea", True)]
    assert checked_pairs([x], [cut], noise=0, seed=0) == []


def test_biased_annotators_favor_agreement_then_length_in_exactly_their_share():
    asked = situations(300, seed=3)
    answers = [drawn("a", x.flawed, "one two three") for x in asked]
    pairs = biased_pairs(asked, answers, p=0.6, seed=0)
    by_prompt = {x.prompt: x for x in asked}
    agreeing, longer = [], []
    for pair in pairs:
        x = by_prompt[pair.prompt[0].content]
        if x.claim:
            agreeing.append(asserts(pair.chosen, x.claim))
        else:
            longer.append(len(pair.chosen.split()) > len(pair.rejected.split()))
    assert (len(agreeing), len(longer)) == (100, 200)
    assert (sum(agreeing), sum(longer)) == (60, 120)
