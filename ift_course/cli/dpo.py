"""`ift dpo`."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from ift_course.cli.options import EscapeSpecial, FoldSystem, Rejects, Targets

MEASURES = {
    "loss": "loss",
    "rewards/margins": "margin",
    "rewards/accuracies": "pairs ranked right",
    "logps/chosen": "log p(chosen)",
    "logps/rejected": "log p(rejected)",
}


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
    rejects: Rejects = None,
    fold_system: FoldSystem = False,
    escape_special: EscapeSpecial = False,
    beta: Annotated[
        float, typer.Option(help="How dearly a distance from the model is paid for.")
    ] = 0.1,
    method: Annotated[
        Method, typer.Option(help="full changes every weight, lora trains small adapters.")
    ] = Method.full,
    rank: Annotated[int, typer.Option(help="Of the adapters of lora.")] = 16,
    targets: Targets = None,
    max_steps: Annotated[
        int, typer.Option(help="Stop after so many steps; -1 leaves it to --epochs.")
    ] = -1,
    epochs: Annotated[float, typer.Option(help="How often every pair is seen.")] = 1.0,
    lr: Annotated[
        float | None, typer.Option(help="Peak learning rate; chosen by model size without it.")
    ] = None,
    batch_size: Annotated[int, typer.Option(help="Pairs a step.")] = 16,
    max_length: Annotated[
        int | None,
        typer.Option(help="Tokens a response ends at; 1024 or the model's limit."),
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

    from ift_course import distributed
    from ift_course.cli import tuning
    from ift_course.cli.accounts import count
    from ift_course.data.changes import Changes
    from ift_course.data.preferences import pair_from
    from ift_course.training.adapter import Adapter
    from ift_course.training.job import finish, run, start
    from ift_course.training.preference.dpo import dpo as tune

    adapter = Adapter(rank=rank, targets=tuning.names(targets))
    options = {
        "beta": beta,
        "max_steps": max_steps,
        "epochs": epochs,
        "learning_rate": lr,
        "batch_size": batch_size,
        "seed": seed,
    }
    tuning.check(profile, method.value, adapter, options, max_length)
    changes = Changes(fold_system=fold_system, escape_special=escape_special)
    reading, more = tuning.read(data, rejects, changes, pairs=True, quiet=json_)
    pairs, set_aside = [pair_from(record) for record in reading.records], reading.account.rejected
    job = start(model, out, profile)
    if not json_ and distributed.is_main_process():
        tuning.announce(
            job,
            count(len(pairs), "pair"),
            "The model has no chat template: it gets ChatML. DPO works best on a model that was "
            "tuned on demonstrations first (ift sft).",
        )
    result = run(
        job,
        pairs,
        train=tune,
        method=method.value,
        adapter=adapter,
        max_length=max_length,
        **options,
        **more,
    )
    folder = finish(job, result)
    if not distributed.is_main_process():
        return
    first, last = result.history[0], result.history[-1]
    if json_:
        numbers = {
            "tied": result.tied,
            "first": {name: first[name] for name in MEASURES},
            "last": {name: last[name] for name in MEASURES},
        }
        print(json.dumps(tuning.report(result, folder, numbers, reading.account), indent=2))
        return
    rows = {what: f"{first[name]:.3f} → {last[name]:.3f}" for name, what in MEASURES.items()}
    if refused := reading.account.rejected - set_aside:
        rows["refused"] = f"{count(refused, 'pair')} by the chat template; see {rejects}"
    if result.tied:
        rows["tied"] = (
            f"{count(result.tied, 'pair')} with responses that are the same up to --max-length"
        )
    tuning.show(result, folder, rows, "pair")
