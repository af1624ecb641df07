"""How fast records become packed rows of tokens: ours beside TRL's own preparation, in one run.

    python benchmarks/formatting.py [--rows 4000] [--turns 4] [--length 512] [--repeats 5]
    python benchmarks/formatting.py --ablation

Both get the same conversations in the same template, give the same labels (this is checked), and
pack them best-fit decreasing. TRL's time is the time of making an SFTTrainer with packing, minus
the time of making one whose rows are ready. Rounds are interleaved; the first one only warms up.

With --ablation, TRL is left out. Labeling is measured complete, with each trick of
`ift_course/data/fast_tokenize.py` removed in turn, and one conversation at a time.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from ift_course.data import fast_tokenize
from ift_course.data.loss_mask import IGNORE, label_each, labels, render
from ift_course.data.records import Message, Record
from ift_course.from_scratch.packing import pack
from ift_course.models.quiet import quiet
from ift_course.training.open_model import load
from ift_course.training.sft import prepare
from ift_course.world.tasks import sample

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Conversation = list[Message]


def make_conversations(rows: int, turns: int) -> list[Conversation]:
    """Conversations in the shape of UltraChat: several questions of one user with their answers."""
    exchanges = [
        [{"role": "user", "content": f"{x.instruction} {x.input}".strip()},
         {"role": "assistant", "content": x.response}]
        for x in sample(rows * turns, seed=0)
    ]  # fmt: skip
    return [
        [turn for exchange in exchanges[start : start + turns] for turn in exchange]
        for start in range(0, len(exchanges), turns)
    ]


def prepare_ours(
    tokenizer: PreTrainedTokenizerBase, records: Sequence[Record], length: int
) -> tuple[float, list[list[int]]]:
    """Seconds of our preparation, and the labels of the packed rows."""
    start = time.perf_counter()
    packed = pack(prepare(tokenizer, records, length).rows, length)
    return time.perf_counter() - start, [row["labels"] for row in packed.rows]


def prepare_trl(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    conversations: Sequence[Conversation],
    length: int,
    ready: bool,
) -> tuple[float, list[list[int]]]:
    """Seconds of making TRL's trainer, and the labels of the packed rows.

    Args:
        model: the model to train.
        tokenizer: its tokenizer.
        conversations: the data.
        length: the length of a packed row, in tokens.
        ready: whether TRL takes the rows as they are.
    """
    from datasets import Dataset
    from trl import (  # TRL's lazy module hides its public names from pyright
        SFTConfig,  # pyright: ignore[reportPrivateImportUsage]
        SFTTrainer,  # pyright: ignore[reportPrivateImportUsage]
    )

    dataset = Dataset.from_list([{"messages": messages} for messages in conversations])
    with quiet(), tempfile.TemporaryDirectory() as scratch:
        args = SFTConfig(
            scratch, use_cpu=True, bf16=False, report_to="none", max_length=length,
            assistant_only_loss=True, packing=True,
            dataset_kwargs={"skip_prepare_dataset": ready},
        )  # fmt: skip
        start = time.perf_counter()
        trainer = SFTTrainer(
            model=model, args=args, train_dataset=dataset, processing_class=tokenizer
        )
        seconds = time.perf_counter() - start
    train_dataset: Any = trainer.train_dataset
    return seconds, [] if ready else train_dataset["labels"][:]


def trained_tokens(label_rows: Sequence[Sequence[int]]) -> list[int]:
    """All trained tokens, sorted: equal for two packings of the same rows."""
    return sorted(label for row in label_rows for label in row if label != IGNORE)


def compare_with_trl(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    conversations: Sequence[Conversation],
    length: int,
    repeats: int,
) -> dict[str, list[float]]:
    """Rows per second of both, one number for each round."""
    records = [Record.from_messages(messages) for messages in conversations]
    speeds: dict[str, list[float]] = {"ours": [], "TRL": []}
    for round_ in range(repeats + 1):
        our_seconds, our_labels = prepare_ours(tokenizer, records, length)
        trl_seconds, trl_labels = prepare_trl(model, tokenizer, conversations, length, ready=False)
        trl_seconds -= prepare_trl(model, tokenizer, conversations, length, ready=True)[0]
        if trained_tokens(our_labels) != trained_tokens(trl_labels):
            raise SystemExit("The two do not train the same tokens.")
        if round_:
            speeds["ours"].append(len(conversations) / our_seconds)
            speeds["TRL"].append(len(conversations) / trl_seconds)
    return speeds


class ImmediateExecutor(Executor):
    """An executor without a thread: `submit` runs the function and waits for it."""

    def __init__(self, max_workers: int):
        self.max_workers = max_workers

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run the function and return its result in a future."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def compare_ablations(
    tokenizer: PreTrainedTokenizerBase, conversations: Sequence[Conversation], repeats: int
) -> dict[str, list[float]]:
    """Rows per second of labeling, complete and with one trick removed at a time."""

    def complete() -> list:
        return list(label_each(tokenizer, conversations))

    def one_by_one() -> list:
        rendered = (render(tokenizer, messages) for messages in conversations)
        return [(ids, labels(ids, mask)) for ids, mask in rendered]

    def without(name: str, replacement: Any) -> list:
        with patch.object(fast_tokenize, name, replacement):
            return complete()

    variants: dict[str, Callable[[], list]] = {
        "complete": complete,
        "no thread": lambda: without("ThreadPoolExecutor", ImmediateExecutor),
        "one core": lambda: without("all_cores", nullcontext),
        "one by one": one_by_one,
    }
    expected = one_by_one()
    speeds: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(repeats):
        for name, variant in variants.items():
            start = time.perf_counter()
            result = variant()
            seconds = time.perf_counter() - start
            if result != expected:
                raise SystemExit(f"{name} gives other labels.")
            speeds[name].append(len(conversations) / seconds)
    return speeds


def main() -> None:
    """Run the benchmark and print its result."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--length", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--model", default="base")
    parser.add_argument("--ablation", action="store_true")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()

    model, tokenizer = load(options.model)
    conversations = make_conversations(options.rows, options.turns)
    result: dict[str, Any]
    if options.ablation:
        speeds = compare_ablations(tokenizer, conversations, options.repeats)
        result = {"rows_per_second": speeds}
    else:
        speeds = compare_with_trl(model, tokenizer, conversations, options.length, options.repeats)
        ratios = [a / b for a, b in zip(speeds["ours"], speeds["TRL"], strict=True)]
        result = {"rows_per_second": speeds, "ours_over_trl": statistics.median(ratios)}
    if options.json:
        print(json.dumps(result, indent=2))
        return
    for name, values in speeds.items():
        limits = f"{min(values):,.0f} to {max(values):,.0f}"
        print(f"{name:14} {statistics.median(values):8,.0f} rows/s ({limits})")
    if not options.ablation:
        print(f"ours is {result['ours_over_trl']:.2f} x TRL")


if __name__ == "__main__":
    main()
