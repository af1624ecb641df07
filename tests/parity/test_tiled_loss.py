"""Logits a tile at a time give the loss and the weights that all of them at once give."""

import copy

import pytest
import torch

from ift_course.training.sft import sft


@pytest.mark.parametrize("method", ["full", "lora"])
def test_tiles_change_nothing_but_the_memory(method, tiny_llama, cow_records, monkeypatch):
    # In bf16 the two round differently, and AdamW makes whole steps of the smallest gradients.
    monkeypatch.setattr("ift_course.training.arguments.bf16_is_fast", lambda: False)
    model, tokenizer = tiny_llama
    whole, tiled = (
        sft(copy.deepcopy(model), tokenizer, cow_records, seed=0, epochs=2, batch_size=8,
            learning_rate=1e-3, method=method, tiles=tiles, progress=False)
        for tiles in (False, True)
    )  # fmt: skip
    assert tiled.losses == pytest.approx(whole.losses, abs=1e-5)
    for name, weight in whole.model.state_dict().items():
        torch.testing.assert_close(tiled.model.state_dict()[name], weight, atol=1e-4, rtol=0)


def test_a_model_tuned_in_tiles_answers_with_its_own_forward(tiny_llama, cow_records):
    tuned = sft(*tiny_llama, cow_records, seed=0, max_steps=1, tiles=True, progress=False).model
    twin = copy.deepcopy(tuned)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    ids = torch.tensor([[5, 6, 7]])
    assert tuned(ids).logits.abs().max() > 0
    assert twin(ids).logits.abs().max() == 0
