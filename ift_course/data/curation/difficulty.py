"""How hard an answer is for a model, and how much the question helps.

Instruction-following difficulty (IFD): Li et al. 2023, *From Quantity to Quality*,
arXiv:2308.12032. It is the loss of the answer after its question, divided by the loss of the answer
alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ift_course.data.chat_templates import token_ids
from ift_course.data.records import Record

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

MAX_TOKENS = 1024  # of one text, if the model's context is that long
MAX_LOGITS = 2**26  # of one batch: 256 MB in float32

Ids = list[int]


@dataclass(frozen=True)
class Difficulty:
    """Two perplexities of one answer, over the same tokens.

    Attributes:
        perplexity: of the answer after its question.
        unconditional_perplexity: of the answer without its question.
    """

    perplexity: float
    unconditional_perplexity: float

    @property
    def ifd(self) -> float:
        """The ratio of the two losses.

        Near 0 the question gives the answer away; above 1 it misleads.
        """
        return math.log(self.perplexity) / max(math.log(self.unconditional_perplexity), 1e-6)


def difficulty(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    records: Sequence[Record],
    *,
    batch_size: int = 64,
    on_done: Callable[[int], None] | None = None,
) -> list[Difficulty]:
    """Measure how hard every record's last answer is for a model that has not been tuned.

    Question and answer are plain text with a line break between them, because a base model knows no
    chat template. All turns before the last answer count as its question. Texts that are too long
    for the model lose the beginning of the question and, if that is not enough, the end of the
    answer.

    Args:
        model: the model.
        tokenizer: its tokenizer.
        records: the records.
        batch_size: how many texts go through the model together, at most.
        on_done: is called with the number of records measured so far.
    """
    pairs = [_split(model, tokenizer, record) for record in records]
    start = _start_token(tokenizer)
    texts = pairs + [([start], answer) for _, answer in pairs]
    losses: dict[int, float] = {}
    with _evaluating(model):
        for batch in _batches(texts, batch_size, model.config.vocab_size):
            losses |= zip(batch, _answer_losses(model, [texts[i] for i in batch]), strict=True)
            if on_done:
                on_done(len(losses) // 2)
    n = len(records)
    return [Difficulty(math.exp(losses[i]), math.exp(losses[n + i])) for i in range(n)]


def best(scores: Sequence[float], k: int, *, highest: bool = False) -> list[int]:
    """Indices of the `k` lowest (or highest) scores, best first; equal ones in their order."""
    return sorted(range(len(scores)), key=lambda i: -scores[i] if highest else scores[i])[:k]


def _split(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, record: Record
) -> tuple[Ids, Ids]:
    """Token ids of everything before the last answer, and of the answer."""
    question = token_ids(tokenizer, "".join(f"{turn.content}\n" for turn in record.turns[:-1]))
    answer = token_ids(tokenizer, record.turns[-1].content)
    start = _start_token(tokenizer)
    max_tokens = min(MAX_TOKENS, getattr(model.config, "max_position_embeddings", MAX_TOKENS))
    answer = answer[: max_tokens * 3 // 4] or [start]
    return [start, *question[-(max_tokens - len(answer) - 1) :]], answer


def _start_token(tokenizer: Any) -> int:
    """The token that began or ended the texts of pretraining; the first answer token follows it."""
    start = tokenizer.bos_token_id
    return tokenizer.eos_token_id if start is None else start


def _batches(
    texts: Sequence[tuple[Ids, Ids]], batch_size: int, vocab_size: int
) -> Iterator[list[int]]:
    """Indices of texts of similar length, the longest first, so that memory runs out at once."""
    order = sorted(range(len(texts)), key=lambda i: -sum(map(len, texts[i])))
    while order:
        longest = sum(map(len, texts[order[0]]))
        size = max(1, min(batch_size, MAX_LOGITS // (longest * vocab_size)))
        yield order[:size]
        order = order[size:]


def _answer_losses(model: PreTrainedModel, texts: Sequence[tuple[Ids, Ids]]) -> list[float]:
    """Mean cross-entropy of each answer's tokens, in nats."""
    import torch.nn.functional as F

    from ift_course.data.loss_mask import IGNORE, collate

    rows = [
        {"input_ids": question + answer, "labels": [IGNORE] * len(question) + answer}
        for question, answer in texts
    ]
    batch = {name: tensor.to(model.device) for name, tensor in collate(rows, 0).items()}
    labels = batch.pop("labels")[:, 1:]
    is_answer = labels != IGNORE
    logits = model(**batch, use_cache=False).logits[:, :-1][is_answer].float()
    losses = F.cross_entropy(logits, labels[is_answer], reduction="none")
    return [row.mean().item() for row in losses.split(is_answer.sum(1).tolist())]


@contextmanager
def _evaluating(model: PreTrainedModel) -> Iterator[None]:
    import torch

    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(was_training)
