"""`ift memory` against the allocator, on real shapes with random weights.

A step that cannot fit is not tried: its row says how much it needs. Neither the allocator's peak
nor the prediction that is compared with it (`MemoryEstimate.allocated`) includes the CUDA context
or the gaps between blocks. What the driver reports as used after the step is stored beside them, to
see how large these are.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

from memory import compare, line

from gpu_parts.part import Context, Row, one_sentence
from gpu_parts.toy import TOY
from ift_course.memory import GB, MemoryEstimate, Shape, estimate_memory

SMALL, MIDDLE, LARGE = "Qwen2.5-0.5B", "Qwen3-1.7B", "Llama-3.1-8B"
SEQ = 1024
SPARE = GB  # bytes left free for CUDA's workspaces and for gaps between blocks
# How each step differs from LoRA with checkpointing and a whole loss.
STEPS: tuple[dict[str, Any], ...] = (
    {},
    {"chunked_loss": True},
    {"checkpointing": False},
    {"method": "qlora"},
    {"method": "qlora", "chunked_loss": True},
    {"method": "qlora", "optimizer": "paged_adamw_8bit"},
    {"method": "full"},
    {"method": "full", "chunked_loss": True},
    {"method": "full", "optimizer": "adamw_8bit"},
    {"method": "full", "optimizer": "paged_adamw_8bit"},
)


def small(context: Context) -> None:
    """Compare the steps of a model of 0.5 billion parameters."""
    compare_steps(context, SMALL)


def middle(context: Context) -> None:
    """Compare the steps of a model of 1.7 billion parameters."""
    compare_steps(context, MIDDLE)


def large(context: Context) -> None:
    """Compare the steps of a model of 8 billion parameters."""
    compare_steps(context, LARGE)


def compare_steps(context: Context, name: str) -> None:
    """Measure every step of a model that fits.

    Args:
        context: With `tiny`, a toy shape takes the model's place.
        name: One of `ift_course.memory.names()`.
    """
    for estimate in estimates(TOY if context.tiny else name, 64 if context.tiny else SEQ):
        row, text = measured(estimate, free_bytes())
        context.add(row, text)
        _empty()


def estimates(model: str | Shape, seq: int) -> Iterator[MemoryEstimate]:
    """Yield the estimate of every step of a model."""
    for changes in STEPS:
        yield estimate_memory(model, **{"method": "lora", "seq": seq, **changes})


def measured(estimate: MemoryEstimate, free: int) -> tuple[Row, str]:
    """Return a row with both numbers in bytes, or with the reason why there is one only.

    Args:
        estimate: The step.
        free: Bytes that are free on the device.
    """
    setup = estimate.setup
    choices = {
        "model": estimate.shape.name,
        "method": setup.method,
        "batch": setup.batch,
        "seq": setup.seq,
        "checkpointing": setup.checkpointing,
        "precision": setup.precision,
        "optimizer": setup.optimizer,
        "chunked_loss": setup.chunked_loss,
        "predicted": estimate.allocated,
    }
    what = f"{estimate.shape.name:14} {setup.method:6} {setup.optimizer}"
    what += ", chunked loss" if setup.chunked_loss else ""
    if (needed := needed_bytes(estimate)) > free:
        reason = f"needs {needed / GB:.1f} GB, and {free / GB:.1f} GB are free"
        return {**choices, "not_measured": reason}, f"{what}  {reason}"
    try:
        row = compare(estimate)
    except Exception as error:  # out of memory, or a kernel that this GPU does not have
        reason = one_sentence(error)
        return {**choices, "not_measured": reason}, f"{what}  {reason}"
    row["used_by_driver"] = _used_by_driver()
    return row, line(row)


def needed_bytes(estimate: MemoryEstimate) -> int:
    """Return what the step takes, or its making: 4-bit weights are made from 16-bit ones."""
    setup, shape = estimate.setup, estimate.shape
    making = shape.parameters * (2 if setup.method == "qlora" else setup.stored)
    return max(estimate.allocated, making) + SPARE


def free_bytes() -> int:
    """Return the bytes that are free on the GPU, or in main memory without one."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.mem_get_info()[0]
    import psutil

    return psutil.virtual_memory().available


def _used_by_driver() -> int | None:
    """Return the bytes of the GPU in use, of all processes and of the allocator's cache."""
    import torch

    if not torch.cuda.is_available():
        return None
    free, total = torch.cuda.mem_get_info()
    return total - free


def _empty() -> None:
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
