"""LoRA by hand: what is trained, what is not, and what merging does."""

import copy

import pytest
import torch
from torch import nn

from ift_course.from_scratch.lora import LoraLinear, add_lora, lora_layers


@pytest.fixture
def layer():
    torch.manual_seed(0)
    layer = LoraLinear(nn.Linear(6, 4), rank=2, alpha=6)
    layer.B.data.normal_()
    return layer


def test_it_adds_the_scaled_product_of_b_and_a(layer):
    x = torch.randn(5, 6)
    assert torch.allclose(layer(x), layer.base(x) + 3 * x @ layer.A.T @ layer.B.T, atol=1e-6)
    assert torch.linalg.matrix_rank(layer.delta()) == 2


def test_a_new_adapter_changes_nothing_and_still_learns():
    layer = LoraLinear(nn.Linear(6, 4), rank=2, alpha=6)
    x = torch.randn(5, 6)
    assert torch.equal(layer(x), layer.base(x))
    layer(x).sum().backward()
    assert layer.A.grad is not None and layer.B.grad is not None
    assert layer.B.grad.abs().max() > 0
    assert layer.A.grad.abs().max() == 0  # as long as B is zero
    assert layer.base.weight.grad is None


def test_merged_and_unmerged_compute_the_same(layer):
    x = torch.randn(5, 6)
    before, weight = layer(x), layer.base.weight.clone()
    layer.merge()
    layer.merge()
    assert torch.allclose(layer(x), before, atol=1e-6)
    assert torch.allclose(layer.base.weight, weight + layer.delta(), atol=1e-6)
    layer.unmerge()
    layer.unmerge()
    assert torch.allclose(layer.base.weight, weight, atol=1e-6)
    assert torch.allclose(layer(x), before, atol=1e-6)


def test_dropout_acts_only_on_the_update_and_only_in_training():
    torch.manual_seed(0)
    layer = LoraLinear(nn.Linear(6, 4), rank=2, alpha=6, dropout=0.5)
    layer.B.data.normal_()
    x = torch.randn(50, 6)
    assert not torch.equal(layer(x), layer(x))
    layer.eval()
    assert torch.equal(layer(x), layer(x))
    layer.train().B.data.zero_()
    assert torch.equal(layer(x), layer.base(x))


def test_only_the_named_layers_are_adapted_and_only_adapters_are_trained(tiny_llama):
    model, _ = tiny_llama
    adapted = add_lora(copy.deepcopy(model), rank=2, alpha=4, targets=["q_proj", "up_proj"])
    names = [name for name, _ in lora_layers(adapted)]
    assert len(names) == 4
    assert {name.rpartition(".")[2] for name in names} == {"q_proj", "up_proj"}
    trained = [name for name, p in adapted.named_parameters() if p.requires_grad]
    assert len(trained) == 8
    assert {name.rpartition(".")[2] for name in trained} == {"A", "B"}
    with pytest.raises(ValueError, match="No layer is called nothing"):
        add_lora(model, rank=2, alpha=4, targets=["nothing"])
