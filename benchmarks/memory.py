"""The memory estimate's prediction beside the allocator's peak, on models of real shapes.

    python benchmarks/memory.py [--large] [--seq 256 1024] [--write benchmarks/memory.json]

Random weights take the same bytes as trained ones, so nothing is downloaded. On a CPU the peak is
that of PyTorch's CPU allocator, on a GPU `torch.cuda.max_memory_allocated`. A CUDA context, the
gaps between blocks and, on a CPU, the workspaces of CUDA's kernels are not in it.
"""

import argparse
import datetime
import itertools
import json
import platform
from collections.abc import Iterator

import torch

from ift_course.hardware import machine
from ift_course.memory import GB, MemoryEstimate, estimate_memory
from ift_course.memory.measure import measure

SMALL, LARGE = ("SmolLM2-135M",), ("Qwen3-0.6B", "Llama-3.2-1B")
METHODS = ("full", "lora", "qlora")


def runs(large: bool, lengths: list[int]) -> Iterator[MemoryEstimate]:
    for name, method, seq, checkpointing in itertools.product(
        SMALL, METHODS, lengths, (True, False)
    ):
        yield estimate_memory(name, method, seq=seq, checkpointing=checkpointing)
    if large:
        for name, method in itertools.product(LARGE, ("lora", "qlora")):
            yield estimate_memory(name, method, seq=min(lengths))


def compared(made: MemoryEstimate) -> dict:
    measured = measure(made)
    return {
        "model": made.shape.name,
        "method": made.setup.method,
        "batch": made.setup.batch,
        "seq": made.setup.seq,
        "checkpointing": made.setup.checkpointing,
        "precision": made.setup.precision,
        "predicted": made.allocated,
        "measured": measured,
        "error": made.allocated / measured - 1,
        "fullest_moment": made.peak.name,
    }


def line(row: dict) -> str:
    return (
        f"{row['model']:14} {row['method']:6} {row['batch']} x {row['seq']:<5} "
        f"checkpointing {'on ' if row['checkpointing'] else 'off'}  "
        f"predicted {row['predicted'] / GB:7.3f} GB  measured {row['measured'] / GB:7.3f} GB  "
        f"error {row['error']:+.2%}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--large", action="store_true", help="models of up to 1.2 billion, too")
    parser.add_argument("--seq", type=int, nargs="+", default=[256, 1024])
    parser.add_argument("--write", help="a JSON file for the rows, with date and device")
    options = parser.parse_args()

    rows = []
    for made in runs(options.large, options.seq):
        rows.append(compared(made))
        print(line(rows[-1]), flush=True)
    print(f"largest error {max(abs(row['error']) for row in rows):.2%}")
    if options.write:
        gpu = torch.cuda.is_available()
        told = {
            "date": datetime.date.today().isoformat(),
            "device": torch.cuda.get_device_name(0) if gpu else machine(),
            "allocator": "CUDA" if gpu else "CPU",
            "torch": torch.__version__,
            "python": platform.python_version(),
            "unit": "bytes",
            "rows": rows,
        }
        with open(options.write, "w", encoding="utf-8") as file:
            file.write(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
