"""`ift merge`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ift_course.cli.options import JsonOutput

if TYPE_CHECKING:
    import torch

    from ift_course.models.merge import Merged

Dtype = Literal["float32", "bfloat16", "float16"]


def merge(
    adapter: Annotated[
        Path, typer.Argument(help="The folder that `ift sft --method qlora --out` wrote.")
    ],
    out: Annotated[Path, typer.Option(help="The folder for the whole model.")],
    base: Annotated[
        str | None,
        typer.Option(
            help="The base model, if it is not where the adapter says: base, a model folder, or a "
            "hub id."
        ),
    ] = None,
    dtype: Annotated[
        Dtype | None,
        typer.Option(help="Of the weights; else float32 on a CPU and half precision on a GPU."),
    ] = None,
    json_: JsonOutput = False,
) -> None:
    """Merge an adapter into its base, which gives one ordinary model.

    The base is loaded again in full precision, and the adapter is added to its weights. Before
    anything is written, the logits of the merged model are compared with those of base and adapter.
    The result is as fast as the base and does not need PEFT.

    [bold]Example[/bold]

        ift merge adapters/mine --out models/mine
    """

    from ift_course.disk import refuse_without_space
    from ift_course.errors import CourseError
    from ift_course.models import provenance
    from ift_course.models.licenses import carry_license
    from ift_course.models.merge import merge as merge_adapter
    from ift_course.models.save import save
    from ift_course.training.open_model import folder_of

    out = out.expanduser()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise CourseError(f"{out} exists already; choose another --out, or delete it.")
    base = base and str(folder_of(base))
    merged = merge_adapter(adapter.expanduser(), base, dtype=_torch_dtype(dtype))
    refuse_without_space(out, merged.model.get_memory_footprint(), "The model")
    folder = save(merged.model, merged.tokenizer, out)
    provenance.copy_record(adapter.expanduser(), folder)
    carry_license(merged.base, folder)
    carry_license(adapter.expanduser(), folder)
    _print_report(merged, adapter, folder, json_)


def _torch_dtype(name: Dtype | None) -> torch.dtype | None:
    if name is None:
        return None
    import torch

    return getattr(torch, name)


def _print_report(merged: Merged, adapter: Path, folder: Path, as_json: bool) -> None:
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
        "The merged model has the logits of base and adapter up to "
        f"{merged.difference:.0e} of the largest logit; the adapter changes them by "
        f"{merged.effect:.0e}."
    )
    for note in merged.notes:
        console.print(note, style="yellow", markup=False)
    if merged.effect == 0:
        console.print("The adapter changes nothing: it was never trained.", style="red")
    console.print(f"Saved in {folder}. Talk to it: [bold]ift chat --model {folder}[/bold]")
