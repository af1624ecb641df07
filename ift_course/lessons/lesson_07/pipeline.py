"""Lesson 07's pipeline: a teacher answers questions several times, a student learns from some.

The teacher is the base after SFT on people's answers. Students start from the same base, untuned,
or from a weaker one: the base that has read prose only (as in lesson 06).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from ift_course.data.eval_mode import evaluating
from ift_course.data.examples import to_records
from ift_course.data.records import Record, user_text
from ift_course.evaluation.generate import Completion, stop_ids
from ift_course.evaluation.score import judge as verdicts_of
from ift_course.lessons.lesson_05.experiment import merged
from ift_course.lessons.lesson_06.bases import SHIPPED, load_base
from ift_course.lessons.lesson_07.sizes import SIZES, Sizes
from ift_course.models.quiet import quiet
from ift_course.profile import Profile
from ift_course.world.tasks import FACT_TASKS, Example, sample

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    Loaded = tuple[PreTrainedModel, PreTrainedTokenizerBase]

BATCH = 32  # questions that are answered together
CHUNK = 128  # answers whose logits are in memory together


@dataclass(frozen=True)
class AnsweredQuestion:
    """A question and a model's answers to it.

    Attributes:
        question: with what its verifier accepts.
        answers: of the model.
        rewards: of a judge, one for each answer; empty before it has judged.
    """

    question: Example
    answers: tuple[Completion, ...]
    rewards: tuple[float, ...] = ()

    @property
    def right(self) -> list[bool]:
        """The verifier's verdict on each answer: the answer, nothing else, and then the end."""
        return list(verdicts_of([self.question] * len(self.answers), self.answers).correct)


Pool = Sequence[AnsweredQuestion]


def questions(sizes: Sizes, seed: int) -> list[Example]:
    """The questions that the teacher answers, none of them about an entity of the exam."""
    return sample(sizes.questions, seed=1000 + seed, tasks=FACT_TASKS)


def demonstrations(sizes: Sizes, seed: int) -> list[Example]:
    """What the teacher is tuned on: questions with the right answers."""
    return sample(sizes.demonstrations, seed=seed, tasks=FACT_TASKS)


def student_base(profile: Profile, name: str = SHIPPED) -> Loaded:
    """A fresh base for a student.

    Args:
        profile: whose base.
        name: "shipped", or "prose" for the base that has read less; only `tiny` has it, so that
            other profiles take their own.
    """
    return load_base(name if profile.base_model == "embedded" else SHIPPED, profile)


def tune_teacher(profile: Profile, seed: int) -> Loaded:
    """The base after SFT on demonstrations."""
    sizes = SIZES[profile.name]
    records = to_records(demonstrations(sizes, seed))
    return fine_tune(profile, load_base(SHIPPED, profile), records, seed, sizes.teacher_steps)


def tune_student(
    profile: Profile, records: Sequence[Record], seed: int, name: str = SHIPPED
) -> Loaded:
    """A fresh student base after SFT on the records; `name` as in `student_base`."""
    steps = SIZES[profile.name].steps
    return fine_tune(profile, student_base(profile, name), records, seed, steps)


def fine_tune(
    profile: Profile, start: Loaded, records: Sequence[Record], seed: int, steps: int
) -> Loaded:
    """Tune a model with TRL's trainer and the lesson's settings.

    Args:
        profile: whose settings to use.
        start: (model, tokenizer); the model is tuned in place.
        records: the training set.
        seed: of the training.
        steps: optimizer steps.

    Returns:
        (model, tokenizer), adapters merged.
    """
    from ift_course.training.sft import sft

    sizes = SIZES[profile.name]
    result = sft(
        *start,
        records,
        seed=seed,
        max_steps=steps,
        learning_rate=sizes.rate,
        batch_size=sizes.batch,
        method=sizes.method,
        progress=False,
    )
    return merged(result.model), result.tokenizer


def sample_answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    *,
    seed: int,
    sizes: Sizes,
    answers: int,
) -> list[AnsweredQuestion]:
    """Sample the model's answers to each question, with transformers' own `generate`.

    Args:
        model: the teacher.
        tokenizer: of the model.
        examples: The questions.
        seed: of the sampling.
        sizes: the temperature, `top_k` and the length of an answer.
        answers: how many for each question.
    """
    import torch

    torch.manual_seed(seed)
    stops, items = stop_ids(model), []
    padding_side, tokenizer.padding_side = tokenizer.padding_side, "left"
    for start in range(0, len(examples), BATCH):
        batch: Any = tokenizer.apply_chat_template(
            [[{"role": "user", "content": text_of(x)}] for x in examples[start : start + BATCH]],
            add_generation_prompt=True, padding=True, return_dict=True, return_tensors="pt",
        )  # fmt: skip
        with evaluating(model), quiet():
            ids: Any = cast("Any", model).generate(
                **batch.to(model.device), do_sample=True, temperature=sizes.temperature,
                top_k=sizes.top_k, num_return_sequences=answers, max_new_tokens=sizes.tokens,
                pad_token_id=tokenizer.pad_token_id,
            )  # fmt: skip
        rows = ids[:, batch["input_ids"].shape[1] :].tolist()
        replies = [_completion(tokenizer, row, stops) for row in rows]
        for i, question in enumerate(examples[start : start + BATCH]):
            items.append(
                AnsweredQuestion(question, tuple(replies[i * answers : (i + 1) * answers]))
            )
    tokenizer.padding_side = padding_side
    return items


def _completion(tokenizer: PreTrainedTokenizerBase, ids: list[int], stops: set[int]) -> Completion:
    """One answer up to the token that ends it."""
    end = next((i for i, token in enumerate(ids) if token in stops), None)
    return Completion(cast("str", tokenizer.decode(ids[:end])).strip(), end is not None)


def with_likelihoods(
    pool: Pool, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, max_length: int
) -> list[AnsweredQuestion]:
    """The pool with each answer's mean log-probability per token as its reward.

    Args:
        pool: questions and answers.
        model: the judge; with the teacher itself, the judge needs no data and no training.
        tokenizer: of the model.
        max_length: in tokens.
    """
    from ift_course.evaluation.perplexity import response_losses

    texts = list(dict.fromkeys(_key(item, answer) for item in pool for answer in item.answers))
    losses: list[float] = []
    for start in range(0, len(texts), CHUNK):
        rows = [record(*text) for text in texts[start : start + CHUNK]]
        losses += response_losses(model, tokenizer, rows, max_length=max_length)
    rewards = {text: round(-loss, 4) for text, loss in zip(texts, losses, strict=True)}
    return [
        replace(item, rewards=tuple(rewards[_key(item, answer)] for answer in item.answers))
        for item in pool
    ]


def record(question: str, answer: str) -> Record:
    """One training example."""
    return Record.from_instruction(question, "", answer)


def text_of(question: Example) -> str:
    """The question as the model reads it."""
    return user_text(question.instruction, question.input)


@lru_cache(maxsize=1)  # the runs of one seed share it, and they come one after the other
def make_pool(profile: Profile, seed: int) -> tuple[AnsweredQuestion, ...]:
    """Tune the teacher, let it answer, and let it judge its own answers."""
    sizes = SIZES[profile.name]
    teacher, tokenizer = tune_teacher(profile, seed)
    return pool_of(profile, teacher, tokenizer, seed, sizes)


def pool_of(
    profile: Profile,
    teacher: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    seed: int,
    sizes: Sizes,
) -> tuple[AnsweredQuestion, ...]:
    """Let a teacher answer the seed's questions and judge its own answers."""
    answered = sample_answers(
        teacher, tokenizer, questions(sizes, seed), seed=seed, sizes=sizes, answers=sizes.answers
    )
    return tuple(with_likelihoods(answered, teacher, tokenizer, profile.max_length))


def _key(item: AnsweredQuestion, answer: Completion) -> tuple[str, str]:
    return text_of(item.question), answer.text
