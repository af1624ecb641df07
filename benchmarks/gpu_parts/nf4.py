"""NF4 by hand, on the CPU, against bitsandbytes on the GPU, on the same random weights.

tests/parity/test_nf4.py demands equality with bitsandbytes on a CPU. Its CUDA kernels divide and
compare in another order, so a weight that lies almost exactly between two levels may get the other
one. Counted are the codes that differ, and how far the weights that they stand for are apart.
"""

from __future__ import annotations

from gpu_parts.part import Context, Row

SHAPES, TOY_SHAPES = ((4096, 4096), (14336, 4096)), ((64, 128),)
DTYPES = ("float32", "bfloat16", "float16")


def run(context: Context) -> None:
    """Compare all shapes and types of weights, with and without double quantization."""
    for shape in TOY_SHAPES if context.tiny else SHAPES:
        for dtype in DTYPES:
            for double in (False, True):
                row = compare(shape, dtype, double)
                context.add(row, line(row))


def compare(shape: tuple[int, int], dtype: str, double: bool) -> Row:
    """Quantize one random matrix both ways.

    Args:
        shape: Of the matrix.
        dtype: The name of its type.
        double: Quantize the scales, too.
    """
    import torch

    from ift_course.from_scratch.nf4 import dequantize, quantize, unpack
    from ift_course.models.quiet import quiet

    with quiet():
        from bitsandbytes import functional

    generator = torch.Generator().manual_seed(0)
    weight = (0.02 * torch.randn(shape, generator=generator)).to(getattr(torch, dtype))
    ours = quantize(weight, double=double)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    packed, state = functional.quantize_4bit(
        weight.to(device), quant_type="nf4", compress_statistics=double
    )
    theirs = functional.dequantize_4bit(packed, state).float().cpu()
    codes = unpack(packed.cpu().flatten()).int() - unpack(ours.packed).int()
    back = dequantize(ours).float()
    return {
        "shape": list(shape),
        "dtype": dtype,
        "double": double,
        "device": device,
        "weights": weight.numel(),
        "other_codes": int((codes != 0).sum()),
        "largest_code_difference": int(codes.abs().max()),
        "other_scales": _other_scales(ours.scales, state, double),
        "largest_difference": (back - theirs).abs().max().item(),
        "largest_weight": weight.float().abs().max().item(),
        # Of the error that quantization itself makes.
        "share_of_error": ((back - theirs).norm() / (back - weight.float()).norm()).item(),
    }


def _other_scales(scales, state, double: bool) -> int:
    """Return how many scales of blocks differ from those in a `QuantState`."""
    ours, theirs = (scales.codes, state.absmax) if double else (scales, state.absmax)
    return int((ours != theirs.cpu()).sum())


def line(row: Row) -> str:
    """Return one comparison as a line of text."""
    rows, columns = row["shape"]
    return (
        f"{rows} x {columns} {row['dtype']:8} {'double' if row['double'] else 'single'}  "
        f"{row['other_codes']} of {row['weights']:,} codes differ, {row['other_scales']} scales; "
        f"largest difference of a weight {row['largest_difference']:.2g} "
        f"(largest weight {row['largest_weight']:.2g})"
    )
