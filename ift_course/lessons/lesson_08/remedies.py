"""Remedies against forgetting, written by hand: replay, own answers, interpolation."""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from ift_course.errors import CourseError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from ift_course.data.records import Record

T = TypeVar("T")


def with_replay(special: Sequence[T], earlier: Sequence[T], share: float, *, seed: int) -> list[T]:
    """Replace a share of the new training examples by earlier ones, and shuffle (rehearsal).

    Robins 1995; Scialom et al. 2022, arXiv:2205.12393, section 3.

    Args:
        special: the new examples; the result has the same number.
        earlier: the examples that the model was trained on before.
        share: of the result that comes from `earlier`. Any share above 0 brings at least one
            earlier example: with 64 examples, 1 % would round to none.
        seed: of the choice and the order.

    Raises:
        CourseError: `earlier` has too few examples for the share.
    """
    count = max(1, round(share * len(special))) if share else 0
    if count > len(earlier):
        raise CourseError(
            f"A replay of {share:.0%} needs {count} earlier examples, and there are {len(earlier)}."
        )
    rng = random.Random(f"{seed}-replay")
    examples = [
        *rng.sample(list(special), len(special) - count),
        *rng.sample(list(earlier), count),
    ]
    rng.shuffle(examples)
    return examples


def own_answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    records: Sequence[Record],
    max_new_tokens: int,
) -> list[Record]:
    """Replace the answers of records by those that the model itself gives (pseudo-rehearsal).

    Robins 1995. It needs prompts and the model, and no data that the model was trained on. Answers
    that do not end within the limit are left out.

    Args:
        model: before it is specialized.
        tokenizer: of the model.
        records: of one question each; their answers are not read.
        max_new_tokens: of an answer.
    """
    from ift_course.data.records import Record
    from ift_course.evaluation.generate import generate_replies

    prompts = [record.turns[0].content for record in records]
    replies = generate_replies(model, tokenizer, prompts, max_new_tokens=max_new_tokens)
    return [
        Record.from_instruction(prompt, "", reply.text)
        for prompt, reply in zip(prompts, replies, strict=True)
        if reply.finished and reply.text
    ]


def interpolate_weights(
    start: PreTrainedModel, tuned: PreTrainedModel, share: float
) -> PreTrainedModel:
    """Interpolate linearly between the weights of a model and of its fine-tuned version.

    Wortsman et al. 2021 (WiSE-FT), arXiv:2109.01903, section 3. Computed in float32.

    Args:
        start: the model before fine-tuning.
        tuned: of the same architecture, fine-tuned from `start`: models that were trained
            independently are not connected by a line of good models.
        share: of `tuned`; 0 gives the weights of `start`.

    Returns:
        A new model.
    """
    import torch

    model = copy.deepcopy(start)
    # Read from `start`, not from the copy: a tied weight has two names, and would move twice.
    before, after = start.state_dict(), tuned.state_dict()
    with torch.no_grad():
        for name, weight in model.state_dict().items():
            if weight.is_floating_point():
                weight.copy_((1 - share) * before[name].float() + share * after[name].float())
    return model
