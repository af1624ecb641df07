"""`ift diagnose`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ift_course.cli.file_progress import FileProgress
from ift_course.cli.options import ProfileOption

if TYPE_CHECKING:
    from rich.console import Console

    from ift_course.diagnosis.colored_tokens import RowView
    from ift_course.diagnosis.diagnose import Diagnosis
    from ift_course.diagnosis.finding import Finding

COLORS = {"error": "bold red", "warning": "bold yellow", "note": "bold cyan"}


def diagnose(
    data: Annotated[Path, typer.Argument(help="A file in any layout that ift data inspect reads.")],
    model: Annotated[
        str,
        typer.Option(help="base, sft, the folder of a model or of a tokenizer alone, or a hub id."),
    ],
    rows: Annotated[int, typer.Option(min=0, help="How many rows to show as tokens.")] = 1,
    row: Annotated[int | None, typer.Option(min=1, help="Show the row of this number.")] = None,
    max_length: Annotated[
        int | None, typer.Option(help="Tokens a row is cut at; 1024 or the model's limit.")
    ] = None,
    test: Annotated[
        Path | None,
        typer.Option(help="Test questions, with or without answers, to be searched in DATA."),
    ] = None,
    trained_with: Annotated[
        str | None,
        typer.Option(help="The model or tokenizer whose chat template was used in training."),
    ] = None,
    trl: Annotated[
        bool, typer.Option(help="Also let TRL prepare the first rows with its own settings.")
    ] = True,
    html: Annotated[
        Path | None, typer.Option(help="Also write everything into this one HTML file.")
    ] = None,
    profile: ProfileOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Show which tokens of your own rows are trained, and find what would go wrong silently.

    The rows are formatted, tokenized and labeled as ift sft does it, and TRL's SFTTrainer prepares
    the first of them with its own settings beside it. Each finding says which rows it concerns,
    what will happen, the remedy, and the lesson that explains it. Nothing is trained, and no
    weights are loaded but the output embedding.

    Exits with 1 if a finding is an error, with 2 if the file or the model cannot be read.

    [bold]Examples[/bold]

        ift diagnose my.jsonl --model base

        ift diagnose my.jsonl --model ~/models/SmolLM2-135M --max-length 512 --row 17

        ift diagnose my.jsonl --model models/mine --test test.jsonl --html diagnosis.html

        ift diagnose my.jsonl --model ./served --trained-with models/mine --json
    """
    import json

    from ift_course.training.limits import check_options

    check_options(flags=True, max_length=max_length)
    with FileProgress("reading") as progress:
        from ift_course.diagnosis.case import read_case
        from ift_course.diagnosis.colored_tokens import row_views, write_html
        from ift_course.diagnosis.diagnose import diagnose as run_checks
        from ift_course.diagnosis.subject import open_subject
        from ift_course.evaluation.leaks import read_questions

        case = read_case(
            data,
            open_subject(model, max_length=max_length, profile=profile),
            test_questions=read_questions(test, progress.show_rows) if test else (),
            trained_with=open_subject(trained_with, profile=profile) if trained_with else None,
            on_rows=progress.show_rows,
            on_step=progress.show_step,
        )
        views = row_views(case, first=rows, number=row)
        diagnosis = run_checks(case, with_trl=trl)
    if html:
        write_html(html, diagnosis, views)
    if as_json:
        tokens = [
            {
                "row": view.number,
                "counts": view.counts,
                "tokens": [vars(token) for token in view.tokens],
            }
            for view in views
        ]
        print(json.dumps(diagnosis.as_dict() | {"shown": tokens}, ensure_ascii=False, indent=1))
    else:
        _print_diagnosis(diagnosis, views)
        if html:
            print(f"Written: {html}")
    if diagnosis.has_errors:
        raise typer.Exit(1)


def _print_diagnosis(diagnosis: Diagnosis, views: Sequence[RowView]) -> None:
    from rich.console import Console

    from ift_course.cli.accounts import account_lines, count
    from ift_course.terminal import printable

    console = Console(soft_wrap=True, highlight=False)
    case, subject = diagnosis.case, diagnosis.case.subject
    schemas = ", ".join(case.account.schemas)
    console.print(
        f"{count(case.account.read, 'row')} ({schemas}), {len(case.rows):,} usable · model "
        f"{subject.name} · rows are cut at {subject.max_length:,} tokens",
        markup=False,
    )
    for title, line in account_lines(case.account):
        if title not in ("cannot", "warning"):  # the findings say these
            console.print(f"  {title} {line}", markup=False, style="dim")
    console.print(
        f"{case.n_trained:,} of {case.n_tokens:,} tokens are trained "
        f"({diagnosis.share_trained:.1%})"
    )
    _print_views(console, views)
    for finding in diagnosis.findings:
        _print_finding(console, finding)
    if not diagnosis.findings:
        console.print("\nNo findings.", style="green")
    if diagnosis.trl:
        n_rows = count(diagnosis.trl[0].rows, "row")
        console.print(f"\nWhat TRL's SFTTrainer, alone, makes of the first {n_rows} (measured):")
    for outcome in diagnosis.trl:
        line = f"  {outcome.settings} {outcome.sentence}"
        console.print(printable(line), markup=False)
    for unchecked in diagnosis.unchecked:
        console.print(f"Not checked, {unchecked.id}: {unchecked.reason}", style="dim", markup=False)


def _print_views(console: Console, views: Sequence[RowView]) -> None:
    from rich.text import Text

    from ift_course.diagnosis.colored_tokens import MEANINGS, SPECIAL, STYLES

    for view in views:
        legend = Text(f"\nRow {view.number}  ", "bold")
        for kind in MEANINGS:
            if kind != "cut" or view.counts["cut"]:
                legend.append(kind, STYLES[kind]).append("  ")
        legend.append("special", SPECIAL).append("  · space  ↵ newline\n", "dim")
        console.print(legend.append(view.summary, "dim"))
        console.print(view)


def _print_finding(console: Console, finding: Finding) -> None:
    from rich.text import Text

    from ift_course.cli.accounts import count
    from ift_course.diagnosis.finding import FIRST_ROWS
    from ift_course.terminal import printable

    heading = Text(f"{finding.severity:8}", COLORS[finding.severity])
    heading.append(f"{printable(finding.title)}.", "bold")
    if finding.rows:
        first = ", ".join(map(str, finding.rows[:FIRST_ROWS]))
        more = " …" if len(finding.rows) > FIRST_ROWS else ""
        heading.append(f" {count(len(finding.rows), 'row')}: {first}{more}", "dim")
    console.print()
    console.print(heading)
    lines = [finding.example, finding.consequence]
    for line in filter(None, lines):
        console.print(f"        {printable(line)}", markup=False)
    console.print(f"        → {printable(finding.remedy)}", markup=False, style="green")
    console.print(f"        see {finding.lesson}", markup=False, style="dim")
