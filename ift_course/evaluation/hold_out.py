"""Rows of a training file that are held out, to see what the tuning changed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from ift_course.data.curation.duplicates import jaccard, shingles
from ift_course.data.curation.overlap import NEAR, QuestionIndex
from ift_course.data.curation.texts import assistant_text, user_text_of
from ift_course.data.files import Rows
from ift_course.data.records import BadRow, Record
from ift_course.errors import CourseError
from ift_course.evaluation.intervals import Interval, items_interval
from ift_course.evaluation.items import Item, item_of, unusable_row
from ift_course.evaluation.leaks import row_number


@dataclass(frozen=True)
class Split:
    """Records to train on and records held out.

    Attributes:
        training: What is left for training, in the order of the file.
        held_out: What is held out, in the order of the file.
        n_removed: Records of the rest that repeat a held-out one and are not trained on, either.
        n_similar: Records of `training` whose question is similar to a held-out one, but whose
            answer is another.
    """

    training: list[Record]
    held_out: list[Record]
    n_removed: int
    n_similar: int


def split_records(records: Sequence[Record], share: float, seed: int) -> Split:
    """Hold out a random share of the records, and keep their duplicates out of training.

    A record duplicates a held-out one if its question is the same, or if both the question and the
    answer are nearly the same.

    Args:
        records: All records of the file.
        share: Of the records to hold out, above 0.
        seed: Decides which.

    Raises:
        CourseError: Nothing is left to train on.
    """
    n_held_out = max(1, round(share * len(records)))
    chosen = set(Random(seed).sample(range(len(records)), n_held_out))
    held_out = [record for i, record in enumerate(records) if i in chosen]
    index = QuestionIndex([user_text_of(record) for record in held_out])
    answers = [shingles(assistant_text(record)) for record in held_out]
    training, n_removed, n_similar = [], 0, 0
    for i, record in enumerate(records):
        if i in chosen:
            continue
        matches = list(index.similar(user_text_of(record)))
        answer = shingles(assistant_text(record)) if matches else set()
        if any(k == "same question" or jaccard(answers[j], answer) >= NEAR for j, k, _ in matches):
            n_removed += 1
            continue
        n_similar += bool(matches)
        training.append(record)
    if not training:
        raise CourseError(
            f"With --hold-out {share:g}, none of the {len(records)} rows is left to train on; hold "
            "out less, or add rows with other questions."
        )
    return Split(training, held_out, n_removed, n_similar)


def held_out_items(path: Path, held_out: Sequence[Record]) -> list[Item]:
    """Make test items of held-out records, with the verifiers that their rows name.

    Args:
        path: The file that the records come from.
        held_out: The records.

    Raises:
        CourseError: A verifier is not valid; the sentence names the row.
    """
    numbers = {row_number(record) for record in held_out}
    rows: dict[int, Any] = {number: row for number, row in Rows(path) if number in numbers}
    items = []
    for record in held_out:
        number = row_number(record)
        try:
            items.append(item_of(number, rows.get(number), record))
        except BadRow as error:
            raise unusable_row(path, number, error) from None
    return items


@dataclass(frozen=True)
class LossChange:
    """The loss on held-out responses before and after tuning, in nats per token.

    Attributes:
        before: The mean loss of every record before.
        after: The same after, in the same order.
    """

    before: Sequence[float]
    after: Sequence[float]

    @property
    def pairs(self) -> list[tuple[float, float]]:
        """The losses of the records that both models could read."""
        pairs = zip(self.before, self.after, strict=True)
        return [pair for pair in pairs if not any(map(math.isnan, pair))]

    @property
    def means(self) -> tuple[float, float]:
        """The mean losses before and after."""
        pairs = self.pairs
        return sum(a for a, _ in pairs) / len(pairs), sum(b for _, b in pairs) / len(pairs)

    @property
    def interval(self) -> Interval:
        """The 95 % interval of the change, by paired bootstrap over the records."""
        return items_interval([b - a for a, b in self.pairs])

    def sentence(self) -> str:
        """Say by how much the loss changed, and whether that may be chance."""
        if not self.pairs:
            return "No held-out response fits into the model, so there is no loss to compare."
        (before, after), (low, high) = self.means, self.interval
        sentence = (
            (
                f"Loss on the {len(self.pairs):,} held-out responses: {before:.3f} → {after:.3f} "
                f"({after - before:+.3f}; {low:+.3f} to {high:+.3f})"
            )
            .replace("-", "−")
            .replace("held−out", "held-out")
        )
        if low <= 0 <= high:
            return f"{sentence}, which may be chance."
        if low > 0:
            return f"{sentence}: the model predicts them worse than before; train less."
        return f"{sentence}."

    def to_dict(self) -> dict[str, Any]:
        """The change as plain data."""
        if not self.pairs:
            return {"n": 0}
        (before, after), (low, high) = self.means, self.interval
        return {"n": len(self.pairs), "before": before, "after": after, "low": low, "high": high}
