"""A tokenizer as GGUF keeps it: tokens, merges, a name for how text is split, a chat template."""

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ift_course.data.chat_templates import active_template, end_of_turn
from ift_course.errors import CourseError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# How llama.cpp names the rules that cut text into words. Its source, `llama-vocab.cpp`, has the
# same expressions under these names; a wrong name would tokenize otherwise, without a word.
GPT2 = ("gpt-2",)
DIGITS = ("Digits", *GPT2)
LLAMA3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN2 = LLAMA3.replace(r"\p{N}{1,3}", r"\p{N}")
PRE_TOKENIZERS = {GPT2: "gpt-2", DIGITS: "smollm", (LLAMA3,): "llama-bpe", (QWEN2,): "qwen2"}

# `models.tokenizer` puts a space before a line's first word, and a GGUF cannot say so. Its chat
# template can: this one does to the finished text what the normalizer and the prefix space do.
SPACED = r"""{% set text %}TEMPLATE{% endset -%}
{%- set marks = MARKS -%}
{%- set ns = namespace(text=text | replace('\n', '\n ')) -%}
{%- for next in marks + ['\t', '\r'] -%}
{%- set ns.text = ns.text | replace('\n ' + next, '\n' + next) -%}
{%- endfor -%}
{%- for again in [1, 2] -%}
{%- set ns.text = ns.text | replace('\n \n', '\n\n') -%}
{%- endfor -%}
{%- if text and text[-1] == '\n' -%}{%- set ns.text = ns.text[:-1] -%}{%- endif -%}
{%- set ns.text = ns.text | replace('\n  ', '\n ') -%}
{%- for mark in marks -%}
{%- set ns.text = ns.text | replace(mark, mark + ' ') -%}
{%- endfor -%}
{%- for mark in marks -%}{%- for next in marks -%}
{%- set ns.text = ns.text | replace(mark + ' ' + next, mark + next) -%}
{%- endfor -%}{%- endfor -%}
{%- for mark in marks -%}
{%- set ns.text = ns.text | replace(mark + '  ', mark + ' ') -%}
{%- endfor -%}
{{- ns.text -}}
"""
LINE_STARTS = {
    "type": "Replace", "pattern": {"Regex": r"\n(?=\S)"}, "content": "\n "
}  # fmt: skip


@dataclass(frozen=True)
class Vocabulary:
    """What is written under `tokenizer.ggml` in a GGUF file. `types` are `gguf.TokenType`."""

    tokens: list[str]
    types: list[int]
    merges: list[str]
    pre: str
    special: dict[str, int]  # "eos", "bos", "pad", "unk": their ids
    add_bos: bool
    template: str | None
    spaced: bool  # whether plain text, unlike a conversation, has to be given its first space


def vocabulary(tokenizer: "PreTrainedTokenizerBase", size: int, end: int | None) -> Vocabulary:
    """The vocabulary of a byte-level BPE tokenizer, filled up to the `size` rows of its model.

    end: the token that ends an answer.

    Raises CourseError when the tokenizer does something that a GGUF file cannot say.
    """
    state = json.loads(tokenizer.backend_tokenizer.to_str())
    model = state["model"]
    if model["type"] != "BPE" or model.get("byte_fallback"):
        raise CourseError(
            "The tokenizer is not byte-level BPE, the one kind that ift export can write as GGUF; "
            "use --to hf, and llama.cpp's own convert_hf_to_gguf.py on the folder it makes."
        )
    names, prefix = _split(state["pre_tokenizer"])
    spaced = state["normalizer"] == LINE_STARTS and prefix
    plain = state["normalizer"] in (None, {"type": "NFC"}) and not prefix
    if names not in PRE_TOKENIZERS or not (plain or spaced):
        raise CourseError(
            "The tokenizer splits text in a way that ift export has no GGUF name for; use --to hf, "
            "and llama.cpp's own convert_hf_to_gguf.py on the folder it makes."
        )
    tokens, types = _tokens(model["vocab"], state["added_tokens"], size)
    template = active_template(tokenizer)
    template = template and _without_generation(template)
    if template and spaced:
        marks = [token["content"] for token in state["added_tokens"] if token["special"]]
        template = SPACED.replace("MARKS", json.dumps(marks)).replace("TEMPLATE", template)
    start = tokenizer.bos_token_id
    ids = {
        "eos": end,
        # Without one llama.cpp takes token 11, and some readers fail; `add_bos` says if it is used.
        "bos": tokenizer.eos_token_id if start is None else start,
        "pad": tokenizer.pad_token_id,
        "unk": tokenizer.unk_token_id,
    }
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in model["merges"]]
    return Vocabulary(
        tokens=tokens,
        types=types,
        merges=merges,
        pre=PRE_TOKENIZERS[names],
        special={name: token for name, token in ids.items() if token is not None},
        add_bos=start is not None and tokenizer("a")["input_ids"][0] == start,
        template=template,
        spaced=spaced,
    )


def end_of_answer(tokenizer: "PreTrainedTokenizerBase") -> int | None:
    """The token that closes an answer in the chat template, or else the end of the text."""
    end = end_of_turn(tokenizer)
    return tokenizer.eos_token_id if end is None else end


def _split(pre_tokenizer: dict | None) -> tuple[tuple[str, ...], bool]:
    """The steps that cut text into words, and whether text gets a space in front first."""
    steps = (pre_tokenizer or {}).get("pretokenizers", [pre_tokenizer or {}])
    names, prefix = [], False
    for step in steps:
        if step.get("type") == "ByteLevel":
            prefix |= step["add_prefix_space"]
            names += GPT2 if step["use_regex"] else []
        elif step.get("type") == "Split" and step["behavior"] == "Isolated":
            names.append(step["pattern"].get("Regex", ""))
        elif step.get("type") == "Digits" and step["individual_digits"]:
            names.append("Digits")
        else:
            names.append(json.dumps(step))
    return tuple(names), prefix


def _tokens(vocab: dict[str, int], added: list[dict], size: int) -> tuple[list[str], list[int]]:
    from gguf import TokenType

    tokens = [f"[PAD{row}]" for row in range(size)]  # rows of the model that no token has
    types = [int(TokenType.UNUSED)] * size
    for token, row in vocab.items():
        tokens[row], types[row] = token, int(TokenType.NORMAL)
    for token in added:
        kind = TokenType.CONTROL if token["special"] else TokenType.USER_DEFINED
        tokens[token["id"]], types[token["id"]] = token["content"], int(kind)
    return tokens, types


def _without_generation(template: str) -> str:
    """Without the tag that says what is trained: other programs' Jinja does not know it."""
    template = re.sub(r"(\{%-?\s*)generation(\s*-?%\})", r"\1if true\2", template)
    return re.sub(r"(\{%-?\s*)endgeneration(\s*-?%\})", r"\1endif\2", template)
