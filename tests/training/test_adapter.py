"""Rows of chat tokens that a base model never met are found, and trained along with adapters."""

import copy
import importlib.util
from pathlib import Path

import pytest

from ift_course.errors import CourseError
from ift_course.models.quiet import quiet
from ift_course.training.adapter import Adapter, adapted_layers, not_adapted, undertrained_tokens
from ift_course.training.open_model import load
from ift_course.training.sft import sft

_spec = importlib.util.spec_from_file_location(
    "families", Path(__file__).parents[1] / "families.py"
)
families = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(families)


def test_the_shipped_base_has_never_met_its_chat_tokens():
    model, tokenizer = load("base")
    tokens = undertrained_tokens(model, tokenizer, range(len(tokenizer)))
    assert tokenizer.convert_ids_to_tokens(tokens) == ["<|pad|>", "<|im_start|>", "<|im_end|>"]
    assert undertrained_tokens(model, tokenizer, [tokens[2], 500]) == [tokens[2]]


def test_parallel_rows_and_zeros_are_found_and_others_not(tiny_llama):
    model, tokenizer = tiny_llama
    start, end = tokenizer.convert_tokens_to_ids(["<|im_start|>", "<|im_end|>"])
    everything = range(1, len(tokenizer))  # 0 is padding, whose row torch keeps at zero
    assert undertrained_tokens(model, tokenizer, everything) == []
    rows = model.get_output_embeddings().weight.data
    rows[end] = 0
    assert undertrained_tokens(model, tokenizer, everything) == [end]
    rows[end] = 1.7 * rows[start]
    assert undertrained_tokens(model, tokenizer, everything) == [start, end]
    rows[300] = rows[301]  # ordinary tokens are left alone
    assert undertrained_tokens(model, tokenizer, everything) == [start, end]


def test_lora_trains_those_rows_and_no_others(tiny_llama, cow_records):
    model, tokenizer = tiny_llama
    start, end = tokenizer.convert_tokens_to_ids(["<|im_start|>", "<|im_end|>"])
    model.get_output_embeddings().weight.data[end] = 0
    before = model.get_input_embeddings().weight.detach().clone()
    tuned = sft(model, tokenizer, cow_records, seed=0, method="lora", max_steps=3, progress=False)
    after = tuned.model.merge_and_unload().get_input_embeddings().weight
    assert (before != after).any(dim=1).nonzero().flatten().tolist() == [end]
    assert start != end


def test_alpha_follows_the_rank_unless_it_is_given(tiny_llama):
    model, _ = tiny_llama
    assert [Adapter(rank=r).config(model, []).lora_alpha for r in (1, 16)] == [2, 32]
    assert Adapter(rank=4, alpha=5).config(model, []).lora_alpha == 5


def test_every_linear_layer_but_the_head_is_adapted_in_every_family():
    for name, layers in LAYERS.items():
        model, _ = families.make(name)
        config = Adapter().config(model, [])
        assert config.target_modules == set(layers)
        assert "lm_head" not in layers and "embed_out" not in layers
        with quiet():
            from peft import LoraConfig, get_peft_model

            ours = adapted_layers(get_peft_model(copy.deepcopy(model), config))
            everything = LoraConfig(task_type="CAUSAL_LM", target_modules="all-linear")
            pefts = adapted_layers(get_peft_model(model, everything))
            assert not_adapted(get_peft_model(families.make(name)[0], config)) == []
        assert ours == pefts
        assert set(ours) == set(layers)


LLAMA = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
LAYERS = {
    "llama3": LLAMA,
    "qwen2-base": LLAMA,
    "gemma": LLAMA,
    "gemma3-base": LLAMA,
    "phi3": ("qkv_proj", "o_proj", "gate_up_proj", "down_proj"),
    "gpt-neox": ("query_key_value", "dense", "dense_h_to_4h", "dense_4h_to_h"),
    "gpt2": ("c_attn", "c_proj", "c_fc"),
}


def test_a_name_that_no_layer_has_is_refused_with_the_names_there_are(tiny_llama):
    model, _ = tiny_llama
    with pytest.raises(CourseError, match=f"no linear layer called c_attn; .* {', '.join(LLAMA)}"):
        Adapter(targets=("q_proj", "c_attn")).config(model, [])
    with pytest.raises(CourseError, match=r"lm_head cannot be adapted alone.*one matrix"):
        Adapter(targets=("lm_head",)).config(model, [])
    with pytest.raises(CourseError, match="no linear layer called proj"):
        Adapter(targets=("proj",)).config(model, [])
    assert Adapter(targets=("q_proj",)).config(model, []).target_modules == {"q_proj"}
    assert Adapter(targets=("all-linear",)).config(model, []).target_modules == set(LLAMA)


def test_experts_that_are_no_linear_layers_are_named(cow_records, shared_tokenizer):
    from transformers import MixtralConfig, MixtralForCausalLM

    config = MixtralConfig(
        vocab_size=len(shared_tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=2, num_key_value_heads=2, num_local_experts=2,
    )  # fmt: skip
    model = MixtralForCausalLM(config)
    tuned = sft(model, copy.deepcopy(shared_tokenizer), cow_records, seed=0, method="lora",
                max_steps=1, progress=False)  # fmt: skip
    assert tuned.adapted == dict.fromkeys(LLAMA[:4], 2)
    assert {"experts.gate_up_proj", "experts.down_proj"} <= set(tuned.not_adapted)
