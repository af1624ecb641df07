# %% [markdown]
# # QLoRA: tuning on a consumer GPU
#
# {{ badge }}
#
# Full fine-tuning of a model with 8 billion parameters takes about 120 GB of GPU memory, and a
# consumer GPU has 8 to 24 GB. Two ideas close the gap. **LoRA** freezes each weight matrix and
# trains a low-rank update beside it. **Quantization** stores the frozen matrix in 4 bits a weight.
# Together they are **QLoRA**.
#
# At the end you will be able to
#
# - write a complete QLoRA script with transformers, PEFT, bitsandbytes and TRL;
# - derive the 16 levels of NF4, and reproduce the codes of bitsandbytes bit for bit;
# - choose a learning rate and a rank, and say why LoRA needs another rate than full fine-tuning;
# - predict whether a run fits on a GPU;
# - resume a run, merge its result, and recognize six failures that raise no error.
#
# What this lesson costs:
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("04")

# %% [markdown]
# ## A real model first
#
# Gemma 3 270M is a real base model. Here it is tuned on 48 examples, with the script of the next
# section. Compare the base's replies with QLoRA's. Then write down a guess: why does storing frozen
# weights in 4 bits instead of 16 not cut the memory to a quarter?

# %%
from ift_course.lessons.real_parts import real_panel

real_panel("04")

# %% [markdown]
# Only the linear layers are quantized, and they hold 100 of its 268 million parameters. The rest is
# the embedding. In Llama-3.1-8B the linear layers hold 87 %.
#
# ## 1. The script
#
# Here is all of it. It runs on a GPU as it stands: set `name` to the id of a base model, such as
# `Qwen/Qwen3-8B-Base`, and `rows` to your examples. Here it runs on the course's small base, on a
# CPU. The examples are prompts with completions, in plain text. TRL trains on the completion and on
# the end-of-text token that it appends.

# %%
import tempfile
import warnings
from pathlib import Path

import torch
from datasets import Dataset
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig
from trl import SFTConfig, SFTTrainer

from ift_course.lessons.lesson_04 import experiment, figures

warnings.simplefilter("ignore", FutureWarning)  # PEFT and TRL use old names of transformers
seeds, folder = profile.seeds, Path(tempfile.mkdtemp())
base, tokenizer = ift.load("base")
name = base.name_or_path  # a folder, or an id on the Hub
rows = []
for example in experiment.examples(160, seed=seeds[0]):
    question = f"{example.instruction} {example.input}".strip()
    row = {"prompt": f"Question: {question}\nAnswer:", "completion": f" {example.response}"}
    rows.append(row)
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
model = AutoModelForCausalLM.from_pretrained(name, dtype=dtype, quantization_config=four_bits)
for module in model.modules():  # for CPUs alone: their kernel for evaluation loses gradients
    if hasattr(module, "support_avx512bf16_for_cpu"):
        module.support_avx512bf16_for_cpu = False
model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=on_gpu)
trainer = SFTTrainer(
    model=model,
    processing_class=AutoTokenizer.from_pretrained(name),
    train_dataset=Dataset.from_list(rows),
    peft_config=LoraConfig(task_type="CAUSAL_LM", r=16, lora_alpha=32, target_modules="all-linear"),
    args=SFTConfig(
        output_dir=str(folder / "run"),
        num_train_epochs=4,
        per_device_train_batch_size=16,
        gradient_accumulation_steps=1,
        learning_rate=3e-3,  # 2e-4 for billions of parameters
        lr_scheduler_type="cosine",
        warmup_steps=0.1,
        max_length=256,
        bf16=has_bf16,
        fp16=on_gpu and not has_bf16,
        use_cpu=not on_gpu,
        gradient_checkpointing=on_gpu,
        optim="paged_adamw_8bit" if on_gpu else "adamw_torch",
        logging_steps=10,
        save_strategy="no",
        report_to="none",
        disable_tqdm=True,
    ),
)
for parameter in trainer.model.parameters():
    if parameter.requires_grad:  # TRL casts them to bfloat16; failure 6 shows what that costs
        parameter.data = parameter.data.float()
result = trainer.train()

# %% [markdown]
# Generate, save the adapter, and merge it into the base, which is loaded again in full precision.

# %%
tuned = trainer.model.eval()
for example in experiment.questions(4, seed=7):  # about entities that no example mentions
    question = f"{example.instruction} {example.input}".strip()
    inputs = tokenizer(f"Question: {question}\nAnswer:", return_tensors="pt").to(tuned.device)
    with torch.no_grad():
        output = tuned.generate(**inputs, max_new_tokens=24, do_sample=False)
    answer = output[0, inputs["input_ids"].shape[1] :]
    print(f"{question} →{tokenizer.decode(answer, skip_special_tokens=True)}")

trainer.save_model(folder / "adapter")
whole = AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32)
merged = PeftModel.from_pretrained(whole, folder / "adapter").merge_and_unload()
merged.save_pretrained(folder / "merged")
tokenizer.save_pretrained(folder / "merged")

n_bytes = (folder / "adapter" / "adapter_model.safetensors").stat().st_size
share = n_bytes / (4 * base.num_parameters())
print(f"adapter: {n_bytes / 1e6:.1f} MB, {share:.1%} of the model in the same precision")
assert share < 0.1

# %% [markdown]
# The rest of the lesson opens these calls one by one.
#
# ## 2. LoRA by hand
#
# Tuning changes a weight matrix $W$ into $W + \Delta W$. Hu et al. (2021) found that a $\Delta W$
# of very low *rank* does nearly as well as a free one. A matrix of rank $r$ is the product of a
# tall matrix $B$ with $r$ columns and a flat matrix $A$ with $r$ rows:
#
# $$ y = W x + \frac{\alpha}{r} \, B A \, x $$
#
# $B$ starts at zero, so that the model starts out unchanged. Here is a layer with 6 inputs and 4
# outputs, by hand and in PEFT, and once more after merging.

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
    W, A, B, alpha / rank, title=f"{W.numel()} parameters change, and {n_trained} are trained"
)

# %% [markdown]
# ## 3. NF4 by hand
#
# The frozen matrix is only read, so it need not be precise. With 4 bits a weight can have 16
# values. The plain way is to divide by the largest weight and to round to evenly spaced levels.
# Watch what a single outlier does.

# %%
weights = torch.tensor([0.11, -0.04, 0.02, -0.16, 0.07, -0.01, 0.05, 0.03])
for outlier in (-0.16, -1.6):
    weights[3] = outlier
    scale = weights.abs().max()
    restored = (weights / scale * 7).round() / 7 * scale + 0
    print("weights ", " ".join(f"{w:+.2f}" for w in weights.tolist()))
    print("restored", " ".join(f"{w:+.2f}" for w in restored.tolist()))

# %% [markdown]
# Therefore every **block** of 64 weights gets a scale of its own. The second idea is **better
# levels**. Weights are roughly normally distributed, so that evenly spaced levels are sparse where
# most weights are. Dettmers et al. (2023) take the levels from the *quantiles* of the normal
# distribution, with zero among them.
#
# **Predict**: is each of the 16 levels then used equally often? Remember that each block was
# divided by its own largest weight.

# %%
from bitsandbytes.functional import dequantize_4bit, get_4bit_type, quantize_4bit
from scipy.stats import norm

outermost = 0.9677083  # a probability of 1 has no quantile, so stop half a step before
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
assert torch.equal(packed.flatten(), (codes[::2] << 4 | codes[1::2]).byte())
usage = codes.bincount(minlength=16) / codes.numel()
print(f"{codes.numel():,} codes equal those of bitsandbytes; "
      f"a level is used for {usage.min():.1%} to {usage.max():.1%} of the weights")  # fmt: skip

_, double = quantize_4bit(weight, quant_type="nf4", compress_statistics=True)
scales = {"float32 scales": state.absmax.nbytes,
          "double quantization": double.absmax.nbytes + double.state2.absmax.nbytes}  # fmt: skip
for kind, size in scales.items():
    print(f"{kind}: {8 * (packed.nbytes + size) / weight.numel():.3f} bits a weight")

# %% [markdown]
# They are not: dividing by the block's largest weight makes the outer levels rare (Yoshida 2023).
# **Double quantization** stores the scales themselves in 8 bits.
#
# How much do the levels matter? Symmetric int4 has 15 levels and NF4 has 16, so the fair comparison
# has 16 even ones, too. Choose a layer and a block size.

# %%
layers = {
    path.removeprefix("model.layers."): module.weight.data.float().cpu()
    for path, module in base.named_modules()
    if isinstance(module, torch.nn.Linear) and path != "lm_head"
}
even = {"15 even levels": torch.arange(-7, 8) / 7, "16 even levels": torch.linspace(-1, 1, 16)}
errors = {
    kind: sum(figures.relative_error(w, of_kind, 64) for w in layers.values()) / len(layers)
    for kind, of_kind in (even | {"NF4": levels}).items()
}
print("mean relative error:", "; ".join(f"{kind} {error:.3f}" for kind, error in errors.items()))
gain = errors["15 even levels"] - errors["NF4"]
extra = errors["15 even levels"] - errors["16 even levels"]
print(f"{extra / gain:.0%} of NF4's advantage over int4 is the sixteenth level")
figures.explore_levels({f"layer {path}": w for path, w in list(layers.items())[:7]})

# %% [markdown]
# ## 4. QLoRA: both at once
#
# The forward pass dequantizes a layer's weights, uses them, and throws them away. The backward pass
# sends the gradient *through* them to the layers below.

# %%
figures.data_flow()

# %% [markdown]
# Compare the drawing with a layer that the script has trained: output and gradients, by hand and in
# the libraries.

# %%
layer = tuned.base_model.model.model.layers[0].mlp.up_proj
stored = layer.base_layer.weight
W = dequantize_4bit(stored.data, stored.quant_state).to(dtype)
A, B = layer.lora_A["default"].weight, layer.lora_B["default"].weight
x = torch.randn(5, W.shape[1], device=W.device, dtype=dtype, requires_grad=True)
by_hand = x @ W.T + layer.scaling["default"] * (x.to(A.dtype) @ A.T @ B.T)
largest_difference = 0.0
for ours, theirs in zip(
    [by_hand, *torch.autograd.grad(by_hand.sum(), [x, A, B])],
    [output := layer(x), *torch.autograd.grad(output.sum(), [x, A, B])],
    strict=True,
):
    difference = (ours - theirs).abs().max() / ours.abs().max()
    largest_difference = max(largest_difference, difference.item())
print(f"largest relative difference of output and gradients: {largest_difference:.0e}")
print(f"the 4-bit weight is {stored.dtype} and gets a gradient: {stored.requires_grad}")
assert largest_difference < (1e-4 if dtype == torch.float32 else 5e-2)

# %% [markdown]
# **Predict**: rank 8 trains about 4 % of this model's parameters. Which share of full fine-tuning's
# arithmetic does a LoRA step need: 4 %, a third, two thirds, or all of it?

# %%
many = min(profile.examples, 160)
batch = next(experiment.batches(tokenizer, experiment.examples(many, seeds[0]), size=16))
costs = {m: experiment.step_cost(base, tokenizer, batch, m) for m in experiment.METHODS}
print("         trained      operations   peak measured   peak predicted")
for method, cost in costs.items():
    print(f"{method:6} {cost.trained:10,}   {cost.flops / costs['full'].flops:13.0%}   "
          f"{cost.peak / 1e6:10.1f} MB   {cost.predicted / 1e6:11.1f} MB")  # fmt: skip

# %% [markdown]
# A training step multiplies with each matrix three times: in the forward pass, for the gradient of
# the layer's input, and for the gradient of the weight. A frozen matrix skips the third, about a
# third of the arithmetic; the adapters add a little. (Hu et al. report 25 % more speed on GPT-3.)
# QLoRA has the same products and dequantizes before each, so it is slower than LoRA.
#
# Optimizer state and gradients shrink with the trained parameters. Activations and logits stay, and
# in so small a model they are most of the memory; section 7 counts a large one. With adapters the
# measured peak is a few MB above the prediction, because PEFT copies the embedding in order to
# train the rows of the chat tokens.

# %%
ift.quiz("04", "lora-memory", "nf4-or-int4")

# %% [markdown]
# ## 5. Learning rate and rank
#
# `ift.sft` is the same recipe with this course's settings: chat template, float32 adapters, and the
# embedding rows of chat tokens trained where pretraining never met them. With `four_bit=True`,
# `ift.load` is the script's `from_pretrained`; the assertion compares every stored byte.


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
for ours, theirs in zip(
    ift.load("base", four_bit=True)[0].parameters(), fresh.parameters(), strict=True
):
    assert torch.equal(ours, theirs)

# %% [markdown]
# The field starts LoRA at 2e-4 and full fine-tuning at 2e-5, for models with billions of parameters
# and ranks of 16 to 64 on all linear layers. Small models want higher rates. Schulman et al. (2025)
# find that LoRA's best rate is about ten times that of full fine-tuning, whatever the rank, if
# $\alpha$ stays the same ($\alpha = 32$ here).
#
# **Predict** the four curves: where is the peak of each, and does rank 64 beat rank 1 on so few
# examples? The grid is stored, with three seeds; where it is not, this cell computes it in about
# six minutes of one core. Its questions are not those of the next section.

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


arms = {}
for arm, rank in {"full": 0, "LoRA r=1": 1, "LoRA r=8": 8, "LoRA r=64": 64}.items():
    arms[arm] = list(zip(*ift.each_seed(sweep, seeds, now=0, rank=rank), strict=True))
best = {arm: figures.best_rate(RATES, scores) for arm, scores in arms.items()}
figures.rate_sweep(RATES, arms, n_examples=few)

# %%
full_rate, lora_rate = best["full"], best["LoRA r=8"]
print(f"LoRA's best rate is {lora_rate / full_rate:.0f} times that of full fine-tuning")
at_best = {arm: max(sum(map(sum, scores)) for scores in arms[arm]) for arm in arms}
print("right answers at the best rate:", at_best)
tenfold = min(RATES, key=lambda rate: abs(rate / (10 * full_rate) - 1))
ift.claim(
    "04.lora-wants-a-higher-rate",
    "At ten times the best rate of full fine-tuning, LoRA learns more than at that rate.",
    subject=9,
    literature="LoRA's best learning rate is about ten times that of full fine-tuning.",
    source="Schulman et al. 2025, LoRA Without Regret, thinkingmachines.ai/blog/lora",
    metric="strict accuracy, LoRA (r = 8) at ten times the rate minus at the rate",
    arms={
        "LoRA at ten times the rate": arms["LoRA r=8"][RATES.index(tenfold)],
        "LoRA at the rate": arms["LoRA r=8"][RATES.index(full_rate)],
    },
    effect=("LoRA at ten times the rate", "LoRA at the rate"),
    at_least=0.2,
)

# %% [markdown]
# A rate that is held equal is therefore not a fair comparison. Where two lines' bands overlap at
# their peaks, this sweep cannot order them: it does not show which rank is best.
#
# ## 6. Full, LoRA, QLoRA
#
# Each method gets its own best rate, and QLoRA takes LoRA's. Dettmers et al. find no difference
# between full fine-tuning and QLoRA. We predicted that full fine-tuning is less than 8 points
# better, and measure with three seeds: the first now, the others stored.

# %%
from ift_course.evaluation.intervals import two_level_interval

runs = {}
tests = {seed: experiment.questions(profile.eval_examples // 2, 100 + seed) for seed in seeds}


def compared(seed, method, rate):
    """1 or 0 for each question about entities that no example mentions."""
    run = runs[method, seed] = tune(method, seed, experiment.examples(many, seed), rate)
    return ift.score(run.model, tokenizer, tests[seed]).items


rates = {"full": full_rate, "lora": lora_rate, "qlora": lora_rate}
arms = {m: ift.each_seed(compared, seeds, method=m, rate=rate) for m, rate in rates.items()}
low, high = two_level_interval(arms["full"], arms["qlora"])
better = "QLoRA" if high < 0 else "full fine-tuning" if low > 0 else None
ift.claim(
    "04.qlora-close-to-full",
    "QLoRA comes within 8 points of full fine-tuning.",
    subject=9,
    literature="QLoRA reaches the performance of full fine-tuning at a fraction of the memory.",
    source="Dettmers et al. 2023 (QLoRA), arXiv:2305.14314, section 4",
    metric="strict accuracy on held-out entities, full minus QLoRA",
    arms=arms,
    effect=("full", "qlora"),
    at_most=0.08,
    differs=f"Here {better} is better, at rates from a coarse grid." if better else "",
)
print(f"the interval shows that {better} is better here" if better else
      "the interval does not show which of the two is better")  # fmt: skip

# %% [markdown]
# Do not read more into an advantage of either: the rates come from a grid of six, with half as many
# examples as here, and a finer one may help one method more than the other.
#
# ## 7. Will it fit?
#
# Count before you run. A step holds weights, gradients, optimizer state, activations and logits.
# Logits are vocabulary × tokens: with 128,256 × 2,048 that is a quarter of a billion numbers.
# Today's TRL computes them in chunks (*chunked loss*) and never holds them all; a loop of your own
# does, unless you use a kernel such as Liger's. **Predict** what QLoRA needs for 8 billion
# parameters.

# %%
from ift_course.memory import estimate_memory

options = {"seq": 2048, "batch": 1, "checkpointing": True, "chunked_loss": True}
llama = "Llama-3.1-8B"
bars = {
    "full": estimate_memory(llama, "full", **options),
    "LoRA": estimate_memory(llama, "lora", **options),
    "QLoRA": estimate_memory(llama, "qlora", **options),
    "QLoRA, 4 sequences": estimate_memory(llama, "qlora", **options | {"batch": 4}),
    "QLoRA, all logits at once": estimate_memory(
        llama, "qlora", **options | {"chunked_loss": False}
    ),
}
shape = bars["QLoRA"].shape
float32 = 2 * shape.vocab_matrices * shape.vocab_parameters / 2**30
adapter = bars["QLoRA"].items["adapters"] / (4 * shape.parameters)
print(f"adapter of rank 16: {adapter:.2%} of the model; prepare_model_for_kbit_training casts "
      f"embedding and head to float32: {float32:.1f} GB more than the bars")  # fmt: skip
for model_name in ("Llama-3.2-1B", "Qwen3-4B", "Qwen3-8B"):
    totals = {m: estimate_memory(model_name, m, **options).total for m in experiment.METHODS}
    print(f"{model_name:13}", "   ".join(f"{m} {x / 2**30:5.1f} GB" for m, x in totals.items()))
gigabytes = {arm: bar.total / 2**30 for arm, bar in bars.items()}
figures.show_memory(
    bars,
    title=f"{llama}, 2,048 tokens: full fine-tuning takes {gigabytes['full']:.0f} GB, QLoRA "
    f"{gigabytes['QLoRA']:.1f} GB",
    gpu_gb=24,
)

# %% [markdown]
# `ift memory Llama-3.1-8B --method qlora --seq 2048 --chunked-loss --gpu 24` does the same on the
# command line, and says what to change if the answer is no.
#
# ## 8. On a GPU
#
# - **dtype.** A T4 has no bfloat16. PyTorch emulates it there, slowly, and says that it is
#   supported unless you ask with `including_emulation=False`. The script then takes float16 with
#   loss scaling.
# - **Paged 8-bit AdamW** stores the moments in 8 bits and moves them to main memory when the GPU is
#   full for a moment.
# - **Gradient checkpointing** recomputes activations: far less memory for about a third more time.
# - **Accumulation** makes one step of several micro-batches: a larger batch size for time, not
#   memory.
#
# ### Cut off
#
# Colab takes the machine away when it likes. With an `output_dir`, the same call continues from the
# last complete checkpoint. We interrupt a run at step 8.

# %%
from transformers import TrainerCallback


class Interrupt(TrainerCallback):
    def on_step_begin(self, args, state, control, **kwargs):
        if state.global_step == 8:
            raise KeyboardInterrupt


short = {"max_steps": 12, "rate": lora_rate, "examples": experiment.examples(few, seeds[0])}
saved = short | {"output_dir": folder / "cut-off", "checkpoint_steps": 5}
try:
    tune("qlora", 0, callbacks=[Interrupt()], **saved)
except KeyboardInterrupt:
    resumed, unbroken = tune("qlora", 0, **saved), tune("qlora", 0, **short)
print(f"resumed from step {resumed.resumed_from}; "
      f"same losses: {resumed.losses == unbroken.losses}")  # fmt: skip
assert resumed.losses == unbroken.losses

# %% [markdown]
# ### Merge
#
# The adapter was trained beside 4-bit weights. Merging it *into* them rounds the sum to 4 bits
# again, so the base is loaded in full precision, which is not exactly what was trained either. One
# of the four is a bug: a merge by hand as $W + BA$, without $\alpha / r$. **Predict** its accuracy.

# %%
qlora, test = runs["qlora", seeds[0]].model, tests[seeds[0]]
qlora.save_pretrained(folder / "qlora")


def on_base(model=None):
    """The saved adapter beside a base in full precision, a fresh one unless it is given."""
    model = model or AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32)
    return PeftModel.from_pretrained(model.to(base.device), folder / "qlora")


forgot = on_base()
for module in forgot.modules():
    if isinstance(getattr(module, "scaling", None), dict):  # PEFT's alpha / r, by adapter
        module.scaling = dict.fromkeys(module.scaling, 1.0)
whole = on_base().merge_and_unload()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    models = {
        "beside 4-bit weights": qlora,
        "merged in full precision": whole,
        "merged without alpha": forgot.merge_and_unload(),
    }
    accuracies = {kind: ift.score(m, tokenizer, test).accuracy for kind, m in models.items()}
    accuracies["merged into 4 bits"] = ift.score(qlora.merge_and_unload(), tokenizer, test).accuracy
for kind, accuracy in accuracies.items():
    print(f"{kind:25} {accuracy:.3f}")
print(f"PEFT warns: {caught[-1].message}")
lost = accuracies["merged in full precision"] - accuracies["merged without alpha"]
print(f"forgetting alpha costs {100 * lost:.0f} points on {len(test)} questions")

# %% [markdown]
# Compare logits before and after a merge, always. `ift merge` does, and refuses to write if they
# differ.
#
# ## 9. Silent failures
#
# ### 1. Checkpointing without input gradients
#
# Reentrant checkpointing passes gradients on only if a layer's *input* needs one. The embedding is
# frozen, so its output does not. transformers 5 avoids this. Older versions and loops of your own
# do not. Nothing crashes as long as anything else is trained, here the last norm.


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
            loss = model(**batch, use_cache=False).loss
            loss.backward()
            optimizer.step()
            losses.append(f"{loss:.2f}")
    lora = [p for path, p in model.named_parameters() if "lora_" in path]
    n_reached = sum(p.grad is not None for p in lora)
    print(f"input gradients {needs_input_gradients!s:5}: {n_reached} of {len(lora)} adapters "
          f"get a gradient; loss {' '.join(losses)}")  # fmt: skip

# %% [markdown]
# How to see it: after one backward pass, count the adapters with a gradient.
#
# ### 2. Wrong target names
#
# PEFT raises an error if *no* name matches. If some do, it adapts those. The second line has the
# names of GPT-2's layers mixed in, the third those of Phi-3.

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
# float16 ends at 65,504. Large models have activations beyond that. We give ours such activations
# without changing what it computes: one matrix times $2^{15}$, the next divided by it. The second
# loop trains adapters in float16, where AdamW's `eps` of 1e-8 rounds to 0, and 0 / 0 is NaN.

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
    loss = model(**batch).loss
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
print("float16 adapters, loss:", losses)

# %% [markdown]
# How to see it: check `torch.isfinite(loss)` yourself. The Trainer's log leaves NaN out unless
# `logging_nan_inf_filter=False`. Train in bfloat16, or in float16 with float32 adapters.
#
# ### 4. The wrong base
#
# An adapter loads onto any model with the same shapes: the instruct version instead of the base, or
# a model into which the same adapter was merged before. Neither raises an error.

# %%
bases = {"its own base": None, "a base tuned in full": runs["full", seeds[0]].model,
         "a base with it merged": whole}  # fmt: skip
for kind, other in bases.items():
    print(f"{kind:22} {ift.score(on_base(other), tokenizer, test).accuracy:.3f}")

# %% [markdown]
# How to see it: record a hash of the base's weights beside the adapter, as `ift sft` does, and
# compare it at loading.
#
# ### 5. Embedding rows frozen, or trained and not saved
#
# The base never met our chat tokens, so their embedding rows must be trained. LoRA freezes them. If
# you train the embedding by hand instead of naming it in `modules_to_save` or
# `trainable_token_indices`, PEFT does not save it.

# %%
for trains_embedding in (False, True):
    torch.manual_seed(0)
    model = adapted().to(base.device)
    embedding = model.get_input_embeddings().weight.requires_grad_(trains_embedding)
    lora = [p for path, p in model.named_parameters() if "lora_" in path]
    groups = [{"params": lora, "lr": 3e-3}, {"params": [embedding], "lr": 3e-4}]
    optimizer = torch.optim.AdamW(groups[: 1 + trains_embedding], weight_decay=0.0)
    examples = experiment.examples(many, seeds[0])
    for inputs in experiment.batches(tokenizer, examples, size=16, epochs=4):
        model(**{k: v.to(base.device) for k, v in inputs.items()}).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    model.save_pretrained(folder / "rows")
    fresh = AutoModelForCausalLM.from_pretrained(name, dtype=torch.float32).to(base.device)
    reloaded = PeftModel.from_pretrained(fresh, folder / "rows")
    before, after = (ift.score(m, tokenizer, test[:100]).accuracy for m in (model.eval(), reloaded))
    print(f"embedding trained: {trains_embedding!s:5}  accuracy {before:.2f}, reloaded {after:.2f}")

# %% [markdown]
# How to see it: reload what you saved, and ask the same questions.
#
# ### 6. Adapters in bfloat16
#
# TRL (1.16) casts the adapters of a quantized model to bfloat16. The next bfloat16 after 1 is
# 1.0078. An update of less than half that gap is rounded away entirely. We train one more epoch at
# a hundredth of the rate, as at the end of a schedule, and count the parameters that never moved.

# %%
for kind in (torch.float32, torch.bfloat16):
    model = runs["lora", seeds[0]].model.train()
    trained = [p for p in model.parameters() if p.requires_grad]
    for parameter in trained:
        parameter.data = parameter.data.to(kind)
    before = [p.detach().clone() for p in trained]
    optimizer = torch.optim.AdamW(trained, lr=lora_rate / 100)
    for inputs in experiment.batches(tokenizer, experiment.examples(few, seeds[0]), size=16):
        model(**{k: v.to(base.device) for k, v in inputs.items()}).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    unmoved = sum((p == old).sum().item() for p, old in zip(trained, before, strict=True))
    print(f"{kind!s:15} never moved: {unmoved / sum(p.numel() for p in trained):.0%}")

# %% [markdown]
# ## Exercises
#
# Five functions, checked the moment you write them: LoRA's forward pass, the merge, rounding to 4
# bits, the memory estimate, and whether a run fits.
# [exercises/04_qlora_consumer_gpu.ipynb](../exercises/04_qlora_consumer_gpu.ipynb)
#
# **Do it.** Change the script of section 1: rank 1, another model, or your own rows. Predict the
# loss, the adapter's size and the memory first.
#
# **Open question.** Your team has one 24 GB GPU, a 14B base and 5,000 conversations. Write half a
# page: method, rank, learning rate, batch, and how you will know that it worked. A good answer
# counts the memory (2 points), gives a rate with a reason and a plan to check it (2), keeps
# held-out questions and a baseline (2), and names two failures of section 9 with their checks (2).
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
# - Land and Bartolo 2024, *Fishing for Magikarp*,
#   [arXiv:2405.05417](https://arxiv.org/abs/2405.05417): undertrained tokens.
# - Chen et al. 2016, *Training Deep Nets with Sublinear Memory Cost*,
#   [arXiv:1604.06174](https://arxiv.org/abs/1604.06174): checkpointing.
