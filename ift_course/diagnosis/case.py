"""What the checks look at: a user's rows with their labels, and the model that reads them."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from ift_course.data.files import Rows
from ift_course.data.labeling import label_records
from ift_course.data.loss_mask import IGNORE
from ift_course.data.reading import PROGRESS_ROWS, Account, parsed_rows
from ift_course.data.records import BadRow, Record
from ift_course.diagnosis.subject import Subject

OnRows = Callable[[Rows, int], None]
OnStep = Callable[[str, int, int], None]  # step, done, total


@dataclass(frozen=True)
class LabeledRow:
    """A row as `ift sft` trains it, before it is cut.

    Attributes:
        number: its number in the file.
        record: the conversation.
        original: the row as the file has it.
        ids: token ids.
        labels: as long, with IGNORE where no loss is taken.
    """

    number: int
    record: Record
    original: Any
    ids: list[int]
    labels: list[int]

    def n_trained(self, max_length: int | None = None) -> int:
        """The number of tokens with a label, before the row is cut at a length or after it."""
        labels = self.labels[:max_length]
        return len(labels) - labels.count(IGNORE)

    def trained_ids(self) -> list[int]:
        """The ids of the tokens with a label."""
        return [label for label in self.labels if label != IGNORE]


@dataclass(frozen=True)
class Case:
    """Everything that the checks look at.

    Attributes:
        path: the data file.
        subject: the model.
        account: what became of each row.
        rows: the rows that can be trained.
        unusable: number and reason of the rows that are not a conversation.
        refused: number and reason of the rows that the chat template cannot write.
        test_questions: what the test file asks, if one was named.
        trained_with: the model whose template was used in training, if one was named.
    """

    path: Path
    subject: Subject
    account: Account
    rows: Sequence[LabeledRow]
    unusable: Sequence[tuple[int, str]] = ()
    refused: Sequence[tuple[int, str]] = ()
    test_questions: Sequence[str] = ()
    trained_with: Subject | None = None
    on_step: OnStep | None = field(default=None, compare=False)

    @property
    def file(self) -> str:
        """The data file as a shell reads it."""
        return shlex.quote(str(self.path))

    @cached_property
    def records(self) -> list[Record]:
        """The records of the rows that can be trained."""
        return [row.record for row in self.rows]

    @property
    def n_tokens(self) -> int:
        """Tokens of all rows within the limit."""
        return sum(min(len(row.ids), self.subject.max_length) for row in self.rows)

    @property
    def n_trained(self) -> int:
        """Tokens of all rows within the limit that have a label."""
        return sum(row.n_trained(self.subject.max_length) for row in self.rows)


def read_case(
    path: Path,
    subject: Subject,
    *,
    test_questions: Sequence[str] = (),
    trained_with: Subject | None = None,
    on_rows: OnRows | None = None,
    on_step: OnStep | None = None,
) -> Case:
    """Read and label all rows of a file.

    Args:
        path: the file.
        subject: the model.
        test_questions: what a test file asks.
        trained_with: the model whose template was used in training.
        on_rows: is called with the progress of the reading.
        on_step: is called with the progress of what follows.

    Raises:
        CourseError: the file cannot be read, has no rows, or none that is a conversation.
    """
    rows, account = Rows(path), Account()
    usable: list[tuple[int, Record, Any]] = []
    unusable: list[tuple[int, str]] = []
    for number, original, result in parsed_rows(rows):
        record = account.add(number, result)
        if record is not None:
            usable.append((number, record, original))
        elif isinstance(result, BadRow):
            unusable.append((number, str(result)))
        if on_rows and account.read % PROGRESS_ROWS == 0:
            on_rows(rows, account.read)
    account.add_file_notes(rows)
    account.require_usable_rows(path)
    labeled, refused = _label(subject, usable, on_step)
    return Case(
        path=path,
        subject=subject,
        account=account,
        rows=labeled,
        unusable=unusable,
        refused=refused,
        test_questions=test_questions,
        trained_with=trained_with,
        on_step=on_step,
    )


def _label(
    subject: Subject, usable: Sequence[tuple[int, Record, Any]], on_step: OnStep | None
) -> tuple[list[LabeledRow], list[tuple[int, str]]]:
    numbers = {id(record): number for number, record, _ in usable}
    reasons: dict[int, str] = {}
    labeled: list[tuple[list[int], list[int]]] = []
    records = [record for _, record, _ in usable]

    def refuse(record: Record, reason: str) -> None:
        reasons[numbers[id(record)]] = reason

    for ids_and_labels in label_records(subject.tokenizer, records, refuse):
        labeled.append(ids_and_labels)
        if on_step and len(labeled) % PROGRESS_ROWS == 0:
            on_step("tokenizing", len(labeled) + len(reasons), len(records))
    accepted = [entry for entry in usable if entry[0] not in reasons]
    rows = [
        LabeledRow(*entry, *ids_and_labels)
        for entry, ids_and_labels in zip(accepted, labeled, strict=True)
    ]
    return rows, sorted(reasons.items())
