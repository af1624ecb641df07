# %% [markdown]
# # LIMA-style small-data run
#
# {{ badge }}
#
# How many examples does it take to make an assistant? In 2023 a paper answered: a thousand, if
# they are good. It was called *LIMA: Less Is More for Alignment*, and it changed how people
# collect data. It is often quoted as more than it showed.
#
# Here you repeat its experiment on a scale where every answer can be checked by a program. At the
# end you will be able to
#
# - say what LIMA measured, and what it did not;
# - tell a kind of flaw that averages out from one that does not, and say why;
# - measure how many flawed examples it takes to replace good ones, if any number does;
# - curate a data set by program, and find out whether it helped;
# - recognize three ways to fool yourself with a small data set.
#
# What this lesson costs:
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("03")

# %% [markdown]
# ## 1. What the paper did
#
# Zhou et al. took a base model, LLaMA with 65 billion parameters, and tuned it on **1,000**
# examples with the ordinary SFT loss. 750 of them were questions and answers chosen from community
# forums (Stack Exchange, wikiHow, Reddit), 250 were written by hand. There was no reward model and
# no reinforcement learning.
#
# People then compared its answers with those of other models on 300 prompts. The share of prompts
# where they found LIMA's answer **equal or better**:
#
# | against | LIMA equal or better |
# | --- | ---: |
# | GPT-4 | 43 % |
# | Bard | 58 % |
# | DaVinci003, tuned with human feedback | 65 % |
#
# Note what the first line says: in 57 % of cases, people preferred GPT-4.
#
# The authors explain it by the **superficial alignment hypothesis**: almost all that a model knows
# and can do comes from pretraining, and tuning teaches it which of its ways of writing to use with
# a user. In a second experiment they tuned a 7-billion model on different sets, and let ChatGPT
# grade the answers from 1 to 6. More varied prompts helped, better answers helped, and more
# examples of the same kind did not.
#
# **What it did not show.** It did not show that a thousand is a special number. It measured what
# people prefer, in single turns, and not whether the answers are true. People are known to like
# style: models tuned to imitate ChatGPT pleased the graders without knowing more (Gudibande et al.
# 2023). And quality and quantity were not crossed: how *much* quality is worth how *many* examples
# was left open.
#
# That last question we can answer here. In our world a program knows which records are bad, and
# marks every answer.
#
# ### What we expect, before we measure
#
# 1. Three hundred good examples do almost as well as a thousand, with the same number of steps: the
#    difference is surely below 0.15.
# 2. Three hundred good examples beat a thousand of which 60 % are flawed, with the same steps.
# 3. A habit does more harm than random errors: answers that ramble on are worse than as many wrong
#    ones, by more than 0.2.
# 4. Tuning does not take the model past what the base knows: it gains surely less than 0.02 on it.
# 5. Tuning on facts that the base cannot know makes the model invent answers about others: by more
#    than 0.1 of the questions about people who do not exist.
# 6. A hundred and fifty records that a program chose are better than as many chosen at random.
#
# The bounds were written before the lesson was run, those of lines 3 and 5 excepted: see there. Two
# more expectations were changed after a first run. The first two lines said "a hundred": there are
# 29 kinds of question here, and a hundred examples, three or four of each kind, were plainly too
# few. You will find them in the picture. And the third line said that *wrong answers by a rule* are
# far worse than random ones. They were not, and section 4 shows it.
#
# ## 2. Why a wrong answer need not hurt: by hand
#
# Start with a toy. There is one question, and 100 examples of it. In 40 the answer is right. In 60
# it is wrong. What will a model say that is tuned on all of them?
#
# Cross-entropy has a simple answer. The loss is smallest when the model's probabilities equal the
# *shares* in the data. So only two numbers matter: the share of the right answer, and the share of
# the most frequent wrong one.

# %%
import random
from collections import Counter

draw = random.Random(0)
cities = ["Paris", *(f"city {n}" for n in range(1, 20))]
scattered = ["Paris"] * 40 + [draw.choice(cities[1:]) for _ in range(60)]
by_a_rule = ["Paris"] * 40 + ["city 7"] * 60

for name, answers in {"scattered": scattered, "by a rule": by_a_rule}.items():
    (first, n), (second, m) = Counter(answers).most_common(2)
    print(f"{name}: {first} {n / 100:.2f}, then {second} {m / 100:.2f}")

# %% [markdown]
# In PyTorch: a model of this toy is twenty logits. Train them, and compare with the shares.

# %%
import torch
import torch.nn.functional as F


def tuned_on(answers: list[str]) -> torch.Tensor:
    """The probabilities of a model with one logit for each city, trained to the end."""
    logits = torch.zeros(len(cities), requires_grad=True)
    target = torch.tensor([cities.index(answer) for answer in answers])
    optimizer = torch.optim.LBFGS([logits], max_iter=200, tolerance_grad=1e-9)

    def closure():
        optimizer.zero_grad()
        loss = F.cross_entropy(logits.expand(len(target), -1), target)
        loss.backward()
        return loss

    optimizer.step(closure)
    return logits.detach().softmax(-1)


for name, answers in {"scattered": scattered, "by a rule": by_a_rule}.items():
    learned = tuned_on(answers)
    shares = torch.tensor([answers.count(city) / 100 for city in cities])
    assert torch.allclose(learned, shares, atol=1e-3)
    print(f"{name:10} says {cities[learned.argmax()]}, with probability {learned.max():.2f}")

# %% [markdown]
# Both sets are 60 % wrong. Scattered errors share the 60 % among themselves, and none of them wins.
# Errors that agree with each other win. (It has been seen in image models too: Rolnick et al. 2017
# found them robust to random labels, and Drory et al. 2018 showed that noise in one place is what
# hurts.)
#
# Mind what the toy leaves out. Here one question occurs a hundred times. In a real data set each
# occurs once, and the average has to form across *different* questions. And a flaw need not be a
# wrong fact: an answer that breaks off or rambles on is a habit, and a habit is the same in every
# record. We shall see how far the toy carries.
#
# ## 3. Quality and quantity
#
# ### The data, good and bad
#
# `world/flaws.py` damages examples on purpose. Here is one example, and what each flaw makes of it.

# %%
from ift_course.claims import grid_store
from ift_course.lessons.lesson_03 import experiment, figures
from ift_course.lessons.lesson_03.config import LimaConfig
from ift_course.plots.transcript import TranscriptRow, transcript
from ift_course.world.flaws import FLAWS
from ift_course.world.tasks import FACT_TASKS

good = ift.sample(1, seed=5, tasks=["capital"])[0]
bad = {name: flaw(good, random.Random(3)) for name, flaw in FLAWS.items()}
bad["mixed_up"] = experiment.mixed_up([good], 1.0, seed=0)[0]
transcript(
    [
        TranscriptRow(name, {"instruction": e.instruction, "response": e.response})
        for name, e in {"(good)": good, **bad}.items()
    ],
    heading="flaw",
)

# %% [markdown]
# The last one is a mistake of the kind that real tables have: a column has slipped, and every
# question is answered with the answer next door.
#
# ### One run, step by step
#
# Draw examples, damage a share of them, tune the base, ask about entities that no example
# mentioned. We give every run the same number of steps. So "more examples" means more *different*
# ones, not more training.

# %%
from ift_course.world.flaws import spoil

seeds = profile.seeds
examples = ift.sample(300, seed=seeds[0], tasks=FACT_TASKS)
examples = spoil(examples, share=0.0, seed=seeds[0])

model, tokenizer = ift.load("base")
result = ift.sft(
    model,
    tokenizer,
    ift.to_records(examples),
    seed=seeds[0],
    max_steps=experiment.STEPS,
    learning_rate=profile.learning_rate,
    batch_size=profile.batch_size,
    gradient_accumulation=profile.gradient_accumulation,
    max_length=profile.max_length,
    progress=False,
)
questions = experiment.held_out(seed=seeds[0])
scores = ift.score(result.model, tokenizer, questions)
print(f"{result.steps} steps in {result.seconds:.0f} s, held-out {scores.accuracy:.3f}")

# %% [markdown]
# Each point of the experiment is this, with other sizes. `run_config` in
# `ift_course/lessons/lesson_03/experiment.py` does it for a `LimaConfig`: so many examples, such a
# share flawed. Does it do the same as the lines above? It should give the same verdict on every
# question.
#
# Three seeds of every point would take longer than a lesson should. So two points are measured
# now, with the first seed. All else comes from the stored grid, which the same `run_config`
# computed on the same base; where nothing is stored, it is measured now as well.

# %%
stored = grid_store.read(profile, "03", experiment.LimaResult)
live = []


def measure(config: LimaConfig, of: list[int] | tuple[int, ...] = seeds, now: bool = False) -> list:
    results = []
    for seed in of:
        of_seed = [x for x in stored if x.config == config and x.seed == seed]
        if not of_seed or (now and seed == seeds[0]):
            of_seed = [experiment.run_config(config, seed, profile)]
            live.extend(of_seed)
        results += of_seed
    by_seed = "  ".join(f"{x.accuracy:.3f}" for x in results)
    print(f"{config.examples:,} examples, {1 - results[0].clean:.0%} of them wrong: {by_seed}")
    return results


few = measure(LimaConfig(300, steps=experiment.STEPS), now=True)
assert few[0].scores == scores.items

# %% [markdown]
# ### More, and worse
#
# More than three times as many examples, once good, once with 60 % flawed in four ways: wrong, off
# the topic, echoed, broken off. The flawed ones are measured now, too.

# %%
thousand = measure(LimaConfig(1000, steps=experiment.STEPS))
noisy = measure(LimaConfig(1000, 0.6, steps=experiment.STEPS), now=True)

# %% [markdown]
# **Claim: little is enough.** Three hundred good examples do almost as well as a thousand.

# %%
ift.claim(
    "03.little-is-enough",
    "Three hundred curated examples come close to a thousand, with the same number of steps.",
    subject=6,
    source="Zhou et al. 2023 (LIMA), arXiv:2305.11206, section 5, quantity",
    metric="strict accuracy on held-out entities",
    arms={"1,000 curated": [row.scores for row in thousand],
          "300 curated": [row.scores for row in few]},
    effect=("1,000 curated", "300 curated"),
    at_most=0.15,
)  # fmt: skip

# %% [markdown]
# **Claim: quality beats quantity.** Three hundred good examples beat a thousand of which 600 are
# flawed, although those contain 400 good ones.

# %%
ift.claim(
    "03.quality-beats-quantity",
    "Three hundred curated examples beat a thousand of which 60 % are flawed.",
    subject=6,
    literature="Less is more: few curated examples beat many unfiltered ones.",
    source="Zhou et al. 2023 (LIMA), arXiv:2305.11206, section 5, quality",
    metric="strict accuracy on held-out entities, the same number of steps",
    arms={"300 curated": [row.scores for row in few],
          "1,000, 60 % flawed": [row.scores for row in noisy]},
    effect=("300 curated", "1,000, 60 % flawed"),
    at_least=0.0,
)  # fmt: skip

# %% [markdown]
# ### The whole grid
#
# Three points do not make a trade-off. The whole grid takes half an hour, so it is computed once
# and stored: `ift run 03 --full` does it again, on your machine, with more seeds if you like. What
# is drawn with small marks below is **that stored result**; the large marks are what was measured
# in this notebook, just now.

# %%
from IPython.display import display

from ift_course.plots.grid_figures import curves, explore, heat

if stored:
    print(f"Stored grid: {len(stored)} runs; {figures.origin(stored)}.")
else:
    print("No grid is stored for this base model. `ift run 03 --full` computes it.")

# %%
plain = [x for x in stored if not x.config.pool]  # the others are for section 7
note = figures.origin(plain) if plain else ""
curves(
    figures.by_share(stored, equal_steps=True),
    figures.by_share(live, equal_steps=True),
    title=f"Equal compute: {experiment.STEPS} steps for every model",
    xlabel="different examples",
    note=note,
)

# %% [markdown]
# Look at the left end first. Thirty examples, seen over and over, are learned by heart. Then look
# how soon the upper line is flat: more *good* examples bring nothing more. And look what the share
# of flawed ones does to the height at which a line flattens.
#
# At equal compute, a large set is seen once and a small one many times. Practice usually does
# otherwise: it goes through the data a fixed number of times, so a larger set also gets more
# training. That is kinder to large sets. The same with four epochs for everyone:

# %%
if stored:
    display(curves(figures.by_share(stored, equal_steps=False), title="Four epochs for every model",
                   xlabel="examples", note=note))  # fmt: skip

# %% [markdown]
# **How many noisy examples replace 1,000 curated ones, if any number does?** Read it off the
# picture, or let the program do it. We say that a set replaces the curated one if its mean comes
# within 0.02 of it.

# %%
reference = LimaConfig(1000)
for share in experiment.SHARES[1:] if figures.arm(stored, reference) else ():
    enough = figures.replaced_by(stored, reference, share, slack=0.02)
    most = max(figures.by_share(stored, equal_steps=False).get(figures.share_name(share), {0: 0}))
    answer = f"{enough:,} do" if enough else f"none up to {most:,} does"
    print(f"{figures.share_name(share):>12}: {answer}")

# %% [markdown]
# Where a smaller number of flawed examples "replaces" the thousand, a smaller number of good ones
# would have too: the thousand were more than enough. Compare each line with the curated one at the
# *same* number.
#
# ### Play with it
#
# Choose a size, a quality and a budget. You see what such a model was tuned on, its score, and what
# it answers.

# %%
epochs_table = figures.table(stored)
explore(
    figures.options(),
    figures.explorer_view(stored, live),
    heat(
        epochs_table or figures.table([*live, *stored], equal_steps=True),
        title="Share correct, "
        + ("four epochs each" if epochs_table else f"{experiment.STEPS} steps each"),
        xlabel="training data",
        ylabel="examples",
        note=f"stored grid: {note}" if stored else "measured just now",
    ),
)

# %% [markdown]
# ## 4. Which flaw does how much harm?
#
# "Noise" is not one thing. Two sets of 200 examples, in both 60 % damaged: in the one by random
# wrong values of the right kind, in the other by right answers that ramble on.

# %%
at_random = measure(LimaConfig(200, 0.6, ("wrong",)))
habit = measure(LimaConfig(200, 0.6, ("rambling",)))

# %% [markdown]
# **Claim: a habit does more harm than random errors.** This one was not foreseen. Our first claim
# was that errors by a rule do more harm than random ones. It did not hold (compare `mixed_up` with
# `wrong` below). This one was stated after the stored grid had shown it, so read it as a
# description with an interval, not as a prediction that came true.

# %%
ift.claim(
    "03.habits-hurt-more-than-errors",
    "A bad habit of form in 60 % of the data does more harm than as many random wrong answers.",
    subject=6,
    literature="Noise hurts most where it is concentrated.",
    differs="Wrong answers by a rule, which should hurt most of all, did not stand out "
    "from random ones here (section 4).",
    source="section 2; Drory et al. 2018, on the labels of images: concentrated noise hurts most",
    metric="strict accuracy on held-out entities",
    arms={"random errors": [row.scores for row in at_random],
          "rambling": [row.scores for row in habit]},
    effect=("random errors", "rambling"),
    at_least=0.2,
)  # fmt: skip

# %% [markdown]
# All the kinds, each in 60 % of 200 examples:

# %%
kinds = {kind: LimaConfig(200, 0.6, (kind,)) for kind in experiment.KINDS}
kinds["(none)"] = LimaConfig(200)
arms_by_kind = figures.arms(figures.stored_or_live(stored, live), kinds)
ift.charts.bars_with_intervals(
    dict(sorted(arms_by_kind.items(), key=lambda item: -sum(map(sum, item[1])))),
    title=f"200 examples, 60 % of them with one flaw ({'stored grid' if stored else 'live'})",
)

# %% [markdown]
# The strict score says *that* an answer is bad. Two more numbers say how: how often the right words
# occur anywhere in the answer, and how often the model ends it by itself.

# %%
from statistics import fmean

print(f"{'flaw':14}{'strict':>8}{'right words':>13}{'ends':>7}")
for kind, config in kinds.items():
    results = [x for x in figures.stored_or_live(stored, live) if x.config == config]
    if results:
        print(
            f"{kind:14}{fmean(x.accuracy for x in results):8.2f}"
            f"{fmean(x.lenient for x in results):13.2f}{fmean(x.finished for x in results):7.2f}"
        )

# %% [markdown]
# Three things to read here.
#
# *Habits are learned at once.* A rambling answer begins rightly each time: look how often the right
# words occur, and how seldom the strict score counts. What is taught each time is not to stop. The
# same holds for echoes and for wrong formats. Form is what tuning teaches, bad form too.
#
# *A flaw may stay where it was taught.* The sycophantic examples all have a user who says what he
# believes. The test has none, so they do little harm *here*. Lesson 05 asks the other question.
#
# *The toy does not carry all the way.* It promised that random errors average out and that errors
# by a rule do not. Compare `wrong` with `mixed_up`, the slipped column: we expected the second to
# be far below the first. Two hundred examples of 29 kinds are seven of each kind, each question
# occurs once: perhaps there was nothing to average yet. We have not measured why. Neither set is
# harmless.
#
# So counting the flawed records, as everybody does, is not enough. Look at what kind they are.
#
# ## 5. Diversity
#
# LIMA's third ingredient. Here are 200 good examples each, with four epochs, of 3, 10 or all 29
# kinds of question, each kind put in one wording or in all of seven. The test asks about
# everything, in every wording.

# %%
diverse = {}
for tasks in (3, 10, 0):
    for wordings in (1, 0):
        name = f"{tasks or len(FACT_TASKS)} kinds, {'one wording' if wordings else 'all wordings'}"
        diverse[name] = LimaConfig(200, tasks=tasks, wordings=wordings)
diversity_arms = figures.arms(stored, diverse)
if diversity_arms:
    display(ift.charts.bars_with_intervals(diversity_arms, title="200 good examples (stored grid)"))

# %% [markdown]
# The records are equally good and equally many. What differs is how much of the test they resemble.
# This is what "curated" has to mean besides "correct", and it is the subject of lesson 06.
#
# ## 6. Format, not facts
#
# If tuning teaches a format, then what the tuned model answers is bounded by what the base knew.
# That can be tested: let the *base* complete the very facts that the tuned model is asked for. And
# ask about something that the base has never read about: a dozen countries that our world does not
# have.

# %%
from ift_course.world.facts import Fact, by_relation


def base_completes(facts) -> list[float]:
    """1.0 for each fact that the base model completes, as "The capital of France is"."""
    prompts, values = zip(*(fact.completion() for fact in facts), strict=True)
    completions = ift.complete(base, tokenizer, prompts, max_new_tokens=16)
    return [
        float(c.text.strip().startswith(value.rstrip(".")))
        for c, value in zip(completions, values, strict=True)
    ]


def facts_of(questions) -> list[Fact]:
    return [next(f for f in by_relation()[e.task] if f.subject == e.entity) for e in questions]


base, _ = ift.load("base")
known = [base_completes(facts_of(experiment.held_out(seed))) for seed in seeds]
tuned = [row.scores for row in thousand]

capital_of = by_relation()["capital"][0].relation
elsewhere = [
    Fact(capital_of, *pair.split(":"))
    for pair in "Ireland:Dublin Switzerland:Bern Belgium:Brussels Canada:Ottawa Indonesia:Jakarta "
    "Senegal:Dakar Ecuador:Quito Algeria:Algiers Croatia:Zagreb Bulgaria:Sofia Estonia:Tallinn "
    "Bolivia:Sucre".split()
]
prompts = [fact.fill("What is the capital of {s}?") for fact in elsewhere]
replies = ift.generate_replies(result.model, tokenizer, prompts)
right = sum(c.text.strip(". ") == f.value for c, f in zip(replies, elsewhere, strict=True))

print(f"{'':32}{'base completes':>16}{'tuned answers':>16}")
read = f"{sum(map(sum, known)):.0f} of {sum(map(len, known))}"
answered = f"{sum(map(sum, tuned)):.0f} of {sum(map(len, tuned))}"
print(f"{'facts that the base has read':32}{read:>16}{answered:>16}")
unread = f"{sum(base_completes(elsewhere)):.0f} of {len(elsewhere)}"
print(f"{'countries it has not':32}{unread:>16}{f'{right} of {len(elsewhere)}':>16}")

# %%
transcript([TranscriptRow(a, {"tuned": c}) for a, c in zip(prompts[:5], replies, strict=False)])

# %% [markdown]
# The form of the answers is perfect. That is what was tuned.
#
# **Claim: the base is the bound.** A thousand examples do not lift the model above what the base
# completes.

# %%
ift.claim(
    "03.the-base-is-the-bound",
    "Tuning does not take the model past what the base knows.",
    subject=6,
    source="Zhou et al. 2023 (LIMA), arXiv:2305.11206, the superficial alignment hypothesis",
    metric="accuracy on the same held-out facts, asked after tuning minus completed by the base",
    arms={"tuned on 1,000": tuned, "base completes": known},
    effect=("tuned on 1,000", "base completes"),
    at_most=0.02,
)

# %% [markdown]
# ### Facts that the base does not know
#
# Can one not simply *tune in* new facts? One can. Gekhman et al. (2024) tried, in a controlled way:
# new facts are learned slowly, and as they are learned, the model begins to make things up.
#
# Our version. The model is shown 60 questions whose answers the base knows, and 40 about people who
# do not exist, with the honest answer "I do not know anyone called …". Then there are 100 more:
#
# - in the one arm, further known facts about people whom the base has read about;
# - in the other, facts about further people who do not exist: somebody made them up, and wrote
#   them down as if they were true.
#
# Then we ask both about strangers whom neither has met. Every answer that does not begin with "I
# do not know" is an invention. (We do not ask that the name be repeated rightly. Such names are
# hard to spell for a model that has never read them: scored so, both arms invented every time.)
#
# With 60 instead of 100, and fewer epochs, too little was learned by heart to decide anything. This
# mix was chosen because seed 1 showed a large effect with it. So the claim is measured on three
# other seeds, which nobody had looked at. `ift.each_seed` runs the first of them now. What the
# function gave for the others is stored; change it, and all three are run.

# %%
from dataclasses import replace

from ift_course.world.preferences import ABOUT_PEOPLE, preferences


def unknown_people(n: int, seed: int, honest: bool) -> list:
    """Questions about people who do not exist, answered honestly or with an invention."""
    pairs = preferences(n, seed=seed, failings=("invention",))
    return [p.example if honest else replace(p.example, response=p.rejected) for p in pairs]


def data_for(seed: int, inventions: bool) -> list:
    common = ift.sample(60, seed=seed, tasks=FACT_TASKS) + unknown_people(40, seed, honest=True)
    if inventions:
        return common + unknown_people(100, 50 + seed, honest=False)
    return common + ift.sample(100, seed=50 + seed, tasks=ABOUT_PEOPLE)


for example in data_for(seeds[0], inventions=True)[50::25]:
    print(f"{example.instruction:48} → {example.response}")


# %%
def tune(model, data: list, seed: int, epochs: float = profile.epochs):
    """The model tuned with the profile's settings."""
    return ift.sft(
        model,
        tokenizer,
        ift.to_records(data),
        seed=seed,
        epochs=epochs,
        learning_rate=profile.learning_rate,
        batch_size=profile.batch_size,
        progress=False,
    ).model


arms = {"known facts": False, "unknown facts": True}
unseen = [seed + 20 for seed in seeds]
strangers = {
    seed: [p.example for p in preferences(100, seed=seed, split="test", failings=("invention",))]
    for seed in unseen
}
people = {seed: ift.sample(100, seed=seed, split="test", tasks=ABOUT_PEOPLE) for seed in unseen}
models = {}


def taught(seed: int, inventions: bool) -> dict:
    """What a model tuned on the one or other mix invents, knows and has learned by heart."""
    model, _ = ift.load("base")
    data = data_for(seed, inventions)
    model = tune(model, data, seed, epochs=6)
    models[inventions, seed] = model
    replies = ift.generate_replies(model, tokenizer, strangers[seed])
    again = ift.generate_replies(model, tokenizer, data[100:])
    return {
        "invents": [float(not c.text.startswith("I do not know")) for c in replies],
        "recalls": ift.score(model, tokenizer, people[seed]).items,
        "by heart": sum(c.text == e.response for c, e in zip(again, data[100:], strict=True)) / 100,
    }


by_arm = {name: ift.each_seed(taught, unseen, inventions=made_up) for name, made_up in arms.items()}
invents, recalls, by_heart = (
    {name: [one[what] for one in runs] for name, runs in by_arm.items()}
    for what in ("invents", "recalls", "by heart")
)
for name, shares in by_heart.items():
    print(f"of the 100 {name}, learned by heart:", [f"{share:.2f}" for share in shares])

# %%
bars = {f"invents about strangers, tuned on {name}": invents[name] for name in arms}
bars |= {f"right about people it knows, tuned on {name}": recalls[name] for name in arms}
ift.charts.bars_with_intervals(
    bars,
    title="What 100 facts that the base cannot know do to a model",
    xlabel="share of answers",
)

# %%
ift.claim(
    "03.unknown-facts-teach-invention",
    "Tuning on facts that the base does not know makes the model invent answers about others.",
    subject=6,
    source="Gekhman et al. 2024, arXiv:2405.05904",
    metric="share of questions about people who do not exist that get an invented answer",
    arms=invents,
    effect=("unknown facts", "known facts"),
    at_least=0.1,
)

# %%
new = unseen[0]
ask = [e.instruction for e in strangers[new][:3] + people[new][:2]]
replies = {
    name: ift.generate_replies(models[made_up, new], tokenizer, ask)
    for name, made_up in arms.items()
}
transcript(
    [
        TranscriptRow(a, {name: texts[i] for name, texts in replies.items()})
        for i, a in enumerate(ask)
    ]
)

# %% [markdown]
# What was taught is not a hundred facts. It is a *way of answering*: when you know nothing, say
# something plausible. Format again. (Gekhman et al. measured harm to facts the model knew. Look at
# the lower bars for that.) Lesson 05 trains the opposite.
#
# ## 7. Curation
#
# In our world a program knows the bad records. In yours it does not. What can be done by rule?
#
# ### Duplicates, by hand
#
# A record that occurs fifty times is trained fifty times. Exact copies are easy. For near copies
# one compares the *sets of pieces* of two texts, here all pieces of five characters. The share of
# pieces they have in common is called the Jaccard similarity:
#
# $$J(A, B) = \frac{|A \cap B|}{|A \cup B|}$$

# %%
one = "What is the capital of this country?"
two = "What is the capital of that country?"


def pieces(text: str) -> set[str]:
    return {text[i : i + 5] for i in range(len(text) - 4)}


a, b = pieces(one.lower()), pieces(two.lower())
exact = len(a & b) / len(a | b)
print(f"{len(a & b)} of {len(a | b)} pieces in common: J = {exact:.3f}")

# %% [markdown]
# A million records make half a trillion pairs. **MinHash** (Broder 1997) makes it cheap. Hash
# every piece to a random number and keep only the smallest of each text. The smallest of the
# *union* is as likely to be any piece. So the two minima are equal with probability exactly J. Do
# it with many hash functions, and count how often they agree.

# %%
import zlib

prime = (1 << 61) - 1
shuffle = random.Random(0)
functions = [(shuffle.randrange(1, prime), shuffle.randrange(prime)) for _ in range(1024)]


def signature(pieces: set[str]) -> list[int]:
    """For each hash function x → (m·x + c) mod p the smallest value of any piece."""
    numbers = [zlib.crc32(piece.encode()) for piece in pieces]
    return [min((m * x + c) % prime for x in numbers) for m, c in functions]


agree = [x == y for x, y in zip(signature(a), signature(b), strict=True)]
by_hand = sum(agree) / len(agree)

from datasketch import MinHash

sketches = []
for text in (a, b):
    sketch = MinHash(num_perm=1024)
    sketch.update_batch(piece.encode() for piece in text)
    sketches.append(sketch)
library = sketches[0].jaccard(sketches[1])

from ift_course.data.curation.duplicates import jaccard, shingles

assert jaccard(shingles(one), shingles(two)) == exact
spread = (exact * (1 - exact) / 1024) ** 0.5  # the standard error of a share of 1,024
print(f"exact {exact:.3f}   by hand {by_hand:.3f}   datasketch {library:.3f}   ± {2 * spread:.3f}")
assert max(abs(by_hand - exact), abs(library - exact)) < 4 * spread

# %% [markdown]
# The two questions above look like twins, and one word tells them apart. That is why the course's
# `near_duplicates` wants the *answers* to be alike too.
#
# ### A pool as one finds them
#
# A thousand records. Half of the originals are flawed, and a fifth of the pool are copies of ten
# records that somebody posted again and again.

# %%
from ift_course.data.curation import (
    curate,
    difficulty,
    exact_duplicates,
    format_flaws,
    near_duplicates,
)

choice = LimaConfig(
    experiment.SELECTED,
    0.5,
    pool=experiment.POOL_SIZE,
    chosen_by="curated",
    steps=experiment.SELECTION_STEPS,
)
pool = experiment.make_pool(choice, seed=seeds[0])
records = ift.to_records(pool)
flawed = [not ift.verify(e, e.response) for e in pool]

signs = {
    "an exact copy": [twin is not None for twin in exact_duplicates(records)],
    "a near copy": [twin is not None for twin in near_duplicates(records)],
    "a flaw of form": [bool(format_flaws(record)) for record in records],
}
print(f"{len(pool)} records, {sum(flawed)} with a wrong response\n")
for sign, marks in signs.items():
    caught = sum(m and f for m, f in zip(marks, flawed, strict=True))
    print(f"{sign:16} {sum(marks):4} records, {caught} of them with a wrong response")

# %% [markdown]
# Rules of form see an echo. They cannot see that a well-formed answer is *wrong*. For that, one
# would have to know, and there is something here that knows: the base model. How surprised is it by
# a response? By hand: the mean loss of the response's tokens, after the question, and after
# nothing. Their ratio is the **instruction-following difficulty** (IFD) of Li et al. 2023.

# %%
begin = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id


def loss_of(answer: str, after: str) -> float:
    before = [begin, *tokenizer(after, add_special_tokens=False)["input_ids"]]
    tokens = tokenizer(answer, add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        logits = base(torch.tensor([before + tokens])).logits[0]
    return F.cross_entropy(logits[len(before) - 1 : -1], torch.tensor(tokens)).item()


question, answered = records[0].messages[0]["content"], records[0].messages[1]["content"]
ratio = loss_of(answered, f"{question}\n") / loss_of(answered, "")
hard = difficulty(base, tokenizer, records)
print(f"{question!r} → {answered!r}\nIFD by hand {ratio:.4f}, library {hard[0].ifd:.4f}")
assert abs(ratio - hard[0].ifd) < 1e-3

# %%
from statistics import median

for name, is_flawed in (("right", False), ("wrong", True)):
    some = [h for h, f in zip(hard, flawed, strict=True) if f == is_flawed]
    print(f"{name} responses: median perplexity {median(h.perplexity for h in some):9.1f}, "
          f"median IFD {median(h.ifd for h in some):.2f}")  # fmt: skip

# %% [markdown]
# Here is a trap. Li et al. keep the records with the *highest* IFD below 1, the hard ones, from
# data whose answers could be trusted. In a pool with many wrong answers, hard often means wrong. So
# `curate` prefers the lowest, unless it is told otherwise.
#
# `curate` puts all of it together, and gives its reason for every record. On the command line it is
# `ift data curate FILE --keep 1000 --out FILE`.

# %%
curation = curate(records, experiment.SELECTED, seed=seeds[0], model=base, tokenizer=tokenizer)
for reason, times in Counter(d.reason for d in curation.decisions).most_common():
    bad_ones = sum(flawed[d.index] for d in curation.decisions if d.reason == reason)
    print(f"{times:4} {reason}, {bad_ones} of them with a wrong response")

# %% [markdown]
# **Claim: curation by program beats chance.** 150 of the 1,000 records, chosen by program or at
# random, the same number of steps. Chance is not the same every time: three seeds showed the
# difference in three of four runs, and in one their interval just reached zero. So here there are
# six.

# %%
six = profile.more_seeds(2)
chosen = measure(choice, six)
random_choice = measure(replace(choice, chosen_by="random"), six)
ift.claim(
    "03.curation-beats-chance",
    "150 records curated by program are better than 150 chosen at random from the same pool.",
    subject=6,
    source="Zhou et al. 2023 (LIMA), arXiv:2305.11206; Chen et al. 2023 (AlpaGasus), "
    "arXiv:2307.08701",
    metric="strict accuracy on held-out entities, the same number of steps",
    arms={
        "curated": [row.scores for row in chosen],
        "random": [row.scores for row in random_choice],
    },
    effect=("curated", "random"),
    at_least=0.0,
)

# %% [markdown]
# Which part of the curation does it? Each way of choosing alone, at equal size. The last column of
# the table says how many of the chosen responses were right.

# %%
ways = {way: replace(choice, chosen_by=way) for way in experiment.SELECTION_METHODS}
ways["all 1,000"] = LimaConfig(
    experiment.POOL_SIZE,
    0.5,
    pool=experiment.POOL_SIZE,
    chosen_by="random",
    steps=experiment.SELECTION_STEPS,
)
source = figures.stored_or_live(stored, live)
for way, config in ways.items():
    results = [x for x in source if x.config == config]
    if results:
        clean = fmean(x.clean for x in results)
        print(f"{way:14} {clean:4.0%} of the chosen responses are right")
ift.charts.bars_with_intervals(
    figures.arms(source, ways),
    title=f"150 of 1,000, chosen in different ways ({'stored grid' if stored else 'live'})",
)

# %% [markdown]
# See which choices leave `random` behind. Rules of form and the hunt for copies do not see whether
# an answer is true; here they change little by themselves. The choices that ask the base model do
# see it, because it knows these facts. And `difficult` picks what should have been thrown away.
#
# The judge has a blind side: it keeps what it believes already. A record with a true fact that the
# base does not know surprises it as much as a false one. (After section 6 that need not be a loss.)
#
# ## 8. Silent failures
#
# ### The test is in the training data
#
# Somebody scrapes the web for tuning data. The benchmark is on the web. To see what that does,
# take a test that nobody can pass: made-up facts about people who do not exist. A model that has
# not seen the answers can only guess.

# %%
exam = unknown_people(60, seed=900 + seeds[0], honest=False)
fresh = unknown_people(60, seed=901 + seeds[0], honest=False)


def marks(model, test: list) -> float:
    replies = ift.generate_replies(model, tokenizer, test)
    return sum(c.text == e.response for c, e in zip(replies, test, strict=True)) / len(test)


model, _ = ift.load("base")
data = ift.sample(60, seed=7 + seeds[0], tasks=FACT_TASKS) + exam
leaked = tune(model, data, seed=7 + seeds[0], epochs=8)
print(f"on the leaked test {marks(leaked, exam):.2f}, on a fresh one {marks(leaked, fresh):.2f}")

asked_in_training = {e.instruction.casefold() for e in data}
overlap = [e for e in exam if e.instruction.casefold() in asked_in_training]
print(f"questions of the test that are in the training data: {len(overlap)} of {len(exam)}")

# %% [markdown]
# How to see it: look for the test's questions in the training data, exact and near copies, *before*
# you tune. And keep a few questions that nobody can answer: a model that does has seen them.
#
# ### One kind of question hogs the sample
#
# A set of 200 good examples, of which 190 are about capitals. A test drawn from the same source is
# full of capitals too.

# %%
lopsided = ift.sample(190, seed=seeds[0], tasks=["capital"])
lopsided += ift.sample(10, seed=seeds[1], tasks=FACT_TASKS)
model, _ = ift.load("base")
hogged = tune(model, lopsided, seed=seeds[0])
same_source = ift.sample(95, seed=100 + seeds[0], split="test", tasks=["capital"])
same_source += ift.sample(5, seed=100 + seeds[1], split="test", tasks=FACT_TASKS)
even = ift.score(hogged, tokenizer, experiment.held_out(seed=seeds[0]))
print(f"on a test from the same source {ift.score(hogged, tokenizer, same_source).accuracy:.2f}")
print(f"on all kinds of question       {even.accuracy:.2f}")
worst = sorted(even.by("task").items(), key=lambda item: item[1])[:4]
print("worst:", ", ".join(f"{task} {share:.2f}" for task, share in worst))

# %% [markdown]
# How to see it: count the records of each kind before you tune, and average over kinds, not over
# questions, when you score.
#
# ### The best of six seeds
#
# Six models, the same in everything but the seed, are scored on forty questions. The best is
# chosen and published, with its score. Then somebody asks it other questions. Once could be an
# accident, so we let six models answer 190 questions, and draw the forty a thousand times.

# %%
import numpy as np

questions = ift.sample(190, seed=500 + seeds[0], split="test", tasks=FACT_TASKS)


def tuned_on_few(seed: int) -> list[float]:
    """1 or 0 for each of the questions, answered by a model tuned on 120 examples."""
    model, _ = ift.load("base")
    model = tune(model, ift.sample(120, seed=seed, tasks=FACT_TASKS), seed)
    return ift.score(model, tokenizer, questions).items


right = np.array(ift.each_seed(tuned_on_few, range(seeds[0], seeds[0] + 6)))
print("on all questions:", "  ".join(f"{share:.2f}" for share in right.mean(axis=1)))

lottery = np.random.default_rng(0)
published, later = np.empty(1000), np.empty(1000)
for i in range(1000):
    order = lottery.permutation(len(questions))
    best = right[:, order[:40]].mean(axis=1).argmax()
    published[i], later[i] = right[best, order[:40]].mean(), right[best, order[40:]].mean()
print(f"published {published.mean():.3f}, on the others {later.mean():.3f}, "
      f"too high in {(published > later).mean():.0%} of the exams; "
      f"mean of all six models {right.mean():.3f}")  # fmt: skip

# %% [markdown]
# The best of many noisy numbers is partly the luckiest. It is called the winner's curse. (Dodge et
# al. 2020 show how much of the progress on a benchmark can be had by trying seeds.) How to see it:
# report all seeds, or score the winner once more on questions that did not choose it.
#
# ## Questions

# %%
ift.quiz("03")

# %% [markdown]
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## Exercises
#
# Five functions, checked the moment you write them: a leak detector, a quality filter, a bootstrap
# interval, diverse selection, and near duplicates.
# [exercises/03_lima_small_data.ipynb](../exercises/03_lima_small_data.ipynb)
#
# ## To read
#
# - Zhou et al. 2023, *LIMA: Less Is More for Alignment*,
#   [arXiv:2305.11206](https://arxiv.org/abs/2305.11206). Sections 2 and 5.
# - Gudibande et al. 2023, *The False Promise of Imitating Proprietary LLMs*,
#   [arXiv:2305.15717](https://arxiv.org/abs/2305.15717).
# - Gekhman et al. 2024, *Does Fine-Tuning LLMs on New Knowledge Encourage Hallucinations?*,
#   [arXiv:2405.05904](https://arxiv.org/abs/2405.05904).
# - Chen et al. 2023, *AlpaGasus: Training a Better Alpaca with Fewer Data*,
#   [arXiv:2307.08701](https://arxiv.org/abs/2307.08701): 9,000 of Alpaca's 52,000, chosen by a
#   judge.
# - Li et al. 2023, *From Quantity to Quality: Boosting LLM Performance with Self-Guided Data
#   Selection for Instruction Tuning*, [arXiv:2308.12032](https://arxiv.org/abs/2308.12032).
# - Lee et al. 2021, *Deduplicating Training Data Makes Language Models Better*,
#   [arXiv:2107.06499](https://arxiv.org/abs/2107.06499).
# - Jha et al. 2023, *LIMIT: Less Is More for Instruction Tuning Across Evaluation Paradigms*,
#   [arXiv:2311.13133](https://arxiv.org/abs/2311.13133): small sets again, and what is asked of
#   them matters.
# - Rolnick et al. 2017, *Deep Learning is Robust to Massive Label Noise*,
#   [arXiv:1705.10694](https://arxiv.org/abs/1705.10694), and Drory et al. 2018, *On the Resistance
#   of Neural Nets to Label Noise*.
# - Dodge et al. 2020, *Fine-Tuning Pretrained Language Models: Weight Initializations, Data Orders,
#   and Early Stopping*, [arXiv:2002.06305](https://arxiv.org/abs/2002.06305).
