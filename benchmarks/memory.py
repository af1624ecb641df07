"""Compare predicted memory with the allocator's peak, on models of real shapes.

    python benchmarks/memory.py [--large] [--seq 256 1024] [--write benchmarks/memory.json]

Random weights take the same bytes as trained ones, so nothing is downloaded. On a CPU the peak is
that of PyTorch's CPU allocator, on a GPU `torch.cuda.max_memory_allocated`. Neither includes a CUDA
context or the gaps between blocks, and on a CPU the workspaces of CUDA's kernels are missing too.
"""

from __future__ import annotations

import argparse
import datetime
import itertools
import json
import platform
from collections.abc import Iterator
from typing import Any

import torch

from ift_course.hardware import machine
from ift_course.memory import GB, MemoryEstimate, estimate_memory
from ift_course.memory.measure import measure
from ift_course.memory.setup import Method

SMALL, LARGE = ("SmolLM2-135M",), ("Qwen3-0.6B", "Llama-3.2-1B")
METHODS: tuple[Method, ...] = ("full", "lora", "qlora")
ADAPTER_METHODS: tuple[Method, ...] = ("lora", "qlora")


def estimates(large: bool, lengths: list[int]) -> Iterator[MemoryEstimate]:
    """Yield the estimates to compare.

    Args:
        large: Add models of up to 1.2 billion parameters.
        lengths: Tokens per sequence.
    """
    for name, method, seq, checkpointing in itertools.product(
        SMALL, METHODS, lengths, (True, False)
    ):
        yield estimate_memory(name, method, seq=seq, checkpointing=checkpointing)
    if large:
        for name, method in itertools.product(LARGE, ADAPTER_METHODS):
            yield estimate_memory(name, method, seq=min(lengths))


def compare(estimate: MemoryEstimate) -> dict[str, Any]:
    """Measure the step of an estimate and return both numbers, in bytes."""
    measured = measure(estimate)
    return {
        "model": estimate.shape.name,
        "method": estimate.setup.method,
        "batch": estimate.setup.batch,
        "seq": estimate.setup.seq,
        "checkpointing": estimate.setup.checkpointing,
        "precision": estimate.setup.precision,
        "optimizer": estimate.setup.optimizer,
        "chunked_loss": estimate.setup.chunked_loss,
        "predicted": estimate.allocated,
        "measured": measured,
        "error": estimate.allocated / measured - 1,
        "peak": estimate.peak.name,
    }


def line(row: dict[str, Any]) -> str:
    """Return one comparison as a line of text."""
    return (
        f"{row['model']:14} {row['method']:6} {row['batch']} x {row['seq']:<5} "
        f"{row['optimizer']}{', chunked loss' if row['chunked_loss'] else ''}  "
        f"checkpointing {'on ' if row['checkpointing'] else 'off'}  "
        f"predicted {row['predicted'] / GB:7.3f} GB  measured {row['measured'] / GB:7.3f} GB  "
        f"error {row['error']:+.2%}"
    )


def main() -> None:
    """Run the comparison and print it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--large", action="store_true", help="also models of up to 1.2 billion parameters"
    )
    parser.add_argument(
        "--seq", type=int, nargs="+", default=[256, 1024], help="tokens per sequence"
    )
    parser.add_argument("--write", help="a JSON file for the rows, with date and device")
    options = parser.parse_args()

    rows = []
    for estimate in estimates(options.large, options.seq):
        rows.append(compare(estimate))
        print(line(rows[-1]), flush=True)
    print(f"largest error {max(abs(row['error']) for row in rows):.2%}")
    if options.write:
        gpu = torch.cuda.is_available()
        report = {
            "date": datetime.date.today().isoformat(),
            "device": torch.cuda.get_device_name(0) if gpu else machine(),
            "allocator": "CUDA" if gpu else "CPU",
            "torch": torch.__version__,
            "python": platform.python_version(),
            "unit": "bytes",
            "rows": rows,
        }
        with open(options.write, "w", encoding="utf-8") as file:
            file.write(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
