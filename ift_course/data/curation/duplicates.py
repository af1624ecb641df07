"""Records that repeat another: word for word, or nearly.

Near duplicates are found by MinHash and locality-sensitive hashing: Broder 1997, *On the
jaccard and containment of documents*; Lee et al. 2022, *Deduplicating Training Data Makes
Language Models Better*, arXiv:2107.06499.
"""

from collections.abc import Callable, Sequence
from zlib import crc32

from ift_course.data.curation.texts import assistant_text, normalized, user_text_of
from ift_course.data.records import Record

SHINGLE = 5  # characters; short instructions have too few words for shingles of words
PERMUTATIONS = 64
PARTS = (assistant_text, user_text_of)  # of a record that are compared; answers differ more often

OnDone = Callable[[int], None]


def exact_duplicates(records: Sequence[Record]) -> list[int | None]:
    """For each record the index of the first one that says the same, or None if it is the first.

    The same is: equal turns, whatever the case and the white space; of pairs, both responses.
    """
    first: dict[tuple, int] = {}
    twins = []
    for i, record in enumerate(records):
        key = tuple(
            (turn.role, normalized(turn.content)) for turn in (*record.turns, *record.rejected)
        )
        twin = first.setdefault(key, i)
        twins.append(None if twin == i else twin)
    return twins


def near_duplicates(
    records: Sequence[Record], threshold: float = 0.8, *, on_done: OnDone | None = None
) -> list[int | None]:
    """For each record the index of an earlier one that it nearly repeats, or None.

    Two records are near duplicates when the questions are alike *and* the answers are: each pair
    has a jaccard (Jaccard similarity of the sets of 5-character shingles) of `threshold` or
    more. "What is 4 + 3?" and "What is 4 + 5?" have different answers, so both stay. The index is
    always that of a record that is no near duplicate itself.

    MinHash proposes the pairs, with few missed at the threshold itself, and each is checked
    exactly. Raises ValueError unless 0 < threshold <= 1.
    """
    if not 0 < threshold <= 1:
        raise ValueError(f"a threshold of jaccard is above 0 and at most 1, not {threshold}")
    from datasketch import MinHash, MinHashLSH

    # A pair proposed in vain costs a comparison, a pair missed is a duplicate kept.
    index = MinHashLSH(min(threshold, 0.95), num_perm=PERMUTATIONS, weights=(0.1, 0.9))
    blank = MinHash(PERMUTATIONS, hashfunc=crc32)
    twins: list[int | None] = []
    for i, record in enumerate(records):
        parts = [shingles(text(record)) for text in PARTS]
        sketch = blank.copy()
        # Numbered, so that a question's pieces are never taken for an answer's.
        sketch.update_batch(
            f"{n}{piece}".encode() for n, part in enumerate(parts) for piece in part
        )
        earlier = sorted(index.query(sketch))
        twins.append(next((j for j in earlier if _alike(parts, records[j], threshold)), None))
        if twins[i] is None:
            index.insert(i, sketch, check_duplication=False)
        if on_done:
            on_done(i + 1)
    return twins


def _alike(parts: list[set[str]], other: Record, threshold: float) -> bool:
    pairs = zip(parts, PARTS, strict=True)
    return all(jaccard(part, shingles(text(other))) >= threshold for part, text in pairs)


def shingles(text: str) -> set[str]:
    """All pieces of 5 characters of the normalized text; a shorter text is one piece."""
    text = normalized(text)
    return {text[i : i + SHINGLE] for i in range(max(len(text) - SHINGLE, 0) + 1)}


def jaccard(a: set, b: set) -> float:
    """Jaccard similarity: the share of all members that both sets have."""
    return len(a & b) / len(a | b)
