"""A tuning run as a user meets it: from a model's name to a saved folder, safe against a kill."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ift_course import distributed
from ift_course.data.chat_templates import stop_at_end_of_turn
from ift_course.disk import disk_errors, refuse_without_space
from ift_course.errors import CourseError
from ift_course.hardware import bf16_is_fast
from ift_course.models import provenance
from ift_course.models.folders import stored_dtype
from ift_course.models.licenses import carry_license
from ift_course.models.load import base_folder
from ift_course.models.lora_adapters import source_of
from ift_course.models.merge import open_folder, unload
from ift_course.models.quantize import is_four_bit
from ift_course.models.save import save
from ift_course.profile import get_profile
from ift_course.training.checkpoints import latest
from ift_course.training.open_model import load
from ift_course.training.options import Method
from ift_course.training.preference.dpo import dpo
from ift_course.training.runner import TrainingResult
from ift_course.training.sft import sft

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from ift_course.data.pairs import Pair
    from ift_course.data.records import Record
    from ift_course.training.adapter import Adapter

DEFAULT_MAX_LENGTH = 1024
# Up to three checkpoints exist for a moment: weights and two moments of AdamW, in float32.
DISK_PER_WEIGHT = {"full": 10, "lora": 2, "qlora": 0.5}  # in copies of the float32 weights


@dataclass(frozen=True)
class TuningRequest:
    """What a user wants done to a model; the saved folder keeps a record of it.

    Attributes:
        algorithm: "sft" for demonstrations, "dpo" for preferences.
        data: records for "sft", pairs for "dpo".
        method: "full", "lora" or "qlora".
        adapter: LoRA's settings; None means `Adapter()`.
        max_length: in tokens; None means 1024. The model's own limit holds in any case.
        options: other keywords of `sft` or `dpo`; None stands for the default.
    """

    algorithm: Literal["sft", "dpo"]
    data: Sequence[Record] | Sequence[Pair]
    method: Method = "full"
    adapter: Adapter | None = None
    max_length: int | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    def recorded_settings(self) -> dict[str, Any]:
        """The options as they were given, with the adapter's where one is trained."""
        plain = (bool, float, int, str, type(None))
        settings = {name: x for name, x in self.options.items() if isinstance(x, plain)}
        if self.adapter is None or self.method == "full":
            return settings
        settings["rank"] = self.adapter.rank
        if self.adapter.targets:
            settings["targets"] = ", ".join(self.adapter.targets)
        return settings


@dataclass(frozen=True)
class TuningRun:
    """A request, the model that was loaded for it, and the place of the result.

    Attributes:
        request: what is to be done.
        out: the folder of the result.
        source: the model that an adapter will belong to: a hub id or a folder.
        earlier: how that model was tuned before.
    """

    request: TuningRequest
    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    out: Path
    source: str
    earlier: list[provenance.Tuning]

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints, which goes when the run is finished."""
        return self.out / "checkpoints"


def start(
    request: TuningRequest, model_name: str, out: str | Path, profile: str | None = None
) -> TuningRun:
    """Load the model to be tuned, after making sure that the result has a place.

    Args:
        request: what is to be done.
        model_name: "base", "sft", a folder, or a hub id.
        out: the folder for the result.
        profile: decides which models "base" and "sft" are.

    Raises:
        CourseError: `out` holds a finished model or cannot be written, or there is no such model.
    """
    out = Path(out).expanduser()
    distributed.set_local_device()
    with disk_errors(out):
        refuse_finished(out)
        (out / "checkpoints").mkdir(parents=True, exist_ok=True)
    try:
        model, tokenizer = load(
            model_name,
            profile=profile,
            dtype=_frozen_dtype(model_name, profile) if request.method == "lora" else None,
            four_bit=request.method == "qlora",
        )
        source = source_of(model_name, model)
        return TuningRun(request, model, tokenizer, out, source, provenance.read(source))
    except BaseException:
        _remove_if_empty(out)
        raise


def _frozen_dtype(model_name: str, profile: str | None) -> torch.dtype | None:
    """Return the dtype in which weights are loaded that stay as they are beside an adapter.

    On a CPU with fast bf16, weights that are stored in bfloat16 stay so: in float32 they would take
    twice the memory, and each step would cast them. None is the default of `load`.
    """
    import torch

    if torch.cuda.is_available() or not bf16_is_fast() or model_name == "sft":
        return None
    folder = base_folder(get_profile(profile)) if model_name == "base" else Path(model_name)
    return torch.bfloat16 if stored_dtype(folder.expanduser()) == "bfloat16" else None


def refuse_finished(out: Path) -> None:
    """Refuse a folder that holds a finished model.

    Raises:
        CourseError: it does.
    """
    finished = (out / "config.json").exists() or (out / "adapter_config.json").exists()
    if finished and not (out / "checkpoints").exists():
        raise CourseError(
            f"{out} holds a model already; choose another --out, or delete it to train anew."
        )


def train(
    run: TuningRun, *, on_refused: Callable[[Any, str], None] | None = None
) -> TrainingResult:
    """Tune with checkpoints in `run.out`; a run that was killed resumes from its last one.

    Args:
        run: as `start` made it.
        on_refused: is given each record or pair that the chat template cannot write, and the
            reason.

    Returns:
        An `SftResult` or a `DpoResult`.

    Raises:
        CourseError: as `sft` or `dpo` do, and when the disk cannot hold the checkpoints.
    """
    request = run.request
    limit = getattr(run.model.config, "max_position_embeddings", None) or DEFAULT_MAX_LENGTH
    trainer: Callable[..., TrainingResult] = {"sft": sft, "dpo": dpo}[request.algorithm]
    try:
        _check_space(run)
        return trainer(
            run.model,
            run.tokenizer,
            request.data,
            max_length=min(request.max_length or DEFAULT_MAX_LENGTH, limit),
            method=request.method,
            adapter=request.adapter,
            on_refused=on_refused,
            output_dir=run.checkpoints,
            **request.options,
        )
    finally:
        if distributed.is_main_process():
            _remove_if_empty(run.out)


def finish(run: TuningRun, result: TrainingResult) -> Path:
    """Save the tuned model as an ordinary folder, drop the checkpoints, and return the folder.

    A LoRA result is merged into its weights; the adapter alone is kept in `adapter/`. Of a QLoRA
    result only the adapter is saved: merged into 4-bit weights it would be rounded to 4 bits. Of
    several processes the first one saves, and the others wait for it.
    """
    if distributed.is_main_process():
        base = str(run.model.name_or_path)
        _save(run, result, base)
        with disk_errors(run.out):
            for folder in (run.out, run.out / "adapter"):
                if folder.is_dir():
                    carry_license(base, folder)
            provenance.write(run.out, [*run.earlier, _record(run, result)])
        shutil.rmtree(run.checkpoints, ignore_errors=True)
    distributed.shutdown()
    return run.out.absolute()


def _save(run: TuningRun, result: TrainingResult, base: str) -> None:
    model: Any = result.model
    if distributed.uses_fsdp():  # no process has all of it, but the last checkpoint has
        checkpoint = latest(run.checkpoints)
        if checkpoint is None:
            raise CourseError(f"{run.checkpoints} holds no complete checkpoint; train again.")
        model, _ = open_folder(checkpoint)
        stop_at_end_of_turn(model, result.tokenizer)
    if not hasattr(model, "peft_config"):
        save(model, result.tokenizer, run.out)
        return
    model.peft_config["default"].base_model_name_or_path = run.source
    if is_four_bit(model):
        save(model, result.tokenizer, run.out, base=base)
    else:
        save(model, result.tokenizer, run.out / "adapter", base=base)
        # A sum in half precision would lose most of the adapter's part; a GPU may lack the room.
        whole = model.float() if model.device.type == "cpu" else model
        save(unload(whole), result.tokenizer, run.out)


def _record(run: TuningRun, result: TrainingResult) -> provenance.Tuning:
    return provenance.Tuning(
        method=run.request.algorithm,
        trainable=run.request.method,
        parent=provenance.parent_name(run.source),
        settings=run.request.recorded_settings(),
        **provenance.describe_data(run.request.data),
        **provenance.summarize(result),
    )


def _check_space(run: TuningRun) -> None:
    needed = DISK_PER_WEIGHT[run.request.method] * 4 * run.model.num_parameters()
    refuse_without_space(run.out, needed, "The model with its checkpoints")


def _remove_if_empty(out: Path) -> None:
    for folder in (out / "checkpoints", out):
        if folder.exists() and not any(folder.iterdir()):
            folder.rmdir()
