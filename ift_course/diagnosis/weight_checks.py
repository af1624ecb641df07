"""Findings that need the weights of the model."""

from __future__ import annotations

from ift_course.diagnosis import lesson_sections as sections
from ift_course.diagnosis.case import Case
from ift_course.diagnosis.finding import Finding, Unchecked
from ift_course.models.embeddings import read_output_embedding
from ift_course.models.folders import is_adapter
from ift_course.training.adapter import undertrained_rows

ID = "undertrained-tokens"


def undertrained_tokens(case: Case) -> Finding | Unchecked | None:
    """Special tokens of the rows whose embeddings look as if the model had never met them.

    Returns:
        The finding, the reason why it could not be looked for, or None if all is well.
    """
    subject = case.subject
    if not subject.has_template:
        return Unchecked(ID, "the model has no chat template; the tokens of ChatML will be new")
    if is_adapter(subject.folder):
        return Unchecked(
            ID, f"the folder holds an adapter; first ift merge {subject.folder} --out models/merged"
        )
    matrix = read_output_embedding(subject.folder)
    if matrix is None:
        return Unchecked(
            ID,
            "the folder holds no weights in safetensors; a model of the Hub has to be downloaded "
            f"first: hf download {subject.name}",
        )
    used = {token for row in case.rows for token in row.ids}
    tokens = undertrained_rows(matrix, subject.tokenizer, used)
    if not tokens:
        return None
    return Finding(
        id=ID,
        severity="note",
        title="The embeddings of the special tokens "
        f"{', '.join(subject.token(token) for token in tokens)} look untrained: they are zero, or "
        "parallel to those of other special tokens",
        consequence="ift sft trains them, with every method. LoRA of plain PEFT or TRL freezes "
        "them, so a base model can neither read nor write the end of a turn.",
        remedy=f"LoraConfig(trainable_token_indices={tokens})",
        lesson=sections.NEW_TOKENS,
        rows=[row.number for row in case.rows if set(tokens) & set(row.ids)],
    )
