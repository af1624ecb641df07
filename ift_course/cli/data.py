"""`ift data`: what a data file is, from any known layout to one, and the best rows of it."""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ift_course.cli.options import EscapeSpecial, FoldSystem

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="rich",
    help="Look at a data set, bring it into one layout, and choose the best of it.",
)


KINDS = "JSON, JSONL, Parquet, Arrow, CSV or TSV, also packed (.gz, .zst …)."


class Layout(str, Enum):
    messages = "messages"
    prompt_completion = "prompt-completion"
    preference = "preference"


class Part(str, Enum):
    system = "system"
    reasoning = "reasoning"
    tools = "tools"


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(help=KINDS)],
    examples: Annotated[int, typer.Option(min=0, help="How many conversations to show.")] = 3,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object, for programs.")] = False,
) -> None:
    """Say what a data file is: its schema, counts, lengths, turns, duplicates and examples.

    The schema is found by the columns: OpenHermes, UltraChat, Dolly, ShareGPT, Flan, Alpaca, LIMA,
    OpenAssistant, Capybara, OpenOrca, Gemini, prompt/completion, question/answer, messages, text
    with speakers, or preferences (UltraFeedback, HH-RLHF, Orca pairs, Nectar …). What the file has
    and nothing here uses is named.

    [bold]Examples[/bold]

        ift data inspect dolly.jsonl

        ift data inspect train.parquet --examples 1
    """
    import json
    from dataclasses import asdict, is_dataclass

    from ift_course.data.inspection import inspect as look

    with _Progress("looking") as progress:
        result = look(file, examples=examples, on_rows=progress.rows)
    if as_json:
        text = json.dumps(result.as_dict(), ensure_ascii=False, indent=1,
                          default=lambda x: asdict(x) if is_dataclass(x) else str(x))  # fmt: skip
        print(text)
    else:
        _show(file, result)
    if not result.usable:
        raise typer.Exit(1)


@app.command()
def convert(
    file: Annotated[Path, typer.Argument(help=KINDS)],
    out: Annotated[Path, typer.Option(help="The JSONL file to write.")],
    to: Annotated[
        Layout | None,
        typer.Option(help="TRL's layout for it; pairs stay pairs, all else becomes messages."),
    ] = None,
    rejects: Annotated[
        Path | None, typer.Option(help="Where rows that cannot be used go; OUT.rejects.jsonl.")
    ] = None,
    origin: Annotated[str, typer.Option(help="Name of the data set, kept with every row.")] = "",
    license: Annotated[str, typer.Option(help="Its license, kept with every row.")] = "",
    without: Annotated[
        list[Part] | None, typer.Option(help="Leave out system turns, reasoning, or tools.")
    ] = None,
    fold_system: FoldSystem = False,
    escape_special: EscapeSpecial = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the counts as JSON.")] = False,
) -> None:
    """Bring a data file of any known schema into one layout.

    A row that cannot be used never stops the run: it goes to the rejects file with its number and
    the reason. Rows read = rows written + rows rejected (+ messages joined to a conversation). OUT
    appears when it is whole. Pairs keep both responses; a system turn, tools, reasoning and weights
    are kept where a row has them.

    [bold]Examples[/bold]

        ift data convert sharegpt.json --out chat.jsonl

        ift data convert dolly.jsonl --out dolly.chat.jsonl --license CC-BY-SA-3.0

        ift data convert pairs.parquet --out pairs.jsonl --fold-system
    """
    import json

    from ift_course.cli.accounts import as_dict, sentences
    from ift_course.data.changes import Changes
    from ift_course.data.convert import convert as run
    from ift_course.models.save import disk_errors

    changes = Changes(tuple(part.value for part in without or ()), fold_system, escape_special)
    with disk_errors(out), _Progress("converting") as progress:
        account = run(
            file, out, to=to and to.value, rejects=rejects, origin=origin, license=license,
            changes=changes, on_rows=lambda rows, so_far: progress.rows(rows, so_far.read),
        )  # fmt: skip
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
    for title, line in sentences(account):
        console.print(f"  {title} {line}", markup=False)
    if account.rejects:
        console.print(f"The rejected rows, with the reasons: {account.rejects}", markup=False)


class Prefer(str, Enum):
    helped = "helped"
    hard = "hard"


@app.command()
def curate(
    file: Annotated[Path, typer.Argument(help=KINDS)],
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

    from ift_course.data.curation.curate_file import curate_file
    from ift_course.errors import CourseError
    from ift_course.models.save import disk_errors

    if shortest > longest:
        raise CourseError(f"--shortest {shortest} is above --longest {longest}; no answer fits.")
    if prefer and model == "none":
        raise CourseError(f"--prefer {prefer.value} needs a model to tell; add --model DIR.")
    judge = {}
    if model != "none":
        from ift_course.training.open_model import load

        judge = dict(zip(("model", "tokenizer"), load(model), strict=True))
    with disk_errors(out), _Progress("reading") as progress:
        found = curate_file(
            file, out, keep, report=report, rejects=rejects, seed=seed, threshold=threshold,
            prefer=(prefer or Prefer.helped).value, shortest=shortest, longest=longest,
            on_rows=progress.rows, on_step=progress.step, **judge,
        )  # fmt: skip
    if as_json:
        from ift_course.cli.accounts import as_dict

        counts = vars(found) | {"out": out, "report": report, "account": as_dict(found.account)}
        print(json.dumps(counts, default=str, ensure_ascii=False, indent=1))
        return
    _show_curated(found, keep, out, report)


def _show_curated(found, keep: int, out: Path, report: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ift_course.cli.accounts import sentences
    from ift_course.terminal import printable

    console = Console(soft_wrap=True, highlight=False)
    console.print(
        f"{found.read:,} rows read, {found.kept:,} kept in {out}, {found.dropped:,} dropped, "
        f"{found.rejected:,} rejected",
        markup=False,
    )
    for title, line in sentences(found.account):
        if title != "cannot":  # which the table below says with an example
            console.print(f"  {title} {line}", markup=False)
    if found.kept < keep:
        console.print(f"Fewer than the {keep:,} you asked for: no more passed.")
    table = Table("rows", "why not", "for example", box=None, pad_edge=False, title_justify="left")
    table.columns[0].justify = "right"
    for reason, number in found.reasons.most_common():
        row, asked = found.examples[reason]
        example = f"row {row:,}: {printable(asked)}" if asked else f"row {row:,}"
        table.add_row(f"{number:,}", Text(printable(reason)), Text(example, style="dim"))
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


def _show(file: Path, result) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ift_course.cli.accounts import count, sentences
    from ift_course.terminal import printable

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")

    def line(name: str, text: str) -> None:
        table.add_row(name, Text(text))

    def lengths(name: str, spread) -> None:
        line(name, f"{spread.median:,} characters in the middle, 95 % up to {spread.p95:,}, "
                   f"longest {spread.longest:,}")  # fmt: skip

    account = result.account
    line("file", f"{printable(str(file))}, {result.kind}")
    schemas = ", ".join(f"{name} ({rows:,})" for name, rows in account.schemas.most_common())
    line("schema", schemas or "unknown")
    line("rows", f"{account.read:,}, of which {account.used:,} can be used")
    for title, text in sentences(account):
        line(title, text)
    if result.preferences:
        line("pairs", f"preferences: {count(result.preferences, 'pair')} of a chosen and a "
                      "rejected response")  # fmt: skip
    if account.used:
        lengths("prompt", result.prompt)
        lengths("response", result.response)
        if result.preferences:
            lengths("rejected", result.rejected_response)
        turns = ", ".join(f"{n}: {c:,}" for n, c in sorted(result.turns.items())[:12])
        line("turns", f"{turns} rows")
        line("system", f"{count(result.with_system, 'row')} with a system turn")
        line("duplicates", f"{count(result.duplicates, 'row')} repeating another, "
                           f"{result.repeated_prompts:,} repeating another's prompt")  # fmt: skip
    for name, rows in (("tools", result.with_tools), ("reasoning", result.with_reasoning)):
        if rows:
            line(name, f"{count(rows, 'row')} with {name}")
    if result.with_weights:
        line("weights", f"{count(result.with_weights, 'row')} with an answer that is not trained")
    if result.origins:
        origins = ", ".join(f"{n} ({c:,})" for n, c in result.origins.most_common(6))
        line("origins", printable(origins))
    console = Console(soft_wrap=True, highlight=False)
    console.print(table)
    for record in result.examples:
        console.print(f"\n{printable(record.source)}", style="bold", markup=False)
        for speaker, words in _spoken(record):
            console.print(f"  {speaker}: {_clip(printable(words))}", markup=False)


def _spoken(record) -> Iterator[tuple[str, str]]:
    """Who says what in a record, the chosen and the rejected response named as such."""
    *earlier, last = record.turns
    for turn in earlier:
        yield turn.role, _with_calls(turn)
    yield "chosen" if record.rejected else last.role, _with_calls(last)
    for turn in record.rejected:
        yield "rejected", _with_calls(turn)


def _with_calls(turn) -> str:
    calls = [call["function"]["name"] for call in turn.tool_calls]
    thoughts = [f"(thinks: {turn.reasoning})"] if turn.reasoning else []
    return " ".join([*thoughts, turn.content, *(f"(calls {name})" for name in calls)]).strip()


def _clip(text: str, longest: int = 300) -> str:
    indented = text.replace("\n", "\n    ")
    return indented if len(indented) <= longest else f"{indented[:longest]}…"
