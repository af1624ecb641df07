"""`ift submit`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def submit(
    folder: Annotated[Path, typer.Argument(help="Your folder of the capstone.")] = Path("capstone"),
    out: Annotated[
        Path | None, typer.Option(help="The zip to write; FOLDER.zip by default.")
    ] = None,
    title: Annotated[str, typer.Option(help="What you call your assistant.")] = "",
    begin: Annotated[
        bool, typer.Option("--begin", help="Write the pool and the templates into FOLDER.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Only say whether the folder would be accepted.")
    ] = False,
) -> None:
    """Pack your capstone into one zip: the rows, the settings, the adapter and the report.

    The folder holds data.jsonl (at most 300 rows, in any layout that `ift sft` reads), config.yaml
    (at most 200 steps), report.md (half a page), and the folder adapter/ that PEFT's
    save_pretrained wrote: LoRA on the base of the course, as safetensors. What breaks a rule is
    refused in one sentence, by the checks that the grader runs, too.

    [bold]Examples[/bold]

        ift submit capstone --begin

        ift submit capstone --check

        ift submit capstone --title "Curated by hand" --out jane.zip
    """
    from rich.console import Console

    from ift_course.capstone import packing, suspicion

    console = Console(soft_wrap=True, highlight=False)
    if begin:
        written = packing.begin(folder)
        names = ", ".join(path.name for path in written) or "nothing new"
        console.print(f"{folder} has {names}. Read the pool first, then curate it to data.jsonl.")
        return
    submission = packing.collect(folder, title)
    spec = submission.spec
    console.print(
        f"{len(submission.records)} rows, {submission.settings.steps} steps, rank {spec.rank} on "
        f"{len(spec.scales)} layers, report filled in."
    )
    if sentence := suspicion.look_at_rows(submission.records).sentence:
        console.print(f"[yellow]{sentence} A grader will see this.[/yellow]")
    if check:
        console.print("This would be accepted.")
        return
    path = out or folder.with_name(f"{folder.resolve().name}.zip")
    packing.pack(submission, path)
    console.print(f"{path} is ready to hand in ({path.stat().st_size / 1e6:.1f} MB).")
    console.print(f"Try it on an exam first: ift exam {path}")
