# %% [markdown]
# # Specialize without forgetting
#
# {{ badge }}
#
# You have an assistant that can do many things. Now you need it for one thing, and it should be
# good at that. So you fine-tune it once more, on examples of that one thing, and its score there
# rises. What happens to everything else?
#
# This lesson makes such an expert, measures what it gains and what it loses, and compares three
# remedies at equal compute. At the end you will be able to
#
# - say what may be lost when a model is specialized, and what need not be;
# - measure gain and loss side by side, with intervals;
# - use three remedies: replay, an adapter that can be switched off, and an average of weights;
# - recognize three bugs that make a remedy look as if it worked.
#
# What this lesson costs:
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("08")

# %% [markdown]
# ## 1. General first, then special
#
# Until about 2021, fine-tuning meant one model for each task. Today most experts are made from a
# general model: somebody else's assistant, fine-tuned once more.
#
# What is forgotten on the way has been a question for as long as there have been neural networks.
# McCloskey and Cohen (1989) taught a small network the sums with one, and then the sums with two.
# As it learned the second, it lost the first, and not slowly. They called it *catastrophic
# interference*. Luo et al. (2023) looked at language models between one and seven billion
# parameters, tuned on one instruction task after the other: they forget too, knowledge and
# reasoning and reading, and a model that had been tuned on general instructions first forgot less.
#
# What we expect, before we measure:
#
# 1. An expert made from a general model loses a good part of the other abilities.
# 2. How much it loses depends on the specialty.
# 3. Replay keeps most of the other abilities and costs little of the gain.
# 4. The average of the general model and the expert keeps more than the expert.
#
# ## 2. Why anything is forgotten: by hand
#
# A model of two weights. Task A wants $w_1 + w_2 = 2$. Task B wants $w_1 = 0$. There is a solution
# for both: $w = (0, 2)$. We learn A first and find $w = (1, 1)$. Then we learn B, by gradient
# descent on B's squared error alone.

# %%
import torch


def error_a(w: torch.Tensor) -> torch.Tensor:
    return (w[0] + w[1] - 2) ** 2


def error_b(w: torch.Tensor) -> torch.Tensor:
    return w[0] ** 2


def descend(w: torch.Tensor, error, steps: int = 400, rate: float = 0.05) -> torch.Tensor:
    """`steps` of plain gradient descent on `error`, from w."""
    w = w.clone().requires_grad_()
    for _ in range(steps):
        (gradient,) = torch.autograd.grad(error(w), w)
        w = (w - rate * gradient).detach().requires_grad_()
    return w.detach()


def print_errors(name: str, w: torch.Tensor) -> None:
    print(f"{name:28} w = ({w[0]:.2f}, {w[1]:.2f})   "
          f"error on A {error_a(w):.2f}, on B {error_b(w):.2f}")  # fmt: skip


after_a = descend(torch.zeros(2), error_a)
print_errors("after A", after_a)
print_errors("then B alone", descend(after_a, error_b))

# %% [markdown]
# B's gradient points along $w_1$, and knows nothing of A. It goes the shortest way to *any*
# solution of B, and that way leads out of the solutions of A. Nothing had to be given up: there was
# room for both. **Forgetting is not lack of room.** Nothing in B's data asks for A.
#
# Three remedies in small. Before you run the cell, predict which of them finds the solution of both
# tasks, $(0, 2)$:

# %%
print_errors("replay: a tenth of A", descend(after_a, lambda w: error_b(w) + 0.1 * error_a(w)))
print_errors("penalty: stay where you are",
     descend(after_a, lambda w: error_b(w) + 0.5 * ((w - after_a) ** 2).sum()))  # fmt: skip
print_errors("average of before and after", (after_a + descend(after_a, error_b)) / 2)

# %% [markdown]
# Replay finds the solution of both. A little of A's own error is enough, because it points in
# another direction than B's. The penalty and the average know nothing of A. They know only where
# the model was, and so they reach a compromise: less forgotten, less learned.
#
# (The penalty here treats both weights alike. Kirkpatrick et al. 2017 weight each by how much A
# depends on it: elastic weight consolidation, EWC. Exercise 08.2 builds another penalty, the KL
# divergence to the general model, as Li and Hoiem 2016 did for image models.)
#
# ## 3. An expert, live
#
# ### The general model
#
# The general model learns many families of tasks: facts, lists, translations, stories and so on.
# It never meets some others. One of those is our specialty: to say whether a sentence is true,
# **yes or no**.

# %%
from ift_course.lessons.lesson_08 import experiment, figures
from ift_course.lessons.lesson_08.recipes import RECIPES, SIZES
from ift_course.models.quiet import quiet

seeds = profile.seeds
sizes = SIZES[profile.name]
zoo = experiment.ModelZoo(profile, seeds[0])
tokenizer = zoo.tokenizer

special, earlier = experiment.training_records(profile, RECIPES["expert"], seeds[0])
print(f"{len(earlier)} rows of {len(experiment.other_families(sizes))} families for the general "
      f"model, {len(special)} rows of {sizes.special} for the expert\n")  # fmt: skip
for record in special[:5]:
    print(f"{record.turns[0].content:64.64} → {record.turns[1].content}")

# %% [markdown]
# Every model of this lesson is a recipe: where it starts, how many steps it takes, on what. The
# plain expert takes the general model and trains on nothing but the special family.

# %%
general = zoo.get(RECIPES["general model"]).model
expert = zoo.get(RECIPES["expert"])
print(f"{expert.steps} steps in {expert.seconds:.0f} s")

# %% [markdown]
# Three of the prompts below do not ask for yes or no. Predict what the expert says to them.

# %%
from ift_course.plots.transcript import TranscriptRow, transcript

prompts = list(experiment.SAMPLE_PROMPTS)


def side_by_side(replies: dict, limit: int | None = None):
    """A table of what each model replied to the same prompts."""
    rows = [
        TranscriptRow(prompt, {name: texts[i] for name, texts in replies.items()})
        for i, prompt in enumerate(prompts)
    ]
    return transcript(rows, limit=limit)


models = {"general model": general, "expert": expert.model}
replies = {name: ift.generate_replies(m, tokenizer, prompts) for name, m in models.items()}
side_by_side(replies)

# %% [markdown]
# Does the expert give its two answers only where they are asked for? Where it answers a question of
# fact with yes or no, has it forgotten the fact? Ask in another way: not with a chat template, but
# as the base was asked in lesson 01. Let it continue a text.

# %%
starts = ["The capital of France is", "The owl calls with a", "In Spanish, the word house is"]
for start, text in zip(starts, ift.complete(expert.model, tokenizer, starts), strict=True):
    line, *_ = text.text.split("\n")
    print(f"{start} …{line[:60]}")

# %% [markdown]
# A model that completes the sentence and fails the question has lost not the fact, but the *habit*
# of answering with it. Keep this apart when you read that a model "forgot": is it the knowledge, or
# what is done with it? Kotha et al. (2024) found in larger models that what seems forgotten is
# often still there. We measure both.
#
# ### The exam
#
# Every model of a seed gets the same questions, all about entities that no training example asked
# about, scored strictly: questions of the special family, and questions of the other families, each
# with the same number. It also completes all facts of the world in prose.
#
# Yes and no are only two answers, so a model that always gives the same one is right quite often.
# What lies above the share of that constant answer is knowledge of what is true. The rest is form.

# %%
exam = experiment.make_exam(sizes, seeds[0])
print(f"{len(exam.special)} special questions, {len(exam.others)} of other families")
print(f"a constant answer to the special ones is right on {exam.constant_share:.2f}\n")
live = [experiment.evaluate(zoo, RECIPES[name]) for name in ("base", "general model", "expert")]
print(figures.table(live, ["base", "general model", "expert"]))

# %% [markdown]
# Compare three differences between the general model and the expert: the gain on the special
# family, the loss on the others, and the loss of facts.
#
# ### Three seeds
#
# One model may be an accident, and three of each take longer than a lesson may. **What is said of
# three seeds comes from stored runs** of `ift run 08 --full`, the same code on the same base. Only
# the first seed of the three models above is what you have just measured. Of a recipe that is not
# stored, the first seed is computed now.

# %%
results = experiment.with_stored(live, zoo)
all_stored = len(results) == len(experiment.GRID) * len(seeds)
if all_stored:
    print(figures.origin(results))
else:
    print("The runs of this base model are not all stored: `ift run 08 --full` computes them. "
          "Until then there are fewer seeds below, and no claims.")  # fmt: skip


def items(name: str, which: str) -> list[list[float]]:
    """An arm of a claim: for each seed, 1 or 0 for each question."""
    return [row.items(which) for row in experiment.arm(results, RECIPES[name])]


def answers(*names: str) -> dict[str, list[str]]:
    """What the models of the first seed answered to the prompts."""
    first = {name: experiment.arm(results, RECIPES[name])[0] for name in names}
    return {name: [row.answers[prompt] for prompt in prompts] for name, row in first.items()}


# %% [markdown]
# ## 4. What is forgotten
#
# Predict before you look: which families does the expert keep best?

# %%
figures.by_family(results, profile, ("expert", "general model"))

# %% [markdown]
# Look at the distance in each row, and at *which* families are left. In some of them the prompt
# carries everything that is needed, as a story in which to find a name. In others a fact has to be
# recalled, and those questions resemble the special ones in all but the first words.
#
# Yes and no is an extreme specialty. Here are the same steps on another family that the general
# model never met: answers in a given form.

# %%
ift.charts.bars_with_intervals(
    {
        "general model": items("general model", "others"),
        f"expert for {sizes.special}": items("expert", "others"),
        "expert for format": items("expert for format", "others"),
    },
    title="What is left of the other families",
)

# %%
side_by_side(answers("general model", "expert", "expert for format"), limit=3)

# %% [markdown]
# Both experts had the same number of steps and of examples. Compare how far their new answers are
# from the old ones *for prompts that look alike*. An expert for form still says the same kind of
# thing as the general model: a word, a list, a sentence. An expert for yes and no has another kind
# of answer.
#
# **Claim: an expert for yes and no forgets.**

# %%
if all_stored:
    ift.claim(
        "08.experts-forget",
        "Tuning a general model on yes and no alone makes it lose other families.",
        source="McCloskey & Cohen 1989; Luo et al. 2023, arXiv:2308.08747",
        metric="strict accuracy on the other families",
        arms={
            "general model": items("general model", "others"),
            "expert": items("expert", "others"),
        },
        effect=("general model", "expert"),
        at_least=0.3,
        subject=11,
    )

# %% [markdown]
# ## 5. Remedies
#
# One way is to train on the general and the special data together, from the start (Dong et al.
# 2024). Often you have neither the data nor the compute, because the general model is somebody
# else's. So all remedies here start at the same general model, and take the **same number of
# steps** as the plain expert, with batches of the same size.
#
# ### Replay
#
# Replace a share of the special examples by examples of the general data. Scialom et al. (2022)
# added new tasks to a model of 3 and 11 billion parameters (T0), one after the other, and replayed
# 1 % of the earlier data: it kept nearly all it could do. Our data is small. This is what a
# twentieth of it shows:

# %%
from ift_course.lessons.lesson_08.remedies import with_replay

mixed = with_replay(special, earlier, 0.05, seed=seeds[0])
replayed = [record for record in mixed if record in earlier]
print(f"{len(replayed)} of {len(mixed)} rows are replayed:")
for record in replayed[:9]:
    print(f"   {record.turns[0].content:66.66} → {record.turns[1].content:.30}")

# %% [markdown]
# Look at what is there and at what is not: these rows cannot show all families. Which of the
# answers below come back with a twentieth of the rows replayed, and which with a quarter?

# %%
side_by_side(answers("general model", "expert", "replay 5 %", "replay 25 %"))

# %% [markdown]
# ### An adapter that can be switched off
#
# LoRA (lesson 04) leaves the weights of the general model as they are and trains a low-rank update
# beside them. Biderman et al. (2024) compared it with full tuning of Llama-2 on code and
# mathematics, and gave the result as a title: *LoRA Learns Less and Forgets Less*. Section 6 shows
# whether that is so here.
#
# But an adapter has another advantage. As long as it is not merged, it can be switched off, for one
# request or for all:

# %%
import copy

from ift_course.training.adapter import Adapter

adapted = ift.sft(
    copy.deepcopy(general),
    tokenizer,
    special,
    method="lora",
    adapter=Adapter(rank=RECIPES["LoRA"].rank),
    seed=seeds[0],
    epochs=sizes.epochs,
    batch_size=profile.batch_size,
    gradient_accumulation=profile.gradient_accumulation,
    max_length=profile.max_length,
    progress=False,
).model

replies = {"adapter on": ift.generate_replies(adapted, tokenizer, prompts)}
inputs = tokenizer(prompts[0], return_tensors="pt").to(general.device)
with torch.no_grad(), adapted.disable_adapter():  # PEFT's own switch
    replies["adapter off"] = ift.generate_replies(adapted, tokenizer, prompts)
    assert torch.allclose(adapted(**inputs).logits, general(**inputs).logits, atol=1e-4)
side_by_side(replies)

# %% [markdown]
# With the adapter off, the logits are those of the general model: nothing can be forgotten. The
# price is that somebody has to decide for each request which model should answer it. Save the
# adapter with `adapted.save_pretrained(folder)`, and load it on top of the general model with
# `PeftModel.from_pretrained(general, folder)`.
#
# ### An average of weights
#
# The cheapest remedy needs no training at all. Take the weights before and after, and go some of
# the way from the one to the other:
#
# $$w = (1 - \alpha)\, w_\text{general} + \alpha\, w_\text{expert}$$
#
# That two networks can be averaged, and the result is a working network, is not obvious: two that
# were trained apart cannot. It works for models that share their beginning. Wortsman et al. (2022)
# found that such averages keep a model's robustness (*WiSE-FT*), and that averages of several tuned
# models are better than any of them (*model soups*).

# %%
from ift_course.lessons.lesson_08.remedies import interpolate_weights

between = {share: interpolate_weights(general, expert.model, share) for share in (0.25, 0.5, 0.75)}
_, start, end = live  # scored above: the general model and the expert
scores = {
    which: [
        [start.items(which)],
        *([ift.score(m, tokenizer, getattr(exam, which)).items] for m in between.values()),
        [end.items(which)],
    ]
    for which in ("special", "others")
}
ift.charts.lines_with_intervals(
    (0.0, *between, 1.0),
    {sizes.special: scores["special"], "the others": scores["others"]},
    title="From the general model to the expert, one seed",
    xlabel="share of the expert's weights",
)

# %% [markdown]
# Compare how early on this way the special family is learned and how late the others are lost. If
# the one comes before the other, there is a model in between that has most of both, and no training
# step was spent on it. (The lines would bend in any case: a score counts only which answer comes
# first, and that changes at once even where probabilities change evenly.)
#
# ## 6. Gain against loss
#
# All of them in one picture. Up is what was gained on the special family, to the right is what was
# lost on the others, both against the general model. The best place is top left.

# %%
figures.gain_against_loss(results, profile)

# %%
print(figures.table(results, [name for name, recipe in RECIPES.items() if not recipe.family]))

# %% [markdown]
# First look at the line of a constant answer. Every model here lies below it: in so few steps they
# learn to *say* yes or no, and not *when*. So the picture shows what each remedy keeps while a new
# form of answer is learned.
#
# Imagine a straight line from the general model to the plain expert. A remedy on it
# forgets less only because it has learned less. What lies above it is worth something.
#
# - **Replay** looks at the other tasks, as in the toy. Compare the two shares. A share says little
#   without the number of rows behind it: one per cent of the data of Scialom et al. is far more
#   than a quarter of ours.
# - **The average** has used no data and no training. See how near it comes to replay.
# - **LoRA** is drawn with its adapter on. Does it learn less, does it forget less, or neither?
#   Biderman et al. tuned on about a hundred thousand instructions, and on billions of tokens of
#   text, where a low rank is a real limit. To say yes or no may be learned at any rank. Whatever it
#   has forgotten, the adapter can be switched off.
#
# **Claim: replay keeps most of the other families**, with a quarter of the rows and the same steps.
# **And it costs little** on the expert's own family.

# %%
if all_stored:
    ift.claim(
        "08.replay-keeps",
        "With a quarter of the rows replayed, an expert keeps the other families at the same "
        "compute.",
        source="Scialom et al. 2022, arXiv:2205.12393, with 1 % of far larger data",
        metric="strict accuracy on the other families",
        arms={
            "general model": items("general model", "others"),
            "replay 25 %": items("replay 25 %", "others"),
        },
        effect=("general model", "replay 25 %"),
        at_most=0.25,
        subject=11,
    )

# %%
if all_stored:
    constant = sum(experiment.make_exam(sizes, seed).constant_share for seed in seeds) / len(seeds)
    arms = {name: items(name, "special") for name in ("expert", "replay 25 %")}
    learned = max(sum(map(sum, arm)) / sum(map(len, arm)) for arm in arms.values())
    ift.claim(
        "08.replay-costs-little",
        "What the expert gains on its own family, it gains with replay as well.",
        source="Scialom et al. 2022, arXiv:2205.12393",
        metric="strict accuracy on the special family",
        arms=arms,
        effect=("expert", "replay 25 %"),
        at_most=0.2,
        subject=11,
        differs=""
        if learned > constant
        else "Neither is right more often than a constant answer, "
        "so what is gained is a form of answer.",
    )

# %% [markdown]
# **Claim: half way keeps more.** No data, no training: only the mean of two models.

# %%
if all_stored:
    ift.claim(
        "08.half-way-keeps-more",
        "The average of the general model and the expert keeps more of the other families.",
        source="Wortsman et al. 2022 (WiSE-FT), arXiv:2109.01903",
        metric="strict accuracy on the other families",
        arms={
            "average": items("average, 50 % expert", "others"),
            "expert": items("expert", "others"),
        },
        effect=("average", "expert"),
        at_least=0.0,
        subject=11,
    )

# %% [markdown]
# ### Play with it
#
# Ask the models of this notebook yourself:

# %%
ift.playground(
    {"general": (general, tokenizer), "expert": (expert.model, tokenizer),
     "half and half": (between[0.5], tokenizer)},
    examples=[(prompt, "") for prompt in prompts[:4]],
)  # fmt: skip

# %% [markdown]
# ## 7. Silent failures
#
# ### Only the new task is tested
#
# The most frequent one. The loss falls, the score on the special family rises, the report is green.
# Here is the report of the plain expert as one often sees it, and what it leaves out:

# %%
for name, which in {"special family": "special", "not in the report": "others"}.items():
    print(f"{name}: {start.accuracy(which):.2f} before, {end.accuracy(which):.2f} after")

# %% [markdown]
# How to see it: before you tune, write down ten questions that must not get worse. Ask them before
# and after.
#
# ### A reference that is the model itself
#
# LoRA puts its adapters *into* the model that it is given. `get_peft_model(model, …)` returns a
# wrapper, and `model` itself has changed. If you go on to use `model` as "the model before", you
# are comparing the expert with itself: nothing is ever forgotten, and no penalty ever holds it.

# %%
from peft import LoraConfig, get_peft_model

reference = copy.deepcopy(general)
with quiet():
    config = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "v_proj"],
                        init_lora_weights=False)  # fmt: skip
    policy = get_peft_model(reference, config)
with torch.no_grad():
    logits = policy(**inputs).logits
    for name, model in {"the same model": reference, "a copy from before": general}.items():
        distance = (logits - model(**inputs).logits).abs().max()
        print(f"largest difference to the logits of {name:18} {distance:8.3f}")

# %% [markdown]
# How to see it: the difference must not stay 0 after the first step. Use a copy, or switch the
# adapter off for the reference.
#
# ### A tied weight that moves twice
#
# In many models, ours among them, the input embedding and the output matrix are one tensor with two
# names. Average *in place*, name by name, and it is averaged twice: with α = 0.5 it lands at 0.75.

# %%
twice = copy.deepcopy(general)
state = twice.state_dict()
with torch.no_grad():
    for name, weight in expert.model.state_dict().items():
        state[name].copy_(torch.lerp(state[name], weight, 0.5))
before, after, wrong = (m.get_input_embeddings().weight for m in (general, expert.model, twice))
moved = ((wrong - before).norm() / (after - before).norm()).item()
print(f"the embedding went {moved:.2f} of the way, everything else 0.50 of it")
for name, model in {"as it should be": between[0.5], "moved twice": twice}.items():
    ours = [ift.score(model, tokenizer, part).accuracy for part in (exam.special, exam.others)]
    print(f"{name:16} special {ours[0]:.2f}   others {ours[1]:.2f}")

# %% [markdown]
# It is a working model, only another one than you asked for, and nobody notices. How to see it:
# read from copies, write into new tensors, and check afterwards that every weight lies where it
# should.
#
# ## 8. What this means, and what it does not
#
# - Measure gain and loss together. A remedy that only shows less forgetting has shown nothing yet:
#   not training at all forgets least.
# - Do not go farther than you must. Watch both scores as you train.
# - If you have gone too far already, average with where you came from. It costs nothing, and you
#   can choose the share with the exam in hand.
# - If you have some of the general data, or data like it, mix it in: enough rows to show each kind
#   of task that must stay.
# - Or do not merge at all: keep the expert as an adapter, and switch it on for its own requests
#   only.
# - What looks forgotten may be covered. Where the facts are still in the expert, a score of zero
#   says little about what it knows.
# - Our world is small and clean, and yes and no is far narrower than any real specialty. The order
#   of the remedies may differ on real data: run the exam on your own.
#
# ## Questions

# %%
ift.quiz("08")

# %% [markdown]
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## Exercises
#
# Six functions, checked the moment you write them: a replay mixture, the KL to the reference, the
# way between two models, the matrix of forgetting, the Pareto front, and early stopping that knows
# what must not be lost.
# [exercises/08…](../exercises/08_specialize_without_forgetting.ipynb)
#
# ## To read
#
# - McCloskey & Cohen 1989, *Catastrophic Interference in Connectionist Networks: The Sequential
#   Learning Problem*, Psychology of Learning and Motivation 24.
# - Kirkpatrick et al. 2017, *Overcoming catastrophic forgetting in neural networks*,
#   [arXiv:1612.00796](https://arxiv.org/abs/1612.00796). EWC.
# - Li & Hoiem 2016, *Learning without Forgetting*,
#   [arXiv:1606.09282](https://arxiv.org/abs/1606.09282).
# - Lopez-Paz & Ranzato 2017, *Gradient Episodic Memory for Continual Learning*,
#   [arXiv:1706.08840](https://arxiv.org/abs/1706.08840). Section 2: how to measure it.
# - Scialom et al. 2022, *Fine-tuned Language Models are Continual Learners*,
#   [arXiv:2205.12393](https://arxiv.org/abs/2205.12393). Replay of 1 %.
# - Wortsman et al. 2022, *Robust fine-tuning of zero-shot models* (WiSE-FT),
#   [arXiv:2109.01903](https://arxiv.org/abs/2109.01903), and *Model soups*,
#   [arXiv:2203.05482](https://arxiv.org/abs/2203.05482).
# - Luo et al. 2023, *An Empirical Study of Catastrophic Forgetting in Large Language Models During
#   Continual Fine-tuning*, [arXiv:2308.08747](https://arxiv.org/abs/2308.08747).
# - Biderman et al. 2024, *LoRA Learns Less and Forgets Less*,
#   [arXiv:2405.09673](https://arxiv.org/abs/2405.09673).
# - Kotha et al. 2024, *Understanding Catastrophic Forgetting in Language Models via Implicit
#   Inference*, [arXiv:2309.10105](https://arxiv.org/abs/2309.10105): what seems forgotten is often
#   still there.
# - Dong et al. 2024, *How Abilities in Large Language Models are Affected by Supervised Fine-tuning
#   Data Composition*, [arXiv:2310.05492](https://arxiv.org/abs/2310.05492): one after the other,
#   mixed, and in between.
