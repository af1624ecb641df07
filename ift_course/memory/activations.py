"""What the forward pass leaves behind for the backward pass, tensor by tensor.

Read off the Llama layer of transformers with PyTorch's scaled_dot_product_attention, for rows of
equal length without padding. The sum was compared, byte by byte, with what autograd really keeps
(tests/models/test_memory.py); of other families only the peak was compared. Korthikanti et al. 2022
(arXiv:2205.05198), section 4, do the same sum for GPT.
"""

from __future__ import annotations

from typing import Literal

from ift_course.memory.setup import FP32, Setup
from ift_course.memory.shape import Shape

Source = Literal["norm", "attention", "product"]  # where a matrix gets its input from


def kept_by_layer(shape: Shape, setup: Setup) -> dict[str, int]:
    """Bytes a token that one layer keeps, by what they are."""
    h, q, kv, f = shape.hidden, shape.q, shape.kv, shape.intermediate
    c, layout = setup.compute, shape.layout
    kept = {
        "norms": layout.norms * _norm(h, 1, shape, setup),
        "input of the attention": _inputs(h, tuple(layout.attention), "norm", setup),
        # The flash kernel keeps no seq × seq matrix: a number a head and token, to redo its rows.
        "q, k, v, attention": c * (2 * q + 2 * kv) + FP32 * shape.heads,
        # The values are a view of what the one matrix put out, so all of that stays; queries and
        # keys, turned by their positions, are tensors of their own.
        "q, k beside their turned ones": c * (q + kv)
        if layout.fused and not shape.positions
        else 0,
        "input of its last matrix": _inputs(q, (layout.attention_out,), "attention", setup),
        "input of the MLP": _inputs(h, tuple(layout.mlp), "norm", setup),
        "inside the MLP": c * layout.mlp_kept * f,
        "input of the MLP's last matrix": _inputs(f, (layout.mlp_out,), "product", setup),
        "A x of the adapters": c * setup.rank * len(setup.targets),
    }
    if shape.query_key_norm:
        kept["norms of q and k"] = sum(
            _norm(width, rows, shape, setup)
            for width, rows in ((q, shape.heads), (kv, shape.kv_heads))
        )
    return {name: size for name, size in kept.items() if size}


def _norm(width: int, rows: int, shape: Shape, setup: Setup) -> int:
    """RMSNorm works in fp32, whatever comes in: it keeps x and 1/rms(x), a number a row.

    Its weight's gradient needs x/rms(x) as well, where the weight is trained. LayerNorm is one
    kernel, which keeps x, the mean and 1/deviation, and makes x/deviation again.
    """
    if shape.layout.centered:
        return (FP32 if setup.autocast else setup.stored) * width + 2 * FP32 * rows
    normed = 0
    if setup.method == "full":
        # Under autocast the residual stream is fp32, queries and keys are half precision.
        normed = width * (setup.stored if rows == 1 else setup.compute)
    return FP32 * (width + rows) + normed


def _inputs(width: int, readers: tuple[str, ...], source: Source, setup: Setup) -> int:
    """What matrices that read the same vector keep of it, for the gradient of their weights.

    A frozen matrix keeps nothing; its adapter does. Where autocast turns fp32 into half precision,
    every reader makes a copy of its own: after a norm of trained weights, and in PEFT's LoRA layer,
    which turns its input into fp32 first. PEFT's 4-bit layer leaves that out on a GPU.
    """
    if setup.method != "full":
        readers = tuple(name for name in readers if name in setup.targets)
    from_fp32 = source == "norm" if setup.method == "full" else setup.method == "lora"
    if setup.copies and from_fp32:
        return setup.compute * width * len(readers)
    kept_anyway = source == "attention"
    return setup.compute * width if readers and not kept_anyway else 0


def kept_by_ends(shape: Shape, setup: Setup) -> int:
    """Bytes that the last norm, the head's input and the rotary tables keep."""
    full = setup.method == "full"
    last = _norm(shape.hidden, 1, shape, setup) + (setup.compute * shape.hidden if full else 0)
    # Sines and cosines are the same for every row of the batch; a learned embedding keeps none.
    rotary = 0 if shape.positions else 2 * setup.stored * shape.head_dim * setup.seq
    return setup.tokens * last + rotary


def not_kept_by_first(shape: Shape, setup: Setup) -> int:
    """Nothing before the first adapter is trained, so the first norm keeps nothing."""
    if setup.method == "full" or setup.checkpointing:
        return 0
    return setup.tokens * _norm(shape.hidden, 1, shape, setup)


def half_copies(shape: Shape, setup: Setup) -> int:
    """Half-precision copies of one layer's trained matrices, which autocast makes and keeps."""
    if setup.method == "full":
        return setup.copies * shape.matrix_parameters
    return setup.copies * sum(setup.rank * sum(shape.linears[name]) for name in setup.targets)


def passing(shape: Shape, setup: Setup) -> int:
    """Bytes that come and go in the backward pass of one layer, at most.

    The worst place is silu(gate) · up: the gradient of the product gives those of both its factors,
    while the gradient of the residual stream waits. A 4-bit matrix is unpacked for its turn.
    """
    moving = setup.tokens * (2 * setup.compute * shape.intermediate + setup.stored * shape.hidden)
    largest = shape.hidden * shape.intermediate
    if setup.method == "full":
        return moving + setup.trained * largest  # the gradient of down_proj is there already
    return moving + (setup.compute * largest if setup.method == "qlora" else 0)
