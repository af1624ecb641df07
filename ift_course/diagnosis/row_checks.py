"""Findings about the tokens of single rows: what is trained, what is cut off, how it begins."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from ift_course.data.curation.texts import normalized
from ift_course.data.loss_mask import IGNORE
from ift_course.diagnosis import lesson_sections as sections
from ift_course.diagnosis.case import Case, LabeledRow
from ift_course.diagnosis.finding import Finding

FEW = 0.05  # share of trained tokens below which a note says so
SHORTEST_QUESTION = 8  # characters; a shorter one may stand in its answer by chance


def unusable_rows(case: Case) -> Iterator[Finding]:
    """Rows that are not a conversation."""
    if case.unusable:
        number, reason = case.unusable[0]
        yield Finding(
            id="unusable-row",
            severity="error",
            title="Rows are not a conversation with an answer",
            consequence="ift sft stops at the first of them; many loaders skip them silently.",
            remedy=f"ift data convert {case.file} --out clean.jsonl   # sets them aside, with the "
            "reason",
            lesson=sections.VANISHED_ROWS,
            rows=[number for number, _ in case.unusable],
            example=f"row {number}: {reason}",
        )


def refused_rows(case: Case) -> Iterator[Finding]:
    """Rows that the chat template cannot write, or not completely."""
    if case.refused:
        number, reason = case.refused[0]
        yield Finding(
            id="refused-by-template",
            severity="error",
            title="The chat template cannot write these rows",
            consequence="ift sft stops at the first of them; apply_chat_template raises, or "
            "silently leaves a part of the row out.",
            remedy=f"ift sft --model {case.subject.name} --data {case.file} --out models/mine "
            "--rejects rejects.jsonl   # or --fold-system, where a system turn is refused",
            lesson=sections.TEMPLATE,
            rows=[number for number, _ in case.refused],
            example=f"row {number}: {reason}",
        )


def nothing_trained(case: Case) -> Iterator[Finding]:
    """Rows without a label, although they are complete."""
    rows = [row for row in case.rows if not row.n_trained()]
    if rows:
        yield Finding(
            id="nothing-trained",
            severity="error",
            title="No token of these rows is trained, although they are complete",
            consequence="ift sft drops them; elsewhere a batch of them has the loss NaN or 0.",
            remedy=f"ift diagnose {case.file} --model {case.subject.name} --row {rows[0].number}   "
            "# look at the first token of the answer: the tokenizer removes it from the text",
            lesson=sections.MASK,
            rows=numbers(rows),
            example=repr(rows[0].record.turns[-1].content[:40]),
        )


def cut_before_answer(case: Case) -> Iterator[Finding]:
    """Rows whose prompt alone fills the limit."""
    limit = case.subject.max_length
    # The first token has nothing before it to be predicted from, so its label does not count.
    rows = [row for row in case.rows if row.n_trained() and _is_bare(row.labels[1:limit])]
    if rows:
        longest = max(len(row.ids) for row in rows)
        yield Finding(
            id="cut-before-answer",
            severity="error",
            title=f"Rows are cut before their answer begins, at {limit:,} tokens",
            consequence="They teach nothing: ift sft and TRL drop them, other trainers compute a "
            "loss of NaN or 0.",
            remedy=f"ift sft --model {case.subject.name} --data {case.file} --out models/mine "
            f"--max-length {longest}   # or shorten the prompts",
            lesson=sections.VANISHED_ROWS,
            rows=numbers(rows),
            example=f"row {rows[0].number} has {len(rows[0].ids):,} tokens, and its answer begins "
            f"after {_prompt_length(rows[0]):,}",
        )


def cut_answers(case: Case) -> Iterator[Finding]:
    """Rows that lose the end of an answer."""
    limit = case.subject.max_length
    rows = [
        row
        for row in case.rows
        if not _is_bare(row.labels[1:limit]) and not _is_bare(row.labels[limit:])
    ]
    if rows:
        longest = max(len(row.ids) for row in rows)
        yield Finding(
            id="cut-answer",
            severity="warning",
            title=f"Answers are cut off at {limit:,} tokens",
            consequence="Their end of turn is cut off too, so they teach answers that do not end.",
            remedy=f"ift sft --model {case.subject.name} --data {case.file} --out models/mine "
            f"--max-length {longest}",
            lesson=sections.BROKEN_OFF,
            rows=numbers(rows),
        )


def end_not_trained(case: Case) -> Iterator[Finding]:
    """Rows in which the template's end of turn has no label."""
    end = case.subject.end
    if end is None:
        return  # a check of the template says so
    rows = [row for row in case.rows if row.n_trained() and not _ends_are_trained(row, end)]
    if rows:
        yield Finding(
            id="end-not-trained",
            severity="error",
            title=f"The end of turn, {case.subject.token(end)}, is not trained",
            consequence="The model never learns to stop: right answers are followed by others. The "
            "loss looks fine.",
            remedy="{% generation %}{{ message['content'] + '"
            + case.subject.token(end)
            + "' }}{% endgeneration %}   # in the chat template: the end inside the block",
            lesson=sections.NO_END,
            rows=numbers(rows),
        )


def prompt_trained(case: Case) -> Iterator[Finding]:
    """Rows in which the user's words have labels."""
    rows = [row for row in case.rows if _question_is_trained(case, row)]
    if rows:
        yield Finding(
            id="prompt-trained",
            severity="error",
            title="The user's words are trained too",
            consequence="The generation block of the chat template marks more than the answers, so "
            "the model learns to write questions.",
            remedy="{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}   # "
            "only around the assistant's turn",
            lesson=sections.LOSS_ON_PROMPT,
            rows=numbers(rows),
        )


def two_beginnings(case: Case) -> Iterator[Finding]:
    """Rows that begin with two beginning-of-text tokens."""
    bos = case.subject.tokenizer.bos_token_id
    rows = [row for row in case.rows if bos is not None and row.ids[:2] == [bos, bos]]
    if rows:
        yield Finding(
            id="two-bos",
            severity="error",
            title=f"Rows begin with two {case.subject.token(bos)}",
            consequence="The model has never seen two beginnings, in training or in use.",
            remedy="tokenizer.chat_template = tokenizer.chat_template.replace('{{ bos_token }}', "
            f"'', 1)   # or, in the rows, text.removeprefix({case.subject.token(bos)!r})",
            lesson=sections.TWO_BEGINNINGS,
            rows=numbers(rows),
        )


def padding_masks_end(case: Case) -> Iterator[Finding]:
    """Rows in which a trained token is the padding token."""
    tokenizer = case.subject.own
    pad, end = tokenizer.pad_token_id, case.subject.end
    is_missing = pad is None
    pad = tokenizer.eos_token_id if pad is None else pad
    rows = [row for row in case.rows if pad is not None and pad in row.trained_ids()]
    if rows:
        what = "the end of turn" if pad == end else "a token of the answers"
        token = case.subject.token(pad)
        title = f"The padding token {token} is also {what}"
        if is_missing:
            title = f"There is no padding token, and its usual stand-in {token} is also {what}"
        yield Finding(
            id="pad-is-end",
            severity="warning",
            title=title,
            consequence="ift sft and TRL's SFTTrainer mask padding by its position and still train "
            "it. Collators that mask it by its id do not, such as transformers' "
            "DataCollatorForLanguageModeling(mlm=False): the model then never stops.",
            remedy="tokenizer.add_special_tokens({'pad_token': '<|pad|>'}); "
            "model.resize_token_embeddings(len(tokenizer))",
            lesson=sections.NO_END,
            rows=numbers(rows),
        )


def unknown_tokens(case: Case) -> Iterator[Finding]:
    """Rows with text that the tokenizer cannot write."""
    unknown = case.subject.tokenizer.unk_token_id
    # Many tokenizers name an ordinary token as the unknown one and never use it.
    if unknown is None or unknown in (case.subject.end, case.subject.tokenizer.eos_token_id):
        return
    rows = [row for row in case.rows if unknown in row.ids]
    if rows:
        yield Finding(
            id="unknown-token",
            severity="warning",
            title=f"The tokenizer writes parts of these rows as {case.subject.token(unknown)}",
            consequence="Those characters are lost, and the model learns to write that token.",
            remedy=f"ift diagnose {case.file} --model {case.subject.name} --row {rows[0].number}   "
            "# shows which; choose a model whose tokenizer falls back to bytes",
            lesson=sections.TEMPLATE,
            rows=numbers(rows),
        )


def few_trained(case: Case) -> Iterator[Finding]:
    """A small share of trained tokens."""
    share = case.n_trained / case.n_tokens if case.n_tokens else 0
    if case.n_trained and share < FEW:
        yield Finding(
            id="few-trained",
            severity="note",
            title=f"Only {share:.1%} of the tokens are trained",
            consequence="The loss of a step rests on few tokens and is noisy, while the prompts "
            "cost most of the time and memory.",
            remedy=f"ift sft --model {case.subject.name} --data {case.file} --out models/mine "
            "--accumulation 4   # more rows for each step; shorten the prompts if you can",
            lesson=sections.MASK,
        )


def numbers(rows: Sequence[LabeledRow]) -> list[int]:
    """The numbers of rows."""
    return [row.number for row in rows]


def _is_bare(labels: Sequence[int]) -> bool:
    return all(label == IGNORE for label in labels)


def _prompt_length(row: LabeledRow) -> int:
    return next(i for i, label in enumerate(row.labels) if label != IGNORE)


def _ends_are_trained(row: LabeledRow, end: int) -> bool:
    """Whether every run of trained tokens contains the end of turn."""
    runs = [
        list(labels)
        for is_run, labels in groupby(row.labels, key=lambda label: label != IGNORE)
        if is_run
    ]
    # Some templates close a turn that calls a tool with another token.
    calls_tools = any(turn.tool_calls for turn in row.record.turns)
    return all(end in run for run in (runs[-1:] if calls_tools else runs))


def _question_is_trained(case: Case, row: LabeledRow) -> bool:
    questions = [normalized(x.content) for x in row.record.turns if x.role in ("system", "user")]
    answers = normalized(" ".join(x.content for x in row.record.turns if x.role == "assistant"))
    questions = [x for x in questions if len(x) >= SHORTEST_QUESTION and x not in answers]
    if not questions:
        return False
    trained = normalized(str(case.subject.tokenizer.decode(row.trained_ids())))
    return any(question in trained for question in questions)


CHECKS: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    unusable_rows,
    refused_rows,
    nothing_trained,
    cut_before_answer,
    cut_answers,
    end_not_trained,
    prompt_trained,
    two_beginnings,
    padding_masks_end,
    unknown_tokens,
    few_trained,
)
