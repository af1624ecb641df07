"""Lesson 08 on a real model: an assistant that is tuned once more, to route support tickets.

Gemma becomes an assistant on 48 examples of the course set, as in lesson 00. Then it is tuned on
tickets alone, or on tickets with a quarter of the rows replaced by prompts that the assistant has
answered itself, or it is averaged with the assistant. With the adapter of the second tuning
switched off, the model is the assistant, so that arm needs no run of its own.

An answer counts strictly if its verifier accepts it and the model ended it by itself.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ift_course.claims.results import item_digits
from ift_course.data import course_set
from ift_course.evaluation.items import read_items
from ift_course.lessons.lesson_08 import tickets
from ift_course.lessons.lesson_08.remedies import interpolate_weights, with_replay
from ift_course.lessons.real_model import Recipe, answer, chat_ids, open_base, tune
from ift_course.panels.panel import Contrast, Measurement, StoredReply
from ift_course.panels.real_part import Arm, Job, RealPart

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

RECIPE = Recipe()
N_EXAMPLES = 48  # of the course set, for the assistant: the first ones
N_TICKETS = 96
TICKET_EPOCHS = 2
N_TEST_TICKETS = 100
REPLAY = 0.25
N_SEEDS = 2
N_SHOWN = 3  # general questions to be read, besides as many tickets
ASSISTANT, EXPERT, OWN, AVERAGE = (
    "assistant",
    "ticket expert",
    "with replay of its own answers",
    "average of assistant and expert",
)


def real_part() -> RealPart:
    """What lesson 08 measures on the real model."""
    return RealPart(
        lesson="08",
        title="An assistant becomes a ticket expert: what it gains, and what it costs",
        data={name: course_set.path(name) for name in ("train", "test", "open")}
        | {"tickets": tickets.PATH},
        recipe={name: value for name, value in RECIPE.settings.items() if name != "epochs"}
        | {
            "examples of the assistant": f"{N_EXAMPLES}, {RECIPE.epochs} epochs",
            "tickets": f"{N_TICKETS}, {TICKET_EPOCHS} epochs",
            "replay": REPLAY,
        },
        metrics={
            "strict": "general questions right",
            "tickets": "tickets routed right",
            "routed": "general questions answered with a route",
        },
        arms=tuple(
            Arm(name, partial(specialize_and_ask, arm=name), n_seeds=N_SEEDS)
            for name in (ASSISTANT, EXPERT, OWN, AVERAGE)
        ),
        contrasts=(
            Contrast(first=ASSISTANT, second=EXPERT, metric="tickets", at_least=0.5),
            Contrast(first=EXPERT, second=ASSISTANT, metric="strict", at_least=0.05),
            Contrast(first=EXPERT, second=OWN, metric="strict", at_least=0.0),
            Contrast(first=EXPERT, second=OWN, metric="tickets", at_least=-0.1),
            Contrast(first=EXPERT, second=AVERAGE, metric="strict", at_least=0.0),
        ),
    )


def specialize_and_ask(job: Job, arm: str) -> Measurement:
    """Make the model of an arm, and ask it general questions and tickets.

    Args:
        job: whose seed also draws the tickets.
        arm: one of the four names above.
    """
    base, tokenizer = open_base(job.profile)
    examples = course_set.load("train")
    first = tune(base, tokenizer, examples[:N_EXAMPLES], job.seed, RECIPE, job.on_step)
    model, losses, seconds = first.model, first.losses, first.seconds
    if arm != ASSISTANT:
        rows = [ticket.row for ticket in tickets.tickets("train", N_TICKETS, job.seed)]
        if arm == OWN:
            own = answer_itself(model, tokenizer, examples[N_EXAMPLES:][: len(rows)])
            rows = with_replay(rows, own, REPLAY, seed=job.seed)
        before = copy.deepcopy(model) if arm == AVERAGE else None
        recipe = replace(RECIPE, epochs=TICKET_EPOCHS)
        second = tune(model, tokenizer, rows, job.seed, recipe, job.on_step)
        model, losses = second.model, [*losses, *second.losses]
        seconds += second.seconds
        if before is not None:
            model = interpolate_weights(before, model, 0.5)
    return _ask(model, tokenizer, job, losses, seconds)


def answer_itself(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, rows: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Prompts with the answers that the model gives to them, as far as it ends them.

    Args:
        model: is left as it is.
        tokenizer: of the model.
        rows: conversations; only what the user says first is read.
    """
    asked = [[next(m for m in row["messages"] if m["role"] == "user")] for row in rows]
    replies = answer(
        copy.deepcopy(model),  # `answer` rounds the weights of what it is given
        tokenizer,
        [chat_ids(tokenizer, messages) for messages in asked],
        max_new_tokens=RECIPE.max_new_tokens,
    )
    return [
        {"messages": [*messages, {"role": "assistant", "content": reply.text}]}
        for messages, reply in zip(asked, replies, strict=True)
        if reply.finished and reply.text
    ]


def _ask(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    job: Job,
    losses: list[float],
    seconds: float,
) -> Measurement:
    """The scores of a model on general questions and on tickets, and some answers to be read."""
    test, shown = read_items(course_set.path("test")), read_items(course_set.path("open"))[:N_SHOWN]
    routed = tickets.tickets("test", N_TEST_TICKETS, seed=0)
    conversations = [
        *(item.messages for item in (*test, *shown)),
        *(ticket.row["messages"][:1] for ticket in routed),
    ]
    started = time.perf_counter()
    completions = answer(
        model,
        tokenizer,
        [chat_ids(tokenizer, messages) for messages in conversations],
        max_new_tokens=RECIPE.max_new_tokens,
        on_step=job.on_step,
    )
    general, rest = completions[: len(test)], completions[len(test) :]
    replies, routes = rest[: len(shown)], rest[len(shown) :]
    texts = [item.prompt for item in shown] + [ticket.message for ticket in routed[:N_SHOWN]]
    return Measurement(
        scores={
            "strict": item_digits(
                [
                    item.fault(reply.text, reply.finished) is None
                    for item, reply in zip(test, general, strict=True)
                ]
            ),
            "tickets": item_digits(
                [
                    reply.finished and ticket.accepts(reply.text)
                    for ticket, reply in zip(routed, routes, strict=True)
                ]
            ),
            "routed": item_digits([tickets.looks_like_a_route(x.text) for x in general]),
        },
        replies=[
            StoredReply(prompt=text, text=reply.text, finished=reply.finished)
            for text, reply in zip(texts, [*replies, *routes[:N_SHOWN]], strict=True)
        ],
        losses=losses,
        seconds={
            "training": round(seconds, 1),
            "answers": round(time.perf_counter() - started, 1),
        },
    )
