"""Questions of a test that a training file holds, too: such a question tests memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, cast
from zlib import crc32

from ift_course.data.curation.duplicates import PERMUTATIONS, jaccard, shingles
from ift_course.data.curation.texts import normalized, user_text_of, words
from ift_course.data.records import Record

Kind = Literal["same question", "similar question", "same words"]
NEAR = 0.8  # Jaccard similarity of the shingles that makes a question similar
RUN = 8  # words that stand in the same order; shorter runs are common phrases
CONTAINED = 0.7  # share of a question's runs that one training row must hold
STRENGTH: dict[Kind, int] = {"same question": 2, "similar question": 1, "same words": 0}


@dataclass(frozen=True)
class Overlap:
    """What a training row shares with a test question.

    Attributes:
        row: The training row's number, from 1.
        kind: Whether the questions are the same, apart from case and white space; nearly the same;
            or most runs of eight words of the test's question stand in the training row.
        similarity: Jaccard similarity of the questions, or the share of the runs.
    """

    row: int
    kind: Kind
    similarity: float

    def __str__(self) -> str:
        if self.kind == "same question":
            return f"same question as training row {self.row}"
        return f"{self.kind} as training row {self.row} ({self.similarity:.0%})"

    @property
    def strength(self) -> tuple[int, float]:
        """Greater for an overlap that says more: by kind first, then by similarity."""
        return STRENGTH[self.kind], self.similarity


def each_overlap(
    questions: Sequence[str],
    training: Sequence[Record],
    numbers: Sequence[int],
    *,
    threshold: float = NEAR,
    on_done: Callable[[int, int], None] | None = None,
) -> Iterator[tuple[int, Overlap]]:
    """Search every training row for every test question.

    Args:
        questions: The test's questions.
        training: The training records.
        numbers: The number of each record's row.
        threshold: Jaccard similarity of a similar question, above 0 and at most 1.
        on_done: Is called with the number of records searched, and of all.

    Yields:
        The index of a question, and what a row shares with it; twice if the row both resembles the
        question and contains its words.
    """
    index, runs = QuestionIndex(questions, threshold), _Runs(questions)
    for done, (record, number) in enumerate(zip(training, numbers, strict=True), 1):
        for i, kind, similarity in (*index.similar(user_text_of(record)), *runs.contained(record)):
            yield i, Overlap(number, kind, similarity)
        if on_done:
            on_done(done, len(training))


def strongest(overlaps: Iterable[tuple[int, Overlap]]) -> dict[int, Overlap]:
    """The strongest overlap of each index; of equally strong ones the first."""
    best: dict[int, Overlap] = {}
    for i, overlap in overlaps:
        if i not in best or overlap.strength > best[i].strength:
            best[i] = overlap
    return best


class QuestionIndex:
    """Finds the same and similar questions with MinHash, checked exactly."""

    def __init__(self, questions: Sequence[str], threshold: float = NEAR):
        """Index the questions.

        Args:
            questions: The questions, which `similar` returns by their index.
            threshold: Jaccard similarity of a similar question, above 0 and at most 1.
        """
        from datasketch import MinHash, MinHashLSH

        self._threshold = threshold
        self._texts = [normalized(text) for text in questions]
        self._shingles = [shingles(text) for text in questions]
        # A wrong proposal costs one comparison, but a missed pair is a leak that nobody sees.
        self._index = MinHashLSH(min(threshold, 0.95), num_perm=PERMUTATIONS, weights=(0.1, 0.9))
        self._blank = MinHash(PERMUTATIONS, hashfunc=crc32)
        for i, pieces in enumerate(self._shingles):
            self._index.insert(i, self._sketch(pieces), check_duplication=False)

    def _sketch(self, pieces: set[str]):
        sketch = self._blank.copy()
        sketch.update_batch(piece.encode(errors="surrogatepass") for piece in pieces)
        return sketch

    def similar(self, text: str) -> Iterator[tuple[int, Kind, float]]:
        """Yield the index of each question that a text repeats, the kind and the similarity."""
        pieces = shingles(text)
        for i in cast("list[int]", self._index.query(self._sketch(pieces))):
            similarity = jaccard(self._shingles[i], pieces)
            if similarity >= self._threshold:
                is_same = self._texts[i] == normalized(text)
                yield i, "same question" if is_same else "similar question", similarity


class _Runs:
    """Finds questions whose runs of words stand in a longer text."""

    def __init__(self, questions: Sequence[str]):
        self._sizes: dict[int, int] = {}
        self._questions: dict[tuple[str, ...], list[int]] = defaultdict(list)
        for i, text in enumerate(questions):
            runs = _runs(text)
            self._sizes[i] = len(runs)
            for run in runs:
                self._questions[run].append(i)

    def contained(self, record: Record) -> Iterator[tuple[int, Kind, float]]:
        """Yield the index of each question that a record contains, the kind and the share."""
        text = "\n".join(turn.content for turn in record.turns)
        counts = Counter(i for run in _runs(text) for i in self._questions.get(run, ()))
        for i, count in counts.items():
            share = count / self._sizes[i]
            if share >= CONTAINED:
                yield i, "same words", share


def _runs(text: str) -> set[tuple[str, ...]]:
    """All runs of eight words of a text; none if it is shorter."""
    tokens = words(text)
    return {tuple(tokens[i : i + RUN]) for i in range(len(tokens) - RUN + 1)}
