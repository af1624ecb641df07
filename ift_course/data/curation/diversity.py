"""A few records that represent many: each choice is the least similar to all choices before it.

Farthest-first traversal: Gonzalez 1985, *Clustering to minimize the maximum intercluster distance*;
as k-center for choosing training data: Sener and Savarese 2018, arXiv:1708.00489, and for
instructions Wu et al. 2023 (DiverseEvol), arXiv:2311.08182.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ift_course.data.curation.texts import user_text_of, words
from ift_course.data.records import Record

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


@dataclass(frozen=True)
class KCenter:
    """The chosen records, and for every record the chosen one nearest to it.

    Attributes:
        chosen: indices, in the order of choice.
        nearest: for each record, the index of its nearest chosen record.
        similarity: for each record, the cosine similarity to its nearest, of the questions' TF-IDF
            vectors, 0 to 1. For a chosen record, only those chosen before it count; the first has
            0.
    """

    chosen: list[int]
    nearest: list[int]
    similarity: list[float]


def diverse(records: Sequence[Record], k: int, *, seed: int) -> list[int]:
    """Choose `k` records whose questions differ as much as possible.

    Args:
        records: the records to choose from.
        k: how many to choose; all of them if there are fewer.
        seed: decides the first choice, and between equals.

    Returns:
        Indices, in the order of choice.
    """
    return farthest_first(records, k, seed=seed).chosen


def farthest_first(
    records: Sequence[Record],
    k: int,
    *,
    seed: int,
    on_done: Callable[[int], None] | None = None,
) -> KCenter:
    """Choose records as `diverse` does, in one pass over the records for each choice.

    Args:
        records: the records to choose from.
        k: how many to choose; all of them if there are fewer.
        seed: decides the first choice, and between equals.
        on_done: is called with the number of choices so far.
    """
    import numpy as np

    order = random.Random(seed).sample(range(len(records)), len(records))
    vectors = tf_idf([user_text_of(records[i]) for i in order])
    similarity = np.zeros(len(records))
    nearest = np.zeros(len(records), dtype=int)
    is_free = np.ones(len(records), dtype=bool)
    chosen: list[int] = []
    for _ in range(min(k, len(records))):
        position = int(np.where(is_free, similarity, np.inf).argmin())
        is_free[position] = False
        to_choice = vectors @ vectors[[position]].toarray()[0]
        is_closer = is_free & (to_choice > similarity)
        similarity[is_closer], nearest[is_closer] = to_choice[is_closer], position
        chosen.append(position)
        if on_done:
            on_done(len(chosen))
    position_of = np.argsort(order)  # of each record in the order
    return KCenter(
        [order[position] for position in chosen],
        [order[position] for position in nearest[position_of]],
        [round(float(value), 4) for value in similarity[position_of]],
    )


def tf_idf(texts: Sequence[str]) -> csr_matrix:
    """TF-IDF vectors: a word weighs more if it is frequent in its text and rare in the others.

    Returns:
        Unit vectors as a sparse float32 matrix of shape (texts, words).
    """
    import numpy as np
    from scipy.sparse import csr_matrix

    column_of: dict[str, int] = {}
    counts = [Counter(words(text) or [""]) for text in texts]
    starts = np.cumsum([0, *map(len, counts)])
    columns = np.array(
        [column_of.setdefault(word, len(column_of)) for count in counts for word in count],
        dtype=int,
    )
    frequency = 1 + np.log([n for count in counts for n in count.values()], dtype=np.float32)
    rarity = np.log(len(texts) / np.bincount(columns, minlength=len(column_of))) + 1
    values = frequency * rarity[columns]
    lengths = np.sqrt(np.add.reduceat(values**2, starts[:-1])) if len(texts) else values
    values = (values / np.repeat(lengths, np.diff(starts))).astype(np.float32)
    return csr_matrix((values, columns, starts), shape=(len(texts), len(column_of)))
