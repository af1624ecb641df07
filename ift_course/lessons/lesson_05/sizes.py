"""How large lesson 05's data and runs are on each profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class PreferenceSizes:
    """The sizes and settings of the lesson on one profile.

    Attributes:
        demonstrations: SFT examples.
        pairs: preference pairs for DPO, and prompts for GRPO.
        exam: prompts of each kind in the exam, and twice as many plain questions.
        method: "full", or "lora" for models of real size.
        sft_epochs: passes over the demonstrations.
        sft_rate: peak learning rate of SFT; None takes the default of the method.
        dpo_epochs: passes over the pairs.
        dpo_rate: peak learning rate of DPO; None takes the default of the method.
        beta: of DPO.
        sft_weight: weight of the SFT loss on the chosen responses in DPO.
        batch: batch size of SFT and DPO.
        grpo_steps: optimizer steps of GRPO.
        grpo_prompts: prompts in each step of GRPO.
        grpo_rate: peak learning rate of GRPO.
        eval_every: steps of GRPO between two evaluations of the policy.
        eval_prompts: prompts in each of these evaluations.
        tokens: of an answer, at most.
        best_of: responses to a prompt of which the best one is returned.
    """

    demonstrations: int
    pairs: int
    exam: int
    method: Literal["full", "lora"] = "full"
    sft_epochs: float = 3.0
    sft_rate: float | None = None
    dpo_epochs: float = 1.0
    dpo_rate: float | None = None
    beta: float = 0.1
    sft_weight: float = 1.0
    batch: int = 16
    grpo_steps: int = 32
    grpo_prompts: int = 4
    grpo_rate: float = 3e-4
    eval_every: int = 8
    eval_prompts: int = 64
    tokens: int = 40
    best_of: int = 8


SIZES = {
    "tiny": PreferenceSizes(
        demonstrations=600, pairs=960, exam=60, sft_rate=2e-4, dpo_rate=3e-4
    ),
    "smollm2": PreferenceSizes(
        demonstrations=80, pairs=48, exam=6, method="lora", sft_epochs=1.0, batch=4,
        grpo_steps=3, eval_every=3, eval_prompts=16, grpo_prompts=2, tokens=30, best_of=4,
    ),
    "gemma": PreferenceSizes(
        demonstrations=80, pairs=48, exam=6, method="lora", sft_epochs=1.0, batch=4,
        grpo_steps=3, eval_every=3, eval_prompts=16, grpo_prompts=2, tokens=30, best_of=4,
    ),
    "t4": PreferenceSizes(
        demonstrations=1000, pairs=500, exam=100, method="lora", sft_epochs=1.0, batch=8
    ),
    "gpu24": PreferenceSizes(
        demonstrations=2000, pairs=1000, exam=200, method="lora", sft_epochs=1.0
    ),
}  # fmt: skip
