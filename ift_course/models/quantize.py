"""QLoRA's frozen half: a model whose linear layers are NF4, on bitsandbytes.

Dettmers et al. 2023, arXiv:2305.14314. What the 4 bits are is written by hand in `nf4.py`.
"""

from typing import TYPE_CHECKING

from ift_course.errors import CourseError
from ift_course.models.quiet import quiet

if TYPE_CHECKING:
    import torch
    from transformers import BitsAndBytesConfig, PreTrainedModel


def four_bit_config() -> "BitsAndBytesConfig":
    """NF4 with double quantization, computed in what this machine computes fast.

    Raises CourseError when bitsandbytes is not installed: it has no wheel for every system.
    """
    _require_bitsandbytes()
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute_dtype(),
    )


def compute_dtype() -> "torch.dtype":
    """What 4-bit weights are multiplied in: bfloat16 where the hardware has it.

    float16 on a GPU that has not, as a T4, and float32 on such a CPU.
    """
    import torch

    from ift_course.hardware import bf16_is_fast

    if bf16_is_fast():
        return torch.bfloat16
    return torch.float16 if torch.cuda.is_available() else torch.float32


def is_four_bit(model: "torch.nn.Module") -> bool:
    """Whether the model's linear layers are bitsandbytes' 4-bit ones."""
    return bool(getattr(model, "is_loaded_in_4bit", False))


def to_four_bit(
    model: "PreTrainedModel", *, compute: "torch.dtype | None" = None
) -> "PreTrainedModel":
    """Quantize all linear layers but the output layer, in place, one after the other.

    `load(name, four_bit=True)` gives the same and never holds the whole model in full precision;
    this is for a model that is in memory already.

    compute: dtype of the multiplications; None is `compute_dtype()`.
    Raises CourseError as `four_bit_config` and `patch_bitsandbytes` do.
    """
    _require_bitsandbytes()
    with quiet():
        from bitsandbytes.nn import Linear4bit, Params4bit
    from torch import nn
    from transformers.pytorch_utils import Conv1D

    head = model.get_output_embeddings()
    for name, layer in list(model.named_modules()):
        if type(layer) not in (nn.Linear, Conv1D) or layer is head:
            continue
        # GPT-2's linear layer keeps its matrix the other way round.
        matrix = layer.weight.data.T if type(layer) is Conv1D else layer.weight.data
        small = Linear4bit(
            matrix.shape[1],
            matrix.shape[0],
            bias=False,
            compute_dtype=compute or compute_dtype(),
            compress_statistics=True,
            quant_type="nf4",
            device="meta",
        )
        weight = Params4bit(
            matrix.contiguous(), compress_statistics=True, quant_type="nf4", module=small
        )
        small.weight, small.bias = weight.to(layer.weight.device), layer.bias
        model.set_submodule(name, small.train(layer.training).requires_grad_(False))
    model.is_loaded_in_4bit = True
    patch_bitsandbytes(model)
    return model


def patch_bitsandbytes(model: "torch.nn.Module") -> None:
    """Make a 4-bit model on a CPU compute, and go on computing, what it should.

    Two faults of bitsandbytes 0.50 on CPUs raise no error:

    - Where the CPU has AVX512_BF16, the first forward in eval mode without gradients repacks the
      weights, and from then on they go through a kernel that has no backward, in training too. The
      gradient does not pass through those layers, and the adapters below learn from what leaks
      around them. Lesson 04 shows by how much. This switches that kernel off.
    - Some layers whose inputs are no multiple of the 64 weights of a block, 32 or 96 for instance,
      are dequantized with wrong scales. No common language model has such layers.

    Raises CourseError when a layer has such a size, or when the model was evaluated before this was
    called: its weights are repacked then, and the way back rounds their scales.
    """
    with quiet():
        from bitsandbytes.nn import Linear4bit
    from ift_course.from_scratch.nf4 import BLOCK

    for name, layer in model.named_modules():
        if not isinstance(layer, Linear4bit):
            continue
        if layer.in_features % BLOCK and layer.weight.device.type == "cpu":
            raise CourseError(
                f"The layer {name} takes {layer.in_features} numbers, no multiple of {BLOCK}: "
                "bitsandbytes computes such 4-bit layers wrongly on a CPU; use method lora."
            )
        if getattr(layer.weight.quant_state, "packing_format_for_cpu", False):
            raise CourseError(
                "This 4-bit model has answered on this CPU already, and bitsandbytes has repacked "
                "its weights in a way that loses gradients; load it again with "
                "load(..., four_bit=True), which prevents that."
            )
        layer.support_avx512bf16_for_cpu = False


def float_adapters(model: "torch.nn.Module") -> None:
    """Keep what is trained in float32, whatever the trainer has made of it.

    TRL (1.16) turns the adapters of a quantized model to bfloat16. A bfloat16 has 8 significant
    bits, so a step smaller than 1/256 of a weight is rounded away. Lesson 04 shows it. On a GPU
    without bfloat16 they could not be trained at all.
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
