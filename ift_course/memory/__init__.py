"""The memory estimate: what training a model takes, before it is run.

from ift_course.memory import estimate_memory
estimate_memory("Llama-3.1-8B", "qlora", seq=2048).total / 2**30
"""

from ift_course.memory.estimate import (
    CARDS,
    CONTEXT,
    GB,
    SPARE,
    MemoryEstimate,
    Moment,
    estimate_memory,
)
from ift_course.memory.setup import Setup
from ift_course.memory.shape import Shape, names, shape_of

__all__ = [
    "CARDS", "CONTEXT", "GB", "SPARE", "MemoryEstimate", "Moment", "Setup", "Shape",
    "estimate_memory", "names", "shape_of",
]  # fmt: skip
