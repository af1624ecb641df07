"""How many floating-point operations a training step needs, and how many a device can do.

The count is that of the model, as for the model FLOPs utilization of Chowdhery et al. 2022 (PaLM,
arXiv:2204.02311, appendix B): a product of a row with a matrix of n weights takes 2n, and what is
computed again, by checkpointing or a chunked loss, is not counted. Adapters are left out.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ift_course.memory import Shape

SIZE, TOY_SIZE = 8192, 256  # rows and columns of the matrices whose product is timed


def step_flops(shape: Shape, method: str, lengths: list[int], labeled: int) -> float:
    """Return the operations of one pass forward and backward over some sequences.

    The backward pass computes the gradient of each product's input, which takes as much as the
    forward pass, and, where the weights are trained, the gradient of the weights, which takes as
    much again. Attention has no weights but two inputs, so it always takes twice.

    Args:
        shape: The model.
        method: "full", or adapters on frozen weights.
        lengths: Tokens of each sequence.
        labeled: Tokens with a label; only these need logits.
    """
    tokens = sum(lengths)
    matrices = 2 * shape.layers * shape.matrix_parameters * tokens
    head = 2 * shape.vocab_parameters * labeled
    # Each token attends to those before it: half of length × length, once as query times key and
    # once as weight times value.
    attention = shape.layers * sum(2 * 2 * shape.q * n * n / 2 for n in lengths)
    return (3 if method == "full" else 2) * (matrices + head) + 3 * attention


def peak_flops(tiny: bool) -> float:
    """Return the operations per second of a large product of matrices: what is to be had here.

    Published peaks of a GPU are for clocks that it may not hold; this one is measured.
    """
    import torch

    from ift_course.models.quantize import compute_dtype

    on_gpu = torch.cuda.is_available()
    size = TOY_SIZE if tiny else SIZE
    a, b = (
        torch.randn(size, size, device="cuda" if on_gpu else "cpu").to(compute_dtype())
        for _ in range(2)
    )
    fastest = float("inf")
    for _ in range(3 if tiny else 10):
        started = time.perf_counter()
        a @ b
        if on_gpu:
            torch.cuda.synchronize()
        fastest = min(fastest, time.perf_counter() - started)
    return 2 * size**3 / fastest
