"""Diagnosis of this machine: what it can run, at what cost, and how to fix each problem."""

from __future__ import annotations

import platform
import shutil
import sys
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version

from packaging.requirements import Requirement
from packaging.version import Version

from ift_course.hardware import Hardware, detect, machine
from ift_course.lessons.discover import lessons
from ift_course.lessons.timings import read_timings
from ift_course.models.licenses import TERMS
from ift_course.models.wheels import wheel_model
from ift_course.paths import cache_dir, shipped
from ift_course.profile import PROFILES, Profile

OLDEST_PYTHON = (3, 10)


@dataclass(frozen=True)
class Package:
    """A package that the course needs.

    Attributes:
        name: On PyPI.
        installed: Version that is installed, if any.
        tested: Version that the tests ran with, if it is known.
        allowed: Range of versions, such as ">=2.6".
        state: "tested", "allowed" (in the range), "outside" or "missing".
    """

    name: str
    installed: str | None
    tested: str | None
    allowed: str
    state: str


@dataclass(frozen=True)
class Fit:
    """Whether a profile fits the machine, and the reason if it does not.

    Attributes:
        terms: What whoever uses its model agrees to; None for open models.
    """

    profile: str
    about: str
    fits: bool
    why_not: str | None
    terms: str | None = None


@dataclass(frozen=True)
class Cost:
    """The expected cost of a lesson; None where it has not been measured."""

    lesson: str
    title: str
    minutes: float | None
    peak_memory_gb: float | None
    measured_on: str | None


@dataclass(frozen=True)
class Problem:
    """A problem with its remedy.

    Attributes:
        blocking: Whether it keeps the lessons from running.
    """

    problem: str
    remedy: str
    blocking: bool


@dataclass(frozen=True)
class Diagnosis:
    """The content of `ift doctor --json`. Other programs rely on the names of its fields."""

    python: str
    packages: list[Package]
    hardware: Hardware
    memory_free_gb: float
    disk_free_gb: float
    profile: str
    profiles: list[Fit]
    lessons: list[Cost]
    lessons_measured_here: bool
    problems: list[Problem]


def diagnose(profile: Profile) -> Diagnosis:
    """Examine this machine. Imports torch, so it takes some seconds."""
    import psutil

    hardware = detect()
    packages = check_packages()
    free_disk = round(shutil.disk_usage(cache_dir()).free / 2**30, 1)
    fits = [check_fit(x, hardware, free_disk) for x in PROFILES.values()]
    timings = read_timings(profile.name)
    return Diagnosis(
        python=platform.python_version(),
        packages=packages,
        hardware=hardware,
        memory_free_gb=round(psutil.virtual_memory().available / 2**30, 1),
        disk_free_gb=free_disk,
        profile=profile.name,
        profiles=fits,
        lessons=costs(profile),
        lessons_measured_here=any(x.machine == machine() for x in timings.values()),
        problems=[
            *_python_problems(),
            *_package_problems(packages),
            *_fit_problems(fits, profile),
            *_speed_problems(hardware),
        ],
    )


def check_packages() -> list[Package]:
    """Compare each direct requirement of the course with its range and with the tested set."""
    tested = tested_versions()
    requirements = [Requirement(line) for line in requires("ift-course") or []]
    return [
        _check_package(x, tested)
        for x in sorted(requirements, key=lambda x: x.name.lower())
        if x.marker is None or x.marker.evaluate({"extra": ""})
    ]


def tested_versions() -> dict[str, str]:
    """The version that the tests ran with, by package name (lower case, dashes)."""
    lines = (shipped() / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(x) for x in lines if x and not x.startswith("#")]
    return {_normalize(x.name): str(x.specifier).removeprefix("==") for x in pins}


def check_fit(profile: Profile, hardware: Hardware, free_disk_gb: float) -> Fit:
    """Check whether the machine has the memory, GPU, disk and packages that a profile needs."""
    why_not = None
    wheel = wheel_model(profile)
    gpu_memory = hardware.gpu_memory_gb
    if profile.gpu_memory_gb and gpu_memory is None:
        why_not = f"needs an NVIDIA GPU with {profile.gpu_memory_gb:.0f} GB"
    elif gpu_memory is not None and gpu_memory < profile.gpu_memory_gb:
        why_not = f"needs {profile.gpu_memory_gb:.0f} GB on the GPU, which has {gpu_memory}"
    elif hardware.memory_gb < profile.memory_gb:
        why_not = (
            f"needs {profile.memory_gb:.0f} GB of memory; this machine has {hardware.memory_gb}"
        )
    elif free_disk_gb < profile.disk_gb:
        why_not = f"needs {profile.disk_gb} GB of free disk; this machine has {free_disk_gb}"
    elif wheel and not wheel.is_here and not wheel.is_taken_from_hub:
        why_not = f"needs the package {wheel.package}; {wheel.remedy}"
    terms = TERMS.get(wheel.license) if wheel else None
    return Fit(profile.name, profile.about, why_not is None, why_not, terms and terms.text)


def costs(profile: Profile) -> list[Cost]:
    """The cost of each lesson in its last run on this profile, here or by the authors."""
    timings = read_timings(profile.name)
    rows = []
    for lesson in lessons():
        timing = timings.get(lesson.number)
        if timing and timing.status != "ok":
            timing = None
        rows.append(
            Cost(
                lesson=lesson.number,
                title=lesson.title,
                minutes=round(timing.seconds / 60, 1) if timing else None,
                peak_memory_gb=round(timing.peak_mb / 1000, 1) if timing else None,
                measured_on=timing.machine if timing else None,
            )
        )
    return rows


def _check_package(requirement: Requirement, tested: dict[str, str]) -> Package:
    pin = tested.get(_normalize(requirement.name))
    try:
        installed = version(requirement.name)
    except PackageNotFoundError:
        return Package(requirement.name, None, pin, str(requirement.specifier), "missing")
    if Version(installed).public == pin:
        state = "tested"
    else:
        allowed = requirement.specifier.contains(installed, prereleases=True)
        state = "allowed" if allowed else "outside"
    return Package(requirement.name, installed, pin, str(requirement.specifier), state)


def _normalize(name: str) -> str:
    return name.lower().replace("_", "-")


def _python_problems() -> list[Problem]:
    if sys.version_info >= OLDEST_PYTHON:
        return []
    oldest = ".".join(map(str, OLDEST_PYTHON))
    return [Problem("Python is too old", f"install Python {oldest} or newer", True)]


def _package_problems(packages: list[Package]) -> list[Problem]:
    problems = []
    for x in packages:
        remedy = f"pip install '{x.name}{x.allowed}'"
        if x.state == "missing":
            problems.append(Problem(f"{x.name} is not installed", remedy, True))
        elif x.state == "outside":
            problem = f"{x.name} {x.installed} is not in the range {x.allowed}"
            problems.append(Problem(problem, remedy, True))
    return problems


def _fit_problems(fits: list[Fit], profile: Profile) -> list[Problem]:
    fit = next(x for x in fits if x.profile == profile.name)
    if fit.fits:
        return []
    others = [x.profile for x in fits if x.fits]
    remedy = f"choose another: --profile {others[-1]}" if others else "use another machine"
    return [Problem(f"the profile {profile.name} {fit.why_not}", remedy, True)]


def _speed_problems(hardware: Hardware) -> list[Problem]:
    problems = []
    if hardware.cores < 2:
        remedy = "expect the lessons to take up to twice as long"
        problems.append(Problem("only one core is available", remedy, False))
    if not hardware.bf16:
        device = "GPU" if hardware.gpu_memory_gb else "CPU"
        problem = f"the {device} has no fast bf16"
        remedy = "nothing to do: the course trains in fp32 here, which is slower and as exact"
        problems.append(Problem(problem, remedy, False))
    return problems
