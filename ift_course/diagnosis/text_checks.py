"""Findings about the words of the rows: special tokens, bad answers, repetitions, leaked tests."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from ift_course.data.changes import SPECIAL_TOKEN
from ift_course.data.curation.duplicates import exact_duplicates, near_duplicates
from ift_course.data.curation.flaws import format_flaws
from ift_course.data.curation.overlap import each_overlap, strongest
from ift_course.data.curation.texts import user_text_of
from ift_course.data.records import Record
from ift_course.diagnosis import lesson_sections as sections
from ift_course.diagnosis.case import Case, LabeledRow
from ift_course.diagnosis.finding import Finding, Severity
from ift_course.diagnosis.row_checks import numbers
from ift_course.diagnosis.subject import Subject

Texts = Callable[[Record], list[str]]


def _prompts(record: Record) -> list[str]:
    return [turn.content for turn in record.turns if turn.role != "assistant"]


def _answers(record: Record) -> list[str]:
    return [turn.content for turn in record.turns if turn.role == "assistant"]


def special_in_prompts(case: Case) -> Iterator[Finding]:
    """Special tokens of this tokenizer in the words of users, systems and tools."""
    rows, tokens = _rows_with(case, _special_pattern(case.subject), _prompts)
    if rows:
        yield Finding(
            id="special-in-prompt",
            severity="error",
            title=f"The prompts contain special tokens: {', '.join(tokens)}",
            consequence="The tokenizer reads them as if the template had written them: whoever "
            "wrote the text ends the turn and speaks in another role (prompt injection).",
            remedy=_escape(case),
            lesson=sections.TEMPLATE,
            rows=numbers(rows),
        )


def special_in_answers(case: Case) -> Iterator[Finding]:
    """Special tokens of this tokenizer in the answers."""
    rows, tokens = _rows_with(case, _special_pattern(case.subject), _answers)
    if rows:
        yield Finding(
            id="special-in-answer",
            severity="error",
            title=f"The answers contain special tokens: {', '.join(tokens)}",
            consequence="The template writes the end of turn too, so the model learns two ends, or "
            "an end in the middle of its answer.",
            remedy=_escape(case),
            lesson=sections.NO_END,
            rows=numbers(rows),
        )


def foreign_tokens(case: Case) -> Iterator[Finding]:
    """Special tokens of other families, which are ordinary text to this tokenizer."""
    own = _special_pattern(case.subject)

    def foreign(record: Record) -> list[str]:
        return [own.sub("", text) for text in (*_prompts(record), *_answers(record))]

    rows, tokens = _rows_with(case, SPECIAL_TOKEN, foreign)
    if rows:
        yield Finding(
            id="foreign-tokens",
            severity="warning",
            title=f"The texts contain special tokens of another model: {', '.join(tokens)}",
            consequence="They were formatted before. To this tokenizer they are ordinary words, "
            "which the model learns to write.",
            remedy=_escape(case),
            lesson=sections.TEMPLATE,
            rows=numbers(rows),
        )


def _escape(case: Case) -> str:
    return (
        f"ift data convert {case.file} --out clean.jsonl --escape-special   # or remove them from "
        "the texts"
    )


def _special_pattern(subject: Subject) -> re.Pattern[str]:
    """A pattern of the tokens that the tokenizer takes for special wherever they stand."""
    decoder = subject.tokenizer.added_tokens_decoder
    texts = {token.content for token in decoder.values() if token.special}
    longest_first = sorted((text for text in texts if text.strip()), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")


def _rows_with(
    case: Case, pattern: re.Pattern[str], texts: Texts
) -> tuple[list[LabeledRow], list[str]]:
    """The rows with a match, and the first few of the matches."""
    matches = {
        row.number: tokens
        for row in case.rows
        if (tokens := [x for text in texts(row.record) for x in pattern.findall(text)])
    }
    rows = [row for row in case.rows if row.number in matches]
    return rows, list(dict.fromkeys(x for tokens in matches.values() for x in tokens))[:4]


# Flaws of `data.curation.flaws` that show by themselves what will be learned.
FLAWS: dict[str, tuple[str, Severity, str, sections.Section]] = {
    "empty answer": (
        "empty-answer", "error", "The model learns to answer nothing.", sections.FLAWED_POOL,
    ),
    "answer too long": (
        "long-answer", "warning",
        "They dominate the loss of their batch, and training cuts most of them.",
        sections.BROKEN_OFF,
    ),
    "answer breaks off": (
        "broken-answer", "warning",
        "The model learns to end its turn in the middle of a sentence.", sections.BROKEN_OFF,
    ),
    "answer repeats itself": (
        "repetitive-answer", "warning", "The model learns to repeat itself.", sections.FLAWED_POOL,
    ),
    "answer repeats the question": (
        "echoed-question", "warning", "The model learns to repeat its user.", sections.FLAWED_POOL,
    ),
    "question lacks its input": (
        "missing-input", "warning",
        "The model learns to answer about a text that it was never shown, which is to invent.",
        sections.FLAWED_POOL,
    ),
    "garbled characters": (
        "garbled-text", "warning", "The model learns to write them.", sections.DATA_SETS,
    ),
}  # fmt: skip


def flawed_answers(case: Case) -> Iterator[Finding]:
    """Answers whose form alone shows that they are bad."""
    rows_by_flaw: dict[str, list[LabeledRow]] = {}
    for row in case.rows:
        for flaw in format_flaws(row.record):
            rows_by_flaw.setdefault(flaw, []).append(row)
    for flaw, (id_, severity, consequence, lesson) in FLAWS.items():
        if rows := rows_by_flaw.get(flaw):
            yield Finding(
                id=id_,
                severity=severity,
                title=f"Rows with a flaw: {flaw}",
                consequence=consequence,
                remedy=f"ift data curate {case.file} --keep {len(case.rows)} --out best.jsonl "
                "--report why.csv",
                lesson=lesson,
                rows=numbers(rows),
                example=repr(rows[0].record.turns[-1].content[-60:]),
            )


def duplicates(case: Case) -> Iterator[Finding]:
    """Rows that repeat an earlier row, exactly or nearly."""
    records = case.records
    exact = exact_duplicates(records)
    originals = [i for i, twin in enumerate(exact) if twin is None]
    near = near_duplicates([records[i] for i in originals], on_done=_progress(case, len(originals)))
    pairs = {
        "duplicate": [(i, twin) for i, twin in enumerate(exact) if twin is not None],
        "near-duplicate": [
            (originals[i], originals[twin]) for i, twin in enumerate(near) if twin is not None
        ],
    }
    titles = {
        "duplicate": "Rows repeat an earlier row, word for word",
        "near-duplicate": "Rows nearly repeat an earlier row, in question and answer",
    }
    for id_, repeated in pairs.items():
        if repeated:
            row, twin = (case.rows[i].number for i in repeated[0])
            yield Finding(
                id=id_,
                severity="warning",
                title=titles[id_],
                consequence="They count several times in every epoch, and a part of the rows held "
                "out for a test is also trained.",
                remedy=f"ift data curate {case.file} --keep {len(records) - len(repeated)} --out "
                "best.jsonl",
                lesson=sections.DUPLICATES,
                rows=[case.rows[i].number for i, _ in repeated],
                example=f"row {row} repeats row {twin}",
            )


def leaked_tests(case: Case) -> Iterator[Finding]:
    """Rows with a question of the test, word for word or nearly, as `ift eval --train` finds them.

    That command names one row for each question; here every row is named that has to go.
    """
    if not case.test_questions:
        return
    on_done = partial(case.on_step, "searching for the test") if case.on_step else None
    overlaps = each_overlap(case.test_questions, case.records, numbers(case.rows), on_done=on_done)
    kinds = {row: best.kind for row, best in strongest((x.row, x) for _, x in overlaps).items()}
    exact = [row for row in case.rows if kinds.get(row.number) == "same question"]
    near = [row for row in case.rows if kinds.get(row.number) in ("similar question", "same words")]
    if exact:
        yield _leak("leaked-test", "error", "Rows ask a question of the test, word for word", exact)
    if near:
        title = "Rows ask a question of the test in nearly the same words, or contain its words"
        yield _leak("near-leak", "warning", title, near)


def _leak(id_: str, severity: Severity, title: str, rows: Sequence[LabeledRow]) -> Finding:
    return Finding(
        id=id_,
        severity=severity,
        title=title,
        consequence="The score on the test also measures what was memorized. A question in other "
        "words is not found here.",
        remedy=f"rows = [row for n, row in enumerate(rows, 1) if n not in {set(numbers(rows[:3]))}]"
        f"   # {'and so on: ' if len(rows) > 3 else ''}leave them out of the training file",
        lesson=sections.LEAKED_TEST,
        rows=numbers(rows),
        example=repr(user_text_of(rows[0].record)[:80]),
    )


def _progress(case: Case, total: int) -> Callable[[int], None] | None:
    if case.on_step is None:
        return None
    return partial(_report, case.on_step, total)


def _report(on_step: Callable[[str, int, int], None], total: int, n_done: int) -> None:
    on_step("comparing", n_done, total)


CHECKS: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    special_in_prompts,
    special_in_answers,
    foreign_tokens,
    flawed_answers,
    duplicates,
    leaked_tests,
)
