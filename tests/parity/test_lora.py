"""LoRA by hand equals PEFT's: the same logits and the same gradients, merged or not."""

import copy

import pytest
import torch

from ift_course.from_scratch.lora import add_lora, lora_layers, merge_lora
from ift_course.models.quiet import quiet

TARGETS = ["q_proj", "v_proj", "down_proj"]


@pytest.fixture
def both(tiny_llama):
    """Our adapted model and PEFT's, with the same A and the same B, which is not zero."""
    with quiet():
        from peft import LoraConfig, get_peft_model

        model, _ = tiny_llama
        ours = add_lora(copy.deepcopy(model), rank=4, alpha=12, targets=TARGETS)
        config = LoraConfig(r=4, lora_alpha=12, lora_dropout=0.0, target_modules=TARGETS)
        theirs = get_peft_model(model, config)
    torch.manual_seed(1)
    for name, layer in lora_layers(ours):
        layer.B.data.normal_()
        peft = theirs.get_submodule(f"base_model.model.{name}")
        peft.lora_A["default"].weight.data.copy_(layer.A.data)
        peft.lora_B["default"].weight.data.copy_(layer.B.data)
    return ours, theirs


def batch():
    torch.manual_seed(2)
    ids = torch.randint(0, 300, (3, 12))
    return {"input_ids": ids, "labels": ids}


def test_logits_and_gradients_are_pefts(both):
    ours, theirs = both
    mine, peft = ours(**batch()), theirs(**batch())
    assert torch.allclose(mine.logits, peft.logits, atol=1e-5)
    mine.loss.backward()
    peft.loss.backward()
    compared = 0
    for name, layer in lora_layers(ours):
        other = theirs.get_submodule(f"base_model.model.{name}")
        for mine, peft in (
            (layer.A.grad, other.lora_A["default"].weight.grad),
            (layer.B.grad, other.lora_B["default"].weight.grad),
        ):
            assert mine.abs().max() > 1e-4
            assert torch.allclose(mine, peft, atol=1e-5)
            compared += 1
    assert compared == 12  # two layers, three matrices each, A and B


def test_merged_weights_are_pefts_and_compute_the_same(both):
    ours, theirs = both
    before = ours(**batch()).logits
    merged = merge_lora(ours)
    assert not list(lora_layers(merged))
    assert torch.allclose(merged(**batch()).logits, before, atol=1e-5)
    with quiet():
        unloaded = theirs.merge_and_unload()
    for name, weight in merged.state_dict().items():
        assert torch.allclose(weight, unloaded.state_dict()[name], atol=1e-6), name
