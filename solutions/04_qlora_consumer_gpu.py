# %% [markdown]
# # Exercises 04: tuning on a consumer GPU
#
# {{ badge }}
#
# Five functions: what an adapter computes, what four bits can say, and whether a run fits on a
# GPU, before it is started. Write the function, run its cell, run the cell below it.
#
# You may look into [lesson 04](../notebooks/04_qlora_consumer_gpu.ipynb) at any time.

# %%
import torch

import ift_course as ift

profile = ift.setup("04")
ift.progress("04")

# %% [markdown]
# ## 04.1 The forward pass of LoRA
#
# ●○○ · 10 minutes
#
# **Why it matters.** A LoRA layer is a frozen layer with a low-rank update beside it. Once you have
# written it, you know why `alpha` and the rank belong together, and why the update costs little.
#
# **Given** are a batch of inputs and the matrices of a layer (Hu et al. 2021, arXiv:2106.09685).
#
# **Example.** One input, one output, rank 1: 3 · 2 + 4 / 1 · (3 · 1 · 0.5).
#
# ```python
# >>> one = torch.ones(1, 1)
# >>> lora_forward(3 * one, weight=2 * one, a=one, b=0.5 * one, alpha=4.0)
# tensor([[12.0]])
# ```


# %%
def lora_forward(
    x: torch.Tensor, weight: torch.Tensor, a: torch.Tensor, b: torch.Tensor, alpha: float
) -> torch.Tensor:
    """The frozen layer's product with x, plus alpha / rank times that of the low-rank update.

    x: float (..., inputs); weight: (outputs, inputs); a: (rank, inputs); b: (outputs, rank), all of
    one dtype. The update multiplies with a first, and then with b.

    Returns (..., outputs), in that dtype. The weight itself is neither changed nor added to.
    """
    ### BEGIN SOLUTION
    update = x @ a.T @ b.T
    return x @ weight.T + alpha / len(a) * update
    ### END SOLUTION


# %%
ift.check(lora_forward)

# %% [markdown] tags=["hint"]
# `torch.nn.Linear` computes `x @ weight.T`. The update is two such layers, one after the other.
# Write down the shapes.

# %% [markdown] tags=["hint"]
# `x @ a.T` has the shape (..., rank). A second product takes it to (..., outputs).

# %% [markdown] tags=["hint"]
# `x @ weight.T + alpha / rank * (x @ a.T @ b.T)`, where the rank is the number of rows of `a`.

# %% [markdown]
# ## 04.2 Merging an adapter
#
# ●○○ · 10 minutes
#
# **Why it matters.** A merged model runs at the old speed and needs no adapter code. But base
# weights are kept in bfloat16, with about three digits: merge in that dtype, and a small update
# vanishes in the rounding more than it has to.
#
# **Given** are the matrices of a layer, as in 04.1.
#
# **Example.** The layer of the example above, merged.
#
# ```python
# >>> one = torch.ones(1, 1)
# >>> lora_merge(weight=2 * one, a=one, b=0.5 * one, alpha=4.0)
# tensor([[4.0]])
# ```


# %%
def lora_merge(
    weight: torch.Tensor, a: torch.Tensor, b: torch.Tensor, alpha: float
) -> torch.Tensor:
    """The weight of a plain layer that computes what the LoRA layer does.

    weight: (outputs, inputs), any floating dtype; a: (rank, inputs), b: (outputs, rank), any
    floating dtype. It is computed in float32 and returned in the dtype of `weight`, as a new
    tensor.
    """
    ### BEGIN SOLUTION
    update = alpha / len(a) * (b.float() @ a.float())
    return (weight + update).to(weight.dtype)  # the sum is float32, because the update is
    ### END SOLUTION


# %%
ift.check(lora_merge)

# %% [markdown]
# A real adapter: TRL's `SFTTrainer` tunes the base with PEFT's LoRA for ten steps. Then your
# function merges the adapter layer by layer, and PEFT's `merge_and_unload` does the same. The
# logits show whether they agree, and how much the adapter matters.

# %%
if ift.passed(lora_merge):
    import tempfile
    import warnings

    from datasets import Dataset
    from peft import LoraConfig
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    from ift_course.lessons.lesson_04.experiment import examples

    warnings.simplefilter("ignore", FutureWarning)  # PEFT uses old names of transformers
    base, tokenizer = ift.load("base")
    rows = [
        {"prompt": f"Question: {e.instruction} {e.input}".strip() + "\nAnswer:",
         "completion": f" {e.response}"}
        for e in examples(80, seed=0)
    ]  # fmt: skip
    args = SFTConfig(
        output_dir=tempfile.mkdtemp(), max_steps=10, learning_rate=3e-3, use_cpu=True, bf16=False,
        per_device_train_batch_size=16, activation_checkpointing=False, save_strategy="no",
        report_to="none", disable_tqdm=True,
    )  # fmt: skip
    lora = LoraConfig(task_type="CAUSAL_LM", r=8, lora_alpha=32, target_modules="all-linear")
    trainer = SFTTrainer(base, args, train_dataset=Dataset.from_list(rows),
                         processing_class=tokenizer, peft_config=lora)  # fmt: skip
    trainer.remove_callback(PrinterCallback)
    trainer.train()

    tuned, (plain, _) = trainer.model.eval(), ift.load("base")
    ids = tokenizer(rows[0]["prompt"], return_tensors="pt").input_ids
    with torch.no_grad():
        untuned, beside = plain(ids).logits, tuned(ids).logits
        for path, layer in tuned.get_base_model().named_modules():
            if hasattr(layer, "lora_A"):
                a, b = layer.lora_A["default"].weight, layer.lora_B["default"].weight
                plain.get_submodule(path).weight.copy_(
                    lora_merge(layer.base_layer.weight, a, b, lora.lora_alpha)
                )
        yours, pefts = plain(ids).logits, tuned.merge_and_unload()(ids).logits
    results = {"untuned": untuned, "merged by you": yours, "merged by PEFT": pefts}
    for what, logits in results.items():
        difference = (logits - beside).abs().max() / beside.abs().max()
        print(f"{what:14} differs from base and adapter by {difference:.0e} of the largest logit")

# %% [markdown] tags=["hint"]
# `x @ a.T @ b.T` is `x @ (b @ a).T`. So which matrix can be added to the weight?

# %% [markdown] tags=["hint"]
# `b @ a` has the shape of the weight. It has the same factor as in 04.1.

# %% [markdown] tags=["hint"]
# Take all three to `.float()`, add, and go back with `.to(weight.dtype)`. Do not use `+=`.

# %% [markdown]
# ## 04.3 Quantization to 4 bits
#
# ●●○ · 25 minutes
#
# **Why it matters.** This is why a model of 8 billion parameters fits on a consumer GPU. The
# weights are cut into blocks, each block is divided by its largest absolute value, and each number
# becomes the index of the nearest of 16 levels (Dettmers et al. 2023, arXiv:2305.14314).
#
# **Given** are numbers, the levels, and how many numbers share a scale.
#
# **Example.** Three levels and blocks of two.
#
# ```python
# >>> codes, scales = quantize(torch.tensor([0.5, -0.1, 8.0, 5.0]), torch.tensor([-1.0, 0, 1]), 2)
# >>> codes.tolist(), scales.tolist()
# ([2, 1, 2, 2], [0.5, 8.0])
# ```


# %%
def quantize(
    values: torch.Tensor, levels: torch.Tensor, block: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """(codes, scales) of numbers, block by block.

    values: float (n,), any floating dtype; levels: float32 (k,), ascending, at most 256, from -1 to
    1 and with 0 among them. The last block may be shorter.

    scales: float32 (blocks,), the largest absolute value of each block. codes: uint8 (n,), the
    index of the level nearest to value / scale, of two equally near ones the lower. A block of
    zeros has the scale 0 and the code of the level 0. Computed in float32.

    Raises ValueError if block is less than 1.
    """
    ### BEGIN SOLUTION
    if block < 1:
        raise ValueError("a block holds at least one value")
    scales = torch.zeros(-(-len(values) // block))
    codes = torch.zeros(len(values), dtype=torch.uint8)
    for i in range(len(scales)):
        here = slice(i * block, (i + 1) * block)
        part = values[here].float()
        scales[i] = part.abs().max()
        scaled = part / scales[i] if scales[i] else part
        codes[here] = (scaled[:, None] - levels).abs().argmin(dim=1)
    return codes, scales
    ### END SOLUTION


# %%
ift.check(quantize)

# %% [markdown]
# Your quantization, of numbers distributed as a layer's weights are: with the 16 NF4 levels and
# with 15 even ones. How large is the mean error, in percent of the spread?

# %%
if ift.passed(quantize):
    from ift_course.from_scratch.nf4 import int4_levels, nf4_levels

    weights = torch.randn(64_000, generator=torch.Generator().manual_seed(0))
    for name, levels in {"NF4": nf4_levels(), "even": int4_levels()}.items():
        for block in (32, 64, 256):
            codes, scales = quantize(weights, levels, block)
            back = levels[codes.long()] * scales.repeat_interleave(block)[: len(weights)]
            error = (back - weights).abs().mean()
            print(f"{name:5} blocks of {block:3}: {error:.1%}, {4 + 32 / block:.2f} bits a weight")

# %% [markdown] tags=["hint"]
# First do one block. Its scale is one number; dividing by it takes the block into −1 … 1, where the
# levels are.

# %% [markdown] tags=["hint"]
# `(scaled[:, None] - levels).abs()` is a table: a row for each value, a column for each level. The
# nearest level is its `argmin` along the columns, and `argmin` takes the first of equal ones.

# %% [markdown] tags=["hint"]
# Make `scales` and `codes` of the right size first: `-(-len(values) // block)` and `len(values)`.
# Block i is `values[i * block : (i + 1) * block]`, shorter if it is the last one. Divide by the
# scale only if it is not 0.

# %% [markdown]
# ## 04.4 The memory of a fine-tune
#
# ●●○ · 20 minutes
#
# **Why it matters.** "Will it fit?" is asked before every run, and answered by a crash after twenty
# minutes. The part that does not depend on the batch can be counted on one hand.
#
# **Given** are the sizes of a model and of its adapter.
#
# **Example.** A hundred parameters and an adapter of ten.
#
# ```python
# >>> training_memory(100, 10, "lora")
# {'weights': 240, 'gradients': 40, 'optimizer': 80, 'total': 360}
# ```


# %%
def training_memory(parameters: int, adapter: int, method: str) -> dict[str, int]:
    """Bytes that training holds in every step: {"weights", "gradients", "optimizer", "total"}.

    parameters: of the base model; adapter: of the LoRA adapter. What is trained is in float32, has
    a gradient in float32, and two numbers in float32 in AdamW.

    - "full": all parameters are trained, and there is no adapter.
    - "lora": the base is frozen in bfloat16, the adapter is trained.
    - "qlora": as lora, and the base is frozen in 4 bits: half a byte a weight, one byte for the
      scale of every 64 weights, and 4 bytes for every 256 such scales. Half bytes and blocks that
      are begun count in full.

    Raises ValueError for any other method.
    """
    ### BEGIN SOLUTION
    scales = -(-parameters // 64)
    frozen = {
        "full": 0,
        "lora": 2 * parameters,
        "qlora": -(-parameters // 2) + scales + -(-scales // 256) * 4,
    }
    if method not in frozen:
        raise ValueError(f"the methods are {', '.join(frozen)}")
    trained = 4 * (parameters if method == "full" else adapter)
    parts = {"weights": frozen[method] + trained, "gradients": trained, "optimizer": 2 * trained}
    return parts | {"total": sum(parts.values())}
    ### END SOLUTION


# %%
ift.check(training_memory)

# %% [markdown]
# A model of 8 billion parameters with an adapter of 42 million, in GB:

# %%
if ift.passed(training_memory):
    for method in ("full", "lora", "qlora"):
        parts = training_memory(8_030_000_000, 42_000_000, method)
        print(f"{method:6}", "   ".join(f"{k} {v / 2**30:6.1f}" for k, v in parts.items()))

# %% [markdown] tags=["hint"]
# Ask two questions for each method: how many numbers are trained, and how many bytes do the frozen
# ones take? Everything else follows.

# %% [markdown] tags=["hint"]
# What is trained takes 4 bytes as a weight, 4 as a gradient and 8 in the optimizer. In lora and
# qlora the weights are the frozen base *and* the adapter.

# %% [markdown] tags=["hint"]
# Rounding up is `-(-n // k)`. The frozen base of qlora: `-(-parameters // 2)` bytes of weights,
# `scales = -(-parameters // 64)` bytes, and `-(-scales // 256) * 4`.

# %% [markdown]
# ## 04.5 Settings for a GPU of 12 GB
#
# ●●● · 40 minutes
#
# **Why it matters.** A run can be made to fit in several ways, and they do not cost the same. A
# smaller micro-batch with gradient accumulation gives the same result. Gradient checkpointing gives
# it a third to a half slower. Another method gives another result. So the order is clear, and a
# program can find the settings.
#
# **Given** is what 04.4 computes, for each method. Activations of a layer take about 34 bytes per
# token and hidden unit (Korthikanti et al. 2022, arXiv:2205.05198, with an attention that does not
# store its matrix). With checkpointing only the 2 bytes of a layer's input are kept, and one layer
# at a time is computed again.
#
# **Example.** Without checkpointing the first method does not fit; with it, one sequence at a time
# does.
#
# ```python
# >>> static = {"lora": 1000, "qlora": 500}
# >>> choose_settings(static, layers=4, hidden=2, vocabulary=5, length=2, budget=1300)["bytes"]
# 1248
# ```


# %%
def choose_settings(
    static: dict[str, int],
    layers: int,
    hidden: int,
    vocabulary: int,
    length: int,
    budget: int,
    effective_batch: int = 16,
) -> dict | None:
    """The best settings whose memory is at most `budget` bytes, or None if none fits.

    static: bytes that do not depend on the batch, for each method, the preferred method first.
    Besides, each token of a micro-batch takes

    - activations: 34 * hidden bytes for each layer; with checkpointing 2 * hidden bytes for each
      layer, and 34 * hidden once;
    - logits: 8 bytes for each word of the vocabulary.

    A micro-batch has batch * length tokens, and batch * accumulation is effective_batch, both whole
    numbers. Preferred is: first, an earlier method; then, no checkpointing; then, a larger batch.

    Returns {"method", "checkpointing", "batch", "accumulation", "bytes"}.
    """
    ### BEGIN SOLUTION
    kept = {False: 34 * hidden * layers, True: 2 * hidden * layers + 34 * hidden}
    for method, fixed in static.items():
        for checkpointing, activations in kept.items():
            for accumulation in range(1, effective_batch + 1):
                batch = effective_batch // accumulation
                total = fixed + batch * length * (activations + 8 * vocabulary)
                if total <= budget and batch * accumulation == effective_batch:
                    return {
                        "method": method,
                        "checkpointing": checkpointing,
                        "batch": batch,
                        "accumulation": accumulation,
                        "bytes": total,
                    }
    return None
    ### END SOLUTION


# %%
ift.check(choose_settings)

# %% [markdown]
# The shapes of three models, and what your function would choose on three GPUs (lengths of 1,024
# tokens, LoRA of rank 16, all logits at once: TRL computes them in chunks, which takes less):

# %%
if ift.passed(choose_settings) and ift.passed(training_memory):
    shapes = {"1B": (1_236e6, 11e6, 16, 2048), "3B": (3_213e6, 24e6, 28, 3072),
              "8B": (8_030e6, 42e6, 32, 4096)}  # fmt: skip
    for name, (size, adapter, layers, hidden) in shapes.items():
        static = {m: training_memory(int(size), int(adapter), m)["total"]
                  for m in ("full", "lora", "qlora")}  # fmt: skip
        for gpu in (12, 24, 80):
            settings = choose_settings(static, layers, hidden, 128_256, 1024, (gpu - 1) * 2**30)
            print(f"{name} on {gpu:2} GB:", settings or "does not fit")

# %% [markdown] tags=["hint"]
# Three preferences, three nested loops: the first preference is the outer loop. The first settings
# that fit are the best.

# %% [markdown] tags=["hint"]
# The batch runs through the divisors of `effective_batch`, from the largest to the smallest. With
# `accumulation` from 1 up, `batch = effective_batch // accumulation` does so.

# %% [markdown] tags=["hint"]
# `total = static[method] + batch * length * (activations + 8 * vocabulary)`, where the activations
# of a token are `34 * hidden * layers`, or `2 * hidden * layers + 34 * hidden` with checkpointing.
