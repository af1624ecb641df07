"""Rows of chat tokens that a base model never met are found, and trained along with adapters."""

from ift_course.models.load import load
from ift_course.training.adapter import Adapter, never_learned
from ift_course.training.sft import sft


def test_the_shipped_base_has_never_met_its_chat_tokens():
    model, tokenizer = load("base")
    found = never_learned(model, tokenizer, range(len(tokenizer)))
    assert tokenizer.convert_ids_to_tokens(found) == ["<|pad|>", "<|im_start|>", "<|im_end|>"]
    assert never_learned(model, tokenizer, [found[2], 500]) == [found[2]]


def test_parallel_rows_and_zeros_are_found_and_others_not(tiny_llama):
    model, tokenizer = tiny_llama
    start, end = tokenizer.convert_tokens_to_ids(["<|im_start|>", "<|im_end|>"])
    everything = range(1, len(tokenizer))  # 0 is padding, whose row torch keeps at zero
    assert never_learned(model, tokenizer, everything) == []
    rows = model.get_output_embeddings().weight.data
    rows[end] = 0
    assert never_learned(model, tokenizer, everything) == [end]
    rows[end] = 1.7 * rows[start]
    assert never_learned(model, tokenizer, everything) == [start, end]
    rows[300] = rows[301]  # ordinary tokens are left alone
    assert never_learned(model, tokenizer, everything) == [start, end]


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
    assert Adapter(targets=("q_proj", "c_attn")).config(model, []).target_modules == {"q_proj"}
    assert Adapter(targets=("c_attn",)).config(model, []).target_modules == "all-linear"
