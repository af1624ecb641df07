# %% [markdown]
# # QLoRA: tuning on a consumer GPU
#
# {{ badge }}
#
# Full fine-tuning of 8 billion parameters takes about 120 GB of GPU memory with float32 weights and
# AdamW. A consumer GPU has 8 to 32 GB. Two ideas close the gap. **LoRA** freezes each weight matrix
# and trains a low-rank update beside it. **Quantization** stores the frozen matrix in 4 bits per
# weight. Together they are **QLoRA**.
#
# At the end you will be able to
#
# - write a complete QLoRA script with transformers, PEFT, bitsandbytes and TRL;
# - derive the 16 levels of NF4, and reproduce the codes of bitsandbytes bit for bit;
# - choose a learning rate and a rank, and say why LoRA needs a higher rate than full fine-tuning;
# - predict whether a run fits on a GPU;
# - resume a run, merge its result, and recognize six failures that raise no error.
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("04")

# %% [markdown]
# ## A real model first
#
# This cell shows Gemma 3 270M untuned, after LoRA, and after QLoRA on 48 examples, and a step's
# peak memory beside its prediction. Guess: do weights in 4 bits instead of 16 cut it to a quarter?

# %%
from ift_course.lessons.real_parts import real_panel

real_panel("04")

# %% [markdown]
# They *raised* it. Only the linear layers are quantized, but 168 of Gemma's 268 million parameters
# are its embedding, and `prepare_model_for_kbit_training` makes that float32. In large models the
# embedding is a small part. (Speeds are those of a busy machine.)
#
# ## 1. The script
#
# The script is **not yet run on a GPU**; here it tunes the course's small base on a CPU. For your
# own run, change the first cell: `name` to the id of a base such as `Qwen/Qwen3-8B-Base`, examples,
# batch size, and `folder` to a place that outlives the machine, on Colab your Drive.

# %%
import tempfile
import warnings
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
from trl import SFTConfig, SFTTrainer  # trains; PEFT adds adapters, bitsandbytes the 4 bits

from ift_course.lessons.lesson_04 import experiment, figures

warnings.simplefilter("ignore", FutureWarning)  # PEFT and TRL use old names of transformers
seeds, (base, tokenizer) = profile.seeds, ift.load("base")


def as_row(example):
    question = f"{example.instruction} {example.input}".strip()
    return {"prompt": f"Question: {question}\nAnswer:", "completion": f" {example.response}"}


name = base.name_or_path  # a folder, or an id on the Hub
folder = Path(tempfile.mkdtemp())  # on Colab Path("/content/drive/MyDrive/qlora")
rows = [as_row(example) for example in experiment.examples(160, seed=seeds[0])]
# About other entities; the base has read these facts, and tuning teaches it to answer.
held_out = [as_row(example) for example in experiment.questions(10, seed=7)]
batch_size = 16  # 1 for an 8B model; then 16 micro-batches make a step
rows[0]

# %%
on_gpu = torch.cuda.is_available()
has_bf16 = on_gpu and torch.cuda.is_bf16_supported(including_emulation=False)  # not on a T4
dtype = torch.bfloat16 if has_bf16 else torch.float16 if on_gpu else torch.float32
four_bits = BitsAndBytesConfig(
    load_in_4bit=True,
    bnb_4bit_quant_type="nf4",
    bnb_4bit_use_double_quant=True,
    bnb_4bit_compute_dtype=dtype,
)


def make_trainer(output_dir):
    """TRL's trainer of new adapters on the base in 4 bits."""
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_pretrained(name, dtype=dtype, quantization_config=four_bits)
    for module in model.modules():  # on CPUs, bitsandbytes would evaluate without a backward pass
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
    model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=on_gpu)
    trainer = SFTTrainer(
        model=model,
        processing_class=AutoTokenizer.from_pretrained(name),
        train_dataset=Dataset.from_list(rows),
        peft_config=LoraConfig(
            task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear"
        ),
        args=SFTConfig(
            output_dir=str(output_dir),
            num_train_epochs=4,
            per_device_train_batch_size=batch_size,
            gradient_accumulation_steps=16 // batch_size,
            learning_rate=2e-4 if model.num_parameters() > 5e8 else 3e-3,
            lr_scheduler_type="cosine",
            warmup_steps=0.1,  # below 1: a share of all steps
            max_length=256,
            bf16=has_bf16,
            fp16=on_gpu and not has_bf16,
            use_cpu=not on_gpu,
            gradient_checkpointing=on_gpu,
            optim="paged_adamw_8bit" if on_gpu else "adamw_torch",
            logging_steps=10,
            save_strategy="steps",
            save_steps=10,
            save_total_limit=2,
            report_to="none",
            disable_tqdm=True,
        ),
    )
    for parameter in trainer.model.parameters():
        if parameter.requires_grad:  # TRL casts adapters to bfloat16, see failure 6
            parameter.data = parameter.data.float()
    return trainer


def answer(model):
    """What the model writes after each held-out prompt."""
    replies = []
    for row in held_out:
        inputs = tokenizer(row["prompt"], return_tensors="pt").to(model.device)
        with torch.no_grad():
            output = model.eval().generate(**inputs, max_new_tokens=16, do_sample=False)
        ids = output[0, inputs["input_ids"].shape[1] :]
        replies.append(tokenizer.decode(ids, skip_special_tokens=True))
    return replies


trainer = make_trainer(folder / "run")
before = answer(trainer.model)
trainer.train()
tuned = trainer.model
after = answer(tuned)

# %% [markdown]
# TRL trains on the completion and on the end-of-text token that it appends.
#
# Save the adapter, and merge it into the base, loaded again in bfloat16 on the CPU: 16 GB of main
# memory for 8 billion parameters, more than Colab's free machines have.

# %%
for row, first, reply in list(zip(held_out, before, after, strict=True))[:3]:
    question = row["prompt"].splitlines()[0]
    print(f"{question}\n  expected:{row['completion']} | before:{first!r} | after:{reply!r}")
for moment, replies in {"before": before, "after": after}.items():
    expected = [row["completion"].strip() for row in held_out]
    lines = [(reply.strip().splitlines() or [""])[0] for reply in replies]
    n_lines = sum(map(str.__eq__, lines, expected))
    n_whole = sum(reply.strip() == text for reply, text in zip(replies, expected, strict=True))
    print(f"{moment}: first line right {n_lines} of {len(held_out)}, whole reply right {n_whole}")

trainer.save_model(folder / "adapter")
whole = AutoModelForCausalLM.from_pretrained(name, dtype=torch.bfloat16)
merged = PeftModel.from_pretrained(whole, folder / "adapter").merge_and_unload()
merged.save_pretrained(folder / "merged")
tokenizer.save_pretrained(folder / "merged")

n_bytes = (folder / "adapter" / "adapter_model.safetensors").stat().st_size
share = n_bytes / (4 * whole.num_parameters())
print(f"adapter: {n_bytes / 1e6:.1f} MB, {share:.1%} of the model in the same precision")
assert share < 0.1

# %% [markdown]
# ## 2. LoRA by hand
#
# Tuning changes a weight matrix $W$ into $W + \Delta W$. Hu et al. (2021) found that a $\Delta W$
# of low *rank* does nearly as well: the product of a tall matrix $B$ with $r$ columns and a flat
# matrix $A$ with $r$ rows.
#
# $$ y = W x + \frac{\alpha}{r} \, B A \, x $$
#
# $B$ starts at zero, so that the model starts out unchanged. $BA$ is a sum of $r$ rank-one updates,
# and $1/r$ makes it their mean, so the first step has about the same size at every rank; $\alpha$
# sets that size.

# %%
torch.manual_seed(0)
W, A, B, x = torch.randn(4, 6), torch.randn(1, 6), torch.randn(4, 1), torch.randn(3, 6)
alpha, rank = 2, 1
by_hand = x @ W.T + alpha / rank * (x @ A.T @ B.T)

toy = torch.nn.Sequential(torch.nn.Linear(6, 4, bias=False))
toy = get_peft_model(toy, LoraConfig(r=rank, lora_alpha=alpha, target_modules=["0"]))
layer = toy.base_model.model[0]
print("B starts at zero:", not layer.lora_B["default"].weight.any())
layer.base_layer.weight.data, layer.lora_A["default"].weight.data = W.clone(), A
layer.lora_B["default"].weight.data = B
assert torch.allclose(by_hand, toy(x), atol=1e-5)
layer.merge()
assert torch.allclose(layer.base_layer.weight, W + alpha / rank * B @ A, atol=1e-5)
assert torch.allclose(by_hand, toy(x), atol=1e-5)
n_trained = A.numel() + B.numel()
figures.show_low_rank_update(
    W, A, B, alpha / rank, title=f"{W.numel()} weights get an update from {n_trained} parameters"
)

# %% [markdown]
# ## 3. NF4 by hand
#
# The frozen matrix can be rough, because the adapters are trained on top of its rounding error. 4
# bits allow 16 values. The plain way divides by the largest weight and rounds to even levels, here
# 15, from −7 to 7. Watch what an outlier does.

# %%
weights = torch.tensor([0.11, -0.04, 0.02, -0.16, 0.07, -0.01, 0.05, 0.03])
for outlier in (-0.16, -1.6):
    weights[3] = outlier
    scale = weights.abs().max()
    restored = (weights / scale * 7).round() / 7 * scale + 0.0  # no minus zero
    print("weights ", " ".join(f"{w:+.2f}" for w in weights.tolist()))
    print("restored", " ".join(f"{w:+.2f}" for w in restored.tolist()))

# %% [markdown]
# Therefore every **block** of 64 weights gets its own scale, and the **levels** are better. Weights
# are roughly normally distributed, so Dettmers et al. (2023) take the levels from the *quantiles*
# of the normal distribution: zero, 8 above it and 7 below. **Predict**: is each level then used
# equally often? Each block was divided by its own largest weight.

# %%
from bitsandbytes.functional import dequantize_blockwise, get_4bit_type, quantize_4bit
from scipy.stats import norm

# A probability of 1 has no quantile. bitsandbytes stops at the mean of 1 - 1/30 and 1 - 1/32.
outermost = round(1 - (1 / 30 + 1 / 32) / 2, 7)
above = norm.ppf(torch.linspace(outermost, 0.5, 9)[:-1].numpy())
below = -norm.ppf(torch.linspace(outermost, 0.5, 8)[:-1].numpy())
levels = torch.tensor([*below, 0.0, *above]).float().sort().values
levels = levels / levels.max()
assert torch.equal(levels, get_4bit_type("nf4", device="cpu"))

weight = base.model.layers[0].mlp.up_proj.weight.data.float().cpu()
blocks = weight.view(-1, 64)
scaled = blocks * (1 / blocks.abs().amax(dim=1, keepdim=True))
codes = torch.bucketize(scaled, (levels[:-1] + levels[1:]) / 2).flatten()
packed, state = quantize_4bit(weight, quant_type="nf4")
assert torch.equal(packed.flatten(), (codes[::2] << 4 | codes[1::2]).byte())  # two in a byte
usage = codes.bincount(minlength=16) / codes.numel()
print(f"{codes.numel():,} codes equal those of bitsandbytes; use of the levels from -1 to 1:")
print(" ".join(f"{share:.1%}" for share in usage.tolist()))

_, double = quantize_4bit(weight, quant_type="nf4", compress_statistics=True)
scales = {"float32 scales": state.absmax.nbytes,
          "double quantization": double.absmax.nbytes + double.state2.absmax.nbytes}  # fmt: skip
for kind, size in scales.items():
    print(f"{kind}: {8 * (packed.nbytes + size) / weight.numel():.3f} bits per weight")

# %% [markdown]
# They are not: most weights are far below their block's largest, so outer levels are rare (Yoshida
# 2023). **Double quantization** stores the scales in 8 bits (two small tables not counted).
#
# How much do the levels matter? The *relative error* is the norm of the rounding error divided by
# that of the weights. Many formats round to −8 … 7 with a signed scale.

# %%
layers = {
    path.removeprefix("model.layers."): module.weight.data.float().cpu()
    for path, module in base.named_modules()
    if isinstance(module, torch.nn.Linear) and path != "lm_head"
}


def signed(w):
    """The weights with each block's largest one negative, as a signed scale makes it."""
    blocks = w.reshape(-1, 64)
    largest = blocks.gather(1, blocks.abs().argmax(dim=1, keepdim=True))
    return blocks * -largest.sign()


kinds = {"-7 to 7": (layers, torch.arange(-7, 8) / 7),
         "-8 to 7, signed scale": ({k: signed(w) for k, w in layers.items()},
                                   torch.arange(-8, 8) / 8),
         "NF4": (layers, levels)}  # fmt: skip
for kind, (of_layers, of_kind) in kinds.items():
    errors = [figures.relative_error(w, of_kind, 64) for w in of_layers.values()]
    print(f"mean relative error, {kind}: {sum(errors) / len(errors):.4f}")
figures.explore_levels({f"layer {path}": w for path, w in list(layers.items())[:7]})

# %% [markdown]
# ## 4. QLoRA: both at once
#
# The forward pass dequantizes a layer's weights, uses them, and throws them away. The backward pass
# sends the gradient *through* them.

# %%
figures.data_flow()

# %% [markdown]
# The same as matrix products, beside a layer that the script has trained:

# %%
layer = tuned.base_model.model.model.layers[0].mlp.up_proj
stored = layer.base_layer.weight
state = stored.quant_state
codes = torch.stack([stored.data >> 4, stored.data & 15], dim=-1).flatten().long()
scales = dequantize_blockwise(state.absmax, state.state2) + state.offset  # double quantization
W = (levels.to(codes.device)[codes].view(-1, 64) * scales[:, None]).view(state.shape).to(dtype)
A, B, s = layer.lora_A["default"].weight, layer.lora_B["default"].weight, layer.scaling["default"]
x = torch.randn(5, W.shape[1], device=W.device, dtype=dtype, requires_grad=True)
G = torch.ones(5, W.shape[0], device=W.device, dtype=dtype)  # the gradient of the sum of y
by_hand = {
    "y": x @ W.T + s * (x.to(A.dtype) @ A.T @ B.T),
    "gradient of x": G @ W + s * (G.to(A.dtype) @ B @ A),
    "gradient of A": s * (G.to(A.dtype) @ B).T @ x.to(A.dtype),
    "gradient of B": s * G.to(A.dtype).T @ (x.to(A.dtype) @ A.T),
}
y = layer(x)
theirs = [y, *torch.autograd.grad(y.sum(), [x, A, B])]
for (what, ours), other in zip(by_hand.items(), theirs, strict=True):
    difference = ((ours - other).abs().max() / other.abs().max()).item()
    print(f"{what:14} differs by {difference:.0e} of its largest entry")
    assert difference < (1e-4 if dtype == torch.float32 else 5e-2)
print(f"the 4-bit weight is {stored.dtype} and gets a gradient: {stored.requires_grad}")

# %% [markdown]
# **Predict**: rank 8 trains about 4 % of this model's parameters. What share of full fine-tuning's
# arithmetic does a LoRA step need: 4 %, a third, two thirds, or all of it?

# %%
many = min(profile.examples, 160)
batch = next(experiment.batches(tokenizer, experiment.examples(many, seeds[0]), size=16))
costs = {m: experiment.step_cost(base, tokenizer, batch, m) for m in ("full", "lora", "qlora")}
print("         trained   operations   peak measured   predicted   of it activations and logits")
for method, cost in costs.items():
    print(f"{method:6} {cost.trained:9,}   {cost.flops / costs['full'].flops:10.0%}   "
          f"{cost.peak / 1e6:10.1f} MB   {cost.predicted / 1e6:6.1f} MB   "
          f"{cost.activations / 1e6:6.1f} MB")  # fmt: skip

# %% [markdown]
# A training step multiplies with each matrix three times: in the forward pass, for the gradient of
# the layer's input, and for the gradient of the weight. A frozen matrix skips the third; the
# adapters add a little. QLoRA also dequantizes, which on a GPU makes its steps slower than LoRA's.
#
# Gradients and optimizer state shrink with the trained parameters; activations and logits stay.
# With adapters, the measured peak is a few MB above the prediction, mostly because PEFT copies the
# embedding to train rows of it.

# %%
ift.quiz("04", "lora-memory", "nf4-or-int4")

# %% [markdown]
# ## 5. Learning rate and rank
#
# From here on, examples are in chat format. Its special tokens are new to the base, so `ift.sft`
# trains their embedding rows too. `ift.load` with `four_bit=True` is the script's
# `from_pretrained`: the assertion compares all that is stored.


# %%
def tune(method, seed, examples, rate, rank=8, **options):
    """A tuned copy of the base, and what it cost."""
    model, tokenizer = ift.load("base", four_bit=method == "qlora")
    return ift.sft(
        model,
        tokenizer,
        ift.to_records(examples),
        method=method,
        adapter=experiment.adapter(rank),
        learning_rate=rate,
        seed=seed,
        epochs=profile.epochs,
        max_length=profile.max_length,
        batch_size=profile.batch_size,
        gradient_accumulation=profile.gradient_accumulation,
        gradient_checkpointing=profile.gradient_checkpointing,
        optimizer=profile.optimizer,
        progress=False,
        **options,
    )


fresh = AutoModelForCausalLM.from_pretrained(name, dtype=dtype, quantization_config=four_bits)
ours, theirs = ift.load("base", four_bit=True)[0].state_dict(), fresh.state_dict()
assert any("nested_absmax" in key for key in ours) and ours.keys() == theirs.keys()
assert all(torch.equal(ours[key], theirs[key]) for key in ours)

# %% [markdown]
# For billions of parameters, people start from 2e-4 for LoRA and 2e-5 for full fine-tuning; small
# models need more. Schulman et al. (2025) find LoRA's best rate about ten times that of full
# fine-tuning, more in short runs, and nearly the same for all ranks at fixed $\alpha$ (32 here).
#
# Why higher? A step of AdamW moves every trained parameter by about the rate, in full fine-tuning
# each entry of $W$. In LoRA it first moves $B$ away from zero, and $W$ only by that times
# $\alpha/r$ and the small entries of $A$.
#
# **Predict** the four curves: where is the highest point of each, and does rank 64 beat rank 1?

# %%
RATES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
few = many // 2


def sweep(seed, rank):
    """For each rate, 1 or 0 for each of 100 questions; rank 0 is full fine-tuning."""
    questions = experiment.examples(100, seed=500 + seed)
    items = []
    for rate in RATES:
        method = "lora" if rank else "full"
        examples = experiment.examples(few, seed=400 + seed)
        model = tune(method, seed, examples, rate, rank or 8).model
        model = model.merge_and_unload() if rank else model  # answers faster
        items.append(ift.score(model, tokenizer, questions).items)
    return items


arms, asked = {}, {}
for seed in seeds:  # some of the questions are asked by a training example, too
    facts = {(x.task, x.entity) for x in experiment.examples(few, seed=400 + seed)}
    chosen = experiment.examples(100, seed=500 + seed)
    asked[seed] = [i for i, x in enumerate(chosen) if (x.task, x.entity) not in facts]
n_questions = min(map(len, asked.values()))
print("left out, because a training example asks the same:",
      ", ".join(f"{100 - len(kept)} of 100" for kept in asked.values()))  # fmt: skip
for arm, rank in {"full": 0, "LoRA r=1": 1, "LoRA r=8": 8, "LoRA r=64": 64}.items():
    of_seeds = zip(seeds, ift.each_seed(sweep, seeds, now=0, rank=rank), strict=True)
    new = [[[row[i] for i in asked[seed][:n_questions]] for row in grid] for seed, grid in of_seeds]
    arms[arm] = list(zip(*new, strict=True))
best = {arm: figures.best_rate(RATES, scores) for arm, scores in arms.items()}
figures.rate_sweep(RATES, arms, n_examples=few)

# %%
full_rate, lora_rate = best["full"], best["LoRA r=8"]


def point(arm, above=0):
    """An arm's scores at its highest point, or at a rate above that."""
    return arms[arm][min(RATES.index(best[arm]) + above, len(RATES) - 1)]


for arm in arms:
    print(f"{arm:9} highest at {best[arm]:g}, {sum(map(sum, point(arm))):.0f} of "
          f"{n_questions * len(seeds)} right; one rate higher "
          f"{experiment.points(point(arm, 1), point(arm))}")  # fmt: skip
ratio, step = lora_rate / full_rate, RATES[2] / RATES[1]
print(f"The highest points of LoRA (r=8) and full fine-tuning are {ratio:.0f} times apart, so "
      f"LoRA's best rate is between about {ratio / step:.0f} and {ratio * step:.0f} times that of "
      "full fine-tuning on this grid.")  # fmt: skip
for first, second in (("LoRA r=8", "full"), ("LoRA r=64", "LoRA r=1")):
    difference = experiment.points(point(first), point(second))
    print(f"{first} − {second}, at the highest points: {difference}")
difference = experiment.points(point("LoRA r=8", 1), point("LoRA r=1", 1))
print(f"LoRA r=8 − LoRA r=1, one rate higher: {difference}")

# %% [markdown]
# In brackets are 95 % intervals of paired differences, optimistic because the points were chosen on
# the same answers. At their highest points, these questions do not separate ranks 64 and 1; one
# rate higher, rank 1 falls far below rank 8. So on 80 easy examples, a higher rank allows a wider
# range of rates, and does not visibly raise the best result.
#
# A rule for the rank: the adapter's capacity must hold what the data teach. Schulman et al. find
# LoRA equal to full fine-tuning until the data exceed it; Biderman et al. (2024) find it clearly
# below in code and math. Start with 16 on all linear layers; double it while that lowers the
# held-out loss.
#
# ## 6. Full, LoRA, QLoRA
#
# Each method gets its highest point on the grid, and QLoRA takes LoRA's. Dettmers et al. (2023)
# match full 16-bit fine-tuning on RoBERTa and T5, and 16-bit LoRA on LLaMA; for their largest
# models they leave parity with full fine-tuning open. Predicted: QLoRA is at most 8 points worse
# than full fine-tuning.

# %%
from ift_course.evaluation.intervals import paired_difference

runs = {}
tests = {seed: experiment.questions(profile.eval_examples // 2, 100 + seed) for seed in seeds}


def compared(seed, method, rate):
    """1 or 0 for each question about entities that no example mentions."""
    run = runs[method, seed] = tune(method, seed, experiment.examples(many, seed), rate)
    return ift.score(run.model, tokenizer, tests[seed]).items


rates = {"full": full_rate, "lora": lora_rate, "qlora": lora_rate}
arms = {m: ift.each_seed(compared, seeds, method=m, rate=rate) for m, rate in rates.items()}
_, (low, high) = paired_difference(arms["qlora"], arms["full"])
higher = "QLoRA" if low > 0 else "full fine-tuning" if high < 0 else ""
ift.claim(
    "04.qlora-close-to-full",
    "QLoRA is at most 8 points worse than full fine-tuning.",
    subject=9,
    literature="QLoRA reaches the performance of 16-bit fine-tuning at a fraction of the memory.",
    source="Dettmers et al. 2023 (QLoRA), arXiv:2305.14314, section 4",
    metric="strict accuracy on held-out entities",
    arms=arms,
    effect=("full", "qlora"),
    at_most=0.08,
    differs=f"Here {higher} scores higher, at rates from a coarse grid." if higher else "",
)
print("QLoRA − LoRA (4 bits alone):", experiment.points(arms["qlora"], arms["lora"]))
print("QLoRA − full:", experiment.points(arms["qlora"], arms["full"]))

# %% [markdown]
# Only the first difference isolates the 4 bits. In the second, full fine-tuning is probably not
# tuned as well: its rate comes from a coarse grid with half as many examples. So few easy examples
# cannot show Biderman et al.'s gap.
#
# ## 7. Will it fit?
#
# A step holds weights, gradients, optimizer state, activations and logits. **Predict** what the
# script needs for 8 billion parameters.

# %%
from ift_course.memory import estimate_memory

llama = "Llama-3.1-8B"
options = {"seq": 2048, "batch": 1, "chunked_loss": True}
paged = {"optimizer": "paged_adamw_8bit"}
script = options | paged | {"float32_vocab": True}
bars = {
    "full: float32, AdamW": estimate_memory(llama, "full", **options),
    "full: bf16, 8-bit AdamW": estimate_memory(
        llama, "full", **options, precision="bf16", optimizer="adamw_8bit"
    ),
    "LoRA: bf16": estimate_memory(llama, "lora", **options | paged),
    "QLoRA: NF4, the rest float32": estimate_memory(llama, "qlora", **script),
    "the same, 4 sequences": estimate_memory(llama, "qlora", **script | {"batch": 4}),
    "the same, all logits at once": estimate_memory(
        llama, "qlora", **script | {"chunked_loss": False}
    ),
}
gigabytes = {arm: bar.total / 2**30 for arm, bar in bars.items()}
full_gb, _, lora_gb, qlora_gb, *_ = gigabytes.values()
shape = bars["LoRA: bf16"].shape
linear, n_vocab = shape.layers * shape.matrix_parameters, shape.vocab_matrices
rest = shape.parameters - linear
adapter = bars["LoRA: bf16"].items["adapters"] / 4
print(f"{shape.parameters / 1e9:.2f} billion parameters, {linear / shape.parameters:.0%} linear; "
      f"adapter of rank 16: {adapter / shape.parameters:.2%}")  # fmt: skip
print(f"full:  {shape.parameters / 1e9:.2f}e9 × (4 weight + 4 gradient + 8 AdamW) bytes = "
      f"{16 * shape.parameters / 2**30:.0f} GB")  # fmt: skip
print(f"QLoRA: {linear / 1e9:.2f}e9 × 4.127 bits + {rest / 1e9:.2f}e9 × 4 bytes + adapter "
      f"{adapter / 1e9:.3f}e9 × (4 weight + 4 gradient) bytes = "
      f"{(linear * 4.127 / 8 + 4 * rest + 8 * adapter) / 2**30:.1f} GB")  # fmt: skip
print(f"with activations, logits and CUDA context the script takes {qlora_gb:.1f} GB; "
      f"{2 * rest / 2**30:.1f} GB of it because prepare_model_for_kbit_training casts embedding "
      "and head to float32")  # fmt: skip
for model_name in ("Llama-3.2-1B", "Qwen3-4B", "Qwen3-8B"):
    print(f"{model_name:13} {estimate_memory(model_name, 'qlora', **script).total / 2**30:4.1f} GB")
figures.show_memory(
    bars,
    title=f"{llama}, 2,048 tokens: float32 fine-tuning takes {full_gb:.0f} GB, the script "
    f"{qlora_gb:.1f} GB",
    gpu_gb=24,
)

# %% [markdown]
# A bar shows the fullest moment: for full fine-tuning the optimizer's step, when the activations
# are gone. Paged optimizer state is not counted. Logits are vocabulary × tokens, and at the peak
# there are three float32 arrays of that size; TRL computes them in chunks (*chunked loss*), as
# Liger's kernel does. **On a
# GPU the count is unchecked**, so keep 10 to 20 % free.
#
# ## 8. On a GPU
#
# - **dtype.** A T4 has no fast bfloat16, so there the script takes float16, which overflows in some
#   models (failure 3).
# - **Paged 8-bit AdamW** moves its moments to main memory when the GPU is full for a moment.
# - **Gradient checkpointing** recomputes activations in one more forward pass: three products
#   become four in full fine-tuning (a third more), two become three with LoRA (half more).
#
# ### Cut off
#
# The script saves a checkpoint every 10 steps. We delete the last one and resume with a new
# trainer.

# %%
import shutil

shutil.rmtree(folder / "run" / "checkpoint-40")
resumed = make_trainer(folder / "run")
resumed.train(resume_from_checkpoint=True)
trained = {k: p for k, p in tuned.named_parameters() if p.requires_grad}
again = dict(resumed.model.named_parameters())
difference = max((again[k] - p).abs().max().item() for k, p in trained.items())
print(f"largest difference from the unbroken run's adapter: {difference:.0e}")
assert difference < (1e-6 if not on_gpu else 1e-2)

# %% [markdown]
# ### Merge
#
# The adapter was trained beside 4-bit weights. It can be merged into the original base, into the
# base *dequantized* from 4 bits (what was trained, up to rounding), or into the 4 bits, which
# rounds once more. One row is a bug: $W + BA$ without $\alpha / r$. **Predict** its accuracy.

# %%
qlora, test = runs["qlora", seeds[0]].model, tests[seeds[0]]
qlora.save_pretrained(folder / "qlora")


def on_base(model=None):
    """The saved adapter beside a base in full precision, a fresh one unless it is given."""
    model = model or AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32)
    return PeftModel.from_pretrained(model.to(base.device), folder / "qlora").eval()


forgot = on_base()
for module in forgot.modules():
    if isinstance(getattr(module, "scaling", None), dict):  # PEFT's alpha / r, by adapter
        module.scaling = dict.fromkeys(module.scaling, 1.0)
beside = on_base()
with torch.no_grad():
    probe = batch["input_ids"].to(base.device)
    before = beside(probe).logits
    whole = beside.merge_and_unload()
    difference = (whole(probe).logits - before).abs().max() / before.abs().max()
print(f"merging into the original base changes its logits by {difference:.0e} of the largest")
assert difference < 1e-4
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    models = {
        "beside 4-bit weights": qlora,
        "merged, original base": whole,
        "merged, dequantized base": on_base(fresh.dequantize(torch.float32)).merge_and_unload(),
        "merged without alpha / r": forgot.merge_and_unload(),
    }
    items = {kind: ift.score(m, tokenizer, test).items for kind, m in models.items()}
    items["merged into 4 bits"] = ift.score(qlora.merge_and_unload(), tokenizer, test).items
reference = items["beside 4-bit weights"]
for kind, right in items.items():
    gap = "" if right is reference else experiment.points([right], [reference])
    print(f"{kind:25} {sum(right) / len(right):.3f}   {gap}")
print(f"PEFT warns: {caught[-1].message}")

# %% [markdown]
# The last column is the difference from the first row. Where the interval includes zero, these
# questions do not separate the two. Compare logits before and after, as `ift merge` does.
#
# ## 9. Silent failures
#
# ### 1. Checkpointing without input gradients
#
# Reentrant checkpointing, PyTorch's older kind, gives a layer gradients only if its *input* needs
# one. A frozen embedding's output does not. transformers 5 avoids this; loops of your own may not.
# Nothing crashes if anything else is trained, here a norm.


# %%
def adapted(**config):
    """The base with fresh adapters."""
    model = AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32)
    config = {"target_modules": "all-linear"} | config
    return get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", r=8, lora_alpha=32, **config))


for needs_input_gradients in (True, False):
    model = adapted().train()
    model.base_model.model.model.norm.weight.requires_grad_(True)
    model.gradient_checkpointing_enable({"use_reentrant": True})
    if not needs_input_gradients:
        model.disable_input_require_grads()
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-3)
    losses = []
    with warnings.catch_warnings(record=True):  # PyTorch does warn, once
        for _ in range(5):
            optimizer.zero_grad()
            loss = model(**batch, use_cache=False).loss
            loss.backward()
            optimizer.step()
            losses.append(f"{loss:.2f}")
    lora = [p for path, p in model.named_parameters() if "lora_" in path]
    n_reached = sum(p.grad is not None for p in lora)
    print(f"input gradients {needs_input_gradients!s:5}: {n_reached} of {len(lora)} adapter "
          f"matrices get a gradient; loss {' '.join(losses)}")  # fmt: skip

# %% [markdown]
# How to see it: count the adapters with a gradient.
#
# ### 2. Wrong target names
#
# PEFT raises an error only if *no* name matches. The second line mixes in a name of GPT-2, the
# third has those of Phi-3.

# %%
for targets in ("all-linear", ["q_proj", "v_proj", "c_proj"],
                ["qkv_proj", "o_proj", "gate_up_proj", "down_proj"]):  # fmt: skip
    model = adapted(target_modules=targets)
    print(f"{len(model.targeted_module_names):2} of {len(layers)} layers adapted by {targets}")

# %% [markdown]
# How to see it: `model.targeted_module_names`.
#
# ### 3. float16 overflows
#
# float16 ends at 65,504. Some models, Gemma 3 among them, have activations beyond that. We give
# ours such activations without changing what it computes: one matrix times $2^{15}$, the next
# divided by it. The second loop trains float16 adapters, where AdamW's `eps` of 1e-8 rounds to 0,
# and 0 / 0 is NaN.

# %%
model = AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32)
mlp = model.model.layers[-1].mlp
mlp.up_proj.weight.data *= 2**15
mlp.down_proj.weight.data /= 2**15
with torch.no_grad():
    for kind in (torch.float32, torch.bfloat16, torch.float16):
        print(f"{kind!s:15} loss {model.to(kind)(**batch).loss:.3f}")

model = adapted().half()
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=3e-3)
losses = []
for _ in range(2):
    optimizer.zero_grad()
    loss = model(**batch).loss
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print("float16 adapters, loss:", losses)

# %% [markdown]
# How to see it: check `torch.isfinite(loss)`. The Trainer's log leaves a NaN loss out, but its
# `grad_norm` shows it. Against overflowing activations use bfloat16, or on a T4 float32 as compute
# dtype. Float32 adapters cure only the NaN.
#
# ### 4. The wrong base
#
# An adapter loads onto any model with the same shapes, such as one that was tuned since, or one
# with the adapter already merged in.

# %%
own = items["merged, original base"]
bases = {"a base tuned in full": runs["full", seeds[0]].model, "a base with it merged": whole}
print(f"its own base           {sum(own) / len(own):.3f}")
for kind, other in bases.items():
    right = ift.score(on_base(other), tokenizer, test).items
    print(f"{kind:22} {sum(right) / len(right):.3f}   {experiment.points([right], [own])}")

# %% [markdown]
# Answers that are only a little worse hide the mistake. How to see it: record a hash of the base's
# weights beside the adapter, as `ift sft` does.
#
# ### 5. Embedding rows frozen, or trained and not saved
#
# The base never met our chat tokens, and LoRA freezes their embedding rows. If you train the
# embedding by hand, PEFT does not save it, unless the vocabulary was resized. The cure is
# `trainable_token_indices`.


# %%
def train(kind=torch.float32, embedding=False, **config):
    """Adapters of that dtype, and the share of their last updates that rounding took away."""
    torch.manual_seed(0)
    model = adapted(**config).to(base.device)
    if embedding:
        model.get_input_embeddings().weight.requires_grad_(True)
    lora = [p for path, p in model.named_parameters() if "lora_" in path]
    rows = [p for path, p in model.named_parameters() if p.requires_grad and "lora_" not in path]
    for parameter in lora:
        parameter.data = parameter.data.to(kind)
    groups = [{"params": lora, "lr": 3e-3}, {"params": rows, "lr": 3e-4}]
    optimizer = torch.optim.AdamW(groups[: 1 + bool(rows)], weight_decay=0.0)
    examples = experiment.examples(many, seeds[0])
    batches = list(experiment.batches(tokenizer, examples, size=16, epochs=4))
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.0, len(batches))
    lost = []
    for inputs in batches:
        optimizer.zero_grad()
        model(**{k: v.to(base.device) for k, v in inputs.items()}).loss.backward()
        old = [p.detach().clone() for p in lora]
        optimizer.step()
        schedule.step()
        lost.append(torch.cat([(p == o).flatten() for p, o in zip(lora, old, strict=True)]))
    return model.eval(), torch.stack(lost[-10:]).float().mean().item()


chat_rows = {"trainable_token_indices": tokenizer.convert_tokens_to_ids(
    ["<|im_start|>", "<|im_end|>"])}  # fmt: skip
for kind, choices in {"frozen": {}, "trained by hand": {"embedding": True},
                      "named": chat_rows}.items():  # fmt: skip
    model, lost_in_float32 = train(**choices)
    model.save_pretrained(folder / "rows")
    again = AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32).to(base.device)
    again = PeftModel.from_pretrained(again, folder / "rows")
    of_float32, after = (ift.score(m, tokenizer, test[:100]).accuracy for m in (model, again))
    print(f"rows {kind:15}  accuracy {of_float32:.2f}, reloaded {after:.2f}")

# %% [markdown]
# How to see it: reload what you saved, and ask the same questions.
#
# ### 6. Adapters in bfloat16
#
# TRL (1.16) casts the adapters of a quantized model to bfloat16, as in the QLoRA paper. bfloat16
# has 8 significant bits, so updates below about 0.2 % of a parameter are lost. We repeat the last
# run of failure 5 and count them in its last ten steps.

# %%
model, lost_in_bfloat16 = train(torch.bfloat16, **chat_rows)
of_bfloat16 = ift.score(model, tokenizer, test[:100]).accuracy
print(f"float32   updates lost: {lost_in_float32:4.0%}  accuracy {of_float32:.2f}")
print(f"bfloat16  updates lost: {lost_in_bfloat16:4.0%}  accuracy {of_bfloat16:.2f}")

# %% [markdown]
# One seed cannot show whether this matters. How to see it: print the dtype of the trained
# parameters.
#
# ## Exercises
#
# Five functions: LoRA's forward pass, the merge, rounding to 4 bits, the memory estimate, and
# whether a run fits.
# [exercises/04_qlora_consumer_gpu.ipynb](../exercises/04_qlora_consumer_gpu.ipynb)
#
# **Do it.** Change the script: rank 1, another model, or your own rows. Predict loss, adapter size
# and memory first.
#
# **Open question.** Your team has one 24 GB GPU, a 14B base and 5,000 conversations. Write half a
# page: method, rank, learning rate, batch, and how you will know that it worked. A good answer
# counts the memory, gives a rate with a reason and a plan to check it, keeps held-out questions and
# a baseline, and names two failures of section 9 with their checks (2 points each).
#
# ## Questions

# %%
ift.quiz("04", "train-four-bits", "rank-of-the-change", "one-gigabyte-short", "one-rate-for-all")

# %% [markdown]
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## To read
#
# - Hu et al. 2021, *LoRA: Low-Rank Adaptation of Large Language Models*,
#   [arXiv:2106.09685](https://arxiv.org/abs/2106.09685). Sections 4 and 7.
# - Dettmers et al. 2023, *QLoRA: Efficient Finetuning of Quantized LLMs*,
#   [arXiv:2305.14314](https://arxiv.org/abs/2305.14314). Sections 2 and 3.
# - Schulman et al. 2025, *LoRA Without Regret*, thinkingmachines.ai/blog/lora.
# - Yoshida 2023, *NF4 Isn't Information Theoretically Optimal (and that's Good)*,
#   [arXiv:2306.06965](https://arxiv.org/abs/2306.06965).
# - Biderman et al. 2024, *LoRA Learns Less and Forgets Less*,
#   [arXiv:2405.09673](https://arxiv.org/abs/2405.09673).
