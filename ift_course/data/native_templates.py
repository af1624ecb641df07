"""Chat templates for base models whose vocabulary reserves turn tokens and that carry no template.

A base that is given two new tokens, as ChatML needs them, grows by two rows that no other program
knows. Where its makers reserved tokens for the same purpose, a tuned model that uses them has the
format of the family's own chat models: tools recognize it, and no embedding is resized.

Reserved is not trained: in Gemma 3 270M, the embeddings of <start_of_turn> and <end_of_turn> are
parallel to those of tokens that occur nowhere. A base that is asked through them echoes the
question and never stops. Full fine-tuning moves the two rows anyway; with LoRA, which freezes the
embedding, `training.adapter.undertrained_tokens` finds them and PEFT trains them beside the
adapters (`trainable_token_indices`). The alternative, "User: … Assistant: …" with <eos> at the end,
works from the first step, because all its tokens are trained, but no other program would use it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

# Google's template for Gemma's chat models (see the card of google/gemma-3-270m-it), which writes
# the system turn before the first question, because Gemma has no such role. Unlike the original it
# marks what is trained: the answer and the end of its turn.
GEMMA = """\
{{- bos_token -}}
{%- if messages[0]['role'] == 'system' -%}
{%- set turns = messages[1:] -%}{%- set system = messages[0]['content'] + '\\n\\n' -%}
{%- else -%}
{%- set turns = messages -%}{%- set system = '' -%}
{%- endif -%}
{%- for message in turns -%}
{%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}
{%- endif -%}
{%- if message['role'] == 'assistant' -%}
{{ '<start_of_turn>model\\n' }}
{%- generation %}{{ message['content'] | trim + '<end_of_turn>' }}{% endgeneration -%}
{{ '\\n' }}
{%- else -%}
{{ '<start_of_turn>user\\n' + (system if loop.first else '') + message['content'] | trim }}
{{- '<end_of_turn>\\n' }}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{ '<start_of_turn>model\\n' }}
{%- endif -%}
"""
# By the turn tokens that a vocabulary must have.
TEMPLATES = {("<start_of_turn>", "<end_of_turn>"): GEMMA}


def native_template(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """Return the template for the turn tokens that a vocabulary reserves, if there is one."""
    vocabulary = tokenizer.get_vocab()
    for tokens, template in TEMPLATES.items():
        if all(token in vocabulary for token in tokens):
            return template
    return None
