"""`ift sft` in fp16, as on a T4: are the losses finite, and how many steps does the scaler skip?

fp16 overflows at 65,504, so the Trainer scales the loss up, skips each step whose gradients are not
finite, and halves the scale. A GPU that has bfloat16 is told here that it has not. A CPU has no
scaler: there the same code runs in fp32.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from gpu_parts.models import conversations, random_pair
from gpu_parts.part import Context, Row
from gpu_parts.step_memory import SMALL

if TYPE_CHECKING:
    from ift_course.training.options import Method

METHODS: tuple[Method, ...] = ("full", "lora")
STEPS, TOY_STEPS = 30, 2


def run(context: Context) -> None:
    """Train in full and with LoRA."""
    for method in METHODS:
        row = train(method, context.tiny)
        context.add(row, line(row))


def train(method: Method, tiny: bool) -> Row:
    """Train some steps and return what the scaler did.

    Args:
        method: "full" or "lora".
        tiny: Whether a toy is trained.
    """
    import torch

    from ift_course.training import arguments
    from ift_course.training.sft import sft

    steps = TOY_STEPS if tiny else STEPS
    with (
        patch.object(arguments, "bf16_is_fast", lambda: False),
        patch("ift_course.hardware.bf16_is_fast", lambda: False),
    ):
        frozen = torch.float16 if torch.cuda.is_available() else torch.float32
        dtype = torch.float32 if method == "full" else frozen
        model, tokenizer = random_pair(SMALL, tiny, dtype)
        scaler = ScalerLog()
        result = sft(model, tokenizer, conversations(4 * steps), seed=0, max_steps=steps,
                     batch_size=4, max_length=256, method=method, callbacks=[scaler.callback()],
                     progress=False)  # fmt: skip
        precision = arguments.precision()
    losses = result.losses
    return {
        "method": method,
        "precision": precision,
        "steps": len(losses),
        "finite": all(map(math.isfinite, losses)),
        "first_loss": losses[0],
        "last_loss": losses[-1],
        "skipped": scaler.skipped,
        "scale": scaler.scale,
        "peak_mb": round(result.peak_mb),
    }


class ScalerLog:
    """Counts the optimizer's steps that the scaler skipped, and keeps its last scale."""

    def __init__(self) -> None:
        self.skipped = 0
        self.scale: float | None = None

    def see(self, optimizer: Any) -> None:
        """Look at accelerate's optimizer after a step."""
        self.skipped += bool(getattr(optimizer, "step_was_skipped", False))
        scaler = getattr(optimizer, "scaler", None)
        self.scale = scaler.get_scale() if scaler is not None else None

    def callback(self) -> Any:
        """Return a callback of transformers' Trainer that looks after every step."""
        from transformers import TrainerCallback

        log = self

        class See(TrainerCallback):
            def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
                log.see(kwargs.get("optimizer"))

        return See()


def line(row: Row) -> str:
    """Return one run as a line of text."""
    scale = "no scaler" if row["scale"] is None else f"scale {row['scale']:,.0f} at the end"
    return (
        f"{row['method']:5} {row['precision']}  {row['steps']} steps, losses "
        f"{'finite' if row['finite'] else 'NOT FINITE'}, {row['first_loss']:.3f} to "
        f"{row['last_loss']:.3f}; {row['skipped']} steps skipped, {scale}"
    )
