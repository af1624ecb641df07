"""Measure the step that an estimate is about: random weights, a real step, the allocator's peak.

Random weights take the same bytes as trained ones. On a CPU the peak is computed from what
PyTorch's allocator reports about every block it allocates and frees, also inside its kernels; on a
GPU it is `torch.cuda.max_memory_allocated`. Neither includes a CUDA context or the gaps between
blocks.
"""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from ift_course.data.loss_mask import IGNORE
from ift_course.errors import CourseError
from ift_course.memory.estimate import MemoryEstimate
from ift_course.memory.setup import FP32, HALF, Setup
from ift_course.memory.shape import Shape

if TYPE_CHECKING:
    import torch
    from peft import PeftModel
    from transformers import PreTrainedModel

T = TypeVar("T")
MARK = "the measured step"


def measure(estimate: MemoryEstimate) -> int:
    """Run two training steps and return the allocator's peak in the second, in bytes.

    The first step allocates the optimizer's states.

    Raises:
        CourseError: The step cannot be measured on a CPU, where an 8-bit optimizer and the chunked
            loss of TRL make fp32 copies that they do not make on a GPU.
    """
    import torch

    shape, setup = estimate.shape, estimate.setup
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu" and (setup.chunked_loss or setup.optimizer != "adamw"):
        raise CourseError("A chunked loss and 8-bit optimizers can be measured on a GPU only.")

    def prepare() -> Callable[[], None]:
        model = random_model(shape, setup, device)
        optimizer = make_optimizer(model, setup)
        ids = torch.randint(shape.vocab, (setup.batch, setup.seq), device=device)
        step = _step(model, optimizer, ids, setup)
        step()
        return step

    with _autocast_visible_to_peft():
        return peak_bytes(prepare, lambda step: step())


def peak_bytes(prepare: Callable[[], T], run: Callable[[T], object]) -> int:
    """Return the most bytes that the allocator holds while `run` runs.

    On a CPU only memory allocated since this call counts, so make the model inside `prepare`.

    Args:
        prepare: Makes what is needed; what it leaves in memory counts.
        run: Gets what `prepare` returned.
    """
    import torch

    if torch.cuda.is_available():
        state = prepare()
        torch.cuda.reset_peak_memory_stats()
        run(state)
        return torch.cuda.max_memory_allocated()
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # otherwise it reports each start on stderr
    from torch.profiler import ProfilerActivity, profile, record_function

    gc.collect()  # blocks allocated before and freed later would be subtracted from the peak
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        state = prepare()
        gc.collect()
        with record_function(MARK):
            run(state)
    results = profiler.profiler and profiler.profiler.kineto_results
    assert results, "the profiler has been stopped by the end of its context"
    events = results.events()
    [mark] = [event for event in events if event.name() == MARK]
    allocated = peak = 0
    for event in sorted((e for e in events if e.name() == "[memory]"), key=lambda e: e.start_ns()):
        allocated += _nbytes(event)
        if mark.start_ns() <= event.start_ns() <= mark.start_ns() + mark.duration_ns():
            peak = max(peak, allocated)
    return peak


def _nbytes(event: Any) -> int:
    """Return the bytes of a memory event, negative where a block is freed.

    The stubs of torch do not know the method.
    """
    return event.nbytes()


def random_model(shape: Shape, setup: Setup, device: str = "cpu") -> PreTrainedModel | PeftModel:
    """Return a model of this shape with random weights, ready for training.

    Args:
        shape: The sizes.
        setup: The run, which decides on dtype, adapters and checkpointing.
        device: "cpu" or "cuda".
    """
    import torch

    from ift_course.models.quantize import to_four_bit
    from ift_course.models.quiet import quiet

    stored = setup.compute if setup.float32_vocab else setup.stored
    dtype = torch.float32 if stored == FP32 else _half(device)
    with quiet(), torch.device(device):
        model = random_base(shape, dtype, setup.seq, device)
        if setup.method == "qlora":
            to_four_bit(model, compute=dtype)
        if setup.float32_vocab:
            from peft import prepare_model_for_kbit_training

            model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
        if setup.method != "full":
            model = _with_adapters(model, setup, device)
    if setup.chunked_loss:
        _chunk_loss(model)
    if setup.checkpointing:
        # transformers 5.23 renamed the method.
        renamed = getattr(model, "activation_checkpointing_enable", None)
        (renamed or model.gradient_checkpointing_enable)({"use_reentrant": False})
        if setup.method != "full":
            model.enable_input_require_grads()
    return model.train()


def random_base(
    shape: Shape, dtype: torch.dtype, length: int, device: str = "cpu"
) -> PreTrainedModel:
    """Return a causal language model of this shape with random weights.

    Args:
        shape: The sizes.
        dtype: Of the weights.
        length: The longest sequence in tokens, where the shape does not say it.
        device: "cpu" or "cuda".
    """
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from ift_course.models.quiet import quiet

    config = AutoConfig.for_model(
        "qwen3" if shape.query_key_norm and shape.family == "llama" else shape.family,
        vocab_size=shape.vocab, hidden_size=shape.hidden,
        num_hidden_layers=shape.layers, num_attention_heads=shape.heads,
        tie_word_embeddings=shape.tied, max_position_embeddings=shape.positions or length,
        bos_token_id=None, eos_token_id=None, pad_token_id=None, **_family_sizes(shape),
    )  # fmt: skip
    with quiet(), torch.device(device):
        return AutoModelForCausalLM.from_config(config, dtype=dtype)


def _chunk_loss(model: PreTrainedModel | PeftModel) -> None:
    """Give the model the head of TRL's SFTTrainer, which never holds the logits of all tokens."""
    from trl.trainer.utils import add_fused_lm_head

    wrapped: Any = model  # the stubs of PyTorch take the method for a tensor
    base = wrapped.get_base_model() if hasattr(model, "get_base_model") else wrapped
    add_fused_lm_head(base, outputs=("log_probs", "entropy", "is_top1"))


def _family_sizes(shape: Shape) -> dict[str, int | float]:
    """Return the sizes whose names differ between families, with dropout turned off."""
    if shape.family == "gpt2":
        dropout = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0)
        return {"n_inner": shape.intermediate, **dropout}
    sizes: dict[str, int | float] = {"intermediate_size": shape.intermediate}
    if shape.family in ("gpt_neox", "phi"):
        return {**sizes, "num_key_value_heads": shape.kv_heads} if shape.family == "phi" else sizes
    return {**sizes, "num_key_value_heads": shape.kv_heads, "head_dim": shape.head_dim}


def _half(device: str) -> torch.dtype:
    import torch

    if device == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.float16
    return torch.bfloat16


def _with_adapters(model: PreTrainedModel, setup: Setup, device: str) -> PeftModel:
    import torch
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(task_type="CAUSAL_LM", r=setup.rank, target_modules=list(setup.targets))
    adapted = get_peft_model(model, config)
    dtype = _half(device) if setup.adapter_bytes == HALF else torch.float32
    for parameter in adapted.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(dtype)
    return adapted


def make_optimizer(model: torch.nn.Module, setup: Setup) -> torch.optim.Optimizer:
    """Return the optimizer of all trainable parameters."""
    import torch

    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if setup.optimizer == "adamw":
        return torch.optim.AdamW(trained, fused=True)
    from bitsandbytes.optim.adamw import AdamW8bit, PagedAdamW8bit

    return (PagedAdamW8bit if setup.optimizer == "paged_adamw_8bit" else AdamW8bit)(trained)


def _step(
    model: torch.nn.Module, optimizer: torch.optim.Optimizer, ids: torch.Tensor, setup: Setup
) -> Callable[[], None]:
    """Return a function that makes one training step on token ids of shape (batch, seq)."""
    import torch

    device = ids.device.type
    # The last tokens of each sequence stand for the labeled ones, wherever those are.
    n_labeled = setup.labeled_tokens // setup.batch
    if setup.chunked_loss:
        labels = ids.clone()
        labels[:, : setup.seq - n_labeled] = IGNORE
        targets = {"fused_lm_head": True, "shift_labels": labels}
    else:
        shift_labels = ids[:, -n_labeled:].contiguous()
        targets = {"labels": ids, "shift_labels": shift_labels, "logits_to_keep": n_labeled}

    def step() -> None:
        for _ in range(setup.accumulation):
            with torch.autocast(device, _half(device), enabled=setup.autocast):
                loss = model(input_ids=ids, use_cache=False, **targets).loss
            loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


@contextlib.contextmanager
def _autocast_visible_to_peft() -> Iterator[None]:
    """Let PEFT notice autocast on a CPU as it does on a GPU.

    PEFT asks torch whether autocast is on without naming a device, which means CUDA, and makes fp32
    copies if it is off. The function that it asks is replaced and restored afterwards.
    """
    import torch

    original = torch.is_autocast_enabled

    def on_any_device(device_type: str | None = None) -> bool:
        return original(device_type) if device_type else original("cuda") or original("cpu")

    torch.is_autocast_enabled = on_any_device
    try:
        yield
    finally:
        torch.is_autocast_enabled = original
