"""`ift memory`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ift_course.memory.setup import Method, Optimizer, Precision

if TYPE_CHECKING:
    from rich.console import Console

    from ift_course.memory import MemoryEstimate
    from ift_course.memory.advice import Change

NOT_MEASURED = (
    "The allocator's part was checked by measuring on a CPU. Not measured, for lack of a GPU: the "
    "CUDA context (0.75 GB assumed), the workspaces of CUDA's kernels, and what is lost between "
    "blocks (5 % of the GPU is kept free for both)."
)


def memory(
    model: Annotated[
        str, typer.Argument(help="A name such as Llama-3.1-8B, a config.json, or a model folder.")
    ],
    method: Annotated[
        Method,
        typer.Option(help="full: every weight; lora: adapters; qlora: adapters on 4-bit weights."),
    ] = "qlora",
    seq: Annotated[int, typer.Option(min=1, help="Tokens per sequence.")] = 2048,
    batch: Annotated[int, typer.Option(min=1, help="Sequences per forward pass.")] = 1,
    gpu: Annotated[
        float | None, typer.Option(help="The size of your GPU in GB: 8, 12, 16, 24 …")
    ] = None,
    rank: Annotated[int, typer.Option(min=1, help="The rank of the adapters.")] = 16,
    checkpointing: Annotated[
        bool, typer.Option(help="Save only the input of each layer, and recompute the layer.")
    ] = True,
    optimizer: Annotated[Optimizer, typer.Option(help="How AdamW's states are stored.")] = "adamw",
    precision: Annotated[
        Precision, typer.Option(help="mixed is bf16=True or fp16=True of the Trainer.")
    ] = "mixed",
    chunked_loss: Annotated[
        bool,
        typer.Option(
            "--chunked-loss", help="Compute the logits in chunks, as ift sft --chunked-loss does."
        ),
    ] = False,
    labeled: Annotated[
        float,
        typer.Option(
            help="The share of the tokens that are answers: ift sft computes logits for these "
            "alone, which counts where the vocabulary is large. 1 is the worst case."
        ),
    ] = 1.0,
    accumulation: Annotated[int, typer.Option(min=1, help="Micro-batches per step.")] = 1,
    json_: Annotated[bool, typer.Option("--json", help="One JSON object, in bytes.")] = False,
) -> None:
    """Say how much memory training a model takes, whether it fits your GPU, and what to change.

    Nothing is loaded or downloaded: a model's config is enough.

    [bold]Examples[/bold]

        ift memory Llama-3.1-8B --method qlora --seq 2048 --gpu 12

        ift memory Qwen3-0.6B --method full --seq 1024 --batch 4 --gpu 8

        ift memory path/to/config.json --method lora --seq 512 --no-checkpointing

        ift memory gemma-3-270m --method lora --seq 128 --batch 4 --labeled 0.4

    1 GB is 2^30 bytes, as on the label of a GPU.
    """
    import json

    from ift_course.memory import estimate_memory
    from ift_course.training.limits import check_options

    check_options(flags=True, gpu=gpu)
    estimate = estimate_memory(
        model,
        method,
        seq=seq,
        batch=batch,
        rank=rank,
        checkpointing=checkpointing,
        optimizer=optimizer,
        precision=precision,
        chunked_loss=chunked_loss,
        accumulation=accumulation,
        labeled=labeled,
    )
    if json_:
        print(json.dumps(_report(estimate, gpu), indent=1))
    else:
        _print_report(estimate, gpu)


def _report(estimate: MemoryEstimate, gpu: float | None) -> dict[str, Any]:
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
        "peak": estimate.peak.name,
        "snapshots": [
            {"name": snapshot.name, "total": snapshot.total, "bytes": snapshot.items}
            for snapshot in estimate.snapshots
        ],
        "fits_gpus_of_gb": estimate.fitting_gpus,
        "changes": [_change_entry(change) for change in changes(estimate)],
        "gpu": None if gpu is None else _gpu_entry(estimate, gpu),
        "unit": "bytes; 1 GB is 2**30 bytes",
        "not_measured": NOT_MEASURED,
    }


def _gpu_entry(estimate: MemoryEstimate, gpu: float) -> dict[str, Any]:
    from ift_course.memory.advice import largest, until_it_fits

    fits = estimate.fits(gpu)
    changes = until_it_fits(estimate, gpu)
    return {
        "gb": gpu,
        "fits": fits,
        "largest_batch": largest(estimate, "batch", gpu) if fits else None,
        "longest_sequence": largest(estimate, "seq", gpu) if fits else None,
        "to_make_it_fit": None if changes is None else [_change_entry(x) for x in changes],
    }


def _change_entry(change: Change) -> dict[str, Any]:
    return {
        "action": change.option.action,
        "choices": change.option.choices,
        "saves": change.saves,
        "costs": change.option.cost,
        "total": change.estimate.total,
    }


def _print_report(estimate: MemoryEstimate, gpu: float | None) -> None:
    from rich.console import Console

    from ift_course.plots.memory_bars import table

    console = Console(highlight=False)
    console.print(_headline(estimate), soft_wrap=True)
    console.print()
    console.print(table(estimate))
    console.print(f"[dim]at the peak of a step: {estimate.peak.name}[/dim]\n")
    sizes = ", ".join(f"{gb} GB" for gb in estimate.fitting_gpus) or "none"
    console.print(f"GPUs with enough memory: {sizes}.")
    if gpu is not None:
        _print_verdict(console, estimate, gpu)
    _print_changes(console, estimate)
    console.print(f"[dim]{NOT_MEASURED}[/dim]", soft_wrap=True)
    if estimate.setup.chunked_loss:
        note = "The size of a chunk is read off TRL's source, not measured."
        console.print(f"[dim]{note}[/dim]", soft_wrap=True)


def _headline(estimate: MemoryEstimate) -> str:
    from ift_course.memory import weights

    shape, setup = estimate.shape, estimate.setup
    trained = weights.trained_parameters(shape, setup)
    parts = [
        f"[bold]{shape.name}[/bold], {shape.parameters / 1e9:.2f} billion parameters",
        f"{setup.method}, {trained / 1e6:,.0f} million trained",
        f"{setup.batch} × {setup.seq:,} tokens",
        f"{setup.precision} precision",
        f"checkpointing {'on' if setup.checkpointing else 'off'}",
        setup.optimizer,
    ]
    return " · ".join(parts)


def _print_verdict(console: Console, estimate: MemoryEstimate, gpu: float) -> None:
    from ift_course.memory import GB, SPARE
    from ift_course.memory.advice import largest, until_it_fits
    from ift_course.plots.memory_bars import gigabytes

    if estimate.fits(gpu):
        spare = gigabytes((1 - SPARE) * gpu * GB - estimate.total)
        console.print(
            f"[green]It fits a GPU with {gpu:g} GB, with {spare} to spare[/green]: room for a "
            f"batch of {largest(estimate, 'batch', gpu):,}, or for sequences of "
            f"{largest(estimate, 'seq', gpu):,} tokens."
        )
        return
    console.print(f"[red]It does not fit a GPU with {gpu:g} GB.[/red]")
    changes = until_it_fits(estimate, gpu)
    if changes is None:
        console.print("No change makes it fit; choose a smaller model, or see docs/scaling.md.")
        return
    console.print("It fits after these changes (the flags are those of ift sft):")
    for number, change in enumerate(changes, 1):
        console.print(
            f"  {number}. {change.option.action}: −{gigabytes(change.saves)}, "
            f"then {gigabytes(change.estimate.total)}"
        )


def _print_changes(console: Console, estimate: MemoryEstimate) -> None:
    from rich.table import Table

    from ift_course.memory.advice import changes
    from ift_course.plots.memory_bars import gigabytes

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("each change by itself")
    table.add_column("saves", justify="right")
    table.add_column("costs")
    for change in changes(estimate):
        table.add_row(change.option.action, f"−{gigabytes(change.saves)}", change.option.cost)
    if table.row_count:
        console.print()
        console.print(table)
    console.print()
