"""Reward models and GRPO: what is preferred earns more, and what earns more is said more often."""

import math

import pytest
import torch

from ift_course.data.pairs import Pair
from ift_course.data.records import Turn
from ift_course.training.preference.grpo import grpo
from ift_course.training.preference.reward import train_reward, with_score
from ift_course.world.tasks import Example
from ift_course.world.verify import Answer

PAIRS = [
    Pair((Turn("user", "Name the sound of a cow."),), "Moo.", "Hello, how are you?"),
    Pair((Turn("user", "What is the capital of France?"),), "Paris.", "The capital is a puppy."),
] * 8


def test_the_reward_model_learns_what_is_preferred_and_leaves_the_model_alone(tiny_llama):
    model, tokenizer = tiny_llama
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    judge = train_reward(
        model, tokenizer, PAIRS, seed=0, epochs=8, learning_rate=5e-3, batch_size=4
    )
    assert judge.history[0]["loss"] == pytest.approx(math.log(2), abs=1e-3)
    assert judge.history[-1]["loss"] < 0.2
    chosen, rejected = judge.pair_rewards(PAIRS[:2])
    assert (chosen > rejected).all()
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_a_reward_does_not_depend_on_what_else_is_in_the_batch(tiny_llama):
    judge = train_reward(*tiny_llama, PAIRS, seed=0, learning_rate=5e-3)
    conversations = [pair.rejected_messages for pair in PAIRS[:2]] + [PAIRS[0].chosen_messages]
    together = judge.rewards(conversations)
    alone = torch.cat([judge.rewards([messages]) for messages in conversations])
    assert torch.allclose(together, alone, atol=1e-5)


def test_the_reward_model_has_the_body_of_the_model(tiny_llama):
    model, _ = tiny_llama
    ids = torch.tensor([[5, 6, 7]])
    ours = with_score(model).base_model(ids).last_hidden_state
    assert torch.allclose(ours, model.base_model(ids).last_hidden_state, atol=1e-6)


def example() -> Example:
    return Example("Say it.", "", "Moo.", "t", "f", "e", Answer("value", ("Moo",)))


def test_grpo_makes_likelier_what_is_rewarded(tiny_llama):
    # The random model draws all kinds of tokens; those that begin with a vowel are rewarded.
    model, tokenizer = tiny_llama
    seen, steps = [], []

    def vowels(examples, samples):
        assert len(examples) == len(samples) == 32
        seen.extend(samples)
        return [float(sample.text[:1].lower() in tuple("aeiou")) for sample in samples]

    result = grpo(model, tokenizer, [example()] * 2, vowels, seed=0, steps=25, learning_rate=1e-2,
                  prompts=2, generations=16, max_new_tokens=2,
                  on_step=lambda step, policy: steps.append(step))  # fmt: skip
    curve = result.curve("reward")
    assert sum(curve[-5:]) / 5 > sum(curve[:5]) / 5 + 0.2
    assert steps == list(range(26))
    assert {sample.finished for sample in seen} <= {True, False}


def test_grpo_gives_the_same_weights_with_the_same_seed(tiny_llama):
    import copy

    model, tokenizer = tiny_llama
    runs = [
        grpo(copy.deepcopy(model), tokenizer, [example()], lambda e, s: [len(x.text) for x in s],
             seed=0, steps=2, prompts=1, generations=4, max_new_tokens=4).model
        for _ in range(2)
    ]  # fmt: skip
    first, second = (run.state_dict() for run in runs)
    assert all(torch.equal(first[name], second[name]) for name in first)
