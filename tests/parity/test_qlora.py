"""QLoRA by hand, LoRA on NF4, equals bitsandbytes with PEFT: the same logits and gradients."""

import copy

import torch

from ift_course.from_scratch.lora import add_lora, lora_layers
from ift_course.from_scratch.nf4 import BNB_CPU_GRID, dequantize, quantize
from ift_course.models.quantize import float_adapters, to_four_bit
from ift_course.models.quiet import quiet

TARGETS = ["q_proj", "o_proj", "up_proj"]


def test_logits_and_gradients_are_the_libraries(wide_llama):
    model, _ = wide_llama
    by_hand = copy.deepcopy(model)
    for layer in by_hand.model.layers.modules():
        if isinstance(layer, torch.nn.Linear):
            layer.weight.data = dequantize(
                quantize(layer.weight.data, double=True, grid=BNB_CPU_GRID)
            )
    by_hand = add_lora(by_hand, rank=4, alpha=8, targets=TARGETS)
    with quiet():
        from peft import LoraConfig, get_peft_model

        config = LoraConfig(r=4, lora_alpha=8, target_modules=TARGETS)
        library = get_peft_model(to_four_bit(model, compute=torch.float32), config)
    float_adapters(library)
    torch.manual_seed(1)
    pairs = []
    for name, layer in lora_layers(by_hand):
        other = library.get_submodule(f"base_model.model.{name}")
        layer.B.data.normal_(std=0.3)
        for mine, theirs in (
            (layer.A, other.lora_A["default"].weight),
            (layer.B, other.lora_B["default"].weight),
        ):
            theirs.data.copy_(mine.data)
            pairs.append((mine, theirs))
    ids = torch.arange(36).view(3, 12)
    mine, theirs = by_hand(ids, labels=ids), library.train()(ids, labels=ids)
    assert torch.allclose(mine.logits, theirs.logits, atol=1e-5)
    mine.loss.backward()
    theirs.loss.backward()
    assert len(pairs) == 12
    for a, b in pairs:
        assert a.grad.abs().max() > 1e-5
        assert torch.allclose(a.grad, b.grad, atol=1e-5)
