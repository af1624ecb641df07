"""The machine that is measured, in the words that go with a result."""

from __future__ import annotations

import platform
from importlib import metadata

from gpu_parts.part import Context, NotHere

LIBRARIES = ("transformers", "trl", "peft", "bitsandbytes")
NO_GPU = (
    "There is no CUDA GPU on this machine, or this torch was built without CUDA; --tiny runs "
    "everything at a toy size on the CPU."
)


def describe(context: Context) -> None:
    """Send the description of the machine.

    Raises:
        NotHere: There is no GPU, and real sizes are asked for.
    """
    import torch

    from ift_course.hardware import bf16_is_fast, machine

    on_gpu = torch.cuda.is_available()
    if not on_gpu and not context.tiny:
        raise NotHere(NO_GPU)
    description = {
        "device": torch.cuda.get_device_name(0) if on_gpu else machine(),
        "gpus": torch.cuda.device_count() if on_gpu else 0,
        "gb": round(torch.cuda.get_device_properties(0).total_memory / 2**30, 1) if on_gpu else 0,
        "capability": ".".join(map(str, torch.cuda.get_device_capability(0))) if on_gpu else "",
        "bf16": bf16_is_fast(),
        "torch": torch.__version__,
        "cuda": torch.version.cuda or "",
        "python": platform.python_version(),
        **{name: _version(name) for name in LIBRARIES},
    }
    context.add(description, "")


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""
