"""`ift dpo`."""

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

MEASURES = {
    "loss": "loss",
    "rewards/margins": "margin",
    "rewards/accuracies": "pairs ranked right",
    "logps/chosen": "log p(chosen)",
    "logps/rejected": "log p(rejected)",
}


Method = Literal["full", "lora"]


def dpo(
    model: Annotated[
        str, typer.Option(help="An instruction-tuned model: sft, a model folder, or a hub id.")
    ],
    data: Annotated[
        Path, typer.Option(help="Preferences: JSON, JSONL, Parquet or CSV with chosen, rejected.")
    ],
    out: Out,
    rejects: Rejects = None,
    fold_system: FoldSystem = False,
    escape_special: EscapeSpecial = False,
    beta: Annotated[
        float, typer.Option(help="The price of a distance from the model you give.")
    ] = 0.1,
    method: Annotated[
        Method, typer.Option(help="full changes every weight, lora trains small adapters.")
    ] = "full",
    rank: Annotated[int, typer.Option(help="Of the adapters of lora.")] = 16,
    targets: Targets = None,
    max_steps: MaxSteps = -1,
    epochs: Annotated[float, typer.Option(help="How often every pair is seen.")] = 1.0,
    lr: LearningRate = None,
    batch_size: Annotated[
        int | None,
        typer.Option(help="Pairs a step; without it the profile's: 16 on tiny, 4 on gemma."),
    ] = None,
    max_length: Annotated[
        int | None,
        typer.Option(help="Tokens a response ends at; 1024 or the model's limit."),
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides the order of the pairs.")] = 0,
    profile: ProfileOption = None,
    json_: JsonOutput = False,
) -> None:
    """Tune a model on preferences: chosen responses become likelier than rejected ones.

    The reference is the model you give, as it is before the first step. A prompt may stand in a
    column of its own or begin both responses; each is a string or a list of messages. If the run is
    stopped or killed, the same command resumes from its last checkpoint.

    [bold]Examples[/bold]

        ift dpo --model sft --data pairs.jsonl --out models/polite

        ift dpo --model models/mine --data pairs.jsonl --out models/polite --beta 0.3 --max-steps 50

    A line of pairs.jsonl:
    [dim]{"prompt": "Is Rome in Spain?", "chosen": "No, in Italy.", "rejected": "Yes!"}[/dim]
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
            "beta": beta,
            "max_steps": max_steps,
            "epochs": epochs,
            "learning_rate": lr,
            "batch_size": batch_size,
            "seed": seed,
        },
        pairs=True,
        advice="The model has no chat template: it gets ChatML. DPO works best on a model that was "
        "tuned on demonstrations first (ift sft).",
    )
    if outcome is None:
        return
    result: Any = outcome.result
    first, last = result.history[0], result.history[-1]
    if json_:
        numbers = {
            "tied": result.tied,
            "first": {name: first[name] for name in MEASURES},
            "last": {name: last[name] for name in MEASURES},
        }
        print(json.dumps(tuning.report(outcome, numbers), indent=2))
        return
    lines = {title: f"{first[name]:.3f} → {last[name]:.3f}" for name, title in MEASURES.items()}
    if result.tied:
        tied = count(result.tied, "pair")
        lines["tied"] = f"{tied} with responses that are the same up to --max-length"
    tuning.show(outcome, lines, inputs, "pair")
