"""All linear layers of a 4-bit model are quantized, and evaluating it keeps its gradients."""

import copy

import pytest
import torch

from ift_course.errors import CourseError
from ift_course.from_scratch.nf4 import BNB_CPU_GRID, dequantize, quantize
from ift_course.models.quantize import float_adapters, is_four_bit, patch_bitsandbytes, to_four_bit
from ift_course.models.quiet import quiet
from ift_course.models.save import save
from ift_course.training.open_model import load

with quiet():
    bnb = pytest.importorskip("bitsandbytes")

loses_gradients = pytest.mark.skipif(
    not bnb.functional.has_avx512bf16(), reason="only CPUs with AVX512_BF16 lose gradients"
)


def ids():
    return torch.arange(24).view(2, 12)


def adapter_gradients(model, evaluate_first: bool) -> dict[str, torch.Tensor]:
    """The gradients of adapters on the 4-bit model, whose B is not zero."""
    with quiet():
        from peft import LoraConfig, get_peft_model

        model = get_peft_model(
            model, LoraConfig(r=4, target_modules=["q_proj", "v_proj", "down_proj"])
        )
    float_adapters(model)
    torch.manual_seed(1)
    trained = {name: p for name, p in model.named_parameters() if p.requires_grad}
    for parameter in trained.values():
        parameter.data.normal_(std=0.1)
    if evaluate_first:
        with torch.no_grad():
            model.eval()(ids())
    model.train()(ids(), labels=ids()).loss.backward()
    # If gradients are lost, the adapters of the first layer get none at all.
    return {name: torch.zeros_like(p) if p.grad is None else p.grad for name, p in trained.items()}


def largest_change(model) -> float:
    """How far one evaluation moves any adapter's gradient, relative to its norm."""
    without = adapter_gradients(copy.deepcopy(model), evaluate_first=False)
    with_evaluation = adapter_gradients(copy.deepcopy(model), evaluate_first=True)
    return max(
        ((with_evaluation[name] - g).norm() / g.norm()).item() for name, g in without.items()
    )


def test_an_evaluation_does_not_change_the_gradients(wide_llama):
    assert largest_change(to_four_bit(wide_llama[0], compute=torch.float32)) == 0


@loses_gradients
def test_without_the_patch_an_evaluation_changes_them_silently(wide_llama):
    model = to_four_bit(wide_llama[0], compute=torch.float32)
    for layer in model.modules():
        if isinstance(layer, bnb.nn.Linear4bit):
            layer.support_avx512bf16_for_cpu = True
    assert largest_change(model) > 0.1


@loses_gradients
def test_a_model_that_lost_its_gradients_is_refused(wide_llama):
    model = to_four_bit(wide_llama[0])
    for layer in model.modules():
        if isinstance(layer, bnb.nn.Linear4bit):
            layer.support_avx512bf16_for_cpu = True
    with torch.no_grad():
        model.eval()(ids())
    with pytest.raises(CourseError, match="load it again"):
        patch_bitsandbytes(model)


def test_all_linear_layers_but_the_head_are_quantized(wide_llama):
    model, _ = wide_llama
    size, head = model.num_parameters(), model.lm_head
    before = {name: m.weight for name, m in model.named_modules() if type(m) is torch.nn.Linear}
    assert is_four_bit(to_four_bit(model, compute=torch.float32))
    layers = {n: m for n, m in model.named_modules() if isinstance(m, bnb.nn.Linear4bit)}
    assert layers.keys() == before.keys() - {"lm_head"}
    assert len(layers) == 14
    assert model.lm_head is head
    assert model.num_parameters() == size
    for name, layer in layers.items():
        theirs = bnb.functional.dequantize_4bit(layer.weight.data, layer.weight.quant_state)
        ours = dequantize(quantize(before[name].data, double=True, grid=BNB_CPU_GRID))
        assert torch.equal(theirs, ours)


def test_sizes_that_the_library_computes_wrongly_are_refused(tiny_llama, tiny_llama_dir):
    with pytest.raises(CourseError, match="has 32 inputs, not a multiple of 64"):
        to_four_bit(tiny_llama[0])
    with pytest.raises(CourseError, match="has 32 inputs"):
        load(tiny_llama_dir, four_bit=True)


def test_loading_in_four_bits_equals_quantizing_a_loaded_model(wide_llama, tmp_path):
    loaded, _ = load(save(*wide_llama, tmp_path / "wide"), four_bit=True)
    assert is_four_bit(loaded)
    assert not loaded.training
    with torch.no_grad():
        expected = to_four_bit(copy.deepcopy(wide_llama[0])).eval()(ids()).logits
        assert torch.equal(loaded(ids()).logits, expected)


def test_gpt_2s_layers_are_quantized_as_transformers_does(shared_tokenizer, tmp_path):
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    model = GPT2LMHeadModel(GPT2Config(vocab_size=400, n_embd=64, n_layer=1, n_head=2)).eval()
    folder = save(model, shared_tokenizer, tmp_path / "gpt2")
    theirs, _ = load(folder, four_bit=True)
    ours = to_four_bit(model)
    for layer in ("c_attn", "c_proj"):
        weights = [m.transformer.h[0].attn.get_submodule(layer).weight for m in (ours, theirs)]
        assert {weight.dtype for weight in weights} == {torch.uint8}
    with torch.no_grad():
        a, b = (m(torch.arange(20)[None]).logits.float() for m in (ours, theirs))
    assert torch.allclose(a, b, atol=1e-2)
