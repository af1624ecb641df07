"""How fast `sft` is: against plain TRL and against a bare PyTorch loop, in one run.

    python benchmarks/sft_step.py [--records 512] [--repeats 5]
    python benchmarks/sft_step.py --profile gemma [--data rows.jsonl] [--repeats 2]

All contestants train the same records once through, with the same batch size, precision and
optimizer; "tokens" are those of the records, padding not counted. The runs are interleaved, and
ratios are taken within a round, because a laptop is never quiet. Before the first round, each
contestant makes one step on one and the same batch, which warms it up and shows that the losses
are the same.

On `tiny` every weight is trained. On a real model LoRA is trained, with the embedding rows of the
turn tokens that the base never met; "TRL, LoRA alone" leaves out those rows, which PEFT computes
through copies of the whole embedding.
"""

from __future__ import annotations

import argparse
import copy
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch

from ift_course.data.chat_templates import ensure_chat_template
from ift_course.data.examples import to_records
from ift_course.data.loss_mask import collate
from ift_course.data.reading import read_rows
from ift_course.data.records import Record
from ift_course.hardware import bf16_is_fast, machine
from ift_course.models.quiet import quiet
from ift_course.profile import get_profile
from ift_course.training.adapter import Adapter, undertrained_tokens
from ift_course.training.open_model import load
from ift_course.training.sft import prepare, sft
from ift_course.world.tasks import sample


@dataclass(frozen=True)
class Task:
    """What every contestant does."""

    method: str
    records: Sequence[Record]
    batch: int
    length: int
    rate: float


def ours(model, tokenizer, task: Task) -> tuple[float, float]:
    result = sft(model, tokenizer, task.records, seed=0, epochs=1, method=task.method,
                 batch_size=task.batch, max_length=task.length, learning_rate=task.rate,
                 progress=False)  # fmt: skip
    return result.seconds, result.losses[0]


def plain_trl(model, tokenizer, task: Task, trained_rows: bool = True) -> tuple[float, float]:
    """SFTTrainer's defaults, with only what it takes to run here and to learn the answers."""
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    gpu = torch.cuda.is_available()
    options = {}
    if task.method == "lora":
        ensure_chat_template(model, tokenizer)
        used = {i for row in prepare(tokenizer, task.records, task.length).rows
                for i in row["input_ids"]}  # fmt: skip
        tokens = undertrained_tokens(model, tokenizer, used) if trained_rows else []
        options["peft_config"] = Adapter().config(model, tokens)
    with quiet(), tempfile.TemporaryDirectory() as scratch:
        trainer = SFTTrainer(
            model=model,
            args=SFTConfig(
                scratch,
                use_cpu=not gpu,
                bf16=bf16_is_fast(),
                assistant_only_loss=True,
                max_length=task.length,
                per_device_train_batch_size=task.batch,
                num_train_epochs=1,
                learning_rate=task.rate,
                logging_steps=1,
                report_to="none",
                save_strategy="no",
                disable_tqdm=True,
                # TRL's default saves memory for time; with adapters it would hide what is compared.
                **({"gradient_checkpointing": False} if task.method == "lora" else {}),
            ),
            train_dataset=Dataset.from_list([{"messages": r.messages} for r in task.records]),
            processing_class=tokenizer,
            **options,
        )
        trainer.remove_callback(PrinterCallback)
        started = time.perf_counter()
        trainer.train()
        return time.perf_counter() - started, trainer.state.log_history[0]["loss"]


def bare(model, tokenizer, task: Task) -> tuple[float, float]:
    """What no library can beat by much: batches in random order, forward, backward, AdamW."""
    rows = prepare(tokenizer, task.records, task.length).rows
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0)).tolist()
    optimizer = torch.optim.AdamW(model.parameters(), lr=task.rate, weight_decay=0.0, fused=True)
    device = model.device
    model.train()
    losses = []
    started = time.perf_counter()
    for start in range(0, len(order), task.batch):
        batch = collate(
            [rows[i] for i in order[start : start + task.batch]], tokenizer.pad_token_id
        )
        batch = {name: tensor.to(device) for name, tensor in batch.items()}
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16_is_fast()):
            loss = model(**batch, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    return time.perf_counter() - started, losses[0]


CONTESTANTS: dict[str, dict[str, Callable]] = {
    "full": {"ours": ours, "plain TRL": plain_trl, "bare loop": bare},
    "lora": {
        "ours": ours,
        "TRL + PEFT": plain_trl,
        "TRL, LoRA alone": partial(plain_trl, trained_rows=False),
    },
}


def measure(model, tokenizer, task: Task, repeats: int) -> tuple[dict, dict]:
    """Return the loss of one common batch, and tokens per second, one number a round."""
    runs = CONTESTANTS[task.method]
    common = replace(task, records=task.records[: task.batch])

    def run(name: str, what: Task) -> tuple[float, float]:
        return runs[name](copy.deepcopy(model), copy.deepcopy(tokenizer), what)

    losses = {name: run(name, common)[1] for name in runs}
    templated = copy.deepcopy(tokenizer)
    ensure_chat_template(copy.deepcopy(model), templated)
    tokens = sum(
        len(row["input_ids"]) for row in prepare(templated, task.records, task.length).rows
    )
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name in runs:
            speeds[name].append(tokens / run(name, task)[0])
    return losses, speeds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="base")
    parser.add_argument("--profile", default="tiny")
    parser.add_argument("--data", type=Path, help="rows to train on; else the course's world")
    parser.add_argument("--records", type=int)
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    profile = get_profile(options.profile)
    is_tiny = profile.name == "tiny"
    number = options.records or (512 if is_tiny else 48)
    repeats = options.repeats or (5 if is_tiny else 2)
    records = (
        read_rows(options.data).records if options.data else to_records(sample(number, seed=0))
    )
    task = Task("full", records[:number], 32, 128, 1e-3)
    if not is_tiny:
        task = replace(task, method="lora", batch=profile.batch_size, length=256, rate=4e-4)
    half = not is_tiny and bf16_is_fast()
    model, tokenizer = load(
        options.model, profile=profile.name, dtype=torch.bfloat16 if half else None
    )
    losses, speeds = measure(model, tokenizer, task, repeats)
    ratios = {
        name: statistics.median(a / b for a, b in zip(speeds["ours"], speeds[name], strict=True))
        for name in speeds
    }
    if options.json:
        report = {"machine": machine(), "threads": torch.get_num_threads(), "loss": losses,
                  "tokens_per_second": speeds, "ours_over": ratios}  # fmt: skip
        print(json.dumps(report, indent=2))
        return
    for name, values in speeds.items():
        median = statistics.median(values)
        spread = f"{min(values):,.0f} to {max(values):,.0f}"
        print(f"{name:15} {median:8,.0f} tokens/s ({spread})   ours is {ratios[name]:.2f} x   "
              f"loss of the first batch {losses[name]:.4f}")  # fmt: skip


if __name__ == "__main__":
    main()
