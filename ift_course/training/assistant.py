"""The profile's assistant: its base model, tuned once on its instruction data and stored."""

import hashlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ift_course.data.examples import dialogue_records, to_records
from ift_course.data.records import Record
from ift_course.disk import disk_errors
from ift_course.models import provenance
from ift_course.models.licenses import carry_license
from ift_course.models.load import base_folder
from ift_course.models.merge import open_folder, unload
from ift_course.models.save import save
from ift_course.paths import results_dir
from ift_course.profile import Profile

if TYPE_CHECKING:
    from peft import PeftModel

SEED = 0
DIALOGUES = 4000
# How the course's own base becomes its assistant, found on the development lists. With one rate for
# all weights, 2e-4 learns too little, and 4e-4 loses the facts of every fourth held-out entity.
RECIPE: dict[str, Any] = {
    "epochs": 3.0, "learning_rate": 4e-4, "embedding_learning_rate": 6e-5, "batch_size": 16,
    "max_length": 192,
}  # fmt: skip
RECIPE_FILE = "recipe.json"  # says what a stored assistant was made from


def assistant_folder(profile: Profile) -> Path:
    """Return the folder of the tuned model; tune it first if it is missing or of another base.

    Raises CourseError as `load` and `sft` do.
    """
    from filelock import FileLock

    base = base_folder(profile)
    recipe = {
        "base": _files_digest(base),
        "data": _data_identity(profile),
        "settings": _settings(profile),
    }
    folder = results_dir(profile.name) / "models" / "sft"
    with disk_errors(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(str(folder) + ".lock"):
        if not _made_by(folder, recipe):
            print(
                f"Tuning the base model into an assistant, once, into {folder} …",
                file=sys.stderr,
                flush=True,
            )
            _make(profile, base, assistant_records(profile), folder)
            with disk_errors(folder):
                (folder / RECIPE_FILE).write_text(
                    json.dumps(recipe, indent=2) + "\n", encoding="utf-8"
                )
    return folder


def assistant_records(profile: Profile) -> list[Record]:
    """What the assistant is tuned on: dialogues of the world, or the profile's data set."""
    if profile.sft_data != "world":
        from ift_course.data.hub import stream_records

        return stream_records(profile.sft_data, profile.examples)
    if profile.base_model != "embedded":
        from ift_course.world.tasks import sample

        return to_records(sample(profile.examples, seed=SEED))
    return dialogue_records(DIALOGUES, seed=SEED)


def _make(profile: Profile, base: Path, records: list[Record], folder: Path) -> None:
    from ift_course.training.sft import sft

    small = profile.base_model == "embedded"
    method = "full" if small else "lora"  # real models fit on their machines only so
    settings = _settings(profile)
    result = sft(
        *open_folder(base), records, method=method, progress=sys.stderr.isatty(), **settings
    )
    (folder / RECIPE_FILE).unlink(missing_ok=True)
    model = result.model if small else unload(cast("PeftModel", result.model))
    save(model, result.tokenizer, folder)
    facts = provenance.describe_data(records) | {"data": [f"{profile.sft_data} (ift_course)"]}
    parent = provenance.parent_name(str(base))
    now = provenance.Tuning(
        method="sft", trainable=method, parent=parent, settings=settings, **facts,
        **provenance.summarize(result),
    )  # fmt: skip
    with disk_errors(folder):
        provenance.write(folder, [now])
        carry_license(base, folder)


def _settings(profile: Profile) -> dict[str, Any]:
    """The settings of the run: the course's recipe for its own base, else those of the profile."""
    if profile.base_model == "embedded":
        return {"seed": SEED} | RECIPE
    return {
        "seed": SEED,
        "learning_rate": None,  # the default of LoRA
        "epochs": profile.epochs,
        "max_length": profile.max_length,
        "batch_size": profile.batch_size,
        "gradient_accumulation": profile.gradient_accumulation,
        "gradient_checkpointing": profile.gradient_checkpointing,
        "optimizer": profile.optimizer,
    }


def _made_by(folder: Path, recipe: dict) -> bool:
    try:
        stored = json.loads((folder / RECIPE_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return stored == recipe and (folder / "config.json").exists()


def _data_identity(profile: Profile) -> str:
    if profile.sft_data != "world":  # asking the Hub each time would need a network each time
        return f"{profile.sft_data}, {profile.examples} examples"
    turns = [record.turns for record in assistant_records(profile)]
    return hashlib.sha256(repr(turns).encode()).hexdigest()


def _files_digest(base: Path) -> str:
    """A digest of all files of the base, tokenizer included: another one asks for new tuning."""
    sums = base / "SHA256SUMS"
    if sums.exists():
        return hashlib.sha256(sums.read_bytes()).hexdigest()
    files = [(path.name, path.stat().st_size) for path in sorted(base.glob("*.safetensors"))]
    config = (base / "config.json").read_text(encoding="utf-8")
    return hashlib.sha256(f"{files}{config}".encode()).hexdigest()
