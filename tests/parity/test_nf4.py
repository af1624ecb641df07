"""NF4 by hand equals that of bitsandbytes, bit for bit: codes, scales and weights."""

import logging

import pytest
import torch

from ift_course.from_scratch.nf4 import (
    BNB_CPU_GRID,
    dequantize,
    dynamic_levels,
    nf4_levels,
    quantize,
)

logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
bnb = pytest.importorskip("bitsandbytes").functional


def weights(shape, dtype):
    torch.manual_seed(0)
    tensor = 0.02 * torch.randn(shape)
    tensor.view(-1)[:64] = 0.0  # a dead block
    tensor.view(-1)[70] = 1.0  # an outlier
    return tensor.to(dtype)


def test_the_levels_are_the_published_ones():
    assert torch.equal(nf4_levels(), bnb.get_4bit_type("nf4", device="cpu"))
    assert torch.equal(nf4_levels(), torch.unique(bnb.create_normal_map()))


def test_the_levels_for_scales_are_the_librarys():
    assert torch.equal(dynamic_levels(), bnb.create_dynamic_map(signed=True))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("double", [False, True], ids=["once", "double"])
@pytest.mark.parametrize("shape", [(704, 256), (2048, 256), (33, 70)], ids=str)
def test_codes_scales_and_weights_are_the_librarys(shape, double, dtype):
    weight = weights(shape, dtype)
    ours = quantize(weight, double=double, grid=BNB_CPU_GRID)
    packed, state = bnb.quantize_4bit(weight, quant_type="nf4", compress_statistics=double)
    assert torch.equal(ours.packed, packed)
    if double:
        assert torch.equal(ours.scales.codes, state.absmax)
        assert torch.equal(ours.scales.absmax, state.state2.absmax)
        assert torch.equal(ours.scales.mean, state.offset)
    else:
        assert torch.equal(ours.scales, state.absmax)
    theirs = bnb.dequantize_4bit(packed, state)
    assert theirs.dtype == dequantize(ours).dtype == dtype
    assert torch.equal(dequantize(ours), theirs)


def test_without_the_librarys_grid_few_scales_differ_and_by_one_level():
    weight = weights((2048, 256), torch.float32)
    _, state = bnb.quantize_4bit(weight, quant_type="nf4", compress_statistics=True)
    differences = (quantize(weight, double=True).scales.codes.int() - state.absmax.int()).abs()
    assert differences.max() <= 1
    assert (differences > 0).float().mean() < 0.01


@pytest.mark.skipif(
    torch.backends.cpu.get_cpu_capability() != "AVX512", reason="a fault of the AVX512 kernel"
)
def test_the_library_still_dequantizes_narrow_layers_wrongly():
    # If this fails, bitsandbytes has been fixed, and `patch_bitsandbytes` need not refuse them.
    torch.manual_seed(0)
    weight = torch.randn(64, 32)
    packed, state = bnb.quantize_4bit(weight, quant_type="nf4")
    ours = quantize(weight)
    assert torch.equal(ours.packed, packed)
    assert (dequantize(ours) - weight).norm() < 0.1 * weight.norm()
    assert (bnb.dequantize_4bit(packed, state) - weight).norm() > 0.15 * weight.norm()


@pytest.mark.parametrize("block", [32, 128, 256])
def test_other_block_sizes_agree_too(block):
    weight = weights((128, 256), torch.float32)
    packed, state = bnb.quantize_4bit(weight, quant_type="nf4", blocksize=block)
    ours = quantize(weight, block=block)
    assert torch.equal(ours.packed, packed)
    assert torch.equal(dequantize(ours), bnb.dequantize_4bit(packed, state))
