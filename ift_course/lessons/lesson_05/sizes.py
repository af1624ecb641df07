"""How large lesson 05's and lesson 11's data and runs are on each profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class PreferenceSizes:
    """The sizes and settings of the two lessons on one profile.

    Attributes:
        demonstrations: SFT examples.
        prompts: to which the SFT model's own answers are compared.
        draws: answers to each of them.
        exam: prompts of each kind in the exam, and twice as many plain questions.
        method: "full", or "lora" for models of real size.
        sft_epochs: passes over the demonstrations.
        sft_rate: peak learning rate of SFT; None takes the default of the method.
        dpo_steps: optimizer steps of DPO. SFT on the chosen answers takes twice as many, because a
            step of DPO trains on two answers of each pair.
        dpo_rate: peak learning rate of DPO; None takes the default of the method.
        high_rate: peak learning rate of DPO in the arm in which it is too high.
        beta: of DPO.
        noise: share of the pairs that annotators mark the wrong way round.
        leaning: probability with which a biased annotator prefers the agreeing or longer answer.
        batch: batch size of SFT and DPO.
        fixed_pairs: pairs on which the log-probabilities are followed.
        follow_every: steps of DPO between two looks at them.
        tokens: of an answer, at most.
        grpo_steps: optimizer steps of GRPO.
        grpo_prompts: prompts in each step of GRPO.
        grpo_rate: peak learning rate of GRPO.
        kl_weight: β of GRPO in the arm with a KL penalty.
        eval_every: steps of GRPO between two evaluations of the policy.
        eval_prompts: prompts in each of these evaluations.
        best_of: responses to a prompt of which the best one is returned.
    """

    demonstrations: int
    prompts: int
    exam: int
    draws: int = 4
    method: Literal["full", "lora"] = "full"
    sft_epochs: float = 3.0
    sft_rate: float | None = None
    dpo_steps: int = 30
    dpo_rate: float | None = None
    high_rate: float = 5e-4
    beta: float = 0.1
    noise: float = 0.15
    leaning: float = 0.6
    batch: int = 16
    fixed_pairs: int = 48
    follow_every: int = 10
    tokens: int = 32
    grpo_steps: int = 24
    grpo_prompts: int = 4
    grpo_rate: float = 3e-4
    kl_weight: float = 0.1
    eval_every: int = 8
    eval_prompts: int = 48
    best_of: int = 8


_SMALL = PreferenceSizes(
    demonstrations=80, prompts=24, exam=6, method="lora", sft_epochs=1.0, batch=4, dpo_steps=4,
    follow_every=2, fixed_pairs=4, grpo_steps=3, eval_every=3, eval_prompts=16, grpo_prompts=2,
    tokens=30, best_of=4,
)  # fmt: skip
SIZES = {
    "tiny": PreferenceSizes(
        demonstrations=480, prompts=240, exam=50, sft_rate=2e-4, dpo_rate=1e-4, high_rate=3e-4
    ),
    "smollm2": _SMALL,
    "gemma": _SMALL,
    "t4": PreferenceSizes(
        demonstrations=1000, prompts=500, exam=100, method="lora", sft_epochs=1.0
    ),
    "gpu24": PreferenceSizes(
        demonstrations=2000, prompts=1000, exam=200, method="lora", sft_epochs=1.0
    ),
}  # fmt: skip
