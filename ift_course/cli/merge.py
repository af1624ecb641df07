"""`ift merge`."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class Dtype(str, Enum):
    float32 = "float32"
    bfloat16 = "bfloat16"
    float16 = "float16"


def merge(
    adapter: Annotated[
        Path, typer.Argument(help="The folder that `ift sft --method qlora --out` wrote.")
    ],
    out: Annotated[Path, typer.Option(help="The folder for the whole model.")],
    base: Annotated[
        str | None,
        typer.Option(
            help="Its base model, if it is not where the adapter says: base, a model "
            "folder, or a hub id."
        ),
    ] = None,
    dtype: Annotated[
        Dtype | None,
        typer.Option(help="Of the weights; else float32 on a CPU and half precision on a GPU."),
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Make one ordinary model of an adapter and its base.

    The base is loaded again in full precision, the adapter is added to its weights, and the logits
    of the two are compared with those of the sum before anything is written. The result is as fast
    as the base and needs no PEFT.

    [bold]Example[/bold]

        ift merge adapters/mine --out models/mine
    """

    from ift_course.disk import refuse_without_space
    from ift_course.errors import CourseError
    from ift_course.models import provenance
    from ift_course.models.merge import merge as merged_with
    from ift_course.models.save import save
    from ift_course.training.open_model import folder_of

    out = out.expanduser()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CourseError(f"{out} exists already; choose another --out, or delete it.")
    base = base and str(folder_of(base))
    merged = merged_with(adapter.expanduser(), base, dtype=_torch(dtype))
    refuse_without_space(out, merged.model.get_memory_footprint(), "The model")
    folder = save(merged.model, merged.tokenizer, out)
    provenance.carry(adapter.expanduser(), folder)
    _tell(merged, adapter, folder, json_)


def _torch(dtype: Dtype | None):
    if dtype is None:
        return None
    import torch

    return getattr(torch, dtype.value)


def _tell(merged, adapter: Path, folder: Path, as_json: bool) -> None:
    from ift_course.models.lora_adapters import size_mb

    model_mb = sum(path.stat().st_size for path in folder.glob("*.safetensors")) / 1e6
    if as_json:
        import json

        report = {
            "out": str(folder),
            "base": merged.base,
            "adapter_mb": size_mb(adapter),
            "model_mb": model_mb,
            "logits_differ_by": merged.difference,
            "adapter_changes_logits_by": merged.effect,
            "notes": merged.notes,
        }
        print(json.dumps(report, indent=2))
        return
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False)
    console.print(f"adapter {size_mb(adapter):.1f} MB + base {merged.base} → {model_mb:.1f} MB")
    console.print(
        f"The merged model's logits are those of base and adapter, to {merged.difference:.0e} of "
        f"the largest; the adapter changes them by {merged.effect:.0e}."
    )
    for note in merged.notes:
        console.print(note, style="yellow", markup=False)
    if merged.effect == 0:
        console.print("The adapter changes nothing: it was never trained.", style="red")
    console.print(f"Saved in {folder}. Talk to it: [bold]ift chat --model {folder}[/bold]")
