"""The course's environment variables: the one place that reads and sets them.

Each is read when it is needed, not at import, because `ift.setup`, the commands and the tests set
them while the process runs. `VARIABLES` says what each of them means.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ift_course.errors import CourseError

PROFILE = "IFT_PROFILE"
SEED = "IFT_SEED"
RESULTS = "IFT_RESULTS"
THREADS = "IFT_THREADS"
CACHE = "IFT_CACHE"
NOTEBOOKS = "IFT_NOTEBOOKS"
PROGRESS = "IFT_PROGRESS"
CHECKING = "IFT_CHECKING"

VARIABLES = {
    PROFILE: "model and data of all lessons: tiny (the default), smollm2, gemma, t4 or gpu24",
    SEED: "first seed of every experiment; without it, the published seeds",
    RESULTS: "folder for what runs measure; scratch/ in a clone, results/ elsewhere",
    THREADS: "threads of a lesson; at most two without it",
    CACHE: "folder for downloads and unpacked models; ~/.cache/ift_course without it",
    NOTEBOOKS: "folder with the lessons' sources; the published ones without it",
    PROGRESS: "file with the exercises you have passed; progress.json without it",
    CHECKING: "set by `ift check` and `ift grade`: ift.check() and ift.hint() stay silent",
}


def profile_name() -> str | None:
    """The profile chosen with `$IFT_PROFILE`, if there is one."""
    return os.environ.get(PROFILE) or None


def set_profile(name: str) -> None:
    """Choose the profile for this process and for those that it starts."""
    os.environ[PROFILE] = name


def first_seed() -> int | None:
    """The first seed of every experiment; None stands for the published seeds.

    Raises:
        CourseError: The variable does not hold a whole number.
    """
    text = os.environ.get(SEED)
    if not text:
        return None
    if not (text.isascii() and text.isdigit()):
        raise CourseError(f'{SEED} is "{text}"; give it a whole number, such as {SEED}=10.')
    return int(text)


@contextmanager
def override_first_seed(seed: int | None) -> Iterator[None]:
    """Within the block, begin all seeds with `seed`, here and in the processes it starts.

    Args:
        seed: The first seed; None changes nothing.
    """
    with _override(SEED, None if seed is None else str(seed)):
        yield


def results_folder() -> Path | None:
    """The folder for results that the user chose, if there is one."""
    return _path(RESULTS)


def set_default_results_folder(folder: Path) -> None:
    """Write results to `folder`, unless the user chose another one."""
    os.environ.setdefault(RESULTS, str(folder))


def threads() -> int | None:
    """The number of threads of a lesson that the user chose, if it is a positive number."""
    text = os.environ.get(THREADS, "")
    return (int(text) or None) if text.isdigit() else None


def cache_folder() -> Path | None:
    """The folder for cached files that the user chose, if there is one."""
    return _path(CACHE)


def notebooks_folder() -> Path | None:
    """The folder with the lessons' sources that the user chose, if there is one."""
    return _path(NOTEBOOKS)


def progress_file() -> Path | None:
    """The file with the exercises' progress that the user chose, if there is one."""
    return _path(PROGRESS)


def is_checking() -> bool:
    """Whether a grader or `ift check` runs the cells, rather than a person."""
    return bool(os.environ.get(CHECKING))


@contextmanager
def checking() -> Iterator[None]:
    """Within the block, run cells as a grader does: the notebook's own checks stay silent."""
    with _override(CHECKING, "1"):
        yield


def _path(name: str) -> Path | None:
    text = os.environ.get(name)
    return Path(text) if text else None


@contextmanager
def _override(name: str, value: str | None) -> Iterator[None]:
    before = os.environ.get(name)
    if value is not None:
        os.environ[name] = value
    try:
        yield
    finally:
        if value is not None:
            os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before
