"""`ift dpo`."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class Method(str, Enum):
    full = "full"
    lora = "lora"


def dpo(
    model: Annotated[
        str, typer.Option(help="An instruction-tuned model: sft, a model folder, or a hub id.")
    ],
    data: Annotated[
        Path, typer.Option(help="Preferences: JSON, JSONL, Parquet or CSV with chosen, rejected.")
    ],
    out: Annotated[Path, typer.Option(help="The folder for the tuned model.")],
    beta: Annotated[
        float, typer.Option(help="How dearly a distance from the model is paid for.")
    ] = 0.1,
    method: Annotated[
        Method, typer.Option(help="full changes every weight, lora trains small adapters.")
    ] = Method.full,
    max_steps: Annotated[
        int, typer.Option(help="Stop after so many steps; -1 leaves it to --epochs.")
    ] = -1,
    epochs: Annotated[float, typer.Option(help="How often every pair is seen.")] = 1.0,
    lr: Annotated[
        float | None, typer.Option(help="Peak learning rate; chosen by model size without it.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Pairs a step.")] = 16,
    max_length: Annotated[
        int | None,
        typer.Option(min=2, help="Tokens a response ends at; 1024 or the model's limit."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides the order of the pairs.")] = 0,
    profile: Annotated[
        str | None, typer.Option(help="Which base and sft are meant; else $IFT_PROFILE, else tiny.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Tune a model on preferences: chosen responses get likelier than rejected ones.

    The reference is the model you give, as it is before the first step. A prompt may stand in a
    column of its own or begin both responses; each is a string or a list of messages. If the run is
    stopped or killed, the same command goes on from its last checkpoint.

    [bold]Examples[/bold]

        ift dpo --model sft --data pairs.jsonl --out models/polite

        ift dpo --model models/mine --data pairs.jsonl --out models/polite --beta 0.3 --max-steps 50

    A line of pairs.jsonl:
    [dim]{"prompt": "Is Rome in Spain?", "chosen": "No, in Italy.", "rejected": "Yes!"}[/dim]
    """
    import json

    from ift_course.data.preferences import read_pairs
    from ift_course.training.job import finish, run, start
    from ift_course.training.preference.dpo import dpo as tune

    pairs = read_pairs(data)
    job = start(model, out, profile)
    if not json_:
        _announce(job, pairs)
    result = run(
        job,
        pairs,
        train=tune,
        beta=beta,
        method=method.value,
        max_steps=max_steps,
        epochs=epochs,
        learning_rate=lr,
        batch_size=batch_size,
        max_length=max_length,
        seed=seed,
    )
    folder = finish(job, result)
    if json_:
        print(json.dumps(_report(result, folder), indent=2))
    else:
        _show(result, folder)


def _announce(job, pairs) -> None:
    from rich.console import Console

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    console.print(f"{len(pairs)} pairs · model of {job.model.num_parameters():,} parameters")
    if not job.tokenizer.chat_template:
        console.print(
            "The model has no chat template: it gets ChatML. DPO works best on a model that was "
            "tuned on demonstrations first (ift sft)."
        )


MEASURES = ("loss", "rewards/margins", "rewards/accuracies", "logps/chosen", "logps/rejected")


def _report(result, folder: Path) -> dict:
    first, last = result.history[0], result.history[-1]
    return {
        "out": str(folder),
        "steps": result.steps,
        "resumed_from": result.resumed_from,
        "first": {name: first[name] for name in MEASURES},
        "last": {name: last[name] for name in MEASURES},
        "seconds": result.seconds,
        "peak_mb": result.peak_mb,
        "dropped": result.dropped,
        "truncated": result.truncated,
    }


def _show(result, folder: Path) -> None:
    from rich.console import Console
    from rich.table import Table

    first, last = result.history[0], result.history[-1]
    table = Table(show_header=False, box=None, pad_edge=False)
    resumed = f" (went on from {result.resumed_from})" if result.resumed_from else ""
    table.add_row("steps", f"{result.steps}{resumed}")
    for name, what in (
        ("loss", "loss"),
        ("rewards/margins", "margin"),
        ("rewards/accuracies", "pairs ranked right"),
        ("logps/chosen", "log p(chosen)"),
        ("logps/rejected", "log p(rejected)"),
    ):
        table.add_row(what, f"{first[name]:.3f} → {last[name]:.3f}")
    table.add_row("minutes", f"{result.seconds / 60:.1f}")
    table.add_row("peak memory", f"{result.peak_mb / 1000:.1f} GB")
    if result.truncated:
        table.add_row("cut off", f"{result.truncated} pairs longer than --max-length")
    if result.dropped:
        table.add_row("dropped", f"{result.dropped} pairs with no response left")
    console = Console(soft_wrap=True, highlight=False)
    console.print(table)
    console.print(f"Saved in {folder}. Talk to it: [bold]ift chat --model {folder}[/bold]")
