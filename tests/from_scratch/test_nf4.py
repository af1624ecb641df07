"""NF4 by hand: the levels are what the paper says, packing loses nothing, and it beats int4."""

import pytest
import torch

from ift_course.from_scratch.nf4 import (
    dequantize,
    int4_levels,
    nf4_levels,
    pack,
    quantize,
    round_trip,
    unpack,
)


def error(weight, levels, block) -> float:
    return ((round_trip(weight, levels, block) - weight).norm() / weight.norm()).item()


def test_the_levels_split_a_normal_distribution_evenly():
    levels = nf4_levels()
    assert len(levels) == 16
    assert (levels[0], levels[7], levels[15]) == (-1, 0, 1)
    assert (levels < 0).sum() == 7
    inner = torch.distributions.Normal(0, 1).cdf(levels * 1.848)  # the outermost quantile
    steps = inner.diff()
    assert steps[:7].max() / steps[:7].min() < 1.01
    assert steps[7:].max() / steps[7:].min() < 1.01


@pytest.mark.parametrize("count", [6, 7])
def test_packing_loses_nothing(count):
    torch.manual_seed(0)
    codes = torch.randint(0, 16, (count,), dtype=torch.uint8)
    packed = pack(codes)
    assert (packed.dtype, packed.shape) == (torch.uint8, ((count + 1) // 2, 1))
    assert torch.equal(unpack(packed)[:count], codes)


def test_values_on_a_level_come_back_exactly():
    weight = (nf4_levels() * 0.25).repeat(8).view(2, 64)
    assert torch.equal(dequantize(quantize(weight)), weight)


def test_zeros_stay_zeros():
    weight = torch.zeros(3, 64)
    weight[1] = 1.0
    assert torch.equal(dequantize(quantize(weight)), weight)


def test_bits_a_weight_are_the_papers():
    weight = torch.randn(1024, 1024)
    assert quantize(weight).bits == pytest.approx(4.5)
    assert quantize(weight, double=True).bits == pytest.approx(4.127, abs=1e-3)


def test_on_normal_weights_nf4_beats_int4_and_blocks_beat_one_scale():
    torch.manual_seed(0)
    weight = torch.randn(512, 256)
    nf4, int4 = error(weight, nf4_levels(), 64), error(weight, int4_levels(), 64)
    assert nf4 < 0.9 * int4
    assert int4 < 0.8 * error(weight, int4_levels(), None)


def test_an_outlier_spoils_its_own_block_only():
    torch.manual_seed(0)
    weight = torch.randn(4, 64)
    weight[0, 0] = 100.0
    back = dequantize(quantize(weight))
    assert torch.equal(back[1:], dequantize(quantize(weight[1:])))
    assert (back[0, 1:] - weight[0, 1:]).abs().mean() > (back[1:] - weight[1:]).abs().mean()
