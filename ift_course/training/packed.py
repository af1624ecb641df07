"""Whether a model keeps the records of a packed sequence apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ift_course.data.loss_mask import collate
from ift_course.errors import CourseError
from ift_course.from_scratch.packing import collate_packed, pack
from ift_course.models.quantize import is_four_bit

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

PROBE = 64  # tokens of a record that are compared
# How far logits may be off, as a share of the largest, by rounding alone.
TOLERANCE, HALF_PRECISION = 1e-3, 0.05


def refuse_if_rows_mix(
    model: PreTrainedModel, rows: Sequence[dict[str, list[int]]], pad_token_id: int
) -> None:
    """Compare the logits of two records, packed and apart.

    Attention finds the borders of packed records in their positions. Layers that carry a state from
    token to token, as in Mamba, or attention of an unusual kind may not look for them, and then a
    record learns from its neighbor without any error.

    Args:
        model: as it will be trained.
        rows: records as input_ids and labels; the first two are compared.
        pad_token_id: of the tokenizer.

    Raises:
        CourseError: the second record's logits depend on the first.
    """
    import torch

    pair = [{name: values[:PROBE] for name, values in row.items()} for row in rows[:2]]
    if len(pair) < 2:
        return
    packed = collate_packed(pack(pair, 2 * PROBE).rows, pad_token_id)
    order = sorted(range(2), key=lambda i: -len(pair[i]["input_ids"]))  # as `pack` places them
    start = len(pair[order[0]]["input_ids"])
    alone = collate([pair[order[1]]], pad_token_id)
    training = model.training
    model.eval()
    with torch.no_grad():
        together = _logits(model, packed["input_ids"], position_ids=packed["position_ids"])[start:]
        apart = _logits(model, alone["input_ids"])
    model.train(training)
    difference = (together - apart).abs().max() / apart.abs().max()
    exact = model.dtype == torch.float32 and not is_four_bit(model)
    if not difference <= (TOLERANCE if exact else HALF_PRECISION):
        raise CourseError(
            "Packed records of this model would see each other (the second one's logits change by "
            f"{difference:.0%} of the largest); leave packing out."
        )


def _logits(model: PreTrainedModel, ids: torch.Tensor, **inputs: torch.Tensor) -> torch.Tensor:
    inputs = {name: tensor.to(model.device) for name, tensor in inputs.items()}
    return model(ids.to(model.device), use_cache=False, **inputs).logits[0].float()
