"""A class of synthetic capstones: honest ones, weak ones, and every way to break a rule."""

from __future__ import annotations

import hashlib
import io
import json
import stat
import warnings
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import ift_course
from ift_course.capstone.adapter_part import EMBEDDING, PREFIX, base_shapes
from ift_course.capstone.data_part import to_jsonl
from ift_course.capstone.packing import course_base
from ift_course.capstone.pool import pool_rows
from ift_course.capstone.report_part import SECTIONS, TEMPLATE
from ift_course.capstone.rules import (
    ADAPTER,
    ADAPTER_SETTINGS,
    DATA,
    MANIFEST,
    PARTS,
    REPORT,
    SETTINGS,
)
from ift_course.data.records import Record

WORDS = "I kept the rows that two readers found right, and I measured what each of the steps did. "
WRITTEN = "# Report\n\n" + "\n".join(f"## {title}\n\n{WORDS}\n" for title in SECTIONS)
MODULES = ("model.layers.0.self_attn.q_proj", "model.layers.5.mlp.down_proj")

Files = dict[str, bytes]
Extra = Sequence[tuple[str | zipfile.ZipInfo, bytes]]


def adapter_tensors(seed: int, *, rank: int = 2, scale: float = 0.02, wide: int = 0):
    """A random adapter on two layers; `wide` more inputs than the base has."""
    import torch

    generator = torch.Generator().manual_seed(seed)
    tensors = {}
    for module in MODULES:
        outputs, inputs = base_shapes()[module]
        shapes = {"A": (rank, inputs + wide), "B": (outputs, rank)}
        for half, shape in shapes.items():
            numbers = scale * torch.randn(shape, generator=generator)
            tensors[f"{PREFIX}{module}.lora_{half}.weight"] = numbers
    return tensors


def adapter_config(**changes) -> bytes:
    """What PEFT writes beside such an adapter."""
    config = {
        "peft_type": "LORA", "task_type": "CAUSAL_LM", "r": 2, "lora_alpha": 4,
        "base_model_name_or_path": "/home/jane/ift_course/assets/base", "bias": "none",
        "target_modules": ["q_proj", "down_proj"], "lora_dropout": 0.0, "inference_mode": True,
    }  # fmt: skip
    return json.dumps(config | changes).encode()


def pool_sample(first: int, n: int) -> list[Record]:
    """Rows of the pool as records."""
    rows = pool_rows()[first : first + n]
    return [Record.from_instruction(x["instruction"], x["input"], x["output"]) for x in rows]


def honest(seed: int = 0, **tensors) -> Files:
    """The parts of a submission that keeps all rules."""
    from safetensors.torch import save

    settings = {"steps": 200, "batch_size": 16, "learning_rate": 2e-3, "seed": seed}
    return {
        DATA: to_jsonl(pool_sample(10 * seed, 20)),
        SETTINGS: json.dumps(settings).encode(),
        REPORT: WRITTEN.encode(),
        ADAPTER_SETTINGS: adapter_config(),
        ADAPTER: save(adapter_tensors(seed, **tensors)),
    }


def manifest(files: Files, **changes) -> bytes:
    """The manifest of the files."""
    hashes = {name: hashlib.sha256(files[name]).hexdigest() for name in PARTS if name in files}
    content = {
        "format": 1, "title": "An assistant", "base": course_base(),
        "package": ift_course.__version__, "sha256": hashes,
    }  # fmt: skip
    return json.dumps(content | changes).encode()


def zipped(files: Files, extra: Extra = (), **changes) -> bytes:
    """A zip of the files, a manifest, and what else belongs in it or not."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, manifest(files, **changes))
        for name, content in files.items():
            archive.writestr(name, content)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # two files of one name are what some cases are about
            for name, content in extra:
                archive.writestr(name, content)
    return buffer.getvalue()


def link(name: str) -> zipfile.ZipInfo:
    """An entry of a zip that is a symbolic link."""
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


def exam_rows(exam) -> bytes:
    """Training rows that hold the exam with its answers."""
    records = [Record.from_instruction(x.instruction, x.input, x.response) for x in exam.examples]
    return to_jsonl(records)


def _renamed(files: Files, old: str, new: str) -> Files:
    return {new if name == old else name: content for name, content in files.items()}


def _cut(files: Files, name: str) -> Files:
    return files | {name: files[name][:-100]}


def nan_adapter(seed: int = 0) -> bytes:
    """An adapter of a training that has diverged."""
    from safetensors.torch import save

    tensors = adapter_tensors(seed)
    next(iter(tensors.values()))[0, 0] = float("nan")
    return save(tensors)


def _with_embedding() -> bytes:
    import torch
    from safetensors.torch import save

    name = f"{PREFIX}{EMBEDDING}.weight"
    return save(adapter_tensors(0) | {name: torch.zeros(base_shapes()[EMBEDDING])})


def _bomb_tensors() -> bytes:
    """A header that promises more numbers than there are."""
    header = {"x": {"dtype": "F32", "shape": [1 << 30], "data_offsets": [0, 1 << 32]}}
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text


# Name of the case → (the kind of its refusal, the bytes of its zip).
BROKEN: dict[str, tuple[str, Callable[[], bytes]]] = {
    "empty": ("empty", lambda: b""),
    "no zip": ("corrupted", lambda: b"PK\x03\x04 but not for long"),
    "cut off": ("corrupted", lambda: zipped(honest())[:-300]),
    "rows over budget": (
        "budget", lambda: zipped(honest() | {DATA: to_jsonl(pool_sample(0, 301))}),
    ),
    "steps over budget": (
        "budget",
        lambda: zipped(
            honest() | {SETTINGS: b'{"steps": 201, "batch_size": 16, "learning_rate": 1e-3}'}
        ),
    ),
    "rank over budget": (
        "budget", lambda: zipped(honest() | {ADAPTER_SETTINGS: adapter_config(r=65)}),
    ),
    "report unfilled": ("report", lambda: zipped(honest() | {REPORT: TEMPLATE.encode()})),
    "oversized adapter": ("size", lambda: zipped(honest() | {ADAPTER: bytes(13 << 20)})),
    "zip bomb": ("size", lambda: zipped(honest() | {DATA: bytes(200 << 20)})),
    "corrupted adapter": ("corrupted", lambda: zipped(_cut(honest(), ADAPTER))),
    "promised tensors": ("corrupted", lambda: zipped(honest() | {ADAPTER: _bomb_tensors()})),
    "nested JSON": (
        "data", lambda: zipped(honest() | {DATA: b"[" * 100_000 + b"]" * 100_000}),
    ),
    "wrong base": ("wrong base", lambda: zipped(honest(wide=8))),
    "base by name": (
        "wrong base",
        lambda: zipped(
            honest() | {ADAPTER_SETTINGS: adapter_config(base_model_name_or_path="Qwen/Qwen3-0.6B")}
        ),
    ),
    "other base": ("wrong base", lambda: zipped(honest(), base="000000000000")),
    "whole embedding": ("wrong base", lambda: zipped(honest() | {ADAPTER: _with_embedding()})),
    "other settings": (
        "adapter", lambda: zipped(honest() | {ADAPTER_SETTINGS: adapter_config(use_dora=True)}),
    ),
    "pickled": (
        "pickle", lambda: zipped(_renamed(honest(), ADAPTER, "adapter_model.bin")),
    ),
    "pickle in disguise": (
        "pickle", lambda: zipped(honest() | {ADAPTER: b"\x80\x04cposix\nsystem\n."}),
    ),
    "path out of the zip": ("path", lambda: zipped(honest(), [("../../evil.py", b"x")])),
    "absolute path": ("path", lambda: zipped(honest(), [("/etc/cron.d/evil", b"x")])),
    "link in the zip": ("link", lambda: zipped(honest(), [(link("extra"), b"/etc/passwd")])),
    "two manifests": (
        "manifest", lambda: zipped(honest(), [(MANIFEST, manifest(honest(1)))]),
    ),
    "changed after packing": (
        "manifest", lambda: zipped(honest(), sha256={name: "0" * 64 for name in PARTS}),
    ),
    "no adapter": (
        "missing", lambda: zipped({k: v for k, v in honest().items() if k != ADAPTER}),
    ),
    "code": ("unknown file", lambda: zipped(honest(), [("setup.py", b"raise SystemExit")])),
    "no text": ("data", lambda: zipped(honest() | {DATA: b"\xff\xfe\x00"})),
}  # fmt: skip


def write(folder: Path, name: str, content: bytes) -> Path:
    """Hand in a zip."""
    path = folder / f"{name}.zip"
    path.write_bytes(content)
    return path
