"""Ways to choose k records out of a pool, all with one signature, to be compared at equal size.

`base` is the base model with its tokenizer; only the methods that score records with it need it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from ift_course.data.records import Record

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from ift_course.data.curation.difficulty import Difficulty

    Base = tuple[PreTrainedModel, PreTrainedTokenizerBase]

SelectionMethod = Callable[..., list[int]]


def at_random(records: Sequence[Record], k: int, *, seed: int, base: Base | None) -> list[int]:
    """Any k of them: the baseline that every other method has to beat."""
    return random.Random(seed).sample(range(len(records)), k)


def without_duplicates(
    records: Sequence[Record], k: int, *, seed: int, base: Base | None
) -> list[int]:
    """Any k of those that are neither copies nor near copies of an earlier one."""
    from ift_course.data.curation import exact_duplicates, near_duplicates

    duplicates = zip(exact_duplicates(records), near_duplicates(records), strict=True)
    return _sample(k, [i for i, pair in enumerate(duplicates) if pair == (None, None)], seed)


def well_formed(records: Sequence[Record], k: int, *, seed: int, base: Base | None) -> list[int]:
    """Any k of those without a formal flaw."""
    from ift_course.data.curation import format_flaws

    return _sample(k, [i for i, record in enumerate(records) if not format_flaws(record)], seed)


def varied(records: Sequence[Record], k: int, *, seed: int, base: Base | None) -> list[int]:
    """The k that differ most from each other."""
    from ift_course.data.curation import diverse

    return diverse(records, k, seed=seed)


def expected(records: Sequence[Record], k: int, *, seed: int, base: Base | None) -> list[int]:
    """The k whose responses surprise the base model least, given their instructions."""
    from ift_course.data.curation import best

    return best([record.perplexity for record in _difficulties(records, base)], k)


def difficult(records: Sequence[Record], k: int, *, seed: int, base: Base | None) -> list[int]:
    """The k with the highest instruction-following difficulty below 1 (Li et al. 2023)."""
    from ift_course.data.curation import best

    scores = [record.ifd for record in _difficulties(records, base)]
    return best([score if score < 1 else -score for score in scores], k, highest=True)


def curated(records: Sequence[Record], k: int, *, seed: int, base: Base | None) -> list[int]:
    """The records that `ift data curate` selects: all of the above, one after the other."""
    from ift_course.data.curation import curate

    model, tokenizer = base or (None, None)
    decisions = curate(records, k, seed=seed, model=model, tokenizer=tokenizer).decisions
    return [decision.index for decision in decisions if decision.selected]


SELECTION_METHODS: dict[str, SelectionMethod] = {
    "random": at_random,
    "no duplicates": without_duplicates,
    "well formed": well_formed,
    "varied": varied,
    "expected": expected,
    "difficult": difficult,
    "curated": curated,
}


def _sample(k: int, candidates: list[int], seed: int) -> list[int]:
    """k of the candidates at random; all of them, shuffled, where there are fewer."""
    return random.Random(seed).sample(candidates, min(k, len(candidates)))


def _difficulties(records: Sequence[Record], base: Base | None) -> Sequence[Difficulty]:
    from ift_course.data.curation import difficulty

    if base is None:
        raise ValueError("This method scores records with the base model, and got none.")
    return difficulty(*base, records)
