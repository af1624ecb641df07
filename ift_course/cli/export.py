"""`ift export`."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer


class To(str, Enum):
    hf = "hf"
    gguf = "gguf"


class Type(str, Enum):
    f32 = "f32"
    bf16 = "bf16"
    f16 = "f16"
    q8_0 = "q8_0"
    q4_0 = "q4_0"


def export(
    model: Annotated[
        str,
        typer.Argument(
            metavar="DIR", help="A model folder or an adapter's; also base, sft, or a hub id."
        ),
    ],
    to: Annotated[To, typer.Option(help="hf is a Hugging Face folder with a card, gguf one file.")],
    out: Annotated[
        Path | None,
        typer.Option(help="Where to; without it, NAME-hf or NAME-TYPE.gguf in this folder."),
    ] = None,
    type_: Annotated[
        Type | None,
        typer.Option(
            "--type",
            help="Of the weights. hf keeps what they are; gguf takes f16. q8_0 and q4_0 have 8 and "
            "4 bits and a scale for every 32 weights, and are for gguf only.",
        ),
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="An adapter's base, if it is not where the adapter says.")
    ] = None,
    verify: Annotated[
        bool,
        typer.Option(help="Load the GGUF file again and compare; takes the model's memory twice."),
    ] = True,
    profile: Annotated[
        str | None, typer.Option(help="Which base and sft are meant; else $IFT_PROFILE, else tiny.")
    ] = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Take a model home: a folder to publish, or a file for llama.cpp.

    The folder has a README.md that says what is known of the data, the method, the scores and the
    limits, and what is not. Read it, and add what you know, before you show it to anyone.

    The GGUF file has the tokenizer and the chat template in it. It is read back through
    transformers and compared with the model before the command ends.

    [bold]Examples[/bold]

        ift export models/mine --to hf --out mine

        ift export models/mine --to gguf --type q8_0

        ift export adapters/mine --to gguf     merged with its base first
    """
    from ift_course.errors import CourseError
    from ift_course.export import export_model as exporting
    from ift_course.profile import get_profile

    get_profile(profile)
    kind = type_.value if type_ else None
    if to is To.hf and kind and kind not in exporting.FOLDER_TYPES:
        raise CourseError(f"--type {kind} is for --to gguf; a folder takes f32, bf16 or f16.")
    name = Path(model).expanduser().name
    if to is To.hf:
        out = out or Path(f"{name}-hf")
    else:
        kind = kind or "f16"
        out = out or Path(f"{name}-{kind}.gguf")
    out = out.expanduser()
    exporting.refuse_existing(out)  # before a big model is loaded
    if to is To.gguf:
        exporting.refuse_unwritable(model, base)
    found = exporting.source(model, base, profile)
    if to is To.hf:
        folder = exporting.to_folder(found, out, kind)
        _tell_folder(folder, json_)
    else:
        read = exporting.to_gguf(found, out, kind, verify=verify)
        _tell_gguf(out, kind, read, json_)


def _tell_folder(folder: Path, as_json: bool) -> None:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6
    if as_json:
        import json

        print(json.dumps({"out": str(folder), "mb": size}, indent=2))
        return
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False)
    console.print(f"Saved in {folder}, {size:.1f} MB. Its card is {folder / 'README.md'}: read it.")
    console.print(f"Talk to it: [bold]ift chat --model {folder}[/bold]")


def _tell_gguf(out: Path, kind: str, read, as_json: bool) -> None:
    from dataclasses import asdict

    size = out.stat().st_size / 1e6
    if as_json:
        import json

        report = {"out": str(out), "type": kind, "mb": size, "read_back": read and asdict(read)}
        print(json.dumps(report, indent=2))
        return
    from rich.console import Console

    console = Console(soft_wrap=True, highlight=False)
    console.print(f"Saved in {out}, {size:.1f} MB, {kind}.")
    if read is None:
        return
    if read.logits is not None:
        console.print(
            f"Read back through transformers: every weight is the one that was written, and logits "
            f"differ from the model's by {read.logits:.1g} of the largest."
        )
    else:
        console.print(
            "Read back through transformers: every weight is the one that was written. Its "
            "positions are stretched, which llama.cpp reads and transformers does not."
        )
    if not read.same_tokens:
        console.print(
            "transformers' reader cuts a conversation into other tokens than the model's own "
            "tokenizer; llama.cpp goes by the file's own rule.",
            style="yellow",
        )
