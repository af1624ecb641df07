"""The memory ledger: what training a model takes, before it is run.

from ift_course.models.memory import ledger
ledger("Llama-3.1-8B", "qlora", seq=2048).total / 2**30
"""

from ift_course.models.memory.ledger import CARDS, CONTEXT, GB, SPARE, Ledger, Moment, ledger
from ift_course.models.memory.setup import Setup
from ift_course.models.memory.shape import Shape, names, shape_of

__all__ = [
    "CARDS", "CONTEXT", "GB", "SPARE", "Ledger", "Moment", "Setup", "Shape", "ledger", "names",
    "shape_of",
]  # fmt: skip
