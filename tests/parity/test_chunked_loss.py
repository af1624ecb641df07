"""Logits computed in chunks give the same loss and the same weights as all logits at once."""

import copy

import pytest
import torch

from ift_course.training.sft import sft


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_chunked_loss_changes_nothing_but_the_memory(
    method, tiny_llama, cow_records, monkeypatch
):
    # In bf16 the two round differently, and AdamW makes whole steps of the smallest gradients.
    monkeypatch.setattr("ift_course.training.arguments.bf16_is_fast", lambda: False)
    model, tokenizer = tiny_llama
    whole, chunked = (
        sft(copy.deepcopy(model), tokenizer, cow_records, seed=0, epochs=2, batch_size=8,
            learning_rate=1e-3, method=method, chunked_loss=chunked_loss, progress=False)
        for chunked_loss in (False, True)
    )  # fmt: skip
    assert chunked.losses == pytest.approx(whole.losses, abs=1e-5)
    for name, weight in whole.model.state_dict().items():
        torch.testing.assert_close(chunked.model.state_dict()[name], weight, atol=1e-4, rtol=0)


def test_a_model_tuned_with_a_chunked_loss_answers_with_its_own_forward(tiny_llama, cow_records):
    result = sft(*tiny_llama, cow_records, seed=0, max_steps=1, chunked_loss=True, progress=False)
    twin = copy.deepcopy(result.model)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    ids = torch.tensor([[5, 6, 7]])
    assert result.model(ids).logits.abs().max() > 0
    assert twin(ids).logits.abs().max() == 0
