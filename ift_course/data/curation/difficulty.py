"""How hard an answer is for a model, and how much the question helps.

Instruction-following difficulty (IFD): Li et al. 2023, *From Quantity to Quality*,
arXiv:2308.12032. It is the loss of the answer after its question, over that of the answer alone.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ift_course.data.records import Record

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

LONGEST = 1024  # tokens of one text that are looked at, if the model can see so many
LOGITS = 2**26  # of one batch, at most: 256 MB in float32

Ids = list[int]


@dataclass(frozen=True)
class Difficulty:
    """Perplexities of one answer, over the same tokens.

    perplexity: after its question. alone: after nothing.
    """

    perplexity: float
    alone: float

    @property
    def ifd(self) -> float:
        """The ratio of the two losses: near 0 the question says it all, above 1 it misleads."""
        return math.log(self.perplexity) / max(math.log(self.alone), 1e-6)


def difficulty(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    records: Sequence[Record],
    *,
    batch_size: int = 64,
    on_done: Callable[[int], None] | None = None,
) -> list[Difficulty]:
    """How hard every record's last answer is for a model that has not been tuned.

    Question and answer are plain text, a line break between them, for a base model knows no chat
    template. What stands before the last answer counts as its question. Texts that are too long for
    the model lose the beginning of the question and, if that is not enough, the end of the answer.
    """
    pairs = [_split(model, tokenizer, record) for record in records]
    start = _start(tokenizer)
    texts = pairs + [([start], answer) for _, answer in pairs]
    losses: dict[int, float] = {}
    with _evaluating(model):
        for batch in _batches(texts, batch_size, model.config.vocab_size):
            losses |= zip(batch, _losses(model, [texts[i] for i in batch]), strict=True)
            if on_done:
                on_done(len(losses) // 2)
    n = len(records)
    return [Difficulty(math.exp(losses[i]), math.exp(losses[n + i])) for i in range(n)]


def best(scores: Sequence[float], k: int, *, highest: bool = False) -> list[int]:
    """Indices of the `k` lowest scores (or highest), best first; between equals the earlier one."""
    return sorted(range(len(scores)), key=lambda i: -scores[i] if highest else scores[i])[:k]


def _split(model, tokenizer, record: Record) -> tuple[Ids, Ids]:
    """Token ids of what stands before the last answer, and of the answer."""
    before = "".join(f"{turn.content}\n" for turn in record.turns[:-1])
    question, answer = (
        tokenizer(text, add_special_tokens=False)["input_ids"]
        for text in (before, record.turns[-1].content)
    )
    room = min(LONGEST, getattr(model.config, "max_position_embeddings", LONGEST))
    answer = answer[: room * 3 // 4] or [_start(tokenizer)]
    return [_start(tokenizer), *question[-(room - len(answer) - 1) :]], answer


def _start(tokenizer) -> int:
    """What the texts of pretraining began with, or ended: the first token needs one before it."""
    start = tokenizer.bos_token_id
    return tokenizer.eos_token_id if start is None else start


def _batches(
    texts: Sequence[tuple[Ids, Ids]], batch_size: int, vocabulary: int
) -> Iterator[list[int]]:
    """Indices of texts of like length; the longest first, so that memory runs out now or never."""
    order = sorted(range(len(texts)), key=lambda i: -sum(map(len, texts[i])))
    while order:
        longest = sum(map(len, texts[order[0]]))
        size = max(1, min(batch_size, LOGITS // (longest * vocabulary)))
        yield order[:size]
        order = order[size:]


def _losses(model, texts: Sequence[tuple[Ids, Ids]]) -> list[float]:
    """Mean cross-entropy of each answer's tokens, in nats."""
    import torch.nn.functional as F

    from ift_course.data.loss_mask import IGNORE, collate

    rows = [{"input_ids": q + a, "labels": [IGNORE] * len(q) + a} for q, a in texts]
    batch = {name: tensor.to(model.device) for name, tensor in collate(rows, 0).items()}
    labels = batch.pop("labels")[:, 1:]
    said = labels != IGNORE
    logits = model(**batch, use_cache=False).logits[:, :-1][said].float()
    losses = F.cross_entropy(logits, labels[said], reduction="none")
    return [row.mean().item() for row in losses.split(said.sum(1).tolist())]


@contextmanager
def _evaluating(model) -> Iterator[None]:
    import torch

    training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            yield
    finally:
        model.train(training)
