"""What `ift eval`, `ift compare` and `ift sft --hold-out` share: reading, loading, progress."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.console import Console
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from ift_course.evaluation.eval_result import EvalResult
    from ift_course.evaluation.evaluate import Examination
    from ift_course.evaluation.items import Item

MaxNewTokens = Annotated[
    int, typer.Option(min=1, help="Longest answer, in tokens; a longer one counts as wrong.")
]
BatchSize = Annotated[int, typer.Option(min=1, help="Answers generated together.")]
AcceptCut = Annotated[
    bool,
    typer.Option("--accept-cut", help="Judge answers that were cut off, instead of refusing them."),
]
Limit = Annotated[
    int | None, typer.Option(min=1, help="Take a random sample of so many rows, by --seed.")
]
SkipUnverifiable = Annotated[
    bool,
    typer.Option(
        "--skip-unverifiable",
        help="Leave out rows whose verifier needs a package that is not installed.",
    ),
]
Train = Annotated[
    Path | None,
    typer.Option(help="Search this training file for the test's questions, and report each."),
]
Html = Annotated[
    Path | None, typer.Option(help="Write a report to this file, which needs nothing else.")
]


def error_console() -> Console:
    """The console for everything that is not the result."""
    from rich.console import Console

    return Console(stderr=True, soft_wrap=True, highlight=False)


class EvalProgress:
    """A bar for each step on standard error: answers, verdicts, rows of the training file."""

    def __init__(self) -> None:
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=error_console(),
            transient=True,
        )
        self._tasks: dict[str, int] = {}

    def __enter__(self) -> EvalProgress:
        self._bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bars.stop()

    def note(self, text: str) -> None:
        """Print a line above the bars."""
        self._bars.console.print(text, markup=False)

    def show(self, step: str, done: int, total: int) -> None:
        """Show how much of a step is done; a new step gets a new bar."""
        from rich.progress import TaskID

        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(step, total=total)
        self._bars.update(TaskID(self._tasks[step]), completed=done)


def read_examination(
    data: Path,
    *,
    limit: int | None,
    seed: int,
    skip_unverifiable: bool,
    train: Path | None,
    max_new_tokens: int,
    batch_size: int,
    accept_cut: bool,
    progress: EvalProgress,
) -> Examination:
    """Read the questions, and search the training file for them.

    Raises:
        CourseError: A file cannot be read, or a row is not usable.
    """
    from ift_course.evaluation.evaluate import Examination
    from ift_course.evaluation.items import read_items, sample_items
    from ift_course.evaluation.leaks import find_leaks

    on_left_out = progress.note if skip_unverifiable else None
    items = sample_items(read_items(data, on_left_out=on_left_out), limit, seed)
    leaks = None
    if train is not None:
        leaks = find_leaks(items, train, on_done=lambda n, total: progress.show("leaks", n, total))
    return Examination(data, items, max_new_tokens, batch_size, accept_cut, train, leaks)


def examine(
    name: str,
    examination: Examination,
    *,
    base: str | None = None,
    profile: str | None,
    progress: EvalProgress,
) -> EvalResult:
    """Load a model and let it answer."""
    model, tokenizer = open_to_answer(name, base=base, profile=profile, on_note=progress.note)
    return examination.take(
        name,
        model,
        tokenizer,
        on_step=lambda step, done, total: progress.show(f"{name}: {step}", done, total),
    )


def open_to_answer(
    name: str,
    *,
    base: str | None = None,
    profile: str | None = None,
    on_note: Callable[[str], None],
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Load a model; one without a chat template is asked through the one that `ift sft` gives it.

    Args:
        name: As in `load_to_answer`.
        base: As in `load_to_answer`.
        profile: As in `load_to_answer`.
        on_note: Is given each remark on the model.

    Raises:
        CourseError: There is no such model.
    """
    from ift_course.data.chat_templates import active_template, ensure_chat_template
    from ift_course.training.open_model import load_to_answer

    model, tokenizer, notes = load_to_answer(name, base=base, profile=profile)
    if not active_template(tokenizer):
        import torch

        torch.manual_seed(0)  # the embeddings of the template's tokens are drawn
        ensure_chat_template(model, tokenizer)
        notes = [
            *notes,
            f"{name} has no chat template: it is asked through the one that ift sft would give it, "
            "which it has never seen.",
        ]
    for note in notes:
        on_note(note)
    return model, tokenizer


def uses_sentence(items: Sequence[Item]) -> str:
    """Say how many rows are judged, and by what."""
    from ift_course.cli.accounts import count
    from ift_course.evaluation.items import SHORT_ANSWER, count_uses

    uses = count_uses(items)
    parts = [
        (uses["verifier"], "judged by {its} own verifier"),
        (uses["reference"], "compared with {its} short reference answer"),
        (uses["shown"], f"only shown, with no verifier and no answer of 1 to {SHORT_ANSWER} words"),
    ]
    texts = [
        f"{count(n, 'row')} {text.format(its='its' if n == 1 else 'their')}"
        for n, text in parts
        if n
    ]
    return f"{'; '.join(texts)}."
