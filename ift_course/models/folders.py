"""What a folder contains, a whole model or an adapter, and whether it is complete."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Literal

from ift_course.errors import CourseError

ADAPTER_CONFIG = "adapter_config.json"
ADAPTER_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
MODEL_WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")
INDEXES = ("model.safetensors.index.json", "pytorch_model.bin.index.json")

Kind = Literal["model", "adapter", "neither"]


def folder_kind(folder: str | Path) -> Kind:
    """Return what a folder contains. All commands call this function, so that they agree.

    An adapter is often published with a copy of its base's config.json. Next to an
    adapter_config.json that file therefore proves nothing; the weights decide.

    Raises:
        CourseError: The folder has the weights of a model and of an adapter, so that it is unclear
            which of them is meant.
    """
    folder = Path(folder)
    if not (folder / ADAPTER_CONFIG).exists():
        return "model" if (folder / "config.json").exists() else "neither"
    if not _model_weights(folder):
        return "adapter"
    if any((folder / name).exists() for name in ADAPTER_WEIGHTS):
        raise CourseError(
            f"{folder} has the weights of a whole model and of an adapter; move {ADAPTER_CONFIG} "
            f"and {ADAPTER_WEIGHTS[0]} to a folder of their own."
        )
    return "model" if (folder / "config.json").exists() else "adapter"


def is_adapter(folder: str | Path) -> bool:
    """Return whether a folder contains an adapter; raises as `folder_kind` does."""
    return folder_kind(folder) == "adapter"


def check_model(folder: Path) -> None:
    """Raise CourseError if a folder is not a complete model folder, and say what is missing."""
    if not folder.is_dir():
        raise CourseError(f"{folder} is not a folder; give the folder that contains config.json.")
    config = folder / "config.json"
    if not config.exists():
        nested = folder / "adapter"
        hint = f" (its subfolder {nested} contains an adapter)" if is_adapter(nested) else ""
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
    """Raise CourseError if a folder is not a complete adapter folder, and say what is missing."""
    remedy = "give the folder that `ift sft --method qlora --out` or PEFT's save_pretrained wrote"
    if not folder.is_dir():
        raise CourseError(f"There is no folder {folder}; {remedy}.")
    kind = folder_kind(folder)
    if kind == "model":
        raise CourseError(f"{folder} is a whole model already; there is nothing to merge.")
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
    """Return the object in a configuration file.

    Raises:
        CourseError: The file is damaged.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(content, dict):
            return content
    except ValueError:
        pass
    raise CourseError(f"{path} is damaged (not valid JSON); copy it again.")


def stored_dtype(folder: str | Path) -> str | None:
    """Return the dtype of the weights that config.json names, such as "bfloat16", if it does."""
    try:
        config = json.loads((Path(folder) / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    if not isinstance(config, dict):
        return None
    return config.get("dtype") or config.get("torch_dtype")


def check_safetensors(folder: Path) -> None:
    """Raise CourseError for the first *.safetensors file in a folder that is cut off."""
    # Only the headers are read; they say how long the file must be.
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
    """Raise CourseError if a file that the index of a model names is missing."""
    for index in (folder / name for name in INDEXES):
        # transformers prefers a single file and reads the index only if there is none.
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
