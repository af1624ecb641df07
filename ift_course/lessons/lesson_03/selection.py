"""Ways to choose k records out of a pool, all with one signature, to be compared at equal size."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

from ift_course.data.records import Record

Choice = Callable[..., list[int]]


def at_random(records: Sequence[Record], k: int, *, seed: int, model=None, tokenizer=None):
    """Any k of them: what every other choice has to beat."""
    return random.Random(seed).sample(range(len(records)), k)


def without_duplicates(records: Sequence[Record], k: int, *, seed: int, model=None, tokenizer=None):
    """Any k of those that are not copies, or near copies, of an earlier one."""
    from ift_course.data.curation import exact_duplicates, near_duplicates

    twins = zip(exact_duplicates(records), near_duplicates(records), strict=True)
    return _some(k, [i for i, twin in enumerate(twins) if twin == (None, None)], seed)


def well_formed(records: Sequence[Record], k: int, *, seed: int, model=None, tokenizer=None):
    """Any k of those whose form shows nothing wrong."""
    from ift_course.data.curation import format_flaws

    return _some(k, [i for i, record in enumerate(records) if not format_flaws(record)], seed)


def varied(records: Sequence[Record], k: int, *, seed: int, model=None, tokenizer=None):
    """The k that differ most from each other."""
    from ift_course.data.curation import diverse

    return diverse(records, k, seed=seed)


def expected(records: Sequence[Record], k: int, *, seed: int, model=None, tokenizer=None):
    """The k whose responses surprise the base model least, given their instructions."""
    from ift_course.data.curation import best, difficulty

    return best([found.perplexity for found in difficulty(model, tokenizer, records)], k)


def difficult(records: Sequence[Record], k: int, *, seed: int, model=None, tokenizer=None):
    """The k with the highest instruction-following difficulty below 1 (Li et al. 2023)."""
    from ift_course.data.curation import best, difficulty

    scores = [found.ifd for found in difficulty(model, tokenizer, records)]
    return best([score if score < 1 else -score for score in scores], k, highest=True)


def curated(records: Sequence[Record], k: int, *, seed: int, model=None, tokenizer=None):
    """What `ift data curate` keeps: all of the above, one after the other."""
    from ift_course.data.curation import curate

    decisions = curate(records, k, seed=seed, model=model, tokenizer=tokenizer).decisions
    return [decision.index for decision in decisions if decision.kept]


CHOICES: dict[str, Choice] = {
    "random": at_random,
    "no duplicates": without_duplicates,
    "well formed": well_formed,
    "varied": varied,
    "expected": expected,
    "difficult": difficult,
    "curated": curated,
}


def _some(k: int, good: list[int], seed: int) -> list[int]:
    """k of the good ones; where there are not enough, all of them."""
    return random.Random(seed).sample(good, min(k, len(good)))
