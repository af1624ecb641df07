"""Tiny random models of many families, as bases come: with or without a template, any eos."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerFast

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
# No part of this template is in any list of known templates.
INVENTED = (
    "{% for m in messages %}{{ '<<' + m['role'] + '>>' + m['content'] + '<<fin>>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<<assistant>>' }}{% endif %}"
)
CHATML_TOKENS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
LLAMA3_TOKENS = ("<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>",
                 "<|end_header_id|>", "<|eot_id|>")  # fmt: skip
GEMMA_TOKENS = ("<pad>", "<eos>", "<bos>", "<start_of_turn>", "<end_of_turn>")
PHI_TOKENS = ("<s>", "<|endoftext|>", "<|assistant|>", "<|user|>", "<|system|>", "<|end|>")

# name: class, special tokens, ids of bos, eos and pad, template, the token that must end an answer
FAMILIES = {
    "qwen2-base": ("Qwen2", CHATML_TOKENS, None, 0, 0, "qwen2_5", "<|im_end|>"),
    "qwen3-base": ("Qwen3", CHATML_TOKENS, None, 0, 0, "qwen3", "<|im_end|>"),
    "qwen2-without-template": ("Qwen2", CHATML_TOKENS, None, 0, 0, None, "<|im_end|>"),
    "llama3": ("Llama", LLAMA3_TOKENS, 0, 1, None, "llama3", "<|eot_id|>"),
    "llama3-marked": ("Llama", LLAMA3_TOKENS, 0, 1, None, "llama3_training", "<|eot_id|>"),
    "gemma": ("Gemma", GEMMA_TOKENS, 2, 1, 0, "gemma", "<end_of_turn>"),
    # As Gemma 3's base: reserved turn tokens and no template; its layers see windows or everything.
    "gemma3-base": ("Gemma3Text", GEMMA_TOKENS, 2, 1, 0, None, "<end_of_turn>"),
    "phi3": ("Phi3", PHI_TOKENS, 0, 1, 1, "phi3", "<|end|>"),
    "mistral": ("Mistral", ("<s>", "</s>", "[INST]", "[/INST]"), 0, 1, None, INST, "</s>"),
    "invented": ("Llama", ("</s>", "<<fin>>"), None, 0, None, INVENTED, "<<fin>>"),
    "gpt2": ("GPT2", ("<|endoftext|>",), 0, 0, None, None, "<|im_end|>"),
    "gpt-neox": ("GPTNeoX", ("<|endoftext|>",), 0, 0, None, None, "<|im_end|>"),
    "without-eos": ("Llama", (), None, None, None, None, "<|im_end|>"),
}

QUICK = {"qwen2-base", "gemma3-base", "gpt-neox"}  # as different from each other as any three


def with_a_few_quick(names: Iterable[str]) -> list:
    """Parameters for pytest: a few families for the first tier, all others for the slow tests."""
    return [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in names]


def make(name: str, hidden: int = 32) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Return a model of one of FAMILIES and its tokenizer.

    Args:
        name: A key of FAMILIES.
        hidden: The width of the residual stream; 4-bit layers need 64.
    """
    class_name, special_tokens, bos, eos, pad, template, _ = FAMILIES[name]
    tokenizer = _tokenizer(special_tokens, bos, eos, pad)
    if template:
        tokenizer.chat_template = template if "{" in template else _published(template)
    ids = {"bos_token_id": bos, "eos_token_id": eos, "pad_token_id": pad}
    return _model(class_name, len(tokenizer), ids, hidden), tokenizer


@cache
def _published(name: str) -> str:
    import trl

    return (Path(trl.__file__).parent / "chat_templates" / f"{name}.jinja").read_text()


def _tokenizer(
    special_tokens: Sequence[str], bos: int | None, eos: int | None, pad: int | None
) -> PreTrainedTokenizerFast:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    bpe.train_from_iterator(WORDS, trainers.BpeTrainer(
        vocab_size=320, special_tokens=list(special_tokens), initial_alphabet=alphabet,
        show_progress=False,
    ))  # fmt: skip
    if "<start_of_turn>" in special_tokens:  # Gemma's tokenizers add white space as tokens, too
        bpe.add_tokens(["\n", "\n\n"])
    ids = {"bos_token": bos, "eos_token": eos, "pad_token": pad}
    tokens = {key: special_tokens[id_] for key, id_ in ids.items() if id_ is not None}
    return PreTrainedTokenizerFast(tokenizer_object=bpe, model_max_length=256, **tokens)


def _model(
    class_name: str, vocab_size: int, ids: dict[str, int | None], hidden: int
) -> PreTrainedModel:
    import torch
    import transformers
    from transformers import AutoModelForCausalLM

    torch.manual_seed(1)
    sizes: dict[str, Any] = {**SIZES, "hidden_size": hidden, "intermediate_size": 2 * hidden}
    if class_name == "GPT2":
        sizes = {"n_embd": hidden, "n_layer": 2, "n_head": 2, "n_positions": 256}
    if class_name == "GPTNeoX":
        del sizes["num_key_value_heads"]
    if class_name in ("Gemma", "Gemma2", "Gemma3Text", "Qwen3"):
        sizes["head_dim"] = hidden // 2
    if class_name == "Gemma3Text":
        sizes |= {"sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"]}
    config = getattr(transformers, f"{class_name}Config")(vocab_size=vocab_size, **ids, **sizes)
    return AutoModelForCausalLM.from_config(config).eval()
