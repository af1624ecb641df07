"""The chat template: how a conversation becomes one string, in training and in use."""

import copy
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING

from ift_course.errors import CourseError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

START_OF_TURN = "<|im_start|>"
END_OF_TURN = "<|im_end|>"

# What stands between `generation` and `endgeneration` is what the model is trained to produce: the
# assistant's words *and* the end of its turn, or it would never learn to stop. The newline after
# the end of a turn belongs to the format, not to the answer: nobody generates it.
CHATML = """\
{%- for message in messages -%}
{{ '<|im_start|>' + message['role'] + '\\n' }}
{%- if message['role'] == 'assistant' -%}
{% generation %}{{ message['content'] + '<|im_end|>' }}{% endgeneration %}
{%- else -%}
{{ message['content'] + '<|im_end|>' }}
{%- endif -%}
{{ '\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|im_start|>assistant\\n' }}
{%- endif -%}
"""


# Families whose own chat models keep the end of the text as the tokenizer's eos, and name the end
# of a turn beside it in the model's configuration.
KEEPS_EOS = ("gemma",)
# Two turns that no template abbreviates, and words that no template contains.
QUESTION, ANSWER, NEXT = "Which bird hoots?", "An owl hoots.", "Which bird sings?"


def active_template(tokenizer: "PreTrainedTokenizerBase") -> str | None:
    """The template that conversations are written with: of several named ones, "default".

    Raises:
        CourseError: the tokenizer has several templates, and none of them is the default.
    """
    templates = tokenizer.chat_template
    if not isinstance(templates, dict):
        return templates or None
    if "default" not in templates:
        raise CourseError(
            f"The tokenizer has the chat templates {', '.join(sorted(templates))} and none called "
            "default; copy the one you mean to chat_template.jinja in the model's folder."
        )
    return templates["default"]


def end_of_turn(tokenizer: "PreTrainedTokenizerBase") -> int | None:
    """The token that closes an assistant's turn, read off what the chat template writes.

    It is the last special token of the turn. Where the conversation goes on shows which one that
    is: some templates (Phi-3's) close a finished conversation with a second one. None without a
    template, and for a template that closes a turn with plain text or with nothing.
    """
    if not active_template(tokenizer):
        return None
    last = _after_answer(tokenizer, [QUESTION, ANSWER])
    inner = _after_answer(tokenizer, [QUESTION, ANSWER, NEXT])
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(last, inner, strict=False))
    shared = [token for token, _ in pairs]
    special = set(tokenizer.all_special_ids) | set(tokenizer.added_tokens_decoder)
    for tokens in (shared, last):
        if ends := [token for token in tokens if token in special]:
            return ends[-1]
    return None


def _after_answer(tokenizer: "PreTrainedTokenizerBase", texts: list[str]) -> list[int]:
    """The tokens that the template writes after the answer; none if it refuses the turns."""
    from jinja2 import TemplateError

    roles = ("user", "assistant", "user")
    messages = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=False)]
    try:
        text = tokenizer.apply_chat_template(messages, tokenize=False)
    except (TemplateError, TypeError, ValueError):
        return []
    _, answer, rest = text.rpartition(ANSWER)
    return tokenizer(rest, add_special_tokens=False)["input_ids"] if answer else []


def stop_at_end_of_turn(model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase") -> None:
    """Make generation with this model, by whatever program, end where the template ends a turn.

    Many base models carry a chat template and name the end of the text as their eos. Tuned through
    that template, they close an answer with a token that nothing stops at. Afterwards tokenizer,
    configuration and generation configuration agree; earlier stops are kept.
    """
    end = end_of_turn(tokenizer)
    stops = as_list(model.generation_config.eos_token_id)
    if end is None:
        return
    if end not in stops and _may_take_over(model, tokenizer, end):
        tokenizer.eos_token = tokenizer.convert_ids_to_tokens(end)
    if end not in stops:
        stops = [end, *stops]
        model.generation_config.eos_token_id = stops if len(stops) > 1 else end
    config = model.config.get_text_config()
    if end not in as_list(config.eos_token_id):
        config.eos_token_id = end if tokenizer.eos_token_id == end else stops


def _may_take_over(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", end: int
) -> bool:
    """Whether `end` can be the tokenizer's eos: not if the template itself writes the eos."""
    if model.config.model_type.startswith(KEEPS_EOS):
        return False
    changed = copy.deepcopy(tokenizer)
    changed.eos_token = changed.convert_ids_to_tokens(end)
    texts = [QUESTION, ANSWER]
    return _after_answer(changed, texts) == _after_answer(tokenizer, texts)


def as_list(token_ids: int | list[int] | None) -> list[int]:
    """Token ids as configurations hold them, one, several or none, as a list."""
    if token_ids is None:
        return []
    return list(token_ids) if isinstance(token_ids, list | tuple) else [token_ids]


def ensure_chat_template(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase"
) -> list[int]:
    """Make a model ready for conversations: a chat template, and generation that ends with a turn.

    A tokenizer without a template gets ours and the two tokens that it needs; the model's
    embeddings grow if the tokens are new.

    Returns:
        The ids of the tokens that were added, which have to be trained even with LoRA.
    """
    if active_template(tokenizer):
        stop_at_end_of_turn(model, tokenizer)
        return []
    known = len(tokenizer)
    end_of_text = tokenizer.eos_token_id
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or END_OF_TURN
    tokenizer.add_special_tokens({"additional_special_tokens": [START_OF_TURN, END_OF_TURN]})
    tokenizer.eos_token = END_OF_TURN
    tokenizer.chat_template = CHATML
    if len(tokenizer) > model.get_input_embeddings().num_embeddings:
        # The new rows are drawn at random around the mean of the old: set the seed before.
        model.resize_token_embeddings(len(tokenizer))
    model.config.eos_token_id = tokenizer.eos_token_id
    stops = [tokenizer.eos_token_id, end_of_text]
    model.generation_config.eos_token_id = [token for token in stops if token is not None]
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return list(range(known, len(tokenizer)))


# Other families' formats. Real tokenizers carry their own; these show what differs, and they say
# with `generation` what is trained, which the originals do not. Taori et al. 2023 (Alpaca, without
# a chat format of its own), the cards of Llama-3, zephyr-7b-beta and Mistral-7B-Instruct.
ALPACA = """\
{%- if messages[0]['role'] == 'system' -%}
{%- set turns = messages[1:] -%}
{{ messages[0]['content'] + '\\n\\n' }}
{%- else -%}
{%- set turns = messages -%}
{{ 'Below is an instruction that describes a task. ' }}
{{- 'Write a response that appropriately completes the request.\\n\\n' }}
{%- endif -%}
{%- for message in turns -%}
{%- if message['role'] == 'assistant' -%}
{{ '### Response:\\n' }}
{%- generation %}{{ message['content'] + eos_token }}{% endgeneration -%}
{{ '\\n\\n' }}
{%- else -%}
{{ '### Instruction:\\n' + message['content'] + '\\n\\n' }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '### Response:\\n' }}
{%- endif -%}
"""
LLAMA3 = """\
{{- bos_token -}}
{%- for message in messages -%}
{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' }}
{%- if message['role'] == 'assistant' -%}
{% generation %}{{ message['content'] | trim + '<|eot_id|>' }}{% endgeneration %}
{%- else -%}
{{ message['content'] | trim + '<|eot_id|>' }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif -%}
"""
ZEPHYR = """\
{%- for message in messages -%}
{{ '<|' + message['role'] + '|>\\n' }}
{%- if message['role'] == 'assistant' -%}
{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}
{%- else -%}
{{ message['content'] + eos_token }}
{%- endif -%}
{{ '\\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<|assistant|>\\n' }}
{%- endif -%}
"""
# Mistral has no place for a system turn: it goes before the first question. The space after
# [/INST] belongs to the answer's first word, so the model has to produce it.
MISTRAL = """\
{{- bos_token -}}
{%- if messages[0]['role'] == 'system' -%}
{%- set turns = messages[1:] -%}{%- set system = messages[0]['content'] + '\\n\\n' -%}
{%- else -%}
{%- set turns = messages -%}{%- set system = '' -%}
{%- endif -%}
{%- for message in turns -%}
{%- if message['role'] == 'assistant' -%}
{% generation %}{{ ' ' + message['content'] + eos_token }}{% endgeneration %}
{%- else -%}
{{ '[INST] ' + (system if loop.first else '') + message['content'] + ' [/INST]' }}
{%- endif -%}
{%- endfor -%}
"""


@dataclass(frozen=True)
class Style:
    """A family's format: its template, and the tokens that it needs in the vocabulary."""

    template: str
    end: str  # what closes an answer
    begin: str = ""  # what opens a text, if anything does
    marks: tuple[str, ...] = ()


STYLES = {
    "chatml": Style(CHATML, END_OF_TURN, marks=(START_OF_TURN,)),
    "alpaca": Style(ALPACA, "</s>"),
    "llama-3": Style(
        LLAMA3, "<|eot_id|>", "<|begin_of_text|>", ("<|start_header_id|>", "<|end_header_id|>")
    ),
    "zephyr": Style(ZEPHYR, "</s>"),
    "mistral": Style(MISTRAL, "</s>", "<s>", ("[INST]", "[/INST]")),
}


def with_chat_format(tokenizer: "PreTrainedTokenizerBase", name: str) -> "PreTrainedTokenizerBase":
    """A copy of the tokenizer that formats conversations in the style `name`, one of STYLES.

    It knows the style's special tokens. A model has to be resized and trained before it does.
    """
    style = STYLES[name]
    dressed = copy.deepcopy(tokenizer)
    dressed.add_special_tokens({"additional_special_tokens": [*style.marks, style.end]})
    dressed.eos_token = style.end
    if style.begin:
        dressed.add_special_tokens({"bos_token": style.begin})
    dressed.chat_template = style.template
    return dressed
