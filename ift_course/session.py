"""The first line of every lesson: `profile = ift.setup("01")`."""

import logging
import os
import random
import time
from dataclasses import dataclass, field

from ift_course.profile import Profile, get_profile

QUIET = {
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TRANSFORMERS_VERBOSITY": "error",
}


@dataclass(frozen=True)
class Session:
    """Which lesson is running, on which profile, since when (`time.perf_counter()` seconds)."""

    lesson: str = "scratch"
    profile: Profile = field(default_factory=get_profile)
    started: float = field(default_factory=time.perf_counter)


_current: Session | None = None


def setup(lesson: str, profile: str | None = None) -> Profile:
    """Makes the notebook quiet and repeatable, starts its clock and prints one line.

    Libraries read their settings when they are imported, so call this before importing them.

    Args:
        lesson: the lesson's number, as "01".
        profile: one of `PROFILES`; None takes what papermill was given (`-p profile t4`), without
            that `$IFT_PROFILE`, and without that "tiny".

    Raises:
        CourseError: there is no such profile.
    """
    global _current
    chosen = get_profile(profile or _parameter())
    os.environ["IFT_PROFILE"] = chosen.name
    _hush()
    threads = _use_threads()
    _seed(chosen.seeds[0])
    _current = Session(lesson=lesson, profile=chosen)
    print(
        f"Lesson {lesson} · profile {chosen.name}: {chosen.about} · "
        f"{threads} thread{'s' if threads > 1 else ''}"
    )
    return chosen


def current() -> Session:
    """The session `setup` started, or one of the lesson "scratch" when it was never called."""
    global _current
    if _current is None:
        _current = Session()
    return _current


def _parameter() -> str | None:
    """papermill writes its parameters as variables into a cell at the notebook's top."""
    import __main__

    given = getattr(__main__, "profile", None)
    return given if isinstance(given, str) else None


def _hush() -> None:
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    # peft and trl import bitsandbytes, which complains about a missing "kernels" package.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    for name in ("transformers", "datasets", "huggingface_hub", "trl", "peft", "accelerate"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _use_threads() -> int:
    import torch

    from ift_course.hardware import threads

    count = threads()
    os.environ["OMP_NUM_THREADS"] = str(count)
    torch.set_num_threads(count)
    return count


def _seed(seed: int) -> None:
    import numpy
    import torch

    random.seed(seed)
    numpy.random.seed(seed)
    torch.manual_seed(seed)
