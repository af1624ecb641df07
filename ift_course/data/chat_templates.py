"""The chat template: how a conversation becomes one string, in training and in use."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from ift_course.data.native_templates import native_template
from ift_course.errors import CourseError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

START_OF_TURN = "<|im_start|>"
END_OF_TURN = "<|im_end|>"

# The model is trained on the text between `generation` and `endgeneration`: the assistant's words
# *and* the end of its turn, because otherwise it would never learn to stop. The newline after the
# end of a turn belongs to the format and not to the answer, so the model never generates it.
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


# Families whose own chat models keep the end of the text as the tokenizer's eos token, and name the
# end of a turn beside it in the model's configuration.
KEEPS_EOS = ("gemma",)
# Turns that no template shortens, and words that no template contains.
QUESTION, ANSWER, NEXT = "Which bird hoots?", "An owl hoots.", "Which bird sings?"


def active_template(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """The template that conversations are written with; of several named ones, "default".

    Raises:
        CourseError: the tokenizer has several templates, and none of them is the default.
    """
    templates = tokenizer.chat_template
    if not isinstance(templates, dict):
        return templates or None
    if "default" not in templates:
        raise CourseError(
            f"The tokenizer has the chat templates {', '.join(sorted(templates))} and none called "
            "default; copy the one you need to chat_template.jinja in the model's folder."
        )
    return templates["default"]


def end_of_turn(tokenizer: PreTrainedTokenizerBase) -> int | None:
    """The id of the token that closes an assistant's turn in the text of the chat template.

    It is the last special token of the turn. A conversation that continues after the turn shows
    which one that is, because some templates (Phi-3's) close a finished conversation with a second
    token.

    Returns:
        The id, or None without a template and for a template that closes a turn with ordinary text
        or with nothing.
    """
    if not active_template(tokenizer):
        return None
    at_end = _ids_after_answer(tokenizer, [QUESTION, ANSWER])
    continued = _ids_after_answer(tokenizer, [QUESTION, ANSWER, NEXT])
    pairs = takewhile(lambda pair: pair[0] == pair[1], zip(at_end, continued, strict=False))
    shared = [token for token, _ in pairs]
    special = special_ids(tokenizer)
    for ids in (shared, at_end):
        if ends := [token for token in ids if token in special]:
            return ends[-1]
    return None


def special_ids(tokenizer: PreTrainedTokenizerBase) -> set[int]:
    """The ids of the special and the added tokens, but for white space.

    Gemma's tokenizers add newlines and other white space as tokens, which are text like any other.
    """
    added = tokenizer.added_tokens_decoder.items()
    return set(tokenizer.all_special_ids) | {
        id_ for id_, token in added if token.special or token.content.strip()
    }


def _ids_after_answer(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[int]:
    """The ids that the template writes after the answer; none if it refuses the turns."""
    from jinja2 import TemplateError

    roles = ("user", "assistant", "user")
    messages = [{"role": role, "content": text} for role, text in zip(roles, texts, strict=False)]
    try:
        text = str(tokenizer.apply_chat_template(messages, tokenize=False))
    except (TemplateError, TypeError, ValueError):
        return []
    _, answer, rest = text.rpartition(ANSWER)
    return token_ids(tokenizer, rest) if answer else []


def token_ids(tokenizer: PreTrainedTokenizerBase, text: str) -> list[int]:
    """The ids of a text, without the special tokens that the tokenizer would add around it."""
    encoding: Any = tokenizer(text, add_special_tokens=False)
    return encoding["input_ids"]


def stop_at_end_of_turn(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
    """Make generation with this model, in any program, stop where the template ends a turn.

    Many base models carry a chat template and name the end of the text as their eos token. A model
    tuned through that template closes an answer with a token at which nothing stops. Afterwards
    tokenizer, configuration and generation configuration agree; earlier stop tokens are kept.
    """
    end = end_of_turn(tokenizer)
    generation_config: Any = model.generation_config
    stops = as_list(generation_config.eos_token_id)
    if end is None:
        return
    if end not in stops and _can_be_eos(model, tokenizer, end):
        tokenizer.eos_token = tokenizer.convert_ids_to_tokens(end)
    if end not in stops:
        stops = [end, *stops]
        generation_config.eos_token_id = stops if len(stops) > 1 else end
    config: Any = model.config.get_text_config()
    if end not in as_list(config.eos_token_id):
        config.eos_token_id = end if tokenizer.eos_token_id == end else stops


def _can_be_eos(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, end: int) -> bool:
    """Whether `end` can be the tokenizer's eos: not if the template itself writes the eos."""
    if str(model.config.model_type).startswith(KEEPS_EOS):
        return False
    changed = copy.deepcopy(tokenizer)
    changed.eos_token = changed.convert_ids_to_tokens(end)
    texts = [QUESTION, ANSWER]
    return _ids_after_answer(changed, texts) == _ids_after_answer(tokenizer, texts)


def as_list(token_ids: int | list[int] | None) -> list[int]:
    """A configuration's one, several or no token ids as a list."""
    if token_ids is None:
        return []
    return list(token_ids) if isinstance(token_ids, list | tuple) else [token_ids]


def ensure_chat_template(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """Make a model ready for conversations: a chat template, and generation that ends with a turn.

    A tokenizer without a template gets that of its family, if its vocabulary reserves turn tokens,
    and else ChatML with the two tokens that it needs; the model's embeddings grow if they are new.

    Returns:
        The ids of the added tokens, which have to be trained even with LoRA.
    """
    if active_template(tokenizer):
        stop_at_end_of_turn(model, tokenizer)
        return []
    if native := native_template(tokenizer):
        tokenizer.chat_template = native
        stop_at_end_of_turn(model, tokenizer)
        return []
    old_size = len(tokenizer)
    end_of_text = tokenizer.eos_token_id
    add_chatml(tokenizer)
    embeddings: Any = model.get_input_embeddings()
    if len(tokenizer) > embeddings.num_embeddings:
        # The new rows are drawn at random around the mean of the old ones: set the seed before.
        model.resize_token_embeddings(len(tokenizer))
    config: Any = model.config
    config.eos_token_id = tokenizer.eos_token_id
    stops = [tokenizer.eos_token_id, end_of_text]
    generation_config: Any = model.generation_config
    generation_config.eos_token_id = [token for token in stops if token is not None]
    generation_config.pad_token_id = tokenizer.pad_token_id
    return list(range(old_size, len(tokenizer)))


def add_chatml(tokenizer: PreTrainedTokenizerBase) -> None:
    """Give a tokenizer without a chat template ours, and the two tokens that it needs."""
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or END_OF_TURN
    tokenizer.add_special_tokens({"additional_special_tokens": [START_OF_TURN, END_OF_TURN]})
    tokenizer.eos_token = END_OF_TURN
    tokenizer.chat_template = CHATML


# Other families' formats. Real tokenizers carry their own; these show what differs, and unlike the
# originals they mark the trained text with `generation`. Sources: Taori et al. 2023 (Alpaca, which
# has no chat format of its own) and the cards of Llama-3, zephyr-7b-beta and Mistral-7B-Instruct.
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
# Mistral has no system turn, so its text goes before the first question. The space after [/INST]
# belongs to the answer's first word, so the model has to generate it.
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
    """A family's format.

    Attributes:
        template: its chat template, in Jinja.
        end: the token that closes an answer.
        begin: the token that opens a text, if there is one.
        special_tokens: the other tokens that the vocabulary needs.
    """

    template: str
    end: str
    begin: str = ""
    special_tokens: tuple[str, ...] = ()


STYLES = {
    "chatml": Style(CHATML, END_OF_TURN, special_tokens=(START_OF_TURN,)),
    "alpaca": Style(ALPACA, "</s>"),
    "llama-3": Style(
        LLAMA3, "<|eot_id|>", "<|begin_of_text|>", ("<|start_header_id|>", "<|end_header_id|>")
    ),
    "zephyr": Style(ZEPHYR, "</s>"),
    "mistral": Style(MISTRAL, "</s>", "<s>", ("[INST]", "[/INST]")),
}


def with_chat_format(tokenizer: PreTrainedTokenizerBase, name: str) -> PreTrainedTokenizerBase:
    """A copy of the tokenizer that formats conversations in another family's style.

    The copy has the style's special tokens. A model must be resized and trained before it can use
    them.

    Args:
        tokenizer: the tokenizer to copy.
        name: a key of STYLES.
    """
    style = STYLES[name]
    formatted = copy.deepcopy(tokenizer)
    special_tokens = [*style.special_tokens, style.end]
    formatted.add_special_tokens({"additional_special_tokens": special_tokens})
    formatted.eos_token = style.end
    if style.begin:
        formatted.add_special_tokens({"bos_token": style.begin})
    formatted.chat_template = style.template
    return formatted
