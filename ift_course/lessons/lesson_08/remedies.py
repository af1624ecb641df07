"""What holds a model to what it knew while it learns one thing more, each remedy by hand."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ift_course.data.loss_mask import IGNORE
from ift_course.errors import CourseError

if TYPE_CHECKING:
    import torch


def with_replay(special: Sequence, earlier: Sequence, share: float, *, seed: int) -> list:
    """As many rows as `special` has, of which a share is replaced by rows of `earlier`, shuffled.

    Any share above 0 brings one earlier row at least: with 64 rows, 1 % would round to none.
    Rehearsal: Robins 1995; Scialom et al. 2022, arXiv:2205.12393, section 3.
    Raises CourseError if `earlier` has fewer rows than the share asks for.
    """
    count = max(1, round(share * len(special))) if share else 0
    if count > len(earlier):
        raise CourseError(
            f"A replay of {share:.0%} takes {count} earlier rows, and there are {len(earlier)}."
        )
    rng = random.Random(f"{seed}-replay")
    rows = [
        *rng.sample(list(special), len(special) - count),
        *rng.sample(list(earlier), count),
    ]
    rng.shuffle(rows)
    return rows


def kl_to_reference(
    logits: torch.Tensor, reference: torch.Tensor, labels: torch.Tensor
) -> torch.Tensor:
    """KL(policy || reference) in nats, summed over the response tokens; a scalar.

    logits, reference: (batch, length, vocabulary), of the policy and of the model it started from.
    labels: int64 (batch, length), -100 where a token is no response's. As in the SFT loss, the
    logits at one place belong to the token at the next.
    """
    import torch.nn.functional as F

    policy = F.log_softmax(logits[:, :-1].float(), dim=-1)
    start = F.log_softmax(reference[:, :-1].float(), dim=-1)
    each = (policy.exp() * (policy - start)).sum(-1)
    return each[labels[:, 1:] != IGNORE].sum()


@contextmanager
def kl_regularized(reference, policy, weight: float) -> Iterator[None]:
    """While it lasts, every loss of `policy` has `weight` times its mean KL to `reference` added.

    The mean is over the same response tokens as the cross-entropy. A hook does it, so that any
    trainer can train the model. Costs one forward pass of the reference a step.
    Raises CourseError at the end if no loss was ever asked of `policy`: then another model, or a
    copy, was trained, and nothing held it.
    """
    import torch

    losses = 0

    def add_kl(module, args, kwargs, output):
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
        raise CourseError("No loss passed the hook, so nothing held the model to its reference.")


def interpolate_weights(start, tuned, share: float):
    """A new model whose weights are (1 - share) times those of `start` plus share times `tuned`'s.

    Both must be the same architecture, and `tuned` should come from `start`: models that were
    trained apart have nothing in common between them. Averaged in float32.
    Wortsman et al. 2021 (WiSE-FT), arXiv:2109.01903, section 3.
    """
    import torch

    model = copy.deepcopy(start)
    # Read from `start`, not from the copy: a tied weight has two names, and would move twice.
    one, other = start.state_dict(), tuned.state_dict()
    with torch.no_grad():
        for name, weight in model.state_dict().items():
            if weight.is_floating_point():
                weight.copy_((1 - share) * one[name].float() + share * other[name].float())
    return model
