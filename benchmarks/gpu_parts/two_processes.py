"""Two processes under torchrun, one for each GPU, against one: the same losses, and how fast.

Two processes with four rows each make the step of one process that accumulates two times four. The
losses of the steps must agree up to rounding. On a CPU the processes talk through gloo.

This file is also the script of each process: `python -m gpu_parts.two_processes OUT TINY
ACCUMULATION`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from gpu_parts.part import Context, NotHere

BENCHMARKS = Path(__file__).resolve().parents[1]
BATCH, STEPS, TOY_STEPS = 4, 24, 3


def run(context: Context) -> None:
    """Train with one process and with two, and compare.

    Raises:
        NotHere: There are not two GPUs.
    """
    import torch

    gpus = torch.cuda.device_count()
    if gpus < 2 and not context.tiny:
        raise NotHere(f"Two GPUs are needed, and this machine has {gpus}.")
    with tempfile.TemporaryDirectory() as folder:
        alone = train(Path(folder) / "one.json", context.tiny, processes=1)
        both = train(Path(folder) / "two.json", context.tiny, processes=2)
    pairs = zip(alone["losses"], both["losses"], strict=True)
    difference = max(abs(one - two) for one, two in pairs)
    row = {
        "backend": "nccl" if gpus >= 2 else "gloo",
        "steps": len(alone["losses"]),
        "largest_loss_difference": difference,
        "tokens_per_second": {"one": alone["speed"], "two": both["speed"]},
        "ratio": both["speed"] / alone["speed"],
    }
    line = f"{row['steps']} steps, losses differ by at most {difference:.2g}; "
    line += f"{alone['speed']:,.0f} tokens/s with one process, {both['speed']:,.0f} with two"
    context.add(row, line)


def train(out: Path, tiny: bool, processes: int) -> dict[str, Any]:
    """Start the script, and return its losses and its tokens per second.

    Args:
        out: A file for its result.
        tiny: Whether a toy is trained.
        processes: 1, or 2 under torchrun.

    Raises:
        RuntimeError: It failed; the message is its last line.
    """
    launcher = ["-m", "torch.distributed.run", "--standalone", "--nproc_per_node", str(processes)]
    words = ["-m", "gpu_parts.two_processes", str(out), str(int(tiny)), str(2 // processes)]
    command = [sys.executable, *(launcher if processes > 1 else []), *words]
    folders = [str(BENCHMARKS), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, folders))}
    if processes == 1:
        visible = environment.get("CUDA_VISIBLE_DEVICES") or "0"
        environment["CUDA_VISIBLE_DEVICES"] = visible.partition(",")[0]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError((done.stderr.strip().splitlines() or ["no message"])[-1])
    return json.loads(out.read_text(encoding="utf-8"))


def main(out: Path, tiny: bool, accumulation: int) -> None:
    """Train in this process, and let the first one write what happened."""
    import torch

    from gpu_parts.models import conversations, random_pair
    from gpu_parts.step_memory import SMALL
    from ift_course import distributed
    from ift_course.models.quantize import compute_dtype
    from ift_course.training.sft import sft

    distributed.set_local_device()
    steps = TOY_STEPS if tiny else STEPS
    model, tokenizer = random_pair(SMALL, tiny, torch.float32 if tiny else compute_dtype())
    result = sft(model, tokenizer, conversations(2 * BATCH * steps), seed=0, max_steps=steps,
                 batch_size=BATCH, gradient_accumulation=accumulation, max_length=512,
                 method="lora", progress=False)  # fmt: skip
    if distributed.is_main_process():
        content = {"losses": result.losses, "speed": result.tokens_per_second}
        out.write_text(json.dumps(content), encoding="utf-8")
    distributed.shutdown()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] == "1", int(sys.argv[3]))
