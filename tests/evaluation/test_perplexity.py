"""Every token has the same weight in the loss of texts, whatever the batch."""

import math

import pytest
import torch

from ift_course.evaluation.perplexity import text_loss

TEXTS = ["Moo", "The dog's young is a puppy, and 2 + 3 = 5.", "Hello, how are you?", "Paris."]


def test_text_loss_is_the_models_own_loss_weighted_by_tokens(tiny_llama):
    model, tokenizer = tiny_llama
    total, tokens = 0.0, 0
    for text in TEXTS:
        ids = torch.tensor([tokenizer(text)["input_ids"]])
        if ids.shape[1] > 1:
            total += model(ids, labels=ids).loss.item() * (ids.shape[1] - 1)
            tokens += ids.shape[1] - 1
    for batch_size in (1, 3):
        result = text_loss(model, tokenizer, TEXTS, batch_size=batch_size)
        assert result.tokens == tokens
        assert result.loss == pytest.approx(total / tokens, abs=1e-5)
    assert result.perplexity == pytest.approx(math.exp(result.loss))


def test_an_untrained_model_is_as_unsure_as_its_vocabulary_is_large(tiny_llama):
    model, tokenizer = tiny_llama
    assert text_loss(model, tokenizer, TEXTS).perplexity == pytest.approx(len(tokenizer), rel=0.2)


def test_texts_without_a_next_token_are_refused(tiny_llama):
    model, tokenizer = tiny_llama
    with pytest.raises(ValueError, match="two tokens"):
        text_loss(model, tokenizer, ["", "M"])
