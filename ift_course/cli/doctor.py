"""`ift doctor`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ift_course.cli.options import ProfileOption

if TYPE_CHECKING:
    from rich.table import Table

    from ift_course.lessons.doctor import Diagnosis


def doctor(
    profile: ProfileOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
    grading: Annotated[
        bool, typer.Option("--grading", help="Only how well student code would be isolated.")
    ] = False,
) -> None:
    """Show what this machine can run, what each lesson costs, and how to fix each problem.

    Exits with 1 if a problem keeps the lessons from running.

    [bold]Examples[/bold]

        ift doctor

        ift doctor --profile smollm2

        ift doctor --grading

        ift doctor --json | python -c "import json, sys; print(json.load(sys.stdin)['problems'])"
    """
    import json
    from dataclasses import asdict

    from ift_course.cli.grade import doctor_grading
    from ift_course.lessons.doctor import diagnose
    from ift_course.profile import get_profile

    if grading:
        return doctor_grading()
    diagnosis = diagnose(get_profile(profile))
    if as_json:
        print(json.dumps(asdict(diagnosis), indent=1, ensure_ascii=False))
    else:
        _print_diagnosis(diagnosis)
    if any(x.blocking for x in diagnosis.problems):
        raise typer.Exit(1)


def _print_diagnosis(diagnosis: Diagnosis) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    for table in (
        _machine_table(diagnosis),
        _package_table(diagnosis),
        _profile_table(diagnosis),
        _lesson_table(diagnosis),
    ):
        console.print(table)
        console.print()
    for x in diagnosis.profiles:
        if x.terms:
            console.print(f"[bold]{x.profile}[/bold]: {x.terms}\n", soft_wrap=True)
    if not diagnosis.problems:
        console.print("[green]No problems.[/green]")
    for x in diagnosis.problems:
        style = "red" if x.blocking else "yellow"
        console.print(f"[{style}]{x.problem}[/{style}]: {x.remedy}")


def _table(title: str, *columns: str) -> Table:
    from rich.table import Table

    table = Table(*columns, title=title, title_justify="left", title_style="bold", box=None)
    table.pad_edge = False
    return table


def _machine_table(diagnosis: Diagnosis) -> Table:
    hardware = diagnosis.hardware
    table = _table("Machine", "", "")
    table.show_header = False
    table.add_row("Python", diagnosis.python)
    table.add_row("CPU", f"{hardware.cpu}, {hardware.cores} cores")
    table.add_row("AVX512_BF16", "yes" if hardware.avx512_bf16 else "no")
    table.add_row("training precision", "bf16" if hardware.bf16 else "fp32")
    table.add_row("memory", f"{hardware.memory_gb} GB, {diagnosis.memory_free_gb} GB free")
    table.add_row("free disk", f"{diagnosis.disk_free_gb} GB")
    gpu = hardware.gpu or "none"
    if hardware.gpu_memory_gb:
        gpu += f", {hardware.gpu_memory_gb} GB"
    table.add_row("GPU", gpu)
    return table


def _package_table(diagnosis: Diagnosis) -> Table:
    table = _table("Packages", "name", "installed", "tested with", "allowed", "")
    texts = {
        "tested": "[green]as tested[/green]",
        "allowed": "in range",
        "outside": "[red]outside the range[/red]",
        "missing": "[red]missing[/red]",
    }
    for x in diagnosis.packages:
        table.add_row(x.name, x.installed or "", x.tested or "", x.allowed, texts[x.state])
    return table


def _profile_table(diagnosis: Diagnosis) -> Table:
    table = _table("Profiles", "name", "", "model")
    for x in diagnosis.profiles:
        table.add_row(x.profile, "[green]fits[/green]" if x.fits else x.why_not, x.about)
    return table


def _lesson_table(diagnosis: Diagnosis) -> Table:
    table = _table(f"Lessons on the profile {diagnosis.profile}", "lesson", "minutes", "memory", "")
    for x in diagnosis.lessons:
        if x.minutes is None:
            table.add_row(f"{x.lesson} {x.title}", "", "", "not measured yet")
        else:
            memory = f"{x.peak_memory_gb} GB"
            table.add_row(
                f"{x.lesson} {x.title}", str(x.minutes), memory, f"measured on {x.measured_on}"
            )
    return table
