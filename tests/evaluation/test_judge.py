"""A model as a judge: both orders, ties, leanings, and agreement beyond chance."""

from __future__ import annotations

from math import inf, isnan

import pytest

from ift_course.evaluation.judge import (
    OPTIONS,
    AnswerPair,
    Verdict,
    asking,
    cohens_kappa,
    consistency,
    from_replies,
    judge_pairs,
    judge_prompt,
    place_bias,
)
from tests.families import make

PAIRS = [
    AnswerPair("What is the capital of France?", "Paris", "Rome"),
    AnswerPair("Name a bird.", "Cod.", "Owl."),
]
RIGHT = {"Paris", "Owl."}


def judge_of(write) -> list[Verdict]:
    return judge_pairs(from_replies(write), PAIRS)


def shown(prompt: str) -> tuple[str, str]:
    lines = prompt.splitlines()
    return tuple(next(x[10:] for x in lines if x.startswith(f"Answer {o}: ")) for o in "AB")


def test_a_judge_that_knows_names_the_same_answer_in_both_orders():
    verdicts = judge_of(lambda prompt: "A" if shown(prompt)[0] in RIGHT else "B")
    assert [v.winner for v in verdicts] == ["first", "second"]
    assert place_bias(verdicts) == 0.5 and consistency(verdicts) == 1.0


@pytest.mark.parametrize(("letter", "share"), [("A", 1.0), ("B", 0.0)])
def test_a_judge_that_looks_at_the_place_decides_nothing(letter, share):
    verdicts = judge_of(lambda prompt: letter)
    assert [v.winner for v in verdicts] == ["tie", "tie"]
    assert place_bias(verdicts) == share and consistency(verdicts) == 0.0


def test_a_judge_that_calls_everything_equal_is_consistent_and_has_no_place():
    verdicts = judge_of(lambda prompt: "C")
    assert [v.winner for v in verdicts] == ["tie", "tie"] and consistency(verdicts) == 1.0
    assert isnan(place_bias(verdicts))


@pytest.mark.parametrize("reply", ["", "Both are good.", "I think that A is better", "**"])
def test_a_reply_that_begins_with_no_letter_is_a_tie(reply):
    [opinion] = from_replies(lambda prompt: reply)(["prompt"])
    assert max(opinion, key=opinion.get) == ("B" if reply.startswith("B") else "C")


@pytest.mark.parametrize("reply", ["A", " a.", "**A** is better", "(A)"])
def test_a_letter_is_found_behind_marks(reply):
    assert from_replies(lambda prompt: reply)(["prompt"]) == [{"A": 0.0, "B": -inf, "C": -inf}]


def test_a_leaning_is_free_of_a_preference_for_a_place():
    bias = 5.0

    def ask(prompts):
        for prompt in prompts:
            quality = [float(answer in RIGHT) for answer in shown(prompt)]
            yield {"A": quality[0] + bias, "B": quality[1], "C": -9.0}

    verdicts = judge_pairs(lambda prompts: list(ask(prompts)), PAIRS)
    assert [v.winner for v in verdicts] == ["tie", "tie"]  # A in both orders
    assert [v.leaning for v in verdicts] == ["first", "second"]
    assert [v.lean for v in verdicts] == [1.0, -1.0]


def test_the_prompt_shows_question_answers_and_rubric_and_can_be_swapped():
    forward, swapped = (judge_prompt(PAIRS[0], swap, "Be fair.") for swap in (False, True))
    assert shown(forward) == ("Paris", "Rome") and shown(swapped) == ("Rome", "Paris")
    assert forward.startswith("Be fair.") and PAIRS[0].question in forward


def test_a_models_opinions_do_not_depend_on_the_batch():
    model, tokenizer = make("qwen2-base")
    prompts = ["Name a bird.", "Name a fish. Owl or cod?", "Owl."]
    together = asking(model, tokenizer, batch_size=3)(prompts)
    alone = asking(model, tokenizer, batch_size=1)(prompts)
    for a, b in zip(together, alone, strict=True):
        assert tuple(a) == OPTIONS and a == pytest.approx(b, abs=1e-4)
    assert together[0] != pytest.approx(together[1])


def test_kappa_is_that_of_cohens_definition():
    first = ["yes"] * 25 + ["no"] * 25
    second = ["yes"] * 20 + ["no"] * 5 + ["yes"] * 10 + ["no"] * 15
    assert cohens_kappa(first, second) == pytest.approx(0.4)  # (0.7 - 0.5) / (1 - 0.5)
    assert cohens_kappa(first, first) == 1.0
    assert cohens_kappa([1, 1, 2, 2], [1, 2, 1, 2]) == 0.0


@pytest.mark.parametrize(("first", "second"), [([], []), ([1], [1, 2]), ([1, 1], [1, 1])])
def test_kappa_needs_items_and_more_than_one_label(first, second):
    with pytest.raises(ValueError):
        cohens_kappa(first, second)
