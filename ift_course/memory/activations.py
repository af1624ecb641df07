"""The activations that the forward pass saves for the backward pass, tensor by tensor.

The numbers are read off the Llama layer of transformers with PyTorch's
scaled_dot_product_attention, for sequences of equal length without padding. tests/memory compares
the sum, byte by byte, with what autograd really saves; for other families only the peak is
compared. Korthikanti et al. 2022, *Reducing Activation Recomputation in Large Transformer Models*,
arXiv:2205.05198, section 4, do the same computation for GPT.
"""

from __future__ import annotations

from typing import Literal

from ift_course.memory.setup import FP32, Setup
from ift_course.memory.shape import Shape

Source = Literal["norm", "attention", "product"]  # where a matrix gets its input from


def saved_by_layer(shape: Shape, setup: Setup) -> dict[str, int]:
    """Return the bytes per token that one layer saves, by what they are."""
    h, q, kv, f = shape.hidden, shape.q, shape.kv, shape.intermediate
    c, layout = setup.compute, shape.layout
    mlp = setup.stored if setup.float32_vocab else c  # a 4-bit layer returns its input's dtype
    sizes = {
        "norms": layout.norms * _norm(h, 1, shape, setup),
        "input of the attention": _inputs(h, tuple(layout.attention), "norm", setup),
        # The flash kernel saves no seq × seq matrix, only one number per head and token, from which
        # it recomputes the rows of that matrix.
        "q, k, v, attention": c * (2 * q + 2 * kv) + FP32 * shape.heads,
        # In a fused layer the values are a view of the one matrix product, so all of that product
        # stays; rotated queries and keys are tensors of their own.
        "q, k beside their rotated copies": c * (q + kv)
        if layout.fused and not shape.positions
        else 0,
        "input of its last matrix": _inputs(q, (layout.attention_out,), "attention", setup),
        "input of the MLP": _inputs(h, tuple(layout.mlp), "norm", setup),
        "inside the MLP": mlp * layout.mlp_saved * f,
        "input of the MLP's last matrix": _inputs(f, (layout.mlp_out,), "product", setup),
        "A x of the adapters": c * setup.rank * len(setup.targets),
    }
    if shape.query_key_norm:
        sizes["norms of q and k"] = sum(
            _norm(width, rows, shape, setup)
            for width, rows in ((q, shape.heads), (kv, shape.kv_heads))
        )
    return {name: size for name, size in sizes.items() if size}


def _norm(width: int, rows: int, shape: Shape, setup: Setup) -> int:
    """Return the bytes per token that a norm of `rows` rows saves, `width` numbers in all.

    RMSNorm computes in fp32, whatever its input is: it saves x and 1/rms(x), one number per row.
    The gradient of its weight, if that is trained, needs x/rms(x) as well. LayerNorm is one kernel,
    which saves x, the mean and 1/deviation, and recomputes x/deviation.
    """
    if shape.layout.centered:
        return (FP32 if setup.autocast else setup.stored) * width + 2 * FP32 * rows
    normed = 0
    if setup.method == "full":
        # Under autocast the residual stream is fp32, queries and keys are half precision.
        normed = width * (setup.stored if rows == 1 else setup.compute)
    return FP32 * (width + rows) + normed


def _inputs(width: int, readers: tuple[str, ...], source: Source, setup: Setup) -> int:
    """Return the bytes per token that matrices save of a shared input, for their own gradients.

    A frozen matrix saves nothing, but its adapter does. Where autocast casts fp32 to half
    precision, every reader makes its own copy: after a norm whose weight is trained, and in PEFT's
    LoRA layer, which first casts its input to fp32. PEFT's 4-bit layer skips that cast on a GPU.
    """
    if setup.method != "full":
        readers = tuple(name for name in readers if name in setup.targets)
    from_fp32 = source == "norm" if setup.method == "full" else setup.method == "lora"
    if setup.float32_vocab:
        from_fp32 = source != "attention"
    if (setup.copies or setup.float32_vocab) and from_fp32:
        return setup.compute * width * len(readers)
    saved_anyway = source == "attention"
    return setup.compute * width if readers and not saved_anyway else 0


def saved_outside_layers(shape: Shape, setup: Setup) -> int:
    """Return the bytes that the last norm, the input of the head and the rotary tables take."""
    full = setup.method == "full"
    last = _norm(shape.hidden, 1, shape, setup) + (setup.compute * shape.hidden if full else 0)
    # Sines and cosines are shared by all sequences of a batch; learned positions need none.
    rotary = 0 if shape.positions else 2 * setup.stored * shape.head_dim * setup.seq
    return setup.tokens * last + rotary


def unsaved_first_norm(shape: Shape, setup: Setup) -> int:
    """Return the bytes that the first norm does not save, as nothing before it is trained."""
    if setup.method == "full" or setup.checkpointing:
        return 0
    return setup.tokens * _norm(shape.hidden, 1, shape, setup)


def autocast_copies(shape: Shape, setup: Setup) -> int:
    """Return the bytes of the half-precision copies of one layer's trained matrices.

    Autocast makes them in the forward pass and keeps them until it is over.
    """
    if setup.method == "full":
        return setup.copies * shape.matrix_parameters
    return setup.copies * sum(setup.rank * sum(shape.linears[name]) for name in setup.targets)


def temporaries(shape: Shape, setup: Setup) -> int:
    """Return the most bytes that are allocated and freed within one layer's backward pass.

    The peak is at silu(gate) · up: from the gradient of the product come the gradients of both
    factors, while the gradient of the residual stream waits. A 4-bit matrix is dequantized while
    it is needed.
    """
    product = setup.stored if setup.float32_vocab else setup.compute
    size = setup.tokens * (2 * product * shape.intermediate + setup.stored * shape.hidden)
    largest = shape.hidden * shape.intermediate
    if setup.method == "full":
        return size + setup.trained * largest  # the gradient of down_proj already exists
    return size + (setup.compute * largest if setup.method == "qlora" else 0)
