"""Tiny random models of many families, as bases come: with a template or without, with any eos."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

WORDS = ["Name a bird. Owl. Name a fish. Cod.", "user assistant system model 0123456789 +-=?!"] * 4
SIZES = {
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
}
INST = (
    "{{ bos_token }}{% for m in messages %}{% if m['role'] == 'user' %}"
    "{{ '[INST] ' + m['content'] + ' [/INST]' }}{% else %}{{ ' ' + m['content'] + eos_token }}"
    "{% endif %}{% endfor %}"
)
# Nothing in it is on anybody's list of known templates.
INVENTED = (
    "{% for m in messages %}{{ '<<' + m['role'] + '>>' + m['content'] + '<<fin>>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<<assistant>>' }}{% endif %}"
)
CHATML_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
LLAMA3_TOKENS = ("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>",
                 "<|end_header_id|>", "<|eot_id|>")  # fmt: skip
GEMMA_TOKENS = ("<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>")
PHI_TOKENS = ("<s>", "<|endoftext|>", "<|assistant|>", "<|user|>", "<|system|>", "<|end|>")

# name: class, special tokens, bos, eos, pad, template, the token that must end an answer
FAMILIES = {
    "qwen2-base": ("Qwen2", CHATML_TOKENS, None, 0, 0, "qwen2_5", "<|im_end|>"),
    "qwen3-base": ("Qwen3", CHATML_TOKENS, None, 0, 0, "qwen3", "<|im_end|>"),
    "qwen2-without-template": ("Qwen2", CHATML_TOKENS, None, 0, 0, None, "<|im_end|>"),
    "llama3": ("Llama", LLAMA3_TOKENS, 0, 1, None, "llama3", "<|eot_id|>"),
    "llama3-marked": ("Llama", LLAMA3_TOKENS, 0, 1, None, "llama3_training", "<|eot_id|>"),
    "gemma": ("Gemma", GEMMA_TOKENS, 2, 1, 0, "gemma", "<end_of_turn>"),
    "phi3": ("Phi3", PHI_TOKENS, 0, 1, 1, "phi3", "<|end|>"),
    "mistral": ("Mistral", ("<s>", "</s>", "[INST]", "[/INST]"), 0, 1, None, INST, "</s>"),
    "invented": ("Llama", ("</s>", "<<fin>>"), None, 0, None, INVENTED, "<<fin>>"),
    "gpt2": ("GPT2", ("<|endoftext|>",), 0, 0, None, None, "<|im_end|>"),
    "gpt-neox": ("GPTNeoX", ("<|endoftext|>",), 0, 0, None, None, "<|im_end|>"),
    "without-eos": ("Llama", (), None, None, None, None, "<|im_end|>"),
}

QUICK = {"qwen2-base", "gemma", "gpt-neox"}  # as different from each other as any three


def with_a_few_quick(names: Iterable[str]) -> list:
    """Parameters for pytest: a few families for the first tier, all others for the slow tests."""
    return [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in names]


def make(name: str, hidden: int = 32):
    """(model, tokenizer) of one of FAMILIES; 4-bit layers need a `hidden` of 64."""
    kind, specials, bos, eos, pad, template, _ = FAMILIES[name]
    tokenizer = _tokenizer(specials, bos, eos, pad)
    if template:
        tokenizer.chat_template = template if "{" in template else _published(template)
    return _model(kind, len(tokenizer), bos, eos, pad, hidden), tokenizer


@cache
def _published(name: str) -> str:
    import trl

    return (Path(trl.__file__).parent / "chat_templates" / f"{name}.jinja").read_text()


def _tokenizer(specials, bos, eos, pad):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    core = Tokenizer(models.BPE())
    core.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    core.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    core.train_from_iterator(WORDS, trainers.BpeTrainer(
        vocab_size=320, special_tokens=list(specials), initial_alphabet=alphabet,
        show_progress=False,
    ))  # fmt: skip
    named = {"bos_token": bos, "eos_token": eos, "pad_token": pad}
    named = {key: specials[row] for key, row in named.items() if row is not None}
    return PreTrainedTokenizerFast(tokenizer_object=core, model_max_length=256, **named)


def _model(kind, rows, bos, eos, pad, hidden):
    import torch
    import transformers
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    sizes = {**SIZES, "hidden_size": hidden, "intermediate_size": 2 * hidden}
    if kind == "GPT2":
        sizes = {"n_embd": hidden, "n_layer": 2, "n_head": 2, "n_positions": 256}
    if kind == "GPTNeoX":
        del sizes["num_key_value_heads"]
    if kind in ("Gemma", "Qwen3"):
        sizes["head_dim"] = 16
    ids = {"bos_token_id": bos, "eos_token_id": eos, "pad_token_id": pad}
    config = getattr(transformers, f"{kind}Config")(vocab_size=rows, **ids, **sizes)
    return AutoModelForCausalLM.from_config(config).eval()
