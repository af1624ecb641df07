"""The world's tokenizer is lossless and spells a word the same way at the start of a line."""

import itertools

import pytest
from transformers import AutoTokenizer

from ift_course.data.loss_mask import render
from ift_course.models.tokenizer import train_tokenizer
from ift_course.world.corpus import documents


@pytest.fixture(scope="module")
def tokenizer():
    return train_tokenizer(itertools.islice(documents(seed=1), 3000), vocab_size=1200)


def test_every_page_survives_the_round_trip(tokenizer):
    for page in itertools.islice(documents(seed=2), 500):
        assert tokenizer.decode(tokenizer(page)["input_ids"]) == page


@pytest.mark.parametrize("text", ["Paris", "a\nb", "- x\n- y", '"¿Cómo estás?"', "naïve œuf 27"])
def test_any_text_survives_the_round_trip(tokenizer, text):
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text


def test_a_prompt_is_a_prefix_of_the_conversation_it_opens(tokenizer):
    conversation = [
        {"role": "user", "content": "Name it.\nowl"},
        {"role": "assistant", "content": "hoot"},
    ]
    whole, mask = render(tokenizer, conversation)
    prompt, _ = render(tokenizer, conversation[:1], add_generation_prompt=True)
    assert whole[: len(prompt)] == prompt
    assert not any(mask[: len(prompt)])
    assert mask[len(prompt)] == 1


def test_a_saved_tokenizer_splits_text_the_same_way(tokenizer, tmp_path):
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    for page in itertools.islice(documents(seed=3), 100):
        assert loaded(page)["input_ids"] == tokenizer(page)["input_ids"]
