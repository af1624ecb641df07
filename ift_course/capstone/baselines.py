"""The four controls of the leaderboard: adapters made here, with one recipe, and kept in a cache.

They differ in their rows alone. Each is trained on the first use and found again by the hash of
everything that it depends on, so that no score of them is ever typed.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import ift_course
from ift_course.capstone.packing import course_base
from ift_course.capstone.pool import pool_rows
from ift_course.capstone.rules import ADAPTER, ADAPTER_SETTINGS, MOST_ROWS, MOST_STEPS
from ift_course.data.curation import curate
from ift_course.data.records import Record
from ift_course.paths import cache_dir

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    Base = tuple[PreTrainedModel, PreTrainedTokenizerBase]

RANK, ALPHA, RATE, BATCH, LENGTH, SEED = 16, 32, 2e-3, 16, 128, 0


@dataclass(frozen=True)
class Baseline:
    """A control.

    Attributes:
        name: On the leaderboard.
        about: What it is, in a sentence.
        choose: The indices of its rows in the pool.
    """

    name: str
    about: str
    choose: Callable[[Sequence[Record], Base], list[int]]


def _first(records: Sequence[Record], base: Base) -> list[int]:
    return list(range(MOST_ROWS))


def _random(records: Sequence[Record], base: Base) -> list[int]:
    return sorted(random.Random(SEED).sample(range(len(records)), MOST_ROWS))


def _all(records: Sequence[Record], base: Base) -> list[int]:
    return list(range(len(records)))


def _solution(records: Sequence[Record], base: Base) -> list[int]:
    """Lesson 09's pipeline: form, copies, the lowest IFD under the base, diversity."""
    model, tokenizer = base
    curated = curate(
        records, MOST_ROWS, seed=SEED, model=model, tokenizer=tokenizer, prefer="low_ifd"
    )
    return [decision.index for decision in curated.decisions if decision.selected]


BASELINES = (
    Baseline("course's solution", "lesson 09's pipeline: form, copies, low IFD", _solution),
    Baseline("all 2,000", "the whole pool, which is over the budget", _all),
    Baseline("random 300", "drawn at random from the pool", _random),
    Baseline("no curation", "the first 300 rows of the file, as they came in", _first),
)


def pool_records() -> list[Record]:
    """The pool as records."""
    return [Record.from_instruction(x["instruction"], x["input"], x["output"]) for x in pool_rows()]


def baseline_adapter(baseline: Baseline, steps: int = MOST_STEPS) -> tuple[bytes, bytes]:
    """A baseline's adapter and its settings, trained if the cache does not hold them.

    Args:
        baseline: Which one.
        steps: Of the training; tests take few.
    """
    folder = cache_dir() / "capstone" / _key(baseline, steps)
    if not (folder / ADAPTER).exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        scratch = Path(tempfile.mkdtemp(dir=folder.parent))
        try:
            _train(baseline, steps, scratch)
            scratch.replace(folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
    return (folder / ADAPTER).read_bytes(), (folder / ADAPTER_SETTINGS).read_bytes()


def train_adapter(records: Sequence[Record], folder: Path, steps: int = MOST_STEPS) -> None:
    """Train a LoRA adapter with the recipe of the baselines, and save it.

    Args:
        records: The training rows.
        folder: For the adapter.
        steps: Of the training.
    """
    from ift_course.capstone.answering import fresh_base
    from ift_course.models.quiet import quiet
    from ift_course.training.adapter import Adapter
    from ift_course.training.sft import sft

    model, tokenizer = fresh_base()
    result = sft(
        model,
        tokenizer,
        records,
        seed=SEED,
        max_steps=steps,
        learning_rate=RATE,
        batch_size=BATCH,
        max_length=LENGTH,
        method="lora",
        adapter=Adapter(rank=RANK, alpha=ALPHA),
        progress=False,
    )
    with quiet():
        result.model.save_pretrained(str(folder))


def _train(baseline: Baseline, steps: int, folder: Path) -> None:
    from ift_course.capstone.answering import fresh_base

    records = pool_records()
    chosen = baseline.choose(records, fresh_base())
    train_adapter([records[i] for i in chosen], folder, steps)


def _key(baseline: Baseline, steps: int) -> str:
    """A name for what a baseline is trained from: rows, recipe, base and package."""
    recipe = (RANK, ALPHA, RATE, BATCH, LENGTH, SEED, steps, baseline.name)
    content = json.dumps([recipe, course_base(), ift_course.__version__, pool_rows()])
    return hashlib.sha256(content.encode()).hexdigest()[:16]
