"""How fast `sft` is: against plain TRL and against a bare PyTorch loop, in one run.

    python benchmarks/sft_step.py [--records 512] [--repeats 5]

All three train the same records on the shipped model's shape, once through, with the same batch
size, precision and optimizer; "tokens" are those of the records, padding not counted. The runs are
interleaved, and ratios are taken within a round, because a laptop is never quiet.
"""

import argparse
import copy
import json
import statistics
import tempfile
import time
from collections.abc import Callable

import torch

from ift_course.data.examples import to_records
from ift_course.data.loss_mask import collate
from ift_course.hardware import bf16_is_fast
from ift_course.models.quiet import quiet
from ift_course.training.open_model import load
from ift_course.training.sft import prepare, sft
from ift_course.world.tasks import sample

BATCH, LENGTH, RATE = 32, 128, 1e-3


def ours(model, tokenizer, records) -> float:
    return sft(model, tokenizer, records, seed=0, epochs=1, batch_size=BATCH, max_length=LENGTH,
               learning_rate=RATE, progress=False).seconds  # fmt: skip


def plain_trl(model, tokenizer, records) -> float:
    """SFTTrainer's defaults, with only what it takes to run here and to learn the answers."""
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    gpu = torch.cuda.is_available()
    with quiet(), tempfile.TemporaryDirectory() as scratch:
        trainer = SFTTrainer(
            model=model,
            args=SFTConfig(
                scratch,
                use_cpu=not gpu,
                bf16=bf16_is_fast(),
                assistant_only_loss=True,
                max_length=LENGTH,
                per_device_train_batch_size=BATCH,
                num_train_epochs=1,
                learning_rate=RATE,
                report_to="none",
                save_strategy="no",
                disable_tqdm=True,
            ),
            train_dataset=Dataset.from_list([{"messages": r.messages} for r in records]),
            processing_class=tokenizer,
        )
        trainer.remove_callback(PrinterCallback)
        started = time.perf_counter()
        trainer.train()
        return time.perf_counter() - started


def bare(model, tokenizer, records) -> float:
    """What no library can beat by much: batches in random order, forward, backward, AdamW."""
    rows = prepare(tokenizer, records, LENGTH).rows
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0)).tolist()
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.0, fused=True)
    device = model.device
    model.train()
    started = time.perf_counter()
    for start in range(0, len(order), BATCH):
        batch = collate([rows[i] for i in order[start : start + BATCH]], tokenizer.pad_token_id)
        batch = {name: tensor.to(device) for name, tensor in batch.items()}
        with torch.autocast(device.type, dtype=torch.bfloat16, enabled=bf16_is_fast()):
            loss = model(**batch, use_cache=False).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        loss.item()
    return time.perf_counter() - started


RUNS: dict[str, Callable] = {"ours": ours, "plain TRL": plain_trl, "bare loop": bare}


def measure(model, tokenizer, records, repeats: int) -> dict[str, list[float]]:
    """Tokens per second of each contestant, one number a round; the first round only warms up."""
    tokens = sum(len(row["input_ids"]) for row in prepare(tokenizer, records, LENGTH).rows)
    speeds: dict[str, list[float]] = {name: [] for name in RUNS}
    for round_ in range(repeats + 1):
        for name, run in RUNS.items():
            seconds = run(copy.deepcopy(model), copy.deepcopy(tokenizer), records)
            if round_:
                speeds[name].append(tokens / seconds)
    return speeds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="base")
    parser.add_argument("--records", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    model, tokenizer = load(options.model)
    records = to_records(sample(options.records, seed=0))
    speeds = measure(model, tokenizer, records, options.repeats)
    ratios = {
        name: statistics.median(a / b for a, b in zip(speeds["ours"], speeds[name], strict=True))
        for name in RUNS
    }
    if options.json:
        print(json.dumps({"tokens_per_second": speeds, "ours_over": ratios}, indent=2))
        return
    for name, values in speeds.items():
        median = statistics.median(values)
        spread = f"{min(values):,.0f} to {max(values):,.0f}"
        print(f"{name:10} {median:8,.0f} tokens/s ({spread})   ours is {ratios[name]:.2f} x")


if __name__ == "__main__":
    main()
