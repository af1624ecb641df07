"""Strict scores: an answer counts if it is right, says nothing else, and ends.

A lenient score ("the answer occurs somewhere") gives a rambling base model half the points for
words that it happened to mention, and so hides what tuning does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from ift_course.evaluation.generate import Completion, generate_replies
from ift_course.evaluation.intervals import Interval, items_interval
from ift_course.world.tasks import Example, verify

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Scores:
    """The verdicts on a model's completions.

    Attributes:
        examples: The questions.
        completions: The answers, in the same order.
        correct: The strict verdicts, in the same order.
    """

    examples: Sequence[Example]
    completions: Sequence[Completion]
    correct: Sequence[bool]

    @property
    def accuracy(self) -> float:
        """Share of correct answers, between 0 and 1."""
        return sum(self.correct) / len(self.correct)

    @cached_property
    def interval(self) -> Interval:
        """95 % interval of the accuracy over examples: bootstrap, or exact if all are equal."""
        return items_interval([float(c) for c in self.correct])

    @property
    def items(self) -> list[float]:
        """1.0 or 0.0 for each example: what `claim` takes as one seed of an arm."""
        return [float(c) for c in self.correct]

    def by(self, field: Literal["task", "family"]) -> dict[str, float]:
        """Return the accuracy within each task or family, sorted by name."""
        groups: dict[str, list[bool]] = {}
        for example, correct in zip(self.examples, self.correct, strict=True):
            groups.setdefault(getattr(example, field), []).append(correct)
        return {name: sum(groups[name]) / len(groups[name]) for name in sorted(groups)}

    def rows(self) -> list[dict[str, Any]]:
        """Return one dict per example: task, family, prompt, ideal answer, answer and verdict."""
        return [
            {
                "task": example.task,
                "family": example.family,
                "instruction": example.instruction,
                "input": example.input,
                "response": example.response,
                "answer": completion.text,
                "finished": completion.finished,
                "correct": correct,
            }
            for example, completion, correct in zip(
                self.examples, self.completions, self.correct, strict=True
            )
        ]


def score(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    examples: Sequence[Example],
    **generation: Any,
) -> Scores:
    """Let a model answer the question of every example, and judge the answers strictly.

    Args:
        model: A causal language model.
        tokenizer: Its tokenizer, with a chat template.
        examples: The questions with their ideal responses.
        generation: Options of `generate_replies`: max_new_tokens, batch_size, temperature, seed.

    Raises:
        ValueError: There are no examples.
    """
    return judge(examples, generate_replies(model, tokenizer, examples, **generation))


def judge(examples: Sequence[Example], completions: Sequence[Completion]) -> Scores:
    """Judge completions strictly: each must be finished and verified as the whole answer.

    Raises:
        ValueError: There are no examples.
    """
    if not examples:
        raise ValueError("There is nothing to score: `examples` is empty.")
    correct = [
        completion.finished and bool(verify(example, completion.text))
        for example, completion in zip(examples, completions, strict=True)
    ]
    return Scores(examples, completions, correct)


def lenient(example: Example, text: str) -> bool:
    """Return whether the ideal response occurs anywhere in a text, whatever surrounds it.

    Only whole words count; case, punctuation and line breaks are ignored. The lenient score is
    shown for comparison and never used as a result.
    """
    expected, actual = _words(example.response), _words(text)
    return f" {expected} " in f" {actual} "


def _words(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
