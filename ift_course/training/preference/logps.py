"""What a model thinks of given responses: their log-probabilities."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from ift_course.data.loss_mask import collate
from ift_course.data.pairs import Pair
from ift_course.from_scratch.preference_losses import sequence_logps
from ift_course.training.preference.pairs import prepare_pairs, responses

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


Rows = Sequence[dict[str, list[int]]]  # input_ids and labels, as `pairs.responses` makes them


def batch_logps(model: "PreTrainedModel", rows: Rows, pad_token_id: int = 0) -> torch.Tensor:
    """Log-probability of each row's labelled tokens, float32 (rows,), in nats, with gradients."""
    batch = collate(rows, pad_token_id)
    batch = {name: tensor.to(model.device) for name, tensor in batch.items()}
    labels = batch.pop("labels")
    return sequence_logps(model(**batch, use_cache=False).logits, labels)


@torch.no_grad()
def response_logps(model: "PreTrainedModel", rows: Rows, pad_token_id: int = 0) -> torch.Tensor:
    """The same for any number of rows, on the CPU and without gradients."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]["input_ids"]))
    found = torch.empty(len(rows))
    training = model.training
    model.eval()
    for start in range(0, len(order), 32):
        at = order[start : start + 32]
        found[at] = batch_logps(model, [rows[i] for i in at], pad_token_id).cpu()
    model.train(training)
    return found


def pair_logps(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    pairs: Sequence[Pair],
    max_length: int = 512,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Log-probabilities of the chosen and of the rejected responses, float32 (pairs,) each."""
    rows = prepare_pairs(tokenizer, pairs, max_length).rows
    return tuple(response_logps(model, responses(rows, w)) for w in ("chosen", "rejected"))
