"""The frozen half of QLoRA: a model whose linear layers are NF4, with bitsandbytes.

Dettmers et al. 2023, *QLoRA: Efficient Finetuning of Quantized LLMs*, arXiv:2305.14314.
`from_scratch/nf4.py` does the same quantization by hand.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ift_course.errors import CourseError
from ift_course.models.quiet import quiet

if TYPE_CHECKING:
    import torch
    from transformers import BitsAndBytesConfig, PreTrainedModel


FOUR_BIT_FLAG = "is_loaded_in_4bit"  # the attribute that transformers sets and peft reads


def four_bit_config() -> BitsAndBytesConfig:
    """Return the configuration of NF4 with double quantization, for this machine's fast dtype.

    Raises:
        CourseError: bitsandbytes is not installed; it does not have a wheel for every system.
    """
    _require_bitsandbytes()
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute_dtype(),
    )


def compute_dtype() -> torch.dtype:
    """Return the dtype for products with 4-bit weights.

    It is bfloat16 if the hardware supports it, and otherwise float16 on a GPU, such as a T4, and
    float32 on a CPU.
    """
    import torch

    from ift_course.hardware import bf16_is_fast

    if bf16_is_fast():
        return torch.bfloat16
    return torch.float16 if torch.cuda.is_available() else torch.float32


def is_four_bit(model: torch.nn.Module) -> bool:
    """Return whether the linear layers of a model are 4-bit layers of bitsandbytes."""
    return bool(getattr(model, FOUR_BIT_FLAG, False))


def to_four_bit(model: PreTrainedModel, *, compute: torch.dtype | None = None) -> PreTrainedModel:
    """Quantize all linear layers except the output layer, in place, one after the other.

    This is for a model that is already in memory. `load(name, four_bit=True)` gives the same model
    and never needs memory for all of it in full precision.

    Args:
        model: The model.
        compute: The dtype of products; None is `compute_dtype()`.

    Returns:
        The same model.

    Raises:
        CourseError: As in `four_bit_config` and `patch_bitsandbytes`.
    """
    _require_bitsandbytes()
    with quiet():
        from bitsandbytes.nn.modules import Linear4bit, Params4bit
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    head = model.get_output_embeddings()
    for name, layer in list(model.named_modules()):
        # The types themselves: a subclass is a layer that is quantized already.
        if type(layer) not in (nn.Linear, Conv1D) or layer is head:
            continue
        assert isinstance(layer, nn.Linear | Conv1D)
        # The weight of GPT-2's linear layer is transposed.
        matrix = layer.weight.data.T if isinstance(layer, Conv1D) else layer.weight.data
        quantized = Linear4bit(
            matrix.shape[1],
            matrix.shape[0],
            bias=False,
            compute_dtype=compute or compute_dtype(),
            compress_statistics=True,
            quant_type="nf4",
            device="meta",
        )
        # Its arguments are those of __new__, which pyright does not see behind torch's metaclass.
        parameters: Any = Params4bit
        weight = parameters(
            matrix.contiguous(), compress_statistics=True, quant_type="nf4", module=quantized
        )
        quantized.weight, quantized.bias = weight.to(layer.weight.device), layer.bias
        model.set_submodule(name, quantized.train(layer.training).requires_grad_(False))
    setattr(model, FOUR_BIT_FLAG, True)
    patch_bitsandbytes(model)
    return model


def patch_bitsandbytes(model: torch.nn.Module) -> None:
    """Make sure that a 4-bit model computes correctly on a CPU, in training as well.

    bitsandbytes 0.50 has two bugs on CPUs that raise no error:

    - If the CPU has AVX512_BF16, the first forward pass in evaluation mode without gradients
      repacks the weights. From then on they go through a kernel without a backward pass, in
      training as well. No gradient flows through those layers, so the adapters below them learn
      only from the gradient of the residual stream (22 to 101 % of the gradient was lost in
      a model of four layers). This function disables that kernel.
    - Layers whose number of inputs is not a multiple of the 64 weights of a block, such as 32 or
      96, may be dequantized with wrong scales. No common language model has such layers.

    Args:
        model: A 4-bit model that has not been evaluated yet.

    Raises:
        CourseError: A layer has such a size, or the model was evaluated before. In that case its
            weights are repacked, and unpacking them would round their scales.
    """
    with quiet():
        from bitsandbytes.nn.modules import Linear4bit
    from ift_course.from_scratch.nf4 import BLOCK

    for name, layer in model.named_modules():
        if not isinstance(layer, Linear4bit):
            continue
        if layer.in_features % BLOCK and layer.weight.device.type == "cpu":
            raise CourseError(
                f"The layer {name} has {layer.in_features} inputs, not a multiple of {BLOCK}: "
                "bitsandbytes computes such 4-bit layers wrongly on a CPU; use method lora."
            )
        state = getattr(layer.weight, "quant_state", None)
        if getattr(state, "packing_format_for_cpu", False):
            raise CourseError(
                "This 4-bit model has already been used on this CPU, and bitsandbytes has repacked "
                "its weights in a way that loses gradients; load it again with "
                "load(..., four_bit=True), which prevents that."
            )
        layer.support_avx512bf16_for_cpu = False


def float_adapters(model: torch.nn.Module) -> None:
    """Convert trainable parameters back to float32.

    TRL (1.16) converts the adapters of a quantized model to bfloat16. A bfloat16 has 8 significant
    bits, so an update smaller than 1/256 of a weight is rounded away; lesson 04 shows the effect.
    On a GPU without bfloat16, such adapters could not be trained at all.
    """
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def _require_bitsandbytes() -> None:
    from importlib.util import find_spec

    if find_spec("bitsandbytes") is None:
        raise CourseError(
            "4-bit weights need the package bitsandbytes, which is not installed: "
            "run pip install bitsandbytes, or use --method lora."
        )
