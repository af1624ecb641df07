"""Lesson 02's runs: padded and packed, with and without a trained end, asked in three formats.

Each run tunes the base with the training loop of lesson 01 on examples of the course's world. All
models of a seed see the same examples in the same groups, so that a difference has one cause.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from statistics import fmean
from typing import TYPE_CHECKING, Any

from ift_course.claims.claim import Seeds
from ift_course.data.chat_templates import ALPACA, with_chat_format
from ift_course.data.examples import to_records
from ift_course.data.loss_mask import IGNORE, collate, labels, render_all
from ift_course.evaluation.intervals import two_level_interval
from ift_course.evaluation.score import lenient, score
from ift_course.from_scratch.packing import collate_packed, pack
from ift_course.from_scratch.training_loop import train
from ift_course.session import current
from ift_course.training.open_model import load
from ift_course.world.tasks import FACT_TASKS, Example, sample

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

N_EXAMPLES, N_QUESTIONS = 320, 200  # at most; a profile may have fewer
GROUP, EPOCHS, LEARNING_RATE, CAPACITY = 16, 3, 2e-4, 128

Row = dict[str, list[int]]
Batch = Mapping[str, Any]


def ultrachat_rows(seed: int, number: int = N_EXAMPLES // 2) -> list[dict[str, Any]]:
    """Conversations of two questions, in the columns of UltraChat."""
    records = to_records(sample(2 * number, seed=seed, tasks=FACT_TASKS))
    pairs = zip(records[::2], records[1::2], strict=True)
    chats = [first.messages + second.messages for first, second in pairs]
    return [
        {"prompt": chat[0]["content"], "prompt_id": str(i), "messages": chat}
        for i, chat in enumerate(chats)
    ]


def accuracy(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, seed: int
) -> tuple[float, int]:
    """The share of held-out questions that are answered rightly and with nothing else."""
    questions = _questions(seed)
    return score(model, tokenizer, questions).accuracy, len(questions)


def padded_and_packed(seed: int) -> dict[str, Any]:
    """What the padded and the packed run get right, and how far apart their losses ever are."""
    padded, losses = _padded(seed)
    packed, others = _tune(_rows(seed), seed, _as_packed)
    tokenizer = _tokenizer()
    return {
        "padded": score(padded, tokenizer, _questions(seed)).items,
        "packed": score(packed, tokenizer, _questions(seed)).items,
        "apart": max(abs(a - b) for a, b in zip(losses, others, strict=True)),
    }


def with_and_without_end(seed: int) -> dict[str, dict[str, list[float]]]:
    """For each question: right and nothing else, the right word anywhere, ended by itself."""
    tokenizer = _tokenizer()
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    masked = [
        row | {"labels": [IGNORE if label == end else label for label in row["labels"]]}
        for row in _rows(seed)
    ]
    scores = {}
    for name, model in {
        "end trained": _padded(seed)[0],
        "end masked": _tune(masked, seed)[0],
    }.items():
        result = score(model, tokenizer, _questions(seed))
        pairs = zip(result.examples, result.completions, strict=True)
        scores[name] = {
            "strict": result.items,
            "right word": [float(lenient(example, answer.text)) for example, answer in pairs],
            "ended": [float(answer.finished) for answer in result.completions],
        }
    return scores


def in_each_format(seed: int) -> dict[str, list[float]]:
    """What the padded run gets right when it is asked in three formats."""
    trained = _tokenizer()
    no_opening, alpaca = copy.deepcopy(trained), copy.deepcopy(trained)
    template = str(trained.chat_template)
    no_opening.chat_template = template.replace("add_generation_prompt", "false")
    alpaca.chat_template = ALPACA
    formats = {"as trained": trained, "opening forgotten": no_opening, "Alpaca's format": alpaca}
    model, _ = _padded(seed)
    return {name: score(model, form, _questions(seed)).items for name, form in formats.items()}


def difference(first: Sequence[Seeds], second: Sequence[Seeds]) -> str:
    """The mean of one arm minus that of another, its interval, and whether it excludes zero.

    Args:
        first: A list of item scores for each seed.
        second: The same, with the seeds and the items in the same order.
    """
    low, high = two_level_interval(first, second)  # type: ignore[arg-type]
    effect = fmean(map(fmean, first)) - fmean(map(fmean, second))  # type: ignore[arg-type]
    verdict = "undecided" if low <= 0 <= high else "decided"
    return f"{effect:+.2f} (95 % interval {low:+.2f} to {high:+.2f}): {verdict}"


@cache
def _padded(seed: int) -> tuple[PreTrainedModel, list[float]]:
    """The model that several measurements ask, and its losses."""
    return _tune(_rows(seed), seed)


def _tune(
    rows: Sequence[Row], seed: int, make: Callable[[Sequence[Row]], Batch] | None = None
) -> tuple[PreTrainedModel, list[float]]:
    model, _ = load("base")
    config: Any = model.config
    config.use_cache = False  # or packed examples would see each other
    steps = EPOCHS * -(-len(rows) // GROUP)
    batches: Any = map(make or _as_padded, _groups(rows, seed))
    losses = train(model, batches, steps=steps, learning_rate=LEARNING_RATE, warmup=steps // 20)
    return model, losses


def _groups(rows: Sequence[Row], seed: int) -> Iterator[Sequence[Row]]:
    order = random.Random(seed)
    for _ in range(EPOCHS):
        shuffled = order.sample(rows, len(rows))
        yield from (shuffled[i : i + GROUP] for i in range(0, len(rows), GROUP))


def _as_padded(group: Sequence[Row]) -> Batch:
    return collate(group, _pad_id())


def _as_packed(group: Sequence[Row]) -> Batch:
    return collate_packed(pack(group, CAPACITY).rows, _pad_id())


@cache
def _rows(seed: int) -> list[Row]:
    examples = sample(min(N_EXAMPLES, current().profile.examples), seed=seed, tasks=FACT_TASKS)
    chats = [record.messages for record in to_records(examples)]
    rendered = render_all(_tokenizer(), chats)
    return [{"input_ids": ids, "labels": labels(ids, mask)} for ids, mask in rendered]


@cache
def _questions(seed: int) -> list[Example]:
    number = min(N_QUESTIONS, current().profile.eval_examples)
    return sample(number, seed=100 + seed, split="test", tasks=FACT_TASKS)


@cache
def _tokenizer() -> PreTrainedTokenizerBase:
    """The base's tokenizer, with ChatML if its own template marks no answers."""
    _, tokenizer = load("base")
    if "{% generation %}" in str(tokenizer.chat_template):
        return tokenizer
    return with_chat_format(tokenizer, "chatml")


def _pad_id() -> int:
    pad: Any = _tokenizer().pad_token_id
    return pad
