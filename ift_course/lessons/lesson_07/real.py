"""Lesson 07 on real models: SmolLM2-135M-Instruct answers, Gemma 3 270M learns from its answers.

The teacher answers a hundred questions of the course set four times each, by chance. One student
learns from any one answer to each question; another from one that the question's verifier accepts,
which is rejection sampling; a third from the answers that people wrote. All take about the same
number of steps. In the notebook, `real_panel("07")` shows what is stored of it.

An answer counts strictly if its verifier accepts it and the model ended it by itself.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Literal, cast

from ift_course.data import course_set
from ift_course.data.eval_mode import evaluating
from ift_course.errors import CourseError
from ift_course.evaluation.generate import Completion
from ift_course.evaluation.items import Item, read_items
from ift_course.lessons.real_answers import score_answers, store_replies
from ift_course.lessons.real_model import Recipe, answer, chat_ids, open_base, tune
from ift_course.models.quiet import quiet
from ift_course.models.smollm2 import SMOLLM2
from ift_course.panels.panel import Contrast, Measurement
from ift_course.panels.real_part import Arm, Job, OnStep, RealPart, ignore
from ift_course.profile import get_profile

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

RECIPE = Recipe()
N_STEPS = 100  # of every student, about: whole passes over its examples
N_QUESTIONS, N_SAMPLES, TEMPERATURE = 100, 4, 0.8
SAMPLE_TOKENS = 64  # of a teacher's answer; one that is cut off is not used
N_OPEN = 10  # questions to be read: the first ones of the file of open questions
BATCH = 32  # questions that the teacher answers together
TEACHER = "SmolLM2, the teacher"
ANY, VERIFIED, PEOPLE = (f"Gemma, tuned on {x} answers" for x in ("any", "verified", "people's"))

Choice = Literal["any", "verified", "people"]
Conversation = Sequence[Mapping[str, Any]]


def real_part() -> RealPart:
    """What lesson 07 measures on the real models."""
    return RealPart(
        lesson="07",
        title="A small instruct model teaches a base model: any answers, and verified ones",
        data={name: course_set.path(name) for name in ("prompts", "test", "open")},
        recipe={name: value for name, value in RECIPE.settings.items() if name != "epochs"}
        | {
            "steps": N_STEPS,
            "teacher": f"{SMOLLM2.hub_id}@{SMOLLM2.revision[:7]}",
            "questions": N_QUESTIONS,
            "samples": N_SAMPLES,
            "temperature": TEMPERATURE,
        },
        metrics={"strict": "right, and stopped", "stopped": "stopped by itself"},
        arms=(
            Arm(TEACHER, ask_teacher, n_seeds=1),
            Arm(ANY, partial(teach, choice="any")),
            Arm(VERIFIED, partial(teach, choice="verified")),
            Arm(PEOPLE, partial(teach, choice="people"), n_seeds=1),
        ),
        contrasts=(
            Contrast(first=ANY, second=VERIFIED, metric="strict", at_least=0.0),
            Contrast(first=TEACHER, second=VERIFIED, metric="strict", at_least=-0.1),
        ),
    )


def ask_teacher(job: Job) -> Measurement:
    """Ask the teacher itself the test and open questions, greedily."""
    model, tokenizer = open_teacher()
    test, shown = read_questions()
    started = time.perf_counter()
    replies = write(
        model,
        tokenizer,
        [item.messages for item in (*test, *shown)],
        max_new_tokens=RECIPE.max_new_tokens,
        on_step=job.on_step,
    )
    seconds = {"answers": round(time.perf_counter() - started, 1)}
    return measured(test, shown, [reply for [reply] in replies], seconds=seconds)


def teach(job: Job, choice: Choice) -> Measurement:
    """Tune the base on the teacher's or on people's answers, and ask it the same questions.

    Args:
        job: whose seed also chooses between equally good answers of the teacher.
        choice: which answers.
    """
    model, tokenizer = open_base(job.profile)
    items = read_items(course_set.path("prompts"))[:N_QUESTIONS]
    if choice == "people":
        samples = [[Completion(row["ideal"], True)] for row in course_set.load("prompts")]
    else:
        samples = teacher_answers(job.on_step)
    rows = training_rows(items, samples[: len(items)], choice == "verified", job.seed)
    epochs = max(1, round(N_STEPS / -(-len(rows) // RECIPE.batch_size)))
    tuned = tune(model, tokenizer, rows, job.seed, replace(RECIPE, epochs=epochs), job.on_step)
    test, shown = read_questions()
    started = time.perf_counter()
    completions = answer(
        tuned.model,
        tokenizer,
        [chat_ids(tokenizer, item.messages) for item in (*test, *shown)],
        max_new_tokens=RECIPE.max_new_tokens,
        on_step=job.on_step,
    )
    answered = round(time.perf_counter() - started, 1)
    return measured(
        test,
        shown,
        completions,
        losses=tuned.losses,
        seconds={"training": round(tuned.seconds, 1), "answers": answered},
        quantities={
            "examples": float(len(rows)),
            "right among them, %": 100 * sum(row["right"] for row in rows) / len(rows),
        },
    )


def training_rows(
    items: Sequence[Item], samples: Sequence[Sequence[Completion]], verified: bool, seed: int
) -> list[dict[str, Any]]:
    """One example for each question, with "messages" and whether its verifier accepts the answer.

    Args:
        items: the questions, with their verifiers.
        samples: answers to each of them.
        verified: take only answers that are right. In any case an answer must have ended; a
            question without a usable answer is left out.
        seed: of the choice.

    Raises:
        CourseError: no question has a usable answer.
    """
    rows = []
    for item, completions in zip(items, samples, strict=True):
        usable = [x for x in completions if x.finished and x.text]
        right = [x for x in usable if item.fault(x.text, x.finished) is None]
        candidates = right if verified else usable
        if candidates:
            picked = random.Random(f"{seed} {item.key}").choice(candidates)
            turns = [*item.messages, {"role": "assistant", "content": picked.text}]
            rows.append({"messages": turns, "right": picked in right})
    if not rows:
        raise CourseError("The teacher gave no usable answer, so there is nothing to learn from.")
    return rows


@lru_cache(maxsize=1)  # the students differ in what is chosen of the same samples
def teacher_answers(on_step: OnStep = ignore) -> list[list[Completion]]:
    """The teacher's samples of the answers to each question."""
    model, tokenizer = open_teacher()
    questions = [row["messages"] for row in course_set.load("prompts")[:N_QUESTIONS]]
    return write(
        model,
        tokenizer,
        questions,
        max_new_tokens=SAMPLE_TOKENS,
        on_step=on_step,
        n=N_SAMPLES,
        temperature=TEMPERATURE,
    )


def open_teacher() -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load SmolLM2-135M-Instruct in float32, with a tokenizer that pads on the left.

    Raises:
        CourseError: it is not installed; the sentence says how to install it.
    """
    from ift_course.models.load import base_folder

    folder = base_folder(get_profile("smollm2"))
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    with quiet():
        tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    return model.to("cuda" if torch.cuda.is_available() else "cpu").eval(), tokenizer


def write(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    conversations: Sequence[Conversation],
    *,
    max_new_tokens: int,
    on_step: OnStep = ignore,
    n: int = 1,
    temperature: float = 0.0,
) -> list[list[Completion]]:
    """Let an instruct model answer each conversation n times.

    Args:
        model: the teacher.
        tokenizer: its tokenizer, which pads on the left.
        conversations: messages; the last one is the user's.
        max_new_tokens: the limit for an answer.
        on_step: is called with "teacher", the conversations that are answered, and all.
        n: answers to each.
        temperature: 0 takes the likeliest token each time.
    """
    import torch

    torch.manual_seed(0)
    end = cast("int", tokenizer.convert_tokens_to_ids("<|im_end|>"))
    sampling: dict[str, Any] = {"do_sample": False}
    if temperature:
        sampling = {"do_sample": True, "temperature": temperature, "num_return_sequences": n}
    answers: list[list[Completion]] = []
    for start in range(0, len(conversations), BATCH):
        on_step("teacher", start, len(conversations))
        batch: Any = tokenizer.apply_chat_template(
            [[dict(m) for m in messages] for messages in conversations[start : start + BATCH]],
            add_generation_prompt=True, padding=True, return_dict=True, return_tensors="pt",
        )  # fmt: skip
        with evaluating(model), quiet():
            output: Any = cast("Any", model).generate(
                **batch.to(model.device), **sampling, max_new_tokens=max_new_tokens,
                eos_token_id=end, pad_token_id=tokenizer.pad_token_id,
            )  # fmt: skip
        rows = output[:, batch["input_ids"].shape[1] :].tolist()
        texts = [_completion(tokenizer, ids, end) for ids in rows]
        answers += [texts[i : i + n] for i in range(0, len(texts), n)]
    return answers


def read_questions() -> tuple[list[Item], list[Item]]:
    """The test items, and the open questions whose answers are shown."""
    return read_items(course_set.path("test")), read_items(course_set.path("open"))[:N_OPEN]


def measured(
    test: Sequence[Item], shown: Sequence[Item], completions: Sequence[Completion], **more: Any
) -> Measurement:
    """Judge the answers to the test items, and keep those to the open questions."""
    answers, replies = completions[: len(test)], completions[len(test) :]
    return Measurement(
        scores=score_answers(test, answers), replies=store_replies(shown, replies), **more
    )


def _completion(tokenizer: PreTrainedTokenizerBase, ids: list[int], end: int) -> Completion:
    """One answer up to the token that ends it."""
    position = ids.index(end) if end in ids else None
    text = cast("str", tokenizer.decode(ids[:position], skip_special_tokens=True))
    return Completion(text.strip(), position is not None)
