"""`ift memory`."""

from enum import Enum
from typing import Annotated

import typer

NOT_MEASURED = (
    "The allocator's part is checked by measuring on a CPU. Not measured, for want of a GPU: the "
    "CUDA context (0.75 GB assumed), the workspaces of CUDA's kernels, and what is lost between "
    "blocks (a twentieth of the card is kept free for both)."
)


class Method(str, Enum):
    full = "full"
    lora = "lora"
    qlora = "qlora"


class Optimizer(str, Enum):
    adamw = "adamw"
    adamw_8bit = "adamw_8bit"
    paged_adamw_8bit = "paged_adamw_8bit"


class Precision(str, Enum):
    mixed = "mixed"
    fp32 = "fp32"
    bf16 = "bf16"


def memory(
    model: Annotated[
        str, typer.Argument(help="A name such as Llama-3.1-8B, a config.json, or a model folder.")
    ],
    method: Annotated[
        Method, typer.Option(help="full: every weight; lora: adapters; qlora: on 4-bit weights.")
    ] = Method.qlora,
    seq: Annotated[int, typer.Option(min=1, help="Tokens a row.")] = 2048,
    batch: Annotated[int, typer.Option(min=1, help="Rows a forward pass.")] = 1,
    gpu: Annotated[float | None, typer.Option(help="GB of your card: 8, 12, 16, 24 …")] = None,
    rank: Annotated[int, typer.Option(min=1, help="Of the adapters.")] = 16,
    checkpointing: Annotated[
        bool, typer.Option(help="Keep each layer's input only, and run the layer again.")
    ] = True,
    optimizer: Annotated[
        Optimizer, typer.Option(help="How AdamW's averages are kept.")
    ] = Optimizer.adamw,
    precision: Annotated[
        Precision, typer.Option(help="mixed is bf16=True or fp16=True of the Trainer.")
    ] = Precision.mixed,
    tiles: Annotated[
        bool, typer.Option("--tiles", help="Make the logits a tile at a time, as ift sft --tiles.")
    ] = False,
    accumulation: Annotated[int, typer.Option(min=1, help="Forward passes to a step.")] = 1,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object, in bytes.")] = False,
) -> None:
    """Say what training a model takes, whether your card holds it, and what to change.

    Nothing is loaded or downloaded: a model's config is enough.

    [bold]Examples[/bold]

        ift memory Llama-3.1-8B --method qlora --seq 2048 --gpu 12

        ift memory Qwen3-0.6B --method full --seq 1024 --batch 4 --gpu 8

        ift memory path/to/config.json --method lora --seq 512 --no-checkpointing

    1 GB is 2^30 bytes, as the labels of cards count.
    """
    import json

    from ift_course.memory import estimate_memory
    from ift_course.training.limits import check_options

    check_options(flags=True, gpu=gpu)
    made = estimate_memory(
        model,
        method.value,
        seq=seq,
        batch=batch,
        rank=rank,
        checkpointing=checkpointing,
        optimizer=optimizer.value,
        precision=precision.value,
        tiles=tiles,
        accumulation=accumulation,
    )
    if json_:
        print(json.dumps(_report(made, gpu), indent=1))
    else:
        _show(made, gpu)


def _report(estimate, gpu: float | None) -> dict:
    from dataclasses import asdict

    from ift_course.memory import weights
    from ift_course.memory.advice import changes

    return {
        "model": asdict(estimate.shape),
        "parameters": estimate.shape.parameters,
        "trained_parameters": weights.trained_parameters(estimate.shape, estimate.setup),
        "setup": asdict(estimate.setup),
        "bytes": estimate.items,
        "total": estimate.total,
        "allocated": estimate.allocated,
        "cuda_context_assumed": estimate.context,
        "fullest_moment": estimate.peak.name,
        "moments": [{"name": x.name, "total": x.total, "bytes": x.items} for x in estimate.moments],
        "fits_cards_of_gb": estimate.cards,
        "changes": [_told(change) for change in changes(estimate)],
        "gpu": None if gpu is None else _verdict(estimate, gpu),
        "unit": "bytes; 1 GB is 2**30 bytes",
        "not_measured": NOT_MEASURED,
    }


def _verdict(estimate, gpu: float) -> dict:
    from ift_course.memory.advice import largest, until_it_fits

    fits = estimate.fits(gpu)
    steps = until_it_fits(estimate, gpu)
    return {
        "gb": gpu,
        "fits": fits,
        "largest_batch": largest(estimate, "batch", gpu) if fits else None,
        "longest_rows": largest(estimate, "seq", gpu) if fits else None,
        "to_make_it_fit": None if steps is None else [_told(step) for step in steps],
    }


def _told(change) -> dict:
    return {
        "do": change.option.do,
        "choices": change.option.choices,
        "saves": change.saves,
        "costs": change.option.cost,
        "total": change.estimate.total,
    }


def _show(estimate, gpu: float | None) -> None:
    from rich.console import Console

    from ift_course.plots.memory_bars import table

    console = Console(highlight=False)
    console.print(_headline(estimate), soft_wrap=True)
    console.print()
    console.print(table(estimate))
    console.print(f"[dim]at the fullest moment of a step: {estimate.peak.name}[/dim]\n")
    console.print(
        f"Cards that hold it: {', '.join(f'{gb} GB' for gb in estimate.cards) or 'none'}."
    )
    if gpu is not None:
        _show_verdict(console, estimate, gpu)
    _show_changes(console, estimate)
    console.print(f"[dim]{NOT_MEASURED}[/dim]", soft_wrap=True)
    if estimate.setup.tiles:
        told = "The size of a tile is read off TRL's source, not measured."
        console.print(f"[dim]{told}[/dim]", soft_wrap=True)


def _headline(estimate) -> str:
    from ift_course.memory import weights

    shape, setup = estimate.shape, estimate.setup
    trained = weights.trained_parameters(shape, setup)
    what = [
        f"[bold]{shape.name}[/bold], {shape.parameters / 1e9:.2f} billion parameters",
        f"{setup.method}, {trained / 1e6:,.0f} million trained",
        f"{setup.batch} × {setup.seq:,} tokens",
        f"{setup.precision} precision",
        f"checkpointing {'on' if setup.checkpointing else 'off'}",
        setup.optimizer,
    ]
    return " · ".join(what)


def _show_verdict(console, estimate, gpu: float) -> None:
    from ift_course.memory import GB, SPARE
    from ift_course.memory.advice import largest, until_it_fits
    from ift_course.plots.memory_bars import gigabytes

    if estimate.fits(gpu):
        spare = gigabytes((1 - SPARE) * gpu * GB - estimate.total)
        console.print(
            f"[green]Your card of {gpu:g} GB holds it, with {spare} to spare[/green]: room for "
            f"batches of {largest(estimate, 'batch', gpu):,}, or rows of "
            f"{largest(estimate, 'seq', gpu):,} tokens."
        )
        return
    console.print(f"[red]Your card of {gpu:g} GB does not hold it.[/red]")
    steps = until_it_fits(estimate, gpu)
    if steps is None:
        console.print("No change makes it fit; choose a smaller model, or docs/scaling.md.")
        return
    console.print("Change (the flags are those of ift sft), and it does:")
    for number, step in enumerate(steps, 1):
        console.print(
            f"  {number}. {step.option.do}: −{gigabytes(step.saves)}, "
            f"then {gigabytes(step.estimate.total)}"
        )


def _show_changes(console, estimate) -> None:
    from rich.table import Table

    from ift_course.memory.advice import changes
    from ift_course.plots.memory_bars import gigabytes

    lines = Table(box=None, pad_edge=False, header_style="dim")
    for name, side in (("each change by itself", "left"), ("saves", "right"), ("costs", "left")):
        lines.add_column(name, justify=side)
    for change in changes(estimate):
        lines.add_row(change.option.do, f"−{gigabytes(change.saves)}", change.option.cost)
    if lines.row_count:
        console.print()
        console.print(lines)
    console.print()
