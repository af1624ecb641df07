"""What `ift sft` and `ift dpo` say before and after they tune a model."""

from pathlib import Path


def announce(job, counted: str, without_template: str) -> None:
    """counted: such as "120 rows"; without_template: said of a model that has no chat template."""
    from rich.console import Console

    from ift_course.data.templates import active_template

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(f"{counted} · model of {job.model.num_parameters():,} parameters")
    if not active_template(job.tokenizer):
        console.print(without_template)


def report(result, folder: Path, numbers: dict) -> dict:
    """The answer of --json: what every tuning has, and the numbers of this one."""
    return {
        "out": str(folder),
        "steps": result.steps,
        "resumed_from": result.resumed_from,
        **numbers,
        "seconds": result.seconds,
        "peak_mb": result.peak_mb,
        "dropped": result.dropped,
        "truncated": result.truncated,
    }


def show(result, folder: Path, rows: dict[str, str], unit: str) -> None:
    """The final table, with the rows of this tuning in it. unit: "rows" or "pairs"."""
    from rich.console import Console
    from rich.table import Table

    from ift_course.models.adapters import is_adapter, size_mb

    table = Table(show_header=False, box=None, pad_edge=False)
    resumed = f" (went on from {result.resumed_from})" if result.resumed_from else ""
    table.add_row("steps", f"{result.steps}{resumed}")
    for name, number in rows.items():
        table.add_row(name, number)
    table.add_row("minutes", f"{result.seconds / 60:.1f}")
    table.add_row("peak memory", f"{result.peak_mb / 1000:.1f} GB")
    if result.truncated:
        table.add_row("cut off", f"{result.truncated} {unit} longer than --max-length")
    if result.dropped:
        table.add_row("dropped", f"{result.dropped} {unit} with no response left")
    console = Console(soft_wrap=True, highlight=False)
    console.print(table)
    console.print(f"Saved in {folder}. Talk to it: [bold]ift chat --model {folder}[/bold]")
    if is_adapter(folder):
        console.print(
            f"That is the adapter alone, {size_mb(folder):.1f} MB. An ordinary model of it and its "
            f"base: [bold]ift merge {folder} --out DIR[/bold]"
        )
