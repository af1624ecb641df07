"""What preference tuning promises: pairs are told apart, the reference is the model that was given
and stays as it was, and a killed run ends where an unbroken one does."""

import copy
import math
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ift_course.data.pairs import Pair
from ift_course.data.records import Turn
from ift_course.errors import CourseError
from ift_course.from_scratch.preference_losses import (
    best_of_n,
    best_of_n_kl,
    dpo_loss,
    group_advantages,
    sequence_logps,
)
from ift_course.training.preference.dpo import default_learning_rate, dpo
from ift_course.training.preference.logps import pair_logps, response_logps
from ift_course.training.preference.pairs import prepare_pairs, responses

REPOSITORY = Path(__file__).parents[2]


def pair(prompt: str, chosen: str, rejected: str) -> Pair:
    return Pair((Turn("user", prompt),), chosen, rejected)


PAIRS = [
    pair("Name the sound of a cow.", "Moo.", "Hello, how are you?"),
    pair("What is the capital of France?", "Paris.", "The capital of France is a puppy."),
    pair("Say it in one word.", "Hola", "Moo, moo, moo."),
] * 8
OPTIONS = {"seed": 0, "learning_rate": 5e-3, "batch_size": 4, "progress": False}


@pytest.fixture
def exact(monkeypatch):
    """Float32 on every machine, so that numbers can be compared."""
    monkeypatch.setattr("ift_course.training.arguments.bf16_is_fast", lambda: False)


def weights(model) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(a: dict, b: dict) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_only_the_response_and_its_end_are_counted(shared_tokenizer):
    [row] = prepare_pairs(shared_tokenizer, PAIRS[:1], 100).rows
    assert shared_tokenizer.decode(row["chosen_ids"]) == "Moo.<|im_end|>"
    assert shared_tokenizer.decode(row["rejected_ids"]) == "Hello, how are you?<|im_end|>"
    assert shared_tokenizer.decode(row["prompt_ids"]).endswith("<|im_start|>assistant\n")
    [chosen] = responses([row], "chosen")
    assert [token for token in chosen["labels"] if token != -100] == row["chosen_ids"]


def test_earlier_answers_belong_to_the_prompt(shared_tokenizer):
    turns = (Turn("user", "Moo?"), Turn("assistant", "Moo."), Turn("user", "Name it."))
    [row] = prepare_pairs(shared_tokenizer, [Pair(turns, "Moo.", "Hello")], 200).rows
    assert shared_tokenizer.decode(row["chosen_ids"]) == "Moo.<|im_end|>"


def test_long_responses_are_cut_and_long_prompts_dropped(shared_tokenizer):
    pairs = [PAIRS[0], pair("Moo?", "Moo. " * 60, "Moo."), pair("Moo? " * 60, "Moo.", "Hello")]
    prepared = prepare_pairs(shared_tokenizer, pairs, 64)
    assert (len(prepared.rows), prepared.truncated, prepared.dropped) == (2, 1, 1)
    with pytest.raises(CourseError, match="None of the 1 pairs has a response within 64 tokens"):
        prepare_pairs(shared_tokenizer, pairs[2:], 64)


def test_a_log_probability_is_the_sum_over_the_response_alone():
    logits = torch.zeros(1, 4, 5)  # five tokens, each with probability 1/5
    labels = torch.tensor([[-100, -100, 3, 4]])
    assert sequence_logps(logits, labels).item() == pytest.approx(2 * math.log(1 / 5))
    logits[0, 0] = torch.tensor([9.0, 0, 0, 0, 0])  # after the first token, which predicts a prompt
    assert sequence_logps(logits, labels).item() == pytest.approx(2 * math.log(1 / 5))
    logits[0, 1] = torch.tensor([0, 0, 0, 9.0, 0])  # the row that predicts the 3
    assert sequence_logps(logits, labels).item() > math.log(1 / 5) - 0.01


def test_padding_and_order_change_nothing(tiny_llama):
    model, tokenizer = tiny_llama
    rows = responses(prepare_pairs(tokenizer, PAIRS[:3], 100).rows, "rejected")
    together = response_logps(model, rows)
    alone = torch.cat([response_logps(model, [row]) for row in rows])
    assert torch.allclose(together, alone, atol=1e-4)


def test_the_dpo_loss_begins_at_ln_2_and_rewards_the_chosen():
    chosen, rejected = torch.tensor([-3.0, -5.0]), torch.tensor([-4.0, -2.0])
    start = dpo_loss(chosen, rejected, chosen, rejected, beta=0.1)
    assert start.loss.item() == pytest.approx(math.log(2))
    after = dpo_loss(chosen + 2, rejected - 1, chosen, rejected, beta=0.1)
    assert after.chosen_rewards.tolist() == pytest.approx([0.2, 0.2])
    assert after.margins.tolist() == pytest.approx([0.3, 0.3])
    assert after.loss.item() == pytest.approx(-math.log(1 / (1 + math.exp(-0.3))))
    assert after.accuracy == 1.0
    # Both may fall: only the difference counts.
    assert dpo_loss(chosen - 5, rejected - 8, chosen, rejected, 0.1).loss.item() == pytest.approx(
        after.loss.item()
    )


def test_groups_and_best_of_n():
    rewards = torch.tensor([[0.0, 1.0, 0.0, 1.0], [2.0, 2.0, 2.0, 2.0]])
    advantages = group_advantages(rewards)
    assert advantages[0].tolist() == pytest.approx([-0.8659, 0.8659, -0.8659, 0.8659], abs=1e-3)
    assert advantages[1].tolist() == [0, 0, 0, 0]
    assert best_of_n(torch.tensor([[0.1, 0.5, 0.2]])).tolist() == [1]
    assert best_of_n_kl(1) == 0
    assert best_of_n_kl(4) == pytest.approx(math.log(4) - 0.75)


@pytest.mark.parametrize("method", ["full", "lora"])
def test_it_learns_to_prefer_and_starts_at_ln_2(method, tiny_llama, exact):
    model, tokenizer = tiny_llama
    options = OPTIONS | {"learning_rate": 1e-1 if method == "lora" else 5e-3}
    result = dpo(model, tokenizer, PAIRS, beta=1.0, epochs=6, method=method, **options)
    assert result.curve("loss")[0] == pytest.approx(math.log(2), abs=1e-3)
    assert result.curve("loss")[-1] < math.log(2) / 2
    assert result.curve("rewards/accuracies")[-1] == 1.0
    assert result.steps == len(result.history) == 36


@pytest.fixture
def references_used(monkeypatch, exact):
    """For each step: the chosen sequence and the log-probability the reference gave it."""
    from ift_course.training.preference.trainers import PairTrainer

    steps = []
    compute = PairTrainer._compute_loss

    def spy(self, model, inputs, *more):
        rows = inputs["input_ids"][: len(inputs["ref_chosen_logps"])].tolist()
        steps.append(dict(zip(map(tuple, rows), inputs["ref_chosen_logps"].tolist(), strict=True)))
        return compute(self, model, inputs, *more)

    monkeypatch.setattr(PairTrainer, "_compute_loss", spy)
    return steps


def test_the_reference_is_the_tuned_model_in_memory_not_the_folder_it_came_from(
    tiny_llama_dir, cow_records, references_used
):
    # Left alone, DPOTrainer would load the reference from config._name_or_path: the model on the
    # disk, from before the SFT. Then the first loss is not ln 2.
    from ift_course.training.open_model import load
    from ift_course.training.sft import sft

    model, tokenizer = load(tiny_llama_dir)
    assert str(tiny_llama_dir) in str(model.config._name_or_path)
    tuned = sft(model, tokenizer, cow_records, seed=0, epochs=4, learning_rate=1e-2,
                progress=False).model  # fmt: skip
    pairs = PAIRS[:3]
    in_memory = sorted(pair_logps(tuned, tokenizer, pairs)[0].tolist())
    on_disk = sorted(pair_logps(load(tiny_llama_dir)[0], tokenizer, pairs)[0].tolist())
    assert abs(in_memory[0] - on_disk[0]) > 1

    result = dpo(tuned, tokenizer, pairs, epochs=3, **OPTIONS | {"batch_size": 3})
    assert result.curve("loss")[0] == pytest.approx(math.log(2), abs=1e-3)
    assert abs(result.curve("rewards/margins")[0]) < 1e-3
    for used in references_used:
        assert sorted(used.values()) == pytest.approx(in_memory, abs=1e-2)


def test_the_reference_stays_constant_while_the_policy_moves(tiny_llama, references_used):
    model, tokenizer = tiny_llama
    before = pair_logps(model, tokenizer, PAIRS[:3])[0]
    result = dpo(model, tokenizer, PAIRS[:3], epochs=6, **OPTIONS | {"batch_size": 3})
    assert len(references_used) == 6
    for used in references_used:
        assert sorted(used.values()) == pytest.approx(sorted(references_used[0].values()))
    after = pair_logps(result.model, tokenizer, PAIRS[:3])[0]
    assert (after - before).abs().mean() > 0.1


def test_another_reference_can_be_given_and_is_left_as_it_was(tiny_llama, exact):
    model, tokenizer = tiny_llama
    reference = copy.deepcopy(model)
    with torch.no_grad():
        for parameter in reference.parameters():
            parameter *= 1.5
    before = weights(reference)
    of_reference = pair_logps(reference, tokenizer, PAIRS[:4])
    of_policy = pair_logps(model, tokenizer, PAIRS[:4])
    expected = dpo_loss(*of_policy, *of_reference, beta=0.1).loss.item()
    result = dpo(model, tokenizer, PAIRS[:4], reference=reference, **OPTIONS)
    assert result.curve("loss")[0] == pytest.approx(expected, abs=1e-3)
    assert same(weights(reference), before)
    assert torch.equal(pair_logps(reference, tokenizer, PAIRS[:4])[0], of_reference[0])


def test_the_tuned_model_can_be_copied(tiny_llama):
    tuned = dpo(*tiny_llama, PAIRS[:4], max_steps=1, **OPTIONS).model
    twin = copy.deepcopy(tuned)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    ids = torch.tensor([[5, 6, 7]])
    assert twin(ids).logits.abs().max() == 0
    assert tuned(ids).logits.abs().max() > 0


def test_the_same_seed_gives_the_same_weights(tiny_llama):
    model, tokenizer = tiny_llama
    runs = [
        weights(dpo(copy.deepcopy(model), tokenizer, PAIRS, **OPTIONS | {"seed": seed}).model)
        for seed in (1, 1, 2)
    ]
    assert same(runs[0], runs[1])
    assert not same(runs[0], runs[2])


def test_what_cannot_be_trained_is_said(tiny_llama, tmp_path):
    model, tokenizer = tiny_llama
    with pytest.raises(CourseError, match="beta must be above 0, not 0"):
        dpo(model, tokenizer, PAIRS, beta=0, **OPTIONS)
    options = OPTIONS | {"output_dir": tmp_path, "max_steps": 2, "checkpoint_steps": 1}
    dpo(copy.deepcopy(model), tokenizer, PAIRS, **options)
    with pytest.raises(CourseError, match=r"other settings \(beta 0.1 → 0.5\)"):
        dpo(copy.deepcopy(model), tokenizer, PAIRS, beta=0.5, **options)


def test_small_models_get_larger_learning_rates():
    for method in ("full", "lora"):
        rates = [default_learning_rate(size, method) for size in (10**6, 10**8, 10**9, 10**10)]
        assert rates == sorted(rates, reverse=True)
    assert default_learning_rate(10**9, "full") == pytest.approx(1e-6)


def long_run(model, tokenizer, out, callbacks=()):
    """12 steps over two epochs, with a checkpoint every 3 steps."""
    return dpo(copy.deepcopy(model), tokenizer, PAIRS, epochs=2, output_dir=out,
               checkpoint_steps=3, callbacks=callbacks, **OPTIONS)  # fmt: skip


KILLED = """
import os, signal, sys
sys.path[:0] = sys.argv[1:3]
from conftest import make_model, make_tokenizer
from transformers import TrainerCallback
from test_preference import long_run

class KilledAtStep8(TrainerCallback):
    def on_step_begin(self, args, state, control, **kwargs):
        if state.global_step == 8:
            os.kill(os.getpid(), signal.SIGKILL)

tokenizer = make_tokenizer()
long_run(make_model(tokenizer), tokenizer, sys.argv[3], callbacks=[KilledAtStep8()])
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_killed_run_ends_as_an_unbroken_one(tiny_llama, tmp_path):
    here = Path(__file__).parent
    arguments = [str(here.parent), str(here), str(tmp_path / "killed")]
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments], capture_output=True, text=True, cwd=REPOSITORY
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    unbroken = long_run(*tiny_llama, tmp_path / "unbroken")
    resumed = long_run(*tiny_llama, tmp_path / "killed")
    assert (unbroken.resumed_from, resumed.resumed_from) == (0, 6)
    assert resumed.curve("loss") == unbroken.curve("loss")
    assert same(weights(resumed.model), weights(unbroken.model))
