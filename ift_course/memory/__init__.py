"""The memory estimate: how much memory a training step takes, before it is run.

from ift_course.memory import estimate_memory
estimate_memory("Llama-3.1-8B", "qlora", seq=2048).total / 2**30
"""

from ift_course.memory.estimate import (
    CONTEXT,
    GB,
    GPU_SIZES,
    SPARE,
    MemoryEstimate,
    Snapshot,
    estimate_memory,
)
from ift_course.memory.setup import Setup
from ift_course.memory.shape import Shape, names, shape_of

__all__ = [
    "CONTEXT", "GB", "GPU_SIZES", "SPARE", "MemoryEstimate", "Setup", "Shape", "Snapshot",
    "estimate_memory", "names", "shape_of",
]  # fmt: skip
