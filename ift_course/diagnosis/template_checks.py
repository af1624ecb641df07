"""Findings about the chat template: what it marks, where it ends, and whether it is the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from ift_course.data.changes import SPECIAL_TOKEN
from ift_course.data.chat_templates import ANSWER, QUESTION, token_ids
from ift_course.data.hub import first_sentence
from ift_course.data.loss_mask import IGNORE, has_generation_block
from ift_course.data.records import Message, Record
from ift_course.diagnosis import lesson_sections as sections
from ift_course.diagnosis.case import Case, LabeledRow
from ift_course.diagnosis.finding import Finding
from ift_course.diagnosis.row_checks import numbers
from ift_course.diagnosis.subject import Subject
from ift_course.models import provenance

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

PROBE = [{"role": "user", "content": QUESTION}, {"role": "assistant", "content": ANSWER}]
SAMPLE = 50  # rows on which templates are compared
AROUND = 25  # characters of an excerpt on each side of a difference


def no_template(case: Case) -> Iterator[Finding]:
    """A tokenizer without a chat template."""
    if not case.subject.has_template:
        yield Finding(
            id="no-template",
            severity="note",
            title="The tokenizer has no chat template",
            consequence="ift sft gives it ChatML and trains its two tokens, as is shown here; "
            "TRL raises an error at the first conversation.",
            remedy="tokenizer.chat_template = ift_course.data.chat_templates.CHATML",
            lesson=sections.TEMPLATE,
        )


def no_generation_block(case: Case) -> Iterator[Finding]:
    """A template that does not mark the answers."""
    if not case.subject.has_template or has_generation_block(case.subject.template):
        return
    yield Finding(
        id="no-generation-block",
        severity="warning",
        title="The chat template marks no answer: it has no {% generation %} block",
        consequence="ift sft finds the answers by comparing the text with and without each of "
        "them. transformers returns a mask of zeros. TRL with assistant_only_loss=True "
        f"{_swap_by_trl(case.subject)}.",
        remedy="{% generation %}{{ message['content'] + eos_token }}{% endgeneration %}   # in "
        "tokenizer.chat_template, around each answer and its end",
        lesson=sections.NO_MARKS,
    )


def _swap_by_trl(subject: Subject) -> str:
    """What TRL does with the template, as its own function says."""
    from trl.chat_template_utils import get_training_chat_template

    try:
        get_training_chat_template(subject.own)
    except ValueError as error:
        return f"stops with an error ({first_sentence(error)})"
    return "replaces it by a marked copy of its own"


def split_tokens(case: Case) -> Iterator[Finding]:
    """Special tokens that the template writes and the vocabulary does not have."""
    tokenizer = case.subject.tokenizer
    text = _text(case.subject, PROBE)
    tokens = [token for token in dict.fromkeys(SPECIAL_TOKEN.findall(text))
             if len(token_ids(tokenizer, token)) > 1]  # fmt: skip
    if tokens:
        yield Finding(
            id="split-tokens",
            severity="error",
            title=f"The template writes {', '.join(tokens)}, which the vocabulary does not have",
            consequence="The tokenizer splits it into ordinary pieces, so there is no token at "
            "which generation could stop, and users can type it.",
            remedy=f"tokenizer.add_special_tokens({{'additional_special_tokens': {tokens!r}}}); "
            "model.resize_token_embeddings(len(tokenizer))",
            lesson=sections.TEMPLATE,
            example=f"{tokens[0]} → {tokenizer.tokenize(tokens[0])}",
        )


def no_end_token(case: Case) -> Iterator[Finding]:
    """A template that closes an answer with ordinary text or with nothing."""
    if case.subject.end is None and not any(split_tokens(case)):
        yield Finding(
            id="no-end-token",
            severity="error",
            title="The template closes an answer with no special token",
            consequence="The model cannot learn where to stop, and every answer runs to the limit.",
            remedy="{{ message['content'] + eos_token }}   # in the template, where it writes the "
            "assistant's turn",
            lesson=sections.NO_END,
        )


def generation_runs_on(case: Case) -> Iterator[Finding]:
    """A model whose generation does not stop at the template's end of turn."""
    subject = case.subject
    if subject.end is None or not subject.has_template or subject.stops is None:
        return
    if subject.end not in subject.stops:
        end = subject.token(subject.end)
        yield Finding(
            id="generation-runs-on",
            severity="warning",
            title=f"Answers end with {end}, but generation stops only at "
            f"{', '.join(map(subject.token, subject.stops))}",
            consequence="ift sft and ift merge write the stop into the folder. TRL does not: its "
            "model closes the answer, and generate goes on.",
            remedy=f"SFTConfig(eos_token={end!r})   # or model.generation_config.eos_token_id = "
            f"{[subject.end, *subject.stops]}",
            lesson=sections.NO_END,
        )


def two_beginnings_in_two_steps(case: Case) -> Iterator[Finding]:
    """A template and a tokenizer that both write the beginning of the text."""
    tokenizer = case.subject.tokenizer
    bos = tokenizer.bos_token_id
    encoding: Any = tokenizer(_text(case.subject, PROBE))
    if bos is not None and encoding["input_ids"][:2] == [bos, bos]:
        yield Finding(
            id="bos-in-two-steps",
            severity="note",
            title=f"Template and tokenizer both write {case.subject.token(bos)}",
            consequence="ift sft and apply_chat_template(tokenize=True) write one. Text that is "
            "formatted first and tokenized later begins with two, also in TRL's column text.",
            remedy="tokenizer(text, add_special_tokens=False)   # for text from "
            "apply_chat_template(tokenize=False)",
            lesson=sections.TWO_BEGINNINGS,
        )


def prompt_differs(case: Case) -> Iterator[Finding]:
    """Rows whose prompt is written in another way when the model is asked than in training."""
    rows = [row for row in case.rows[:SAMPLE] if not _is_asked_as_trained(case.subject, row)]
    if rows:
        row = rows[0]
        prompt = _text(case.subject, row.record.messages[:-1], row.record, ask=True)
        whole = _text(case.subject, row.record.messages, row.record)
        yield Finding(
            id="prompt-differs",
            severity="warning",
            title="The template asks in another way than it trains",
            consequence="With add_generation_prompt=True the prompt ends in other tokens than "
            "those before the trained answer, so the model is used on text that it never saw.",
            remedy="{% if add_generation_prompt %}…{% endif %}   # at the end of the template: "
            "exactly what it writes before an answer",
            lesson=sections.OTHER_TEMPLATE,
            rows=numbers(rows),
            example=f"of the first {min(SAMPLE, len(case.rows))} rows; {_excerpts(prompt, whole)}",
        )


def _is_asked_as_trained(subject: Subject, row: LabeledRow) -> bool:
    last = len(row.labels) - 1
    while last > 0 and row.labels[last] == IGNORE:
        last -= 1
    while last > 0 and row.labels[last - 1] != IGNORE:
        last -= 1
    prompt = token_ids(
        subject.tokenizer, _text(subject, row.record.messages[:-1], row.record, ask=True)
    )
    if not row.n_trained() or prompt == row.ids[:last]:
        return True
    # A newline that opens an answer may share a token with the end of the prompt.
    return abs(len(prompt) - last) == 1 and prompt[: len(prompt) - 1] == row.ids[: len(prompt) - 1]


def other_template(case: Case) -> Iterator[Finding]:
    """Another template, or other ids, in the model that was trained."""
    other = case.trained_with
    if other is not None:
        for row in case.rows[:SAMPLE]:
            here, there = (_asked_and_answered(x, row.record) for x in (case.subject, other))
            if here[1] != there[1]:
                yield _difference(other.name, _excerpts(here[0], there[0]))
                break
    recorded = case.subject.trained_template
    if recorded and recorded != provenance.template_digest(case.subject.own):
        place = case.subject.folder / provenance.FILE
        yield _difference(f"the training that {place} records", "their fingerprints differ")


def _difference(source: str, example: str) -> Finding:
    return Finding(
        id="other-template",
        severity="error",
        title=f"The template differs from that of {source}",
        consequence="A tuned model answers worse in another format than the one it was tuned in, "
        "and no error says so.",
        remedy="tokenizer.chat_template = AutoTokenizer.from_pretrained('TRAINED').chat_template   "
        "# then tokenizer.save_pretrained(…)",
        lesson=sections.OTHER_TEMPLATE,
        example=example,
    )


def _asked_and_answered(subject: Subject, record: Record) -> tuple[str, list[list[int]]]:
    """A row as text, and the ids of the row and of its prompt."""
    whole = _text(subject, record.messages, record)
    prompt = _text(subject, record.messages[:-1], record, ask=True)
    return whole + prompt, [token_ids(subject.tokenizer, text) for text in (whole, prompt)]


def _excerpts(here: str, there: str) -> str:
    pairs = zip(here, there, strict=False)
    start = next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(here), len(there)))
    if here == there:
        return "the texts are equal and the token ids differ: another vocabulary"
    begin, stop = max(0, start - AROUND), start + AROUND
    return f"{here[begin:stop]!r} here, {there[begin:stop]!r} there"


def _text(
    subject: Subject, messages: list[Message], record: Record | None = None, *, ask: bool = False
) -> str:
    """What the template writes; "" if it refuses the turns, which another finding says."""
    from jinja2 import TemplateError

    tokenizer: PreTrainedTokenizerBase = subject.tokenizer
    tools: Any = list(record.tools) if record and record.tools else None
    try:
        return str(
            tokenizer.apply_chat_template(
                messages, tokenize=False, add_generation_prompt=ask, tools=tools
            )
        )
    except (TemplateError, TypeError, ValueError, KeyError, AttributeError):
        return ""


CHECKS: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    no_template,
    no_generation_block,
    split_tokens,
    no_end_token,
    generation_runs_on,
    two_beginnings_in_two_steps,
    prompt_differs,
    other_template,
)
