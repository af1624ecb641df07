"""Records that repeat another one, exactly or nearly.

Near duplicates are found by MinHash and locality-sensitive hashing: Broder 1997, *On the
jaccard and containment of documents*; Lee et al. 2022, *Deduplicating Training Data Makes
Language Models Better*, arXiv:2107.06499.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import cast
from zlib import crc32

from ift_course.data.curation.texts import assistant_text, normalized, user_text_of
from ift_course.data.records import Record

SHINGLE = 5  # characters; short instructions have too few words for shingles of words
PERMUTATIONS = 64
PARTS = (assistant_text, user_text_of)  # answers come first, because they differ more often


def exact_duplicates(records: Sequence[Record]) -> list[int | None]:
    """For each record the index of the first one that equals it, or None if it is the first.

    Two records are equal if their turns are, apart from case and white space; in pairs, both
    responses must be.
    """
    first_index: dict[tuple[tuple[str, str], ...], int] = {}
    duplicate_of: list[int | None] = []
    for i, record in enumerate(records):
        key = tuple(
            (turn.role, normalized(turn.content)) for turn in (*record.turns, *record.rejected)
        )
        original = first_index.setdefault(key, i)
        duplicate_of.append(None if original == i else original)
    return duplicate_of


def near_duplicates(
    records: Sequence[Record],
    threshold: float = 0.8,
    *,
    on_done: Callable[[int], None] | None = None,
) -> list[int | None]:
    """For each record the index of an earlier one that it nearly repeats, or None.

    Two records are near duplicates when their questions are similar *and* their answers are: both
    have a Jaccard similarity (of the sets of 5-character shingles) of at least `threshold`.
    "What is 4 + 3?" and "What is 4 + 5?" have different answers, so both stay. The index is always
    that of a record that is not a near duplicate itself. MinHash proposes the pairs, with few
    missed at the threshold itself, and each is checked exactly.

    Args:
        records: the records.
        threshold: the Jaccard similarity, above 0 and at most 1.
        on_done: is called with the number of records compared so far.

    Raises:
        ValueError: the threshold is out of range.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"the threshold of similarity is above 0 and at most 1, not {threshold}")
    from datasketch import MinHash, MinHashLSH

    # A wrong proposal costs one comparison, but a missed pair leaves a duplicate in the data.
    index = MinHashLSH(min(threshold, 0.95), num_perm=PERMUTATIONS, weights=(0.1, 0.9))
    blank = MinHash(PERMUTATIONS, hashfunc=crc32)
    duplicate_of: list[int | None] = []
    for i, record in enumerate(records):
        parts = [shingles(text(record)) for text in PARTS]
        sketch = blank.copy()
        # The number keeps a question's shingles apart from an answer's.
        sketch.update_batch(
            f"{n}{shingle}".encode() for n, part in enumerate(parts) for shingle in part
        )
        candidates = sorted(cast("list[int]", index.query(sketch)))
        original = next((j for j in candidates if _is_similar(parts, records[j], threshold)), None)
        duplicate_of.append(original)
        if original is None:
            index.insert(i, sketch, check_duplication=False)
        if on_done:
            on_done(i + 1)
    return duplicate_of


def _is_similar(parts: list[set[str]], other: Record, threshold: float) -> bool:
    pairs = zip(parts, PARTS, strict=True)
    return all(jaccard(part, shingles(text(other))) >= threshold for part, text in pairs)


def shingles(text: str) -> set[str]:
    """All 5-character pieces of the normalized text; a shorter text is one piece."""
    text = normalized(text)
    return {text[i : i + SHINGLE] for i in range(max(len(text) - SHINGLE, 0) + 1)}


def jaccard(a: set[str], b: set[str]) -> float:
    """Jaccard similarity: the share of all members that both sets have."""
    return len(a & b) / len(a | b)
