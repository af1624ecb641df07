"""One model on one file of test items."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.evaluation.answers import AnswerStore, answer_items
from ift_course.evaluation.eval_result import FORMAT, EvalResult, file_sha256, judge_answers
from ift_course.evaluation.items import Item

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from ift_course.data.curation.overlap import Overlap

# Is called with a step ("answering", "judging"), the items done, and all items.
OnStep = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Examination:
    """The questions, and how answers to them are generated and judged.

    Attributes:
        data: The file of the questions.
        items: The questions.
        max_new_tokens: The limit for each answer.
        batch_size: Answers generated together.
        accept_cut: Judge answers that reached the limit, too; otherwise they are wrong.
        train: A training file that was searched for the questions.
        leaks: What it holds of them, by the item's index.
    """

    data: Path
    items: Sequence[Item]
    max_new_tokens: int = 256
    batch_size: int = 16
    accept_cut: bool = False
    train: Path | None = None
    leaks: Mapping[int, Overlap] | None = None

    def take(
        self,
        name: str,
        model: PreTrainedModel,
        tokenizer: PreTrainedTokenizerBase,
        *,
        on_step: OnStep | None = None,
    ) -> EvalResult:
        """Let a model answer, and judge its answers; what earlier runs stored is not asked again.

        Args:
            name: The model's name, for the result.
            model: The model.
            tokenizer: Its tokenizer, with a chat template.
            on_step: Is called as the work proceeds.

        Raises:
            CourseError: The chat template refuses a question, a question fills the whole context,
                or the answers cannot be stored.
        """
        completions = answer_items(
            model,
            tokenizer,
            self.items,
            max_new_tokens=self.max_new_tokens,
            batch_size=self.batch_size,
            store=AnswerStore.of_model(model),
            on_done=_bind(on_step, "answering"),
        )
        answers = judge_answers(
            self.items,
            completions,
            accept_cut=self.accept_cut,
            leaks=self.leaks,
            on_done=_bind(on_step, "judging"),
        )
        return EvalResult(
            format=FORMAT,
            model=name,
            data=self.data.name,
            data_sha256=file_sha256(self.data),
            train=self.train.name if self.train else "",
            max_new_tokens=self.max_new_tokens,
            accept_cut=self.accept_cut,
            answers=answers,
        )


def _bind(on_step: OnStep | None, step: str) -> Callable[[int, int], None] | None:
    if on_step is None:
        return None
    return lambda done, total: on_step(step, done, total)
