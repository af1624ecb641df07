"""`ift sft --hold-out`: the model before and after tuning, on rows that it was not tuned on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ift_course.data.records import Record
    from ift_course.evaluation.comparison import Comparison
    from ift_course.evaluation.eval_result import EvalResult
    from ift_course.evaluation.evaluate import Examination
    from ift_course.evaluation.hold_out import LossChange, Split

MAX_LENGTH = 1024  # tokens of a held-out row on which the loss is taken


@dataclass(frozen=True)
class HeldOutReport:
    """What tuning changed on the held-out rows.

    Attributes:
        split: How the rows were divided.
        comparison: The answers before (A) and after (B).
        losses: The loss on the responses before and after.
    """

    split: Split
    comparison: Comparison
    losses: LossChange

    def to_dict(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "held_out": len(self.split.held_out),
            "trained_on": len(self.split.training),
            "removed_duplicates": self.split.n_removed,
            "similar_questions_trained_on": self.split.n_similar,
            "loss": self.losses.to_dict(),
            "comparison": self.comparison.to_dict(),
        }


class HeldOutTest:
    """Held-out rows, and the model's answers to them before and after tuning."""

    def __init__(
        self, records: list[Record], data: Path, share: float, seed: int, profile: str | None
    ):
        """Divide the rows.

        Args:
            records: All rows of the file that can be used.
            data: The file.
            share: Of the rows to hold out.
            seed: Decides which.
            profile: Decides which models "base" and "sft" are.

        Raises:
            CourseError: Nothing is left to train on, a held-out row has a verifier that is not
                valid, or several processes train together.
        """
        from ift_course import distributed
        from ift_course.errors import CourseError
        from ift_course.evaluation.evaluate import Examination
        from ift_course.evaluation.hold_out import held_out_items, split_records

        if distributed.world_size() > 1:
            raise CourseError(
                "--hold-out works with one process; evaluate the models with ift compare instead."
            )
        self.split = split_records(records, share, seed)
        self._examination: Examination = Examination(
            data, held_out_items(data, self.split.held_out)
        )
        self._profile = profile
        self._before: tuple[EvalResult, list[float]] | None = None

    def describe(self) -> str:
        """Say how the rows were divided."""
        from ift_course.cli.accounts import count
        from ift_course.cli.evaluating import uses_sentence

        split = self.split
        sentence = f"{count(len(split.held_out), 'row')} held out: "
        sentence += uses_sentence(self._examination.items)
        if split.n_removed:
            sentence += f" {count(split.n_removed, 'row')} that repeat them left out of training."
        if split.n_similar:
            sentence += (
                f" {count(split.n_similar, 'row')} with a similar question and another answer "
                "stay in training."
            )
        return sentence

    def measure_before(self, model: str) -> None:
        """Let the model answer before it is tuned."""
        self._before = self._measure(model, "before")

    def report(self, folder: Path) -> HeldOutReport:
        """Let the tuned model answer, and compare.

        Args:
            folder: Where the tuned model was saved.
        """
        from ift_course.evaluation.comparison import compare
        from ift_course.evaluation.hold_out import LossChange

        assert self._before is not None
        before, losses_before = self._before
        after, losses_after = self._measure(str(folder), "after")
        change = LossChange(losses_before, losses_after)
        return HeldOutReport(self.split, compare(before, after), change)

    def _measure(self, name: str, when: str) -> tuple[EvalResult, list[float]]:
        from ift_course.cli.evaluating import EvalProgress, open_to_answer
        from ift_course.evaluation.perplexity import response_losses

        with EvalProgress() as progress:
            model, tokenizer = open_to_answer(name, profile=self._profile, on_note=progress.note)
            result = self._examination.take(
                name,
                model,
                tokenizer,
                on_step=lambda step, done, total: progress.show(f"{when}: {step}", done, total),
            )
        limit = getattr(model.config, "max_position_embeddings", None) or MAX_LENGTH
        losses = response_losses(
            model, tokenizer, self.split.held_out, max_length=min(limit, MAX_LENGTH)
        )
        return result, losses


def print_report(report: HeldOutReport) -> None:
    """Print the comparison, in which A is the model before and B the tuned one."""
    from rich.console import Console

    from ift_course.cli.compare_view import print_comparison

    console = Console(soft_wrap=True, highlight=False)
    console.print("\nOn the held-out rows, before (A) and after (B):", style="bold")
    console.print(report.losses.sentence(), markup=False)
    print_comparison(report.comparison)
