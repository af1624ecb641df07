"""How fast `sft` is: against plain TRL and against a bare PyTorch loop, in one run.

    python benchmarks/sft_step.py [--records 512] [--repeats 5]
    python benchmarks/sft_step.py --profile gemma [--data rows.jsonl] [--turn-tokens]

All contestants train the same records once through, with the same batch size, precision and
optimizer; "tokens" are those of the records, padding not counted. The runs are interleaved, and
ratios are taken within a round, because a laptop is never quiet. Before the first round, each
contestant makes one step on one and the same batch, which warms it up and shows that the losses
and the numbers of trained parameters are the same.

On `tiny` every weight is trained, on the closed world. On a real model LoRA is trained, on the
course's own instructions, and the baseline is what a user of TRL and PEFT can run as it is
installed: TRL 1.16 computes the loss of every SFT run from the output matrix itself, has no switch
for that (`loss_type` knows "nll" and "dft", and a `compute_loss_func` or label smoothing runs the
same projection for its metrics), and stops with an error where PEFT trains rows of a tied
embedding. The turn tokens that Gemma's base has never met can therefore not be trained by plain
TRL, and neither contestant trains them: answers are written between tokens that are trained.

With `--turn-tokens` both use the model's own turn tokens and train their rows. To make that
possible, TRL gets the attribute whose lack is the error (`WithBias`), and nothing else.
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
from pathlib import Path
from typing import Any, NamedTuple

import torch

from ift_course.data import course_set
from ift_course.data.chat_templates import MISTRAL, ensure_chat_template
from ift_course.data.examples import to_records
from ift_course.data.loss_mask import IGNORE, collate
from ift_course.data.reading import read_rows
from ift_course.data.records import Record
from ift_course.hardware import bf16_is_fast, machine
from ift_course.models.quiet import quiet
from ift_course.profile import get_profile
from ift_course.training.adapter import Adapter, undertrained_tokens
from ift_course.training.open_model import load
from ift_course.training.options import Method
from ift_course.training.sft import prepare, sft
from ift_course.world.tasks import sample

LORA_ALONE = (
    "Both train LoRA alone: plain TRL cannot train the rows of turn tokens in a tied embedding."
)
WITH_ROWS = "Both train LoRA and {n} rows of turn tokens, for which TRL was repaired."


@dataclass(frozen=True)
class Task:
    """What every contestant does.

    Attributes:
        tokens: Whose embedding rows are trained beside the adapters.
    """

    method: Method
    records: Sequence[Record]
    batch: int
    length: int
    rate: float
    tokens: Sequence[int] = ()


class Outcome(NamedTuple):
    """What a contestant needed, the loss of its first step, and how many numbers it trained."""

    seconds: float
    loss: float
    trained: int


def n_trained(model: torch.nn.Module) -> int:
    """Count the parameters that are trained."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


def ours(model, tokenizer, task: Task) -> Outcome:
    result = sft(model, tokenizer, task.records, seed=0, epochs=1, method=task.method,
                 batch_size=task.batch, max_length=task.length, learning_rate=task.rate,
                 progress=False)  # fmt: skip
    return Outcome(result.seconds, result.losses[0], n_trained(result.model))


def plain_trl(model, tokenizer, task: Task) -> Outcome:
    """SFTTrainer's defaults, with only what it takes to run here and to learn the answers."""
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    gpu = torch.cuda.is_available()
    options = {}
    if task.method == "lora":
        options["peft_config"] = Adapter().config(model, list(task.tokens))
    with quiet(), tempfile.TemporaryDirectory() as scratch:
        trainer: Any = SFTTrainer(
            model=model,
            args=SFTConfig(
                scratch,
                use_cpu=not gpu,
                bf16=bf16_is_fast(),
                fp16=gpu and not bf16_is_fast(),
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
                gradient_checkpointing=task.method != "lora",
            ),
            train_dataset=Dataset.from_list([{"messages": r.messages} for r in task.records]),
            processing_class=tokenizer,
            **options,
        )
        trainer.remove_callback(PrinterCallback)
        if task.tokens:
            give_heads_their_bias(trainer.model)
        started = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - started
        return Outcome(seconds, trainer.state.log_history[0]["loss"], n_trained(trainer.model))


def give_heads_their_bias(model: torch.nn.Module) -> None:
    """Let TRL multiply with a matrix of which PEFT trains rows."""
    from peft.utils.other import TrainableTokensWrapper

    from ift_course.training.trainable_rows import WithBias

    for module in model.modules():
        if type(module) is TrainableTokensWrapper:
            module.__class__ = WithBias


def bare(model, tokenizer, task: Task) -> Outcome:
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
    return Outcome(time.perf_counter() - started, losses[0], n_trained(model))


CONTESTANTS: dict[Method, dict[str, Callable[..., Outcome]]] = {
    "full": {"ours": ours, "plain TRL": plain_trl, "bare loop": bare},
    "lora": {"ours": ours, "TRL + PEFT": plain_trl},
}


def measure(
    model, tokenizer, task: Task, repeats: int
) -> tuple[dict[str, Outcome], dict[str, list[float]]]:
    """Return the outcome on one common batch, and tokens per second, one number a round."""
    runs = CONTESTANTS[task.method]

    def run(name: str, what: Task) -> Outcome:
        return runs[name](copy.deepcopy(model), copy.deepcopy(tokenizer), what)

    common = replace(task, records=task.records[: task.batch])
    first = {name: run(name, common) for name in runs}
    n_tokens = sum(len(row["input_ids"]) for row in task_rows(tokenizer, task))
    speeds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(repeats):
        for name in runs:
            speeds[name].append(n_tokens / run(name, task).seconds)
    return first, speeds


def task_rows(tokenizer, task: Task) -> list[dict[str, list[int]]]:
    """Return the rows that are trained, as tokens and labels."""
    return prepare(tokenizer, task.records, task.length).rows


def labeled_share(rows: list[dict[str, list[int]]]) -> float:
    """Return the share of the tokens that have a label; the fewer, the faster is `sft`."""
    labels = [label for row in rows for label in row["labels"]]
    return sum(label != IGNORE for label in labels) / len(labels)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--model", default="base")
    parser.add_argument("--profile", default="tiny")
    parser.add_argument("--data", type=Path, help="rows to train on; else the course's own")
    parser.add_argument("--records", type=int)
    parser.add_argument("--repeats", type=int)
    parser.add_argument(
        "--turn-tokens", action="store_true", help="train the turn tokens of a real model, too"
    )
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    profile = get_profile(options.profile)
    is_tiny = profile.name == "tiny"
    if is_tiny and options.turn_tokens:
        parser.error("--turn-tokens is for a real model; on tiny every weight is trained")
    number = options.records or (512 if is_tiny else 48)
    repeats = options.repeats or (5 if is_tiny else 2)
    if options.data or not is_tiny:
        records = read_rows(options.data or course_set.path("train")).records
    else:
        records = to_records(sample(number, seed=0))
    task = Task("full", records[:number], 32, 128, 1e-3)
    if not is_tiny:
        task = replace(task, method="lora", batch=profile.batch_size, length=256, rate=4e-4)
    half = not is_tiny and bf16_is_fast()
    model, tokenizer = load(
        options.model, profile=profile.name, dtype=torch.bfloat16 if half else None
    )
    if not is_tiny and not options.turn_tokens:
        tokenizer.chat_template = MISTRAL  # its [INST] is text like any other here
    ensure_chat_template(model, tokenizer)
    rows = task_rows(tokenizer, task)
    if not is_tiny:
        used = {token for row in rows for token in row["input_ids"]}
        task = replace(task, tokens=undertrained_tokens(model, tokenizer, used))
    first, speeds = measure(model, tokenizer, task, repeats)
    ratios = {
        name: statistics.median(a / b for a, b in zip(speeds["ours"], speeds[name], strict=True))
        for name in speeds
    }
    what = WITH_ROWS.format(n=len(task.tokens)) if task.tokens else LORA_ALONE
    what = "All train every weight." if is_tiny else what
    if options.json:
        report = {"machine": machine(), "threads": torch.get_num_threads(), "what": what,
                  "labeled": labeled_share(rows),
                  "loss": {name: outcome.loss for name, outcome in first.items()},
                  "trained": {name: outcome.trained for name, outcome in first.items()},
                  "tokens_per_second": speeds, "ours_over": ratios}  # fmt: skip
        print(json.dumps(report, indent=2))
        return
    print(f"{what} {labeled_share(rows):.0%} of the tokens have a label.")
    for name, values in speeds.items():
        median = statistics.median(values)
        spread = f"{min(values):,.0f} to {max(values):,.0f}"
        print(f"{name:15} {median:8,.0f} tokens/s ({spread})   ours is {ratios[name]:.2f} x   "
              f"loss of the first batch {first[name].loss:.4f}   "
              f"{first[name].trained:,} parameters")  # fmt: skip


if __name__ == "__main__":
    main()
