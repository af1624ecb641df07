"""Difficulty is the model's own loss on the answer's tokens, with a question and without."""

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


def test_it_is_the_loss_of_the_answer_after_the_question_and_alone(tiny_llama):
    model, tokenizer = tiny_llama
    start = [tokenizer.eos_token_id]
    for (question, answer), found in zip(PAIRS, difficulty(model, tokenizer, RECORDS), strict=True):
        q, a = tokenizer(f"{question}\n")["input_ids"], tokenizer(answer)["input_ids"]
        assert math.log(found.perplexity) == pytest.approx(
            loss(model, start + q + a, len(a)), rel=1e-4
        )
        assert math.log(found.alone) == pytest.approx(loss(model, start + a, len(a)), rel=1e-4)
        assert found.ifd == pytest.approx(math.log(found.perplexity) / math.log(found.alone))


def test_batches_and_progress_change_nothing(tiny_llama):
    model, tokenizer = tiny_llama
    done = []
    one_by_one = difficulty(model, tokenizer, RECORDS, batch_size=1, on_done=done.append)
    assert done == sorted(done) and done[-1] == len(RECORDS)
    for a, b in zip(one_by_one, difficulty(model, tokenizer, RECORDS), strict=True):
        assert a.perplexity == pytest.approx(b.perplexity, rel=1e-4)
        assert a.alone == pytest.approx(b.alone, rel=1e-4)


def test_a_text_longer_than_the_model_sees_is_cut(tiny_llama):
    model, tokenizer = tiny_llama
    longer = [
        Record.from_instruction("What is the capital? " * 200, "", "Paris."),
        Record.from_instruction("Say moo.", "", "Moo. " * 500),
        Record.from_instruction("Say nothing.", "", ""),
    ]
    for found in difficulty(model, tokenizer, longer):
        assert math.isfinite(found.perplexity) and math.isfinite(found.ifd)


def test_the_model_is_left_as_it_was(tiny_llama):
    model, tokenizer = tiny_llama
    model.train()
    difficulty(model, tokenizer, RECORDS)
    assert model.training


def test_nothing_is_difficult_for_no_records(tiny_llama):
    assert difficulty(*tiny_llama, []) == []


def test_best_counts_from_the_end_that_is_asked_for():
    assert best([3, 1, 2, 1], 3) == [1, 3, 2]
    assert best([3, 1, 2, 3], 3, highest=True) == [0, 3, 2]
