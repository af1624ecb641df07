"""What this machine has, and whether bf16 is fast on it."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from ift_course import settings
from ift_course.profile import Profile


@dataclass(frozen=True)
class Hardware:
    """The parts of this machine that decide what it can train.

    Attributes:
        cores: Cores that this process may run on.
        memory_gb, gpu_memory_gb: In GB of 2^30 bytes; None without a GPU or with Apple's.
        bf16: Whether bf16 training is fast, on the GPU if there is one, else on the CPU.
    """

    cpu: str
    cores: int
    avx512_bf16: bool
    memory_gb: float
    gpu: str | None
    gpu_memory_gb: float | None
    bf16: bool


def detect() -> Hardware:
    """Look at the CPU, the memory and the GPU. Imports torch, which takes seconds."""
    import psutil
    import torch

    gpu, gpu_memory = None, None
    if torch.cuda.is_available():
        gpu = torch.cuda.get_device_name(0)
        gpu_memory = round(torch.cuda.get_device_properties(0).total_memory / 2**30, 1)
    elif torch.backends.mps.is_available():
        gpu = "Apple GPU (MPS)"
    return Hardware(
        cpu=_cpu_name(),
        cores=usable_cores(),
        avx512_bf16="avx512_bf16" in _cpu_flags(),
        memory_gb=round(psutil.virtual_memory().total / 2**30, 1),
        gpu=gpu,
        gpu_memory_gb=gpu_memory,
        bf16=bf16_is_fast(),
    )


def usable_cores() -> int:
    """How many cores this process may use: in a container, often fewer than the machine has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def lessons_at_once(profile: Profile) -> int:
    """How many lessons fit side by side: one per core while memory lasts, and one on a GPU."""
    import psutil

    if profile.gpu_memory_gb:
        return 1
    fit = psutil.virtual_memory().total / 2**30 // profile.memory_gb
    return max(1, min(usable_cores(), int(fit)))


def threads(jobs: int = 1) -> int:
    """How many threads each of `jobs` lessons gets when they run side by side.

    `$IFT_THREADS` decides, if it is set. Otherwise each lesson gets its share of the cores, but at
    most two, because models this small lose time to the coordination of more, and at most
    `$OMP_NUM_THREADS`. That variable alone would not do: it is often set for the whole machine, and
    two lessons with two threads each on two cores wait for each other most of the time.
    """
    limit_text = os.environ.get("OMP_NUM_THREADS", "")
    limit = int(limit_text) if limit_text.isdigit() else 0
    share = min(2, max(1, usable_cores() // jobs))
    return settings.threads() or min(share, limit or share)


def peak_memory_mb() -> float:
    """Highest memory use of the GPU if there is one, else of this process, in MB of 10^6 bytes."""
    import torch

    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e6
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        memory: Any = psutil.Process().memory_info()
        return memory.peak_wset / 1e6
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if platform.system() == "Darwin" else peak * 1024 / 1e6


def machine() -> str:
    """This machine in a few words, such as "AMD EPYC, 2 cores", to go with a measurement."""
    return f"{_cpu_name()}, {usable_cores()} cores"


def bf16_is_fast() -> bool:
    """Whether bf16 arithmetic runs in hardware.

    Emulated bf16 trains without an error but is slower than fp32: 9.7 times on a CPU with only
    AVX2. By default, torch counts the emulation on a T4 as support. An Intel CPU that shows
    AVX512_BF16 without AMX, as many virtual machines do, multiplies in bf16 no faster than in fp32,
    and converting costs time: a pretraining step took 1.6 times as long on a Sapphire Rapids. AMD's
    AVX512_BF16 is fast.
    """
    import torch

    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported(including_emulation=False)
    flags = _cpu_flags()
    if not flags.isdisjoint({"amx_bf16", "bf16"}):
        return True
    return "avx512_bf16" in flags and _cpuinfo("vendor_id") == "AuthenticAMD"


@cache
def _cpu_flags() -> frozenset[str]:
    """Linux's names of the CPU's features; empty (so fp32 is used) where they are unknown."""
    names = _cpuinfo("flags") or _cpuinfo("Features")
    if names:
        return frozenset(names.split())
    if platform.system() == "Darwin" and _sysctl("hw.optional.arm.FEAT_BF16") == "1":
        return frozenset({"bf16"})
    return frozenset()


def _cpu_name() -> str:
    named = _cpuinfo("model name") or _sysctl("machdep.cpu.brand_string")
    return named or platform.processor() or platform.machine()


def _cpuinfo(name: str) -> str:
    """The first value that Linux reports for the name; empty where there is none."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    values = (line.partition(":")[2].strip() for line in lines if line.startswith(name))
    return next(values, "")


def _sysctl(name: str) -> str:
    if platform.system() != "Darwin":
        return ""
    return subprocess.run(["sysctl", "-n", name], capture_output=True, text=True).stdout.strip()
