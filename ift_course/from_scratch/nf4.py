"""4-bit NormalFloat by hand: Dettmers et al. 2023 (QLoRA), arXiv:2305.14314, sections 2 and 3.

Weights are cut into blocks of 64. A block is divided by its largest absolute value, and each number
is replaced by the nearest of 16 levels, which are dense where normally distributed weights are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import torch

BLOCK = 64
SCALES_BLOCK = 256  # of double quantization, which quantizes the blocks' scales in turn
# bitsandbytes on a CPU finds 8-bit codes in a table over so many even steps from -1 to 1. One scale
# in some hundreds lies so near the middle of two levels that it gets the other one.
TABLE = 65_535


@cache
def nf4_levels() -> torch.Tensor:
    """The 16 levels, float32, from -1 to 1: quantiles of the normal distribution, scaled.

    Evenly spaced probabilities, 8 on the positive side and 7 on the negative, zero between them:
    zero must be exact, or padding and dead weights would drift. The outermost probability cannot be
    1, which has no quantile: it is 1 - (1/30 + 1/32) / 2, half a step inside for 15 and 16 steps.
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
    """15 evenly spaced levels from -1 to 1, float32: a symmetric 4-bit integer times a scale."""
    return torch.arange(-7, 8) / 7


@cache
def dynamic_levels() -> torch.Tensor:
    """The 256 levels for scales, float32: finer the nearer to zero, over seven powers of ten.

    Dettmers 2015, arXiv:1511.04561, section 2: leading zeros choose the power of ten, the bits that
    are left divide it evenly.
    """
    positive = []
    for bits in range(7):
        edges = torch.linspace(0.1, 1, 2**bits + 1)
        positive += (10 ** (bits - 6) * ((edges[:-1] + edges[1:]) / 2)).tolist()
    return torch.tensor([*(-x for x in positive), 0.0, *positive, 1.0]).sort().values


@dataclass(frozen=True)
class Scales:
    """Double quantization: one byte a block instead of four.

    codes: uint8, one a block. absmax: float32, one a group of 256 blocks. mean: float32, that of
    the scales, taken off before as they are all positive.
    """

    codes: torch.Tensor
    absmax: torch.Tensor
    mean: torch.Tensor

    def decoded(self) -> torch.Tensor:
        """The blocks' scales, float32."""
        return decode(self.codes, self.absmax, dynamic_levels(), SCALES_BLOCK) + self.mean

    @property
    def nbytes(self) -> int:
        return self.codes.nbytes + self.absmax.nbytes + self.mean.nbytes


@dataclass(frozen=True)
class Nf4:
    """A tensor in 4 bits. packed: uint8, two codes a byte, shape (numbers / 2, 1)."""

    packed: torch.Tensor
    scales: torch.Tensor | Scales
    shape: torch.Size
    dtype: torch.dtype
    block: int

    @property
    def bits(self) -> float:
        """What a weight costs, the scales included."""
        return 8 * (self.packed.nbytes + self.scales.nbytes) / math.prod(self.shape)


def quantize(
    weight: torch.Tensor, *, block: int = BLOCK, double: bool = False, grid: int | None = None
) -> Nf4:
    """NF4 codes and scales of a tensor of any shape.

    double: quantize the scales as well, on `grid` as in `quantize_scales`.
    """
    codes, absmax = encode(weight.flatten(), nf4_levels(), block)
    scales = quantize_scales(absmax, grid) if double else absmax
    return Nf4(pack(codes), scales, weight.shape, weight.dtype, block)


def dequantize(quantized: Nf4) -> torch.Tensor:
    """The tensor that the codes stand for, of the old shape and dtype."""
    scales = quantized.scales
    absmax = scales.decoded() if isinstance(scales, Scales) else scales
    codes = unpack(quantized.packed)[: math.prod(quantized.shape)]
    values = decode(codes, absmax, nf4_levels(), quantized.block)
    return values.view(quantized.shape).to(quantized.dtype)


def quantize_scales(absmax: torch.Tensor, grid: int | None = None) -> Scales:
    """Double quantization of the blocks' scales (section 3).

    grid: TABLE gives what bitsandbytes gives on a CPU; None looks for the nearest level exactly.
    """
    mean = absmax.mean()
    return Scales(*encode(absmax - mean, dynamic_levels(), SCALES_BLOCK, grid), mean)


def encode(
    values: torch.Tensor, levels: torch.Tensor, block: int, grid: int | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """The nearest level of every value after its block was scaled to [-1, 1].

    values: (n,), any float dtype. levels: (k,), sorted. grid: round to so many even steps before.
    Returns codes (n,), uint8, and each block's largest absolute value (blocks,), float32; the last
    block may be short.
    """
    rows = _blocks(values.float(), block)
    absmax = rows.abs().amax(dim=1)
    scaled = (rows * (1 / absmax.clamp(min=1e-38))[:, None]).clamp(-1, 1)
    if grid:
        scaled = 2 * ((scaled + 1) / 2 * grid + 0.5).floor() / grid - 1
    between = (levels[:-1] + levels[1:]) / 2
    codes = torch.bucketize(scaled, between).to(torch.uint8)
    return codes.flatten()[: len(values)], absmax


def decode(
    codes: torch.Tensor, absmax: torch.Tensor, levels: torch.Tensor, block: int
) -> torch.Tensor:
    """The values (n,), float32, that codes and scales stand for."""
    rows = _blocks(levels[codes.int()], block)
    return (rows * absmax[:, None]).flatten()[: len(codes)]


def pack(codes: torch.Tensor) -> torch.Tensor:
    """Two codes a byte, the earlier in the high half; a last odd one is joined by a zero's code."""
    if len(codes) % 2:
        codes = torch.cat([codes, codes.new_tensor([int(nf4_levels().abs().argmin())])])
    return (codes[::2] << 4 | codes[1::2])[:, None]


def unpack(packed: torch.Tensor) -> torch.Tensor:
    """The codes again, one a byte."""
    flat = packed.flatten()
    return torch.stack([flat >> 4, flat & 0xF], dim=1).flatten()


def round_trip(weight: torch.Tensor, levels: torch.Tensor, block: int | None) -> torch.Tensor:
    """The tensor after encoding and decoding; block None gives the whole tensor one scale."""
    block = block or weight.numel()
    codes, absmax = encode(weight.flatten(), levels, block)
    return decode(codes, absmax, levels, block).view(weight.shape)


def _blocks(values: torch.Tensor, block: int) -> torch.Tensor:
    """Rows of `block` values, the last one filled up with zeros."""
    missing = -len(values) % block
    return torch.nn.functional.pad(values, (0, missing)).view(-1, block)
