"""4-bit NormalFloat (NF4) by hand.

Dettmers et al. 2023, *QLoRA: Efficient Finetuning of Quantized LLMs*, arXiv:2305.14314, sections 2
and 3. Weights are cut into blocks of 64. Each block is divided by its largest absolute value, and
each of its numbers is replaced by the nearest of 16 levels. The levels are dense where the weights
are, because trained weights are roughly normally distributed. tests/parity/test_nf4.py compares
codes, scales and weights with those of bitsandbytes, bit for bit.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import torch

BLOCK = 64  # weights that share one scale
SCALES_BLOCK = 256  # scales that share one scale of their own, in double quantization
# On a CPU, bitsandbytes looks up 8-bit codes in a table of this many even steps from -1 to 1. One
# scale in a few hundred lies so close to the midpoint of two levels that it gets the other level.
BNB_CPU_GRID = 65_535


@cache
def nf4_levels() -> torch.Tensor:
    """Return the 16 levels of NF4, float32, sorted from -1 to 1 (section 3 and appendix E).

    The levels are quantiles of the normal distribution at evenly spaced probabilities, divided by
    the largest of them. There are 8 positive levels, 7 negative ones, and zero: zero must be exact,
    because otherwise padding and dead weights would drift. The outermost probability cannot be 1,
    whose quantile is infinite. It is 1 - (1/30 + 1/32) / 2, half a step inside the end of 15 and of
    16 steps.
    """
    from scipy.stats import norm

    # Rounded to seven digits and in float32, as the published constants were computed.
    outermost = 0.9677083
    positive = norm.ppf(torch.linspace(outermost, 0.5, 9)[:-1].numpy())
    negative = -norm.ppf(torch.linspace(outermost, 0.5, 8)[:-1].numpy())
    levels = torch.tensor([*negative, 0.0, *positive]).float().sort().values
    return levels / levels.max()


@cache
def int4_levels() -> torch.Tensor:
    """Return 15 evenly spaced levels from -1 to 1, float32: symmetric 4-bit integers, scaled."""
    return torch.arange(-7, 8) / 7


@cache
def dynamic_levels() -> torch.Tensor:
    """Return the 256 levels for scales, float32: the nearer to zero, the denser.

    They cover seven powers of ten. In the 8-bit code, the leading zeros choose the power of ten and
    the remaining bits divide it evenly (Dettmers 2015, *8-Bit Approximations for Parallelism in
    Deep Learning*, arXiv:1511.04561, section 2).
    """
    positive = []
    for bits in range(7):
        edges = torch.linspace(0.1, 1, 2**bits + 1)
        positive += (10 ** (bits - 6) * ((edges[:-1] + edges[1:]) / 2)).tolist()
    return torch.tensor([*(-x for x in positive), 0.0, *positive, 1.0]).sort().values


@dataclass(frozen=True)
class Scales:
    """The scales of all blocks after double quantization: one byte per block instead of four.

    Attributes:
        codes: One level of `dynamic_levels` per block, uint8 of shape (blocks,).
        absmax: One scale per group of 256 blocks, float32 of shape (groups,).
        mean: The mean of the original scales, a float32 scalar. It is subtracted before the scales
            are quantized, because they are all positive and the levels are symmetric.
    """

    codes: torch.Tensor
    absmax: torch.Tensor
    mean: torch.Tensor

    def decoded(self) -> torch.Tensor:
        """Return the scales of the blocks, float32 of shape (blocks,)."""
        return decode(self.codes, self.absmax, dynamic_levels(), SCALES_BLOCK) + self.mean

    @property
    def nbytes(self) -> int:
        """Bytes in memory."""
        return self.codes.nbytes + self.absmax.nbytes + self.mean.nbytes


@dataclass(frozen=True)
class Nf4:
    """A tensor in 4 bits.

    Attributes:
        packed: Two codes per byte, uint8 of shape (weights / 2, 1).
        scales: The scales of the blocks, float32 of shape (blocks,), or quantized in turn.
        shape: The shape of the original tensor.
        dtype: The dtype of the original tensor.
        block: Weights per block.
    """

    packed: torch.Tensor
    scales: torch.Tensor | Scales
    shape: torch.Size
    dtype: torch.dtype
    block: int

    @property
    def bits(self) -> float:
        """Bits per weight, scales included."""
        return 8 * (self.packed.nbytes + self.scales.nbytes) / math.prod(self.shape)


def quantize(
    weight: torch.Tensor, *, block: int = BLOCK, double: bool = False, grid: int | None = None
) -> Nf4:
    """Quantize a tensor to NF4.

    Args:
        weight: A tensor of any shape and float dtype.
        block: Weights per block.
        double: Quantize the scales as well (double quantization).
        grid: The grid for the scales, as in `quantize_scales`.
    """
    codes, absmax = encode(weight.flatten(), nf4_levels(), block)
    scales = quantize_scales(absmax, grid) if double else absmax
    return Nf4(pack(codes), scales, weight.shape, weight.dtype, block)


def dequantize(quantized: Nf4) -> torch.Tensor:
    """Return the tensor that the codes stand for, in the original shape and dtype."""
    scales = quantized.scales
    absmax = scales.decoded() if isinstance(scales, Scales) else scales
    codes = unpack(quantized.packed)[: math.prod(quantized.shape)]
    values = decode(codes, absmax, nf4_levels(), quantized.block)
    return values.view(quantized.shape).to(quantized.dtype)


def quantize_scales(absmax: torch.Tensor, grid: int | None = None) -> Scales:
    """Quantize the scales of the blocks to 8 bits (section 3, "Double Quantization").

    Args:
        absmax: The scales, float32 of shape (blocks,).
        grid: `BNB_CPU_GRID` reproduces bitsandbytes on a CPU; None finds the exactly nearest level.
    """
    mean = absmax.mean()
    return Scales(*encode(absmax - mean, dynamic_levels(), SCALES_BLOCK, grid), mean)


def encode(
    values: torch.Tensor, levels: torch.Tensor, block: int, grid: int | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Scale each block to [-1, 1] and find the nearest level of every value.

    Args:
        values: Numbers of any float dtype, shape (n,).
        levels: The levels to choose from, sorted, shape (levels,).
        block: Values per block; the last block may be shorter.
        grid: Round the scaled values to this many even steps before the nearest level is chosen.

    Returns:
        The codes, uint8 of shape (n,), and the largest absolute value of each block, float32 of
        shape (blocks,).
    """
    rows = _blocks(values.float(), block)
    absmax = rows.abs().amax(dim=1)
    scaled = (rows * (1 / absmax.clamp(min=1e-38))[:, None]).clamp(-1, 1)
    if grid:
        scaled = 2 * ((scaled + 1) / 2 * grid + 0.5).floor() / grid - 1
    midpoints = (levels[:-1] + levels[1:]) / 2
    codes = torch.bucketize(scaled, midpoints).to(torch.uint8)
    return codes.flatten()[: len(values)], absmax


def decode(
    codes: torch.Tensor, absmax: torch.Tensor, levels: torch.Tensor, block: int
) -> torch.Tensor:
    """Return the values that codes and scales stand for, float32 of shape (n,)."""
    rows = _blocks(levels[codes.int()], block)
    return (rows * absmax[:, None]).flatten()[: len(codes)]


def pack(codes: torch.Tensor) -> torch.Tensor:
    """Pack two 4-bit codes into each byte, the first one in the high half.

    An odd number of codes is filled up with the code of zero.

    Args:
        codes: uint8 of shape (n,), each below 16.

    Returns:
        uint8 of shape (n / 2, 1), rounded up.
    """
    if len(codes) % 2:
        codes = torch.cat([codes, codes.new_tensor([int(nf4_levels().abs().argmin())])])
    return (codes[::2] << 4 | codes[1::2])[:, None]


def unpack(packed: torch.Tensor) -> torch.Tensor:
    """Return the codes, one per byte, uint8 of shape (n,)."""
    flat = packed.flatten()
    return torch.stack([flat >> 4, flat & 0xF], dim=1).flatten()


def round_trip(weight: torch.Tensor, levels: torch.Tensor, block: int | None) -> torch.Tensor:
    """Encode and decode a tensor; with block None the whole tensor shares one scale."""
    block = block or weight.numel()
    codes, absmax = encode(weight.flatten(), levels, block)
    return decode(codes, absmax, levels, block).view(weight.shape)


def _blocks(values: torch.Tensor, block: int) -> torch.Tensor:
    """Arrange values in rows of `block` numbers and fill up the last row with zeros."""
    missing = -len(values) % block
    return torch.nn.functional.pad(values, (0, missing)).view(-1, block)
