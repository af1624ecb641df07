"""Which checkpoints can be trusted after a run was killed, and whether they belong to this run."""

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course.errors import CourseError

if TYPE_CHECKING:
    import torch
    from transformers import TrainerCallback

# Written into a checkpoint after everything else, so its presence means: whole.
MARKER = "complete.json"


def going_on(
    output_dir: str | Path | None,
    settings: dict[str, Any],
    rows: list[dict[str, list[int]]],
    model: "torch.nn.Module",
    *,
    every_steps: int,
    every_seconds: float,
    resume: bool = True,
) -> "tuple[Path | None, list[TrainerCallback]]":
    """The checkpoint to go on from, if there is one, and the callbacks that will write more.

    Without output_dir there is neither. Raises CourseError for checkpoints of another run, and,
    without `resume`, for any.
    """
    if output_dir is None:
        return None, []
    from ift_course.training.trainer import Checkpoints

    settings = settings | {"data": data_digest(rows), "model": model_digest(model)}
    checkpoint = latest(Path(output_dir))
    if checkpoint and not resume:
        raise CourseError(f"{output_dir} holds checkpoints; delete it or write elsewhere.")
    if checkpoint:
        refuse_other_run(checkpoint, settings)
    return checkpoint, [Checkpoints(settings, every_steps, every_seconds)]


def step_of(checkpoint: Path | None) -> int:
    """How many steps had been done when it was written; 0 for None."""
    return int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0


def mark_complete(checkpoint: Path, settings: dict[str, Any]) -> None:
    """Declare a checkpoint whole. A kill in the middle leaves it unmarked."""
    scratch = checkpoint / f"{MARKER}.tmp"
    scratch.write_text(json.dumps(settings, indent=2), encoding="utf-8")
    os.replace(scratch, checkpoint / MARKER)


def latest(folder: Path) -> Path | None:
    """The newest whole checkpoint in `folder`; removes the ones that were cut off."""
    whole = []
    for checkpoint in folder.glob("checkpoint-*"):
        if (checkpoint / MARKER).exists():
            whole.append(checkpoint)
        else:
            shutil.rmtree(checkpoint, ignore_errors=True)
    return max(whole, key=step_of, default=None)


def refuse_other_run(checkpoint: Path, settings: dict[str, Any]) -> None:
    """Raise CourseError when a checkpoint was made with other settings, naming what differs."""
    earlier = json.loads((checkpoint / MARKER).read_text(encoding="utf-8"))
    changed = [name for name in settings if settings[name] != earlier.get(name)]
    if changed:
        shown = ", ".join(
            name if name in DIGESTS else f"{name} {earlier.get(name)} → {settings[name]}"
            for name in changed
        )
        raise CourseError(
            f"{checkpoint.parent} holds an unfinished run with other settings ({shown}); repeat "
            "its settings to finish it, delete that folder to start anew, or write elsewhere."
        )


DIGESTS = ("data", "model")


def data_digest(rows: list[dict[str, list[int]]]) -> str:
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


def model_digest(model: "torch.nn.Module") -> str:
    """A fingerprint of some 64 numbers of every tensor: quick, and any training changes it."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        flat = tensor.detach().flatten()
        sample = flat[:: max(1, flat.numel() // 64)].float().cpu()
        digest.update(name.encode() + sample.numpy().tobytes())
    return digest.hexdigest()[:16]
