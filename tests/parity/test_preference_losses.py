"""The formulas by hand equal TRL's in value and gradient: reward, DPO with its SFT term, GRPO."""

import copy

import pytest
import torch

from ift_course.data.loss_mask import collate
from ift_course.data.pairs import Pair
from ift_course.data.records import Turn
from ift_course.from_scratch.preference_losses import (
    bradley_terry_loss,
    dpo_loss,
    group_advantages,
    grpo_loss,
    sequence_logps,
    sft_term,
    token_logps,
)
from ift_course.models.quiet import quiet
from ift_course.training.preference.pairs import prepare_pairs, responses
from ift_course.training.preference.reward import with_score

QUESTION = "What is the capital of France?"
PAIRS = [
    Pair((Turn("user", QUESTION),), "Paris.", "The capital of France is Hola. Say it in one word."),
    Pair((Turn("user", "Name the sound of a cow."),), "Moo. Moo.", "Hello."),
    Pair((Turn("system", "You are a helpful assistant."), Turn("user", "Say it.")), "5", "2 + 3"),
]
BETA = 0.3


def rows_for_trl() -> list[dict]:
    return [
        {
            "prompt": pair.chosen_messages[:-1],
            "chosen": pair.chosen_messages[-1:],
            "rejected": pair.rejected_messages[-1:],
        }
        for pair in PAIRS
    ]


def options(folder, **extra) -> dict:
    return {
        "output_dir": str(folder), "use_cpu": True, "bf16": False, "report_to": "none",
        "per_device_train_batch_size": len(PAIRS), "train_sampling_strategy": "sequential", **extra,
    }  # fmt: skip


def gradients(model) -> dict[str, torch.Tensor]:
    return {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def assert_same(ours: dict, theirs: dict) -> None:
    assert ours.keys() == theirs.keys()
    assert ours
    for name, gradient in ours.items():
        assert torch.allclose(gradient, theirs[name], atol=1e-5), name
    assert any(gradient.abs().max() > 1e-3 for gradient in ours.values())


def perturbed(model, seed: int):
    """A copy of the model with noise on its weights, so that policy and reference differ."""
    other = copy.deepcopy(model)
    torch.manual_seed(seed)
    with torch.no_grad():
        for parameter in other.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return other


def test_rows_equal_trls_but_for_the_last_newline(tiny_llama, tmp_path):
    model, tokenizer = tiny_llama
    theirs = dpo_trainer(model, copy.deepcopy(model), tokenizer, tmp_path).train_dataset
    newline = tokenizer("\n")["input_ids"]
    ours = prepare_pairs(tokenizer, PAIRS, 256).rows
    assert [row["prompt_ids"] for row in ours] == theirs["prompt_ids"][:]
    for which in ("chosen_ids", "rejected_ids"):
        assert [row[which] + newline for row in ours] == theirs[which][:]


def dpo_trainer(model, reference, tokenizer, folder, **config):
    from datasets import Dataset
    from trl import DPOConfig, DPOTrainer

    with quiet():
        return DPOTrainer(
            model=model,
            ref_model=reference,
            args=DPOConfig(**options(folder, **({"beta": BETA} | config))),
            train_dataset=Dataset.from_list(rows_for_trl()),
            processing_class=tokenizer,
        )


def logps(model, rows, which, pad) -> torch.Tensor:
    batch = collate(responses(rows, which), pad)
    logits = model(batch["input_ids"], attention_mask=batch["attention_mask"]).logits
    return sequence_logps(logits, batch["labels"])


def test_the_dpo_loss_is_trls_in_value_gradients_and_rewards(tiny_llama, tmp_path):
    reference, tokenizer = tiny_llama
    policy = perturbed(reference, seed=1)
    twin = copy.deepcopy(policy)
    trainer = dpo_trainer(twin, copy.deepcopy(reference), tokenizer, tmp_path)
    trainer.model.train()  # only then TRL logs under "train"; the models have no dropout
    theirs = trainer.compute_loss(trainer.model, dict(next(iter(trainer.get_train_dataloader()))))
    theirs.backward()

    # TRL also counts the newline after the end of the turn, so it counts here too.
    newline = tokenizer("\n")["input_ids"]
    rows = [
        row | {which: row[which] + newline for which in ("chosen_ids", "rejected_ids")}
        for row in prepare_pairs(tokenizer, PAIRS, 256).rows
    ]
    pad = tokenizer.pad_token_id
    with torch.no_grad():
        reference_logps = [logps(reference, rows, which, pad) for which in ("chosen", "rejected")]
    policy_logps = [logps(policy, rows, which, pad) for which in ("chosen", "rejected")]
    ours = dpo_loss(*policy_logps, *reference_logps, beta=BETA)
    ours.loss.backward()

    assert ours.loss.item() == pytest.approx(theirs.item(), abs=1e-5)
    assert_same(gradients(policy), gradients(twin))
    logged = trainer._metrics["train"]
    assert ours.chosen_rewards.mean().item() == pytest.approx(logged["rewards/chosen"][0], abs=1e-5)
    assert ours.margins.mean().item() == pytest.approx(logged["rewards/margins"][0], abs=1e-5)
    assert ours.accuracy == pytest.approx(logged["rewards/accuracies"][0])


def test_the_reward_loss_is_trls_in_value_and_gradients(tiny_llama, tmp_path):
    from datasets import Dataset
    from trl import RewardConfig, RewardTrainer

    model, tokenizer = tiny_llama
    scored = with_score(model)
    torch.manual_seed(0)
    torch.nn.init.normal_(scored.score.weight)
    twin = copy.deepcopy(scored)
    with quiet():
        trainer = RewardTrainer(
            model=twin,
            args=RewardConfig(**options(tmp_path)),
            train_dataset=Dataset.from_list(rows_for_trl()),
            processing_class=tokenizer,
        )
    theirs = trainer.compute_loss(trainer.model, dict(next(iter(trainer.get_train_dataloader()))))
    theirs.backward()

    newline = tokenizer("\n")["input_ids"]
    rewards = []
    for which in ("chosen", "rejected"):
        pair_rewards = []
        for row in prepare_pairs(tokenizer, PAIRS, 256).rows:
            ids = torch.tensor([row["prompt_ids"] + row[f"{which}_ids"] + newline])
            last = scored.base_model(ids).last_hidden_state[0, -1]
            pair_rewards.append(last @ scored.score.weight[0])
        rewards.append(torch.stack(pair_rewards))
    ours = bradley_terry_loss(*rewards)
    ours.backward()

    assert ours.item() == pytest.approx(theirs.item(), abs=1e-5)
    assert_same(gradients(scored), gradients(twin))


def test_the_group_advantages_are_trls(tiny_llama, tmp_path):
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    model, tokenizer = tiny_llama
    # Two groups of four; in the second, all rewards are equal.
    rewards = [0.0, 1.0, 0.25, 0.0, 2.0, 2.0, 2.0, 2.0]
    with quiet():
        trainer = GRPOTrainer(
            model=model,
            reward_funcs=lambda completions, **_: rewards,
            args=GRPOConfig(
                str(tmp_path), use_cpu=True, bf16=False, report_to="none", num_generations=4,
                per_device_train_batch_size=8, max_completion_length=4,
            ),
            train_dataset=Dataset.from_list([{"prompt": QUESTION}, {"prompt": "Say it."}]),
            processing_class=tokenizer,
        )  # fmt: skip
        trainer.model.train()
        batch = [{"prompt": QUESTION}] * 4 + [{"prompt": "Say it."}] * 4
        theirs = trainer._generate_and_score_completions(batch)["advantages"]
    ours = group_advantages(torch.tensor(rewards).view(2, 4))
    assert torch.allclose(ours.flatten(), theirs, atol=1e-5)
    assert ours[1].abs().max() == 0


def test_dpo_with_its_sft_term_is_trls_on_trls_own_batch(tiny_llama, tmp_path):
    reference, tokenizer = tiny_llama
    policy = perturbed(reference, seed=1)
    twin = copy.deepcopy(policy)
    config = {"beta": BETA, "loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, 0.5]}
    trainer = dpo_trainer(twin, copy.deepcopy(reference), tokenizer, tmp_path, **config)
    batch = dict(next(iter(trainer.get_train_dataloader())))
    theirs = trainer.compute_loss(trainer.model, dict(batch))
    theirs.backward()

    ids, mask = batch["input_ids"], batch["completion_mask"][:, 1:]

    def by_token(model):
        logits = model(ids, attention_mask=batch["attention_mask"]).logits
        return token_logps(logits[:, :-1], ids[:, 1:]) * mask

    with torch.no_grad():
        before = by_token(reference).sum(-1).chunk(2)
    now = by_token(policy)
    terms = dpo_loss(*now.sum(-1).chunk(2), *before, beta=BETA)
    loss = terms.loss + 0.5 * sft_term(now.chunk(2)[0], mask.chunk(2)[0])
    loss.backward()
    assert loss.item() == pytest.approx(theirs.item(), abs=1e-5)
    assert_same(gradients(policy), gradients(twin))


@pytest.mark.parametrize(("beta", "weighted_kl"), [(0.0, False), (0.2, False), (0.2, True)])
def test_the_grpo_loss_is_trls_in_value_and_gradients(beta, weighted_kl, tiny_llama, tmp_path):
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    reference, tokenizer = tiny_llama
    # With a KL penalty, GRPOTrainer loads its reference from the folder that the model came from.
    reference.save_pretrained(tmp_path / "reference")
    reference = type(reference).from_pretrained(tmp_path / "reference")
    policy, sampler = perturbed(reference, seed=1), perturbed(reference, seed=2)
    twin = copy.deepcopy(policy)
    with quiet():
        trainer = GRPOTrainer(
            model=twin,
            reward_funcs=lambda completions, **_: [0.0] * len(completions),
            args=GRPOConfig(
                str(tmp_path), use_cpu=True, bf16=False, report_to="none", num_generations=2,
                per_device_train_batch_size=4, loss_type="grpo", beta=beta,
                use_bias_correction_kl=weighted_kl,
            ),
            train_dataset=Dataset.from_list([{"prompt": QUESTION}]),
            processing_class=tokenizer,
        )  # fmt: skip
    generator = torch.Generator().manual_seed(0)
    prompts, answers = (torch.randint(5, 300, (4, n), generator=generator) for n in (5, 6))
    mask = (torch.arange(6) < torch.tensor([6, 2, 4, 5])[:, None]).long()
    advantages = torch.tensor([1.5, -0.5, -1.0, 0.7])
    ids = torch.cat([prompts, answers], dim=1)
    attention = torch.cat([torch.ones_like(prompts), mask], dim=1)

    def by_token(model):
        logits = model(ids, attention_mask=attention).logits
        return token_logps(logits[:, 4:-1], answers)

    with torch.no_grad():
        old, start = by_token(sampler), by_token(reference)
    batch = {
        "prompt_ids": prompts, "prompt_mask": torch.ones_like(prompts), "completion_ids": answers,
        "completion_mask": mask, "advantages": advantages, "old_per_token_logps": old,
        "ref_per_token_logps": start, "num_items_in_batch": mask.sum(),
    }  # fmt: skip
    theirs = trainer._compute_loss(trainer.model, batch)
    theirs.backward()
    now = by_token(policy)
    loss = grpo_loss(
        now, old, advantages, mask, reference=start, beta=beta, weighted_kl=weighted_kl
    )
    loss.backward()
    ratio = (now - old).exp()
    assert ((ratio < 0.8) | (ratio > 1.2)).any(), "some tokens are clipped"
    assert loss.item() == pytest.approx(theirs.item(), abs=1e-5)
    assert_same(gradients(policy), gradients(twin))


def test_our_grpo_takes_the_model_as_it_is_for_its_reference(tiny_llama, tmp_path):
    """Also where the folder that the model came from holds other weights, as after an SFT."""
    from datasets import Dataset
    from trl import GRPOConfig

    from ift_course.training.preference.grpo_trainer import GroupTrainer

    model, tokenizer = tiny_llama
    model.save_pretrained(tmp_path / "base")
    tuned = perturbed(type(model).from_pretrained(tmp_path / "base"), seed=1)
    before = copy.deepcopy(tuned.state_dict())
    with quiet():
        trainer = GroupTrainer(
            model=tuned,
            reward_funcs=lambda completions, **_: [float(len(x)) for x in completions],
            args=GRPOConfig(
                str(tmp_path), use_cpu=True, bf16=False, report_to="none", num_generations=2,
                per_device_train_batch_size=2, max_completion_length=4, max_steps=2,
                learning_rate=1e-2, logging_steps=1,
            ),
            train_dataset=Dataset.from_list([{"prompt": QUESTION}]),
            processing_class=tokenizer,
            beta=0.1,
        )  # fmt: skip
        trainer.train()
    after = trainer.ref_model.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)
    assert trainer.state.log_history[0]["kl"] == pytest.approx(0, abs=1e-6)


def test_our_trainers_have_trls_loss(tiny_llama, tmp_path):
    # The trainers that `dpo` and `grpo` use compute log-probabilities in one piece.
    from datasets import Dataset
    from trl import DPOConfig, GRPOConfig, GRPOTrainer

    from ift_course.training.preference.grpo_trainer import GroupTrainer
    from ift_course.training.preference.trainers import PairTrainer

    model, tokenizer = tiny_llama
    newline = tokenizer("\n")["input_ids"]
    rows = [
        row | {which: row[which] + newline for which in ("chosen_ids", "rejected_ids")}
        for row in prepare_pairs(tokenizer, PAIRS, 256).rows
    ]
    reference, policy = copy.deepcopy(model), perturbed(model, seed=1)
    with quiet():
        plain = dpo_trainer(copy.deepcopy(policy), reference, tokenizer, tmp_path)
        ours = PairTrainer(
            model=copy.deepcopy(policy),
            ref_model=copy.deepcopy(model),
            args=DPOConfig(**options(tmp_path, beta=BETA, precompute_ref_log_probs=True)),
            train_dataset=Dataset.from_list(rows),
            processing_class=tokenizer,
        )
    losses = []
    for trainer in (plain, ours):
        batch = next(iter(trainer.get_train_dataloader()))
        loss = trainer.compute_loss(trainer.model, dict(batch))
        loss.backward()
        losses.append(loss.item())
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    assert_same(gradients(ours.model), gradients(plain.model))

    outputs = []
    for kind in (GRPOTrainer, GroupTrainer):
        with quiet():
            trainer = kind(
                model=copy.deepcopy(policy),
                reward_funcs=lambda completions, **_: [0.0] * len(completions),
                args=GRPOConfig(
                    str(tmp_path), use_cpu=True, bf16=False, report_to="none", num_generations=2,
                    per_device_train_batch_size=2, temperature=0.7,
                ),
                train_dataset=Dataset.from_list([{"prompt": QUESTION}]),
                processing_class=tokenizer,
            )  # fmt: skip
        ids = torch.randint(5, 300, (2, 9), generator=torch.Generator().manual_seed(0))
        logps, entropies, _ = trainer._get_per_token_logps_and_entropies(
            trainer.model, ids, torch.ones_like(ids), 4, compute_entropy=True
        )
        logps.sum().backward()
        outputs.append((logps, entropies, gradients(trainer.model)))
    assert torch.allclose(outputs[0][0], outputs[1][0], atol=1e-5)
    assert torch.allclose(outputs[0][1], outputs[1][1], atol=1e-4)
    assert_same(outputs[1][2], outputs[0][2])
