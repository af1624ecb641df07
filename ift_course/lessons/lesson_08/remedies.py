"""Remedies against forgetting, each written by hand: replay, KL regularization, interpolation."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from ift_course.data.loss_mask import IGNORE
from ift_course.errors import CourseError

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

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


def kl_to_reference(
    logits: torch.Tensor, reference: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """KL(policy || reference) in nats, summed over the response tokens.

    Args:
        logits: (batch, length, vocabulary), of the policy.
        reference: (batch, length, vocabulary), the logits of the model it started from.
        labels: int64 (batch, length), -100 where a token does not belong to a response. As in the
            SFT loss, the logits at one position predict the token at the next.

    Returns:
        A scalar.
    """
    import torch.nn.functional as F

    policy = F.log_softmax(logits[:, :-1].float(), dim=-1)
    start = F.log_softmax(reference[:, :-1].float(), dim=-1)
    each = (policy.exp() * (policy - start)).sum(-1)
    return each[labels[:, 1:] != IGNORE].sum()


@contextmanager
def kl_regularized(
    reference: PreTrainedModel, policy: PreTrainedModel, weight: float
) -> Iterator[None]:
    """Add `weight` times the mean KL to `reference` to every loss of `policy` within the context.

    The mean is over the same response tokens as the cross-entropy. A forward hook adds it, so that
    any trainer can train the model. It costs one forward pass of the reference per step.

    Raises:
        CourseError: at the end, if `policy` never computed a loss. Then another model or a copy
            was trained, without the regularization.
    """
    import torch

    losses = 0

    def add_kl(module: torch.nn.Module, args: Any, kwargs: dict[str, Any], output: Any) -> Any:
        nonlocal losses
        labels = kwargs.get("labels")
        if labels is None:
            return None
        losses += 1
        with torch.no_grad():
            start = reference(
                input_ids=kwargs["input_ids"], attention_mask=kwargs.get("attention_mask")
            ).logits
        count = kwargs.get("num_items_in_batch")
        if count is None:
            count = (labels[:, 1:] != IGNORE).sum()
        output.loss = output.loss + weight * kl_to_reference(output.logits, start, labels) / count
        return output

    handle = policy.register_forward_hook(add_kl, with_kwargs=True)
    try:
        yield
    finally:
        handle.remove()
    if not losses:
        raise CourseError("No loss passed the hook, so the model was trained without the KL term.")


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
