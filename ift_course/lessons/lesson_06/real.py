"""Lesson 06 on a real base model: tuned on one category or on eleven, asked about seven others.

The categories are those of the course's own instruction set. Seven are held out, as FLAN holds out
clusters: no example of them is tuned on, and the model answers only their test questions. Both
tuned models see 26 examples for the same number of steps. In the notebook, `real_panel("06")` shows
what is stored of it.

An answer counts strictly if its verifier accepts it and the model ended it by itself, and leniently
if the verifier accepts what the model wrote up to the limit.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

from ift_course.claims.results import item_digits
from ift_course.data import course_set
from ift_course.evaluation.items import Item, read_items
from ift_course.lessons.real_answers import score_answers, store_replies
from ift_course.lessons.real_model import Recipe, answer, chat_ids, open_base, plain_ids, tune
from ift_course.panels.panel import Contrast, Measurement
from ift_course.panels.real_part import Arm, Job, RealPart

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

RECIPE = Recipe(epochs=8)
N_EXAMPLES = 26  # all that the set has of the one category
HELD_OUT = (
    "constraints",
    "extracting",
    "classifying",
    "listing",
    "summarizing",
    "translating",
    "rewriting",
)
ALONE = "answering"
TUNED = (
    ALONE,
    "explaining",
    "writing",
    "reasoning",
    "advising",
    "system-prompt",
    "multi-turn",
    "coding",
    "refusing",
    "correcting",
    "admitting-ignorance",
)
N_SHOWN = 10  # questions to be read: one of each held-out category, then further ones
BASE = "base, plain text"
ONE, ELEVEN = f'"{ALONE}" alone', f"{len(TUNED)} categories"


def real_part() -> RealPart:
    """What lesson 06 measures on the real model."""
    return RealPart(
        lesson="06",
        title=f"One category or {len(TUNED)}, asked about {len(HELD_OUT)} others: "
        "a real base model",
        data={name: course_set.path(name) for name in ("train", "test")},
        recipe=RECIPE.settings | {"examples": N_EXAMPLES, "held out": ", ".join(HELD_OUT)},
        metrics={
            "strict": "right, and stopped",
            "lenient": "right, stop ignored",
            "stopped": "stopped by itself",
        },
        arms=(
            Arm(BASE, ask_base, n_seeds=1),
            Arm(ONE, partial(tune_and_ask, categories=(ALONE,))),
            Arm(ELEVEN, partial(tune_and_ask, categories=TUNED)),
        ),
        contrasts=(
            Contrast(first=ONE, second=ELEVEN, metric="strict", at_least=0.05),
            Contrast(first=BASE, second=ONE, metric="strict", at_least=0.05),
            Contrast(first=BASE, second=ELEVEN, metric="lenient", at_least=0.0),
        ),
    )


def ask_base(job: Job) -> Measurement:
    """Ask the base in plain text: all turns of a conversation, one on each line."""
    model, tokenizer = open_base(job.profile)
    items = held_out_items()
    texts = ["\n".join(str(message["content"]) for message in item.messages) for item in items]
    return _examine(job, model, tokenizer, [plain_ids(tokenizer, f"{text}\n") for text in texts])


def tune_and_ask(job: Job, categories: Sequence[str]) -> Measurement:
    """Tune the base on examples of some categories, and ask about the held-out ones.

    Args:
        job: Of the measurement.
        categories: Which; each gives the same number of examples, or one more.
    """
    model, tokenizer = open_base(job.profile)
    rows = choose_rows(course_set.load("train"), categories, N_EXAMPLES)
    tuned = tune(model, tokenizer, rows, job.seed, RECIPE, job.on_step)
    prompts = [chat_ids(tokenizer, item.messages) for item in held_out_items()]
    measurement = _examine(job, tuned.model, tokenizer, prompts)
    seconds = {"training": round(tuned.seconds, 1)} | measurement.seconds
    return measurement.model_copy(update={"losses": tuned.losses, "seconds": seconds})


def choose_rows(
    rows: Sequence[Mapping[str, Any]], categories: Sequence[str], n: int
) -> list[Mapping[str, Any]]:
    """The first `n` rows if the categories take turns, each in the order of the file."""
    groups = [[row for row in rows if row["category"] == category] for category in categories]
    return _take_turns(groups)[:n]


def held_out_items() -> list[Item]:
    """The test questions of the held-out categories, which take turns."""
    items = read_items(course_set.path("test"))
    return _take_turns([[x for x in items if x.category == category] for category in HELD_OUT])


def _take_turns(groups: Sequence[Sequence[Any]]) -> list[Any]:
    return [x for turn in zip_longest(*groups) for x in turn if x is not None]


def _examine(
    job: Job,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    prompts: list[list[int]],
) -> Measurement:
    started = time.perf_counter()
    replies = answer(
        model, tokenizer, prompts, max_new_tokens=RECIPE.max_new_tokens, on_step=job.on_step
    )
    seconds = time.perf_counter() - started
    items = held_out_items()
    lenient = [
        item.fault(reply.text, reply.finished, accept_cut=True) is None
        for item, reply in zip(items, replies, strict=True)
    ]
    return Measurement(
        scores=score_answers(items, replies) | {"lenient": item_digits(lenient)},
        replies=store_replies(items[:N_SHOWN], replies[:N_SHOWN]),
        seconds={"answers": round(seconds, 1)},
    )
