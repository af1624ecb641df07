"""`ift pretrain`: make the shipped base model again, from scratch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from ift_course.evaluation.acceptance import AcceptanceResult


def pretrain(
    out: Annotated[Path, typer.Option(help="Folder for the finished model and its card.")] = Path(
        "results/pretrained"
    ),
    work: Annotated[
        Path | None, typer.Option(help="Folder for the checkpoint; the default is OUT/.work.")
    ] = None,
    tokens: Annotated[
        int | None,
        typer.Option(min=10_000, help="Tokens to train on; the default makes the course's model."),
    ] = None,
    phases: Annotated[
        int | None,
        typer.Option(min=1, help="Stop after so many phases; 1 gives a base that read only prose."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the weights, the text and its order.")] = 0,
    new_tokenizer: Annotated[
        bool, typer.Option(help="Train a tokenizer instead of taking the shipped one.")
    ] = False,
    device: Annotated[str, typer.Option(help="cpu or cuda.")] = "cpu",
    score: Annotated[
        bool, typer.Option(help="Evaluate the model afterwards (about 10 minutes).")
    ] = True,
    as_json: Annotated[bool, typer.Option("--json", help="Print the card's numbers.")] = False,
) -> None:
    """Pretrain the base model on the closed world: prose, then worked tasks in prose.

    The shipped model took about an hour on two cores. Stop the command whenever you like, and run
    it again to continue from its last checkpoint.

    [bold]Example[/bold], a quick look at an unfinished model:

        ift pretrain --tokens 1000000 --out small --no-score
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    from ift_course.authoring.publish_base import publish, write_card
    from ift_course.disk import disk_errors
    from ift_course.models.quiet import quiet
    from ift_course.training import pretrain as training
    from ift_course.training.allocator import keep_freed_memory
    from ift_course.training.limits import check_device, check_options

    check_options(flags=True, seed=seed)
    check_device(device)
    config = training.PretrainConfig(
        seed=seed,
        phases=training.phases(tokens)[:phases],
        tokenizer="new" if new_tokenizer else "shipped",
    )
    work = work or out / ".work"
    keep_freed_memory()
    console = Console(stderr=True)
    bars = Progress(
        TextColumn("{task.description}"), BarColumn(bar_width=30),
        TextColumn("{task.percentage:>3.0f} %"), TimeElapsedColumn(), TimeRemainingColumn(),
        console=console,
    )  # fmt: skip
    with quiet(), disk_errors(out):
        with bars:
            task = bars.add_task("writing the corpus", total=config.total_steps)
            run = training.pretrain(
                config, work, device=device,
                on_log=lambda entry: bars.update(
                    task, completed=entry["step"], description=f"loss {entry['loss']:.3f}"
                ),
            )  # fmt: skip
        publish(run, config, out)
        scores = _evaluate(out, console) if score else []
        write_card(out, scores)
    if as_json:
        typer.echo(json.dumps({"out": str(out), "log": run.log[-1], "scores": scores}))
    else:
        console.print(f"Done: {out} holds the model and its card. Talk to it with:")
        console.print(f"  ift chat --model {out}", style="bold")


def _evaluate(out: Path, console: Console) -> list[dict[str, Any]]:
    """Measure the model's properties, print each, and return them for the card."""
    from ift_course.evaluation.acceptance import measure
    from ift_course.training.open_model import load

    def print_result(result: AcceptanceResult) -> None:
        values = ", ".join(f"{value:.3f}" for value in result.values)
        verdict = "met" if result.met else "NOT MET"
        console.print(f"{verdict if result.bound is not None else '   '}  {result.name}: {values}")

    return [result.to_dict() for result in measure(lambda: load(out), print_result)]
