# %% [markdown]
# # Multitask instruction tuning
#
# {{ badge }}
#
# In 2021 a group at Google asked a simple question. If a model is tuned on many tasks, each of them
# *described in words*, does it learn the tasks, or does it learn to follow descriptions? If the
# second is true, it should also do tasks that nobody tuned it on. They called the method
# **instruction tuning**, and the model FLAN.
#
# Here you repeat their experiment in a world where every task can be checked by a program. At the
# end you will be able to
#
# - say what FLAN measured, and where it failed;
# - explain with one line of algebra why many tasks teach what one task cannot;
# - hold out whole families of tasks, and find the leak between them;
# - measure what the *variety of tasks*, the *instruction itself* and a *neighboring task*
#   contribute;
# - say what the base model has to bring along.
#
# What this lesson costs:
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("06")

# %% [markdown]
# ## 1. What the papers did
#
# | who | tuned on | where it says so |
# | --- | --- | --- |
# | FLAN, Wei et al. 2022 | 62 data sets in 12 clusters, ten templates each | §2.1 |
# | InstructGPT, Ouyang et al. 2022 | 12,725 prompts, 11,295 of them from labelers | table 6 |
# | Super-NaturalInstructions, Wang et al. 2022 | 1,616 tasks of 76 types in all | abstract |
# | Flan 2022, Chung et al. 2022 | 1,836 tasks: 80 + 193 + 1,554 + 9 | §2.1 |
#
# (InstructGPT's number is that of its SFT; it used 33,207 prompts to train its reward model and
# 31,144 for PPO. Flan 2022's four parts are called Muffin, T0-SF, NIV2 and chain of thought.)
#
# FLAN counts a data set as unseen only if *no data set of its cluster* was tuned on (§2.2). It was
# tested **zero-shot**: with the description of the task, and without any solved case. Its base had
# 137 billion parameters. What it found, in four lines:
#
# - **More clusters, better.** The average over three held-out clusters went from 49.9 with one
#   cluster to 63.5 with seven (figure 6).
# - **The instruction matters.** Tuned without instructions and then given one: 37.3. Tuned with
#   them: 55.2 (table 3).
# - **More templates matter little.** (Appendix B.1)
# - **Size matters.** For models of 8 billion parameters and below, tuning *hurt* performance on
#   held-out tasks (§4.2, figure 7).
#
# Super-NaturalInstructions adds: more tasks helped steadily, more examples of each task did not.
# (§5.2 and figure 5 of its first version.)
#
# Our base has a few million parameters. By the last line, tuning it should fail. We shall see what
# that depends on.
#
# ### What we predicted
#
# On families never tuned on, strictly scored, with the same number of examples in all:
#
# 1. with eleven families at least 0.7 right; with one at most 0.35; the difference above 0.3;
# 2. the same examples without their instructions lose at least 0.4;
# 3. a base that has read prose only, and no *reading text*, stays at or below 0.2, even after
#    eleven families;
# 4. summaries get better without a family that answers the same stories in another form;
# 5. tuned on all other families, FLAN's way, a model gets at least 0.5 of an unseen one right.
#
# The predictions are older than every run, and each is printed beside its measurement. A claim
# below asks for less: that the 95 % interval of a difference lies above zero.
#
# ## 2. Why many tasks: by hand
#
# A toy first. A model knows four things about every object: four numbers, $x$. An instruction is
# four numbers too, $v$: what its words mean. The right answer is some way of asking $x$ with $v$:
#
# $$y = x^\top W v$$
#
# The model has to find $W$, the way from what is asked to what is known, from examples. Suppose it
# has seen a single task, with instruction $v_1$, however many examples. All that these examples can
# say is what $W v_1$ is. The simplest $\hat W$ that fits is
#
# $$\hat W = \frac{(W v_1)\, v_1^\top}{v_1^\top v_1} \qquad\text{so}\qquad
# \hat W v_2 = \frac{v_1^\top v_2}{v_1^\top v_1}\; W v_1$$
#
# Read the right side. Given a new instruction $v_2$, the model does *the old task*, scaled by how
# similar the two instructions are. More examples do not change that. Instructions in four different
# directions do: then nothing about $W$ is left open, and *every* instruction works.

# %%
import torch

draw = torch.Generator().manual_seed(0)


def numbers(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=draw, dtype=torch.float64)


way = numbers(4, 12)  # W; where an instruction is four numbers, its first four columns
seen, unseen = numbers(8, 4), numbers(4, 4)  # eight instructions to tune on, four to test


def examples(instructions: torch.Tensor, n: int):
    """(x, v, y): n examples, the instructions taking turns."""
    v = instructions[torch.arange(n) % len(instructions)]
    x = numbers(n, 4)
    return x, v, torch.einsum("ni,ij,nj->n", x, way[:, : v.shape[1]], v)


def by_hand(v1: torch.Tensor) -> torch.Tensor:
    """What a single task teaches."""
    return torch.outer(way[:, :4] @ v1, v1) / (v1 @ v1)


# %% [markdown]
# In PyTorch: start with zeros, and go down the squared error.

# %%


def tuned(x, v, y, steps: int = 4000, rate: float = 0.05) -> torch.Tensor:
    guess = torch.zeros(4, v.shape[1], dtype=torch.float64, requires_grad=True)
    for _ in range(steps):
        loss = (torch.einsum("ni,ij,nj->n", x, guess, v) - y).square().mean()
        (slope,) = torch.autograd.grad(loss, guess)
        with torch.no_grad():
            guess -= rate * slope
    return guess.detach()


one = examples(seen[:1], 96)
descent = tuned(*one)
# With the library: a row for each example, the 16 products of x and v.
rows = torch.einsum("ni,nj->nij", one[0], one[1]).flatten(1)
library = torch.linalg.lstsq(rows, one[2], driver="gelsd").solution.view(4, 4)
for name, solution in {"PyTorch": descent, "torch.linalg.lstsq": library}.items():
    print(
        f"{name:20} differs from the line above by {(solution - by_hand(seen[0])).abs().max():.1e}"
    )
    assert torch.allclose(solution, by_hand(seen[0]), atol=1e-5)

# %% [markdown]
# The algebra, gradient descent and the library's least squares agree. Now the number of tasks,
# always with 96 examples in all. An answer counts as right within 0.1. The second line is for
# instructions whose words mean nothing yet: each is a symbol of its own, a one among twelve zeros.

# %%
from ift_course.plots.grid_figures import curves

counts = (1, 2, 4, 8)
symbols = torch.eye(12, dtype=torch.float64)


def right(matrix: torch.Tensor, instructions: torch.Tensor) -> list[float]:
    x, v, y = examples(instructions, 400)
    predictions = torch.einsum("ni,ij,nj->n", x, matrix, v)
    return ((predictions - y).abs() < 0.1).double().tolist()


toy = {
    "words with shared meaning": {
        count: [right(tuned(*examples(seen[:count], 96)), unseen)] for count in counts
    },
    "every instruction a new symbol": {
        count: [right(tuned(*examples(symbols[:count], 96)), symbols[8:])] for count in counts
    },
}
more = right(tuned(*examples(seen[:1], 4 * 96)), unseen)
print(f"one task with four times the examples: {sum(more) / len(more):.2f}")
curves(
    toy,
    title="The toy: 96 examples of 1 to 8 tasks, unseen instructions",
    xlabel="tasks tuned on",
    note="computed in the cell above",
)

# %% [markdown]
# Three expectations for language models come out of this toy:
#
# - it is the number of *different* tasks that counts, and at some number nothing is left open;
# - with too few tasks, a model answers new instructions as if they were old ones;
# - all of it rests on $v$: instructions must come with a meaning that new ones *share* with old
#   ones. Tuning does not make that meaning. Pretraining did. A base for which every instruction is
#   a new symbol learns each task, and nothing about the next one.
#
# ## 3. Tasks in words
#
# The course's world has these families of tasks. Five of them, drawn by lot, are held out.

# %%
import textwrap

from ift_course.lessons.lesson_06 import experiment
from ift_course.world.tasks import HELD_OUT_FAMILIES, TASKS

for family in (*experiment.TUNED_FAMILIES, *HELD_OUT_FAMILIES):
    names = [task.name for task in TASKS if task.family == family]
    held = "held out" if family in HELD_OUT_FAMILIES else ""
    line = f"{family:12} {held:9} {len(names)}: {', '.join(names)}"
    print(textwrap.fill(line, 100, subsequent_indent=" " * 26))
print(f"{len(TASKS)} tasks")

# %% [markdown]
# Each task comes in several **wordings**, what FLAN calls templates. Some leave what is asked about
# to an input.

# %%
from ift_course.plots.transcript import TranscriptRow, transcript

short = [e for e in ift.sample(60, seed=4, tasks=["opposite", "place"]) if len(e.input) < 90]
transcript(
    [
        TranscriptRow(e.instruction, {"input": e.input or "(none)", "response": e.response})
        for e in short[:6]
    ],
    heading="instruction",
)

# %% [markdown]
# ### A leak
#
# Is a family unseen because none of its tasks is tuned on? Look at the family *format*: "Answer in
# capital letters" asks for facts, of *any* family.

# %%
candidates = ift.sample(4000, seed=profile.seeds[0], families=experiment.TUNED_FAMILIES)
leaking = [e for e in candidates if experiment.leaks(e)]
share = len(leaking) / len(candidates)
print(f"{share:.1%} of the examples may ask what only a held-out family should")
for example in leaking[:4]:
    print(f"  {example.family}: {example.instruction} {example.input} → {example.response}")

# %% [markdown]
# Do not trust the names of families: search the training set for the *questions* of the test, as in
# exercise 03.1. The experiments of this lesson leave such examples out. FLAN had a similar problem
# and dropped paraphrasing whenever it tested inference, and the other way round (§2.2).
#
# ### A mixture
#
# When data sets are of different sizes, one has to decide how often each is drawn. FLAN took T5's
# **examples-proportional mixing with a cap**: a data set counts with its size, but with at most
# 3,000. By hand, and then with `datasets`:

# %%
from collections import Counter

from datasets import Dataset, interleave_datasets

sizes = {"translation": 9000, "questions": 2000, "rhymes": 500}
capped = {name: min(size, 3000) for name, size in sizes.items()}
rates = {name: size / sum(capped.values()) for name, size in capped.items()}

mixed = interleave_datasets(
    [Dataset.from_dict({"task": [name] * size}) for name, size in sizes.items()],
    probabilities=list(rates.values()),
    seed=0,
    stopping_strategy="all_exhausted",
)
task_counts = Counter(mixed["task"])
for name, rate in rates.items():
    share = task_counts[name] / len(mixed)
    spread = (rate * (1 - rate) / len(mixed)) ** 0.5
    print(f"{name:12} size {sizes[name]:5,}   by hand {rate:.4f}   library {share:.4f}")
    assert abs(share - rate) < 4 * spread

# %% [markdown]
# Our own families have as many examples as we like, so each gets the same share.
#
# ## 4. More families
#
# A **configuration** says what a base is tuned on. `run_config` in
# `ift_course/lessons/lesson_06/experiment.py` draws the examples, tunes, and asks 24 questions from
# each of the five held-out families, about things that no example mentioned. All configurations
# have 440 examples and as many steps.
#
# The first seed of one family and of eleven is measured now. The others come from the stored
# results, which the same code computed from the same base (`ift run 06 --full`).

# %%
from statistics import fmean

from ift_course.claims import grid_store
from ift_course.claims.claim import FEWEST_SEEDS
from ift_course.claims.results import origin
from ift_course.evaluation.intervals import two_level_interval
from ift_course.lessons.lesson_06 import figures
from ift_course.lessons.lesson_06.experiment import MultitaskConfig

stored = [
    row
    for row in grid_store.read(profile, "06", experiment.MultitaskResult)
    if row.seed in profile.seeds
]
live = []


def known() -> list:
    """Every result there is: those measured here, and the stored ones that are not."""
    measured = {(row.config, row.seed) for row in live}
    return [*live, *(row for row in stored if (row.config, row.seed) not in measured)]


def measure(config: MultitaskConfig, now: bool = False) -> list:
    """A result for each stored seed; the first seed is computed here if `now` or not stored."""
    first = profile.seeds[0]
    if now or (config, first) not in {(row.config, row.seed) for row in known()}:
        live.append(experiment.run_config(config, first, profile))
    results = sorted((row for row in known() if row.config == config), key=lambda row: row.seed)
    by_seed = "  ".join(f"{row.accuracy():.2f}" for row in results)
    print(f"families tuned on: {config.families}; share correct by seed: {by_seed}")
    return results


def enough(*arms: list) -> bool:
    """Whether the arms have the seeds that a claim needs; if not, say what computes them."""
    if min(map(len, arms)) < FEWEST_SEEDS:
        print("Too few seeds are stored for this base: `ift run 06 --full` computes them.")
        return False
    return True


def predicted(text: str, *arms: list) -> float:
    """Print a prediction beside what was measured, the mean of an arm or a difference of two."""
    means = [fmean(map(fmean, arm)) for arm in arms]
    low, high = two_level_interval(*arms)
    effect = means[0] - sum(means[1:])
    print(f"predicted {text}; measured {effect:.2f} (95 % interval {low:.2f} to {high:.2f})")
    return effect


one_family = measure(experiment.ALONE[0], now=True)
all_families = measure(experiment.TOGETHER, now=True)
note = origin(stored) if stored else ""
print(f"stored: {note}" if stored else "nothing is stored for this base")

# %% [markdown]
# ### What it looks like
#
# The same question from each held-out family, put to the model of one family and to that of eleven.
# Before you read the answers: what would the toy have the first model say?

# %%
few, many = figures.replies(one_family[0]), figures.replies(all_families[0])
transcript(
    [
        TranscriptRow(
            question,
            {f"one ({one_family[0].families[0]})": few[question], "eleven": many[question]},
        )
        for question in few
    ]
)

# %%
for name, result, answers in (
    ("one family", one_family[0], few),
    ("eleven", all_families[0], many),
):
    n_right = sum(reply.correct for reply in answers.values())
    print(f"{name:12} right {n_right} of {len(answers)}   last loss {result.loss:.3f}")

# %% [markdown]
# The training loss is what one watches, and it only says how well a model does what it was tuned
# on. It says nothing about other families.
#
# What one family teaches may depend on which it is. So each seed tunes on several families, one at
# a time. Each of these models has a row here; the last row is the mean over the seeds.

# %%
from ift_course.plots.grid_figures import heat

shares = figures.by_held_out(known())
heat(
    shares,
    title="Which family teaches what",
    xlabel="share correct on the held-out family",
    ylabel="tuned on",
    note=note,
)

# %%
rows, columns = (list(dict.fromkeys(key[i] for key in shares)) for i in (0, 1))
by_row = {row: fmean(shares[row, column] for column in columns) for row in rows}
worst, best = rows[0], rows[-2]
together = figures.ALL_TOGETHER
hardest = min(columns, key=lambda column: shares[together, column])
print("mean of the row:", ", ".join(f"{row} {by_row[row]:.2f}" for row in (worst, best, together)))
print(f"hardest for {together}: {hardest}, {shares[together, hardest]:.2f}")

# %% [markdown]
# Look at the list in section 3 again before you count rows. Families are not of one size: some have
# a single task, and *format* borrows its questions from all other families. So "one family" may be
# much or little variety.
#
# **Claim: more families beat one**, with the same number of examples and steps. Each family that
# was tuned on alone is compared with the eleven of the same seed.

# %%
eleven, one = figures.together_and_alone(known())
[all_seeds] = figures.paired(known(), experiment.TOGETHER)
if enough(eleven, all_seeds):
    predicted("for eleven families at least 0.7", all_seeds)
    predicted("for one family at most 0.35", one)
    gap = predicted("for the difference more than 0.3", eleven, one)
    ift.claim(
        "06.more-families-beat-one",
        "With the same number of examples, eleven families teach more about unseen ones than one "
        "does.",
        source="Wei et al. 2022 (FLAN), arXiv:2109.01652, section 4.1 and figure 6",
        metric="strict accuracy on five held-out families; a pair for each family tuned on alone",
        arms={"eleven families": eleven, "one family": one},
        effect=("eleven families", "one family"),
        at_least=0.0,
        subject=7,
        differs="" if gap > 0.3 else "The difference is smaller than the 0.3 that we predicted.",
    )

# %% [markdown]
# ## 5. What the instruction is worth
#
# Ordinary fine-tuning for one task has no instruction: a review goes in, "positive" comes out.
# Nobody has to say what is wanted, since it is always the same. Here are our examples without their
# instructions: what is given, and the response.

# %%
cut = experiment.training_set(experiment.NO_INSTRUCTION, profile.seeds[0])
whole = experiment.training_set(experiment.TOGETHER, profile.seeds[0])
transcript(
    [
        TranscriptRow(
            e.instruction[:70], {"without its instruction": b.instruction[:60], "→": b.response}
        )
        for e, b in list(zip(whole, cut, strict=True))[:6]
    ],
    heading="with its instruction",
)

# %% [markdown]
# With eleven families this is ambiguous: "France" may want a capital or a language. How much
# *could* a model get right? That can be counted, without training any: among the examples that look
# alike, those with the most frequent response. (Exercise 06.5.)

# %%
from collections import defaultdict


def ceiling(rows: list, seen) -> float:
    groups = defaultdict(Counter)
    for row in rows:
        groups[seen(row)][row.response] += 1
    return sum(max(group.values()) for group in groups.values()) / len(rows)


facts = ift.sample(3000, seed=0, families=["geography", "animals", "people"])
print(f"sees the whole prompt      {ceiling(facts, lambda e: (e.instruction, e.input)):.2f}")
print(f"sees only what is given    {ceiling(facts, lambda e: experiment.bare(e).instruction):.2f}")

# %% [markdown]
# **Claim: it is the instruction that carries over.** The same examples, with and without their
# instructions; the test always has them.

# %%
measure(experiment.NO_INSTRUCTION)
instructed, bare = figures.paired(known(), experiment.TOGETHER, experiment.NO_INSTRUCTION)
if enough(instructed):
    gap = predicted("for the difference at least 0.4", instructed, bare)
    ift.claim(
        "06.instructions-carry-over",
        "Tuned on the same examples without their instructions, a model follows unseen ones less.",
        source="Wei et al. 2022 (FLAN), arXiv:2109.01652, section 4.3 and table 3",
        metric="strict accuracy on five held-out families, asked with instructions",
        arms={"with instructions": instructed, "without": bare},
        effect=("with instructions", "without"),
        at_least=0.0,
        subject=7,
        differs="" if gap >= 0.4 else "The difference is smaller than the 0.4 that we predicted.",
    )

# %% [markdown]
# ## 6. Can a neighbor hurt?
#
# By the toy, a new instruction is answered like an old one that resembles it. Here is a pair of
# neighbors: a task of *extraction* gives a story and asks for a word in it; a *summary* gives the
# same kind of story and asks for a sentence. What will a model write that has met the first and is
# asked for the second?
#
# To test it, we go FLAN's own way: "each model holds out a different task cluster" (§2.2). Two
# models are tuned on all other families, and asked for summaries. One of them does without
# *extraction* too, as FLAN does without neighbors. We expect that it writes more right summaries.

# %%
arms = {
    "with extraction": measure(experiment.WITH_NEIGHBOR),
    "without": measure(experiment.WITHOUT_NEIGHBOR),
}
stories = {}  # the first story of each seed, and what both models answer
for name, rows in arms.items():
    for row in rows:
        for question, reply in figures.replies(row).items():
            stories.setdefault(question, {})[name] = reply
transcript([TranscriptRow(question, answers) for question, answers in stories.items()])

# %%
without, neighbor = figures.rouge_arms(known())
if enough(without):
    ift.claim(
        "06.neighbor-hurts",
        "Summaries of unseen stories are worse if extraction was among the tasks tuned on.",
        source="Wei et al. 2022 (FLAN), arXiv:2109.01652, section 2.2, drops near clusters",
        metric="words shared with a right summary (ROUGE-1 F1)",
        arms={"without extraction": without, "with extraction": neighbor},
        effect=("without extraction", "with extraction"),
        at_least=0.0,
        subject=7,
    )

# %% [markdown]
# Neither model writes a right summary. Where both scores lie at the floor, a difference cannot
# show, and the prediction is not decided. Read the answers themselves: what does the model with
# the neighbor write, a word or a sentence? Where one task makes another one worse, the field
# speaks of **negative transfer**. The nearest neighbor of a new task may help it if it wants the
# same form of answer, and may hurt it if it wants another. So "unseen" is a matter of degree, and
# a paper that reports one number has chosen the distance.
#
# ## 7. What the base must bring
#
# The toy said that tuning only finds the way from a meaning to an answer. The meaning has to be
# there. The course's base has read *reading text*: prose where an earlier mention, in changing
# words, decides what is stated next ("Anna wanted to know the sound of the owl. Ben said that …").
# A second base of the same size has read none of it: it stopped after the first phase of
# pretraining.
#
# FLAN compared its models with the base *before* tuning, asked in the way that suits a base: by a
# text to complete. So do we. The base completes "The color of the lamp is", the tuned model answers
# "What color is the lamp?", both about the same thing. (Four of the five held-out families can be
# put as such a sentence.) These results are stored.

# %%
from IPython.display import display

from ift_course.lessons.lesson_06 import bases

reads, prose = figures.paired(known(), experiment.TOGETHER, experiment.PROSE_TOGETHER)
if enough(prose):
    pairs = {}
    for base in experiment.BASES:
        phases = bases.phases(base)
        print(f"{base:8} {sum(phases.values()):11,} tokens: {', '.join(phases)}")
        completed, answered = figures.in_prose(known(), base)
        pairs[f"{base}: completes, before"] = completed
        pairs[f"{base}: answers, after eleven"] = answered
    display(ift.charts.bars_with_intervals(pairs, title="Two bases, before and after tuning"))

# %% [markdown]
# Compare the two bars of each base: what it could complete, and how much of that its tuned model
# reaches through an instruction of an unseen family.
#
# **Claim: the base must have met reading.**

# %%
if enough(prose):
    predicted("for the base of prose at most 0.2", prose)
    ift.claim(
        "06.reading-comes-first",
        "The same tuning carries less over to unseen families if the base has met no reading text.",
        source="section 2; Wei et al. 2022 (FLAN), arXiv:2109.01652, section 4.2, for small models",
        metric="strict accuracy on five held-out families, eleven tuned on",
        arms={"base that reads": reads, "base of prose": prose},
        effect=("base that reads", "base of prose"),
        at_least=0.0,
        subject=7,
    )

# %% [markdown]
# The base of prose has read less in every respect, and not only no reading text. So the comparison
# does not say how much of the difference is due to reading alone.
#
# ## 8. A silent failure: the average over questions
#
# Suppose the test had ten times as many questions from the family that is done best. The average
# over *questions* would rise, and nothing would have become better. Average over families, and take
# the interval over families too (exercise 06.6).

# %%
means = figures.family_shares(all_families[0])
best = max(means, key=means.get)
weights = {name: 10 if name == best else 1 for name in means}
skewed = sum(weights[name] * means[name] for name in means) / sum(weights.values())
print(f"ten times as many questions from {best!r}: {skewed:.2f} instead of "
      f"{fmean(means.values()):.2f}")  # fmt: skip

# %% [markdown]
# ## 9. What this means, and what it does not
#
# - The lines that begin with "predicted", and the three claims, are the result of this lesson.
# - FLAN's advice follows from the toy: if you can collect a thousand examples, collect them from
#   many tasks, with their instructions.
# - How much generalization one measures depends on what is held out, and on whether its neighbor
#   was tuned on. A paper's number belongs to its way of testing.
# - Tuning alone makes no meaning. It finds what pretraining has left there.
# - Our world is small and clean, and its families resemble each other more than translation and
#   inference do. FLAN's negative result for small models was later softened by others: Chung et al.
#   2022 report gains for Flan-T5 from 80 million parameters on, on other tests.
#
# ## Questions

# %%
ift.quiz("06")

# %% [markdown]
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## Exercises
#
# Six functions, checked the moment you write them: mixing rates, equal shares, a split without
# leaks, templates, what an instruction is worth, and an average over families.
# [exercises/06_multitask_generalization.ipynb](../exercises/06_multitask_generalization.ipynb)
#
# ## To read
#
# - Wei et al. 2022, *Finetuned Language Models Are Zero-Shot Learners*,
#   [arXiv:2109.01652](https://arxiv.org/abs/2109.01652). Sections 2 and 4.
# - Chung et al. 2022, *Scaling Instruction-Finetuned Language Models*,
#   [arXiv:2210.11416](https://arxiv.org/abs/2210.11416). Sections 2 and 3.
# - Longpre et al. 2023, *The Flan Collection: Designing Data and Methods for Effective Instruction
#   Tuning*, [arXiv:2301.13688](https://arxiv.org/abs/2301.13688).
# - Wang et al. 2022, *Super-NaturalInstructions: Generalization via Declarative Instructions on
#   1600+ NLP Tasks*, [arXiv:2204.07705](https://arxiv.org/abs/2204.07705).
# - Sanh et al. 2022, *Multitask Prompted Training Enables Zero-Shot Task Generalization* (T0),
#   [arXiv:2110.08207](https://arxiv.org/abs/2110.08207).
# - Ouyang et al. 2022, *Training Language Models to Follow Instructions with Human Feedback*,
#   [arXiv:2203.02155](https://arxiv.org/abs/2203.02155). Table 6 has the numbers of prompts.
# - Raffel et al. 2020, *Exploring the Limits of Transfer Learning with a Unified Text-to-Text
#   Transformer* (T5), [arXiv:1910.10683](https://arxiv.org/abs/1910.10683). Section 3.5.2: mixing.
