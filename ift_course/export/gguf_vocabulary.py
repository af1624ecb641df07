"""A tokenizer as a GGUF file stores it.

It consists of tokens, merges, special tokens, a chat template, and a name for the rule that splits
text into words.
"""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from ift_course.data.chat_templates import active_template, end_of_turn
from ift_course.errors import CourseError

if TYPE_CHECKING:
    import gguf
    from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

# llama.cpp's names for the rules that split text into words. Its source, `llama-vocab.cpp`, has the
# same expressions under these names; with a wrong name it would silently tokenize differently.
GPT2 = ("gpt-2",)
DIGITS = ("Digits", *GPT2)
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
PRE_TOKENIZERS = {GPT2: "gpt-2", DIGITS: "smollm", (LLAMA3,): "llama-bpe", (QWEN2,): "qwen2"}


@dataclass(frozen=True)
class Vocabulary:
    """What a GGUF file stores under `tokenizer.ggml`.

    Attributes:
        tokens: The text of every token.
        types: The `gguf.TokenType` of every token.
        pre: llama.cpp's name for the rule that splits text into words.
        special: Merges, ids of special tokens, chat template, and whether a text starts with bos.
    """

    tokens: list[str]
    types: list[int]
    pre: str
    special: gguf.SpecialVocab


def vocabulary(tokenizer: PreTrainedTokenizerBase, size: int, end: int | None) -> Vocabulary:
    """Return the vocabulary of a byte-level BPE tokenizer.

    Args:
        tokenizer: The tokenizer.
        size: Rows of the model's embedding; the vocabulary is filled up to that size.
        end: The token that ends an answer.

    Raises:
        CourseError: The tokenizer does something that a GGUF file cannot express.
    """
    state = json.loads(cast("PreTrainedTokenizerFast", tokenizer).backend_tokenizer.to_str())
    model = state["model"]
    if model["type"] != "BPE" or model.get("byte_fallback"):
        raise CourseError(
            "The tokenizer is not byte-level BPE, the only kind that ift export can write as GGUF; "
            "use --to hf, and llama.cpp's own convert_hf_to_gguf.py on the folder it makes."
        )
    rules, prefix = _word_rules(state["pre_tokenizer"])
    plain = state["normalizer"] in (None, {"type": "NFC"}) and not prefix
    if rules not in PRE_TOKENIZERS or not plain:
        raise CourseError(
            "The tokenizer splits text in a way that ift export has no GGUF name for; use --to hf, "
            "and llama.cpp's own convert_hf_to_gguf.py on the folder it makes."
        )
    tokens, types = _tokens(model["vocab"], state["added_tokens"], size)
    return Vocabulary(
        tokens=tokens,
        types=types,
        pre=PRE_TOKENIZERS[rules],
        special=_special(tokenizer, end),
    )


def _special(tokenizer: PreTrainedTokenizerBase, end: int | None) -> gguf.SpecialVocab:
    """Return what gguf reads from the tokenizer's files, corrected where it is not enough.

    gguf takes eos for the end of an answer, needs no bos, reads from the configuration whether bos
    is added, and keeps a template that other programs cannot read.

    Args:
        tokenizer: The tokenizer.
        end: The token that ends an answer.
    """
    from gguf import SpecialVocab

    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        special = SpecialVocab(
            folder, load_merges=True, special_token_types=("bos", "eos", "unk", "pad")
        )
    bos = tokenizer.bos_token_id
    # Without a bos llama.cpp takes token 11, and some readers fail; `add_special_token` says
    # whether it is used.
    ids = {"eos": end, "bos": tokenizer.eos_token_id if bos is None else bos}
    special.special_token_ids |= {name: id_ for name, id_ in ids.items() if id_ is not None}
    added = bos is not None and tokenizer("a")["input_ids"][0] == bos
    special.add_special_token = {"bos": added}
    template = active_template(tokenizer)
    special.chat_template = template and _without_generation(template)
    return special


def end_of_answer(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """Return the token that ends an answer in the chat template, or else the end of the text."""
    end = end_of_turn(tokenizer)
    return cast("int | None", tokenizer.eos_token_id) if end is None else end


def _word_rules(pre_tokenizer: dict[str, Any] | None) -> tuple[tuple[str, ...], bool]:
    """Return the rules that split text into words, and whether text gets a space in front."""
    steps = (pre_tokenizer or {}).get("pretokenizers", [pre_tokenizer or {}])
    rules: list[str] = []
    prefix = False
    for step in steps:
        if step.get("type") == "ByteLevel":
            prefix |= step["add_prefix_space"]
            rules += GPT2 if step["use_regex"] else []
        elif step.get("type") == "Split" and step["behavior"] == "Isolated":
            rules.append(step["pattern"].get("Regex", ""))
        elif step.get("type") == "Digits" and step["individual_digits"]:
            rules.append("Digits")
        else:
            rules.append(json.dumps(step))
    return tuple(rules), prefix


def _tokens(
    vocab: dict[str, int], added: list[dict[str, Any]], size: int
) -> tuple[list[str], list[int]]:
    """Return the text and the type of every token, filled up to `size` tokens."""
    from gguf import TokenType

    tokens = [f"[PAD{row}]" for row in range(size)]  # rows that belong to no token
    types = [int(TokenType.UNUSED)] * size
    for token, row in vocab.items():
        tokens[row], types[row] = token, int(TokenType.NORMAL)
    for token in added:
        kind = TokenType.CONTROL if token["special"] else TokenType.USER_DEFINED
        tokens[token["id"]], types[token["id"]] = token["content"], int(kind)
    return tokens, types


def _without_generation(template: str) -> str:
    """Replace the tag that marks trained text, which other programs' Jinja does not know."""
    template = re.sub(r"(\{%-?\s*)generation(\s*-?%\})", r"\1if true\2", template)
    return re.sub(r"(\{%-?\s*)endgeneration(\s*-?%\})", r"\1endif\2", template)
