"""A few records that stand for many: each choice is the one least like all before it.

Farthest-first traversal: Gonzalez 1985, *Clustering to minimize the maximum intercluster distance*;
as k-center for choosing training data: Sener and Savarese 2018, arXiv:1708.00489, and for
instructions Wu et al. 2023 (DiverseEvol), arXiv:2311.08182.
"""

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
class Spread:
    """What was chosen, in the order of choice, and for every record the chosen one nearest to it.

    likeness: cosine of the questions' TF-IDF vectors, 0 to 1, of each record and its nearest. For a
    chosen record: what was chosen before it (the first has 0).
    """

    chosen: list[int]
    nearest: list[int]
    likeness: list[float]


def diverse(records: Sequence[Record], k: int, *, seed: int) -> list[int]:
    """Indices of `k` records whose questions differ as much as can be, in the order of choice.

    All of them when there are no more than `k`. `seed` decides the first one and between equals.
    """
    return spread(records, k, seed=seed).chosen


def spread(
    records: Sequence[Record],
    k: int,
    *,
    seed: int,
    on_done: Callable[[int], None] | None = None,
) -> Spread:
    """`diverse`, and what each record is nearest to. One pass over the records for each choice."""
    import numpy as np

    order = random.Random(seed).sample(range(len(records)), len(records))
    vectors = tf_idf([user_text_of(records[i]) for i in order])
    likeness = np.zeros(len(records))
    nearest = np.zeros(len(records), dtype=int)
    free = np.ones(len(records), dtype=bool)
    chosen: list[int] = []
    for _ in range(min(k, len(records))):
        at = int(np.where(free, likeness, np.inf).argmin())
        free[at] = False
        to_it = vectors @ vectors[[at]].toarray()[0]
        closer = free & (to_it > likeness)
        likeness[closer], nearest[closer] = to_it[closer], at
        chosen.append(at)
        if on_done:
            on_done(len(chosen))
    place = np.argsort(order)  # of each record in the order
    return Spread(
        [order[at] for at in chosen],
        [order[at] for at in nearest[place]],
        [round(float(value), 4) for value in likeness[place]],
    )


def tf_idf(texts: Sequence[str]) -> "csr_matrix":
    """Unit vectors, float32 (texts, words): what is frequent in a text and rare in the others."""
    import numpy as np
    from scipy.sparse import csr_matrix

    column: dict[str, int] = {}
    counts = [Counter(words(text) or [""]) for text in texts]
    starts = np.cumsum([0, *map(len, counts)])
    columns = np.array([column.setdefault(w, len(column)) for c in counts for w in c], dtype=int)
    frequency = 1 + np.log([n for c in counts for n in c.values()], dtype=np.float32)
    rarity = np.log(len(texts) / np.bincount(columns, minlength=len(column))) + 1
    values = frequency * rarity[columns]
    lengths = np.sqrt(np.add.reduceat(values**2, starts[:-1])) if len(texts) else values
    values = (values / np.repeat(lengths, np.diff(starts))).astype(np.float32)
    return csr_matrix((values, columns, starts), shape=(len(texts), len(column)))
