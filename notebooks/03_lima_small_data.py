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
# - measure how few examples are enough, and what it costs if a share of them is flawed;
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
# forums (Stack Exchange, wikiHow, Reddit), 200 were written by the authors, and 50 were taken from
# Super-Natural Instructions. There was no reward model and no reinforcement learning.
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
# people prefer, mostly in single turns, and not whether the answers are true. People are known to
# like style: models tuned to imitate ChatGPT pleased the graders without knowing more (Gudibande et
# al. 2023). And quality and quantity were not crossed: how *much* quality is worth how *many*
# examples was left open.
#
# That last question we can answer here. In our world a program knows which records are bad, and
# marks every answer.
#
# ### What we expect, before we measure
#
# 1. Three hundred good examples do almost as well as a thousand, with the same number of steps: the
#    difference is surely below 0.15.
# 2. Three hundred good examples beat a thousand of which 60 % are flawed, with the same steps.
# 3. Tuning does not take the model past what the base knows: it gains surely less than 0.02 on it.
# 4. A hundred and fifty records that a program chose are better than as many chosen at random.
#
# The first two lines said "a hundred" before a first run on an earlier base model. There are 29
# kinds of question here, so that a hundred examples are three or four of each kind. You will find
# them in the figure.
#
# ## 2. Quality and quantity
#
# ### The data, good and bad
#
# `world/flaws.py` damages examples on purpose. Here is one example, and what each of four flaws
# makes of it. They differ from record to record, as the mistakes of careless annotators do.

# %%
import random

from ift_course.claims import grid_store
from ift_course.lessons.lesson_03 import experiment, figures
from ift_course.lessons.lesson_03.config import STEPS, LimaConfig
from ift_course.plots.transcript import TranscriptRow, transcript
from ift_course.world.flaws import FLAWS
from ift_course.world.tasks import FACT_TASKS

good = ift.sample(1, seed=5, tasks=["capital"])[0]
kinds = ("wrong", "off_topic", "echoed", "truncated")
bad = {name: FLAWS[name](good, random.Random(3)) for name in kinds}
transcript(
    [
        TranscriptRow(name, {"instruction": e.instruction, "response": e.response})
        for name, e in {"(good)": good, **bad}.items()
    ],
    heading="flaw",
)

# %% [markdown]
# ### One run, step by step
#
# Draw examples, damage a share of them, tune the base, ask about entities that no example
# mentioned. We give every run the same number of steps. So "more examples" means more *different*
# ones, not more training.

# %%
from ift_course.world.flaws import spoil

seeds = profile.seeds
examples = ift.sample(300, seed=seeds[0], tasks=FACT_TASKS)
examples = spoil(examples, share=0.0, seed=seeds[0], flaws=kinds)

model, tokenizer = ift.load("base")
result = ift.sft(
    model,
    tokenizer,
    ift.to_records(examples),
    seed=seeds[0],
    max_steps=STEPS,
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
# Three seeds of every point would take longer than a lesson should. So two points are measured now,
# with the first seed. All else comes from the stored grid, which the same `run_config` computed on
# the same base. Where nothing is stored, only the first seed is measured, and nothing is claimed.

# %%
stored = grid_store.read(profile, "03", experiment.LimaResult)
live = []


def measure(config: LimaConfig, of: tuple[int, ...] = seeds, now: bool = False) -> list:
    """A result for each stored seed; the first seed is measured here if it is missing or `now`."""
    by_seed = {x.seed: x for x in stored if x.config == config and x.seed in of}
    if now or of[0] not in by_seed:
        by_seed[of[0]] = experiment.run_config(config, of[0], profile)
        live.append(by_seed[of[0]])
    results = [by_seed[seed] for seed in of if seed in by_seed]
    print(f"{config.examples:,} examples, {1 - results[0].clean:.0%} of the responses wrong: "
          + "  ".join(f"{x.accuracy:.3f}" for x in results))  # fmt: skip
    return results


def enough_seeds(*arms: list) -> bool:
    """Whether all arms have the same seeds, and as many as a claim needs; otherwise say so."""
    enough = len({tuple(x.seed for x in arm) for arm in arms}) == 1 and len(arms[0]) >= len(seeds)
    if not enough:
        print("Not all seeds are stored, so nothing is claimed: `ift run 03 --full` computes them.")
    return enough


few = measure(LimaConfig(300), now=True)
assert few[0].scores == scores.items

# %% [markdown]
# ### More, and worse
#
# More than three times as many examples, once good, once with 60 % flawed in the four ways above.
# The flawed ones are measured now, too.

# %%
thousand = measure(LimaConfig(1000))
noisy = measure(LimaConfig(1000, 0.6), now=True)

# %% [markdown]
# **Claim: little is enough.** Three hundred good examples do almost as well as a thousand.

# %%
if enough_seeds(thousand, few):
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
if enough_seeds(few, noisy):
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
# Three points do not make a trade-off. The whole grid takes too long for a lesson, so it is
# computed once and stored: `ift run 03 --full` does it again, on your machine, with more seeds if
# you like. What is drawn with small marks below is **that stored result**; the large marks are what
# was measured in this notebook, just now.
#
# Before you look, guess: from which size on do more curated examples bring little, and how far
# below the curated line is that of the sets of which 30 % are flawed?
#
# The sliders choose a size and a quality. You see what such a model was tuned on, its score, and
# what it answers.

# %%
from statistics import fmean

from ift_course.plots.grid_figures import curves, explore

plain = [x for x in stored if not x.config.pool]  # the others are for section 4
note = figures.origin(plain) if plain else ""
print(f"Stored: {len(plain)} runs; {note}." if plain else "No grid is stored for this base model.")
for name, points in figures.by_share(stored).items():
    means = "  ".join(f"{fmean(map(fmean, points[n])):.2f} at {n:,}" for n in points)
    print(f"{name:>12}: {means}")
explore(
    figures.options(),
    figures.explorer_view(stored, live),
    curves(
        figures.by_share(stored),
        figures.by_share(live),
        title=f"Equal compute: {STEPS} steps for every model",
        xlabel="different examples",
        note=note,
    ),
)

# %% [markdown]
# Look at the left end first, where thirty examples are seen over and over. Then look where the
# curated line stops rising by more than the width of its band: from there on, more *good* examples
# bring little. Compare the other lines with it at the *same* number of examples: the distance is
# what the flawed share costs. The means are printed above the sliders.
#
# At equal compute, a large set is seen once and a small one many times. Practice usually does
# otherwise: it goes through the data a fixed number of times, so a larger set also gets more
# training. That is kinder to large sets, and it mixes up size and training.
#
# ## 3. Format, not facts
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
known = [base_completes(facts_of(experiment.held_out(row.seed))) for row in thousand]
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
# Look at the form of these answers, and then at whether they are true. Which of the two did tuning
# teach?
#
# **Claim: the base is the bound.** A thousand examples do not lift the model above what the base
# completes.

# %%
if enough_seeds(thousand):
    ift.claim(
        "03.the-base-is-the-bound",
        "Tuning does not take the model past what the base knows.",
        subject=6,
        source="Zhou et al. 2023 (LIMA), arXiv:2305.11206, the superficial alignment hypothesis",
        metric="accuracy on the same held-out facts, "
        "asked after tuning minus completed by the base",
        arms={"tuned on 1,000": tuned, "base completes": known},
        effect=("tuned on 1,000", "base completes"),
        at_most=0.02,
    )

# %% [markdown]
# Can one not simply *tune in* new facts? One can, at a price. Gekhman et al. (2024) found that
# examples whose facts are new to the base are learned slowly, and that hallucination increases as
# they are learned.
#
# ## 4. Curation
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
# A million records make half a trillion pairs. **MinHash** (Broder 1997) makes each comparison
# cheap, and locality-sensitive hashing, which `near_duplicates` builds on it, skips most pairs.
# Hash every piece to a random number and keep only the smallest of each text. The smallest of the
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

choice = experiment.SELECTIONS["curated"]
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
import torch
import torch.nn.functional as F

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
from collections import Counter

curation = curate(records, experiment.SELECTED, seed=seeds[0], model=base, tokenizer=tokenizer)
for reason, times in Counter(d.reason for d in curation.decisions).most_common():
    bad_ones = sum(flawed[d.index] for d in curation.decisions if d.reason == reason)
    print(f"{times:4} {reason}, {bad_ones} of them with a wrong response")

# %% [markdown]
# **Claim: curation by program beats chance.** 150 of the 1,000 records, chosen by program or at
# random, the same number of steps. Chance is not the same every time, so up to six seeds are used.

# %%
six = profile.more_seeds(2)
chosen = measure(choice, six)
random_choice = measure(experiment.SELECTIONS["random"], six)
if enough_seeds(chosen, random_choice):
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
source = figures.stored_or_live(stored, live)
for way, config in experiment.SELECTIONS.items():
    results = [x for x in source if x.config == config]
    if results:
        clean = fmean(x.clean for x in results)
        print(f"{way:14} {clean:4.0%} of the chosen responses are right")
ift.charts.bars_with_intervals(
    figures.arms(source, experiment.SELECTIONS),
    title=f"150 of 1,000, chosen in different ways ({'stored grid' if stored else 'live'})",
)

# %% [markdown]
# See which choices leave `random` behind. Rules of form and the hunt for copies do not see whether
# an answer is true. The choices that ask the base model can see it, as far as the base knows these
# facts. And look at the share of right responses among those that `difficult` picks: to the base, a
# wrong answer is hard.
#
# The judge has a blind side: it keeps what it believes already. A record with a true fact that the
# base does not know surprises it as much as a false one.
#
# ## 5. Silent failures
#
# ### The test is in the training data
#
# Somebody scrapes the web for tuning data. The benchmark is on the web. To see what that does,
# take a test that nobody can pass: made-up facts about people who do not exist. A model that has
# not seen the answers can only guess.

# %%
from dataclasses import replace

from ift_course.world.preferences import preferences


def made_up_facts(n: int, seed: int) -> list:
    """Questions about people who do not exist, each with an invented answer."""
    pairs = preferences(n, seed=seed, failings=("invention",))
    return [replace(pair.example, response=pair.rejected) for pair in pairs]


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


def marks(model, test: list) -> float:
    replies = ift.generate_replies(model, tokenizer, test)
    return sum(c.text == e.response for c, e in zip(replies, test, strict=True)) / len(test)


exam = made_up_facts(60, seed=900 + seeds[0])
fresh = made_up_facts(60, seed=901 + seeds[0])
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
# - Dodge et al. 2020, *Fine-Tuning Pretrained Language Models: Weight Initializations, Data Orders,
#   and Early Stopping*, [arXiv:2002.06305](https://arxiv.org/abs/2002.06305).
