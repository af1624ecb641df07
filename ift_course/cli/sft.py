"""`ift sft`."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ift_course.cli.options import (
    EscapeSpecial,
    FoldSystem,
    JsonOutput,
    LearningRate,
    MaxSteps,
    Out,
    ProfileOption,
    Rejects,
    Targets,
)

Method = Literal["full", "lora", "qlora"]


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
    out: Out,
    rejects: Rejects = None,
    fold_system: FoldSystem = False,
    escape_special: EscapeSpecial = False,
    method: Annotated[
        Method,
        typer.Option(
            help="full changes every weight, lora trains small adapters, qlora trains them on "
            "weights of 4 bits."
        ),
    ] = "full",
    rank: Annotated[int, typer.Option(help="Of the adapters of lora and qlora.")] = 16,
    targets: Targets = None,
    max_steps: MaxSteps = -1,
    epochs: Annotated[float, typer.Option(help="How often every row is seen.")] = 3.0,
    lr: LearningRate = None,
    batch_size: Annotated[
        int | None,
        typer.Option(help="Rows a forward pass; without it the profile's: 16 on tiny, 4 on gemma."),
    ] = None,
    accumulation: Annotated[
        int | None,
        typer.Option(help="Forward passes a step; without it the profile's: 1 on tiny and gemma."),
    ] = None,
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
    hold_out: Annotated[
        float,
        typer.Option(
            min=0.0,
            max=0.9,
            help="Keep this share of the rows out of training, and compare the model on them "
            "before and after.",
        ),
    ] = 0.0,
    seed: Annotated[
        int, typer.Option(help="Decides the order of the rows, and which are held out.")
    ] = 0,
    profile: ProfileOption = None,
    json_: JsonOutput = False,
) -> None:
    """Tune a model on your own instructions.

    The loss is taken on the responses only, through the model's own chat template (that of its
    family or ChatML if it has none). Rows may hold system turns, tools, reasoning and weights; the
    command reports what it repaired or did not use. If the run is stopped or killed, the same
    command resumes from its last checkpoint.

    [bold]Examples[/bold]

        ift sft --model base --data my.jsonl --out models/mine

        ift sft --profile gemma --model base --data my.jsonl --method lora --out adapters/mine

        ift sft --model ~/models/SmolLM2-135M --data my.jsonl --out models/mine --method lora

        ift sft --model base --data my.jsonl --out adapters/mine --method qlora

        ift sft --model base --data my.jsonl --out models/mine --hold-out 0.1

    qlora writes the adapter alone, a few MB that belong to their base model. [bold]ift chat[/bold]
    talks to it, and [bold]ift merge[/bold] makes an ordinary model of the two.

    A line of my.jsonl:
    [dim]{"instruction": "Name the capital.", "input": "France", "output": "Paris"}[/dim]
    """
    import json

    from ift_course.cli import tuning
    from ift_course.cli.accounts import count

    inputs = tuning.Inputs(
        model=model,
        data=data,
        out=out,
        rejects=rejects,
        fold_system=fold_system,
        escape_special=escape_special,
        profile=profile,
        as_json=json_,
    )
    outcome = tuning.tune(
        inputs,
        method=method,
        rank=rank,
        targets=targets,
        max_length=max_length,
        options={
            "max_steps": max_steps,
            "epochs": epochs,
            "learning_rate": lr,
            "batch_size": batch_size,
            "gradient_accumulation": accumulation,
            "gradient_checkpointing": checkpointing,
            "optimizer": optimizer,
            "packing": packing,
            "chunked_loss": chunked_loss,
            "seed": seed,
        },
        pairs=False,
        advice="The model has no chat template: it gets ChatML, and its two tokens are trained "
        "too.",
        hold_out=hold_out,
    )
    if outcome is None:
        return
    result: Any = outcome.result
    first_loss, final_loss = result.losses[0], result.losses[-1]
    if json_:
        numbers = {
            "first_loss": first_loss,
            "final_loss": final_loss,
            "tokens_per_second": result.tokens_per_second,
            "packed_sequences": result.packed,
        }
        print(json.dumps(tuning.report(outcome, numbers), indent=2))
        return
    lines = {
        "loss": f"{first_loss:.3f} → {final_loss:.3f}",
        "tokens/s": f"{result.tokens_per_second:,.0f}",
    }
    if result.packed:
        n_packed = count(outcome.n_rows - result.dropped, "row")
        lines["packed"] = f"{n_packed} in {result.packed} sequences"
    tuning.show(outcome, lines, inputs, "row")
