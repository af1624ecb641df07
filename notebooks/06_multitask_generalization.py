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
# - hold out whole families of tasks, and find the leak that makes the result look better;
# - tell apart what the *number of tasks*, the *number of examples*, the *wordings* and the
#   *instruction itself* contribute;
# - say what the base model has to bring along, and show a base on which tuning makes things worse.
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
# The number of parameters of our base is one in twenty-five thousand of FLAN's. By the last line it
# should fail. We shall see on what that depends.
#
# ### What we expected, before we measured
#
# On families never tuned on, strictly scored, with the same number of examples in all:
#
# 1. with eleven families at least 0.7 right; with one at most 0.35; the difference above 0.3;
# 2. four times as many examples of one family gain at most 0.1;
# 3. the same examples without their instructions lose at least 0.4;
# 4. one wording for each task instead of all loses at most 0.1 on held-out families;
# 5. a base that has read prose only, and no *reading text*, stays at or below 0.2, however many
#    families it is tuned on; and tuning makes it worse than it was, by at least 0.2.
#
# These bounds were written down before any run of the grid. The first line did not hold with eleven
# families. With fifteen, in FLAN's own way of testing, it does (section 4), its 0.35 on the mean
# and not with the whole interval. Lines 2 to 4 were first looked at with three seeds, whose
# intervals are too wide for these bounds. So some claims below carry other bounds, set after that
# look; each place says so. There are six seeds now, and more where a picture says so.
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
# Read the right side. Given a new instruction $v_2$, the model does *the old task*, as loudly as
# the new instruction resembles the old one. More examples do not change it. What would:
# instructions in four different directions. Then nothing about $W$ is left open, and *every*
# instruction works.

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
# Three predictions for real models come out of this toy:
#
# - it is the number of *different* tasks that counts, and at some number nothing is left open;
# - with too few tasks, a model answers new instructions as if they were old ones;
# - all of it rests on $v$: instructions must come with a meaning that new ones *share* with old
#   ones. Tuning does not make that meaning. Pretraining did. A base for which every instruction is
#   a new symbol learns each task, and nothing about the next one.
#
# ## 3. Tasks in words
#
# The course's world has sixty tasks in sixteen families. Five of the families, drawn by lot, are
# held out.

# %%
from ift_course.lessons.lesson_06 import experiment
from ift_course.world.tasks import HELD_OUT_FAMILIES, TASKS

for family in (*experiment.TUNED_FAMILIES, *HELD_OUT_FAMILIES):
    names = [task.name for task in TASKS if task.family == family]
    held = "held out" if family in HELD_OUT_FAMILIES else ""
    print(f"{family:12} {held:9} {', '.join(names)}"[:100])

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
# The grid of this lesson leaves them out. What they are worth is measured at the end. FLAN had the
# same trouble: it dropped paraphrasing whenever it tested inference, and the other way round
# (§2.2).
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
# ## 4. The experiment
#
# A **configuration** says what a base is tuned on. `run_config` in
# `ift_course/lessons/lesson_06/experiment.py` draws the examples, tunes, and asks 24 questions from
# each of the five held-out families, about things that no example mentioned. All configurations
# have 440 examples and as many steps, unless their name says otherwise. Which families come first
# is drawn by the seed, and differs between seeds.
#
# The first seed of the most important ones is measured now. The others come from the stored grid,
# which the same code computed on the same base (`ift run 06 --full`); where nothing is stored, they
# are measured now as well.

# %%
from ift_course.claims import grid_store
from ift_course.lessons.lesson_06 import figures
from ift_course.lessons.lesson_06.experiment import ALL, MultitaskConfig

seeds = profile.more_seeds(2)
own = profile.more_seeds(4)  # a run with other seeds leaves the published rows alone
stored = [
    row for row in grid_store.read(profile, "06", experiment.MultitaskResult) if row.seed in own
]
live = []


def measure(config: MultitaskConfig, now: bool = False) -> list:
    """A result for each seed; the first is computed in this notebook if `now`."""
    results = []
    for seed in seeds:
        of_seed = [x for x in [*live, *stored] if x.config == config and x.seed == seed]
        if not of_seed or (now and seed == seeds[0]):
            of_seed = [experiment.run_config(config, seed, profile)]
            live.extend(of_seed)
        results += of_seed[:1]
    by_seed = "  ".join(f"{x.accuracy():.2f} ({(x.families or ['none'])[0]} …)" for x in results)
    tested = f", asked for {config.tested}" if config.tested else ""
    print(f"{config.families} families, {config.examples:,} examples{tested}: {by_seed}")
    return results


def known() -> list:
    """Every result there is: the stored ones, and those measured here that are not stored."""
    in_store = {(x.config, x.seed) for x in stored}
    return [*stored, *(x for x in live if (x.config, x.seed) not in in_store)]


one_family = measure(MultitaskConfig(1), now=True)
all_families = measure(MultitaskConfig(ALL), now=True)
print(f"stored: {figures.origin(stored)}" if stored else "nothing is stored for this base")

# %% [markdown]
# ### What it looks like
#
# The same five questions, put to the model of one family and to that of eleven.

# %%
questions = list(one_family[0].answers)
transcript(
    [
        TranscriptRow(
            question,
            {
                f"one ({one_family[0].families[0]})": one_family[0].answers[question],
                "eleven": all_families[0].answers[question],
            },
        )
        for question in questions
    ]
)

# %% [markdown]
# Does the left column remind you of the toy? A model of one family takes a new instruction for an
# old one. It has learned its task well: look at the next line, which asks about the family it was
# tuned on.

# %%
from statistics import fmean

for name, rows in {"one family": one_family, "eleven families": all_families}.items():
    own = fmean(row.accuracy("tuned") for row in rows)
    other = fmean(row.accuracy() for row in rows)
    print(f"{name:16} what it was tuned on {own:.2f}   held-out families {other:.2f}   "
          f"last loss {rows[0].loss:.3f}")  # fmt: skip

# %% [markdown]
# Mind the loss. It is what one watches during training, and it does not tell the two apart.
#
# **Claim: many families generalize.** We had expected 0.7. Look at the single questions above, or
# at the table below: one of the five families, *summary*, is hardly ever done. The answer to a
# story is a word, as in *extraction*: a new instruction is answered like an old one that resembles
# it, as the toy predicts. So there are two claims, with bounds that were set after this was seen.
# (Of the other four families we had first said seven in ten. The mean was above that in all of five
# runs, the interval of three seeds in three of them: hence the bound, and the six seeds of today.)

# %%
ift.claim(
    "06.many-families-generalize",
    "Tuned on eleven families of tasks, a model does more than half of what is asked from families "
    "it was never tuned on.",
    source="Wei et al. 2022 (FLAN), arXiv:2109.01652, section 4.1 and figure 6",
    metric="strict accuracy on five held-out families",
    arms={"eleven families": [row.scores() for row in all_families]},
    effect="eleven families",
    at_least=0.5,
    subject=7,
    differs="Before the first run we expected 0.7. Summaries are not done at all: the model "
    "answers a story with a word, as one of the eleven does (06.a-neighbor-in-the-way). By FLAN's "
    "own way of testing, 0.7 is kept (06.all-other-families).",
)
ift.claim(
    "06.four-of-five-families",
    "On the four held-out families other than summaries, it does at least six in ten.",
    source="Wei et al. 2022 (FLAN), arXiv:2109.01652, section 4.1 and figure 6",
    metric="strict accuracy on the held-out families, without summary",
    arms={"eleven families": figures.without("summary", [row.scores() for row in all_families]),
          "one family": figures.without("summary", [row.scores() for row in one_family])},
    effect="eleven families",
    at_least=0.6,
    subject=7,
)  # fmt: skip

# %% [markdown]
# **Claim: one family does not.** Which family the one is makes a great difference. So here each of
# the eleven was the one, each with a seed of its own. (Stored results; the bound was set after a
# look: 0.35 is near the mean, and so no interval could keep it.)

# %%
from IPython.display import display

alone = {row.families[0]: [row.scores()] for row in stored if row.config == MultitaskConfig(1)}
if len(alone) > 3:
    display(
        ift.charts.bars_with_intervals(
            dict(sorted(alone.items(), key=lambda item: -sum(item[1][0]))),
            title=f"{experiment.EXAMPLES} examples of one family, by family",
            xlabel="share correct on five held-out families",
        )
    )
    ift.claim(
        "06.one-family-does-not",
        "Tuned on as many examples of one family, whichever it is, a model does less than half, on "
        "the average over the choices.",
        source="Wei et al. 2022 (FLAN), arXiv:2109.01652, section 4.1 and figure 6",
        metric="strict accuracy on five held-out families; one seed for each family tuned on",
        arms={"one family": [fmean(seed[0]) for seed in alone.values()]},
        effect="one family",
        at_most=0.5,
        subject=7,
        differs="One family of eleven does as well as all together: that of formats, whose answers "
        "take many forms.",
    )

# %% [markdown]
# **Claim: more families beat one**, seed by seed, with the same number of examples and steps.

# %%
eleven, one = figures.paired(known(), MultitaskConfig(ALL), MultitaskConfig(1))
ift.claim(
    "06.more-families-beat-one",
    "With the same number of examples, eleven families teach more about unseen ones than one does.",
    source="Wei et al. 2022 (FLAN), arXiv:2109.01652, section 4.1 and figure 6",
    metric="strict accuracy on five held-out families",
    arms={"eleven families": eleven, "one family": one},
    effect=("eleven families", "one family"),
    at_least=0.0,
    subject=7,
)

# %% [markdown]
# Look at the two ends of the picture with the eleven bars. *format* does alone what eleven families
# do together; *sentiment* and *yes_no*, whose answers are one of two words, leave a model that says
# hardly anything else ever after. Here is how we read it. Our base can read, and any tuning teaches
# it to answer and then to stop. What else a family teaches is the *form* of its answers. One that
# shows words, sentences, lists and capitals says "look at what is asked for". One that shows one of
# two words says "one of these two will do". So FLAN's "more clusters" is a good rule because
# clusters differ, and not because they are many.
#
# And the summaries? Is it *extraction* that spoils them, because it asks for words from the same
# stories? Then other families alone should leave them as they were:

# %%
for row in stored:
    if row.config == MultitaskConfig(1):
        share = fmean(figures.families([row], MultitaskConfig(1))["summary"][0])
        print(f"tuned on {row.families[0]:12} alone: summaries {share:.2f}")

# %% [markdown]
# They do not. Families that never saw a story spoil them too, and *format* alone writes most of
# them. It is the form again. But why is *format* outvoted when it is one of eleven? Here are all
# stored models of two to eight families, by whether they were tuned on *format* and on
# *extraction*:

# %%
several = [
    row
    for row in stored
    if row.config in {MultitaskConfig(2), MultitaskConfig(4), MultitaskConfig(8)}
]
tuned_on = [("format" in row.families, "extraction" in row.families) for row in several]
for both in sorted(set(tuned_on), reverse=True):
    shares = [fmean(figures.families([row], row.config)["summary"][0])
              for row, pair in zip(several, tuned_on, strict=True) if pair == both]  # fmt: skip
    form, story = ("with   " if there else "without" for there in both)
    print(
        f"{form} format, {story} extraction: summaries {fmean(shares):.2f}, "
        f"written by {sum(share > 0 for share in shares)} of {len(shares)} models"
    )

# %% [markdown]
# So it takes two things. *Format* has to show that answers take many forms. And *extraction* must
# not have shown that the answer to a story is one word: where it was tuned on, no model writes a
# single summary. But which families come together is chance here. So we try it: ten families, all
# but *extraction*, with the same seeds.
#
# **Claim: a neighbor stands in the way.** The bound, zero, was set after a first look at three of
# these six models. The other three came later, and so did the run with other seeds that
# [the table](../docs/claims.md) shows.

# %%
ten_families = measure(MultitaskConfig(ALL - 1, without="extraction"))
summaries = {
    name: figures.families(rows, rows[0].config)["summary"]
    for name, rows in {"without extraction": ten_families, "eleven": all_families}.items()
}
ift.claim(
    "06.a-neighbor-in-the-way",
    "Without the family that answers the same stories with a word, more summaries are written.",
    source="section 2: an unseen instruction is answered like a seen one that resembles it",
    metric="share of right summaries, a family never tuned on",
    arms=summaries,
    effect=("without extraction", "eleven"),
    at_least=0.0,
    subject=7,
)

# %% [markdown]
# This is the toy's second prediction, and it has a name: **negative transfer**. More tasks are
# better on the average, and not for every test. The nearest neighbor of a new task helps it if it
# wants the same form of answer, and hurts it if it wants another.
#
# ### FLAN's own way
#
# We hold out five families, and one model answers for all five. That is cheap, and it is not what
# FLAN did. "To evaluate zero-shot FLAN on $c$ task clusters, we instruction tune $c$ models, where
# each model holds out a different task cluster" (§2.2). Each was tuned on *everything else*, except
# for neighbors of what was tested (section 3). *Extraction* is the only neighbor that we found. So
# here are five models for each seed. Each is tuned on the other fifteen families, the one that is
# asked for summaries on fourteen, with as many examples and steps as before.

# %%
from ift_course.lessons.lesson_06.experiment import ALL_BUT_ONE, fair_config

for family in HELD_OUT_FAMILIES:
    measure(fair_config(ALL_BUT_ONE, family, seeds[0]), now=family == "writing")
neighbor_kept = [
    row.accuracy() for row in stored if row.config == MultitaskConfig(ALL_BUT_ONE, tested="summary")
]
if neighbor_kept:
    print(f"15 families, extraction among them, asked for summary: {fmean(neighbor_kept):.2f}")

# %% [markdown]
# **Claim: all other families do.** The bound is the one that we wrote down before the first run,
# 0.7. The way of testing is the paper's; we came to it last, after eleven families had missed the
# bound. (All stored seeds are used.)

# %%
ift.claim(
    "06.all-other-families",
    "Tuned on all families but the one that is asked for and its neighbor, a model does at least "
    "seven tenths of what is asked from a family it was never tuned on.",
    source="Wei et al. 2022 (FLAN), arXiv:2109.01652, section 2.2",
    metric="strict accuracy on five held-out families, each asked of a model of its own",
    arms={"all other families": figures.one_at_a_time(known(), ALL_BUT_ONE)[0]},
    effect="all other families",
    at_least=0.7,
    subject=7,
)  # fmt: skip

# %% [markdown]
# ### The whole line

# %%
source = known()
note = figures.origin(stored) if stored else ""


def lines(rows: list) -> dict:
    return {
        "tuned on": figures.by_families(rows, test="tuned"),
        "never tuned on, FLAN's way": figures.in_flans_way(rows),
        "never tuned on, five held out at once": figures.by_families(rows),
    }


curves(
    lines(stored),
    lines(live),
    title=f"{experiment.EXAMPLES} examples of 1 to {ALL_BUT_ONE} families",
    xlabel="families tuned on",
    note=note,
)

# %% [markdown]
# The upper line is what most people measure, and it says nothing: one family is learned as well as
# eleven. The bands are wide on the left, because there it depends on which families they are. The
# line in FLAN's way differs from the lowest one by the neighbor up to eleven, and goes on from
# there, each family tested alone. Is each of its steps more than chance? The same seeds at both
# ends of a step:

# %%
from itertools import pairwise

from ift_course.evaluation.intervals import two_level_interval

counts = (*experiment.COUNTS, ALL_BUT_ONE)
for few, many in [*pairwise(counts), (1, ALL_BUT_ONE)]:
    after, before = figures.one_at_a_time(source, many, few)
    if after:
        low, high = two_level_interval(after, before)
        gain = fmean(map(fmean, after)) - fmean(map(fmean, before))
        print(f"{few:2} → {many:2} families: {gain:+.2f} ({low:+.2f} to {high:+.2f}), "
              f"{len(after)} seeds: {'more' if low > 0 else 'not decided'}")  # fmt: skip

# %% [markdown]
# Which held-out family does what? A row for each number of families:

# %%
from ift_course.plots.grid_figures import heat

heat(
    figures.by_held_out(source),
    title="Share correct on each held-out family",
    xlabel="held-out family",
    ylabel="families tuned on",
    note=note,
)

# %% [markdown]
# An average hides this. *objects* asks for facts in the manner in which other families do;
# *writing* wants two sentences, which none of the eleven does. The last row is in FLAN's way.
# Compare it with the row above: what do the other four held-out families add? Little for *objects*
# and *lists*, and most for *writing* and *summary*. Both answer in sentences of their own, and each
# has now met the other; and *summary* is rid of its neighbor. How near a test is to what was tuned
# on decides how hard it is. So "unseen" is a matter of degree, and a paper that reports one number
# has chosen the distance.
#
# ## 5. More of the same?
#
# One family, with four times as many different examples, and the same number of steps. How much
# that is worth differs from family to family, so all stored seeds are used, eleven of them, each of
# which begins with another family. (We had expected that the fourfold gains at most 0.1. It gains
# little on the average, but in single families more. So the claim is another one: variety beats
# quantity. Six seeds from 100 on did not decide it, by a hair: hence eleven.)

# %%
four_times = MultitaskConfig(1, 4 * experiment.EXAMPLES, equal_steps=True)
if not figures.arm(stored, four_times):
    measure(four_times)
quantity = dict(
    zip(
        ("eleven families", "one family, four times", "one family"),
        figures.paired(known(), MultitaskConfig(ALL), four_times, MultitaskConfig(1)),
        strict=True,
    )
)
ift.charts.bars_with_intervals(quantity, title="More families, or more of one")

# %%
ift.claim(
    "06.variety-beats-quantity",
    "Eleven families teach more about unseen ones than four times as many examples of one family.",
    source="Wang et al. 2022 (Super-NaturalInstructions), arXiv:2204.07705, scaling trends",
    metric="strict accuracy on five held-out families, the same number of steps",
    arms=quantity,
    effect=("eleven families", "one family, four times"),
    at_least=0.0,
    subject=7,
)

# %% [markdown]
# ## 6. What the instruction is worth
#
# Ordinary fine-tuning for one task has no instruction: a review goes in, "positive" comes out.
# Nobody has to say what is wanted, since it is always the same. Here are our examples without their
# instructions: what is given, and the response.

# %%
cut = experiment.training_set(MultitaskConfig(ALL, instructions=False), seeds[0])
whole = experiment.training_set(MultitaskConfig(ALL), seeds[0])
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

# %%
no_instruction = measure(MultitaskConfig(ALL, instructions=False), now=True)
one_without = [row for row in stored if row.config == MultitaskConfig(1, instructions=False)]
for name, rows in {"one family": one_without, "eleven families": no_instruction}.items():
    if rows:
        own = fmean(row.accuracy("tuned") for row in rows)
        other = fmean(row.accuracy() for row in rows)
        print(f"{name}, no instruction: own tasks in the form it was tuned on {own:.2f}, "
              f"held-out families with instructions {other:.2f}")  # fmt: skip

# %% [markdown]
# **Claim: it is the instruction that carries over.** We had expected a loss of at least 0.4. The
# mean is near it, so that the interval cannot be above it; the bound below was set after a look.

# %%
ift.claim(
    "06.instructions-carry-over",
    "Tuned on the same examples without their instructions, a model follows unseen ones much less.",
    source="Wei et al. 2022 (FLAN), arXiv:2109.01652, section 4.3 and table 3",
    metric="strict accuracy on five held-out families, asked with instructions",
    arms={"with instructions": [row.scores() for row in all_families],
          "without": [row.scores() for row in no_instruction]},
    effect=("with instructions", "without"),
    at_least=0.2,
    subject=7,
)  # fmt: skip

# %% [markdown]
# ## 7. How many wordings?
#
# FLAN wrote ten templates for each data set and found that their number mattered little. Here each
# task is put in one wording, or in all of about seven. Two tests: the held-out families, and the
# tuned ones in a wording that no example has.

# %%
one_wording = measure(MultitaskConfig(ALL, one_wording=True))
wordings = {
    f"{name}, {test}": [row.scores(test) for row in rows]
    for test in ("held out", "reworded", "tuned")
    for name, rows in {"all wordings": all_families, "one wording": one_wording}.items()
}
ift.charts.bars_with_intervals(wordings, title="Eleven families, in all wordings or in one")

# %% [markdown]
# **Claim: wordings matter less than families.** The interval of three seeds was wider than the 0.1
# that we had allowed, so the bound below was set after that look. With six seeds the interval is
# narrower: would it keep our first bound?

# %%
ift.claim(
    "06.wordings-matter-less",
    "One wording for each task instead of all costs little on families never tuned on.",
    source="Wei et al. 2022 (FLAN), arXiv:2109.01652, appendix B.1: templates were negligible",
    metric="strict accuracy on five held-out families",
    arms={"all wordings": [row.scores() for row in all_families],
          "one wording": [row.scores() for row in one_wording]},
    effect=("all wordings", "one wording"),
    at_most=0.3,
    subject=7,
)  # fmt: skip

# %% [markdown]
# ## 8. What the base must bring
#
# ### Does tuning help at all?
#
# FLAN compared its models with the base *before* tuning, asked in the way that suits a base: by a
# text to complete. Models of 8 billion parameters and below lost. Here is that comparison. The base
# completes "The color of the lamp is", the tuned model answers "What color is the lamp?", both
# about the same thing. (Four of the five held-out families can be put as such a sentence.)

# %%
untuned = measure(MultitaskConfig(0))
measured = [*untuned, *all_families, *one_family]
before, after = figures.in_prose(measured, "shipped", MultitaskConfig(ALL))
alone = figures.in_prose(measured, "shipped", MultitaskConfig(1))[1]
print(f"the untuned base, given the instructions: {fmean(row.accuracy() for row in untuned):.2f}")
ift.charts.bars_with_intervals(
    {"before: completes a sentence": before, "after eleven families: answers": after,
     "after one family: answers": alone},
    title="The same held-out questions, before and after tuning",
)  # fmt: skip

# %% [markdown]
# So FLAN's negative result is here. All the knowledge was there before, and a good part of it is
# not reached by an instruction of an unseen family. **Against the base asked in its own way, tuning
# is a loss; against the same base asked in ours, which it never follows, it is a gain.** Which of
# the two is "zero-shot performance" is a choice, and one should say which was made. (Our sentences
# are the very ones the base has read. A text from the web gives no base such an advantage.)
#
# **Claim: on unseen families, a small tuned model answers less than its base completes.** It was
# not among our expectations; its bound was set after the picture above had been seen.

# %%
ift.claim(
    "06.tuning-loses-to-completion",
    "On unseen families, a small tuned model answers less than its untuned base completes.",
    source="Wei et al. 2022 (FLAN), arXiv:2109.01652, section 4.2 and figure 7: 8B and smaller",
    metric="share of held-out questions: completed by the untuned base minus answered by the model "
    "tuned on eleven families",
    arms={"before, completes": before, "after eleven families": after},
    effect=("before, completes", "after eleven families"),
    at_least=0.1,
    subject=7,
)

# %% [markdown]
# ### A base that cannot read
#
# The toy said that tuning only finds the way from a meaning to an answer. The meaning has to be
# there. Our base has read *reading text*: prose where an earlier mention, in changing words,
# decides what is stated next ("Anna wanted to know the sound of the owl. Ben said that …"). A
# second base of the same size and tokenizer has read none of it: a million and a half tokens of
# statements, entries and stories. To make it takes longer than this lesson may, so what follows is
# **stored results**.

# %%
by_base = {base: figures.by_families(stored, base) for base in experiment.BASES}
by_base = {f"base: {base}": points for base, points in by_base.items() if points}
pairs = {}
for base in experiment.BASES:
    completed, answered = figures.in_prose(stored, base, MultitaskConfig(ALL, base=base))
    if completed:
        pairs[f"{base}: completes, before"] = completed
        pairs[f"{base}: answers, after eleven"] = answered
if len(by_base) > 1:
    display(curves(by_base, title="The same tuning of different bases",
                   xlabel="families tuned on",
                   note=f"{note}; of prose {len(by_base['base: prose'][ALL])} seeds"))  # fmt: skip
if len(pairs) > 2:
    display(ift.charts.bars_with_intervals(pairs, title="Different bases, before and after"))

# %%
if "base: prose" in by_base:
    prose, reads = figures.paired(stored, MultitaskConfig(ALL, base="prose"), MultitaskConfig(ALL))
    ift.claim(
        "06.reading-comes-first",
        "A base that has read no reading text hardly follows instructions of unseen families, even "
        "after eleven of them.",
        source="section 2; Wei et al. 2022 (FLAN), arXiv:2109.01652, section 4.2, for small models",
        metric="strict accuracy on five held-out families, eleven tuned on",
        arms={"base of prose": prose, "base that reads": reads},
        effect="base of prose",
        at_most=0.2,
        subject=7,
    )

# %% [markdown]
# This base has read less in every respect, and not only no reading text. So look at both bars of
# each base: what it could complete, and what is left of it as answers.
#
# ## 9. Silent failures
#
# ### The leak
#
# Section 3 found examples that ask for what should be unseen. With them left in, the training runs
# as well, the loss looks the same, and the result is a little better than it should be. Or is it?

# %%
dirty, clean = figures.paired(stored, MultitaskConfig(ALL, leaks=True), MultitaskConfig(ALL))
if dirty:
    low, high = two_level_interval(dirty, clean)
    gain = fmean(map(fmean, dirty)) - fmean(map(fmean, clean))
    print(f"leaks in minus leaks out: {gain:+.3f}, 95 % interval {low:+.3f} to {high:+.3f}")
    print(f"({len(dirty)} seeds of the stored grid)")

# %% [markdown]
# Whether this leak is large or small, one cannot know before it is closed. How to see it: do not
# trust the names of families. Search the training set for the *questions* of the test, as in
# exercise 03.1.
#
# ### One family drowns the others
#
# The mixture of section 3 without a cap. Eleven families, as before, but taken as a scraped
# collection would have them: one has nine tenths of the examples.

# %%
first, *others = experiment.family_order(seeds[0])
drowned = experiment.sample_examples(396, [first], seed=seeds[0]) + experiment.sample_examples(
    44, others, seed=seeds[0], keep=[lambda e: not experiment.leaks(e)]
)
model, tokenizer = ift.load("base")
losses = experiment.tune(model, tokenizer, drowned, seeds[0], profile)
scores = ift.score(model, tokenizer, experiment.held_out(seeds[0], experiment.EACH))
print(f"{Counter(e.family for e in drowned).most_common(2)} …")
print(f"drowned {scores.accuracy:.2f}   one family {one_family[0].accuracy():.2f}   "
      f"eleven in equal shares {all_families[0].accuracy():.2f}")  # fmt: skip

# %% [markdown]
# It says "eleven families" on the box. Where between the other two does it stand? A tenth of
# variety goes some of the way, and not all of it. How to see it: print the shares of what the model
# was really shown, as the line above does.
#
# ### The average over questions
#
# Suppose the test had ten times as many questions from the family that is done best. The average
# over *questions* would rise, and nothing would have become better. Average over families, and take
# the interval over families too (exercise 06.6).

# %%
by_family = {
    name: seeds_[0] for name, seeds_ in figures.families(all_families, MultitaskConfig(ALL)).items()
}
means = {name: sum(items) / len(items) for name, items in by_family.items()}
best = max(means, key=means.get)
weights = {name: 10 if name == best else 1 for name in means}
skewed = sum(weights[n] * means[n] for n in means) / sum(weights.values())
print(f"ten times as many questions from {best!r}: {skewed:.2f} instead of "
      f"{sum(means.values()) / len(means):.2f}")  # fmt: skip

# %% [markdown]
# ## 10. Play with it
#
# Choose how many families and how they were put. You see what the model was tuned on, how it did on
# the families it never met, and what it says.

# %%
from ift_course.plots.grid_figures import explore

explore(
    figures.options(),
    figures.explorer_view(source),
    heat(
        figures.by_held_out(source),
        title="Share correct on each held-out family",
        xlabel="held-out family",
        ylabel="families tuned on",
        note=note,
    ),
)

# %% [markdown]
# ## 11. What this means, and what it does not
#
# - A model becomes a general assistant through the *variety* of what it is tuned on. If you can
#   collect a thousand examples, collect them from many tasks.
# - How much of it one measures depends on what is held out: one family or five at once, and its
#   neighbor or not. A paper's number belongs to its way of testing.
# - The instruction in the prompt is what carries over. Data without it teaches tasks.
# - Nothing of this is made by tuning alone. It finds what pretraining has left there.
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
