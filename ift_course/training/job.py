"""A tuning run as a user meets it: from a model's name to a saved folder, safe against a kill."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course import ranks
from ift_course.data.chat_templates import stop_at_end_of_turn
from ift_course.disk import disk_errors
from ift_course.errors import CourseError
from ift_course.models import provenance
from ift_course.models.lora_adapters import source_of
from ift_course.models.merge import open_folder, unload
from ift_course.models.quantize import is_four_bit
from ift_course.models.save import save
from ift_course.training.checkpoints import latest
from ift_course.training.open_model import load
from ift_course.training.sft import SftResult, sft

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Job:
    model: "PreTrainedModel"
    tokenizer: "PreTrainedTokenizerBase"
    out: Path
    source: str  # the model an adapter will belong to: a hub id or a folder
    earlier: list[provenance.Tuning] = field(default_factory=list)  # how that model was tuned
    recipe: dict[str, Any] = field(default_factory=dict)  # what `run` was given, for the record

    @property
    def checkpoints(self) -> Path:
        return self.out / "checkpoints"


def start(name: str, out: str | Path, profile: str | None = None, method: str = "full") -> Job:
    """Load the model to be tuned, after making sure that the result has a place.

    Raises CourseError when `out` holds a finished model or cannot be written.
    """
    out = Path(out).expanduser()
    ranks.take_own_gpu()
    with disk_errors(out):
        finished = (out / "config.json").exists() or (out / "adapter_config.json").exists()
        if finished and not (out / "checkpoints").exists():
            raise CourseError(
                f"{out} holds a model already; choose another --out, or delete it to train anew."
            )
        (out / "checkpoints").mkdir(parents=True, exist_ok=True)
    try:
        model, tokenizer = load(name, profile=profile, four_bit=method == "qlora")
        source = source_of(name, model)
        return Job(model, tokenizer, out, source, provenance.read(source))
    except BaseException:
        _remove_if_empty(out)
        raise


def run(
    job: Job,
    data: Sequence[Any],
    *,
    max_length: int | None,
    method: str,
    train: Callable[..., Any] = sft,
    **options: Any,
) -> Any:
    """Tune with checkpoints in `job.out`; a run that was killed goes on where it was.

    data: what `train`, which is `sft` or `dpo`, takes: records or pairs. Returns its result.
    Raises CourseError as it does, and when the disk cannot hold the checkpoints.
    """
    limit = getattr(job.model.config, "max_position_embeddings", None) or 1024
    job.recipe.update(method=train.__name__, changes=method, settings=_settings(method, options))
    job.recipe.update(provenance.described(data))
    try:
        _check_space(job, method)
        return train(
            job.model,
            job.tokenizer,
            data,
            max_length=min(max_length or 1024, limit),
            method=method,
            output_dir=job.checkpoints,
            **options,
        )
    finally:
        if ranks.is_first():
            _remove_if_empty(job.out)


def finish(job: Job, result: SftResult) -> Path:
    """Save the tuned model as an ordinary folder, drop the checkpoints, and return the folder.

    A LoRA result is merged into its weights; the adapter alone is kept in `adapter/`. Of a QLoRA
    result only the adapter is saved: merged into 4-bit weights it would be rounded to 4 bits. Of
    several processes the first one saves, and the others wait for it.
    """
    if ranks.is_first():
        _save(job, result)
        shutil.rmtree(job.checkpoints, ignore_errors=True)
    ranks.leave()
    return job.out.absolute()


def _save(job: Job, result: SftResult) -> None:
    model = result.model
    if ranks.share_the_model():  # no process has all of it, but the last checkpoint has
        model, _ = open_folder(latest(job.checkpoints))
        stop_at_end_of_turn(model, result.tokenizer)
    if hasattr(model, "peft_config"):
        base = job.model.name_or_path
        model.peft_config["default"].base_model_name_or_path = job.source
        if is_four_bit(model):
            save(model, result.tokenizer, job.out, base=base)
        else:
            save(model, result.tokenizer, job.out / "adapter", base=base)
            save(unload(model), result.tokenizer, job.out)
    else:
        save(model, result.tokenizer, job.out)
    if job.recipe:
        start = provenance.start_name(job.source)
        now = provenance.Tuning(start=start, **job.recipe, **provenance.outcome(result))
        with disk_errors(job.out):
            provenance.write(job.out, [*job.earlier, now])


def _settings(method: str, options: dict[str, Any]) -> dict[str, Any]:
    plain = {
        k: v for k, v in options.items() if v is None or isinstance(v, bool | float | int | str)
    }
    adapter = options.get("adapter")
    if not adapter or method == "full":
        return plain
    targets = {"targets": ", ".join(adapter.targets)} if adapter.targets else {}
    return plain | {"rank": adapter.rank} | targets


def _check_space(job: Job, method: str) -> None:
    # Up to three checkpoints exist for a moment: weights and two moments of AdamW, in float32.
    weights = 4 * job.model.num_parameters()
    needed = {"full": 10, "lora": 2, "qlora": 0.5}[method] * weights
    free = shutil.disk_usage(job.checkpoints).free
    if free < needed:
        raise CourseError(
            f"{job.out} needs {needed / 1e9:.1f} GB for checkpoints and the model, but only "
            f"{free / 1e9:.1f} GB are free; free some space or choose another --out."
        )


def _remove_if_empty(out: Path) -> None:
    for folder in (out / "checkpoints", out):
        if folder.exists() and not any(folder.iterdir()):
            folder.rmdir()
