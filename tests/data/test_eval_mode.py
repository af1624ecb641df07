"""Evaluation mode, and that a frozen model does not copy its output matrix for each prompt."""

from __future__ import annotations

import pytest
import torch

from ift_course.data.eval_mode import evaluating


def batched_products_with_the_vocabulary(model) -> int:
    """How often the logits of the last position are a product for each row of the batch."""
    ids = torch.ones(4, 6, dtype=torch.long)
    with torch.profiler.profile(record_shapes=True) as profile, evaluating(model):
        model(input_ids=ids, logits_to_keep=1)
    size = model.config.vocab_size
    return sum(
        event.name == "aten::bmm" and any(size in shape for shape in event.input_shapes)
        for event in profile.events()
    )


@pytest.mark.parametrize("frozen", [False, True])
def test_the_output_matrix_is_multiplied_once_for_the_whole_batch(tiny_llama, frozen):
    model, _ = tiny_llama
    model.requires_grad_(not frozen)
    assert batched_products_with_the_vocabulary(model) == 0


def test_without_the_remedy_a_frozen_matrix_is_multiplied_for_each_row(tiny_llama, monkeypatch):
    model, _ = tiny_llama
    model.requires_grad_(False)
    monkeypatch.setattr(type(model), "get_output_embeddings", lambda self: None)
    assert batched_products_with_the_vocabulary(model) == 1, (
        "PyTorch no longer does it: delete ift_course.data.eval_mode._unfrozen_head"
    )


def test_the_mode_and_the_frozen_weights_are_afterwards_as_before(tiny_llama):
    model, _ = tiny_llama
    model.requires_grad_(False)
    model.train()
    with evaluating(model):
        assert not model.training and not torch.is_grad_enabled()
    assert model.training
    assert not any(parameter.requires_grad for parameter in model.parameters())
