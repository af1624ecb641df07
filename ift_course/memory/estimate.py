"""Every byte of a training step, before it is run.

Memory is not one sum: what is needed changes within a step. At the loss all activations are there
and no gradients yet; at the optimizer's step it is the other way round. An estimate lists the
moments of one step, and the GPU must hold the largest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ift_course.memory import activations, logits, weights
from ift_course.memory.setup import FP32, Method, Optimizer, Precision, Setup, checked
from ift_course.memory.shape import Shape, shape_of

GB = 2**30  # as a card's label counts: a card of 24 GB has 24 · 2^30 bytes
CARDS = (8, 12, 16, 24, 40, 48, 80, 141)  # GB
# Neither was measured for this course, which has seen no GPU: cuBLAS, the driver's context and the
# loaded kernels; and the part of the card lost between blocks of unequal size.
CONTEXT = int(0.75 * GB)
SPARE = 0.05


@dataclass(frozen=True)
class Moment:
    """One point of a step, and what is in memory then, in bytes by name."""

    name: str
    items: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.items.values())


@dataclass(frozen=True)
class MemoryEstimate:
    """What one training step takes. `items` and `total` are those of its largest moment."""

    shape: Shape
    setup: Setup
    moments: tuple[Moment, ...]
    context: int = CONTEXT

    @property
    def peak(self) -> Moment:
        return max(self.moments, key=lambda moment: moment.total)

    @property
    def allocated(self) -> int:
        """What PyTorch's allocator holds at the peak: this is what was checked by measuring."""
        return self.peak.total

    @property
    def items(self) -> dict[str, int]:
        return {**self.peak.items, "CUDA context": self.context}

    @property
    def total(self) -> int:
        return self.allocated + self.context

    def fits(self, gb: float) -> bool:
        """Whether a card of that many GB holds it, with a twentieth to spare."""
        return self.total <= (1 - SPARE) * gb * GB

    @property
    def cards(self) -> list[int]:
        """The usual cards that hold it, in GB."""
        return [gb for gb in CARDS if self.fits(gb)]

    def change(self, **changes) -> MemoryEstimate:
        """The estimate of the same run with other choices, as `change(batch=1)`."""
        targets = changes.pop("targets", self.setup.targets or "all-linear")
        return _estimate(self.shape, replace(self.setup, **changes), targets)


def estimate_memory(
    model: str | Path | Shape,
    method: Method = "full",
    *,
    seq: int,
    batch: int = 1,
    rank: int = 16,
    targets: str | Sequence[str] = "all-linear",
    checkpointing: bool = True,
    optimizer: Optimizer = "adamw",
    precision: Precision = "mixed",
    tiles: bool = False,
    accumulation: int = 1,
    adapter_bytes: int = FP32,
) -> MemoryEstimate:
    """What it takes to train `model` on rows of `seq` tokens, `batch` at a time.

    Args:
        model: a name in `names()`, a config.json, or a model folder.
        method: "full", "lora" (adapters on half-precision weights) or "qlora" (on NF4 weights).
        rank, targets: of the adapters; "all-linear" is the seven matrices of every layer.
        checkpointing: keep only each layer's input, and run the layer again in the backward pass.
        precision, tiles, accumulation: see `Setup`.
        adapter_bytes: 4 (fp32), as PEFT and `ift sft` have them, or 2 (bf16), as TRL's SFTTrainer
            makes those of a 4-bit model.

    Raises CourseError for an unknown model or a choice that is none.
    """
    shape = model if isinstance(model, Shape) else shape_of(model)
    setup = Setup(
        method, seq, batch, rank, (), checkpointing, optimizer, precision, tiles, accumulation,
        adapter_bytes,
    )  # fmt: skip
    return _estimate(shape, setup, targets)


def _estimate(shape: Shape, setup: Setup, targets: str | Sequence[str]) -> MemoryEstimate:
    setup = replace(setup, targets=checked(shape, setup, targets))
    return MemoryEstimate(shape, setup, _moments(shape, setup))


def _moments(shape: Shape, setup: Setup) -> tuple[Moment, ...]:
    """The points of a step at which the most can be in memory."""
    full = setup.method == "full"
    keeps = setup.tokens * sum(activations.kept_by_layer(shape, setup).values())
    stream = setup.tokens * setup.stored * shape.hidden  # the hidden state between two layers
    ends = activations.kept_by_ends(shape, setup)
    copies = activations.half_copies(shape, setup)
    if setup.checkpointing:  # only the streams are kept; one layer at a time is run again
        kept, again, kept_copies, copies_again = shape.layers * stream, keeps, 0, copies
    else:
        kept = shape.layers * keeps - activations.not_kept_by_first(shape, setup)
        again, kept_copies, copies_again = 0, shape.layers * copies, 0
    head = shape.vocab_parameters if full else 0
    layer = shape.matrix_parameters if full else 0
    gradients = weights.gradients(shape, setup)
    passing = activations.passing(shape, setup)
    moment = partial(_moment, shape, setup)
    return (
        moment(
            "end of the forward pass",
            activations=kept + ends + stream,
            # Autocast lets go of its copies only when the forward pass is over.
            copies=shape.layers * copies + setup.copies * head,
            logits=logits.at_forward(shape, setup),
        ),
        moment(
            "gradient of the loss",
            activations=kept + ends,
            copies=kept_copies + setup.copies * head,
            logits=logits.at_loss_gradient(shape, setup),
        ),
        moment(
            "gradient of the head",
            activations=kept + ends,
            copies=kept_copies,
            logits=logits.at_head_gradient(shape, setup),
        ),
        moment(
            "gradients of the last layer",
            gradients=setup.trained * head,
            activations=kept + again,
            copies=kept_copies + copies_again,
            passing=passing,
        ),
        moment(
            "gradients of the first layer",
            gradients=gradients - setup.trained * (layer + (0 if shape.tied else head)),
            activations=stream + again if setup.checkpointing else keeps,
            copies=copies,
            passing=passing,
        ),
        moment(
            "step of the optimizer",
            gradients=gradients,
            # A tied matrix gets two gradients, of the head and of the embedding, which are added up
            # just before; in place only if autocast has made one of them anew.
            passing=setup.trained * head * (1 if setup.autocast else 2) if shape.tied else 0,
        ),
    )


def _moment(
    shape: Shape,
    setup: Setup,
    name: str,
    *,
    gradients: int = 0,
    activations: int = 0,
    copies: int = 0,
    logits: int = 0,
    passing: int = 0,
) -> Moment:
    """What is there in that moment, and what is there always."""
    if setup.accumulation > 1:  # the gradients of the passes before
        gradients = weights.gradients(shape, setup)
    items = {
        "weights": weights.weights(shape, setup),
        "quantization constants": weights.quantization_constants(shape, setup),
        "adapters": weights.adapters(shape, setup),
        "optimizer": weights.optimizer(shape, setup),
        "gradients": gradients,
        "activations": activations,
        "half-precision copies": copies,
        "logits": logits,
        "passing through": passing,
    }
    return Moment(name, {what: size for what, size in items.items() if size})
