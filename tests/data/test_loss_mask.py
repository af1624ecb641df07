"""The loss mask covers the answers and their end of turn, whatever the template can say."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ift_course.data.loss_mask import IGNORE, collate, labels, render
from ift_course.errors import CourseError

# Templates as other people's models carry them.
SMOLLM2 = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful assistant<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
PLAIN_WORDS = (
    "{% for m in messages %}{{ m.role.upper() + ': ' + m.content + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)
FORGETFUL = (  # drops all but the last answer, as templates of reasoning models do with thoughts
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if m.role != 'assistant' or loop.last %}{{ m.content }}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
ALTERNATING = (
    "{% for m in messages %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}"
    "{{ raise_exception('roles must alternate') }}{% endif %}{{ m.content }}{% endfor %}"
)
CONVERSATION = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "What is the capital of France?"},
    {"role": "assistant", "content": "Paris."},
    {"role": "user", "content": "Name the sound of a cow."},
    {"role": "assistant", "content": "Moo."},
]


@pytest.fixture
def tokenizer(tiny_llama):
    return tiny_llama[1]


def trained_spans(tokenizer, ids, mask) -> list[str]:
    """The text of each run of trained tokens."""
    spans, run = [], []
    for token, trained in [*zip(ids, mask, strict=True), (0, 0)]:
        if trained:
            run.append(token)
        elif run:
            spans.append(tokenizer.decode(run))
            run = []
    return spans


@pytest.mark.parametrize("template", [None, SMOLLM2], ids=["ours", "without generation marks"])
def test_answers_and_their_ends_are_trained_and_nothing_else(template, tokenizer):
    tokenizer.chat_template = template or tokenizer.chat_template
    ids, mask = render(tokenizer, CONVERSATION)
    assert trained_spans(tokenizer, ids, mask) == ["Paris.<|im_end|>", "Moo.<|im_end|>"]
    assert ids == tokenizer.apply_chat_template(CONVERSATION, return_dict=False)


def test_both_ways_of_finding_the_answers_agree(tokenizer):
    marked = render(tokenizer, CONVERSATION)
    without = tokenizer.chat_template.replace("{% generation %}", "")
    tokenizer.chat_template = without.replace("{% endgeneration %}", "")
    assert render(tokenizer, CONVERSATION) == marked


def test_a_template_without_special_tokens_trains_the_whole_answer(tokenizer):
    tokenizer.chat_template = PLAIN_WORDS
    ids, mask = render(tokenizer, CONVERSATION)
    assert trained_spans(tokenizer, ids, mask) == [" Paris.\n", " Moo.\n"]


def test_the_prompt_is_the_text_before_the_answer(tokenizer):
    prompt, prompt_mask = render(tokenizer, CONVERSATION[:2], add_generation_prompt=True)
    ids, mask = render(tokenizer, CONVERSATION[:3])
    assert ids[: len(prompt)] == prompt
    assert mask.index(1) == len(prompt)
    assert sum(prompt_mask) == 0


def test_an_answer_that_cannot_be_separated_from_its_prompt_is_refused(tokenizer):
    tokenizer.chat_template = FORGETFUL
    with pytest.raises(CourseError, match="rewrites earlier turns, so the answer of turn 3"):
        render(tokenizer, CONVERSATION)
    ids, mask = render(tokenizer, CONVERSATION[:3])
    assert trained_spans(tokenizer, ids, mask) == ["Paris.<|im_end|>"]


def test_a_template_s_refusal_is_quoted(tokenizer):
    tokenizer.chat_template = ALTERNATING
    with pytest.raises(CourseError, match=r"refuses the conversation \(roles must alternate"):
        render(tokenizer, CONVERSATION)
    tokenizer.chat_template = None
    with pytest.raises(CourseError, match="has no chat template"):
        render(tokenizer, CONVERSATION)


texts = st.text(alphabet=st.sampled_from("ab \n.é¿"), min_size=1).filter(str.strip)


@settings(max_examples=50, deadline=None)
@given(question=texts, answer=texts)
def test_any_text_is_trained_from_first_character_to_end(shared_tokenizer, question, answer):
    messages = [
        {"role": "user", "content": question},
        {"role": "assistant", "content": answer},
    ]
    ids, mask = render(shared_tokenizer, messages)
    [span] = trained_spans(shared_tokenizer, ids, mask)
    # A newline that opens the answer may share a token with the template's own.
    assert span.lstrip("\n") == answer.lstrip("\n") + "<|im_end|>"
    assert mask[-1] == 0


def test_labels_ignore_the_masked_tokens():
    assert labels([5, 6, 7], [0, 1, 0]) == [IGNORE, 6, IGNORE]


def test_a_batch_is_padded_on_the_right_and_padding_is_ignored():
    rows = [{"input_ids": [5, 6, 7], "labels": [IGNORE, 6, 7]}, {"input_ids": [8], "labels": [8]}]
    batch = collate(rows, pad_token_id=1)
    assert batch["input_ids"].tolist() == [[5, 6, 7], [8, 1, 1]]
    assert batch["labels"].tolist() == [[IGNORE, 6, 7], [8, IGNORE, IGNORE]]
    assert batch["attention_mask"].tolist() == [[1, 1, 1], [1, 0, 0]]
    assert all(tensor.dtype == torch.int64 for tensor in batch.values())
