"""What `ift sft` and `ift dpo` say before and after they tune a model."""

from pathlib import Path


def names(targets: str | None) -> tuple[str, ...] | None:
    """The layers' names in an option such as "q_proj,v_proj"; None for all linear layers."""
    from ift_course.errors import CourseError
    from ift_course.training.adapter import ALL_LINEAR

    if targets is None or targets.strip() == ALL_LINEAR:
        return None
    parts = tuple(part.strip() for part in targets.split(","))
    if not all(parts):
        raise CourseError(
            f'--targets "{targets}" has an empty name; write it as q_proj,v_proj or {ALL_LINEAR}.'
        )
    return parts


def check(profile: str | None, method: str, adapter, options: dict, max_length: int | None) -> None:
    """Refuse options that no run can take before data and model are read.

    Raises:
        CourseError: a number is out of range, a name unknown, or --targets is of no use.
    """
    from ift_course.errors import CourseError
    from ift_course.profile import get_profile
    from ift_course.training.options import check_options

    get_profile(profile)
    check_options(flags=True, rank=adapter.rank, max_length=max_length, **options)
    if adapter.targets and method == "full":
        raise CourseError("--targets is for adapters; add --method lora, or leave it out.")


def read(data: Path, rejects: Path | None, changes, *, pairs: bool, quiet: bool):
    """The rows to train on, and what `run` needs to set more of them aside.

    Args:
        data: the file.
        rejects: where rows go that cannot be used; None stops at the first.
        changes: what to do to every row, `data.changes.Changes`.
        pairs: read preference pairs.
        quiet: say nothing of the rows, since --json will.

    Returns:
        The `Reading`, and the options of `sft` or `dpo` with the place for refused rows.
    """
    from ift_course import ranks
    from ift_course.cli import accounts
    from ift_course.data.reading import Refusals, read_rows

    reading = read_rows(data, pairs=pairs, rejects=rejects, changes=changes)
    if not quiet and ranks.is_first():
        accounts.print_account(reading.account, "pair" if pairs else "row")
    refused = Refusals(reading.account, rejects) if rejects else None
    return reading, {"on_refused": refused}


def announce(job, counted: str, without_template: str) -> None:
    """counted: such as "120 rows"; without_template: said of a model that has no chat template."""
    from rich.console import Console

    from ift_course.data.chat_templates import active_template

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(f"{counted} · model of {job.model.num_parameters():,} parameters")
    template = active_template(job.tokenizer)
    if not template:
        console.print(without_template)
    elif warning := _never_stops(job.tokenizer):
        console.print(warning, style="yellow")
    if others := _other_templates(job.tokenizer):
        names = ", ".join(others)
        console.print(f"Of the model's chat templates, default is used, and not {names}.")


def _other_templates(tokenizer) -> list[str]:
    """The names of the templates that a tokenizer has beside its default."""
    templates = tokenizer.chat_template
    return sorted(templates.keys() - {"default"}) if isinstance(templates, dict) else []


def _never_stops(tokenizer) -> str | None:
    """Why a model that is tuned through the template cannot learn where to stop, if it cannot."""
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


def report(result, folder: Path, numbers: dict, account) -> dict:
    """The answer of --json: what every tuning has, the numbers of this one, and of its rows."""
    from ift_course.cli.accounts import as_dict
    from ift_course.data.chat_templates import end_of_turn

    end = end_of_turn(result.tokenizer)
    return {
        "out": str(folder),
        "steps": result.steps,
        "resumed_from": result.resumed_from,
        **numbers,
        "seconds": result.seconds,
        "peak_mb": result.peak_mb,
        "dropped": result.dropped,
        "truncated": result.truncated,
        "data": as_dict(account),
        "adapted": result.adapted,
        "not_adapted": result.not_adapted,
        "chat_templates_not_used": _other_templates(result.tokenizer),
        "end_of_turn": None if end is None else result.tokenizer.convert_ids_to_tokens(end),
    }


def show(result, folder: Path, rows: dict[str, str], unit: str) -> None:
    """The final table, with the rows of this tuning in it. unit: "row" or "pair"."""
    from rich.console import Console
    from rich.table import Table

    from ift_course.cli.accounts import count
    from ift_course.models.folders import is_adapter
    from ift_course.models.lora_adapters import size_mb

    table = Table(show_header=False, box=None, pad_edge=False)
    resumed = f" (went on from {result.resumed_from})" if result.resumed_from else ""
    table.add_row("steps", f"{result.steps}{resumed}")
    for name, number in rows.items():
        table.add_row(name, number)
    if result.adapted:
        layers = sum(result.adapted.values())
        table.add_row("LoRA on", f"{', '.join(result.adapted)}: {layers} layers")
    if result.not_adapted:
        table.add_row("left as is", f"{', '.join(result.not_adapted)}: no linear layers")
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
            f"That is the adapter alone, {size_mb(folder):.1f} MB. An ordinary model of it and its "
            f"base: [bold]ift merge {folder} --out DIR[/bold]"
        )
