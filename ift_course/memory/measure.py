"""The same step for real: random weights of a shape, one step of training, the allocator's peak.

Random weights take the same bytes as trained ones. On a CPU the peak is what PyTorch's allocator
reports of every block it hands out and takes back, inside its kernels too; on a GPU it is
`torch.cuda.max_memory_allocated`. Neither sees a CUDA context or the gaps between blocks.
"""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar
from unittest import mock

from ift_course.errors import CourseError
from ift_course.memory.estimate import MemoryEstimate
from ift_course.memory.setup import FP32, HALF, Setup
from ift_course.memory.shape import Shape

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

T = TypeVar("T")
MARK = "the step that is measured"


def measure(estimate: MemoryEstimate) -> int:
    """Bytes that PyTorch's allocator holds at the peak of the step the estimate is about.

    It is the second step, since the first one makes the optimizer's state.

    Raises CourseError for what cannot be measured: the loss in tiles, and on a CPU an 8-bit
    optimizer, which makes fp32 copies there that it does not make on a GPU.
    """
    import torch

    shape, setup = estimate.shape, estimate.setup
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if setup.tiles or (device == "cpu" and setup.optimizer != "adamw"):
        raise CourseError("Tiles are not measured, nor an 8-bit optimizer on a CPU.")

    def prepare() -> Callable[[], None]:
        model = random_model(shape, setup, device)
        optimizer = make_optimizer(model, setup)
        rows = torch.randint(shape.vocab, (setup.batch, setup.seq), device=device)
        step = _step(model, optimizer, rows, setup)
        step()
        return step

    with _as_on_a_gpu():
        return peak_bytes(prepare, lambda step: step())


def peak_bytes(prepare: Callable[[], T], run: Callable[[T], object]) -> int:
    """The most bytes the allocator holds during `run(prepare())`, all that `prepare` left included.

    Only memory taken since the call counts on a CPU, so make the model inside `prepare`.
    """
    import torch

    if torch.cuda.is_available():
        state = prepare()
        torch.cuda.reset_peak_memory_stats()
        run(state)
        return torch.cuda.max_memory_allocated()
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")  # it reports each start on stderr
    from torch.profiler import ProfilerActivity, profile, record_function

    gc.collect()  # what is given back later but was taken before would be counted as a gain
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        state = prepare()
        gc.collect()
        with record_function(MARK):
            run(state)
    events = profiler.profiler.kineto_results.events()
    [mark] = [event for event in events if event.name() == MARK]
    held = most = 0
    for event in sorted((e for e in events if e.name() == "[memory]"), key=lambda e: e.start_ns()):
        held += event.nbytes()  # negative where a block is given back
        if mark.start_ns() <= event.start_ns() <= mark.start_ns() + mark.duration_ns():
            most = max(most, held)
    return most


def random_model(shape: Shape, setup: Setup, device: str = "cpu") -> PreTrainedModel:
    """A model of this shape with random weights, ready to be trained as `setup` says."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    from ift_course.models.quantize import to_four_bit
    from ift_course.models.quiet import quiet

    config = AutoConfig.for_model(
        "qwen3" if shape.query_key_norm and shape.family == "llama" else shape.family,
        vocab_size=shape.vocab, hidden_size=shape.hidden,
        num_hidden_layers=shape.layers, num_attention_heads=shape.heads,
        tie_word_embeddings=shape.tied, max_position_embeddings=shape.positions or setup.seq,
        bos_token_id=None, eos_token_id=None, pad_token_id=None, **_own_sizes(shape),
    )  # fmt: skip
    dtype = torch.float32 if setup.stored == FP32 else _half(device)
    with quiet(), torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=dtype)
        if setup.method == "qlora":
            to_four_bit(model, compute=dtype)
        if setup.method != "full":
            model = _adapted(model, setup, device)
    if setup.checkpointing:
        renamed = getattr(model, "activation_checkpointing_enable", None)  # transformers 5.23
        (renamed or model.gradient_checkpointing_enable)({"use_reentrant": False})
        if setup.method != "full":
            model.enable_input_require_grads()
    return model.train()


def _own_sizes(shape: Shape) -> dict[str, int | float]:
    """The sizes that not every family writes under the same name, and no dropout."""
    if shape.family == "gpt2":
        dropout = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), 0.0)
        return {"n_inner": shape.intermediate, **dropout}
    sizes = {"intermediate_size": shape.intermediate}
    if shape.family in ("gpt_neox", "phi"):
        return {**sizes, "num_key_value_heads": shape.kv_heads} if shape.family == "phi" else sizes
    return {**sizes, "num_key_value_heads": shape.kv_heads, "head_dim": shape.head_dim}


def _half(device: str) -> torch.dtype:
    import torch

    if device == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.float16
    return torch.bfloat16


def _adapted(model: PreTrainedModel, setup: Setup, device: str) -> PreTrainedModel:
    import torch
    from peft import LoraConfig, get_peft_model

    targets = list(setup.targets)
    model = get_peft_model(
        model, LoraConfig(task_type="CAUSAL_LM", r=setup.rank, target_modules=targets)
    )
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.to(
                _half(device) if setup.adapter_bytes == HALF else torch.float32
            )
    return model


def make_optimizer(model: PreTrainedModel, setup: Setup) -> torch.optim.Optimizer:
    """The optimizer of everything in `model` that is trained."""
    import torch

    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    if setup.optimizer == "adamw":
        return torch.optim.AdamW(trained, fused=True)
    import bitsandbytes as bnb

    return bnb.optim.AdamW8bit(trained)


def _step(model, optimizer, rows: torch.Tensor, setup: Setup) -> Callable[[], None]:
    import torch

    kind = rows.device.type

    def step() -> None:
        for _ in range(setup.accumulation):
            with torch.autocast(kind, _half(kind), enabled=setup.autocast):
                loss = model(input_ids=rows, labels=rows, use_cache=False).loss
            loss.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


@contextlib.contextmanager
def _as_on_a_gpu() -> Iterator[None]:
    """PEFT asks only whether *CUDA's* autocast is on, and makes fp32 copies otherwise."""
    import torch

    enabled = torch.is_autocast_enabled

    def any_device(kind: str | None = None) -> bool:
        return enabled(kind) if kind else enabled("cuda") or enabled("cpu")

    with mock.patch.object(torch, "is_autocast_enabled", any_device):
        yield
