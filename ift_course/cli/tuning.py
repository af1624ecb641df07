"""What `ift sft` and `ift dpo` share: the way from a file to a saved model, and the reports."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from ift_course.cli.held_out import HeldOutReport, HeldOutTest
    from ift_course.data.changes import Changes
    from ift_course.data.reading import Account, Reading
    from ift_course.data.records import Record
    from ift_course.training.options import Method
    from ift_course.training.runner import TrainingResult
    from ift_course.training.tuning_run import TuningRun

NATIVE_ADVICE = (
    "The model has no chat template: it gets that of its family, whose turn tokens its vocabulary "
    "reserves. If the model never met them, they are trained too."
)


@dataclass(frozen=True)
class Inputs:
    """What a tuning command reads and writes.

    Attributes:
        model: "base", "sft", a folder, or a hub id.
        data: the file of rows.
        out: the folder for the tuned model.
        rejects: the file for rows that cannot be used; None stops at the first.
        fold_system: put a system turn before the first question.
        escape_special: turn special tokens in texts into plain words.
        profile: decides which models "base" and "sft" are.
        as_json: print nothing but the report.
    """

    model: str
    data: Path
    out: Path
    rejects: Path | None
    fold_system: bool
    escape_special: bool
    profile: str | None
    as_json: bool

    @property
    def changes(self) -> Changes:
        """What is done to every row after it was read."""
        from ift_course.data.changes import Changes

        return Changes(fold_system=self.fold_system, escape_special=self.escape_special)


@dataclass(frozen=True)
class Outcome:
    """A saved model and what to report of it.

    Attributes:
        folder: where it is.
        account: what became of the rows of the file.
        n_rows: rows to train on.
        n_refused: rows among them that the chat template could not write.
        held_out: what changed on held-out rows, if there are any.
    """

    result: TrainingResult
    folder: Path
    account: Account
    n_rows: int
    n_refused: int
    held_out: HeldOutReport | None = None


def parse_targets(targets: str | None) -> tuple[str, ...] | None:
    """Return the layers' names in a text such as "q_proj,v_proj"; None for all linear layers.

    Raises:
        CourseError: a name is empty.
    """
    from ift_course.errors import CourseError
    from ift_course.training.adapter import ALL_LINEAR

    if targets is None or targets.strip() == ALL_LINEAR:
        return None
    names = tuple(name.strip() for name in targets.split(","))
    if not all(names):
        raise CourseError(
            f'--targets "{targets}" has an empty name; write it as q_proj,v_proj or {ALL_LINEAR}.'
        )
    return names


def tune(
    inputs: Inputs,
    *,
    method: Method,
    rank: int,
    targets: str | None,
    max_length: int | None,
    options: dict[str, Any],
    pairs: bool,
    advice: str,
    hold_out: float = 0.0,
) -> Outcome | None:
    """Read the rows, tune the model on them, and save it.

    Args:
        inputs: what is read and written.
        method: "full", "lora" or "qlora".
        rank: of the adapters.
        targets: names of the adapted layers, with commas between.
        max_length: in tokens; None means 1024 or the model's limit.
        options: other keywords of `sft` or `dpo`; a batch size or an accumulation of None is that
            of the profile.
        pairs: read preference pairs and use `dpo`.
        advice: printed for a model without a chat template.
        hold_out: the share of the rows on which the model is compared before and after.

    Returns:
        The outcome in the process that prints, None in the others.

    Raises:
        CourseError: an option, the file or the model cannot be used.
    """
    from ift_course import distributed
    from ift_course.cli import accounts
    from ift_course.data.pairs import pair_from
    from ift_course.data.reading import Refusals, read_rows
    from ift_course.training.adapter import Adapter

    adapter = Adapter(rank=rank, targets=parse_targets(targets))
    options = _with_sizes_of(inputs.profile, options)
    _check(inputs.profile, method, adapter, options, max_length)
    prints = distributed.is_main_process()
    unit = "pair" if pairs else "row"
    reading: Reading = read_rows(
        inputs.data, pairs=pairs, rejects=inputs.rejects, changes=inputs.changes
    )
    if prints and not inputs.as_json:
        accounts.print_account(reading.account, unit)
    records, n_rejected = reading.records, reading.account.rejected
    test = _hold_out(inputs, records, hold_out, options["seed"]) if hold_out else None
    records = test.split.training if test else records
    n_rows = len(records)
    # The trainers' libraries take seconds to load: a file that cannot be read is reported first.
    from ift_course.training.tuning_run import TuningRequest, finish, start, train

    request = TuningRequest(
        algorithm="dpo" if pairs else "sft",
        data=[pair_from(record) for record in records] if pairs else records,
        method=method,
        adapter=adapter,
        max_length=max_length,
        options=options,
    )
    run = start(request, inputs.model, inputs.out, inputs.profile)
    if prints and not inputs.as_json:
        _announce(run, accounts.count(n_rows, unit), advice)
    refusals = Refusals(reading.account, inputs.rejects) if inputs.rejects else None
    result = train(run, on_refused=refusals)
    folder = finish(run, result)
    if not prints:
        return None
    n_refused = reading.account.rejected - n_rejected
    report = test.report(folder) if test else None
    return Outcome(result, folder, reading.account, n_rows, n_refused, report)


def _hold_out(inputs: Inputs, records: list[Record], share: float, seed: int) -> HeldOutTest:
    """Hold rows out, and let the model answer them before it is tuned."""
    from ift_course.cli.evaluating import error_console
    from ift_course.cli.held_out import HeldOutTest
    from ift_course.training.tuning_run import refuse_finished

    refuse_finished(inputs.out.expanduser())
    test = HeldOutTest(records, inputs.data, share, seed, inputs.profile)
    if not inputs.as_json:
        error_console().print(test.describe(), markup=False)
    test.measure_before(inputs.model)
    return test


def report(outcome: Outcome, numbers: dict[str, Any]) -> dict[str, Any]:
    """Return the answer of --json.

    Args:
        outcome: of the command.
        numbers: what this algorithm alone reports.
    """
    from ift_course.cli.accounts import as_dict
    from ift_course.data.chat_templates import end_of_turn

    result = outcome.result
    end = end_of_turn(result.tokenizer)
    return {
        "out": str(outcome.folder),
        "steps": result.steps,
        "resumed_from": result.resumed_from,
        **numbers,
        "seconds": result.seconds,
        "peak_mb": result.peak_mb,
        "dropped": result.dropped,
        "truncated": result.truncated,
        "data": as_dict(outcome.account),
        **({"hold_out": outcome.held_out.to_dict()} if outcome.held_out else {}),
        "adapted": result.adapted,
        "not_adapted": result.not_adapted,
        "chat_templates_not_used": _other_templates(result.tokenizer),
        "end_of_turn": None if end is None else result.tokenizer.convert_ids_to_tokens(end),
    }


def show(outcome: Outcome, numbers: dict[str, str], inputs: Inputs, unit: str) -> None:
    """Print the final table.

    Args:
        outcome: of the command.
        numbers: the lines of this algorithm alone, by their titles.
        inputs: of the command.
        unit: "row" or "pair".
    """
    from rich.console import Console
    from rich.table import Table

    from ift_course.cli.accounts import count
    from ift_course.models.folders import is_adapter
    from ift_course.models.lora_adapters import size_mb

    result, folder = outcome.result, outcome.folder
    table = Table(show_header=False, box=None, pad_edge=False)
    resumed = f" (resumed from {result.resumed_from})" if result.resumed_from else ""
    table.add_row("steps", f"{result.steps}{resumed}")
    for title, number in numbers.items():
        table.add_row(title, number)
    if outcome.n_refused:
        rows = count(outcome.n_refused, unit)
        table.add_row("refused", f"{rows} by the chat template; see {inputs.rejects}")
    if result.adapted:
        layers = sum(result.adapted.values())
        table.add_row("LoRA on", f"{', '.join(result.adapted)}: {layers} layers")
    if result.not_adapted:
        table.add_row("left as is", f"{', '.join(result.not_adapted)}: not linear layers")
    table.add_row("minutes", f"{result.seconds / 60:.1f}")
    table.add_row("peak memory", f"{result.peak_mb / 1000:.1f} GB")
    if result.truncated:
        table.add_row("cut off", f"{count(result.truncated, unit)} longer than --max-length")
    if result.dropped:
        table.add_row("dropped", f"{count(result.dropped, unit)} with no response left")
    console = Console(soft_wrap=True, highlight=False)
    console.print(table)
    console.print(f"Saved in {folder}. Talk to it: [bold]ift chat --model {folder}[/bold]")
    if is_adapter(folder):
        console.print(
            f"That is the adapter alone, {size_mb(folder):.1f} MB. To make an ordinary model of it "
            f"and its base: [bold]ift merge {folder} --out DIR[/bold]"
        )
    if outcome.held_out:
        from ift_course.cli.held_out import print_report

        print_report(outcome.held_out)


def _with_sizes_of(profile: str | None, options: dict[str, Any]) -> dict[str, Any]:
    """Return the options with the profile's batch where the user gave none.

    A batch that suits the course's small model would fill a laptop's memory with the logits of a
    real one, and a small data set would give it too few steps.
    """
    from ift_course.profile import get_profile

    chosen = get_profile(profile)
    sizes = {
        "batch_size": chosen.batch_size,
        "gradient_accumulation": chosen.gradient_accumulation,
    }
    return {
        name: sizes[name] if value is None and name in sizes else value
        for name, value in options.items()
    }


def _check(
    profile: str | None,
    method: Method,
    adapter: Any,
    options: dict[str, Any],
    max_length: int | None,
) -> None:
    """Refuse options that no run can take before data and model are read."""
    from ift_course.errors import CourseError
    from ift_course.profile import get_profile
    from ift_course.training.limits import LIMITS, check_options

    get_profile(profile)
    limited = {k: value for k, value in options.items() if k in LIMITS or k == "optimizer"}
    check_options(flags=True, rank=adapter.rank, max_length=max_length, **limited)
    if adapter.targets and method == "full":
        raise CourseError("--targets is for adapters; add --method lora, or leave it out.")


def _announce(run: TuningRun, rows: str, advice: str) -> None:
    """Print what is about to be tuned; `rows` is a text such as "120 rows"."""
    from rich.console import Console

    from ift_course.data.chat_templates import active_template
    from ift_course.data.native_templates import native_template

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(f"{rows} · model of {run.model.num_parameters():,} parameters")
    if not active_template(run.tokenizer):
        console.print(NATIVE_ADVICE if native_template(run.tokenizer) else advice)
    elif warning := _never_stops(run.tokenizer):
        console.print(warning, style="yellow")
    if others := _other_templates(run.tokenizer):
        names = ", ".join(others)
        console.print(f"Of the model's chat templates, default is used, and not {names}.")


def _other_templates(tokenizer: PreTrainedTokenizerBase) -> list[str]:
    """Return the names of the templates that a tokenizer has beside its default."""
    templates = tokenizer.chat_template
    return sorted(templates.keys() - {"default"}) if isinstance(templates, dict) else []


def _never_stops(tokenizer: PreTrainedTokenizerBase) -> str | None:
    """Say why a model that is tuned through the template cannot learn where to stop, if so."""
    from ift_course.data.chat_templates import ANSWER, QUESTION, end_of_turn
    from ift_course.data.loss_mask import render
    from ift_course.errors import CourseError

    end = end_of_turn(tokenizer)
    if end is None:
        return (
            "The chat template closes an answer with no token of its own: the model will not learn "
            "where to stop."
        )
    roles = {"user": QUESTION, "assistant": ANSWER}
    try:
        ids, mask = render(tokenizer, [{"role": r, "content": text} for r, text in roles.items()])
    except CourseError:  # the data will show whether the template takes what they hold
        return None
    if end in [token for token, trained in zip(ids, mask, strict=True) if trained]:
        return None
    return (
        f"The chat template leaves {tokenizer.convert_ids_to_tokens(end)} out of its generation "
        "block: the model will not learn where to stop."
    )
