"""Logits computed in chunks give the same loss and the same weights as all logits at once."""

import copy
import importlib.util
from pathlib import Path

import pytest
import torch

from ift_course.training.sft import sft

_spec = importlib.util.spec_from_file_location(
    "families", Path(__file__).parents[1] / "families.py"
)
families = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(families)


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


def test_rows_of_a_tied_embedding_are_trained_by_a_chunked_loss_too(cow_records, monkeypatch):
    """TRL multiplies with the output matrix itself, into which PEFT puts the trained rows."""
    monkeypatch.setattr("ift_course.training.arguments.bf16_is_fast", lambda: False)
    model, tokenizer = families.make("gemma3-base", hidden=64)
    turns = tokenizer.convert_tokens_to_ids(["<start_of_turn>", "<end_of_turn>"])
    before = model.get_input_embeddings().weight.data
    before[turns] = before[0] = torch.ones(64) / 8  # as of tokens that no text contains
    whole, chunked = (
        sft(copy.deepcopy(model), tokenizer, cow_records, seed=0, epochs=2, batch_size=8,
            learning_rate=1e-3, method="lora", chunked_loss=chunked_loss, progress=False)
        for chunked_loss in (False, True)
    )  # fmt: skip
    assert chunked.losses == pytest.approx(whole.losses, abs=1e-5)
    one, other = (
        result.model.merge_and_unload().get_input_embeddings().weight for result in (whole, chunked)
    )
    torch.testing.assert_close(one, other, atol=1e-4, rtol=0)
    assert (other != before).any(dim=1).nonzero().flatten().tolist() == turns
