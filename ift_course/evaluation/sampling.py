"""Several sampled answers of a model to each question, stored as they come."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ift_course.evaluation.answers import AnswerStore, OnDone, answer_room, prompt_ids
from ift_course.evaluation.generate import Completion, answer_prompts, stop_ids
from ift_course.evaluation.items import Item

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def sample_answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    items: Sequence[Item],
    *,
    n_samples: int,
    temperature: float,
    max_new_tokens: int,
    seed: int = 0,
    store: AnswerStore | None = None,
    on_done: OnDone | None = None,
) -> list[list[Completion]]:
    """Sample answers through the model's chat template.

    An answer depends on the seed, its question and its number alone. Another order of the questions
    or more samples of each therefore change none of those that are there.

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer, with a chat template.
        items: The questions.
        n_samples: How many answers each of them gets.
        temperature: Tokens are sampled from softmax(logits / temperature).
        max_new_tokens: The limit for each answer; the model's context may leave room for less.
        seed: Of the sampling.
        store: Holds the answers of earlier runs and gets the new ones; None stores nothing.
        on_done: Is called with the questions that are answered, and with all.

    Returns:
        For each item its answers, in the order of their numbers.

    Raises:
        CourseError: The chat template refuses a question, or a question fills the whole context.
    """
    store = AnswerStore() if store is None else store
    settings = [temperature, seed, sorted(stop_ids(model))]
    samples = []
    for done, item in enumerate(items):
        if on_done:
            on_done(done, len(items))
        ids = prompt_ids(tokenizer, item)
        room = answer_room(model, item, ids, max_new_tokens)
        keys = [_digest([ids, room, settings, number]) for number in range(n_samples)]
        stored = {key: answer for key in keys if (answer := store.get(key))}
        if len(stored) < n_samples:
            completions = answer_prompts(
                model,
                tokenizer,
                [ids] * n_samples,
                max_new_tokens=room,
                batch_size=n_samples,
                temperature=temperature,
                # A seed for the question, from which each answer gets one by its number.
                seed=int(_digest([ids, seed])[:6], 16),
            )
            answers = dict(zip(keys, completions, strict=True))
            store.add({key: answers[key] for key in keys if key not in stored})
            stored = answers | stored
        samples.append([stored[key] for key in keys])
    if on_done:
        on_done(len(items), len(items))
    return samples


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:16]
