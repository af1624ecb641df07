"""The chat template: how a conversation becomes one string, in training and in use."""

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


def give_chat_template(model, tokenizer) -> list[int]:
    """Give a plain language model our template and the two tokens it needs.

    Does nothing when the tokenizer has a template already. Otherwise the model's generation stops
    at the end of a turn afterwards, and its embeddings grow if the tokens were new.

    Returns the ids of the tokens that were added, which have to be trained even with LoRA.
    """
    if tokenizer.chat_template:
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
