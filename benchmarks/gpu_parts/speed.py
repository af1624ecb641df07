"""Tokens per second of `ift sft` and of plain TRL with PEFT, and their share of the peak FLOPS.

The contest is that of `benchmarks/sft_step.py`: the same records, batches, precision and optimizer,
interleaved runs, and one common batch first, which shows that both have the same loss and train the
same number of parameters.
"""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from sft_step import Task, labeled_share, measure, task_rows

from gpu_parts.flops import peak_flops, step_flops
from gpu_parts.models import LONGEST, conversations, random_pair
from gpu_parts.part import Context
from gpu_parts.step_memory import MIDDLE, SMALL
from gpu_parts.toy import TOY
from ift_course.memory import shape_of

if TYPE_CHECKING:
    from ift_course.training.options import Method

# The model, the method, and how many conversations make a run of some seconds on a large GPU.
RUNS: tuple[tuple[str, Method, int], ...] = (
    (SMALL, "lora", 128),
    (SMALL, "full", 128),
    (MIDDLE, "lora", 64),
)
BATCH, REPEATS = 8, 2
TURNS = 32  # questions in a conversation: some 900 tokens


def run(context: Context) -> None:
    """Let the contestants train each model."""
    peak = peak_flops(context.tiny)
    row = {"what": "product of matrices", "flops": peak}
    context.add(row, f"a product of large matrices runs at {peak / 1e12:.3g} TFLOPS")
    for name, method, number in RUNS[:1] if context.tiny else RUNS:
        contest(context, name, method, 8 if context.tiny else number, peak)


def contest(context: Context, name: str, method: Method, number: int, peak: float) -> None:
    """Add a row for each contestant.

    Args:
        context: Of the part.
        name: The model's shape.
        method: What is trained.
        number: Conversations.
        peak: Operations per second that are possible.
    """
    import torch

    from ift_course.models.quantize import compute_dtype

    dtype = torch.float32 if method == "full" else compute_dtype()
    model, tokenizer = random_pair(name, context.tiny, dtype)
    length = 128 if context.tiny else LONGEST
    records = conversations(number, 8 if context.tiny else TURNS)
    task = Task(method, records, BATCH, length, 1e-4)
    rows = task_rows(tokenizer, task)
    lengths = [len(row["input_ids"]) for row in rows]
    n_labeled = round(labeled_share(rows) * sum(lengths))
    flops = step_flops(TOY if context.tiny else shape_of(name), method, lengths, n_labeled)
    first, speeds = measure(model, tokenizer, task, 1 if context.tiny else REPEATS)
    for contestant, tokens_per_second in speeds.items():
        speed = statistics.median(tokens_per_second)
        share = flops / sum(lengths) * speed / peak
        row = {
            "what": contestant,
            "model": TOY.name if context.tiny else name,
            "method": method,
            "batch": BATCH,
            "mean_length": sum(lengths) / len(lengths),
            "labeled": n_labeled / sum(lengths),
            "tokens_per_second": tokens_per_second,
            "share_of_peak": share,
            "first_loss": first[contestant].loss,
            "trained": first[contestant].trained,
        }
        line = f"{row['model']:13} {method:5} {contestant:10} {speed:10,.0f} tokens/s"
        line += f"  {share:.1%} of the peak  loss of the first batch {row['first_loss']:.4f}"
        context.add(row, line)
