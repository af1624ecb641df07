"""Lesson 04's data, its adapter, and what one training step of each method costs."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from ift_course.data.examples import to_records
from ift_course.data.loss_mask import collate
from ift_course.evaluation.intervals import paired_difference
from ift_course.memory.estimate import estimate_memory
from ift_course.memory.measure import peak_bytes
from ift_course.memory.setup import Method
from ift_course.models.quantize import float_adapters, to_four_bit
from ift_course.models.quiet import quiet
from ift_course.training.adapter import Adapter, undertrained_tokens
from ift_course.training.sft import prepare
from ift_course.world.tasks import FACT_TASKS, Example, sample

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

ItemScores = Sequence[Sequence[float]]  # of one arm: for each seed, 1 or 0 an item
NOT_WEIGHTS = ("activations", "half-precision copies", "logits", "temporaries")
ALPHA = 32  # the same for every rank, as in Schulman et al. 2025, so that one rate suits all


def examples(n: int, seed: int) -> list[Example]:
    """Draw questions about facts, with their answers, to tune on."""
    return sample(n, seed=seed, tasks=FACT_TASKS)


def questions(n: int, seed: int) -> list[Example]:
    """Draw questions about entities that no example mentions."""
    return sample(n, seed=seed, split="test", tasks=FACT_TASKS)


def points(first: ItemScores, second: ItemScores) -> str:
    """Say how many points the first arm is above the second, with the interval in brackets.

    Args:
        first: For each seed, 1 or 0 an item; with one seed the interval is over items alone.
        second: The same of the other arm, on the same items.
    """
    mean, (low, high) = paired_difference(first, second)
    return f"{100 * mean:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f})"


def adapter(rank: int) -> Adapter:
    """Return the settings of LoRA on all linear layers."""
    return Adapter(rank=rank, alpha=ALPHA)


def batches(
    tokenizer: PreTrainedTokenizerBase, chosen: Sequence[Example], size: int, epochs: int = 1
) -> Iterator[dict[str, torch.Tensor]]:
    """Yield padded batches of labeled conversations in the given order.

    Args:
        tokenizer: With a chat template.
        chosen: The examples.
        size: Examples in a batch.
        epochs: How often each example is seen.
    """
    rows = prepare(tokenizer, to_records(chosen), max_length=128).rows
    for _ in range(epochs):
        for start in range(0, len(rows), size):
            yield collate(rows[start : start + size], cast("int", tokenizer.pad_token_id))


@dataclass(frozen=True)
class StepCost:
    """What one training step costs.

    Attributes:
        trained: Parameters that are trained.
        flops: Floating-point operations of the matrix products, forward and backward.
        peak: The most bytes that PyTorch's allocator held.
        predicted: The same by `estimate_memory`.
        activations: Predicted bytes of activations and logits among them.
    """

    trained: int
    flops: int
    peak: int
    predicted: int
    activations: int


def step_cost(
    base: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    batch: dict[str, torch.Tensor],
    method: Method,
    rank: int = 8,
) -> StepCost:
    """Measure one training step, after a first one that allocates the optimizer's state.

    Args:
        base: The base in memory; it is copied.
        tokenizer: Its tokenizer.
        batch: Inputs and labels.
        method: "full", "lora" or "qlora".
        rank: Of the adapters.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    batch = {name: tensor.to(base.device) for name, tensor in batch.items()}

    tokens = undertrained_tokens(base, tokenizer, batch["input_ids"].flatten().tolist())

    def start() -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        model = _model(base, tokens, method, rank)
        trained = [p for p in model.parameters() if p.requires_grad]
        return step((model, torch.optim.AdamW(trained)))

    def step(
        state: tuple[torch.nn.Module, torch.optim.Optimizer],
    ) -> tuple[torch.nn.Module, torch.optim.Optimizer]:
        model, optimizer = state
        model(**batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        return state

    peak = peak_bytes(start, step)
    n_trained = sum(p.numel() for p in start()[0].parameters() if p.requires_grad)
    # QLoRA has the products of LoRA, but those with 4-bit weights are hidden from the counter. And
    # PEFT computes a gradient of the whole embedding where it trains some rows, so train none.
    counted = _model(base, [], "full" if method == "full" else "lora", rank)
    with FlopCounterMode(display=False) as counter:
        counted(**batch).loss.backward()
    n_rows, n_tokens = batch["input_ids"].shape
    estimate = estimate_memory(
        str(base.name_or_path), method, seq=n_tokens, batch=n_rows, rank=rank,
        precision="fp32", checkpointing=False, adapter_bytes=4,
    )  # fmt: skip
    activations = sum(estimate.peak.items.get(item, 0) for item in NOT_WEIGHTS)
    return StepCost(n_trained, counter.get_total_flops(), peak, estimate.allocated, activations)


def _model(base: PreTrainedModel, tokens: list[int], method: Method, rank: int) -> torch.nn.Module:
    """Return a copy of the base, ready for a step; with adapters, these rows are trained, too."""
    model = copy.deepcopy(base)
    if method == "full":
        return model.train()
    if method == "qlora":
        to_four_bit(model, compute=base.dtype)
    with quiet():
        from peft import get_peft_model

        adapted = get_peft_model(model, adapter(rank).config(model, tokens))
    float_adapters(adapted)
    return adapted.train()
