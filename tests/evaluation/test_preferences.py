"""A pair says which of a model's own answers is better, by a rule that it names."""

from __future__ import annotations

from random import Random

import pytest

from ift_course.evaluation import sampling
from ift_course.evaluation.answers import AnswerStore
from ift_course.evaluation.generate import Completion
from ift_course.evaluation.items import Item
from ift_course.evaluation.preferences import (
    ALL_EMPTY,
    ALL_RIGHT,
    ALL_WRONG,
    RULES,
    STOPS,
    VERIFIER,
    RankedPair,
    rank,
    rank_one,
)
from ift_course.evaluation.sampling import sample_answers
from ift_course.evaluation.verifiers import parse_verifier


def item(category: str = "fact", number: int = 1) -> Item:
    verifier = parse_verifier({"type": "contains", "answers": ["Bern"], "max_words": 12})
    messages = [{"role": "user", "content": "What is the capital of Switzerland?"}]
    return Item(number, messages, category=category, verifier=verifier, use="verifier")


def said(*texts: str, finished: bool = True) -> list[Completion]:
    return [Completion(text, finished) for text in texts]


@pytest.mark.parametrize("category", RULES)
def test_the_category_names_the_rule_and_the_verifier_the_fault(category):
    pair = rank_one(item(category), said("It is Bern.", "It is Zurich."), 0)
    assert isinstance(pair, RankedPair)
    assert (pair.chosen, pair.rejected) == ("It is Bern.", "It is Zurich.")
    assert (pair.rule, pair.fault) == (RULES[category], 'does not contain "Bern"')


def test_another_category_has_the_verifier_as_its_rule():
    assert rank_one(item("geography"), said("Bern.", "Basel."), 0).rule == VERIFIER


@pytest.mark.parametrize(
    ("completions", "reason"),
    [
        (said("Bern.", "It is Bern."), ALL_RIGHT),
        (said("Basel.", "Zurich."), ALL_WRONG),
        (said("Bern. Bern. Bern.", finished=False), ALL_WRONG),
        (said("Bern.", "", "  "), ALL_EMPTY),
    ],
)
def test_without_a_right_and_a_wrong_answer_there_is_no_pair_and_a_reason(completions, reason):
    assert rank_one(item(), completions, 0) == reason


def test_an_answer_that_runs_on_is_rejected_only_where_no_wrong_one_stopped():
    endless = said("Bern. And what is the capital of France?", finished=False)
    pair = rank_one(item(), [*endless, *said("It is Bern.")], 0)
    assert (pair.rule, pair.rejected) == (STOPS, endless[0].text)
    pair = rank_one(item(), [*endless, *said("It is Bern.", "It is Basel.")], 0)
    assert (pair.rule, pair.rejected) == (RULES["fact"], "It is Basel.")


def test_of_all_pairs_the_one_is_taken_whose_answers_are_most_alike_in_length():
    long, short = "It is Bern, as far as I know.", "Bern."
    wrong = "It is Zurich, as far as I know."
    assert rank_one(item(), said(short, long, wrong), 0).chosen == long
    assert rank_one(item(), said(long, short, "Basel."), 0).chosen == short


def test_ties_are_decided_by_the_seed_alone():
    answers = said(
        *(f"It is Bern {i}." for i in range(6)), *(f"It is Basel {i}." for i in range(6))
    )
    pairs = [rank_one(item(), answers, seed) for seed in range(8)]
    assert pairs == [rank_one(item(), answers, seed) for seed in range(8)]
    assert len({pair.chosen for pair in pairs}) > 1


def test_every_prompt_becomes_a_pair_or_a_counted_reason():
    samples = [said("Bern.", "Basel."), said("Bern."), said("Basel."), said("Bern.", "Bonn.")]
    ranking = rank([item(number=n) for n in range(4)], samples)
    assert len(ranking.pairs) + ranking.reasons.total() == 4
    assert ranking.reasons == {ALL_RIGHT: 1, ALL_WRONG: 1}
    assert ranking.rules == {RULES["fact"]: 2} and ranking.mean_words == (1, 1)


# --- sampling


def questions(n: int) -> list[Item]:
    return [
        Item(i, [{"role": "user", "content": f"Name the sound of cow {i}."}])
        for i in range(1, n + 1)
    ]


def sampled(model, items, **changes):
    settings = {"n_samples": 3, "temperature": 1.0, "max_new_tokens": 4, "seed": 0}
    return sample_answers(*model, items, **settings | changes)


def test_an_answer_depends_on_seed_question_and_number_alone(tiny_llama):
    items = questions(3)
    answers = sampled(tiny_llama, items)
    assert len({answer for row in answers for answer in row}) > 6
    shuffled = Random(1).sample(items, 3)
    assert sampled(tiny_llama, shuffled) == [answers[items.index(x)] for x in shuffled]
    more = sampled(tiny_llama, items, n_samples=5)
    assert [row[:3] for row in more] == answers
    assert sampled(tiny_llama, items, seed=1) != answers


def test_a_stopped_run_continues_and_more_samples_keep_those_that_are_there(
    tiny_llama, tmp_path, monkeypatch
):
    items, path, calls = questions(3), tmp_path / "answers.jsonl", []
    whole = sampled(tiny_llama, items)
    answer = sampling.answer_prompts

    def stop_at_the_third(model, tokenizer, prompts, **options):
        calls.append(len(prompts))
        if len(calls) == 3:
            raise KeyboardInterrupt
        return answer(model, tokenizer, prompts, **options)

    monkeypatch.setattr(sampling, "answer_prompts", stop_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        sampled(tiny_llama, items, store=AnswerStore(path))
    assert sampled(tiny_llama, items, store=AnswerStore(path)) == whole
    assert calls == [3, 3, 3, 3], "two questions were answered before the stop, one after it"
    more = sampled(tiny_llama, items, store=AnswerStore(path), n_samples=4)
    assert [row[:3] for row in more] == whole
