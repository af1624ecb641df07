"""How `ift eval` and `ift compare` print a model's answers and scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ift_course.terminal import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rich.text import Text

    from ift_course.evaluation.eval_result import Answer, EvalResult, Share

MAX_CHARACTERS = 400  # of a question or an answer that is printed


def percent(share: float) -> str:
    """A share as a whole percentage, with one decimal where that would hide that it is not 0."""
    return f"{100 * share:.0f} %" if share == 0 or share >= 0.01 else f"{100 * share:.1f} %"


def share_cells(share: Share) -> tuple[str, str, str]:
    """The share, its interval, and the counts behind it."""
    low, high = share.interval
    bounds = f"{100 * low:.0f} to {100 * high:.0f}"
    return percent(share.share), bounds, f"{share.right:,} of {share.n:,}"


def shortened(text: str) -> Text:
    """A text of a model, harmless for the terminal, on one line and not too long."""
    from rich.text import Text

    line = printable(" ⏎ ".join(text.strip().splitlines()))
    return Text(line if len(line) <= MAX_CHARACTERS else line[: MAX_CHARACTERS - 1] + "…")


def share_table(total: Share, categories: Mapping[str, Share]) -> Any:
    """The table of the shares by category."""
    from rich.table import Table
    from rich.text import Text

    table = Table("", "right", "95 % interval", "answers", box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, share in categories.items():
        table.add_row(Text(printable(name)), *share_cells(share))
    table.add_row("all", *share_cells(total), style="bold")
    return table


def print_result(result: EvalResult, show: int) -> None:
    """Print scores, lengths, leaks and some answers.

    Args:
        result: The evaluation.
        show: How many wrong answers to print, or any answers where nothing could be judged.
    """
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False)
    console.print(f"{result.model} on {result.data}", style="bold", markup=False)
    if result.total:
        console.print(share_table(result.total, result.categories))
    else:
        console.print("No row can be judged: give rows a verifier or a short reference answer.")
    lengths = result.lengths
    n_cut = sum(not answer.finished for answer in result.answers)
    console.print(
        f"Stopped by itself: {percent(result.stopped)}. Words in an answer: {lengths['mean']:.0f} "
        f"on average, {lengths['median']:.0f} in the middle, {lengths['longest']:.0f} at most."
    )
    if n_cut and not result.accept_cut:
        console.print(
            f"{n_cut:,} of {len(result.answers):,} answers reached {result.max_new_tokens} tokens "
            "(or the end of the model's context) and count as wrong; --max-new-tokens raises the "
            "limit, and --accept-cut judges them."
        )
    _print_repeats(console, result)
    _print_leaks(console, result)
    wrong = [answer for answer in result.answers if answer.right is False]
    title = "Wrong answers" if result.total else "Answers"
    _print_answers(console, title, wrong if result.total else result.answers, show)


def _print_repeats(console: Any, result: EvalResult) -> None:
    n_repeated = len(result.answers) - len({answer.key for answer in result.answers})
    if n_repeated:
        console.print(
            f"{n_repeated:,} rows repeat the question of another row, so the intervals are "
            "narrower than they should be.",
            style="yellow",
        )


def _print_leaks(console: Any, result: EvalResult) -> None:
    if not result.train:
        return
    if not result.leaked:
        console.print(f"No question of {result.data} was found in {result.train}.", markup=False)
        return
    rest = "; none is left without them."
    if result.clean:
        share, bounds, counts = share_cells(result.clean)
        rest = f": without them {share} right ({bounds}; {counts})."
    console.print(
        f"{len(result.leaked):,} of {len(result.answers):,} questions stand in {result.train}, too"
        f"{rest}",
        style="yellow",
        markup=False,
    )
    for answer in result.leaked[:5]:
        console.print(f"  row {answer.row}: {answer.leak}", markup=False)
    if len(result.leaked) > 5:
        console.print(f"  and {len(result.leaked) - 5:,} more; --json names all.")


def _print_answers(console: Any, title: str, answers: list[Answer], show: int) -> None:
    from rich.table import Table
    from rich.text import Text

    if not answers or not show:
        return
    console.print(f"{title} ({min(show, len(answers))} of {len(answers):,}):")
    for answer in answers[:show]:
        grid = Table.grid(padding=(0, 1))
        grid.add_row(f"row {answer.row}", shortened(answer.prompt))
        grid.add_row("", Text.assemble("→ ", shortened(answer.answer)))
        if answer.fault:
            grid.add_row("", Text(printable(answer.fault), style="dim"))
        console.print(grid)
