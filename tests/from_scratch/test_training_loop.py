"""The bare training loop learns, follows its schedule, and it can resume from the middle."""

import pytest
import torch

from ift_course.from_scratch.training_loop import learning_rate_at, text_batches, train


def test_the_schedule_rises_then_falls_to_zero():
    rates = [learning_rate_at(step, 100, 1.0, 10) for step in range(101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[10] == 1.0
    assert rates[:10] == sorted(rates[:10])
    assert rates[10:] == sorted(rates[10:], reverse=True)
    assert rates[100] == 0.0


def test_text_batches_cut_the_text_without_losing_its_order():
    ids = torch.arange(50, dtype=torch.int16)
    batches = list(text_batches(ids, batch_size=2, length=6))
    assert len(batches) == 4  # the last two tokens do not fill a batch
    assert torch.equal(torch.cat([b["input_ids"].flatten() for b in batches]), torch.arange(48))
    assert all(b["labels"] is b["input_ids"] or torch.equal(b["labels"], b["input_ids"])
               for b in batches)  # fmt: skip
    later = list(text_batches(ids, batch_size=2, length=6, start=3))
    assert torch.equal(later[0]["input_ids"], batches[3]["input_ids"])


def test_it_learns_a_repeated_text(tiny_llama):
    model, _ = tiny_llama
    ids = torch.arange(20).repeat(200)
    losses = train(model, text_batches(ids, batch_size=4, length=20), steps=40,
                   learning_rate=5e-3)  # fmt: skip
    assert len(losses) == 40
    assert losses[-1] < 0.5 * losses[0]


def test_training_ends_with_the_batches_or_with_the_steps(tiny_llama):
    model, _ = tiny_llama
    ids = torch.arange(20).repeat(12)
    assert len(train(model, text_batches(ids, batch_size=4, length=20), steps=2,
                     learning_rate=1e-3)) == 2  # fmt: skip
    assert len(train(model, text_batches(ids, batch_size=4, length=20), steps=99,
                     learning_rate=1e-3)) == 3  # fmt: skip


def test_positions_labeled_minus_100_teach_nothing(tiny_llama):
    model, _ = tiny_llama
    before = [p.clone() for p in model.parameters()]
    batch = {"input_ids": torch.arange(8)[None], "labels": torch.full((1, 8), -100)}
    batch["labels"][0, 5] = 5
    other = {name: t.clone() for name, t in batch.items()}
    other["input_ids"][0, 6:] = 1  # after the last trained token
    first = train(model, [batch], steps=1, learning_rate=0.0)
    second = train(model, [other], steps=1, learning_rate=0.0)
    assert first == pytest.approx(second, abs=1e-6)
    assert all(torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True))
