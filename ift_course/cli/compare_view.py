"""How `ift compare` and `ift sft --hold-out` print a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ift_course.terminal import printable

if TYPE_CHECKING:
    from ift_course.evaluation.comparison import Comparison
    from ift_course.evaluation.eval_result import Answer
    from ift_course.evaluation.paired import PairedCounts


def print_comparison(comparison: Comparison, *, changes: bool = True) -> None:
    """Print the verdict, the scores, the differences by category, and the largest changes.

    Args:
        comparison: The comparison.
        changes: Print the largest changes, too.
    """
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False)
    console.print(f"A = {comparison.a}, B = {comparison.b}, on {comparison.data}", markup=False)
    if comparison.judged:
        console.print(f"{comparison.verdict}.", style="bold")
        console.print(_score_table(comparison))
    else:
        console.print(
            "No row can be judged, so the answers are only shown; vote on them with --blind."
        )
    if comparison.n_unpaired:
        console.print(
            f"{comparison.n_unpaired:,} answers have no partner in the other result and are left "
            "out.",
            style="yellow",
        )
    console.print(comparison.length_sentence)
    stopped_a, stopped_b = (f"{100 * share:.0f} %" for share in comparison.stopped)
    console.print(f"Stopped by itself: A {stopped_a}, B {stopped_b}.")
    if changes:
        _print_changes(console, comparison)
    from ift_course.evaluation.comparison import METHOD

    console.print(METHOD, style="dim")


def difference_cell(counts: PairedCounts) -> str:
    """The difference in points with its interval."""
    low, high = (100 * bound for bound in counts.interval)
    return f"{100 * counts.difference:+.0f} ({low:+.0f} to {high:+.0f})".replace("-", "−")


def _score_table(comparison: Comparison) -> Any:
    from rich.table import Table
    from rich.text import Text

    columns = ("", "items", "A right", "B right", "only A", "only B", "B − A in points")
    table = Table(*columns, box=None, pad_edge=False)
    for column in table.columns[1:]:
        column.justify = "right"
    for name, counts in comparison.categories.items():
        table.add_row(Text(printable(name)), *_count_cells(comparison, counts, name))
    table.add_row("all", *_count_cells(comparison, comparison.counts), style="bold")
    return table


def _count_cells(
    comparison: Comparison, counts: PairedCounts, category: str | None = None
) -> tuple[str, ...]:
    pairs = [p for p in comparison.judged if category is None or p[0].category == category]
    right = [sum(bool(pair[i].right) for pair in pairs) for i in (0, 1)]
    return (
        f"{counts.n:,}",
        *(f"{100 * n / counts.n:.0f} %" for n in right),
        f"{counts.only_a:,}",
        f"{counts.only_b:,}",
        difference_cell(counts),
    )


def _print_changes(console: Any, comparison: Comparison) -> None:
    from rich.table import Table

    from ift_course.cli.eval_view import shortened

    pairs = comparison.changes()
    if not pairs:
        console.print("All answers are the same.")
        return
    console.print(f"The {len(pairs)} largest changes:" if len(pairs) > 1 else "The only change:")
    table = Table("row", "question", "A", "B", show_lines=True)
    for a, b in pairs:
        table.add_row(f"{a.row}", shortened(a.prompt), _answer_cell(a), _answer_cell(b))
    console.print(table, soft_wrap=False)


def _answer_cell(answer: Answer) -> Any:
    from rich.text import Text

    from ift_course.cli.eval_view import shortened

    mark = {True: ("✓ ", "green"), False: ("✗ ", "red"), None: ("", "")}[answer.right]
    cell = Text.assemble(mark, shortened(answer.answer))
    if answer.fault:
        cell.append(f"\n{printable(answer.fault)}", style="dim")
    return cell
