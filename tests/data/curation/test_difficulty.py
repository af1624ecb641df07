"""Difficulty is the model's own loss on the answer's tokens, with a question and without."""

from __future__ import annotations

import math

import pytest
import torch

from ift_course.data.curation import best, difficulty
from ift_course.data.records import Record

PAIRS = [
    ("What is the capital of France?", "Paris."),
    ("Name the sound of a cow.", "Moo."),
    ("Hello, how are you?", "Hola, ¿cómo estás? You are a helpful assistant."),
]
RECORDS = [Record.from_instruction(q, "", a) for q, a in PAIRS]


def loss(model, ids: list[int], answer: int) -> float:
    """Of the last `answer` ids, by transformers' own loss."""
    labels = [-100] * (len(ids) - answer) + ids[-answer:]
    with torch.no_grad():
        return model(input_ids=torch.tensor([ids]), labels=torch.tensor([labels])).loss.item()


def test_difficulty_is_the_loss_of_the_answer_with_and_without_its_question(tiny_llama):
    model, tokenizer = tiny_llama
    start = [tokenizer.eos_token_id]
    results = difficulty(model, tokenizer, RECORDS)
    for (question, answer), scores in zip(PAIRS, results, strict=True):
        q, a = tokenizer(f"{question}\n")["input_ids"], tokenizer(answer)["input_ids"]
        conditional = loss(model, start + q + a, len(a))
        unconditional = loss(model, start + a, len(a))
        assert math.log(scores.perplexity) == pytest.approx(conditional, rel=1e-4)
        assert math.log(scores.unconditional_perplexity) == pytest.approx(unconditional, rel=1e-4)
        assert scores.ifd == pytest.approx(conditional / unconditional, rel=1e-3)


def test_batches_and_progress_change_nothing(tiny_llama):
    model, tokenizer = tiny_llama
    progress = []
    one_by_one = difficulty(model, tokenizer, RECORDS, batch_size=1, on_done=progress.append)
    assert progress == sorted(progress) and progress[-1] == len(RECORDS)
    for a, b in zip(one_by_one, difficulty(model, tokenizer, RECORDS), strict=True):
        assert a.perplexity == pytest.approx(b.perplexity, rel=1e-4)
        assert a.unconditional_perplexity == pytest.approx(b.unconditional_perplexity, rel=1e-4)


def test_a_text_longer_than_the_context_is_truncated(tiny_llama):
    model, tokenizer = tiny_llama
    longer = [
        Record.from_instruction("What is the capital? " * 200, "", "Paris."),
        Record.from_instruction("Say moo.", "", "Moo. " * 500),
        Record.from_instruction("Say nothing.", "", ""),
    ]
    for scores in difficulty(model, tokenizer, longer):
        assert math.isfinite(scores.perplexity) and math.isfinite(scores.ifd)


def test_the_model_is_left_as_it_was(tiny_llama):
    model, tokenizer = tiny_llama
    model.train()
    difficulty(model, tokenizer, RECORDS)
    assert model.training


def test_nothing_is_difficult_for_no_records(tiny_llama):
    model, tokenizer = tiny_llama
    assert difficulty(model, tokenizer, []) == []


def test_best_is_the_lowest_or_the_highest():
    assert best([3, 1, 2, 1], 3) == [1, 3, 2]
    assert best([3, 1, 2, 3], 3, highest=True) == [0, 3, 2]
