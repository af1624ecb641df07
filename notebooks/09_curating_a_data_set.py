# %% [markdown]
# # Curating a data set
#
# {{ badge }}
#
# In lesson 03, 300 good examples beat 1,000 of which 60 % were flawed. Somebody has to find the
# good ones. In this lesson you read raw rows, clean them, and measure what each step is worth. At
# the end you will be able to
#
# - write rules of form, and know how many good rows they cost;
# - find near duplicates with MinHash and LSH, without comparing all pairs;
# - rank records by difficulty, and say when that backfires;
# - mix several sources without undoing what you have cleaned.
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("09")

# %% [markdown]
# ## 1. Read the rows
#
# These 200 rows imitate what comes off the web. (They were written for this course, because scraped
# data may not be shipped with it.) Before any code: **read** the first twelve.

# %%
import textwrap

from datasets import load_dataset

from ift_course.data import course_set

raw = load_dataset("json", data_files=str(course_set.path("raw")), split="train")
for i, row in enumerate(raw.select(range(12)), 1):
    print(f"{i:2} {row['instruction']} {row['input']}")
    print(textwrap.fill(row["output"], 94, initial_indent="   ▸ ", subsequent_indent="     "))

# %% [markdown]
# **Predict.** Which of the twelve are good enough to train on? Which flaws of the others could a
# program find? Every row carries a label, so you can check your guess.

# %%
from collections import Counter

MEANING = {
    "html": "tags and entities of a web page", "cut-off": "ends in the middle",
    "wrong-question": "answers another question", "wrong-fact": "answers wrongly",
    "leaked-test-question": "stands in the course's test set, too",
    "boilerplate": "set phrases of assistants and websites", "tracking": "links that count clicks",
    "rambling": "far more than was asked for", "mojibake": "characters of a wrong encoding",
    "missing-input": "asks about a text that is not there",
}  # fmt: skip
labels = [row["flaw"] or "good" for row in raw]
print("good among the twelve:", [i for i, label in enumerate(labels[:12], 1) if label == "good"])
for label, count in Counter(labels).most_common():
    print(f"{count:4} {label:22}{MEANING.get(label, '')}")

# %% [markdown]
# ## 2. Rules of form
#
# Rules are cheap, but may fit only the rows that they were written for. Each rule below was written
# for a flaw among the first hundred rows, and is measured on the other hundred, too.

# %%
import re

from scipy.stats import binomtest

RULES = {
    "markup": lambda q, a: re.search(r"</?\w+[^>]*>|&\w+;", a),
    "wrong encoding": lambda q, a: re.search(r"Ã|â€|Â|\ufffd", q + a),
    "link": lambda q, a: re.search(r"https?://|www\.", a),
    "filler": lambda q, a: re.search(r"(?i)\bas an? .*model\b|i hope this|accept our cookies", a),
    "empty": lambda q, a: not re.search(r"\w", a) or a.strip().lower() in ("n/a", "no output"),
    "breaks off": lambda q, a: a.strip() and a.strip()[-1].isalpha() and len(a.split()) > 8,
    "another script": lambda q, a: (
        re.search(r"[\u0400-\u04ff\u3040-\u30ff\u4e00-\u9fff]", a) and "translat" not in q.lower()
    ),
}


def problems(row: dict) -> list[str]:
    """The names of the rules that a row breaks."""
    question = f"{row['instruction']} {row['input']}"
    return [name for name, rule in RULES.items() if rule(question, row["output"])]


def share(count: int, total: int) -> str:
    """A share with its 95 % interval (Wilson)."""
    low, high = binomtest(count, total).proportion_ci(method="wilson")
    return f"{count} of {total} ({low:.0%} to {high:.0%})"


by_rule = [bool(problems(row)) for row in raw]
for name, part in {"written on": range(100), "measured on": range(100, 200)}.items():
    bad = [i for i in part if labels[i] != "good" and "duplicate" not in labels[i]]
    good = [i for i in part if labels[i] == "good"]
    print(f"{name:12} {share(sum(by_rule[i] for i in bad), len(bad))} flawed rows caught, "
          f"{share(sum(by_rule[i] for i in good), len(good))} good rows lost")  # fmt: skip

# %% [markdown]
# (Copies are left out, because one row alone does not show them.) Report the second line. Here it
# shows no sign of overfitting, but the intervals are too wide to exclude it. The course's own
# rules, `curation.format_flaws`, look for partly other things: empty, garbled, repeating and
# broken-off answers and missing inputs, not markup, links or set phrases. Both on the second
# hundred:

# %%
from ift_course.data import curation

records = [ift.Record.from_instruction(r["instruction"], r["input"], r["output"]) for r in raw]
by_course = [bool(curation.format_flaws(record)) for record in records]
malformed = [ours or theirs for ours, theirs in zip(by_rule, by_course, strict=True)]
print(f"{'rows':>26}  RULES  format_flaws  either")
for label in sorted(set(labels)):
    rows = [i for i in range(100, 200) if labels[i] == label]
    caught = [sum(marks[i] for i in rows) for marks in (by_rule, by_course, malformed)]
    print("{:22}{:4}{:7}{:14}{:8}".format(label, len(rows), *caught))

# %% [markdown]
# No rule of form sees a wrong fact or an answer to another question. And rules refuse good answers:
# ours, those that explain an HTML tag or give the link that the user asked for.
#
# ## 3. Duplicates
#
# The model trains fifty times on a record that occurs fifty times. Exact copies are easy to find.
# For near copies, compare the sets of **shingles** of two texts, here all runs of five characters.
# The share of shingles that two texts have in common is their Jaccard similarity:
#
# $$J(A, B) = \frac{|A \cap B|}{|A \cup B|}$$


# %%
from itertools import combinations


def shingles(text: str) -> set[str]:
    text = " ".join(text.lower().split())
    return {text[i : i + 5] for i in range(max(1, len(text) - 4))}


def jaccard(a: set[str], b: set[str]) -> float:
    return len(a & b) / len(a | b)


one = shingles("What is the capital of this country?")
two = shingles("What is the capital of that country?")
exact = jaccard(one, two)
print(f"{len(one & two)} of {len(one | two)} shingles in common: J = {exact:.3f}")

NEAR = 0.45  # texts at least this similar are near copies
texts = [f"{r['instruction']} {r['input']} {r['output']}" for r in raw]
sets = [shingles(text) for text in texts]
similarity = {(i, j): jaccard(sets[i], sets[j]) for i, j in combinations(range(len(sets)), 2)}
ranked = sorted(similarity, key=lambda pair: -similarity[pair])
below = sum(value >= NEAR for value in similarity.values())
for i, j in ranked[below - 2 : below + 2]:
    print(f"J = {similarity[i, j]:.2f}   {texts[i][:42]!r:46} {texts[j][:42]!r}")

# %% [markdown]
# To choose a threshold, read the pairs just above and just below it. Here 0.45 lies in a gap:
# above, a question asked again; below, another question in the same words. Move the threshold, and
# read what each step down adds: **how low** can it go before the pairs are no copies any more?

# %%
from ift_course.lessons.lesson_09 import experiment, figures

figures.explore_threshold({pair: similarity[pair] for pair in ranked}, texts)

# %% [markdown]
# ### MinHash: cheap comparisons
#
# Comparing sets is slow for long texts. **MinHash** (Broder 1997) replaces each set by a short
# signature. Hash every shingle to a number and keep the smallest. The two minima are equal if the
# shingle with the smallest number of the *union* lies in both sets. If every shingle is equally
# likely to be that one, the probability is J; with our hash functions it is very nearly J. Use many
# of them, and count how often the minima agree.

# %%
import random
import zlib

from datasketch import MinHash

N_HASHES, PRIME = 128, (1 << 61) - 1
rng = random.Random(0)
functions = [(rng.randrange(1, PRIME), rng.randrange(PRIME)) for _ in range(N_HASHES)]


def signature(pieces: set[str]) -> list[int]:
    """For each hash function x → (m·x + c) mod p the smallest value of any shingle."""
    numbers = [zlib.crc32(piece.encode()) for piece in pieces]
    return [min((m * x + c) % PRIME for x in numbers) for m, c in functions]


def sketch(pieces: set[str]) -> MinHash:
    """The same with datasketch, which draws its own hash functions."""
    result = MinHash(num_perm=N_HASHES, hashfunc=zlib.crc32)
    result.update_batch(piece.encode() for piece in pieces)
    return result


by_hand = sum(x == y for x, y in zip(signature(one), signature(two), strict=True)) / N_HASHES
library = sketch(one).jaccard(sketch(two))
spread = (exact * (1 - exact) / N_HASHES) ** 0.5  # the standard error of a share of 128
print(f"exact {exact:.3f}   by hand {by_hand:.3f}   datasketch {library:.3f}   ± {2 * spread:.3f}")
assert max(abs(by_hand - exact), abs(library - exact)) < 4 * spread

# %% [markdown]
# ### LSH: few comparisons
#
# MinHash makes each comparison cheap. It does not make them few: a million records still have half
# a trillion pairs. **Locality-sensitive hashing** (LSH) avoids almost all of them by *banding*. Cut
# each signature into $b$ bands of $r$ numbers. Put texts whose bands are equal into one bucket, and
# compare only texts that share a bucket. Two texts with similarity $J$ share a given band with
# probability $J^r$, and at least one of the bands with probability
#
# $$1 - (1 - J^r)^b.$$
#
# **Predict.** Our 200 rows have 19,900 pairs. How many of them will be compared with 32 bands of 4?

# %%
from collections import defaultdict

from datasketch import MinHashLSH

sketches = [sketch(pieces) for pieces in sets]


def candidates(signatures, bands: int, per_band: int) -> set[tuple[int, int]]:
    """All pairs of texts that share at least one bucket."""
    pairs = set()
    for band in range(bands):
        buckets = defaultdict(list)
        for i, numbers in enumerate(signatures):
            buckets[tuple(numbers[band * per_band : (band + 1) * per_band])].append(i)
        for members in buckets.values():
            pairs.update(combinations(members, 2))
    return pairs


def index_of(items: list[MinHash], bands: int, per_band: int) -> MinHashLSH:
    """datasketch's index, which proposes the same pairs."""
    index = MinHashLSH(num_perm=N_HASHES, params=(bands, per_band))
    for i, item in enumerate(items):
        index.insert(i, item)
    return index


near = {pair for pair, value in similarity.items() if NEAR <= value < 1}
bandings = {
    banding: candidates([x.hashvalues.tolist() for x in sketches], *banding)
    for banding in ((64, 2), (32, 4), (16, 8))
}
for banding, pairs in bandings.items():
    index = index_of(sketches, *banding)
    assert pairs == {(i, j) for j, x in enumerate(sketches) for i in index.query(x) if i < j}
    print("{} bands of {}: {} of 19,900 pairs compared, {} of {} near copies found".format(
        *banding, len(pairs), len(pairs & near), len(near)))  # fmt: skip

# %%
figures.banding(
    {banding: len(pairs) for banding, pairs in bandings.items()},
    {banding: len(pairs & near) for banding, pairs in bandings.items()},
    [similarity[pair] for pair in near],
)

# %% [markdown]
# The banding by hand proposes exactly the pairs of `MinHashLSH`. Each candidate is then compared
# exactly, so a wrong proposal costs one comparison, and a missed pair leaves a copy in the data.
# What LSH saves, on 10,000 texts of random words, 500 of them copies but for one word:

# %%
import time

words = sorted({word for row in raw for word in row["output"].split() if word.isalpha()})
many = [rng.choices(words, k=12) for _ in range(9_500)]
many += [[*text[:-1], rng.choice(words)] for text in many[:500]]
many = [shingles(" ".join(text)) for text in many]

drawn = [rng.sample(range(10_000), 2) for _ in range(20_000)]
started = time.process_time()
for i, j in drawn:
    jaccard(many[i], many[j])
all_pairs = (time.process_time() - started) / 20_000 * 49_995_000
started = time.process_time()
items = [sketch(pieces) for pieces in many]
index = index_of(items, 32, 4)
proposed = {(i, j) for j, item in enumerate(items) for i in index.query(item) if i < j}
n_near = sum(jaccard(many[i], many[j]) >= NEAR for i, j in proposed)
seconds = time.process_time() - started
print(f"all 49,995,000 pairs: about {all_pairs:,.0f} s (extrapolated from 20,000 pairs)\n"
      f"MinHash and LSH: {seconds:.1f} s, {len(proposed):,} pairs compared, "
      f"{n_near} near copies found")  # fmt: skip

# %% [markdown]
# **Think.** "What is 4 + 3?" and "What is 4 + 5?" are near copies. Should one of them go?
#
# <details><summary>Answer</summary>
#
# No. Their answers differ, and that difference is what an example teaches. So
# `curation.near_duplicates` asks for similar questions *and* similar answers.
# </details>
#
# ### Rows that hold a test question
#
# The same index finds test questions among the training rows (**contamination**). If the model has
# trained on a test question, its answer shows memory, not skill. A missed leak spoils the result
# and a false alarm costs a row, so compare questions only, with a lower threshold.

# %%
LEAK = 0.4
test = load_dataset("json", data_files=str(course_set.path("test")), split="train")
tested = [" ".join(x["content"] for x in row["messages"] if x["role"] == "user") for row in test]
index = index_of([sketch(shingles(text)) for text in tested], 64, 2)


def nearest(question: str) -> tuple[float, str]:
    """The most similar test question in the same buckets, after its similarity."""
    pieces = shingles(question)
    hits = [tested[i] for i in index.query(sketch(pieces))]
    return max(((jaccard(pieces, shingles(text)), text) for text in hits), default=(0.0, ""))


asked = [f"{row['instruction']} {row['input']}" for row in raw]
hits = [nearest(question) for question in asked]
leaked = [j >= LEAK for j, _ in hits]
for threshold in (0.6, LEAK):
    caught = [label for label, (j, _) in zip(labels, hits, strict=True) if j >= threshold]
    n_leaks = caught.count("leaked-test-question")
    print(f"J ≥ {threshold}: {n_leaks} of 10 labeled leaks, {len(caught) - n_leaks} other rows")
for label, question, (j, text) in zip(labels, asked, hits, strict=True):
    if j >= LEAK and label != "leaked-test-question":
        print(f"  {j:.2f}  {question:37} ~ {text}")
paraphrase = "Tell me Japan's capital."
print(f"A paraphrase: {paraphrase!r}, J = {nearest(paraphrase)[0]:.2f}")

# %% [markdown]
# The other rows are false alarms: another fact in the words of a test question. Here the lower
# threshold finds no more leaks and costs more rows. Neither finds the paraphrase.

# %%
ift.quiz("09", "why-lsh", "bands-and-rows")

# %% [markdown]
# ## 4. What each step removes
#
# Each step sees only what the steps before have left.

# %%
is_exact = [x is not None for x in curation.exact_duplicates(records)]
is_near = [x is not None for x in curation.near_duplicates(records, NEAR)]
steps = {"rules of form": malformed, "exact copies": is_exact, "near copies": is_near,
         "test questions": leaked}  # fmt: skip
left = list(range(len(records)))
for name, marks in steps.items():
    gone = [i for i in left if marks[i]]
    left = [i for i in left if not marks[i]]
    print(f"{name:16} removes {len(gone):3}, of them {sum(labels[i] == 'good' for i in gone)} good")
remaining = Counter(labels[i] for i in left)
good, content = remaining.pop("good"), remaining["wrong-fact"] + remaining["wrong-question"]
print(f"{len(left)} rows are left: {good} good, {content} with a flaw of content, "
      f"{len(left) - good - content} with a flaw of form\n{dict(remaining)}")  # fmt: skip

# %% [markdown]
# What is left is not clean. More rules would find more flaws of form. For a wrong fact, somebody
# has to know the answer.
#
# ## 5. Difficulty
#
# How surprised is a base model by a response? Take the mean loss of the response's tokens after the
# question, and after nothing. Their ratio is the **instruction-following difficulty** (IFD) of Li
# et al. 2023. Near 0, the question gives the answer away; near 1, it did not help; above 1, it made
# the response less likely.
#
# Does that find wrong answers? We take a pool of 1,000 records of the closed world, the course's
# own facts, which a program can check. Half of the originals are flawed, and a fifth of the pool
# are copies of ten records.

# %%
import math

import torch
import torch.nn.functional as F

base, tokenizer = ift.load("base")
pool, flawed = experiment.judged_pool(profile.seeds[0])
begin = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id


def loss_of(answer: str, after: str) -> float:
    """Mean loss of the answer's tokens behind a text."""
    before = [begin, *tokenizer(after, add_special_tokens=False)["input_ids"]]
    tokens = tokenizer(answer, add_special_tokens=False)["input_ids"]
    ids = torch.tensor([before + tokens], device=base.device)
    with torch.no_grad():
        logits = base(ids).logits[0].float()
    return F.cross_entropy(logits[len(before) - 1 : -1], ids[0, len(before) :]).item()


question, answer = (turn.content for turn in pool[0].turns)
ratio = loss_of(answer, f"{question}\n") / loss_of(answer, "")
scores = curation.difficulty(base, tokenizer, pool)
print(f"{question!r} → {answer!r}\nIFD by hand {ratio:.4f}, library {scores[0].ifd:.4f}")
assert math.isclose(ratio, scores[0].ifd, rel_tol=0.01)

# %%
from statistics import median

for name, is_flawed in (("right", False), ("wrong", True)):
    ifd = [x.ifd for x, f in zip(scores, flawed, strict=True) if f == is_flawed]
    print(f"{len(ifd)} {name} responses: median IFD {median(ifd):.2f}, "
          f"{share(sum(x > 0.5 for x in ifd), len(ifd))} above 0.5")  # fmt: skip
hardest = sorted((i for i, x in enumerate(scores) if x.ifd < 1), key=lambda i: -scores[i].ifd)[:150]
for name, is_flawed in (("right", False), ("wrong", True)):
    for i in [i for i in hardest if flawed[i] == is_flawed][:3]:
        print(f"hard and {name}: {scores[i].ifd:.2f}", [turn.content for turn in pool[i].turns])

# %% [markdown]
# The judge errs on both sides. A right response is hard if the base does not know the fact or does
# not expect the wording.
#
# **Which end?** Li et al. keep the *highest* IFD below 1, from Alpaca (52,000) and WizardLM, with a
# model that had trained for an epoch on about 1,000 varied examples. Alpaca holds errors, too, but
# of other kinds, and longer answers. Where half of the answers are wrong and the base knows the
# facts, hard often means wrong, and the *lowest* IFD is the better choice. The base believes those
# answers already. Training on them still helps, because the aim is not new facts, but to answer.
#
# So `curation.curate` makes you choose the end. Its steps, in order: rules of form, exact copies,
# near copies, the best 300 (twice what you keep) by IFD, and **diversity**: of those, the questions
# that differ most. Test questions are not in it. Deita (Liu et al. 2023) works in the same way: it
# ranks records by complexity and quality, as a model scores them, and keeps a record only if it
# differs enough from those kept before. With its 6,000 records, models did as well as others with
# more than ten times as many.

# %%
curated = curation.curate(
    pool, 150, seed=profile.seeds[0], model=base, tokenizer=tokenizer, prefer="low_ifd"
)
for reason, count in Counter(d.reason for d in curated.decisions).most_common():
    wrong = sum(flawed[d.index] for d in curated.decisions if d.reason == reason)
    print(f"{count:4} {reason}, {wrong} of them with a wrong response")
for i in [d.index for d in curated.decisions if d.selected and flawed[d.index]][:3]:
    print(f"selected and wrong: IFD {scores[i].ifd:.2f}", [turn.content for turn in pool[i].turns])

# %% [markdown]
# More than a quarter of what IFD refused is right, partly because only 300 places were free. The
# wrong responses shown break off, and what is left of them is what the base expects. Diversity
# looks at questions alone, and in this pool it keeps more errors than it drops.
#
# ## 6. What it is worth
#
# The goal is a better model. So tune one on 150 records chosen in each way, at 40 steps each, and
# ask it about held-out entities, which no training record names. `random` is a random choice, `no
# duplicates` and `well formed` choose at random among what the rule leaves, `varied` takes the most
# different questions, `expected` the lowest perplexity (e to the power of the loss), `difficult`
# the highest IFD below 1, and `curated` is the pipeline above. Each seed has its own pool.
#
# **Predict.** Rank these seven, and say which of them are no better than a random choice.

# %%
from ift_course.claims.grid_runs import GridRuns
from ift_course.evaluation.intervals import two_level_interval

# The stored runs; `now=True` measures the first seed here, `more_seeds` asks for three more.
runs = GridRuns("09", profile, experiment.CurationResult, experiment.run_config)
six = profile.more_seeds(2)
chosen = runs.of(experiment.SELECTIONS["curated"], seeds=six, now=True)
random_choice = runs.of(experiment.SELECTIONS["random"], seeds=six)
for name, results in {"curated": chosen, "random": random_choice}.items():
    print(f"{name:>10}: " + "  ".join(f"{result.accuracy:.3f}" for result in results))

# %% [markdown]
# **Claim: curation by program beats a random choice**, if the program asks a model that knows the
# answers. The score is strict: the reply must be the answer and nothing else.

# %%
if runs.decide(chosen, random_choice):
    ift.claim(
        "09.curation-beats-chance",
        "In a pool whose facts the base knows, 150 records curated with the base's help are better "
        "than 150 chosen at random.",
        subject=4,
        source="Zhou et al. 2023 (LIMA), arXiv:2305.11206, section 5: filtered against unfiltered "
        "answers; Chen et al. 2023 (AlpaGasus), arXiv:2307.08701: judged against random 9,000",
        metric="strict accuracy on held-out entities, the same number of steps",
        arms={
            "curated": [row.scores for row in chosen],
            "random": [row.scores for row in random_choice],
        },
        effect=("curated", "random"),
        at_least=0.0,
    )

# %% [markdown]
# Are the hardest records bad only because most of them are wrong? We predicted that the hardest 150
# are worse than a random choice even among the right ones.

# %%
right = runs.of(experiment.SELECTIONS["right"])
hard_right = runs.of(experiment.SELECTIONS["difficult and right"])
if runs.decide(right, hard_right):
    low, high = two_level_interval([x.scores for x in right], [x.scores for x in hard_right])
    print("random choice of right ones minus hardest right ones, predicted more than 0: "
          f"{low:+.2f} to {high:+.2f} (95 % interval, {len(right)} seeds)")  # fmt: skip
    if low < 0 < high:
        print("The interval includes 0: this is not decided.")

# %%
known = runs.best_known
for name, results in figures.by_method(known).items():
    clean = sum(result.clean for result in results) / len(results)
    print(f"{name:22} {len(results)} seeds, {clean:4.0%} of the chosen responses are right")
stored = {x.config.method: x for x in known if x.seed == profile.seeds[0]}
if "difficult" in stored:
    print("A model tuned on `difficult`:", list(stored["difficult"].answers.items())[1])
figures.methods(known)

# %% [markdown]
# Controls need to know which responses are right. `all 1,000` is the whole pool, at 40 steps.
#
# - Only the two choices that keep what the base expects are clearly above `random`, and `curated`
#   comes close to the control `right`. For `well formed`, three seeds do not decide.
# - For removing copies, three seeds show no gain.
# - The share of right responses is not everything: `expected` has as many as `curated`, and a lower
#   score. It also lacks the other steps, and ranks by perplexity.
# - What `difficult` chooses is wrong, malformed and hard at once; the printed answer of its model
#   echoes the question. The control with as many wrong responses is nearly as bad, so being flawed
#   is almost enough. Whether being hard does harm, too, is what the interval above leaves open.
#
# To check a judge without labels, draw 50 rows that it kept and 50 that it removed, label them by
# hand, and report both shares of wrong ones with intervals.
#
# ## 7. Silent failures
#
# ### A mixture that repeats or forgets
#
# Today's post-training sets are **mixtures**: chat, math, code, safety, each with a share (Tülu 3,
# SmolTalk). You mix the 300 course examples with 60 clean raw rows, half and half.
#
# **Predict.** How many rows does the mixture have?

# %%
from datasets import Dataset, concatenate_datasets, interleave_datasets

big = Dataset.from_list([{"text": f"course {i}"} for i in range(300)])
small = Dataset.from_list([{"text": f"raw {i}"} for i in range(60)])
mixtures = {
    strategy: interleave_datasets(
        [big, small], probabilities=[0.5, 0.5], seed=0, stopping_strategy=strategy
    )
    for strategy in ("first_exhausted", "all_exhausted")
}
mixtures["small set twice"] = concatenate_datasets([big, small, small]).shuffle(seed=0)
for name, mixture in mixtures.items():
    times = Counter(mixture["text"])
    n_small = sum(text.startswith("raw") for text in mixture["text"])
    print(f"{name:16} {len(mixture)} rows, {n_small / len(mixture):.0%} raw, {len(times)} "
          f"different ones, the most frequent {max(times.values())} times")  # fmt: skip

# %% [markdown]
# The default, `first_exhausted`, stops when the small set is used up and forgets most of the large
# one. `all_exhausted` repeats the small set as often as it must. Neither warns. The third mixture
# caps the repetition, loses no row, and gives up the even shares. Repeating a source a few times is
# ordinary practice, and often harmless (in pretraining: Muennighoff et al. 2023). How to see it:
# count rows, different rows, and the most frequent one after mixing.
#
# ### Twins that are not
#
# Somebody removes near duplicates by the question alone. Here, among the right records:

# %%
right_records = [record for record, wrong in zip(pool, flawed, strict=True) if not wrong]
copies = curation.exact_duplicates(right_records)
unique = [record for record, copy in zip(right_records, copies, strict=True) if copy is None]
pieces = [shingles(record.turns[0].content) for record in unique]
pairs = candidates([sketch(x).hashvalues.tolist() for x in pieces], 32, 4)
lost = {}
for i, j in sorted(pairs):
    if jaccard(pieces[i], pieces[j]) >= 0.7 and i not in lost:
        lost.setdefault(j, i)
by_both = sum(x is not None for x in curation.near_duplicates(unique, 0.7))
print(f"{len(unique)} right records: {len(lost)} lost by the question alone, "
      f"{by_both} by question and answer")  # fmt: skip
for j, i in list(lost.items())[:3]:
    kept, removed = (" → ".join(turn.content for turn in unique[k].turns) for k in (i, j))
    print(f"  kept {kept!r}, removed {removed!r}")

# %% [markdown]
# The log of such a run says "duplicates removed" and looks like success. How to see it: print ten
# of the removed pairs, question *and* answer, and read them.
#
# ## Questions

# %%
ift.quiz("09", "data-quality-problem", "difficulty-filter", "mixture-of-two", "rules-measured")

# %% [markdown]
# Words of this lesson, in the glossary: {{ terms }}.
#
# ## Exercises
#
# Four functions and an open question: a leak detector, a quality filter, diverse selection, and
# near duplicates.
# [exercises/09_curating_a_data_set.ipynb](../exercises/09_curating_a_data_set.ipynb)
#
# ## To read
#
# - Broder 1997, *On the Resemblance and Containment of Documents*.
# - Lee et al. 2021, *Deduplicating Training Data Makes Language Models Better*,
#   [arXiv:2107.06499](https://arxiv.org/abs/2107.06499).
# - Zhou et al. 2023, *LIMA: Less Is More for Alignment*,
#   [arXiv:2305.11206](https://arxiv.org/abs/2305.11206): 1,000 curated examples.
# - Chen et al. 2023, *AlpaGasus*, [arXiv:2307.08701](https://arxiv.org/abs/2307.08701): a stronger
#   model chooses 9,000 of Alpaca's 52,000.
# - Liu et al. 2023, *What Makes Good Data for Alignment?* (Deita),
#   [arXiv:2312.15685](https://arxiv.org/abs/2312.15685).
# - Li et al. 2023, *From Quantity to Quality* (IFD),
#   [arXiv:2308.12032](https://arxiv.org/abs/2308.12032).
# - Muennighoff et al. 2023, *Scaling Data-Constrained Language Models*,
#   [arXiv:2305.16264](https://arxiv.org/abs/2305.16264).
# - Lambert et al. 2024, *Tülu 3*, [arXiv:2411.15124](https://arxiv.org/abs/2411.15124), sections 3
#   and 4: prompts, mixtures, decontamination.
