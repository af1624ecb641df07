"""Lesson 02's runs: padded and packed, with and without a trained end, in several formats.

Each run tunes the base with the training loop of lesson 01 on examples of the course's world. All
models of a seed see the same examples in the same groups, so that a difference has one cause.
"""

from __future__ import annotations

import copy
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from statistics import fmean
from typing import TYPE_CHECKING, Any, cast

from ift_course.data.chat_templates import ALPACA, token_ids, with_chat_format
from ift_course.data.examples import to_records
from ift_course.data.loss_mask import IGNORE, collate, labels, render, render_all
from ift_course.data.records import user_text
from ift_course.evaluation.intervals import paired_difference
from ift_course.evaluation.score import Scores, lenient, score
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
    """Scores, cost and losses of three runs: padded, packed, and packed with nothing kept apart.

    Returns:
        For each run the item scores, and under "steps", "tokens" and "apart" what it cost and the
        largest difference of its loss from the padded run's in any step.
    """
    runs = {
        "padded": _padded(seed),
        "packed": _tune(_rows(seed), seed, _as_packed),
        "packed, mixed": _tune(_rows(seed), seed, _as_mixed),
    }
    losses = runs["padded"].losses
    scores = {
        name: score(run.model, _tokenizer(), _questions(seed)).items for name, run in runs.items()
    }
    return scores | {
        "steps": {name: len(run.losses) for name, run in runs.items()},
        "tokens": {name: run.tokens for name, run in runs.items()},
        "seconds": {name: round(run.seconds, 1) for name, run in runs.items()},
        "apart": {
            name: max(abs(a - b) for a, b in zip(losses, run.losses, strict=True))
            for name, run in runs.items()
        },
    }


def with_and_without_end(seed: int) -> dict[str, dict[str, Any]]:
    """What a run with and a run without a trained end of turn answer.

    Returns:
        For each run the item scores of `_ask`, under "ended by" how often each token ended an
        answer, and under "answers" three questions with their answers.
    """
    tokenizer = _tokenizer()
    end = tokenizer.convert_tokens_to_ids("<|im_end|>")
    masked = [
        row | {"labels": [IGNORE if label == end else label for label in row["labels"]]}
        for row in _rows(seed)
    ]
    runs = {"end trained": _padded(seed), "end masked": _tune(masked, seed)}
    results = {}
    for name, run in runs.items():
        result = score(run.model, tokenizer, _questions(seed))
        answers = [
            [user_text(example.instruction, example.input), answer.text]
            for example, answer in zip(result.examples, result.completions, strict=True)
        ]
        ended = [pair for pair, answer in zip(answers, result.completions, strict=True)
                 if answer.finished]  # fmt: skip
        results[name] = _items(result) | {
            "ended by": Counter(_next_token(run.model, tokenizer, *pair) for pair in ended),
            "answers": answers[:3],
        }
    return results


def in_each_format(seed: int) -> dict[str, dict[str, dict[str, list[float]]]]:
    """What two runs, tuned in ChatML and in Alpaca's format, get right in each format.

    Returns:
        By the format of training, then by the format of the question, the item scores of `_items`.
    """
    chatml = _tokenizer()
    no_opening, alpaca = copy.deepcopy(chatml), copy.deepcopy(chatml)
    no_opening.chat_template = str(chatml.chat_template).replace("add_generation_prompt", "false")
    alpaca.chat_template = ALPACA
    formats = {"ChatML": chatml, "ChatML, not opened": no_opening, "Alpaca": alpaca}
    runs = {"ChatML": _padded(seed), "Alpaca": _tune(_rows(seed, ALPACA), seed)}
    return {
        trained: {
            asked: _items(score(run.model, tokenizer, _questions(seed)))
            for asked, tokenizer in formats.items()
            if trained == "ChatML" or asked != "ChatML, not opened"
        }
        for trained, run in runs.items()
    }


def share(runs: Sequence[Mapping[str, Sequence[float]]], what: str) -> float:
    """The mean of one kind of item scores over all seeds."""
    return fmean(fmean(run[what]) for run in runs)


def difference(
    first: Sequence[Sequence[float]], second: Sequence[Sequence[float]], margin: float = 0.05
) -> str:
    """The mean of one arm minus that of another, its interval, and what the interval says.

    Args:
        first: A list of item scores for each seed.
        second: The same, with the seeds and the items in the same order.
        margin: Differences below it do not matter.
    """
    effect, (low, high) = paired_difference(first, second)
    if -margin < low and high < margin:
        verdict = f"no difference of {margin} or more"
    else:
        verdict = "undecided" if low <= 0 <= high else "a difference"
    return f"{effect:+.2f} (95 % interval {low:+.2f} to {high:+.2f}): {verdict}"


@dataclass(frozen=True)
class _Run:
    """A tuned model, its losses, the positions it computed, padding included, and the time."""

    model: PreTrainedModel
    losses: list[float]
    tokens: int
    seconds: float


@cache
def _padded(seed: int) -> _Run:
    """The model that several measurements ask."""
    return _tune(_rows(seed), seed)


def _tune(
    rows: Sequence[Row], seed: int, make: Callable[[Sequence[Row]], Batch] | None = None
) -> _Run:
    model, _ = load("base")
    config: Any = model.config
    config.use_cache = False  # or packed examples would see each other
    steps = EPOCHS * -(-len(rows) // GROUP)
    tokens = 0

    def batches() -> Iterator[Batch]:
        nonlocal tokens
        for group in _groups(rows, seed):
            batch = (make or _as_padded)(group)
            tokens += batch["input_ids"].numel()
            yield batch

    started = time.perf_counter()
    losses = train(
        model, cast("Any", batches()), steps=steps, learning_rate=LEARNING_RATE, warmup=steps // 20
    )
    return _Run(model, losses, tokens, time.perf_counter() - started)


def _items(result: Scores) -> dict[str, list[float]]:
    """For each question: right and nothing else, the right word anywhere, ended by itself."""
    pairs = zip(result.examples, result.completions, strict=True)
    return {
        "strict": result.items,
        "right word": [float(lenient(example, answer.text)) for example, answer in pairs],
        "ended": [float(answer.finished) for answer in result.completions],
    }


def _next_token(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, question: str, answer: str
) -> str:
    """The likeliest token after an answer."""
    import torch

    messages = [{"role": "user", "content": question}]
    prompt = render(tokenizer, messages, add_generation_prompt=True)[0]
    ids = torch.tensor([prompt + token_ids(tokenizer, answer)], device=model.device)
    with torch.no_grad():
        logits = model(ids, use_cache=False).logits[0, -1]
    return str(tokenizer.decode([int(logits.argmax())]))


def _groups(rows: Sequence[Row], seed: int) -> Iterator[Sequence[Row]]:
    order = random.Random(seed)
    for _ in range(EPOCHS):
        shuffled = order.sample(rows, len(rows))
        yield from (shuffled[i : i + GROUP] for i in range(0, len(rows), GROUP))


def _as_padded(group: Sequence[Row]) -> Batch:
    return collate(group, _pad_id())


def _as_packed(group: Sequence[Row]) -> Batch:
    return collate_packed(pack(group, CAPACITY).rows, _pad_id())


def _as_mixed(group: Sequence[Row]) -> Batch:
    """Packed naively: without positions, each example sees those before it in its sequence."""
    batch = _as_packed(group)
    return {name: batch[name] for name in ("input_ids", "labels")}


@cache
def _rows(seed: int, template: str | None = None) -> list[Row]:
    examples = sample(min(N_EXAMPLES, current().profile.examples), seed=seed, tasks=FACT_TASKS)
    chats = [record.messages for record in to_records(examples)]
    tokenizer = copy.deepcopy(_tokenizer())
    tokenizer.chat_template = template or tokenizer.chat_template
    rendered = render_all(tokenizer, chats)
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
