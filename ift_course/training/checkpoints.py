"""The files of checkpoints: which can be trusted after a kill, and whose they are."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course.errors import CourseError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch

# Written into a checkpoint after everything else, so its presence means that the rest is complete.
MARKER = "complete.json"
DIGESTS = ("data", "model")  # settings that are named without their values, which say nothing


def resume_or_start(folder: Path, settings: dict[str, Any], *, resume: bool = True) -> Path | None:
    """Return the checkpoint to resume from; None starts at the first step.

    Args:
        folder: where the checkpoints of the run are.
        settings: what the run must have in common with the one that wrote them.
        resume: False refuses any checkpoint.

    Raises:
        CourseError: the checkpoints belong to another run, or `resume` is False and there are some.
    """
    checkpoint = latest(folder)
    if checkpoint and not resume:
        raise CourseError(f"{folder} holds checkpoints; delete it or write elsewhere.")
    if checkpoint:
        refuse_other_run(checkpoint, settings)
    return checkpoint


def step_of(checkpoint: Path | None) -> int:
    """Return how many steps had been taken when it was written; 0 for None."""
    return int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0


def mark_complete(checkpoint: Path, settings: dict[str, Any]) -> None:
    """Declare a checkpoint complete. A kill while it is written leaves it unmarked."""
    scratch = checkpoint / f"{MARKER}.tmp"
    scratch.write_text(json.dumps(settings, indent=2), encoding="utf-8")
    os.replace(scratch, checkpoint / MARKER)


def latest(folder: Path) -> Path | None:
    """Return the newest complete checkpoint in `folder`; remove those that were cut off."""
    complete = []
    for checkpoint in folder.glob("checkpoint-*"):
        if (checkpoint / MARKER).exists():
            complete.append(checkpoint)
        else:
            shutil.rmtree(checkpoint, ignore_errors=True)
    return max(complete, key=step_of, default=None)


def refuse_other_run(checkpoint: Path, settings: dict[str, Any]) -> None:
    """Compare the settings of a checkpoint with those of this run.

    Raises:
        CourseError: they differ; the sentence names what does.
    """
    earlier = json.loads((checkpoint / MARKER).read_text(encoding="utf-8"))
    changed = [name for name in settings if settings[name] != earlier.get(name)]
    if changed:
        differences = ", ".join(
            name if name in DIGESTS else f"{name} {earlier.get(name)} → {settings[name]}"
            for name in changed
        )
        raise CourseError(
            f"{checkpoint.parent} holds an unfinished run with other settings ({differences}); "
            "repeat its settings to finish it, delete that folder to start anew, or write "
            "elsewhere."
        )


def data_digest(rows: Sequence[dict[str, Any]]) -> str:
    """Return a fingerprint of the training rows."""
    return hashlib.sha256(json.dumps(list(rows)).encode()).hexdigest()[:16]


def model_digest(model: torch.nn.Module) -> str:
    """Return a fingerprint of some 64 numbers of every tensor: quick, and training changes it."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        flat = tensor.detach().flatten()
        sample = flat[:: max(1, flat.numel() // 64)].float().cpu()
        digest.update(name.encode() + sample.numpy().tobytes())
    return digest.hexdigest()[:16]
