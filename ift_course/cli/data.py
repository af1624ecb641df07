"""`ift data`: describe a data file, convert it to one layout, and choose its best rows."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import typer

from ift_course.cli.file_progress import FileProgress
from ift_course.cli.make_pairs import pairs
from ift_course.cli.options import EscapeSpecial, FoldSystem

if TYPE_CHECKING:
    from ift_course.data.changes import Part as PartName
    from ift_course.data.curation.curate_file import CuratedFile

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Look at a data set, convert it to one layout, choose the best of it, and make preference "
    "pairs with a model's own answers.",
)
app.command()(pairs)

# Copies of the types in data/, because importing those would make every command slower to start.
Layout = Literal["messages", "prompt-completion", "preference"]
Prefer = Literal["low_ifd", "high_ifd"]


class Part(str, Enum):  # Typer takes a list of enums, but not a list of Literals
    system = "system"
    reasoning = "reasoning"
    tools = "tools"


FileArgument = Annotated[
    Path,
    typer.Argument(help="JSON, JSONL, Parquet, Arrow, CSV or TSV, also compressed (.gz, .zst …)."),
]
RejectsOption = Annotated[
    Path | None, typer.Option(help="Where rows that cannot be used go; OUT.rejects.jsonl.")
]
OutOption = Annotated[Path, typer.Option(help="The JSONL file to write.")]
CountsAsJson = Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")]


@app.command()
def inspect(
    file: FileArgument,
    examples: Annotated[int, typer.Option(min=0, help="How many conversations to show.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Describe a data file: its schema, counts, lengths, turns, duplicates and examples.

    The columns show the schema: OpenHermes, UltraChat, Dolly, ShareGPT, Flan, Alpaca, LIMA,
    OpenAssistant, Capybara, OpenOrca, Gemini, prompt/completion, question/answer, messages, text
    with speakers, or preferences (UltraFeedback, HH-RLHF, Orca pairs, Nectar …). Columns of the
    file that nothing uses are named.

    [bold]Examples[/bold]

        ift data inspect dolly.jsonl

        ift data inspect train.parquet --examples 1
    """
    import json
    from dataclasses import asdict, is_dataclass

    from ift_course.data.inspection import inspect as inspect_file

    def plain(value: Any) -> Any:
        if is_dataclass(value) and not isinstance(value, type):
            return asdict(value)
        return str(value)

    with FileProgress("reading") as progress:
        result = inspect_file(file, examples=examples, on_rows=progress.show_rows)
    if as_json:
        print(json.dumps(result.as_dict(), ensure_ascii=False, indent=1, default=plain))
    else:
        from ift_course.cli.inspection_view import print_inspection

        print_inspection(file, result)
    if not result.usable:
        raise typer.Exit(1)


@app.command()
def convert(
    file: FileArgument,
    out: OutOption,
    to: Annotated[
        Layout | None,
        typer.Option(
            help="TRL's layout for it; by default pairs stay pairs and everything else becomes "
            "messages."
        ),
    ] = None,
    rejects: RejectsOption = None,
    origin: Annotated[str, typer.Option(help="Name of the data set, kept with every row.")] = "",
    license: Annotated[str, typer.Option(help="Its license, kept with every row.")] = "",
    without: Annotated[
        list[Part] | None, typer.Option(help="Leave out system turns, reasoning, or tools.")
    ] = None,
    fold_system: FoldSystem = False,
    escape_special: EscapeSpecial = False,
    as_json: CountsAsJson = False,
) -> None:
    """Convert a data file of any known schema to one layout.

    A row that cannot be used never stops the run: it goes to the rejects file with its number and
    the reason. Rows read = rows written + rows rejected (+ messages joined to a conversation). OUT
    appears when it is complete. Pairs keep both responses; a system turn, tools, reasoning and
    weights are kept where a row has them.

    [bold]Examples[/bold]

        ift data convert sharegpt.json --out chat.jsonl

        ift data convert dolly.jsonl --out dolly.chat.jsonl --license CC-BY-SA-3.0

        ift data convert pairs.parquet --out pairs.jsonl --fold-system
    """
    import json

    from ift_course.cli.accounts import account_lines, as_dict
    from ift_course.data.changes import Changes
    from ift_course.data.convert import convert as convert_file
    from ift_course.disk import disk_errors

    parts = [part.value for part in without or ()]
    changes = Changes(cast("tuple[PartName, ...]", tuple(parts)), fold_system, escape_special)
    with disk_errors(out), FileProgress("converting") as progress:
        account = convert_file(
            file,
            out,
            to=to,
            rejects=rejects,
            origin=origin,
            license=license,
            changes=changes,
            on_rows=lambda rows, so_far: progress.show_rows(rows, so_far.read),
        )
    if as_json:
        counts = as_dict(account)
        counts["written"] = counts.pop("used")
        print(json.dumps(counts | {"out": out}, default=str, indent=1))
        return
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False)
    console.print(
        f"{account.read:,} rows read, {account.used:,} written to {out}, "
        f"{account.rejected:,} rejected",
        markup=False,
    )
    for name, rows in account.schemas.most_common():
        console.print(f"  schema: {rows:,} {name}", markup=False)
    for title, line in account_lines(account):
        console.print(f"  {title} {line}", markup=False)
    if account.rejects:
        console.print(f"The rejected rows, with the reasons: {account.rejects}", markup=False)


@app.command()
def curate(
    file: FileArgument,
    keep: Annotated[int, typer.Option(min=1, help="How many rows to keep, at most.")],
    out: OutOption,
    report: Annotated[
        Path | None,
        typer.Option(help="A .jsonl or .csv file: one line about every row, with the reason."),
    ] = None,
    rejects: RejectsOption = None,
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
            help="With --model, which needs this choice: the answers that their questions help "
            "most (low_ifd, where many answers are wrong and the model knows the facts), or least "
            "(high_ifd, where answers can be trusted and easy rows teach little)."
        ),
    ] = None,
    threshold: Annotated[
        float, typer.Option(min=0.01, max=1, help="Similarity that makes a near duplicate.")
    ] = 0.8,
    shortest: Annotated[int, typer.Option(min=1, help="Characters of an answer, at least.")] = 1,
    longest: Annotated[int, typer.Option(min=1, help="Characters of an answer, at most.")] = 10_000,
    seed: Annotated[int, typer.Option(help="Decides between rows that are equally good.")] = 0,
    as_json: CountsAsJson = False,
) -> None:
    """Choose the rows of a data file that are worth learning from, with a reason for each row.

    Four filters are applied in turn: answers of a bad form (empty, broken off, the question
    repeated …), duplicates and near duplicates, with --model all but the best 2 × KEEP, and of the
    rest all but the KEEP rows whose questions differ most. Rows read = selected + dropped +
    rejected. OUT has the layout "messages", which ift sft and TRL read. No rule here can tell a
    true answer from a false one, so look at the rows that were selected.

    [bold]Examples[/bold]

        ift data curate dolly.jsonl --keep 1000 --out best.jsonl --report why.csv

        ift data curate chat.parquet --keep 1000 --out best.jsonl --model DIR --prefer low_ifd
    """
    import json

    from ift_course.cli.accounts import as_dict
    from ift_course.data.curation.curate_file import curate_file
    from ift_course.disk import disk_errors
    from ift_course.errors import CourseError

    if shortest > longest:
        raise CourseError(f"--shortest {shortest} is above --longest {longest}; no answer fits.")
    if prefer and model == "none":
        raise CourseError(f"--prefer {prefer} needs a model that ranks the rows; add --model DIR.")
    if model != "none" and not prefer:
        raise CourseError(
            f"--model {model} ranks the rows by IFD; add --prefer low_ifd (many answers are wrong) "
            "or --prefer high_ifd (answers can be trusted)."
        )
    ranking: dict[str, Any] = {}
    if model != "none":
        from ift_course.training.open_model import load

        ranking = dict(zip(("model", "tokenizer"), load(model), strict=True))
    with disk_errors(out), FileProgress("reading") as progress:
        result = curate_file(
            file,
            out,
            keep,
            report=report,
            rejects=rejects,
            seed=seed,
            threshold=threshold,
            prefer=prefer,
            shortest=shortest,
            longest=longest,
            on_rows=progress.show_rows,
            on_step=progress.show_step,
            **ranking,
        )
    if as_json:
        counts = vars(result) | {"out": out, "report": report, "account": as_dict(result.account)}
        print(json.dumps(counts, default=str, ensure_ascii=False, indent=1))
        return
    _print_curated(result, keep, out, report)


def _print_curated(result: CuratedFile, keep: int, out: Path, report: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ift_course.cli.accounts import account_lines
    from ift_course.terminal import printable

    console = Console(soft_wrap=True, highlight=False)
    console.print(
        f"{result.read:,} rows read, {result.selected:,} selected for {out}, "
        f"{result.dropped:,} dropped, {result.rejected:,} rejected",
        markup=False,
    )
    for title, line in account_lines(result.account):
        if title != "cannot":  # the table below shows these reasons with an example
            console.print(f"  {title} {line}", markup=False)
    if result.selected < keep:
        console.print(f"Fewer than the {keep:,} you requested: no more rows passed the filters.")
    table = Table("rows", "reason", "example", box=None, pad_edge=False, title_justify="left")
    table.columns[0].justify = "right"
    for reason, number in result.reasons.most_common():
        row, question = result.examples[reason]
        example = f"row {row:,}: {printable(question)}" if question else f"row {row:,}"
        table.add_row(f"{number:,}", Text(printable(reason)), Text(example, style="dim"))
    if result.reasons:
        console.print(table)
    if report:
        console.print(f"A line about every row: {report}", markup=False)
    if result.rejects:
        console.print(f"The rejected rows, with the reasons: {result.rejects}", markup=False)
