"""`ift export`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ift_course.cli.options import JsonOutput, ProfileOption

if TYPE_CHECKING:
    from ift_course.export.export_model import ReadBack

Format = Literal["hf", "gguf", "ollama"]
WeightType = Literal["f32", "bf16", "f16", "q8_0", "q4_0"]


def export(
    model: Annotated[
        str,
        typer.Argument(metavar="DIR", help="A model or adapter folder; or base, sft, or a hub id."),
    ],
    to: Annotated[
        Format,
        typer.Option(
            help="hf is a Hugging Face folder with a card, gguf is one file, ollama is a folder "
            "with such a file and a Modelfile."
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="The new folder or file; default: NAME-hf, NAME-ollama or NAME-TYPE.gguf here."
        ),
    ] = None,
    type_: Annotated[
        WeightType | None,
        typer.Option(
            "--type",
            help="How weights are stored. Default: hf keeps their type, the others use f16. q8_0 "
            "and q4_0 have 8 and 4 bits, and a scale for every 32 weights; they are not for hf.",
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(help="The base of an adapter, if it is not where the adapter says."),
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(help="Load the GGUF file again and compare it; takes the memory twice."),
    ] = True,
    profile: ProfileOption = None,
    json_: JsonOutput = False,
) -> None:
    """Export a model as a folder to publish, or as a file for llama.cpp.

    The folder has a README.md that says what is known about the data, the method, the scores and
    the limits, and what is not known. Read it and add what you know before you publish the model.

    The GGUF file contains the tokenizer and the chat template. Before the command ends, the file is
    read back by transformers and compared with the model.

    For Ollama, a Modelfile is written beside the GGUF file. It has the chat template in Ollama's
    own language and the tokens that end an answer; without them a tuned model rambles.

    [bold]Examples[/bold]

        ift export models/mine --to hf --out mine

        ift export models/mine --to gguf --type q8_0

        ift export adapters/mine --to gguf     merged with its base first

        ift export models/mine --to ollama     then: ollama create mine -f mine-ollama/Modelfile
    """
    from ift_course.errors import CourseError
    from ift_course.export import export_model, ollama
    from ift_course.profile import get_profile

    get_profile(profile)
    if to == "hf" and type_ and type_ not in export_model.FOLDER_DTYPES:
        raise CourseError(
            f"--type {type_} is for --to gguf and --to ollama; hf takes f32, bf16 or f16."
        )
    name = Path(model).expanduser().name
    weight_type = type_ or "f16"
    out = out or Path(f"{name}-{weight_type}.gguf" if to == "gguf" else f"{name}-{to}")
    out = out.expanduser()
    export_model.refuse_existing(out)  # before a big model is loaded
    if to != "hf":
        export_model.refuse_unwritable(model, base)
    source = export_model.load_source(model, base, profile)
    if to == "hf":
        _print_folder(export_model.to_folder(source, out, type_), json_)
        return
    write = export_model.to_gguf if to == "gguf" else ollama.to_ollama
    comparison = write(source, out, weight_type, verify=verify)
    _print_gguf(out, weight_type, comparison, json_)
    if to == "ollama" and not json_:
        print(f"Give it to Ollama: ollama create {name} -f {out / 'Modelfile'}")


def _print_folder(folder: Path, as_json: bool) -> None:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    if as_json:
        import json

        print(json.dumps({"out": str(folder), "mb": size}, indent=2))
        return
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False)
    console.print(f"Saved in {folder}, {size:.1f} MB. Its card is {folder / 'README.md'}: read it.")
    console.print(f"Talk to it: [bold]ift chat --model {folder}[/bold]")


def _print_gguf(out: Path, weight_type: str, comparison: ReadBack | None, as_json: bool) -> None:
    from dataclasses import asdict

    files = out.iterdir() if out.is_dir() else [out]
    size = sum(path.stat().st_size for path in files) / 1e6
    if as_json:
        import json

        report = {
            "out": str(out),
            "type": weight_type,
            "mb": size,
            "read_back": comparison and asdict(comparison),
        }
        print(json.dumps(report, indent=2))
        return
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False)
    console.print(f"Saved in {out}, {size:.1f} MB, {weight_type}.")
    if comparison is None:
        return
    if comparison.logit_difference is not None:
        console.print(
            "Read back by transformers: every weight is the one that was written, and logits "
            f"differ from the model's by {comparison.logit_difference:.1g} of the largest logit."
        )
    else:
        console.print(
            "Read back by transformers: every weight is the one that was written. Logits were not "
            "compared, because transformers does not read the scaling of this model's positions; "
            "llama.cpp does."
        )
    if not comparison.same_tokens:
        console.print(
            "transformers' GGUF reader splits a conversation into other tokens than the model's "
            "own tokenizer; llama.cpp follows the rule that the file names.",
            style="yellow",
        )
