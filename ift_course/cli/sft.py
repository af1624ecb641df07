"""`ift sft`."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ift_course.cli.options import EscapeSpecial, FoldSystem, Rejects, Targets


class Method(str, Enum):
    full = "full"
    lora = "lora"
    qlora = "qlora"


def sft(
    model: Annotated[
        str, typer.Option(help="base, sft, a Hugging Face model folder, or a hub id.")
    ],
    data: Annotated[
        Path,
        typer.Option(
            help="JSON, JSONL, CSV or Parquet in any layout that ift data inspect reads: messages, "
            "ShareGPT conversations, prompt/completion, instruction/input/output."
        ),
    ],
    out: Annotated[Path, typer.Option(help="The folder for the tuned model.")],
    rejects: Rejects = None,
    fold_system: FoldSystem = False,
    escape_special: EscapeSpecial = False,
    method: Annotated[
        Method,
        typer.Option(
            help="full changes every weight, lora trains small adapters, qlora trains them on "
            "weights of 4 bits."
        ),
    ] = Method.full,
    rank: Annotated[int, typer.Option(help="Of the adapters of lora and qlora.")] = 16,
    targets: Targets = None,
    max_steps: Annotated[
        int, typer.Option(help="Stop after so many steps; -1 leaves it to --epochs.")
    ] = -1,
    epochs: Annotated[float, typer.Option(help="How often every row is seen.")] = 3.0,
    lr: Annotated[
        float | None, typer.Option(help="Peak learning rate; chosen by model size without it.")
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Rows a forward pass.")] = 16,
    accumulation: Annotated[int, typer.Option(help="Forward passes a step.")] = 1,
    checkpointing: Annotated[
        bool,
        typer.Option("--checkpointing", help="Compute activations twice instead of keeping them."),
    ] = False,
    optimizer: Annotated[
        str,
        typer.Option(
            help="One of transformers' names. On a GPU, paged_adamw_8bit saves three quarters of "
            "its memory."
        ),
    ] = "adamw_torch_fused",
    packing: Annotated[
        bool,
        typer.Option(
            "--packing",
            help="Put short rows together into sequences of --max-length tokens; none sees "
            "another. --batch-size counts those sequences.",
        ),
    ] = False,
    chunked_loss: Annotated[
        bool, typer.Option("--chunked-loss", help="Compute the logits in chunks: less memory.")
    ] = False,
    max_length: Annotated[
        int | None, typer.Option(help="Tokens a row is cut at; 1024 or the model's limit.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides the order of the rows.")] = 0,
    profile: Annotated[
        str | None, typer.Option(help="Which base and sft are meant; else $IFT_PROFILE, else tiny.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Tune a model on your own instructions.

    The loss is taken on the responses only, through the model's own chat template (ChatML if it
    has none). Rows may hold system turns, tools, reasoning and weights; what is repaired or not
    used is said. If the run is stopped or killed, the same command goes on from its last
    checkpoint.

    [bold]Examples[/bold]

        ift sft --model base --data my.jsonl --out models/mine

        ift sft --model ~/models/SmolLM2-135M --data my.jsonl --out models/mine --method lora

        ift sft --model base --data my.jsonl --out adapters/mine --method qlora

    qlora writes the adapter alone, a few MB that belong to their base model. [bold]ift chat[/bold]
    talks to it, and [bold]ift merge[/bold] makes an ordinary model of the two.

    A line of my.jsonl:
    [dim]{"instruction": "Name the capital.", "input": "France", "output": "Paris"}[/dim]
    """
    import json

    from ift_course import ranks
    from ift_course.cli import tuning
    from ift_course.cli.accounts import count
    from ift_course.data.changes import Changes
    from ift_course.training.adapter import Adapter
    from ift_course.training.job import finish, run, start

    adapter = Adapter(rank=rank, targets=tuning.names(targets))
    options = {
        "max_steps": max_steps,
        "epochs": epochs,
        "learning_rate": lr,
        "batch_size": batch_size,
        "gradient_accumulation": accumulation,
        "optimizer": optimizer,
        "seed": seed,
    }
    tuning.check(profile, method.value, adapter, options, max_length)
    changes = Changes(fold_system=fold_system, escape_special=escape_special)
    reading, more = tuning.read(data, rejects, changes, pairs=False, quiet=json_)
    records, set_aside = reading.records, reading.account.rejected
    job = start(model, out, profile, method.value)
    if not json_ and ranks.is_first():
        tuning.announce(
            job,
            count(len(records), "row"),
            "The model has no chat template: it gets ChatML, and its two tokens are trained too.",
        )
    result = run(
        job,
        records,
        method=method.value,
        adapter=adapter,
        gradient_checkpointing=checkpointing,
        packing=packing,
        chunked_loss=chunked_loss,
        max_length=max_length,
        **options,
        **more,
    )
    folder = finish(job, result)
    if not ranks.is_first():
        return
    if json_:
        numbers = {
            "first_loss": result.losses[0],
            "final_loss": result.losses[-1],
            "tokens_per_second": result.tokens_per_second,
            "packed_sequences": result.packed,
        }
        print(json.dumps(tuning.report(result, folder, numbers, reading.account), indent=2))
        return
    rows = {
        "loss": f"{result.losses[0]:.3f} → {result.losses[-1]:.3f}",
        "tokens/s": f"{result.tokens_per_second:,.0f}",
    }
    if refused := reading.account.rejected - set_aside:
        rows["refused"] = f"{count(refused, 'row')} by the chat template; see {rejects}"
    if result.packed:
        rows["packed"] = (
            f"{count(len(records) - result.dropped, 'row')} in {result.packed} sequences"
        )
    tuning.show(result, folder, rows, "row")
