"""The learner's folder: begun with the pool and templates, and packed into one zip."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import ift_course
from ift_course.capstone.adapter_part import check_adapter
from ift_course.capstone.data_part import read_learners_rows, to_jsonl
from ift_course.capstone.opening import open_submission
from ift_course.capstone.pool import write_pool
from ift_course.capstone.report_part import TEMPLATE
from ift_course.capstone.rules import (
    ADAPTER,
    ADAPTER_SETTINGS,
    DATA,
    LARGEST,
    LARGEST_ZIP,
    MANIFEST,
    MOST_BATCH,
    MOST_STEPS,
    PARTS,
    REPORT,
    SETTINGS,
    Refusal,
    megabytes,
)
from ift_course.capstone.settings_part import parse_settings, read_settings_file
from ift_course.capstone.submission import Submission
from ift_course.disk import atomic_write_text
from ift_course.errors import CourseError
from ift_course.models.fingerprint import base_identity
from ift_course.profile import get_profile

POOL, ADAPTER_FOLDER = "pool.jsonl", "adapter"
OWN_SETTINGS = ("config.yaml", "config.yml", "config.json")
OWN_DATA = ("data.jsonl", "data.json", "data.csv", "data.parquet")
STAMP = (2026, 1, 1, 0, 0, 0)  # in the zip, so that the same files give the same bytes
EXAMPLE_SETTINGS = f"""\
# How you trained the adapter. The budget: {MOST_STEPS} steps, {MOST_BATCH} rows in a step.
steps: {MOST_STEPS}
batch_size: 16
learning_rate: 2.0e-3
seed: 0
method: sft          # or sft+dpo; the steps of both stages count
"""


def course_base() -> str:
    """The identity of the base that every capstone is tuned on."""
    return base_identity(get_profile("tiny"))


def begin(folder: Path) -> list[Path]:
    """Write the pool, the template of the report, and settings to change; nothing is overwritten.

    Args:
        folder: The learner's folder, which is made if need be.

    Returns:
        The files that were written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    if not (folder / POOL).exists():
        write_pool(folder / POOL)
        written.append(folder / POOL)
    for name, text in ((REPORT, TEMPLATE), (OWN_SETTINGS[0], EXAMPLE_SETTINGS)):
        if not (folder / name).exists():
            atomic_write_text(folder / name, text)
            written.append(folder / name)
    return written


def collect(folder: Path, title: str = "") -> Submission:
    """Read the learner's folder and check it as the grader will.

    Args:
        folder: With the training rows, the settings, the report, and the folder of the adapter.
        title: What the author calls the assistant.

    Raises:
        CourseError: Something is missing, cannot be read, or breaks a rule.
    """
    if not folder.is_dir():
        raise CourseError(f"There is no folder {folder}; begin with `ift submit {folder} --begin`.")
    settings = parse_settings(read_settings_file(_first(folder, OWN_SETTINGS)))
    adapter = folder / ADAPTER_FOLDER
    content = _read(adapter / ADAPTER)
    submission = Submission(
        title,
        {
            DATA: to_jsonl(read_learners_rows(_first(folder, OWN_DATA))),
            SETTINGS: settings.to_json().encode(),
            REPORT: _read(folder / REPORT),
            ADAPTER_SETTINGS: _read(adapter / ADAPTER_SETTINGS),
            ADAPTER: content,
        },
    )
    submission.check()
    return submission


def load(path: Path) -> Submission:
    """Read a submission from its zip, or from the learner's folder.

    Args:
        path: Of the zip or the folder.

    Raises:
        CourseError: It cannot be read, or breaks a rule.
    """
    if path.is_dir():
        return collect(path)
    if not path.exists():
        raise CourseError(f"There is nothing at {path}; name a folder or a zip of `ift submit`.")
    return open_submission(path, course_base())


def load_adapter(folder: Path) -> dict[str, bytes]:
    """Read an adapter alone: the folder that PEFT's save_pretrained wrote.

    Args:
        folder: The folder.

    Raises:
        Refusal: A file is missing, too large or damaged, or the adapter is not allowed.
    """
    files = {name: _read(folder / name) for name in (ADAPTER, ADAPTER_SETTINGS)}
    check_adapter(files[ADAPTER], files[ADAPTER_SETTINGS])
    return files


def pack(submission: Submission, path: Path) -> None:
    """Write a submission as a zip; the same files give the same bytes.

    Args:
        submission: What `collect` returned.
        path: The zip, which is replaced.

    Raises:
        Refusal: The zip is larger than a grader opens.
    """
    manifest = submission.manifest(course_base(), ift_course.__version__)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in (MANIFEST, *PARTS):
            info = zipfile.ZipInfo(name, STAMP)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, manifest if name == MANIFEST else submission.files[name])
    content = buffer.getvalue()
    if len(content) > LARGEST_ZIP:
        raise Refusal("size", f"The zip would have {megabytes(len(content))}; "
                      f"{megabytes(LARGEST_ZIP)} are the limit.")  # fmt: skip
    scratch = path.with_name(f".{path.name}.new")
    scratch.write_bytes(content)
    scratch.replace(path)


def _first(folder: Path, names: tuple[str, ...]) -> Path:
    """The first file of one of these names."""
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise Refusal("missing", f"{folder} has no {names[0]}; `ift submit --help` says what belongs "
                  "there.")  # fmt: skip


def _read(path: Path) -> bytes:
    """A file's content, at most as much as a submission may hold."""
    try:
        size = path.stat().st_size
        if size > LARGEST[path.name]:
            raise Refusal("size", f"{path} has {megabytes(size)}, and "
                          f"{megabytes(LARGEST[path.name])} are the limit.")  # fmt: skip
        return path.read_bytes()
    except OSError:
        pass
    if path.name == ADAPTER and (pickles := sorted(path.parent.glob("*.bin"))):
        raise Refusal("pickle", f"{pickles[0]} is a pickle, which could run code; save the adapter "
                      "with save_pretrained, which writes safetensors.")  # fmt: skip
    raise Refusal("missing", f"{path} is missing; `ift submit --help` says what belongs there.")
