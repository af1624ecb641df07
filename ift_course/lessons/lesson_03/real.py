"""Lesson 03 on a real base model: 30, 100 and 300 examples, and 300 of which most are flawed.

Every model takes about the same number of steps, as in the closed world, so that "more examples"
means more different ones and not more training. In the notebook, `real_panel("03")` shows what is
stored of it.

An answer counts strictly if its verifier accepts it and the model ended it by itself.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial

from ift_course.data import course_set
from ift_course.evaluation.items import read_items
from ift_course.lessons.lesson_03.spoiled_rows import spoil_rows
from ift_course.lessons.real_answers import score_answers, store_replies
from ift_course.lessons.real_model import Recipe, answer, chat_ids, open_base, tune
from ift_course.panels.panel import Contrast, Measurement
from ift_course.panels.real_part import Arm, Job, RealPart

RECIPE = Recipe()
N_STEPS = 150  # of every model, about: whole passes over its examples
FLAWED_SHARE = 0.6
N_OPEN = 10  # questions to be read: the first ones of the file of open questions
FEW, SOME, MANY = (f"{n} examples" for n in (30, 100, 300))
FLAWED = f"{MANY}, {FLAWED_SHARE:.0%} flawed".replace("%", " %")


def real_part() -> RealPart:
    """What lesson 03 measures on the real model."""
    return RealPart(
        lesson="03",
        title="How many examples, and what flawed ones cost: a real base model",
        data={name: course_set.path(name) for name in ("train", "test", "open")},
        recipe={name: value for name, value in RECIPE.settings.items() if name != "epochs"}
        | {"steps": N_STEPS, "flawed": FLAWED_SHARE},
        metrics={"strict": "right, and stopped", "stopped": "stopped by itself"},
        arms=(
            Arm(FEW, partial(tune_and_ask, n_examples=30)),
            Arm(SOME, partial(tune_and_ask, n_examples=100)),
            Arm(MANY, partial(tune_and_ask, n_examples=300)),
            Arm(FLAWED, partial(tune_and_ask, n_examples=300, flawed=FLAWED_SHARE)),
        ),
        contrasts=tuple(
            Contrast(first=first, second=second, metric="strict", at_least=predicted)
            for first, second, predicted in (
                (FEW, MANY, 0.05),
                (SOME, MANY, 0.0),
                (FLAWED, MANY, 0.10),
                (FLAWED, FEW, 0.0),
            )
        ),
    )


def tune_and_ask(job: Job, n_examples: int, flawed: float = 0.0) -> Measurement:
    """Tune the base on the first examples of the course set, and ask the test and open questions.

    Args:
        job: whose seed also decides which examples are damaged, and how.
        n_examples: how many examples.
        flawed: share of them that is damaged.
    """
    model, tokenizer = open_base(job.profile)
    rows = spoil_rows(course_set.load("train")[:n_examples], flawed, job.seed)
    epochs = max(1, round(N_STEPS / -(-len(rows) // RECIPE.batch_size)))
    tuned = tune(model, tokenizer, rows, job.seed, replace(RECIPE, epochs=epochs), job.on_step)
    test, shown = read_items(course_set.path("test")), read_items(course_set.path("open"))[:N_OPEN]
    started = time.perf_counter()
    completions = answer(
        tuned.model,
        tokenizer,
        [chat_ids(tokenizer, item.messages) for item in (*test, *shown)],
        max_new_tokens=RECIPE.max_new_tokens,
        on_step=job.on_step,
    )
    seconds = time.perf_counter() - started
    answers, replies = completions[: len(test)], completions[len(test) :]
    return Measurement(
        scores=score_answers(test, answers),
        replies=store_replies(shown, replies),
        losses=tuned.losses,
        seconds={"training": round(tuned.seconds, 1), "answers": round(seconds, 1)},
    )
