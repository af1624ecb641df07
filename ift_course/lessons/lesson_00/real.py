"""Lesson 00 on a real base model: what it writes before and after 48 examples.

`before_and_after()` tunes it while you watch, in about a minute, where it is installed. Elsewhere
it shows what is stored.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from ift_course.data import course_set
from ift_course.evaluation.items import Item, read_items
from ift_course.lessons.lesson_01 import real as lesson_01
from ift_course.lessons.lesson_01.real import in_plain_text, through_template
from ift_course.lessons.real_answers import store_replies
from ift_course.lessons.real_model import answer, open_base, tune
from ift_course.lessons.real_parts import command, real_panel
from ift_course.models.wheels import wheel_model
from ift_course.panels.compute import compute_first_seed
from ift_course.panels.panel import Measurement
from ift_course.panels.progress import step_bars
from ift_course.panels.real_part import Arm, Job, RealPart
from ift_course.panels.view import PanelView
from ift_course.plots.cards import Card
from ift_course.profile import REAL, get_profile

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

RECIPE = replace(lesson_01.RECIPE, max_new_tokens=64)  # so that it takes about a minute
N_EXAMPLES = 48  # the first ones of the training file, which have one of every kind
N_QUESTIONS = 4  # the first ones of the file of open questions


def real_part() -> RealPart:
    """What lesson 00 measures on the real model: nothing but answers to be read."""
    return RealPart(
        lesson="00",
        title=f"A real base model before and after {N_EXAMPLES} examples",
        data={name: course_set.path(name) for name in ("train", "open")},
        recipe=RECIPE.settings,
        arms=(
            Arm("before", ask_base, n_seeds=1),
            Arm(f"after {N_EXAMPLES} examples", tune_and_ask, n_seeds=1),
        ),
    )


def before_and_after() -> PanelView | Card:
    """Tune the real model now, where it is installed, and show its answers before and after.

    Elsewhere the stored answers are shown, or, if there are none, what to run.

    Raises:
        CourseError: The model cannot be loaded, or the stored file is damaged.
    """
    profile = get_profile(REAL)
    wheel = wheel_model(profile)
    if wheel is None or not (wheel.is_here or wheel.is_taken_from_hub):
        return real_panel("00")
    with step_bars() as on_step:
        panel = compute_first_seed(real_part(), profile, on_step=on_step)
    return PanelView(panel, command("00"), is_live=True)


def ask_base(job: Job) -> Measurement:
    """Let the base continue the questions in plain text."""
    model, tokenizer = open_base(job.profile)
    questions = _questions()
    prompts = [in_plain_text(tokenizer, item) for item in questions]
    return _answers(job, model, tokenizer, questions, prompts)


def tune_and_ask(job: Job, template: str | None = None) -> Measurement:
    """Tune the base, and ask it the same questions through its chat template.

    Args:
        job: One measurement.
        template: Replaces the chat template of the base's family.
    """
    model, tokenizer = open_base(job.profile)
    tokenizer.chat_template = template or tokenizer.chat_template
    rows = course_set.load("train")[:N_EXAMPLES]
    tuned = tune(model, tokenizer, rows, job.seed, RECIPE, job.on_step)
    questions = _questions()
    prompts = [through_template(tokenizer, item) for item in questions]
    answers = _answers(job, tuned.model, tokenizer, questions, prompts)
    seconds = {"training": round(tuned.seconds, 1)} | answers.seconds
    return answers.model_copy(update={"losses": tuned.losses, "seconds": seconds})


def _questions() -> list[Item]:
    return read_items(course_set.path("open"))[:N_QUESTIONS]


def _answers(
    job: Job,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    questions: Sequence[Item],
    prompts: Sequence[list[int]],
) -> Measurement:
    started = time.perf_counter()
    replies = answer(
        model,
        tokenizer,
        prompts,
        max_new_tokens=RECIPE.max_new_tokens,
        on_step=job.on_step,
    )
    return Measurement(
        replies=store_replies(questions, replies),
        seconds={"answers": round(time.perf_counter() - started, 1)},
    )
