"""A tokenizer as a GGUF file stores it.

It consists of tokens, merges, special tokens, a chat template, and a name for the rule that splits
text into words.
"""

from __future__ import annotations

import json
import re
import tempfile
from dataclasses import dataclass, field
from itertools import groupby
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
# Gemma's tokenizer, made with SentencePiece: spaces become blocks, after which none is left to
# split at.
BLOCK = "▁"
SPACE = {"pattern": {"String": " "}}
GEMMA = (
    {"type": "Replace", **SPACE, "content": BLOCK},
    {"type": "Split", **SPACE, "behavior": "MergedWithPrevious", "invert": False},
)
REMEDY = "use --to hf, and llama.cpp's own convert_hf_to_gguf.py on the folder it makes"


@dataclass(frozen=True)
class Vocabulary:
    """What a GGUF file stores under `tokenizer.ggml`.

    Attributes:
        tokens: The text of every token.
        types: The `gguf.TokenType` of every token.
        pre: llama.cpp's name for the rule that splits text into words.
        special: Merges, ids of special tokens, chat template, and whether a text starts with bos.
        model: llama.cpp's name for the kind of tokenizer.
        scores: In a SentencePiece vocabulary, the score of every token.
    """

    tokens: list[str]
    types: list[int]
    pre: str
    special: gguf.SpecialVocab
    model: str = "gpt2"
    scores: list[float] = field(default_factory=list)


def vocabulary(tokenizer: PreTrainedTokenizerBase, size: int, end: int | None) -> Vocabulary:
    """Return the vocabulary of a byte-level BPE tokenizer, or of one like Gemma's.

    Args:
        tokenizer: The tokenizer.
        size: Rows of the model's embedding; the vocabulary is filled up to that size.
        end: The token that ends an answer.

    Raises:
        CourseError: The tokenizer does something that a GGUF file cannot express.
    """
    state = json.loads(cast("PreTrainedTokenizerFast", tokenizer).backend_tokenizer.to_str())
    model = state["model"]
    if model.get("byte_fallback") and (state["normalizer"], state["pre_tokenizer"]) == GEMMA:
        return _sentencepiece(tokenizer, state, size, end)
    if model["type"] != "BPE" or model.get("byte_fallback"):
        raise CourseError(
            "The tokenizer is neither byte-level BPE nor like Gemma's, the kinds that ift export "
            f"can write as GGUF; {REMEDY}."
        )
    rules, prefix = _word_rules(state["pre_tokenizer"])
    plain = state["normalizer"] in (None, {"type": "NFC"}) and not prefix
    if rules not in PRE_TOKENIZERS or not plain:
        raise CourseError(
            f"The tokenizer splits text in a way that ift export has no GGUF name for; {REMEDY}."
        )
    tokens, types = _tokens(model["vocab"], state["added_tokens"], size)
    return Vocabulary(
        tokens=tokens,
        types=types,
        pre=PRE_TOKENIZERS[rules],
        special=_special(tokenizer, end),
    )


def _sentencepiece(
    tokenizer: PreTrainedTokenizerBase, state: dict[str, Any], size: int, end: int | None
) -> Vocabulary:
    """Return the vocabulary of a tokenizer like Gemma's, as `vocabulary` does.

    Args:
        tokenizer: The tokenizer.
        state: What its tokenizer.json contains.
        size: As in `vocabulary`.
        end: As in `vocabulary`.
    """
    from gguf import TokenType

    tokens, types = _tokens(state["model"]["vocab"], state["added_tokens"], size)
    for row, token in enumerate(tokens):
        if token == state["model"]["unk_token"]:
            types[row] = int(TokenType.UNKNOWN)
        elif re.fullmatch("<0x[0-9A-F]{2}>", token):
            types[row] = int(TokenType.BYTE)
        elif types[row] == TokenType.USER_DEFINED and BLOCK in token:
            types[row] = int(TokenType.NORMAL)  # no text contains it before spaces become blocks
    scores = _scores(state)
    return Vocabulary(
        tokens=tokens,
        types=types,
        pre="default",
        special=_special(tokenizer, end, load_merges=False),
        model="llama",
        scores=[scores.get(token, -float(size)) for token in tokens],
    )


def _scores(state: dict[str, Any]) -> dict[str, float]:
    """Return scores by which llama.cpp merges tokens in the order of a list of merges.

    It has no such list. Of all neighbors that are a token together, it merges those whose token has
    the highest score.

    Args:
        state: What a tokenizer.json contains.

    Raises:
        CourseError: No scores give the same order.
    """
    from transformers.convert_slow_tokenizer import generate_merges

    vocab, merges = state["model"]["vocab"], [tuple(pair) for pair in state["model"]["merges"]]
    order = [token for token, _ in groupby("".join(pair) for pair in merges)]
    scores = {token: -float(rank) for rank, token in enumerate(order)}
    added = {token["content"] for token in state["added_tokens"]}  # found before anything merges
    others = {token: -float(len(vocab)) for token in vocab if token not in added}
    possible = set(generate_merges(vocab, others | scores))
    if len(scores) < len(order) or possible != set(merges):
        raise CourseError(
            f"The tokenizer merges tokens in an order that a GGUF file cannot express; {REMEDY}."
        )
    return others | scores


def _special(
    tokenizer: PreTrainedTokenizerBase, end: int | None, load_merges: bool = True
) -> gguf.SpecialVocab:
    """Return what gguf reads from the tokenizer's files, corrected where it is not enough.

    gguf takes eos for the end of an answer, needs no bos, reads from the configuration whether bos
    is added, and keeps a template that other programs cannot read.

    Args:
        tokenizer: The tokenizer.
        end: The token that ends an answer.
        load_merges: Whether the file lists merges.
    """
    from gguf import SpecialVocab

    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        special = SpecialVocab(
            folder, load_merges=load_merges, special_token_types=("bos", "eos", "unk", "pad")
        )
    bos = tokenizer.bos_token_id
    # Without a bos llama.cpp takes token 11, and some readers fail; `add_special_token` says
    # whether it is used.
    ids = {"eos": end, "bos": tokenizer.eos_token_id if bos is None else bos}
    special.special_token_ids |= {name: id_ for name, id_ in ids.items() if id_ is not None}
    special.add_special_token = {"bos": adds_bos(tokenizer)}
    template = active_template(tokenizer)
    special.chat_template = template and _without_generation(template)
    return special


def adds_bos(tokenizer: PreTrainedTokenizerBase) -> bool:
    """Return whether the tokenizer puts its beginning token before every text."""
    bos: Any = tokenizer.bos_token_id
    encoding: Any = tokenizer("a")
    return bos is not None and encoding["input_ids"][0] == bos


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
