"""Test items: what a model is asked, and how its answer is judged, read from a file of rows."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Literal

from ift_course.data.fields import describe_type, has_value, parse_json_text
from ift_course.data.files import Rows
from ift_course.data.reading import PROGRESS_ROWS, RowResult, parsed_rows
from ift_course.data.records import BadRow, Message, Record
from ift_course.data.schemas import CONVERSATION_COLUMNS, ParsedRow, parse_row
from ift_course.data.turns import SPEAKERS
from ift_course.errors import CourseError
from ift_course.evaluation.answer_text import without_thoughts
from ift_course.evaluation.verifiers import OneOf, Verifier, parse_verifier
from ift_course.evaluation.verify_ifeval import NotInstalled

Use = Literal["verifier", "reference", "shown"]
SHORT_ANSWER = 5  # words of a reference that an answer can be expected to repeat
# Columns of questions, with the column that would hold the answer of such a row.
ANSWER_COLUMNS = {
    "prompt": "completion",
    "instruction": "output",
    "question": "answer",
    "query": "response",
    "problem": "solution",
    "inputs": "targets",
    "input": "output",
}
UNANSWERED = "(no reference answer)"  # stands where the row readers need an answer
CATEGORY_COLUMNS = ("category", "task")


@dataclass(frozen=True)
class Item:
    """One test question.

    Attributes:
        number: The row of the file, from 1; in a JSONL file, its line.
        messages: The conversation that the model answers.
        tools: JSON schemas of the functions that it may call.
        category: What kind of question it is, as the row names it; "" if it does not.
        reference: The answer that the file holds; "" if it holds none.
        verifier: What judges the answer; None if nothing does.
        use: Whether the row's own verifier judges, a comparison with the reference, or nothing.
    """

    number: int
    messages: Sequence[Message]
    tools: Sequence[Message] = ()
    category: str = ""
    reference: str = ""
    verifier: Verifier | None = field(default=None, hash=False)
    use: Use = "shown"

    @property
    def prompt(self) -> str:
        """The conversation as text; a single question stands alone."""
        if len(self.messages) == 1:
            return str(self.messages[0]["content"])
        return "\n".join(f"{m['role']}: {m['content']}" for m in self.messages)

    @property
    def key(self) -> str:
        """Sixteen hex digits that stand for what is asked and how it is judged."""
        demand = self.verifier.model_dump_json(by_alias=True) if self.verifier else None
        content = json.dumps([list(self.messages), list(self.tools), demand], default=str)
        return hashlib.sha256(content.encode(errors="surrogatepass")).hexdigest()[:16]

    def fault(self, text: str, finished: bool, accept_cut: bool = False) -> str | None:
        """Return why an answer is wrong, or None if it is right or nothing judges it.

        Args:
            text: The answer.
            finished: Whether the model ended it by itself.
            accept_cut: Judge an answer that reached the token limit, too; otherwise it is wrong.
        """
        if self.verifier is None:
            return None
        if not finished and not accept_cut:
            return "did not stop before the token limit"
        return self.verifier.fault(without_thoughts(text))


def read_test_rows(
    path: str | Path, on_rows: Callable[[Rows, int], None] | None = None
) -> Iterator[tuple[int, Any, Record]]:
    """Read the rows of a test file, whose answers may be missing, in any known layout.

    Args:
        path: The file.
        on_rows: Is called now and then with the progress of the reading.

    Yields:
        The row's number, the row as it stands in the file, and its conversation, which ends with
        UNANSWERED where the row has no answer.

    Raises:
        CourseError: The file cannot be read, it has no rows, or a row has no question.
    """
    rows, n_used = Rows(path), 0
    for n_read, (number, row, result) in enumerate(parsed_rows(rows), 1):
        if isinstance(row, Mapping):
            result = _parse_question(row, result)
        if isinstance(result, BadRow):
            raise unusable_row(rows.path, number, result)
        if isinstance(result, ParsedRow):
            n_used += 1
            yield number, row, result.record
        if on_rows and n_read % PROGRESS_ROWS == 0:
            on_rows(rows, n_read)
    if not n_used:
        raise CourseError(f"{path} has no rows; it needs at least one with a question.")


def read_items(path: str | Path, *, on_left_out: Callable[[str], None] | None = None) -> list[Item]:
    """Read the test items of a file in any layout that `ift data inspect` knows.

    A row may name its verifier under "verifier". Otherwise the last answer of the row is its
    reference; a short one must be repeated, and a long one is only shown.

    Args:
        path: The file.
        on_left_out: Leave rows out whose verifier needs something that is not installed, and call
            this with a sentence about them. Without it such rows are an error.

    Raises:
        CourseError: The file cannot be read, or a row is not usable; the sentence names the row.
            Or rows need something that is not installed; the sentence counts them.
    """
    items, left_out = [], []
    for number, row, record in read_test_rows(path):
        try:
            items.append(item_of(number, row, record))
        except NotInstalled as error:
            left_out.append((number, error))
        except BadRow as error:
            raise unusable_row(Path(path), number, error) from None
    if left_out:
        first, error = left_out[0]
        rows = f"{len(left_out)} of {len(items) + len(left_out)} rows of {Path(path).name}"
        if on_left_out is None or not items:
            without_them = "--skip-unverifiable of ift eval, ift compare and ift data pairs"
            raise CourseError(
                f"{rows} cannot be judged (the first is row {first}), because {error.need}; get it "
                f"with `{error.command}`"
                + (f", or leave such rows out with {without_them}." if items else ".")
            )
        on_left_out(f"{rows} left out, because {error.need}: {error.command}")
    return items


def unusable_row(path: Path, number: int, error: BadRow) -> CourseError:
    """The error for a test row that cannot be used."""
    return CourseError(f"{path.name}, row {number}: {error}. Fix or delete that row and run again.")


def item_of(number: int, row: Any, record: Record) -> Item:
    """Make an item of a row and the record that was read from it.

    Args:
        number: The row's number in its file.
        row: The row as it stands in the file, for its verifier and category.
        record: Its conversation, which ends with the assistant.

    Raises:
        BadRow: The verifier or the category is not valid.
    """
    columns: Mapping[str, Any] = row if isinstance(row, Mapping) else {}
    *turns, last = record.turns
    reference = "" if last.content == UNANSWERED else last.content
    verifier: Verifier | None = None
    use: Use = "shown"
    if has_value(columns.get("verifier")):
        verifier, use = parse_verifier(columns["verifier"]), "verifier"
    elif 0 < len(reference.split()) <= SHORT_ANSWER:
        verifier, use = OneOf(type="one_of", answers=[reference]), "reference"
    return Item(
        number,
        [turn.message for turn in turns],
        record.tools,
        _category(columns),
        reference,
        verifier,
        use,
    )


def count_uses(items: Sequence[Item]) -> Counter[Use]:
    """Count how many items are judged by their verifier, by their reference, and not at all."""
    return Counter(item.use for item in items)


def sample_items(items: Sequence[Item], limit: int | None, seed: int) -> list[Item]:
    """Return a random choice of items in the order of the file; all of them without a limit."""
    if limit is None or limit >= len(items):
        return list(items)
    return sorted(Random(seed).sample(list(items), limit), key=lambda item: item.number)


def _parse_question(row: Mapping[str, Any], result: RowResult) -> RowResult:
    """Read a row that ends with a question, which no demonstration does; any other stays as is."""
    extended = _answer_last_turn(row)
    if extended is None and isinstance(result, BadRow):
        extended = _fill_answer_column(row)
    if extended is None:
        return result
    try:
        return parse_row(extended)
    except BadRow as error:
        return error


def _answer_last_turn(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the row with a stand-in after its last turn, if that is the user's."""
    for name in ("messages", *CONVERSATION_COLUMNS):
        turns = parse_json_text(row.get(name))
        last = turns[-1] if isinstance(turns, list) and turns else None
        if isinstance(last, Mapping):
            role = last.get("role") or last.get("from")
            if SPEAKERS.get(str(role), role) == "user":
                return {**row, name: [*turns, {"role": "assistant", "content": UNANSWERED}]}
    return None


def _fill_answer_column(row: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the row with a stand-in in the column of the answer, if that is what it lacks."""
    for question, answer in ANSWER_COLUMNS.items():
        if has_value(row.get(question)) and not has_value(row.get(answer)):
            return {**row, answer: UNANSWERED}
    return None


def _category(columns: Mapping[str, Any]) -> str:
    name = next((name for name in CATEGORY_COLUMNS if has_value(columns.get(name))), None)
    if name is None:
        return ""
    value = columns[name]
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise BadRow(f'"{name}" should be text, but is {describe_type(value)}')
    return str(value).strip()
