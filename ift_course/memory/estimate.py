"""The memory of a training step, byte by byte, before it is run.

The memory a step needs is not one sum, because it changes within the step. At the loss, all
activations exist and no gradients yet; at the optimizer's step it is the other way round. An
estimate therefore lists snapshots of one step, and the GPU must hold the largest of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ift_course.memory import activations, logits, weights
from ift_course.memory.setup import FP32, Method, Optimizer, Precision, Setup, adapter_targets
from ift_course.memory.shape import Shape, shape_of

GB = 2**30  # as on the label of a GPU: 24 GB are 24 · 2^30 bytes
GPU_SIZES = (8, 12, 16, 24, 40, 48, 80, 141)  # GB
# Neither was measured for this course, which was written without a GPU. The context holds cuBLAS,
# the driver's state and the loaded kernels; the spare share is lost between blocks of unequal size.
CONTEXT = int(0.75 * GB)
SPARE = 0.05


@dataclass(frozen=True)
class Snapshot:
    """One point of a step.

    Attributes:
        name: Which point it is.
        items: What is in memory then, in bytes by name.
    """

    name: str
    items: dict[str, int]

    @property
    def total(self) -> int:
        """Bytes of all items."""
        return sum(self.items.values())


@dataclass(frozen=True)
class MemoryEstimate:
    """The memory of one training step.

    Attributes:
        shape: The model.
        setup: The run.
        snapshots: The points of the step at which memory can be fullest.
        context: The bytes assumed for the CUDA context.
    """

    shape: Shape
    setup: Setup
    snapshots: tuple[Snapshot, ...]
    context: int = CONTEXT

    @property
    def peak(self) -> Snapshot:
        """The largest snapshot."""
        return max(self.snapshots, key=lambda snapshot: snapshot.total)

    @property
    def allocated(self) -> int:
        """Bytes that PyTorch's allocator holds at the peak. The tests compare this number."""
        return self.peak.total

    @property
    def items(self) -> dict[str, int]:
        """What is in memory at the peak, CUDA context included, in bytes by name."""
        return {**self.peak.items, "CUDA context": self.context}

    @property
    def total(self) -> int:
        """Bytes at the peak, CUDA context included."""
        return self.allocated + self.context

    def fits(self, gb: float) -> bool:
        """Return whether a GPU with that many GB is large enough, with 5 % to spare."""
        return self.total <= (1 - SPARE) * gb * GB

    @property
    def fitting_gpus(self) -> list[int]:
        """The usual GPU sizes that are large enough, in GB."""
        return [gb for gb in GPU_SIZES if self.fits(gb)]

    def change(self, **changes: Any) -> MemoryEstimate:
        """Return the estimate of the same run with other choices, such as `change(batch=1)`."""
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
    chunked_loss: bool = False,
    accumulation: int = 1,
    adapter_bytes: int = FP32,
    labeled: float = 1.0,
    float32_vocab: bool = False,
    triton: bool = True,
) -> MemoryEstimate:
    """Estimate the memory of training a model.

    Args:
        model: A name in `names()`, a config.json, a model folder, or a shape.
        method: "full", "lora" (adapters on half-precision weights) or "qlora" (on NF4 weights).
        seq: Tokens per sequence.
        batch: Sequences per forward pass.
        rank: The rank of the adapters.
        targets: Names of the matrices that get an adapter; "all-linear" is every matrix of every
            layer.
        checkpointing: Save only the input of each layer, and recompute the layer in the backward
            pass.
        optimizer: How AdamW's states are stored.
        precision: As in `Setup`.
        chunked_loss: As in `Setup`.
        accumulation: Micro-batches per step.
        adapter_bytes: 4 (fp32), as in PEFT and `ift sft`, or 2 (bf16), as TRL's SFTTrainer casts
            the adapters of a 4-bit model.
        labeled: As in `Setup`.
        float32_vocab: As in `Setup`.
        triton: As in `Setup`.

    Raises:
        CourseError: The model is unknown, or a choice does not exist.
    """
    shape = model if isinstance(model, Shape) else shape_of(model)
    setup = Setup(
        method, seq, batch, rank, (), checkpointing, optimizer, precision, chunked_loss,
        accumulation, adapter_bytes, labeled, float32_vocab, triton,
    )  # fmt: skip
    return _estimate(shape, setup, targets)


def _estimate(shape: Shape, setup: Setup, targets: str | Sequence[str]) -> MemoryEstimate:
    setup = replace(setup, targets=adapter_targets(shape, setup, targets))
    return MemoryEstimate(shape, setup, _snapshots(shape, setup))


def _snapshots(shape: Shape, setup: Setup) -> tuple[Snapshot, ...]:
    """Return the points of a step at which memory can be fullest."""
    full = setup.method == "full"
    layer_activations = setup.tokens * sum(activations.saved_by_layer(shape, setup).values())
    residual_stream = setup.tokens * setup.stored * shape.hidden  # between two layers
    outside_layers = activations.saved_outside_layers(shape, setup)
    copies = activations.autocast_copies(shape, setup)
    if setup.checkpointing:  # only residual streams are saved; one layer at a time is recomputed
        saved, recomputed = shape.layers * residual_stream, layer_activations
        saved_copies, recomputed_copies = 0, copies
    else:
        first_norm = activations.unsaved_first_norm(shape, setup)
        saved, recomputed = shape.layers * layer_activations - first_norm, 0
        saved_copies, recomputed_copies = shape.layers * copies, 0
    head = shape.vocab_parameters if full else 0
    layer = shape.matrix_parameters if full else 0
    gradients = weights.gradients(shape, setup)
    temporaries = activations.temporaries(shape, setup)
    snapshot = partial(_snapshot, shape, setup)
    return (
        snapshot(
            "end of the forward pass",
            activations=saved + outside_layers + residual_stream,
            # Autocast frees its copies only when the forward pass is over.
            copies=shape.layers * copies + setup.copies * head,
            logits=logits.at_forward(shape, setup),
        ),
        snapshot(
            "gradient of the loss",
            activations=saved + outside_layers,
            copies=saved_copies + setup.copies * head,
            logits=logits.at_loss_gradient(shape, setup),
        ),
        snapshot(
            "gradient of the head",
            activations=saved + outside_layers,
            copies=saved_copies,
            logits=logits.at_head_gradient(shape, setup),
        ),
        snapshot(
            "gradients of the last layer",
            gradients=setup.trained * head,
            activations=saved + recomputed,
            copies=saved_copies + recomputed_copies,
            temporaries=temporaries,
        ),
        snapshot(
            "gradients of the first layer",
            gradients=gradients - setup.trained * (layer + (0 if shape.tied else head)),
            activations=residual_stream + recomputed if setup.checkpointing else layer_activations,
            copies=copies,
            temporaries=temporaries,
        ),
        snapshot(
            "step of the optimizer",
            gradients=gradients,
            # A tied matrix gets two gradients, one of the head and one of the embedding. They are
            # added just before the step, in place only if autocast has allocated one of them anew.
            temporaries=setup.trained * head * (1 if setup.autocast else 2) if shape.tied else 0,
        ),
    )


def _snapshot(
    shape: Shape,
    setup: Setup,
    name: str,
    *,
    gradients: int = 0,
    activations: int = 0,
    copies: int = 0,
    logits: int = 0,
    temporaries: int = 0,
) -> Snapshot:
    """Return a snapshot of what is in memory at one point and of what is always there."""
    if setup.accumulation > 1:  # the gradients of the earlier micro-batches
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
        "temporaries": temporaries,
    }
    return Snapshot(name, {item: size for item, size in items.items() if size})
