"""Batching, padding, stops and sampling do not change a model's answers."""

import copy
import warnings
from dataclasses import dataclass

import pytest
import torch

from ift_course.data.records import user_text
from ift_course.errors import CourseError
from ift_course.evaluation.generate import Completion, complete, generate_replies, stop_ids

TEXTS = ["Moo", "The capital of France is", "Say it in one word, as a list of five", "", "Hello,"]


@pytest.fixture
def model_and_tokenizer(tiny_llama):
    model, tokenizer = tiny_llama
    # A random model repeats one token; wider weights make its greedy text depend on the prompt.
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(8)
    return model, tokenizer


def reference(model, tokenizer, prompt: list[int], limit: int) -> Completion:
    """Greedy decoding without batch, cache or padding."""
    ids, stops = list(prompt), stop_ids(model)
    for _ in range(limit):
        with torch.no_grad():
            chosen = int(model(torch.tensor([ids])).logits[0, -1].argmax())
        if chosen in stops:
            return Completion(tokenizer.decode(ids[len(prompt) :]), True)
        ids.append(chosen)
    return Completion(tokenizer.decode(ids[len(prompt) :]), False)


def test_a_batch_gives_the_texts_of_plain_decoding(model_and_tokenizer):
    model, tokenizer = model_and_tokenizer
    texts = [text for text in TEXTS if text] + [w for t in TEXTS for w in t.split()]
    expected = [reference(model, tokenizer, tokenizer(t)["input_ids"], 12) for t in texts]
    assert len({c.text for c in expected}) > 5, "the test model should give different texts"
    for batch_size in (1, 3, 64):
        results = complete(model, tokenizer, texts, max_new_tokens=12, batch_size=batch_size)
        assert results == expected


def test_sequences_that_end_early_leave_the_others_unchanged(model_and_tokenizer):
    model, tokenizer = model_and_tokenizer
    texts = [word for text in TEXTS for word in text.split()]
    # Many tokens end a text, so that sequences of one batch end at different steps, or never.
    model.generation_config.eos_token_id = list(range(0, 400, 12))
    results = complete(model, tokenizer, texts, max_new_tokens=12)
    assert results == [reference(model, tokenizer, tokenizer(t)["input_ids"], 12) for t in texts]
    assert {c.finished for c in results} == {True, False}


def test_the_end_token_is_not_part_of_the_text(tiny_llama):
    tied, tokenizer = tiny_llama
    config = copy.deepcopy(tied.config)
    config.tie_word_embeddings = False  # or emptying the output matrix would empty the inputs too
    model = type(tied)(config).eval()
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    with torch.no_grad():
        model.lm_head.weight[:] = 0
        model.lm_head.weight[end] = 1
        model.model.norm.weight[:] = 1
        sign = model.model(torch.tensor([[5, 6]])).last_hidden_state[0, -1].sum().sign()
        model.lm_head.weight[end] *= sign
    assert complete(model, tokenizer, [tokenizer.decode([5, 6])]) == [Completion("", True)]


def test_an_answer_comes_through_the_chat_template_and_hides_the_ideal_response(
    model_and_tokenizer,
):
    @dataclass
    class Question:
        instruction: str = "Name the sound of a cow."
        input: str = "Say it in one word"
        response: str = "Moo."

    model, tokenizer = model_and_tokenizer
    message = {"role": "user", "content": user_text(Question.instruction, Question.input)}
    prompt = tokenizer.apply_chat_template(
        [message], add_generation_prompt=True, tokenize=True, return_dict=False
    )
    expected = [reference(model, tokenizer, prompt, 10)]
    for conversation in (Question(), [message], message["content"]):
        assert generate_replies(model, tokenizer, [conversation], max_new_tokens=10) == expected


def test_samples_depend_on_the_seed_and_not_on_the_batch(tiny_llama):
    model, tokenizer = tiny_llama
    texts = TEXTS * 3

    def sampled(**options):
        return complete(model, tokenizer, texts, temperature=1.0, max_new_tokens=8, **options)

    assert sampled(seed=1) == sampled(seed=1, batch_size=2)
    assert sampled(seed=1) != sampled(seed=2)
    same_prompt = [c.text for text, c in zip(texts, sampled(seed=1), strict=True) if text == "Moo"]
    assert len(set(same_prompt)) == 3, "samples of one prompt should differ"


def test_sampling_follows_the_models_probabilities(tiny_llama):
    model, tokenizer = tiny_llama
    with torch.no_grad():
        logits = model(torch.tensor([tokenizer("Moo")["input_ids"]])).logits[0, -1]
    top = logits.argmax()
    with torch.no_grad():
        model.lm_head.weight[top] *= 6
        logits = model(torch.tensor([tokenizer("Moo")["input_ids"]])).logits[0, -1]
    expected = float((logits / 0.5).softmax(-1).max())
    texts = complete(model, tokenizer, ["Moo"] * 1500, temperature=0.5, max_new_tokens=1)
    share = sum(c.text == tokenizer.decode([int(logits.argmax())]) for c in texts) / 1500
    assert share == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("training", [True, False])
def test_the_model_keeps_its_mode(tiny_llama, training):
    model, tokenizer = tiny_llama
    model.train(training)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        complete(model, tokenizer, ["Moo"], max_new_tokens=2)
    assert model.training is training


def test_an_interrupted_model_goes_back_to_training(tiny_llama, monkeypatch):
    model, tokenizer = tiny_llama

    def interrupted(**inputs):
        raise KeyboardInterrupt

    model.train()
    monkeypatch.setattr(model, "forward", interrupted)
    with pytest.raises(KeyboardInterrupt):
        complete(model, tokenizer, ["Moo"])
    assert model.training


def test_no_texts_give_no_completions(tiny_llama):
    model, tokenizer = tiny_llama
    assert complete(model, tokenizer, []) == []


def test_a_bare_text_or_conversation_is_refused(tiny_llama):
    model, tokenizer = tiny_llama
    message = {"role": "user", "content": "Moo"}
    with pytest.raises(CourseError, match="brackets"):
        complete(model, tokenizer, "Moo")
    with pytest.raises(CourseError, match="brackets"):
        generate_replies(model, tokenizer, [message])


def test_a_tokenizer_without_a_template_is_refused(tiny_llama):
    model, tokenizer = tiny_llama
    tokenizer.chat_template = None
    with pytest.raises(CourseError, match="no chat template"):
        generate_replies(model, tokenizer, ["Moo"])
