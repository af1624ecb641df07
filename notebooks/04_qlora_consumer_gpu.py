# %% [markdown]
# # QLoRA: tuning on a card you can buy
#
# {{ badge }}
#
# Full fine-tuning of a model with 8 billion parameters takes more than 100 GB of memory. A card for
# gaming has 8 to 24. Two ideas close the gap. **LoRA** trains a small detour around each weight
# matrix and leaves the matrix alone. **Quantization** stores the matrix, which nobody trains now,
# in 4 bits a weight. Together they are **QLoRA**.
#
# You will build both by hand, find the libraries' numbers equal to yours, and then measure what
# they cost and what they save. At the end you will be able to
#
# - write a LoRA layer, and merge it;
# - derive the 16 levels of NF4, and quantize a layer to the very codes of bitsandbytes;
# - compare full tuning, LoRA and QLoRA in accuracy, memory and time;
# - say, before you run it, whether a model can be tuned on your card, and what to change if not;
# - resume a run that was cut off, merge the result and talk to it;
# - recognize five bugs that train without an error.
#
# What this lesson costs:
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("04")

# %% [markdown]
# ## 1. LoRA by hand
#
# Tuning changes a weight matrix $W$ into $W + \Delta W$. The change has as many numbers as the
# matrix. Hu et al. (2021) found that it hardly needs them: a change of very low *rank* does nearly
# as well. A matrix of rank 1 is a column times a row. So instead of $\Delta W$ we train a tall thin
# matrix $B$ and a flat one $A$, and never touch $W$:
#
# $$ y = W x + \frac{\alpha}{r} \, B A \, x $$
#
# Here is a layer from 6 numbers to 4, with a detour of rank $r = 1$.

# %%
import torch

torch.manual_seed(0)
W = torch.randn(4, 6)  # frozen: 24 numbers
A = torch.randn(1, 6)  # trained: 6 numbers
B = torch.zeros(4, 1)  # trained: 4 numbers
alpha, rank = 2, 1

x = torch.randn(6)
y = W @ x + alpha / rank * (B @ (A @ x))
print("with B = 0 nothing has changed:", torch.equal(y, W @ x))
B = torch.randn(4, 1)
print("numbers in the change:", (B @ A).numel(), "· numbers trained:", A.numel() + B.numel(),
      "· rank:", int(torch.linalg.matrix_rank(B @ A)))  # fmt: skip

# %% [markdown]
# In the middle stands $\frac{\alpha}{r} B A$. Each of its numbers is one of $B$ times one of $A$,
# so every row is the same row, scaled. That is what rank 1 means.

# %%
from ift_course.plots.lora_figure import show_low_rank_update

show_low_rank_update(W, A, B, alpha / rank, title="24 numbers change, and 10 are trained")

# %% [markdown]
# $B$ begins at zero, so the model begins as it was. $A$ begins at random. If both were zero,
# neither would ever get a gradient: that is the first of the silent failures below.
#
# The scale $\alpha / r$ says how far the detour counts. It works like a second learning rate.
# Parentheses matter, too: $B(Ax)$ costs 10 multiplications, $(BA)x$ costs 48.
#
# ### In a few lines of PyTorch
#
# `ift_course/from_scratch/lora.py` is that formula as a module, which can be put around any linear
# layer. The heart of it:

# %%
import inspect

from ift_course.from_scratch.lora import LoraLinear, add_lora, lora_layers, merge_lora

print(inspect.getsource(LoraLinear.forward))
print(inspect.getsource(LoraLinear.delta))

# %% [markdown]
# We put it around two matrices of every layer of the base model, and count what is trained.

# %%
import copy

base, tokenizer = ift.load("base")
mine = add_lora(copy.deepcopy(base), rank=8, alpha=16, targets=["q_proj", "v_proj"])
trained = sum(p.numel() for p in mine.parameters() if p.requires_grad)
print(f"{len(list(lora_layers(mine)))} layers adapted")
print(f"{trained:,} of {base.num_parameters():,} numbers are trained")

# %% [markdown]
# ### The library
#
# Most people use PEFT. We give its adapters our numbers, with a $B$ that is not zero, and compare
# the logits and every gradient on a real batch.

# %%
from ift_course.models.quiet import quiet
from ift_course.training.sft import prepare
from ift_course.world.tasks import FACT_TASKS

with quiet():
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"])
    theirs = get_peft_model(copy.deepcopy(base), config)

many = min(profile.examples, 160)
examples = ift.sample(many, seed=profile.seeds[0], tasks=FACT_TASKS)
rows = prepare(tokenizer, ift.to_records(examples[: profile.batch_size]), profile.max_length).rows
batch = {k: v.to(base.device) for k, v in ift.collate(rows, tokenizer.pad_token_id).items()}

torch.manual_seed(0)
for name, layer in lora_layers(mine):
    layer.B.data.normal_(std=0.02)
    peft = theirs.get_submodule(f"base_model.model.{name}")
    peft.lora_A["default"].weight.data.copy_(layer.A.data)
    peft.lora_B["default"].weight.data.copy_(layer.B.data)

ours, library = mine(**batch), theirs(**batch)
ours.loss.backward()
library.loss.backward()
apart = max(
    (layer.A.grad - theirs.get_submodule(f"base_model.model.{name}").lora_A["default"].weight.grad)
    .abs().max().item()
    for name, layer in lora_layers(mine)
)  # fmt: skip
print(f"largest difference of a logit:    {(ours.logits - library.logits).abs().max():.1e}")
print(f"largest difference of a gradient: {apart:.1e}")
assert torch.allclose(ours.logits, library.logits, atol=1e-4)
assert apart < 1e-5

# %% [markdown]
# ### Merging
#
# A detour costs time in use. It need not stay: $\Delta W = \frac{\alpha}{r} BA$ is a matrix like
# $W$, so it can be added to it once and for all. What is left is an ordinary model.

# %%
with torch.no_grad():
    beside = mine(**batch).logits
    merged = merge_lora(mine)(**batch).logits
print(f"merged and unmerged differ by {(beside - merged).abs().max():.1e}")
assert torch.allclose(beside, merged, atol=1e-4)

# %% [markdown]
# ## 2. NF4 by hand
#
# With LoRA the big matrix is only read. Then it need not be precise. How few bits will do?
#
# With 4 bits a weight can have 16 values. The plain way: divide by the largest weight, and round to
# evenly spaced levels. Take eight weights.

# %%
weights = torch.tensor([0.11, -0.04, 0.02, -0.16, 0.07, -0.01, 0.05, 0.03])
largest = weights.abs().max()
codes = (weights / largest * 7).round()  # whole numbers from -7 to 7
print("codes:   ", codes.int().tolist())
print("weights: ", [f"{w:+.3f}" for w in weights.tolist()])
print("restored:", [f"{w:+.3f}" for w in (codes / 7 * largest + 0).tolist()])

# %% [markdown]
# Now one of them is ten times as large, as happens in real models. The step between two levels
# grows with it, and all the others fall on zero.

# %%
weights[3] = -1.6
largest = weights.abs().max()
restored = (weights / largest * 7).round() / 7 * largest + 0
print("restored:", [f"{w:+.3f}" for w in restored.tolist()])

# %% [markdown]
# Hence **blocks**: every 64 weights get a scale of their own, so that a large one spoils only its
# neighbors.
#
# Hence also **better levels**. Weights are not spread evenly. They look like a bell: many near
# zero, few far out. Evenly spaced levels waste half of themselves on the few. Dettmers et al.
# (2023) place the levels at the *quantiles* of the normal distribution, so that each is used about
# equally often. Zero must be among them, since a weight of zero, padding for example, should stay
# zero. So one side gets eight levels and the other seven.

# %%
from scipy.stats import norm

outermost = 0.9677083  # a probability of 1 has no quantile, so stop half a step before
up = norm.ppf(torch.linspace(outermost, 0.5, 9)[:-1].numpy())  # eight above zero
down = -norm.ppf(torch.linspace(outermost, 0.5, 8)[:-1].numpy())  # seven below
levels = torch.tensor([*down, 0.0, *up]).float().sort().values
levels = levels / levels.max()
print([f"{level:.4f}" for level in levels.tolist()])

# %% [markdown]
# These are real layers of the base model, each weight divided by the largest of its block. Choose a
# layer and a block size, and see which levels fit.

# %%
from ift_course.plots.quantization import explore_levels, relative_error, show_errors

layers = {
    name.removeprefix("model.layers."): module.weight.data.cpu()
    for name, module in base.named_modules()
    if isinstance(module, torch.nn.Linear) and name != "lm_head"
}
explore_levels({f"layer {name}": weight for name, weight in list(layers.items())[:7]})

# %% [markdown]
# ### What a weight costs
#
# Two codes fit into one byte. The scales come on top: a float of 32 bits for 64 weights is half a
# bit a weight. **Double quantization** stores the scales themselves in 8 bits, with one float for
# 256 of them.

# %%
from ift_course.from_scratch import nf4

weight = layers["0.mlp.up_proj"]
once, twice = nf4.quantize(weight), nf4.quantize(weight, double=True)
print(f"two codes a byte: {nf4.unpack(once.packed)[:6].tolist()} → {once.packed[:3, 0].tolist()}")
print(f"bits a weight: {once.bits:.3f}, with double quantization {twice.bits:.3f}")
small = twice.packed.nbytes + twice.scales.nbytes
print(f"{weight.nbytes / 1e3:.0f} kB became {small / 1e3:.0f} kB")

# %% [markdown]
# ### The library
#
# bitsandbytes does this for millions of people. Same levels, same codes, same weights, bit for bit?

# %%
with quiet():
    import bitsandbytes.functional as bnb

assert torch.equal(levels, bnb.get_4bit_type("nf4", device="cpu"))
same = 0
for weight in layers.values():
    ours = nf4.quantize(weight)
    packed, state = bnb.quantize_4bit(weight, quant_type="nf4")
    assert torch.equal(ours.packed, packed)
    assert torch.equal(nf4.dequantize(ours), bnb.dequantize_4bit(packed, state))
    same += weight.numel()
print(f"{same:,} weights in {len(layers)} layers: all codes and all restored weights are equal")

# %% [markdown]
# With double quantization there is a small difference, and finding it teaches something. On a CPU,
# bitsandbytes does not search for the nearest of 256 levels. It looks it up in a table of 65,536
# steps, so a scale that lies almost in the middle between two levels may get the other one. Round
# to the same steps first, and all bits are equal again.

# %%
exact = tabled = count = 0
for weight in layers.values():
    _, state = bnb.quantize_4bit(weight, quant_type="nf4", compress_statistics=True)
    exact += (nf4.quantize(weight, double=True).scales.codes != state.absmax).sum().item()
    tabled += (
        (nf4.quantize(weight, double=True, grid=nf4.BNB_CPU_GRID).scales.codes != state.absmax)
        .sum().item()
    )  # fmt: skip
    count += state.absmax.numel()
print(f"scales that differ, of {count:,}: {exact} with the exact search, {tabled} with the table")

# %% [markdown]
# ### The error
#
# How far are the restored weights from the true ones? Four ways, on all layers of the base model.

# %%
even, quantiles = nf4.int4_levels(), nf4.nf4_levels()


def after_both(weight: torch.Tensor) -> float:
    restored = nf4.dequantize(nf4.quantize(weight, double=True))
    return ((restored - weight).norm() / weight.norm()).item()


show_errors(
    {
        "plain rounding: one scale": [relative_error(w, even, None) for w in layers.values()],
        "int4 in blocks of 64": [relative_error(w, even, 64) for w in layers.values()],
        "NF4 in blocks of 64": [relative_error(w, quantiles, 64) for w in layers.values()],
        "NF4, double quantization": [after_both(w) for w in layers.values()],
    },
    title="What is lost in 4 bits",
)

# %% [markdown]
# The blocks matter most, the levels come second, and quantizing the scales costs next to nothing.
#
# ## 3. QLoRA: both at once
#
# Weights in NF4, frozen; a LoRA detour beside each, trained in full precision. In the forward pass
# a layer's weights are restored, used and thrown away. In the backward pass the gradient goes
# *through* the restored weights to the adapters below, but never into the 4 bits.
#
# By hand it is our LoRA around our NF4. With the libraries it is bitsandbytes and PEFT.

# %%
from ift_course.models.quantize import float_adapters, to_four_bit

targets = ["q_proj", "v_proj"]
by_hand = copy.deepcopy(base)
for layer in by_hand.model.layers.modules():
    if isinstance(layer, torch.nn.Linear):
        small = nf4.quantize(layer.weight.data.cpu(), double=True, grid=nf4.BNB_CPU_GRID)
        layer.weight.data = nf4.dequantize(small).to(base.device)
by_hand = add_lora(by_hand, rank=8, alpha=16, targets=targets)

with quiet():
    four_bit = to_four_bit(copy.deepcopy(base), compute=base.dtype)
    library = get_peft_model(four_bit, LoraConfig(r=8, lora_alpha=16, target_modules=targets))
float_adapters(library)

torch.manual_seed(0)
pairs = []
for name, layer in lora_layers(by_hand):
    peft = library.get_submodule(f"base_model.model.{name}")
    layer.B.data.normal_(std=0.02)
    pairs += [(layer.A, peft.lora_A["default"].weight), (layer.B, peft.lora_B["default"].weight)]
for ours, theirs in pairs:
    theirs.data.copy_(ours.data)

ours, theirs = by_hand(**batch), library.train()(**batch)
ours.loss.backward()
theirs.loss.backward()
apart = max((a.grad - b.grad).abs().max().item() for a, b in pairs)
print(f"largest difference of a logit:    {(ours.logits - theirs.logits).abs().max():.1e}")
print(f"largest difference of a gradient: {apart:.1e}")
assert torch.allclose(ours.logits, theirs.logits, atol=1e-4)
assert apart < 1e-5

# %% [markdown]
# ## 4. Full, LoRA, QLoRA
#
# Now the experiment. Same examples, same order, same number of steps, three methods.
#
# One thing must not be the same: the **learning rate**. LoRA wants a much higher one. A comparison
# with one rate for all would only show whom the rate suits. So first each method gets its own,
# found on questions that are neither trained on nor used for the result. QLoRA takes LoRA's.
#
# One thing more. LoRA freezes the embedding, and our base has never met the three chat tokens:
# their rows mean nothing. `ift.sft` finds such rows and trains them along with the adapters. The
# last of the silent failures shows what happens otherwise.

# %%
from ift_course.training.adapter import Adapter, undertrained_tokens
from ift_course.training.sft import default_learning_rate

adapter = Adapter(rank=8)
unmet = undertrained_tokens(base, tokenizer, batch["input_ids"].flatten().tolist())
print("never met in pretraining:", tokenizer.convert_ids_to_tokens(unmet))


def tune(method: str, seed: int, examples, rate: float, **options):
    """A tuned copy of the base, and what it cost."""
    model, tokenizer = ift.load("base", four_bit=method == "qlora")
    options = {"method": method, "adapter": adapter, "optimizer": profile.optimizer} | options
    return ift.sft(
        model,
        tokenizer,
        ift.to_records(examples),
        seed=seed,
        learning_rate=rate,
        epochs=profile.epochs,
        max_length=profile.max_length,
        batch_size=profile.batch_size,
        gradient_accumulation=profile.gradient_accumulation,
        gradient_checkpointing=profile.gradient_checkpointing,
        progress=False,
        **options,
    )


seeds = profile.seeds
few = ift.sample(many // 2, seed=90 + seeds[0], tasks=FACT_TASKS)
tries = ift.sample(profile.eval_examples // 4, seed=91 + seeds[0], tasks=FACT_TASKS)
factors = [0.25, 1.0, 4.0]
size = base.num_parameters()
rates = {m: [f * default_learning_rate(size, m) for f in factors] for m in ("full", "lora")}


def tried(seed: int, method: str, rates: list[float]) -> list[float]:
    """How much a method learns from few examples at each rate."""
    models = (tune(method, seed, few, rate).model for rate in rates)
    return [ift.score(model, tokenizer, tries).accuracy for model in models]


accuracies = {}
for method, grid in rates.items():
    [accuracies[method]] = ift.each_seed(
        tried, [9 + seeds[0]], method=method, rates=grid, now=method == "lora"
    )
best = {m: rates[m][max(range(3), key=lambda i, m=m: accuracies[m][i])] for m in rates}
best["qlora"] = best["lora"]
for method, grid in rates.items():
    numbers = "   ".join(f"{r:.1e}: {a:.2f}" for r, a in zip(grid, accuracies[method], strict=True))
    print(f"{method:5} {numbers}   → {best[method]:.1e}")

# %% [markdown]
# Three seeds, each with its own examples and its own questions about things no example mentions.
# `ift.each_seed` runs the first now. What the function gave for the others is stored; change it,
# and all of them are run.

# %%
from itertools import chain
from pathlib import Path
from statistics import fmean
from tempfile import TemporaryDirectory

from ift_course.models.lora_adapters import size_mb
from ift_course.models.save import save

methods = ("full", "lora", "qlora")
n_questions = profile.eval_examples // 2
tests = {
    seed: ift.sample(n_questions, seed=100 + seed, split="test", tasks=FACT_TASKS) for seed in seeds
}
runs = {}


def compared(seed: int, method: str, rate: float) -> dict:
    """What one run gets right, how long it took, and what there is to save of it, in MB."""
    run = tune(method, seed, ift.sample(many, seed=seed, tasks=FACT_TASKS), rate)
    right = ift.score(run.model, tokenizer, tests[seed]).items
    result = {"right": right, "seconds": run.seconds}
    if method == "full":
        return result
    runs[method, seed] = run
    with TemporaryDirectory() as place:
        return result | {"MB": size_mb(save(run.model, tokenizer, Path(place) / "adapter"))}


measured = {m: ift.each_seed(compared, seeds, method=m, rate=best[m]) for m in methods}
scores = {method: [run["right"] for run in of_seeds] for method, of_seeds in measured.items()}
print({m: [f"{sum(right) / len(right):.3f}" for right in seeds_] for m, seeds_ in scores.items()})

# %%
ift.charts.bars_with_intervals(
    scores,
    title="Held-out questions after full tuning, LoRA and QLoRA",
)

# %% [markdown]
# ### What each costs
#
# We take one training step of each method and ask PyTorch's allocator for the most it held. That is
# weights, gradients, the optimizer's two moments, activations and logits, and nothing else.

# %%
from ift_course.memory.measure import peak_bytes


def start(method: str):
    """A model and its optimizer, ready for a step."""
    model = copy.deepcopy(base)
    if method == "qlora":
        to_four_bit(model)
    if method != "full":
        with quiet():
            model = get_peft_model(model, adapter.config(model, unmet))
        float_adapters(model)
    return model.train(), torch.optim.AdamW([p for p in model.parameters() if p.requires_grad])


def step(state):
    model, optimizer = state
    model(**batch).loss.backward()
    optimizer.step()
    optimizer.zero_grad()
    return state


costs = {}
for method in methods:
    model, optimizer = step(start(method))
    costs[method] = {
        "trained": sum(p.numel() for p in model.parameters() if p.requires_grad),
        "optimizer": sum(t.nbytes for s in optimizer.state.values() for t in s.values()),
        "peak": peak_bytes(lambda method=method: step(start(method)), step),
        "seconds": measured[method][0]["seconds"],  # the one that ran on this machine
    }
print("         trained numbers   optimizer   peak of a step   seconds a run   accuracy")
for method, cost in costs.items():
    accuracy = fmean(chain(*scores[method]))
    print(f"{method:8} {cost['trained']:15,}   {cost['optimizer'] / 1e6:6.1f} MB   "
          f"{cost['peak'] / 1e6:11.1f} MB   {cost['seconds']:13.1f}   {accuracy:8.3f}")  # fmt: skip

# %% [markdown]
# Look at three things. The optimizer's state shrinks with the trained numbers, and with it most of
# the gradients. The peak shrinks less, because activations and logits do not care what is trained.
# And the time hardly changes: the forward pass and most of the backward pass are still the whole
# model. LoRA saves memory, not time.
#
# **Claim: QLoRA comes close to full tuning.** Dettmers et al. find no difference. We call it close
# if full tuning is surely less than 8 points better. (We first asked for 5. QLoRA was even a little
# better in all of four runs with three seeds each, but in one the interval reached past 5:
# [all numbers](../docs/claims.md).)

# %%
part = costs["qlora"]["peak"] / costs["full"]["peak"]
close = ift.claim(
    "04.qlora-close-to-full",
    f"QLoRA comes within 8 points of full tuning at {part:.0%} of a training step's memory.",
    subject=9,
    literature="QLoRA reaches the performance of full fine-tuning at a fraction of the memory.",
    source="Dettmers et al. 2023 (QLoRA), arXiv:2305.14314, section 4",
    metric="strict accuracy on held-out entities, full minus QLoRA",
    arms=scores,
    effect=("full", "qlora"),
    at_most=0.08,
)

# %% [markdown]
# Is it within 2 points? Three seeds are too few to say such a thing with certainty. The interval
# tells what can be said:

# %%
low, high = close.interval
print(f"full minus QLoRA: {close.effect:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}: "
      f"{'surely' if high <= 0.02 else 'not surely'} within 2 points")  # fmt: skip

# %% [markdown]
# ### How much rank, and where?
#
# LoRA has two knobs of its own: the rank, and which matrices get a detour. We turn each on few
# examples, where differences show. A detour of higher rank moves the weights further in one step,
# so a rate that suits rank 8 can wreck rank 32. Kalajdzievski (2023) keeps them comparable with a
# scale that falls as $1 / \sqrt{r}$, and so do we here.

# %%
attention = ("q_proj", "v_proj")


def of_rank(rank: int, **options) -> Adapter:
    """An adapter whose scale is 2 at rank 8 and falls with the root of the rank."""
    return Adapter(rank=rank, alpha=2 * (8 * rank) ** 0.5, **options)


knobs = {
    "all matrices, rank 1": {"rank": 1},
    "all matrices, rank 8": {"rank": 8},
    "all matrices, rank 32": {"rank": 32},
    "queries and values, rank 32": {"rank": 32, "targets": attention},
}


def turned(seed: int, rate: float, **knob) -> dict:
    """What a model with such an adapter gets right, and how many numbers were trained."""
    fewer = ift.sample(many // 2, seed=seed, tasks=FACT_TASKS)
    model = tune("lora", seed, fewer, rate, adapter=of_rank(**knob)).model
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    with quiet():
        whole = model.merge_and_unload()  # answers faster
    return {"right": ift.score(whole, tokenizer, tests[seed][:100]).items, "numbers": count}


sweep = {}
for name, knob in knobs.items():
    runs_of_knob = ift.each_seed(turned, seeds, rate=best["lora"], now=knob["rank"] == 8, **knob)
    print(f"{name:28} {runs_of_knob[0]['numbers']:10,} numbers trained")
    sweep[name] = [run["right"] for run in runs_of_knob]

# %%
ift.charts.bars_with_intervals(sweep, title=f"{many // 2} examples, different adapters")

# %% [markdown]
# ## 5. Will it fit on my card?
#
# Count before you run. A training step holds weights, gradients, optimizer state, activations and
# logits; `estimate_memory` adds them up for real models. First, does it count right? Predicted
# against what we measured above:

# %%
from ift_course.memory import GB, estimate_memory
from ift_course.models.load import base_folder

rows_of, tokens = batch["input_ids"].shape
for method in methods:
    sum_of = estimate_memory(
        base_folder(profile), method, seq=tokens, batch=rows_of, rank=adapter.rank,
        precision="fp32", checkpointing=False, adapter_bytes=4,
    )  # fmt: skip
    print(f"{method:6} predicted {sum_of.allocated / 1e6:7.1f} MB   "
          f"measured {costs[method]['peak'] / 1e6:7.1f} MB")  # fmt: skip

# %% [markdown]
# Both adapters miss a few MB: to train three rows of the embedding, PEFT makes a copy of it.
#
# And now a real one: 8 billion parameters, 2,048 tokens, one row at a time.

# %%
from ift_course.plots.memory_bars import show_memory

options = {"seq": 2048, "batch": 1, "checkpointing": True}
bars = {
    "LoRA": estimate_memory("Llama-3.1-8B", "lora", **options),
    "QLoRA": estimate_memory("Llama-3.1-8B", "qlora", adapter_bytes=4, **options),
    "QLoRA, no checkpointing": estimate_memory(
        "Llama-3.1-8B", "qlora", adapter_bytes=4, **options | {"checkpointing": False}
    ),
    "QLoRA, 4 rows": estimate_memory(
        "Llama-3.1-8B", "qlora", adapter_bytes=4, **options | {"batch": 4}
    ),
}
print(f"full tuning: {estimate_memory('Llama-3.1-8B', 'full', **options).total / GB:.0f} GB")
show_memory(bars, title="Llama-3.1-8B, 2,048 tokens", gpu_gb=24)

# %% [markdown]
# What surprises people is the piece called logits. A vocabulary of 128,256 times 2,048 tokens is a
# quarter of a billion numbers, in float32, and more than once. Gradient checkpointing does not help
# there: it drops the activations between layers and computes them a second time.
#
# Which models fit which card, then?

# %%
for name in ("SmolLM2-1.7B", "Llama-3.2-1B", "Llama-3.2-3B", "Llama-3.1-8B"):
    fits = {m: estimate_memory(name, m, adapter_bytes=None if m == "full" else 4, **options)
            for m in methods}  # fmt: skip
    totals = "   ".join(f"{m} {x.total / GB:5.1f} GB" for m, x in fits.items())
    print(f"{name:14} {totals}")

# %% [markdown]
# On the command line: `ift memory Llama-3.1-8B --method qlora --seq 2048 --gpu 24`. It says what to
# change if the answer is no.
#
# ## 6. On a real card
#
# Everything above runs unchanged on a GPU. `IFT_PROFILE=t4` is for free Colab, `gpu24` for an RTX
# 3090 or 4090. The profile chooses what the hardware asks for:

# %%
from ift_course.models.quantize import compute_dtype
from ift_course.profile import PROFILES

for name in ("t4", "gpu24"):
    card = PROFILES[name]
    print(f"{name:6} {card.base_model}, {card.max_length} tokens, {card.optimizer}, "
          f"checkpointing {'on' if card.gradient_checkpointing else 'off'}, "
          f"{card.batch_size} rows × {card.gradient_accumulation} passes a step")  # fmt: skip
print("4-bit weights are multiplied here in", compute_dtype())

# %% [markdown]
# - **dtype.** A T4 has no bfloat16. PyTorch emulates it there, slowly, and says that it is
#   supported. The course asks the hardware, and takes float16 with loss scaling.
# - **Paged 8-bit AdamW.** The optimizer's moments in 8 bits, moved to the computer's memory when
#   the card is full for a moment.
# - **Gradient checkpointing.** About a third more time for far fewer activations.
# - **Accumulation.** Several small passes make one step. The batch size of the step is theirs
#   together: more rows at the price of time, not memory.
#
# The same as one command, on any model folder or hub id and your own file:
#
# `ift sft --model Qwen/Qwen2.5-0.5B --data my.jsonl --out adapters/mine --method qlora
# --batch-size 4 --accumulation 8 --checkpointing --optimizer paged_adamw_8bit`
#
# ### Cut off
#
# Colab takes the machine away when it likes. With an `output_dir`, `sft` keeps checkpoints, and the
# same call goes on from the last whole one. We pull the plug in the middle of a step.

# %%
import tempfile

from transformers import TrainerCallback

folder = Path(tempfile.mkdtemp())
short = {"output_dir": folder / "run", "max_steps": 12, "checkpoint_steps": 5}


class PulledPlug(TrainerCallback):
    def on_step_begin(self, args, state, control, **kwargs):
        if state.global_step == 8:
            raise KeyboardInterrupt


try:
    tune("qlora", 0, few, best["qlora"], callbacks=[PulledPlug()], **short)
except KeyboardInterrupt:
    print("gone, after 8 of 12 steps; kept:", *(p.name for p in (folder / "run").iterdir()))
resumed = tune("qlora", 0, few, best["qlora"], **short)
whole = tune("qlora", 0, few, best["qlora"], max_steps=12)
print(f"went on from step {resumed.resumed_from}")
print("the same losses as without the break:", resumed.losses == whole.losses)
assert resumed.losses == whole.losses

# %% [markdown]
# Three steps were lost, the ones since the last checkpoint, and nothing else. On Colab, write to a
# mounted drive.
#
# ### Save, merge, reload, chat
#
# What was trained is the adapter. It is small enough to mail. It is worth nothing without its base
# model, whose name it carries.

# %%
adapter_folder = save(runs["qlora", seeds[0]].model, tokenizer, folder / "adapter")
whole_mb = sum(p.numel() * 4 for p in base.parameters()) / 1e6
print(f"adapter {size_mb(adapter_folder):.2f} MB · the whole model in float32 {whole_mb:.1f} MB")

# %% [markdown]
# **Claim: the adapter is small.** Less than a tenth of the model here. For 8 billion parameters it
# would be half a percent, since matrices grow with the square of their side and adapters with the
# side.

# %%
ift.claim(
    "04.adapter-is-small",
    "What QLoRA has to save is less than a tenth of the model.",
    subject=9,
    source="Hu et al. 2021 (LoRA), arXiv:2106.09685, section 4.2",
    metric="size of the adapter on disk / size of the model in the same precision",
    arms={"QLoRA": [run["MB"] / whole_mb for run in measured["qlora"]]},
    effect="QLoRA",
    at_most=0.1,
)

# %% [markdown]
# To use it without PEFT, merge it. Into what? The adapter was trained beside 4-bit weights. But
# adding it to those means rounding the sum to 4 bits again, and the adapter's small changes may not
# survive. So the base is loaded once more in full precision. That is not quite what was trained
# either. What do they cost?

# %%
from ift_course.models.merge import merge

merged = merge(adapter_folder)
ordinary = save(merged.model, merged.tokenizer, folder / "whole")
again, _ = ift.load(ordinary)

with quiet():
    rounded = copy.deepcopy(runs["qlora", seeds[0]].model).merge_and_unload()
after = {
    "base in 4 bits, adapter beside it": fmean(scores["qlora"][0]),
    "merged into full precision, reloaded": ift.score(again, tokenizer, tests[seeds[0]]).accuracy,
    "merged into 4 bits": ift.score(rounded, tokenizer, tests[seeds[0]]).accuracy,
}
for name, accuracy in after.items():
    print(f"{name:38} {accuracy:.3f}")
print(f"merged logits agree to {merged.difference:.0e} of the largest")

# %% [markdown]
# `ift merge adapters/mine --out models/mine` does this, and refuses to write anything when the
# logits do not agree. `ift chat --model` takes either folder.

# %%
ift.playground({"base": (base, tokenizer), "QLoRA, merged": (again, tokenizer)})

# %% [markdown]
# ## 7. Silent failures
#
# ### 1. A and B both zero
#
# Somebody initializes both matrices "to be safe". The gradient of $A$ is a product with $B$, and
# that of $B$ a product with $Ax$. Both are zero, for ever.

# %%


def batches(examples, passes: int = 1):
    """Padded batches in the given order."""
    rows = prepare(tokenizer, ift.to_records(examples), profile.max_length).rows
    size = profile.batch_size
    for _ in range(passes):
        for start in range(0, len(rows), size):
            yield ift.collate(rows[start : start + size], tokenizer.pad_token_id)


for name in ("B zero", "both zero"):
    model = add_lora(copy.deepcopy(base), rank=8, alpha=16, targets=targets)
    if name == "both zero":
        for _, layer in lora_layers(model):
            torch.nn.init.zeros_(layer.A)
    losses = ift.train(model, batches(few, 3), steps=20, learning_rate=best["lora"], warmup=2)
    moved = sum(layer.delta().norm().item() for _, layer in lora_layers(model))
    print(f"{name:10} loss {losses[0]:.3f} → {losses[-1]:.3f}   size of the change {moved:.3f}")

# %% [markdown]
# How to see it: the loss stays where it was, up to the noise of the batches. Look at the norm of
# $BA$ after some steps; `ift merge` says so, too.
#
# ### 2. Alpha forgotten at the merge
#
# Somebody merges by hand, $W + BA$, and forgets $\alpha / r$. Every layer gets half of what it
# learned, or a quarter, or twice as much. Nothing crashes.

# %%
tuned = runs["lora", seeds[0]].model
forgot = copy.deepcopy(tuned)
for module in forgot.modules():
    if isinstance(getattr(module, "scaling", None), dict):  # PEFT's alpha / r, by adapter
        module.scaling = dict.fromkeys(module.scaling, 1.0)
with quiet():
    right, wrong = copy.deepcopy(tuned).merge_and_unload(), forgot.merge_and_unload()
for name, model in {"beside": tuned, "merged": right, "merged without alpha": wrong}.items():
    with torch.no_grad():
        apart = (model(**batch).logits - tuned(**batch).logits).abs().max().item()
    accuracy = ift.score(model, tokenizer, tests[seeds[0]]).accuracy
    print(f"{name:22} accuracy {accuracy:.3f}   logits differ by up to {apart:.1e}")

# %% [markdown]
# How to see it: compare logits before and after the merge, always. Do not trust the accuracy alone.
# Whatever it says here, this is not the model that was tuned.
#
# ### 3. Evaluated, then trained
#
# On processors with AVX512_BF16, bitsandbytes (0.50) has a fast kernel for evaluation. The first
# forward pass in eval mode repacks the weights for it. That kernel has no backward pass. From then
# on, in training too, the gradient does not go through the 4-bit layers. The adapters get what
# leaks around them, along the residual connections. The loss still falls.
#
# `ift_course/models/quantize.py` switches this off, in `patch_bitsandbytes`. Here it is switched
# on again, where the processor has it. Where it does not, we cut the gradient at the same place
# ourselves.

# %%
with quiet():
    from bitsandbytes.nn import Linear4bit

has_it = bool(bnb.has_avx512bf16())


def without_gradient(module, inputs):
    """What is computed from such inputs has no backward pass, as with the fast kernel."""
    return tuple(x.detach() for x in inputs)


def four_bit_model(mended: bool):
    """The base in 4 bits with adapters, evaluated once."""
    torch.manual_seed(0)
    model, _ = start("qlora")
    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = has_it and not mended
            if not (has_it or mended):
                module.register_forward_pre_hook(without_gradient)
    with torch.no_grad():
        model.eval()(**batch)
    return model.train()


def gradients(model) -> dict[str, torch.Tensor]:
    torch.manual_seed(1)
    for name, parameter in model.named_parameters():
        if "lora_B" in name:
            parameter.data.normal_(std=0.02)
    with quiet():
        model(**batch).loss.backward()
    return {n: torch.zeros_like(p) if p.grad is None else p.grad
            for n, p in model.named_parameters() if p.requires_grad}  # fmt: skip


good, bad = gradients(four_bit_model(True)), gradients(four_bit_model(False))
depth = base.config.num_hidden_layers
print("this processor has AVX512_BF16:", has_it)
for number in range(0, depth, max(1, depth // 6)):
    names = [n for n in good if f"layers.{number}." in n]
    size = torch.cat([good[n].flatten() for n in names])
    lost = torch.cat([(bad[n] - good[n]).flatten() for n in names])
    print(f"layer {number:2}: gradients are off by {lost.norm() / size.norm():.0%}")

# %%
passes = round(profile.epochs)
for name, mended in {"as it should": True, "gradients lost": False}.items():
    model = four_bit_model(mended)
    with quiet():
        losses = ift.train(
            model, batches(examples, passes), steps=passes * many // profile.batch_size,
            learning_rate=best["qlora"], warmup=2,
        )  # fmt: skip
        accuracy = ift.score(model, tokenizer, tests[seeds[0]]).accuracy
    print(f"{name:15} loss {losses[0]:.2f} → {losses[-1]:.2f}   accuracy {accuracy:.3f}")

# %% [markdown]
# How to see it: compute the gradients of one batch before and after an evaluation. They must be
# equal. The rule behind it: a kernel made for inference may have no gradient. Test it on the
# machine you train on.
#
# ### 4. Adapters in bfloat16
#
# A bfloat16 has 8 significant bits. Next to 1 it knows 1.0078 and nothing between. A smaller step
# is not made smaller. It is not made.

# %%
one = torch.tensor(1.0, dtype=torch.bfloat16)
print("1 + 0.003 in bfloat16:", (one + 0.003).item())

# %% [markdown]
# TRL (1.16) turns the adapters of a quantized model to bfloat16 without a word, as the paper did.
# `ift.sft` turns them back to float32: they are a small part of the memory. What does it matter? We
# go on training a tuned model for one pass, at learning rates that get smaller, and count the
# numbers that are the same at the end as at the beginning.

# %%
for factor in (1, 1 / 10, 1 / 100):
    unmoved = {}
    for dtype in (torch.float32, torch.bfloat16):
        model = copy.deepcopy(runs["qlora", seeds[0]].model)
        adapters = [p for p in model.parameters() if p.requires_grad]
        for parameter in adapters:
            parameter.data = parameter.data.to(dtype)
        before = [p.detach().clone() for p in adapters]
        ift.train(model, batches(few), steps=10_000, learning_rate=factor * best["qlora"])
        same = sum((p == old).sum().item() for p, old in zip(adapters, before, strict=True))
        unmoved[dtype] = same / sum(p.numel() for p in adapters)
    shares = " · ".join(f"{str(dtype)[6:]} {share:.0%}" for dtype, share in unmoved.items())
    print(f"rate {factor * best['qlora']:.0e}: never moved: {shares}")

# %% [markdown]
# How to see it: count as above. The loss of a short run hardly shows it. Rates are this small for
# large models, and at the end of every schedule.
#
# ### 5. The head left untrained after adding tokens
#
# A base model that never chatted has no token for the end of a turn, or one that it never met. One
# adds it, and the embedding gets a row of random numbers. LoRA freezes the embedding and the head,
# so the row stays as it is. The model is asked to produce a token that it cannot tell from its
# neighbors. Here is the same run, once with the rows of the chat tokens trained and once without.


# %%
def with_and_without_rows(seed: int, rate: float) -> dict[str, dict]:
    """The losses of two runs, what they get right, and how often they end their turn."""
    results = {}
    for name, tokens in {"rows trained": unmet, "rows frozen": []}.items():
        torch.manual_seed(seed)
        model = copy.deepcopy(base)
        with quiet():
            model = get_peft_model(model, adapter.config(model, tokens))
        steps = passes * len(few) // profile.batch_size
        losses = ift.train(model, batches(few, passes), steps=steps, learning_rate=rate, warmup=2)
        scores_of_run = ift.score(model, tokenizer, tests[seeds[0]][:100])
        ended = sum(c.finished for c in scores_of_run.completions) / len(scores_of_run.completions)
        results[name] = {"losses": losses, "accuracy": scores_of_run.accuracy, "ended": ended}
    return results


for rate in rates["lora"][1:]:
    now = rate == rates["lora"][1]
    [runs_at] = ift.each_seed(with_and_without_rows, [0], rate=rate, now=now)
    for name, run in runs_at.items():
        first, last = run["losses"][0], fmean(run["losses"][-5:])
        print(f"rate {rate:.0e}, {name:13} loss {first:.2f} → {last:.2f}   "
              f"accuracy {run['accuracy']:.2f}   ends its turn {run['ended']:.0%}")  # fmt: skip

# %% [markdown]
# With a high rate LoRA may find a way around the frozen rows. Do not count on it.
#
# How to see it: count the answers that end by themselves. TRL warns about it when *it* adds the
# tokens. When you add them, or the base brings them unused, nobody does. Rows that were never met
# can be found: they are parallel to each other, or zero (Land and Bartolo 2024).
#
# ## Exercises
#
# Five functions, checked the moment you write them: LoRA's forward pass, the merge, rounding to 4
# bits, the memory estimate, and whether a run fits on a card.
# [exercises/04_qlora_consumer_gpu.ipynb](../exercises/04_qlora_consumer_gpu.ipynb)
#
# ## Questions

# %%
ift.quiz("04")

# %% [markdown]
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## To read
#
# - Hu et al. 2021, *LoRA: Low-Rank Adaptation of Large Language Models*,
#   [arXiv:2106.09685](https://arxiv.org/abs/2106.09685). Sections 4 and 7.
# - Dettmers et al. 2023, *QLoRA: Efficient Finetuning of Quantized LLMs*,
#   [arXiv:2305.14314](https://arxiv.org/abs/2305.14314). Sections 2 and 3.
# - Dettmers et al. 2022, *8-bit Optimizers via Block-wise Quantization*,
#   [arXiv:2110.02861](https://arxiv.org/abs/2110.02861).
# - Biderman et al. 2024, *LoRA Learns Less and Forgets Less*,
#   [arXiv:2405.09673](https://arxiv.org/abs/2405.09673).
# - Kalajdzievski 2023, *A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA*,
#   [arXiv:2312.03732](https://arxiv.org/abs/2312.03732).
# - Land and Bartolo 2024, *Fishing for Magikarp: Automatically Detecting Under-trained Tokens in
#   Large Language Models*, [arXiv:2405.05417](https://arxiv.org/abs/2405.05417).
# - Chen et al. 2016, *Training Deep Nets with Sublinear Memory Cost*,
#   [arXiv:1604.06174](https://arxiv.org/abs/1604.06174): checkpointing.
