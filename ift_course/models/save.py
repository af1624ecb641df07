"""Save a model folder whole or not at all, readable by transformers 4.56 and 5."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ift_course.disk import disk_errors
from ift_course.models.fingerprint import write_base
from ift_course.models.quiet import quiet

if TYPE_CHECKING:
    from peft import PeftModel
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

# Written last: a folder without it does not load, so a broken save is never mistaken for a model.
LAST = ("config.json", "adapter_config.json")
WEIGHTS = ("model*.safetensors", "model*.safetensors.index.json", "pytorch_model*.bin*")


def save(
    model: PreTrainedModel | PeftModel,
    tokenizer: PreTrainedTokenizerBase,
    folder: str | Path,
    *,
    base: str | Path | None = None,
) -> Path:
    """Save model and tokenizer as an ordinary Hugging Face folder.

    Everything is first written next to the folder, so a save that is interrupted leaves no broken
    model folder. Other files in the folder are kept. Only the adapter of a LoRA model is saved,
    unless it was merged before (`merge_and_unload`).

    Args:
        model: An ordinary model, or a PeftModel.
        tokenizer: Its tokenizer.
        folder: The folder, which is created if necessary.
        base: The folder of an adapter's base, whose fingerprint is saved with the adapter.

    Returns:
        The absolute path of the folder.

    Raises:
        CourseError: The disk is full, or the folder cannot be written.
    """
    folder = Path(folder).absolute()
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        prefix = f".{folder.name}.saving-"
        with tempfile.TemporaryDirectory(prefix=prefix, dir=folder.parent) as scratch:
            staged = Path(scratch) / folder.name
            with quiet():
                adapted = cast("PeftModel", model)
                if hasattr(model, "peft_config"):
                    # The default would add the whole embedding of a base that has new tokens; the
                    # adapter contains their rows already.
                    adapted.save_pretrained(str(staged), save_embedding_layers=False)
                    (staged / "README.md").unlink(missing_ok=True)  # an empty template of peft
                    # An adapter has no config.json that could say where an answer ends.
                    base_model = cast("Any", adapted.get_base_model())
                    base_model.generation_config.save_pretrained(staged)
                    if base:
                        write_base(staged, base)
                else:
                    model.save_pretrained(str(staged))
                tokenizer.save_pretrained(staged)
            _readable_by_transformers_4(staged)
            last = next(name for name in LAST if (staged / name).exists())
            for path in staged.iterdir():  # safetensors lets only the owner read
                path.chmod((staged / last).stat().st_mode)
            _move(staged, folder, last)
    return folder


def _move(staged: Path, folder: Path, last: str) -> None:
    """Move the staged files into the folder, the file `last` at the end."""
    if not folder.exists() or not any(folder.iterdir()):
        if folder.exists():
            folder.rmdir()
        os.replace(staged, folder)
        return
    (folder / last).unlink(missing_ok=True)
    for pattern in WEIGHTS:  # shards of an earlier, larger model would be read as well
        for old in folder.glob(pattern):
            old.unlink()
    for path in sorted(staged.iterdir(), key=lambda path: path.name == last):
        os.replace(path, folder / path.name)


def _readable_by_transformers_4(folder: Path) -> None:
    """Add settings under the names of transformers 4, which would silently use its defaults."""
    if (folder / "config.json").exists():
        with _edit(folder / "config.json") as config:
            rope = config.get("rope_parameters")
            if isinstance(rope, dict) and "rope_theta" in rope:
                config["rope_theta"] = rope["rope_theta"]
                if rope.get("rope_type", "default") != "default":
                    config["rope_scaling"] = {k: v for k, v in rope.items() if k != "rope_theta"}
    if not (folder / "tokenizer.json").exists():
        return
    with _edit(folder / "tokenizer_config.json") as config:
        config["tokenizer_class"] = "PreTrainedTokenizerFast"
        if prefixes_space(folder):
            config["add_prefix_space"] = True
        extra = config.get("extra_special_tokens")
        if isinstance(extra, list):
            del config["extra_special_tokens"]
            config["additional_special_tokens"] = extra


def prefixes_space(folder: Path) -> bool:
    """Return whether the tokenizer puts a space before a text; transformers 4 needs to know."""
    path = folder / "tokenizer.json"
    stored = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    steps = stored.get("pre_tokenizer") or {}
    steps = steps.get("pretokenizers", [steps])
    return any(step.get("type") == "ByteLevel" and step["add_prefix_space"] for step in steps)


@contextmanager
def _edit(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the content of a JSON file, and write it back afterwards."""
    config = json.loads(path.read_text(encoding="utf-8"))
    yield config
    text = json.dumps(config, indent=2, ensure_ascii=False, sort_keys=True)
    path.write_text(text + "\n", encoding="utf-8")
