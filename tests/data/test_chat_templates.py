"""Training and generation format a conversation with the same function, in every style."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ift_course.data.chat_templates import (
    ALPACA,
    STYLES,
    active_template,
    end_of_turn,
    with_chat_format,
)
from ift_course.data.loss_mask import render, render_all
from ift_course.data.native_templates import GEMMA, native_template
from ift_course.errors import CourseError

CONVERSATION = [
    {"role": "system", "content": "You are a helpful assistant."},
    {"role": "user", "content": "What is the capital of France?"},
    {"role": "assistant", "content": "Paris."},
    {"role": "user", "content": "Name the sound of a cow."},
    {"role": "assistant", "content": "Moo."},
]
WRITTEN = {
    "chatml": "<|im_start|>user\nHi?<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n",
    "alpaca": "Below is an instruction that describes a task. Write a response that appropriately "
    "completes the request.\n\n### Instruction:\nHi?\n\n### Response:\nHello.</s>\n\n",
    "llama-3": "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nHi?<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|>",
    "zephyr": "<|user|>\nHi?</s>\n<|assistant|>\nHello.</s>\n",
    "mistral": "<s>[INST] Hi? [/INST] Hello.</s>",
}


@pytest.fixture(scope="module", params=STYLES)
def styled(request, shared_tokenizer):
    return request.param, with_chat_format(shared_tokenizer, request.param)


def test_a_conversation_is_written_as_its_family_writes_it(styled):
    name, tokenizer = styled
    messages = [{"role": "user", "content": "Hi?"}, {"role": "assistant", "content": "Hello."}]
    assert tokenizer.apply_chat_template(messages, tokenize=False) == WRITTEN[name]


def test_the_prompt_of_generation_equals_the_prompt_of_training(styled):
    _, tokenizer = styled
    ids, mask = render(tokenizer, CONVERSATION)
    for answer in (2, 4):
        prompt, prompt_mask = render(tokenizer, CONVERSATION[:answer], add_generation_prompt=True)
        assert ids[: len(prompt)] == prompt
        assert (mask[len(prompt) - 1], mask[len(prompt)]) == (0, 1)
        assert prompt_mask == mask[: len(prompt)]


def test_the_answers_and_their_ends_are_trained(styled):
    name, tokenizer = styled
    ids, mask = render(tokenizer, CONVERSATION)
    trained = [token for token, m in zip(ids, mask, strict=True) if m]
    end = STYLES[name].end
    assert tokenizer.decode(trained).replace(" ", "") == f"Paris.{end}Moo.{end}"
    assert trained.count(tokenizer.convert_tokens_to_ids(end)) == 2


def test_the_system_turn_is_read_and_not_trained(styled):
    _, tokenizer = styled
    ids, mask = render(tokenizer, CONVERSATION[:3])
    assert "helpful assistant" in tokenizer.decode(ids)
    assert "helpful" not in tokenizer.decode([t for t, m in zip(ids, mask, strict=True) if m])


texts = st.text(alphabet=st.sampled_from("ab \n.é<|>"), min_size=1).filter(str.strip)
conversations_ = st.lists(st.tuples(texts, texts), min_size=1, max_size=2).map(
    lambda pairs: [
        {"role": role, "content": text}
        for pair in pairs
        for role, text in zip(("user", "assistant"), pair, strict=True)
    ]
)


@settings(max_examples=30, deadline=None)
@given(st.lists(conversations_, min_size=1, max_size=5), st.integers(1, 3))
def test_many_conversations_are_rendered_as_each_is_alone(
    shared_tokenizer, conversations, batch_size
):
    alone = [render(shared_tokenizer, messages) for messages in conversations]
    assert render_all(shared_tokenizer, conversations, batch_size) == alone


def test_many_conversations_are_rendered_without_a_generation_block(shared_tokenizer):
    tokenizer = with_chat_format(shared_tokenizer, "zephyr")
    template = STYLES["zephyr"].template
    for tag in ("{% generation %}", "{% endgeneration %}"):
        template = template.replace(tag, "")
    tokenizer.chat_template = template
    assert render_all(tokenizer, [CONVERSATION]) == [render(tokenizer, CONVERSATION)]


def test_of_several_named_templates_the_default_is_used(shared_tokenizer):
    tokenizer = copy.deepcopy(shared_tokenizer)
    plain = tokenizer.chat_template
    tokenizer.chat_template = {"default": plain, "tool_use": ALPACA}
    assert active_template(tokenizer) == plain
    assert end_of_turn(tokenizer) == tokenizer.convert_tokens_to_ids("<|im_end|>")
    tokenizer.chat_template = {"rag": plain, "tool_use": plain}
    with pytest.raises(CourseError, match="chat templates rag, tool_use and none called default"):
        active_template(tokenizer)
    tokenizer.chat_template = None
    assert active_template(tokenizer) is None


@pytest.mark.parametrize("number", range(1, 6))
@pytest.mark.parametrize("asks", [False, True], ids=["whole", "asking"])
def test_the_template_for_gemmas_turn_tokens_writes_what_googles_own_does(
    number, asks, shared_tokenizer
):
    import trl

    google = Path(trl.__file__).parent / "chat_templates" / "gemma3.jinja"
    tokenizer = copy.deepcopy(shared_tokenizer)
    turns = ["<start_of_turn>", "<end_of_turn>"]
    assert native_template(tokenizer) is None
    tokenizer.add_special_tokens({"bos_token": "<bos>", "additional_special_tokens": turns})
    theirs, ours = (
        tokenizer.apply_chat_template(
            CONVERSATION[:number], chat_template=template, tokenize=False,
            add_generation_prompt=asks,
        )
        for template in (google.read_text(encoding="utf-8"), native_template(tokenizer))
    )  # fmt: skip
    assert ours == theirs
    tokenizer.chat_template = native_template(tokenizer)
    ids, mask = render(tokenizer, CONVERSATION)
    trained = [token for token, is_trained in zip(ids, mask, strict=True) if is_trained]
    assert tokenizer.decode(trained) == "Paris.<end_of_turn>Moo.<end_of_turn>"


def test_gemma_refuses_turns_that_do_not_alternate(shared_tokenizer):
    tokenizer = copy.deepcopy(shared_tokenizer)
    tokenizer.chat_template = GEMMA
    with pytest.raises(CourseError, match="must alternate"):
        render(tokenizer, [CONVERSATION[1], CONVERSATION[3]])


def test_white_space_that_a_tokenizer_adds_as_tokens_does_not_end_a_turn(shared_tokenizer):
    tokenizer = with_chat_format(shared_tokenizer, "zephyr")
    end = end_of_turn(tokenizer)
    tokenizer.add_tokens(["\n", "\n\n"])
    assert end_of_turn(tokenizer) == end == tokenizer.convert_tokens_to_ids("</s>")
