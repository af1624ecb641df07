"""The first line of every lesson: `profile = ift.setup("01")`."""

from __future__ import annotations

import logging
import os
import random
import time
from dataclasses import dataclass, field

from ift_course import settings
from ift_course.profile import Profile, get_profile

# Settings of other libraries, which read them at import.
QUIET = {
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
}


@dataclass(frozen=True)
class Session:
    """The lesson that is running.

    Attributes:
        lesson: Its number, such as "01"; "scratch" outside the lessons.
        profile: The profile it runs on.
        started: When it started, in seconds of `time.perf_counter()`.
    """

    lesson: str = "scratch"
    profile: Profile = field(default_factory=get_profile)
    started: float = field(default_factory=time.perf_counter)


_current: Session | None = None


def setup(lesson: str, profile: str | None = None) -> Profile:
    """Make the notebook quiet and repeatable, start its clock and print one line.

    Libraries read their settings when they are imported, so call this before you import them.

    Args:
        lesson: The lesson's number, such as "01".
        profile: One of `PROFILES`. None takes papermill's parameter (`-p profile t4`), without
            that `$IFT_PROFILE`, and without that "tiny".

    Returns:
        The profile of the lesson.

    Raises:
        CourseError: There is no such profile.
    """
    global _current
    selected = get_profile(profile or _papermill_parameter())
    settings.set_profile(selected.name)
    _silence_libraries()
    threads = _set_threads()
    _set_seed(selected.seeds[0])
    _current = Session(lesson=lesson, profile=selected)
    print(
        f"Lesson {lesson} · profile {selected.name}: {selected.about} · "
        f"{threads} thread{'s' if threads > 1 else ''}"
    )
    return selected


def current() -> Session:
    """Return the session that `setup` started, or one of the lesson "scratch" without it."""
    global _current
    if _current is None:
        _current = Session()
    return _current


def _papermill_parameter() -> str | None:
    """Return the profile that papermill was started with, if any.

    papermill writes its parameters as variables into a cell at the notebook's top.
    """
    import __main__

    parameter = getattr(__main__, "profile", None)
    return parameter if isinstance(parameter, str) else None


def _silence_libraries() -> None:
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    # peft and trl import bitsandbytes, which complains about a missing "kernels" package.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    for name in ("transformers", "datasets", "huggingface_hub", "trl", "peft", "accelerate"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _set_threads() -> int:
    import torch

    from ift_course.hardware import threads

    count = threads()
    os.environ["OMP_NUM_THREADS"] = str(count)
    torch.set_num_threads(count)
    return count


def _set_seed(seed: int) -> None:
    import numpy
    import torch

    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)
