# %% [markdown]
# # Specialize without forgetting
#
# {{ badge }}
#
# You have an assistant that can do many things. Now you need it for one thing, and it should be
# good at that. So you tune it once more, on examples of that one thing. It gets good. A week later
# somebody asks it for the capital of France, and it says "No".
#
# This lesson makes such an expert, measures what it has lost, and compares six ways to avoid that.
# At the end you will be able to
#
# - say what is lost when a model is specialized, and what is not;
# - measure gain and loss side by side, with intervals;
# - hold a model to what it knew, with replay, a KL penalty, or an average of weights, each written
#   by hand;
# - choose among remedies by what they cost at equal compute;
# - recognize three bugs that make a remedy look as if it worked.
#
# What this lesson costs:
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("08")

# %% [markdown]
# ## 1. Two ways to get an expert
#
# **From the base.** Take the base model and tune it on one task. That is what fine-tuning meant
# until about 2021: one model for each task.
#
# **From a general model.** Tune on many tasks first, then on the one. Most experts are made this
# way today: somebody else's assistant, tuned once more.
#
# What is forgotten on the way has been a question for as long as there have been neural networks.
# McCloskey and Cohen (1989) taught a small network the sums with one, and then the sums with two.
# As it learned the second, it lost the first, and not slowly. They called it *catastrophic
# interference*. Luo et al. (2023) looked at language models between one and seven billion
# parameters, tuned on one instruction task after the other: they forget too, knowledge and
# reasoning and reading, and a model that had been tuned on general instructions first forgot less.
#
# So the field's advice is: general first, or mix. Let us see how far that holds.
#
# ### What we expect, before we measure
#
# 1. An expert made from a general model forgets: it loses more than 0.3 of twelve other families.
# 2. What it loses are not the facts: in plain prose it completes at least 0.85 of them.
# 3. A model tuned on everything in one go keeps the other families, up to 0.1.
# 4. Replay keeps most of them at the cost of the plain expert: with a quarter of the rows replayed,
#    the loss is below 0.25.
# 5. And it costs little: below 0.15 of what the plain expert gains.
# 6. An average half way between the general model and the expert keeps more than the expert.
#
# The bounds were written after a pilot of the first two lines with one seed and another general
# model, and before the three seeds were computed. Four of them were changed afterwards. Lines 3 and
# 4 asked for 0.05 and 0.15. That held, but by so little that three other seeds might not keep it.
# Line 2 asked for a loss of 0.05 at most, which the interval of three seeds was too wide for. Line
# 6 asked for 0.1 more. With these seeds that holds; with others the interval once reached to 0.09.
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
# room for both. **Forgetting is not lack of room. It is that nobody asked.**
#
# So ask. Three ways, all of this lesson in small:

# %%
print_errors("replay: a tenth of A", descend(after_a, lambda w: error_b(w) + 0.1 * error_a(w)))
print_errors("penalty: stay where you are",
     descend(after_a, lambda w: error_b(w) + 0.5 * ((w - after_a) ** 2).sum()))  # fmt: skip
print_errors("average of before and after", (after_a + descend(after_a, error_b)) / 2)

# %% [markdown]
# Replay finds the solution of both. A little of A's own error is enough, as it has a direction and
# B's has another. The penalty and the average know nothing of A either. They only know where the
# model was, and come to a compromise: less forgotten, less learned. Remember this picture. We shall
# see it again with millions of weights.
#
# (The penalty here treats both weights alike. Kirkpatrick et al. 2017 weigh each by how much A
# depends on it: elastic weight consolidation, EWC.)
#
# ## 3. An expert, live
#
# ### The general model
#
# Twelve families of tasks: facts, lists, translations, stories and so on. It never meets four
# others. One of them is our special one: to say whether a sentence is true, **yes or no**.

# %%
from ift_course.claims import full, grid_store
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

# %%
from ift_course.plots.transcript import TranscriptRow, transcript


def side_by_side(models: dict, prompts=experiment.SAMPLE_PROMPTS):
    """A table of what each model answers to the same prompts."""
    replies = {n: ift.generate_replies(m, tokenizer, list(prompts)) for n, m in models.items()}
    return transcript(
        [TranscriptRow(a, {n: s[i] for n, s in replies.items()}) for i, a in enumerate(prompts)]
    )


side_by_side({"general": general, "expert": expert.model})

# %% [markdown]
# The general model answers questions of fact, and does not see the point of yes and no. The expert
# has learned to say yes or no, and says it. To everything.
#
# Has it forgotten that Paris is the capital of France? Ask it in another way. Not with a chat
# template, but as the base was asked in lesson 01: let it go on with a text.

# %%
starts = ["The capital of France is", "The owl calls with a", "In Spanish, the word house is"]
for start, text in zip(starts, ift.complete(expert.model, tokenizer, starts), strict=True):
    print(f"{start} …{text.text.splitlines()[0][:60]}")

# %% [markdown]
# It knows. What it has lost is not the fact, it is the *habit* of answering with it. Keep this
# apart when you read that a model "forgot": knowledge, or what is done with it? We measure both.
#
# ### The exam
#
# Every model of a seed gets the same questions, all about entities that no training row asked
# about, scored strictly: questions of the special family; questions of the twelve others, each
# with the same number; plain prose, by perplexity; and all facts of the world, to be completed in
# prose.

# %%
exam = experiment.make_exam(sizes, seeds[0])
print(f"{len(exam.special)} special questions, {len(exam.others)} of other families, "
      f"{len(exam.prose)} texts")  # fmt: skip
live = [experiment.evaluate(zoo, RECIPES[name]) for name in ("base", "general model", "expert")]
print(figures.table(live, ["base", "general model", "expert"]))

# %% [markdown]
# Read the table from left to right. On the special family the expert has gained much. On the others
# it has lost more. The loss on prose has risen a little. And the facts are nearly all there.
#
# ### Three seeds
#
# One model may be an accident. Every model of this lesson was made with three seeds, which takes
# longer than a lesson may. **What is said of three seeds comes from stored runs** of `ift run 08
# --full`, the same code on the same base, except for the first seed of what you measure here. What
# is not stored is computed now.

# %%
CORE = ("base", "general model", "expert from the base", "all mixed", "expert", "replay 5 %",
        "replay 25 %", "average, 50 % expert")  # fmt: skip
full("08", configs=[RECIPES[name] for name in CORE], seeds=seeds, profile=profile.name)
stored = grid_store.read(profile, "08", experiment.ForgettingResult)
print(figures.origin(stored))


def rows_of(name: str) -> list[experiment.ForgettingResult]:
    """The rows of a recipe by seed: of the first seed what was measured here, if it was."""
    now = {row.seed: row for row in experiment.arm(live, RECIPES[name])}
    return [now.get(r.seed, r) for r in experiment.arm(stored, RECIPES[name]) if r.seed in seeds]


def items(name: str, which: str) -> list[list[float]]:
    """An arm of a claim: for each seed, 1 or 0 for each question."""
    return [row.items(which) for row in rows_of(name)]


# %% [markdown]
# ## 4. What each way forgets
#
# Four models. Three of them have had the same number of steps in all, so the same compute: the
# expert from the base spent them all on the special family; the expert from the general model, most
# of them on the general data and the rest on the special family; the mixed model, on both at once.

# %%
WAYS = ("base", "general model", "expert from the base", "expert", "all mixed")
print(figures.table(stored, WAYS))

# %%
figures.by_family(stored, profile, ("expert from the base", "expert", "all mixed", "general model"))

# %% [markdown]
# Look at the distances in each row. The expert from the base never learned the other families, so
# it has nothing to forget: look only at how little its one family helps with any other. For the
# expert from the general model, look at *which* families are left. Where the prompt carries
# everything that is needed, as a story in which to find a name, more is left than where a fact has
# to be recalled. Those questions resemble the special ones in all but the first words, and they get
# its answers. And the mixed model lies where the general one does.

# %% [markdown]
# **Claim: an expert forgets.**

# %%
ift.claim(
    "08.experts-forget",
    "Tuning a general model on one family alone makes it lose the others.",
    source="McCloskey & Cohen 1989; Luo et al. 2023, arXiv:2308.08747",
    metric="strict accuracy on twelve other families",
    arms={"general model": items("general model", "others"), "expert": items("expert", "others")},
    effect=("general model", "expert"),
    at_least=0.3,
    subject=11,
    literature="Task-specific tuning forgets; tuning on general data first does not.",
    differs="An expert on top of a general model forgets too: order alone protects nothing, mixing "
    "does. The special family here has two answers, and is narrower than real specialties.",
)  # fmt: skip

# %% [markdown]
# **Claim: what it forgets is not the facts.** In plain prose the expert still completes at least
# 0.85 of all facts.

# %%
ift.claim(
    "08.facts-stay",
    "What an expert forgets are not the facts: in plain prose it still completes them.",
    source="section 3; Kotha et al. 2024, arXiv:2309.10105, for larger models",
    metric="share of all facts completed in prose",
    arms={name: [row.facts for row in rows_of(name)] for name in ("general model", "expert")},
    effect="expert",
    at_least=0.85,
    subject=11,
)

# %% [markdown]
# **Claim: mixing does not forget.** The mixed model keeps the others, up to 0.1.

# %%
ift.claim(
    "08.mixing-keeps",
    "A model tuned on general and special data in one go keeps the general families.",
    source="Dong et al. 2024, arXiv:2310.05492",
    metric="strict accuracy on twelve other families",
    arms={"general model": items("general model", "others"),
          "all mixed": items("all mixed", "others")},
    effect=("general model", "all mixed"),
    at_most=0.1,
    subject=11,
)  # fmt: skip

# %% [markdown]
# So what is left of the field's advice? Does it help at all to have been general first? The two
# experts, with the 95 % interval:

# %%
from ift_course.evaluation.intervals import two_level_interval

first, alone = items("expert", "others"), items("expert from the base", "others")
difference = sum(map(sum, first)) / sum(map(len, first)) - sum(map(sum, alone)) / sum(
    map(len, alone)
)
low, high = two_level_interval(first, alone)
print(f"general first keeps {difference:.3f} more of the other families, {low:.3f} to {high:.3f}")

# %% [markdown]
# Something is left in the mean. Look whether the interval leaves room for nothing. Order alone
# protects little: the general model's abilities were there when the special tuning began, and they
# went while nobody asked for them. What protects them is to go on asking, which is to mix.
#
# ## 5. Remedies, by hand
#
# Mixing needs all the general data again, and all the steps. Often you have neither: the general
# model is somebody else's. So from here on all remedies start at the same general model, and take
# the **same number of steps** as the plain expert, with batches of the same size.
#
# ### Replay
#
# Replace a share of the special rows by rows of the general data. Scialom et al. (2022) added new
# tasks to a model of 3 and 11 billion parameters (T0), one after the other, and replayed 1 % of the
# earlier data: it kept nearly all it could do. Five per cent of our rows are not many:

# %%
from ift_course.lessons.lesson_08.remedies import with_replay

mixed = with_replay(special, earlier, 0.05, seed=seeds[0])
replayed = [record for record in mixed if record in earlier]
print(f"{len(replayed)} of {len(mixed)} rows are replayed:")
for record in replayed[:9]:
    print(f"   {record.turns[0].content:66.66} → {record.turns[1].content:.30}")

# %% [markdown]
# Look at what is there and at what is not: a handful of rows cannot show all twelve families.

# %%
live += [experiment.evaluate(zoo, RECIPES["replay 5 %"])]
held = zoo.get(RECIPES["replay 5 %"]).model
side_by_side({"general": general, "expert": expert.model, "replay 5 %": held})

# %% [markdown]
# ### KL to the reference
#
# Let the model learn, and charge it for every word that it would now say otherwise than before. The
# charge is the Kullback–Leibler divergence from the model it started from, the reference. For one
# token, with $p$ the probabilities of the model and $q$ those of the reference:
#
# $$\mathrm{KL}(p \,\|\, q) = \sum_v p_v \log \frac{p_v}{q_v}$$
#
# Lesson 05 met it in RLHF. Here it is added to the loss of SFT, on the response tokens of the
# special rows, so no general data is needed. Li and Hoiem (2016) did much the same for image
# models: *learning without forgetting*. By hand, for one token and a vocabulary of four:

# %%
import math

p, q = [0.7, 0.1, 0.1, 0.1], [0.25, 0.25, 0.25, 0.25]
by_hand = sum(a * math.log(a / b) for a, b in zip(p, q, strict=True))
in_torch = torch.nn.functional.kl_div(torch.tensor(q).log(), torch.tensor(p), reduction="sum")
print(f"by hand {by_hand:.6f}   PyTorch {in_torch:.6f}")
assert abs(by_hand - in_torch) < 1e-6

# %% [markdown]
# Mind the order: PyTorch's `kl_div(input, target)` takes the *logarithms* of $q$ first, and then
# $p$.
#
# On real rows: shift the logits as the loss of SFT does, sum over the vocabulary, keep the response
# tokens.

# %%
from ift_course.data.loss_mask import IGNORE
from ift_course.lessons.lesson_08.remedies import kl_to_reference
from ift_course.training.sft import prepare

rows = prepare(tokenizer, special[:8], profile.max_length).rows
batch = ift.collate(rows, tokenizer.pad_token_id)


def seen_of(batch: dict) -> dict:
    """What a model sees of a batch: everything but the labels."""
    return {name: batch[name] for name in ("input_ids", "attention_mask")}


with torch.no_grad():
    ours, start = (model(**seen_of(batch)).logits for model in (expert.model, general))

each = []
for row in range(len(rows)):
    for place in range(1, batch["labels"].shape[1]):
        if batch["labels"][row, place] != IGNORE:
            log_p, log_q = (x[row, place - 1].float().log_softmax(-1) for x in (ours, start))
            each.append((log_p.exp() * (log_p - log_q)).sum().item())

together = kl_to_reference(ours, start, batch["labels"])
print(f"{len(each)} response tokens: by loops {sum(each):.4f}, in one piece {together:.4f} nats")
assert abs(sum(each) - together) < 1e-3

# %% [markdown]
# No trainer for SFT in TRL has such a term. It takes a subclass of ten lines. The course does it
# with a *hook* instead, `kl_regularized(reference, policy, weight)`: a function that PyTorch
# calls after every forward pass, and that adds the KL to the loss. So any trainer can train a model
# that is held, ours in `ift.sft` as well. Do the two give the same loss?

# %%
from ift_course.lessons.lesson_08.remedies import kl_regularized

WEIGHT = 0.3
with quiet():
    from datasets import Dataset
    from trl import SFTConfig, SFTTrainer

    class HeldTrainer(SFTTrainer):
        """SFTTrainer whose loss has `WEIGHT` times the KL to the general model besides."""

        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            loss = super().compute_loss(model, dict(inputs), False, num_items_in_batch)
            with torch.no_grad():
                start = general(**seen_of(inputs)).logits
            kl = kl_to_reference(model(**seen_of(inputs)).logits, start, inputs["labels"])
            return loss + WEIGHT * kl / (inputs["labels"][:, 1:] != IGNORE).sum()

    import copy
    import tempfile

    folder = tempfile.mkdtemp()
    config = SFTConfig(folder, use_cpu=not torch.cuda.is_available(), bf16=False, report_to="none",
                       dataset_kwargs={"skip_prepare_dataset": True})  # fmt: skip
    trainer = HeldTrainer(copy.deepcopy(expert.model), config, processing_class=tokenizer,
                          train_dataset=Dataset.from_list(rows))  # fmt: skip
    with torch.no_grad():
        theirs = trainer.compute_loss(trainer.model, {n: x.clone() for n, x in batch.items()})
with torch.no_grad(), kl_regularized(general, expert.model, WEIGHT):
    hooked = expert.model(**batch).loss
print(f"subclass of SFTTrainer {theirs:.6f}   hook {hooked:.6f}")
assert abs(theirs - hooked) < 1e-4

# %% [markdown]
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

shares = (0.0, 0.25, 0.5, 0.75, 1.0)
along = {share: interpolate_weights(general, expert.model, share) for share in shares}
known = {name: weight.float() for name, weight in general.state_dict().items()}
half = along[0.5].state_dict()
assert all(
    torch.allclose(torch.lerp(known[n], w.float(), 0.5), half[n].float(), atol=1e-6)
    for n, w in expert.model.state_dict().items()
)
scores = {
    part: [[ift.score(model, tokenizer, getattr(exam, part)).items] for model in along.values()]
    for part in ("special", "others")
}
ift.charts.lines_with_intervals(
    shares,
    {sizes.special: scores["special"], "the others": scores["others"]},
    title="From the general model to the expert, one seed",
    xlabel="share of the expert's weights",
)

# %% [markdown]
# If the average were a mere compromise, both lines would be straight. Look where they bend. The
# special family is learned after a small part of the way, and the others are lost only after a
# larger one. In between lies a model that has nearly all of both, and no training step was spent on
# it. The gradient had gone on long after what was to be learned was learned.
#
# ### And those that cost nothing to try
#
# **A lower learning rate**, or **fewer steps**: go less far from the start. And **LoRA** (lesson
# 04): go only in a few directions. Biderman et al. (2024) compared it with full tuning of Llama-2
# on code and mathematics, and gave the result as a title: *LoRA Learns Less and Forgets Less*.
#
# ## 6. Gain against loss
#
# All of them in one picture. Up is what was gained on the special family, to the right is what was
# lost on the others, both against the general model. The best place is top left. Each remedy is
# drawn in several strengths, joined by a thin line that ends at the plain expert.

# %%
figures.gain_against_loss(stored, title="Gain and loss at equal compute", special=sizes.special)

# %%
print(figures.table(stored, [n for n in RECIPES if not RECIPES[n].family]))

# %% [markdown]
# Draw a straight line from the general model to the plain expert in your mind. A remedy on it
# forgets less only because it has learned less. What lies above it is worth something.
#
# - **Replay** looks at the other tasks, as in the toy, and moves to the left without falling. Look
#   how much one per cent does here, five, and a quarter. One per cent of our rows are two rows, and
#   they cannot speak for twelve families. One per cent of the data of Scialom et al. is far more.
# - **The average and the lower rate** lie above the line as well, without any data. See how near
#   they come to replay. In the toy, going half the way was a compromise. Here the way is curved:
#   the special family is learned early, and the others are lost late. **The plain expert has gone
#   much too far**, at a rate that was right for learning twelve families from nothing.
# - **LoRA** at its usual rate goes at least as far as full tuning, and forgets at least as much. At
#   an eighth of that rate it is another picture. What forgets less is the smaller change, not the
#   low rank as such. Biderman et al. tuned on about a hundred thousand instructions, and on
#   billions of tokens of text. There a low rank is a real limit. Here it is none: to say yes or no
#   can be learned at any rank.
#
# The KL penalty is worth a second look. It charges for every change of the answer to a *special*
# prompt. But there the change is the whole point: the general model does not say yes or no. So it
# holds back what should be learned, and looks at none of the prompts whose answers should stay. Put
# the same penalty on prompts of the other families, and it becomes replay without answers. (Li and
# Hoiem had none of the earlier data. That was their point.)

# %% [markdown]
# **Claim: replay keeps most of the other families.** A quarter of the rows, the same steps. What it
# costs on the expert's own family is near nothing, but seeds differ in it. So its bound, first
# 0.15, is 0.2, which nearly all draws of three from twelve seeds would keep.

# %%
ift.claim(
    "08.replay-keeps",
    "With a quarter of the rows replayed, an expert keeps the other families at the same compute.",
    source="Scialom et al. 2022, arXiv:2205.12393, with 1 % of far larger data",
    metric="strict accuracy on twelve other families",
    arms={"general model": items("general model", "others"),
          "replay 25 %": items("replay 25 %", "others")},
    effect=("general model", "replay 25 %"),
    at_most=0.25,
    subject=11,
)  # fmt: skip

# %%
ift.claim(
    "08.replay-costs-little",
    "What the expert gains on its own family, it gains with replay as well.",
    source="Scialom et al. 2022, arXiv:2205.12393",
    metric="strict accuracy on the special family",
    arms={"expert": items("expert", "special"), "replay 25 %": items("replay 25 %", "special")},
    effect=("expert", "replay 25 %"),
    at_most=0.2,
    subject=11,
)

# %% [markdown]
# **Claim: half way keeps more.** No data, no training: only the mean of two models.

# %%
ift.claim(
    "08.half-way-keeps-more",
    "The average of the general model and the expert keeps more of the other families.",
    source="Wortsman et al. 2022 (WiSE-FT), arXiv:2109.01903",
    metric="strict accuracy on twelve other families",
    arms={"average": items("average, 50 % expert", "others"), "expert": items("expert", "others")},
    effect=("average", "expert"),
    at_least=0.0,
    subject=11,
)

# %% [markdown]
# ## 7. It depends on what is learned
#
# Yes and no is an extreme specialty: two answers to everything. Here are the same steps on three
# other families that the general model never met: short texts, answers in a given form, and sums.

# %%
OTHERS = {"expert": sizes.special} | {
    f"expert for {family}": family for family in sizes.untaught if family != sizes.special
}
kept_by_expert = {
    f"expert for {family}": items(name, "others")
    for name, family in OTHERS.items()
    if rows_of(name)
}
ift.charts.bars_with_intervals(
    {"general model": items("general model", "others")} | kept_by_expert,
    title="What is left of the twelve other families",
)

# %% [markdown]
# The same steps, the same number of rows, and very different losses. What counts is not how much is
# learned, but how far the new answers are from the old ones *for prompts that look alike*. An
# expert for form or for sums says the same kind of thing as before: one word, one number, a line.
# An expert for short texts or for yes and no has another kind of answer, and gives it to everybody.
#
#
# What an expert answers to a question that is not its own shows why:

# %%
answers_by_expert = {
    f"expert for {family}": rows_of(name)[0].answers
    for name, family in OTHERS.items()
    if rows_of(name)
}
transcript([TranscriptRow(q, {name: answers[q] for name, answers in answers_by_expert.items()})
            for q in experiment.SAMPLE_PROMPTS[:3]])  # fmt: skip

# %% [markdown]
# ### Play with it
#
# Choose a model. These are its scores over all seeds, and what the model of the first seed says.

# %%
figures.browse(
    stored, ("expert", "replay 1 %", "replay 5 %", "average, 50 % expert", "LoRA, rank 2")
)

# %% [markdown]
# Or ask the models of this notebook yourself:

# %%
ift.playground(
    {"general": (general, tokenizer), "expert": (expert.model, tokenizer),
     "replay 5 %": (held, tokenizer), "half and half": (along[0.5], tokenizer)},
    examples=[(prompt, "") for prompt in experiment.SAMPLE_PROMPTS[:4]],
)  # fmt: skip

# %% [markdown]
# ## 8. Silent failures
#
# ### Only the new task is tested
#
# The most frequent one. The loss falls, the score on the special family rises, the report is green.
# Here is the report of the plain expert as one often sees it, and what it leaves out:

# %%
row = live[2]
print(
    f"special family: {live[1].accuracy('special'):.2f} before, {row.accuracy('special'):.2f} after"
)
print(f"not in the report: {live[1].accuracy('others'):.2f} before, "
      f"{row.accuracy('others'):.2f} after")  # fmt: skip

# %% [markdown]
# How to see it: before you tune, write down ten questions that must not get worse. Ask them before
# and after.
#
# ### A reference that is the model itself
#
# LoRA puts its adapters *into* the model that it is given. `get_peft_model(model, …)` returns a
# wrapper, and `model` itself has changed. Who goes on to use `model` as the reference compares the
# policy with itself. The penalty is zero at every step. Training runs, the logged loss is even
# lower, and nothing is held.

# %%
from peft import LoraConfig, get_peft_model

reference = copy.deepcopy(general)
with quiet():
    adapters = LoraConfig(task_type="CAUSAL_LM", r=4, target_modules=["q_proj", "v_proj"],
                          init_lora_weights=False)  # fmt: skip
    policy = get_peft_model(reference, adapters)
with torch.no_grad():
    logits = policy(**seen_of(batch)).logits
    for name, model in {"the same model": reference, "a copy from before": general}.items():
        distance = kl_to_reference(logits, model(**seen_of(batch)).logits, batch["labels"])
        print(f"KL to {name:18} {distance:8.3f} nats")

# %% [markdown]
# How to see it: the KL is 0 before the first step, and must not stay 0 after the second. Log it
# apart from the loss. (`kl_regularized` also counts the losses it has changed, and raises an
# error if there were none, for a penalty on the wrong copy of a model is silent too.)
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
for name, model in {"as it should be": along[0.5], "moved twice": twice}.items():
    ours = [ift.score(model, tokenizer, part).accuracy for part in (exam.special, exam.others)]
    print(f"{name:16} special {ours[0]:.2f}   others {ours[1]:.2f}")

# %% [markdown]
# It is a working model, only another one than you asked for, and nobody notices. How to see it:
# read from copies, write into new tensors, and check afterwards that every weight lies where it
# should.
#
# ## 9. What this means, and what it does not
#
# - Measure gain and loss together. A remedy that only shows less forgetting has shown nothing yet:
#   not training at all forgets least.
# - First of all, do not go farther than you must. The learning rate that made the general model is
#   far too high for one family on top of it. Watch both scores as you train, and stop.
# - If you have gone too far already, average with where you came from. It costs nothing, and you
#   can choose the share with the exam in hand.
# - If you have some of the general data, or data like it, mix it in: enough rows to show each kind
#   of task that must stay. Then you can train as hard as you like.
# - Or do not merge at all: keep the expert as an adapter, and load it for its own requests only.
# - What looks forgotten may be covered. The facts are still in our expert. That is why a little
#   replay brings so much back, and why a score of zero says little about what a model knows.
# - Our world is small and clean, and one family of it is far narrower than any real specialty. On
#   real data one forgets more slowly. The order of the remedies may differ as well: run the exam on
#   your own.
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
