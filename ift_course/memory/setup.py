"""The choices of a training run that change its memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Literal, get_args

from ift_course.errors import CourseError
from ift_course.memory.shape import Shape

Method = Literal["full", "lora", "qlora"]
Precision = Literal["mixed", "fp32", "bf16"]
Optimizer = Literal["adamw", "adamw_8bit", "paged_adamw_8bit"]

FP32, HALF = 4, 2  # bytes


@dataclass(frozen=True)
class Setup:
    """One training run.

    Attributes:
        method: "full" (every weight), "lora" (adapters on half-precision weights) or "qlora"
            (adapters on NF4 weights).
        seq: Tokens per sequence.
        batch: Sequences per forward pass.
        rank: The rank of the adapters.
        targets: The matrices of a layer that get an adapter.
        checkpointing: Save only the input of each layer, and recompute the layer in the backward
            pass.
        optimizer: How AdamW's states are stored.
        precision: "mixed" is what the Trainer does with bf16=True or fp16=True: trained weights in
            fp32, frozen weights in half precision, matrix products in half precision. "fp32" is a
            CPU or an old GPU. "bf16" keeps even trained weights in half precision (full only).
        chunked_loss: Compute the logits in chunks, as `ift sft --chunked-loss` and TRL's SFTTrainer
            do, and not all at once, as the model's own loss does.
        accumulation: Micro-batches per step; from two on, the gradients stay while the next
            micro-batch runs.
        adapter_bytes: Bytes per adapter parameter.
        labeled: The share of the tokens that carry a label. `ift sft` computes logits for these
            alone; 1 is the worst case. On a CPU without fast bf16 the kernels make copies of the
            head for themselves (6 bytes a weight were seen), which the estimate does not count;
            with few labels they are the peak.
        float32_vocab: Whether embedding, head and norms of a 4-bit model are in fp32, as after
            PEFT's prepare_model_for_kbit_training; its residual stream is fp32 then, too.
        triton: Whether a Triton kernel works on a chunk of a chunked loss in place, as on a GPU.
            TRL on a CPU uses PyTorch, which holds several fp32 arrays of a chunk's size.
    """

    method: Method
    seq: int
    batch: int
    rank: int = 16
    targets: tuple[str, ...] = ()
    checkpointing: bool = True
    optimizer: Optimizer = "adamw"
    precision: Precision = "mixed"
    chunked_loss: bool = False
    accumulation: int = 1
    adapter_bytes: int = FP32
    labeled: float = 1.0
    float32_vocab: bool = False
    triton: bool = True

    @property
    def labeled_tokens(self) -> int:
        """Tokens per forward pass for which logits are computed."""
        return self.batch * ceil(self.labeled * self.seq)

    @property
    def tokens(self) -> int:
        """Tokens per forward pass, padding included."""
        return self.seq * self.batch

    @property
    def autocast(self) -> bool:
        """Whether matrix products run in half precision on fp32 weights."""
        return self.precision == "mixed"

    @property
    def compute(self) -> int:
        """Bytes of a number that a matrix product returns."""
        return FP32 if self.precision == "fp32" else HALF

    @property
    def stored(self) -> int:
        """Bytes of a weight that is not 4-bit, and of a number of the residual stream."""
        if self.method == "full":
            return HALF if self.precision == "bf16" else FP32
        return FP32 if self.float32_vocab else self.compute

    @property
    def trained(self) -> int:
        """Bytes of a trained parameter; its gradient has as many."""
        return self.stored if self.method == "full" else self.adapter_bytes

    @property
    def copies(self) -> int:
        """Bytes that autocast adds for each trained parameter it needs in half precision."""
        return HALF if self.autocast and self.trained == FP32 else 0


def adapter_targets(shape: Shape, setup: Setup, targets: str | Sequence[str]) -> tuple[str, ...]:
    """Check a setup and return the matrices of a layer that get an adapter.

    Args:
        shape: The model.
        setup: The run, whose own targets are ignored.
        targets: "all-linear", or names of matrices.

    Raises:
        CourseError: A choice does not exist, or does not fit the others.
    """
    for value, choices, name in (
        (setup.method, Method, "method"),
        (setup.precision, Precision, "precision"),
        (setup.optimizer, Optimizer, "optimizer"),
    ):
        if value not in get_args(choices):
            raise CourseError(
                f'There is no {name} "{value}"; choose one of {", ".join(get_args(choices))}.'
            )
    for name in ("seq", "batch", "rank", "accumulation"):
        if getattr(setup, name) < 1:
            raise CourseError(f"{name} must be at least 1, not {getattr(setup, name)}.")
    if not 0 < setup.labeled <= 1:
        raise CourseError(f"labeled is a share above 0 and up to 1, not {setup.labeled:g}.")
    if setup.precision == "bf16" and setup.method != "full":
        raise CourseError('precision "bf16" is for method "full"; adapters are trained in "mixed".')
    if setup.float32_vocab and setup.method != "qlora":
        raise CourseError('float32_vocab is for method "qlora".')
    if setup.method == "full":
        return ()
    chosen = tuple(shape.linears) if targets == "all-linear" else tuple(targets)
    unknown = sorted(set(chosen) - set(shape.linears))
    if unknown or not chosen or (isinstance(targets, str) and targets != "all-linear"):
        raise CourseError(f"targets must be all-linear or some of {', '.join(shape.linears)}.")
    return chosen
