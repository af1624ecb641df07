"""Logits only where there are labels: the largest tensor of a step, without what nobody reads.

A head turns each hidden state into as many logits as the vocabulary has tokens, 262,144 in Gemma 3.
The loss reads those of the positions before a labeled token, which are often a third of a batch:
prompts and padding have no label. The hidden states are selected as they enter the head, so that
all that a model does to its logits afterwards, such as the soft cap of Gemma 2 or the scale of
Granite, is done to the remaining ones as well, and its own loss is computed from them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from ift_course import distributed
from ift_course.data.eval_mode import evaluating
from ift_course.data.loss_mask import IGNORE, collate
from ift_course.models.quantize import is_four_bit

if TYPE_CHECKING:
    from transformers import PreTrainedModel

PROBE = 16  # tokens of a row before and after its first label
# How far two losses may differ by rounding alone, as a share.
TOLERANCE, HALF_PRECISION = 1e-4, 2e-2


@contextmanager
def logits_where(model: torch.nn.Module, mask: torch.Tensor) -> Iterator[None]:
    """Within the block, let a model compute logits only at some positions.

    They have the shape (1, positions, vocabulary), in the order of the rows of the mask.

    Args:
        model: Whose output embedding is applied to the hidden states of a whole batch.
        mask: bool of shape (batch, length), where logits are wanted.
    """

    def select(head: torch.nn.Module, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        return (inputs[0][mask][None], *inputs[1:])

    model_with_head: Any = model
    handle = model_with_head.get_output_embeddings().register_forward_pre_hook(select)
    try:
        yield
    finally:
        handle.remove()


def next_labels(labels: torch.Tensor) -> torch.Tensor:
    """Return for each position the label of the next token, IGNORE for the last.

    Args:
        labels: int64 of shape (batch, length), not shifted.
    """
    return torch.nn.functional.pad(labels[:, 1:], (0, 1), value=IGNORE)


def labeled_inputs(inputs: dict[str, Any]) -> tuple[dict[str, Any], torch.Tensor]:
    """Return the inputs of a model that is called within `logits_where`, and the mask for it.

    Args:
        inputs: With `labels`, int64 of shape (batch, length).

    Returns:
        The inputs with `shift_labels`, int64 of shape (1, labeled tokens), which takes precedence
        over `labels` in the loss of transformers; and the mask, bool of shape (batch, length).
    """
    targets = next_labels(inputs["labels"])
    mask = targets != IGNORE
    return {**inputs, "shift_labels": targets[mask][None]}, mask


def is_exact(model: PreTrainedModel, rows: Sequence[dict[str, list[int]]]) -> bool:
    """Return whether a model has the same loss with logits only where there are labels.

    It is tried on two short pieces of the training data. A family that computes its loss in
    another way, or has no separate head, is trained with all its logits.

    Args:
        model: As it will be trained.
        rows: Training rows as input_ids and labels.
    """
    if distributed.uses_fsdp():  # no process holds the whole model to try it on
        return False
    batch = collate([_around_first_label(row) for row in rows[:2]], pad_token_id=0)
    inputs = {name: tensor.to(model.device) for name, tensor in batch.items()}
    selected, mask = labeled_inputs(inputs)
    with evaluating(model):
        expected = model(**inputs, use_cache=False).loss.item()
        try:
            with logits_where(model, mask):
                loss = model(**selected, use_cache=False).loss.item()
        except (AttributeError, IndexError, RuntimeError, TypeError, ValueError):
            return False
    is_precise = model.dtype == torch.float32 and not is_four_bit(model)
    tolerance = TOLERANCE if is_precise else HALF_PRECISION
    return abs(loss - expected) <= tolerance * max(1.0, abs(expected))


def _around_first_label(row: dict[str, list[int]]) -> dict[str, list[int]]:
    labels = row["labels"]
    first = next(i for i, label in enumerate(labels) if i and label != IGNORE)
    window = slice(max(0, first - PROBE), first + PROBE)
    return {"input_ids": row["input_ids"][window], "labels": labels[window]}
