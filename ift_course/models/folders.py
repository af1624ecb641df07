"""What a folder on disk holds, a whole model or an adapter, and whether it is complete."""

import json
from pathlib import Path
from typing import Any, Literal

from ift_course.errors import CourseError

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
MODEL_WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")
INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")

Kind = Literal["model", "adapter", "neither"]


def kind_of(folder: str | Path) -> Kind:
    """What `folder` holds. Every command asks here, so that they agree.

    An adapter is often published with a copy of its base's config.json, so that file decides
    nothing where adapter_config.json stands beside it; the weights do.

    Raises:
        CourseError: there are the weights of a model and of an adapter, and nobody can know which
            of them is meant.
    """
    folder = Path(folder)
    if not (folder / ADAPTER_CONFIG).exists():
        return "model" if (folder / "config.json").exists() else "neither"
    if not _model_weights(folder):
        return "adapter"
    if any((folder / name).exists() for name in ADAPTER_WEIGHTS):
        raise CourseError(
            f"{folder} holds the weights of a whole model and of an adapter; move {ADAPTER_CONFIG} "
            f"and {ADAPTER_WEIGHTS[0]} to a folder of their own."
        )
    return "model" if (folder / "config.json").exists() else "adapter"


def is_adapter(folder: str | Path) -> bool:
    """Whether `folder` holds an adapter and not a model of its own. Raises as `kind_of` does."""
    return kind_of(folder) == "adapter"


def check_model(folder: Path) -> None:
    """Raise CourseError when `folder` is no complete model folder, naming what is missing."""
    if not folder.is_dir():
        raise CourseError(f"{folder} is not a folder; give the folder that holds config.json.")
    config = folder / "config.json"
    if not config.exists():
        nested = folder / "adapter"
        hint = f" (its subfolder {nested} holds an adapter)" if is_adapter(nested) else ""
        raise CourseError(
            f"{folder} is not a model folder: it has no config.json{hint}; give the folder that "
            "`ift sft --out` or save_pretrained wrote."
        )
    read_json(config)
    _check_shards(folder)
    if not _model_weights(folder) and not any(folder.glob("*.safetensors")):
        raise CourseError(f"{folder} has no weights (no *.safetensors file); copy them again.")
    if not any((folder / name).exists() for name in ("tokenizer.json", "tokenizer_config.json")):
        raise CourseError(f"{folder} has no tokenizer (no tokenizer.json); copy it there as well.")
    check_safetensors(folder)


def check_adapter(folder: Path) -> None:
    """Raise CourseError when `folder` is no complete adapter folder, naming what is missing."""
    remedy = "give the folder that `ift sft --method qlora --out` or PEFT's save_pretrained wrote"
    if not folder.is_dir():
        raise CourseError(f"There is no folder {folder}; {remedy}.")
    kind = kind_of(folder)
    if kind == "model":
        raise CourseError(f"{folder} is a whole model already: there is nothing to merge.")
    if kind == "neither":
        raise CourseError(
            f"{folder} is not an adapter folder: it has no {ADAPTER_CONFIG}; {remedy}."
        )
    read_json(folder / ADAPTER_CONFIG)
    if not any((folder / name).exists() for name in ADAPTER_WEIGHTS):
        raise CourseError(
            f"{folder} has no adapter weights ({ADAPTER_WEIGHTS[0]}); copy them again."
        )
    check_safetensors(folder)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a configuration file. Raises CourseError when it is damaged."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
    except ValueError:
        pass
    raise CourseError(f"{path} is damaged (not valid JSON); copy it again.")


def check_safetensors(folder: Path) -> None:
    """Raise CourseError naming the first *.safetensors file in `folder` that is cut off."""
    # Reads only the headers, which state how long the file must be.
    from safetensors import SafetensorError, safe_open

    for path in sorted(folder.glob("*.safetensors")):
        try:
            with safe_open(path, framework="pt"):
                pass
        except (SafetensorError, OSError):
            raise CourseError(
                f"{path} is damaged or cut off ({path.stat().st_size:,} bytes); "
                "copy or download it again."
            ) from None


def _model_weights(folder: Path) -> list[Path]:
    return [path for pattern in MODEL_WEIGHTS for path in folder.glob(pattern)]


def _check_shards(folder: Path) -> None:
    """A model in several files has an index that names them; each of them must be there."""
    for index in (folder / name for name in INDEXES):
        # transformers reads a single file first, and the index only where there is none.
        if not index.exists() or (folder / index.name.removesuffix(".index.json")).exists():
            continue
        files = read_json(index).get("weight_map")
        if not isinstance(files, dict):
            raise CourseError(f"{index} names no files (no weight_map); copy it again.")
        missing = sorted({name for name in files.values() if not (folder / name).exists()})
        if missing:
            raise CourseError(
                f"{folder} lacks {', '.join(missing)}, which {index.name} names; "
                "copy or download the folder again."
            )
