"""`ift data`: what a data file is, from any known layout to one, and the best rows of it."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Look at a data set, bring it into one layout, and choose the best of it.",
)


class Layout(str, Enum):
    messages = "messages"
    prompt_completion = "prompt-completion"


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help="JSON, JSONL, Parquet or CSV.")],
    examples: Annotated[int, typer.Option(min=0, help="How many conversations to show.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Say what a data file is: its schema, counts, lengths, turns, duplicates and examples.

    The schema is found by the columns: OpenHermes, UltraChat, Dolly, ShareGPT, Flan, Alpaca, LIMA,
    prompt/completion, messages or preferences.

    [bold]Examples[/bold]

        ift data inspect dolly.jsonl

        ift data inspect train.parquet --examples 1
    """
    import json
    from dataclasses import asdict

    from ift_course.data.inspection import inspect as look

    with _Progress("looking") as progress:
        found = look(file, examples=examples, on_rows=progress.rows)
    if as_json:
        print(json.dumps(vars(found), ensure_ascii=False, indent=1, default=asdict))
    else:
        _show(file, found)
    if not found.usable:
        raise typer.Exit(1)


@app.command()
def convert(
    file: Annotated[Path, typer.Argument(help="JSON, JSONL, Parquet or CSV.")],
    out: Annotated[Path, typer.Option(help="The JSONL file to write.")],
    to: Annotated[Layout, typer.Option(help="TRL's layout for it.")] = Layout.messages,
    rejects: Annotated[
        Path | None, typer.Option(help="Where rows that cannot be used go; OUT.rejects.jsonl.")
    ] = None,
    origin: Annotated[str, typer.Option(help="Name of the data set, kept with every row.")] = "",
    license: Annotated[str, typer.Option(help="Its license, kept with every row.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Bring a data file of any known schema into one layout.

    A row that cannot be used never stops the run: it goes to the rejects file with its number and
    the reason. Rows read = rows written + rows rejected. OUT appears when it is whole.

    [bold]Examples[/bold]

        ift data convert sharegpt.json --out chat.jsonl

        ift data convert dolly.jsonl --out dolly.chat.jsonl --license CC-BY-SA-3.0
    """
    import json

    from ift_course.data.convert import convert as run
    from ift_course.models.save import disk_errors

    with disk_errors(out), _Progress("converting") as progress:
        found = run(
            file, out, to=to.value, rejects=rejects, origin=origin, license=license,
            on_rows=lambda rows, so_far: progress.rows(rows, so_far.read),
        )  # fmt: skip
    if as_json:
        print(json.dumps(vars(found) | {"out": out}, default=str, indent=1))
        return
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False)
    console.print(
        f"{found.read:,} rows read, {found.written:,} written to {out}, {found.rejected:,} rejected"
    )
    for title, counts in (("schema", found.schemas), ("mended", found.repairs),
                          ("rejected", found.reasons)):  # fmt: skip
        for name, number in counts.most_common():
            console.print(f"  {title}: {number:,} {name}", markup=False)
    if found.rejects:
        console.print(f"The rejected rows, with the reasons: {found.rejects}", markup=False)


class Prefer(str, Enum):
    helped = "helped"
    hard = "hard"


@app.command()
def curate(
    file: Annotated[Path, typer.Argument(help="JSON, JSONL, Parquet or CSV.")],
    keep: Annotated[int, typer.Option(min=1, help="How many rows to keep, at most.")],
    out: Annotated[Path, typer.Option(help="The JSONL file to write.")],
    report: Annotated[
        Path | None, typer.Option(help="A .jsonl or .csv file: a line about every row, and why.")
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Where rows that cannot be used go; OUT.rejects.jsonl.")
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            help="An untuned language model, to rank the rows by how much their questions help "
            "their answers (IFD): a folder, a hub id, base (which knows the course's world only), "
            "or none."
        ),
    ] = "none",
    prefer: Annotated[
        Prefer | None,
        typer.Option(
            help="With --model: answers that their questions help most (helped, the default), or "
            "least (hard, for answers you can trust)."
        ),
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0.01, max=1, help="Resemblance that makes a near duplicate.")
    ] = 0.8,
    shortest: Annotated[int, typer.Option(min=1, help="Characters of an answer, at least.")] = 1,
    longest: Annotated[int, typer.Option(min=1, help="Characters of an answer, at most.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Decides between rows that are equally good.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Choose the rows of a data file that are worth learning from, and say why of each.

    Four sieves, one after the other: answers of a bad form (empty, broken off, the question said
    back …), duplicates and near duplicates, with --model all but the best 2 × KEEP, and of what is
    left the KEEP rows whose questions differ most. Rows read = kept + dropped + rejected. OUT has
    the layout "messages", which ift sft and TRL read. No rule here can tell a true answer from a
    false one: look at what was kept.

    [bold]Examples[/bold]

        ift data curate dolly.jsonl --keep 1000 --out best.jsonl --report why.csv

        ift data curate chat.parquet --keep 1000 --out best.jsonl --model ~/models/SmolLM2-135M
    """
    import json

    from ift_course.data.quality.files import curate_file
    from ift_course.errors import CourseError
    from ift_course.models.save import disk_errors

    if prefer and model == "none":
        raise CourseError(f"--prefer {prefer.value} needs a model to tell; add --model DIR.")
    judge = {}
    if model != "none":
        from ift_course.models.load import load

        judge = dict(zip(("model", "tokenizer"), load(model), strict=True))
    with disk_errors(out), _Progress("reading") as progress:
        found = curate_file(
            file, out, keep, report=report, rejects=rejects, seed=seed, threshold=threshold,
            prefer=(prefer or Prefer.helped).value, shortest=shortest, longest=longest,
            on_rows=progress.rows, on_step=progress.step, **judge,
        )  # fmt: skip
    if as_json:
        told = vars(found) | {"out": out, "report": report}
        print(json.dumps(told, default=str, ensure_ascii=False, indent=1))
        return
    _show_curated(found, keep, out, report)


def _show_curated(found, keep: int, out: Path, report: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(soft_wrap=True, highlight=False)
    console.print(
        f"{found.read:,} rows read, {found.kept:,} kept in {out}, {found.dropped:,} dropped, "
        f"{found.rejected:,} rejected",
        markup=False,
    )
    if found.kept < keep:
        console.print(f"Fewer than the {keep:,} you asked for: no more passed.")
    table = Table("rows", "why not", "for example", box=None, pad_edge=False, title_justify="left")
    table.columns[0].justify = "right"
    for reason, number in found.reasons.most_common():
        row, asked = found.examples[reason]
        example = f"row {row:,}: {asked}" if asked else f"row {row:,}"
        table.add_row(f"{number:,}", Text(reason), Text(example, style="dim"))
    if found.reasons:
        console.print(table)
    if report:
        console.print(f"A line about every row: {report}", markup=False)
    if found.rejects:
        console.print(f"The rejected rows, with the reasons: {found.rejects}", markup=False)


class _Progress:
    """A bar on the terminal: the share of the file that was read, and the rows so far."""

    def __init__(self, what: str):
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        self._what = what
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} % · {task.fields[rows]:,} rows"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )

    def __enter__(self) -> "_Progress":
        self._bar.start()
        self._task = self._bar.add_task(self._what, rows=0)
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def rows(self, rows, read: int) -> None:
        self._bar.update(self._task, total=rows.size, completed=rows.done, rows=read)

    def step(self, what: str, done: int, total: int) -> None:
        """A part of the work after the reading, which is shown as a bar of its own."""
        if what != self._what:
            self._bar.update(self._task, visible=False)
            self._what, self._task = what, self._bar.add_task(what, total=total, rows=0)
        self._bar.update(self._task, completed=done, rows=done)


def _show(file: Path, found) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")

    def line(name: str, text: str) -> None:
        from rich.text import Text

        table.add_row(name, Text(text))

    line("file", f"{file}, {found.kind}")
    line("schema", ", ".join(f"{n} ({c:,})" for n, c in found.schemas.most_common()) or "unknown")
    line("rows", f"{found.rows:,}, of which {found.usable:,} can be used")
    for why, number in found.reasons.most_common(8):
        line("cannot", f"{number:,}: {why}")
    for what, number in found.repairs.most_common():
        line("mended", f"{number:,}: {what}")
    if found.usable:
        for name, spread in (("prompt", found.prompt), ("response", found.response)):
            line(name, f"{spread.median:,} characters in the middle, 95 % up to {spread.p95:,}, "
                       f"longest {spread.longest:,}")  # fmt: skip
        turns = ", ".join(f"{n}: {c:,}" for n, c in sorted(found.turns.items())[:12])
        line("turns", f"{turns} rows")
        line("system", f"{found.with_system:,} rows have a system turn")
        line("duplicates", f"{found.duplicates:,} rows repeat another, "
                           f"{found.repeated_prompts:,} repeat another's prompt")  # fmt: skip
    if found.preferences:
        line("pairs", f"{found.preferences:,} rows have a rejected response beside the chosen one")
    if found.origins:
        line("origins", ", ".join(f"{n} ({c:,})" for n, c in found.origins.most_common(6)))
    console = Console(soft_wrap=True, highlight=False)
    console.print(table)
    for record in found.examples:
        console.print(f"\n{record.source}", style="bold", markup=False)
        for turn in record.turns:
            console.print(f"  {turn.role}: {_clip(turn.content)}", markup=False)


def _clip(text: str, longest: int = 300) -> str:
    shown = text.replace("\n", "\n    ")
    return shown if len(shown) <= longest else f"{shown[:longest]}…"
