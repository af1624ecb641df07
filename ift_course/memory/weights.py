"""Bytes that stay from the first step to the last: weights, adapters, gradients, optimizer."""

from __future__ import annotations

from math import ceil

from ift_course.memory.setup import FP32, Setup
from ift_course.memory.shape import Shape

# bitsandbytes, functional.quantize_4bit and its optimizers: numbers that share one constant.
NF4_BLOCK, CONSTANT_BLOCK, OPTIMIZER_BLOCK = 64, 256, 256
SMALLEST_8BIT = 4096  # smaller tensors keep an optimizer state in fp32


def weights(shape: Shape, setup: Setup) -> int:
    """Every weight at its stored width; with "qlora" the matrices of a layer at 4 bits.

    Embedding, head and norms are never quantized: of a small model with a large vocabulary they are
    most of what is left.
    """
    if setup.method != "qlora":
        return setup.stored * shape.parameters
    matrices = shape.layers * shape.matrix_parameters
    return matrices // 2 + setup.stored * (shape.parameters - matrices)


def quantization_constants(shape: Shape, setup: Setup) -> int:
    """One constant a block of 64 weights, itself quantized (Dettmers et al. 2023, section 3).

    Double quantization: 8 bits a block, and an fp32 constant for each 256 blocks; that is 8/64 +
    32/(64·256) = 0.127 bits a weight instead of 32/64 = 0.5. Two tables and an offset a matrix.
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
    """A is rank × in, B is out × rank, for each adapted matrix of a layer (Hu et al. 2021)."""
    return shape.layers * sum(setup.rank * sum(shape.linears[name]) for name in setup.targets)


def adapters(shape: Shape, setup: Setup) -> int:
    return setup.trained * adapter_parameters(shape, setup)


def trained_parameters(shape: Shape, setup: Setup) -> int:
    return shape.parameters if setup.method == "full" else adapter_parameters(shape, setup)


def gradients(shape: Shape, setup: Setup) -> int:
    """One number for each number that is trained, as wide as it."""
    return setup.trained * trained_parameters(shape, setup)


def optimizer(shape: Shape, setup: Setup) -> int:
    """AdamW keeps two averages for each number that is trained: of its gradient and its square.

    In 8 bits each is a byte, plus an fp32 constant for each 256 of them. Paged states can leave the
    card for main memory when something else needs the room, so they need none of it.
    """
    if setup.optimizer == "paged_adamw_8bit":
        return 0
    if setup.optimizer == "adamw":
        return 2 * setup.trained * trained_parameters(shape, setup)
    return sum(_state_8bit(size) * count for size, count in _trained_tensors(shape, setup))


def _state_8bit(size: int) -> int:
    if size < SMALLEST_8BIT:
        return 2 * FP32 * size
    return 2 * (size + FP32 * ceil(size / OPTIMIZER_BLOCK))


def _trained_tensors(shape: Shape, setup: Setup) -> list[tuple[int, int]]:
    """(numbers in the tensor, how many such tensors) of everything that is trained."""
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
    ends = [(shape.vocab_parameters, shape.ends), (shape.positions * shape.hidden, 1)]
    return [*ends, *matrices, *norms, *biases]
