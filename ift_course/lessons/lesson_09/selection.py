"""Ways to choose k records out of a pool, to be compared at equal size.

`base` is the base model with its tokenizer; only the methods that score records with it need it.
The controls also know which responses are right (`is_right`). Nobody has that for real data: they
separate what a method owes to wrong responses from what it owes to hard ones.
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
    """The records that `curation.curate` selects: form, copies, the lowest IFD, diversity."""
    from ift_course.data.curation import curate

    model, tokenizer = base or (None, None)
    selection = curate(
        records, k, seed=seed, model=model, tokenizer=tokenizer, prefer="low_ifd"
    ).decisions
    return [decision.index for decision in selection if decision.selected]


def right(
    records: Sequence[Record], k: int, *, seed: int, base: Base | None, is_right: Sequence[bool]
) -> list[int]:
    """Any k of the records whose response is right: what a perfect judge would leave."""
    return _sample(k, [i for i, correct in enumerate(is_right) if correct], seed)


def difficult_and_right(
    records: Sequence[Record], k: int, *, seed: int, base: Base | None, is_right: Sequence[bool]
) -> list[int]:
    """What `difficult` chooses if the wrong responses have been removed before."""
    indices = [i for i, correct in enumerate(is_right) if correct]
    return [indices[j] for j in difficult([records[i] for i in indices], k, seed=seed, base=base)]


def as_wrong_as_difficult(
    records: Sequence[Record], k: int, *, seed: int, base: Base | None, is_right: Sequence[bool]
) -> list[int]:
    """Any k with as many right responses among them as `difficult` chooses."""
    n_right = sum(is_right[i] for i in difficult(records, k, seed=seed, base=base))
    groups = [[i for i, x in enumerate(is_right) if x == correct] for correct in (True, False)]
    return _sample(n_right, groups[0], seed) + _sample(k - n_right, groups[1], seed)


SELECTION_METHODS: dict[str, SelectionMethod] = {
    "random": at_random,
    "no duplicates": without_duplicates,
    "well formed": well_formed,
    "varied": varied,
    "expected": expected,
    "difficult": difficult,
    "curated": curated,
}
CONTROLS: dict[str, SelectionMethod] = {
    "right": right,
    "difficult and right": difficult_and_right,
    "as wrong as difficult": as_wrong_as_difficult,
}


def _sample(k: int, candidates: list[int], seed: int) -> list[int]:
    """k of the candidates at random; all of them, shuffled, where there are fewer."""
    return random.Random(seed).sample(candidates, min(k, len(candidates)))


def _difficulties(records: Sequence[Record], base: Base | None) -> Sequence[Difficulty]:
    from ift_course.data.curation import difficulty

    if base is None:
        raise ValueError("This method scores records with the base model, and got none.")
    return difficulty(*base, records)
