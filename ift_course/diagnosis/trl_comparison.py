"""What TRL's SFTTrainer makes of the same rows with its own settings, run and not described."""

from __future__ import annotations

import copy
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ift_course.data.hub import first_sentence
from ift_course.data.loss_mask import IGNORE
from ift_course.data.writing import as_row
from ift_course.diagnosis.case import Case, LabeledRow
from ift_course.models.quiet import quiet

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

SETTINGS: dict[str, dict[str, Any]] = {
    "SFTConfig()": {},
    "SFTConfig(assistant_only_loss=True)": {"assistant_only_loss": True},
}
SAMPLE = 32  # rows that TRL is given
COLUMN = "ift_number"  # TRL keeps columns that it does not know


@dataclass(frozen=True)
class TrlOutcome:
    """What TRL does with the rows.

    Attributes:
        settings: the configuration, as Python.
        rows: rows that it was given.
        dropped: rows without a label, which it drops.
        tokens: tokens of the rows that are left.
        trained: those with a label.
        beyond: those with a label that ift sft does not train, such as the user's words; None if
            TRL makes other tokens of the rows.
        without_end: rows in which it does not train the template's end of turn.
        error: why it stops, in one sentence; "" if it does not.
    """

    settings: str
    rows: int
    dropped: int = 0
    tokens: int = 0
    trained: int = 0
    beyond: int | None = None
    without_end: int = 0
    error: str = ""

    @property
    def sentence(self) -> str:
        """The outcome in words."""
        if self.error:
            return f"stops: {self.error}"
        share = self.trained / self.tokens if self.tokens else 0
        parts = [f"trains {self.trained:,} of {self.tokens:,} tokens ({share:.0%})"]
        if self.beyond is None:
            parts.append("formats the rows in another way than the chat template does")
        elif self.beyond:
            parts.append(f"{self.beyond:,} of them are not the assistant's")
        else:
            parts.append("the same as ift sft")
        if self.without_end:
            parts.append(f"no end of turn in {self.without_end:,} of {self.rows:,} rows")
        if self.dropped:
            parts.append(f"drops {self.dropped:,} of {self.rows:,} rows")
        return "; ".join(parts)


def compare_with_trl(case: Case) -> list[TrlOutcome]:
    """Give the first rows, with the columns they have in the file, to TRL's SFTTrainer.

    The model is a random one of a few weights for each token, because only the preparation of the
    rows is run.
    """
    rows = case.rows[:SAMPLE]
    if not rows:
        return []
    as_they_are = [row.original for row in rows]
    outcomes = [_outcome(case, rows, as_they_are, *setting) for setting in SETTINGS.items()]
    if all(outcome.error for outcome in outcomes):
        converted = [as_row(row.record, "messages") for row in rows]
        outcomes += [
            _outcome(case, rows, converted, f"{name}, rows from ift data convert,", options)
            for name, options in SETTINGS.items()
        ]
    return outcomes


def _outcome(
    case: Case,
    rows: Sequence[LabeledRow],
    originals: Sequence[Any],
    name: str,
    options: dict[str, Any],
) -> TrlOutcome:
    with quiet(), tempfile.TemporaryDirectory() as folder:
        from datasets import Dataset
        from trl import SFTConfig, SFTTrainer

        tokenizer = copy.deepcopy(case.subject.own)
        args = SFTConfig(
            folder, use_cpu=True, bf16=False, report_to="none",
            max_length=case.subject.max_length, **options,
        )  # fmt: skip
        try:
            numbered = zip(originals, rows, strict=True)
            data = Dataset.from_list([{**row, COLUMN: entry.number} for row, entry in numbered])
            trainer = SFTTrainer(
                model=_smallest_model(tokenizer),
                args=args,
                train_dataset=data,
                processing_class=tokenizer,
            )
        except Exception as error:  # whatever stops TRL is the outcome
            reason = f"{type(error).__name__}: {first_sentence(error)}"
            if isinstance(error, KeyError):
                reason += ", because it reads only messages, prompt and completion, or text"
            return TrlOutcome(name, len(rows), error=reason)
        columns = (COLUMN, "input_ids", "labels")
        prepared: Any = trainer.train_dataset
        theirs = {row[COLUMN]: (row["input_ids"], row["labels"])
                  for row in prepared.select_columns(list(columns))}  # fmt: skip
    return _compared(case, rows, name, theirs)


def _compared(
    case: Case,
    rows: Sequence[LabeledRow],
    name: str,
    theirs: dict[int, tuple[list[int], list[int]]],
) -> TrlOutcome:
    limit = case.subject.max_length
    beyond: int | None = 0
    n_without_end = 0
    for row in rows:
        if row.number not in theirs:
            continue
        ids, labels = theirs[row.number]
        n_without_end += case.subject.end not in labels
        if ids != row.ids[:limit]:
            beyond = None
        elif beyond is not None:
            pairs = zip(labels, row.labels, strict=False)
            beyond += sum(a != IGNORE and b == IGNORE for a, b in pairs)
    labels = [label for _, row_labels in theirs.values() for label in row_labels]
    return TrlOutcome(
        settings=name,
        rows=len(rows),
        dropped=len(rows) - len(theirs),
        tokens=len(labels),
        trained=len(labels) - labels.count(IGNORE),
        beyond=beyond,
        without_end=n_without_end,
    )


def _smallest_model(tokenizer: PreTrainedTokenizerBase) -> Any:
    from transformers import LlamaConfig, LlamaForCausalLM

    special: dict[str, Any] = {
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
    }
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=8,
            intermediate_size=8,
            num_hidden_layers=1,
            num_attention_heads=1,
            num_key_value_heads=1,
            **special,
        )
    )
