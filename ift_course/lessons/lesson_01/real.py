"""Lesson 01 on a real base model: ask it in three ways, tune it on few examples, ask it again.

The base is asked the 100 test questions of the course set in plain text, after three worked
examples, and through a chat template that it has never met. Then it is tuned on 48 and on 300
examples. In the notebook, `real_panel("01")` shows what is stored of it.

An answer counts strictly if its verifier accepts it and the model ended it by itself. It counts
leniently if the verifier accepts it up to some line end, whatever follows and whether or not the
model stopped: a base writes on after its answer. The rule is the same for every arm.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from ift_course.claims.results import item_digits
from ift_course.data import course_set
from ift_course.evaluation.generate import Completion
from ift_course.evaluation.items import Item, read_items
from ift_course.lessons.real_answers import score_answers, store_replies
from ift_course.lessons.real_model import Recipe, answer, chat_ids, open_base, plain_ids, tune
from ift_course.panels.panel import Contrast, Measurement
from ift_course.panels.real_part import Arm, Job, RealPart

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Writes the ids of a question.
Ask = Callable[["PreTrainedTokenizerBase", Item], list[int]]

RECIPE = Recipe()
EPOCHS = {48: 4, 300: 2}  # passes over the first examples of the training file, by their number
N_WORKED = 3  # examples in the prompt: the first ones of the training file, too
N_OPEN = 10  # questions to be read: the first ones of the file of open questions
LENIENT = "right up to some line end"  # the rule of `is_right_up_to_a_line_end`
PLAIN, WORKED, TEMPLATE = "base, plain text", "base, three examples", "base, chat template"
FEW, MANY = (f"SFT on {n} examples" for n in EPOCHS)


def real_part() -> RealPart:
    """What lesson 01 measures on the real model."""
    return RealPart(
        lesson="01",
        title="A real base model, asked in three ways and tuned on few examples",
        data={name: course_set.path(name) for name in ("train", "test", "open")},
        recipe=RECIPE.settings
        | {"epochs": "4 and 2", "worked examples": N_WORKED, "lenient": LENIENT},
        metrics={
            "strict": "right, and stopped",
            "lenient": f"{LENIENT}, stop ignored",
            "stopped": "stopped by itself",
        },
        arms=(
            Arm(PLAIN, partial(ask_base, ask=in_plain_text), n_seeds=1),
            Arm(WORKED, partial(ask_base, ask=after_examples), n_seeds=1),
            Arm(TEMPLATE, partial(ask_base, ask=through_template), n_seeds=1),
            Arm(FEW, partial(tune_and_ask, n_examples=48)),
            Arm(MANY, partial(tune_and_ask, n_examples=300)),
        ),
        contrasts=(
            Contrast(first=TEMPLATE, second=PLAIN, metric="lenient", at_least=0.05),
            Contrast(first=PLAIN, second=WORKED, metric="lenient", at_least=0.05),
            Contrast(first=PLAIN, second=FEW, metric="strict", at_least=0.15),
            Contrast(first=WORKED, second=FEW, metric="lenient", at_least=-0.05),
            Contrast(first=FEW, second=MANY, metric="strict", at_least=0.05),
        ),
    )


def in_plain_text(tokenizer: PreTrainedTokenizerBase, item: Item) -> list[int]:
    """The question as it stands; of a conversation all turns, one on each line."""
    text = "\n".join(str(message["content"]) for message in item.messages)
    return plain_ids(tokenizer, f"{text}\n")


def after_examples(tokenizer: PreTrainedTokenizerBase, item: Item) -> list[int]:
    """The question after three worked examples in plain text."""
    examples = [_worked(row["messages"]) for row in course_set.load("train")[:N_WORKED]]
    return plain_ids(tokenizer, "\n\n".join([*examples, f"{_worked(item.messages)}\nAnswer:"]))


def through_template(tokenizer: PreTrainedTokenizerBase, item: Item) -> list[int]:
    """The question in the chat template of the model's family."""
    return chat_ids(tokenizer, item.messages)


def ask_base(job: Job, ask: Ask) -> Measurement:
    """Ask the base the test questions and the open ones.

    Args:
        job: Without a random part.
        ask: How a question is written.
    """
    model, tokenizer = open_base(job.profile)
    return _examine(job, model, tokenizer, ask)


def tune_and_ask(job: Job, n_examples: int) -> Measurement:
    """Tune the base on the first examples of the course set, and ask it through its template."""
    model, tokenizer = open_base(job.profile)
    rows = course_set.load("train")[:n_examples]
    recipe = replace(RECIPE, epochs=EPOCHS[n_examples])
    tuned = tune(model, tokenizer, rows, job.seed, recipe, job.on_step)
    measurement = _examine(job, tuned.model, tokenizer, through_template)
    seconds = {"training": round(tuned.seconds, 1)} | measurement.seconds
    return measurement.model_copy(update={"losses": tuned.losses, "seconds": seconds})


def _examine(
    job: Job, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, ask: Ask
) -> Measurement:
    test, shown = read_items(course_set.path("test")), read_items(course_set.path("open"))[:N_OPEN]
    started = time.perf_counter()
    completions = answer(
        model,
        tokenizer,
        [ask(tokenizer, item) for item in (*test, *shown)],
        max_new_tokens=RECIPE.max_new_tokens,
        on_step=job.on_step,
    )
    seconds = time.perf_counter() - started
    answers, replies = completions[: len(test)], completions[len(test) :]
    return Measurement(
        scores=_scores(test, answers),
        replies=store_replies(shown, replies),
        seconds={"answers": round(seconds, 1)},
    )


def is_right_up_to_a_line_end(item: Item, text: str) -> bool:
    """Return whether the item's verifier accepts the reply or a beginning of it.

    Args:
        item: The question, with its verifier.
        text: The reply, whether or not the model stopped. A beginning ends at a line break.
    """
    beginnings = accumulate(text.split("\n"), "{}\n{}".format)
    return any(
        item.fault(beginning, finished=False, accept_cut=True) is None
        for beginning in beginnings
        if beginning.strip()
    )


def _scores(test: Sequence[Item], answers: Sequence[Completion]) -> dict[str, str]:
    pairs = list(zip(test, answers, strict=True))
    lenient = [is_right_up_to_a_line_end(item, a.text) for item, a in pairs]
    return score_answers(test, answers) | {"lenient": item_digits(lenient)}


def _worked(messages: Sequence[Any]) -> str:
    """A conversation as text: what the user says is an instruction, and a system turn is too."""
    labels = {"assistant": "Answer"}
    return "\n".join(
        f"{labels.get(str(m['role']), 'Instruction')}: {m['content']}" for m in messages
    )
