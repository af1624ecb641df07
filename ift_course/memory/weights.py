"""The bytes that stay throughout training: weights, adapters, gradients, optimizer states."""

from __future__ import annotations

from math import ceil

from ift_course.memory.setup import FP32, Setup
from ift_course.memory.shape import Shape

# How many numbers share one constant, from bitsandbytes: functional.quantize_4bit and optimizers.
NF4_BLOCK, CONSTANT_BLOCK, OPTIMIZER_BLOCK = 64, 256, 256
SMALLEST_8BIT = 4096  # numbers; a smaller tensor has its optimizer states in fp32


def weights(shape: Shape, setup: Setup) -> int:
    """Return the bytes of all weights; with "qlora" the matrices of the layers have 4 bits.

    Embedding, head and norms are never quantized. In a small model with a large vocabulary they
    are most of what remains.
    """
    if setup.method != "qlora":
        return setup.stored * shape.parameters
    matrices = shape.layers * shape.matrix_parameters
    return matrices // 2 + setup.stored * (shape.parameters - matrices)


def quantization_constants(shape: Shape, setup: Setup) -> int:
    """Return the bytes of the constants of 4-bit weights (Dettmers et al. 2023, section 3).

    There is one constant per block of 64 weights, and double quantization stores it in 8 bits, with
    an fp32 constant per 256 blocks: 8/64 + 32/(64·256) = 0.127 bits per weight instead of 32/64 =
    0.5. Each matrix adds two tables and an offset.
    """
    if setup.method != "qlora":
        return 0
    tables = FP32 * (16 + 256 + 1)
    total = 0
    for inputs, outputs in shape.linears.values():
        blocks = ceil(inputs * outputs / NF4_BLOCK)
        total += blocks + FP32 * ceil(blocks / CONSTANT_BLOCK) + tables
    return shape.layers * total


def adapter_parameters(shape: Shape, setup: Setup) -> int:
    """Return the number of adapter parameters (Hu et al. 2021, section 4.1).

    Each adapted matrix of a layer has an A of shape (rank, in) and a B of shape (out, rank).
    """
    return shape.layers * sum(setup.rank * sum(shape.linears[name]) for name in setup.targets)


def adapters(shape: Shape, setup: Setup) -> int:
    """Return the bytes of the adapters."""
    return setup.trained * adapter_parameters(shape, setup)


def trained_parameters(shape: Shape, setup: Setup) -> int:
    """Return the number of trained parameters."""
    return shape.parameters if setup.method == "full" else adapter_parameters(shape, setup)


def gradients(shape: Shape, setup: Setup) -> int:
    """Return the bytes of the gradients: one number per trained parameter, equally wide."""
    return setup.trained * trained_parameters(shape, setup)


def optimizer(shape: Shape, setup: Setup) -> int:
    """Return the bytes of AdamW's states: the averages of each gradient and of its square.

    In 8 bits each state takes one byte, plus an fp32 constant per 256 of them. Paged states can
    leave the GPU for main memory when something else needs the room, so they count as 0.
    """
    if setup.optimizer == "paged_adamw_8bit":
        return 0
    if setup.optimizer == "adamw":
        return 2 * setup.trained * trained_parameters(shape, setup)
    return sum(_states_8bit(size) * count for size, count in _trained_tensors(shape, setup))


def _states_8bit(size: int) -> int:
    """Return the bytes of both states of a tensor of `size` numbers."""
    if size < SMALLEST_8BIT:
        return 2 * FP32 * size
    return 2 * (size + FP32 * ceil(size / OPTIMIZER_BLOCK))


def _trained_tensors(shape: Shape, setup: Setup) -> list[tuple[int, int]]:
    """List all trained tensors as (numbers in the tensor, how many such tensors)."""
    if setup.method != "full":
        return [
            (setup.rank * side, shape.layers)
            for name in setup.targets
            for side in shape.linears[name]
        ]
    parts = 2 if shape.layout.centered else 1  # weight and bias
    norms = [(shape.hidden, parts * (shape.layout.norms * shape.layers + 1))]
    if shape.query_key_norm:
        norms.append((shape.head_dim, 2 * shape.layers))
    biases = [(shape.linears[name][1], shape.layers) for name in shape.biases]
    matrices = [(i * o, shape.layers) for i, o in shape.linears.values()]
    embeddings = [
        (shape.vocab_parameters, shape.vocab_matrices),
        (shape.positions * shape.hidden, 1),
    ]
    return [*embeddings, *matrices, *norms, *biases]
