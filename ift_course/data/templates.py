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
