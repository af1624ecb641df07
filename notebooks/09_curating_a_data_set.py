# %% [markdown]
# # Curating a data set
#
# {{ badge }}
#
# Lesson 03 showed that a few good examples are worth more than many flawed ones. Somebody has to
# find the good ones. In this lesson you read raw rows, remove what should not be there, and measure
# what each step is worth. At the end you will be able to
#
# - write rules of form, and know how many good rows they cost;
# - find near duplicates among millions of texts with MinHash and LSH;
# - rank records by difficulty, and say when that backfires;
# - mix several sources without undoing what you have cleaned.
#
# What this lesson costs:
#
# {{ cost }}

# %%
import ift_course as ift

profile = ift.setup("09")

# %% [markdown]
# ## 1. Read the rows
#
# These are 200 rows as they come off the web. (They were written for this course, in imitation of
# such rows, because no scraped data may be shipped with it.) Before any code: **read.**

# %%
from datasets import load_dataset

from ift_course.data import course_set

raw = load_dataset("json", data_files=str(course_set.path("raw")), split="train")
for row in raw.select(range(12)):
    question = f"{row['instruction']} {row['input']}".strip()
    print(f"{question[:72]:74}▸ {row['output'][:90]!r}")

# %% [markdown]
# **Predict.** How many of the 200 are good enough to train on? Which flaw is the most frequent, and
# which flaws could a program find? Every row carries a label, so you can check your guess.

# %%
from collections import Counter

labels = [row["flaw"] or "good" for row in raw]
for label, count in Counter(labels).most_common():
    print(f"{count:4} {label}")

# %% [markdown]
# ## 2. Rules of form
#
# Rules are cheap, and they overfit. So write them while you look at the first hundred rows, and
# measure them on the other hundred. Each rule below was written for a flaw among the first hundred.

# %%
import re

RULES = {
    "markup": lambda q, a: re.search(r"</?\w+[^>]*>|&\w+;", a),
    "wrong encoding": lambda q, a: re.search(r"Ã|â€|Â|\ufffd", q + a),
    "tracking": lambda q, a: re.search(r"https?://|www\.", a),
    "assistant's filler": lambda q, a: re.search(r"(?i)\bas an? .*model\b|i hope this|cookies", a),
    "empty": lambda q, a: len(a.strip()) < 2 or a.strip().lower() in ("n/a", "no output"),
    "breaks off": lambda q, a: a.strip() and a.strip()[-1].isalpha() and len(a.split()) > 8,
    "another script": lambda q, a: re.search(r"[\u0400-\u04ff\u3040-\u30ff\u4e00-\u9fff]", a),
}


def problems(row: dict) -> list[str]:
    """The names of the rules that a row breaks."""
    return [name for name, rule in RULES.items() if rule(row["instruction"], row["output"])]


by_rule = [bool(problems(row)) for row in raw]
for name, part in {"written on": range(100), "measured on": range(100, 200)}.items():
    bad = [i for i in part if labels[i] != "good"]
    good = [i for i in part if labels[i] == "good"]
    print(f"{name:12} {sum(by_rule[i] for i in bad):3} of {len(bad)} flawed rows caught, "
          f"{sum(by_rule[i] for i in good)} of {len(good)} good rows lost")  # fmt: skip

# %% [markdown]
# The second line is the honest one. Somebody who writes rules on the rows that they are measured on
# reports the first. A rule also has to say *why* it refuses a row: then a person can argue with it.
# The course's own rules, `curation.format_flaws`, are cautious: when in doubt they let a row pass.

# %%
from ift_course.data import curation

records = [ift.Record.from_instruction(r["instruction"], r["input"], r["output"]) for r in raw]
cautious = [bool(curation.format_flaws(record)) for record in records]
for label in sorted(set(labels)):
    rows = [i for i, x in enumerate(labels) if x == label]
    print(f"{label:22}{len(rows):3} rows   caught by our rules {sum(by_rule[i] for i in rows):3}   "
          f"by format_flaws {sum(cautious[i] for i in rows):3}")  # fmt: skip

# %% [markdown]
# No rule of form sees a wrong fact or an answer to another question. Nothing about their form is
# wrong. Keep that in mind for section 5.
#
# ## 3. Duplicates
#
# A record that occurs fifty times is trained fifty times. Exact copies are easy. For near copies
# one compares the sets of **shingles** of two texts, here all runs of five characters. The share of
# shingles that two texts have in common is their Jaccard similarity:
#
# $$J(A, B) = \frac{|A \cap B|}{|A \cup B|}$$


# %%
def shingles(text: str) -> set[str]:
    text = " ".join(text.lower().split())
    return {text[i : i + 5] for i in range(max(1, len(text) - 4))}


def jaccard(a: set[str], b: set[str]) -> float:
    return len(a & b) / len(a | b)


one = shingles("What is the capital of this country?")
two = shingles("What is the capital of that country?")
exact = jaccard(one, two)
print(f"{len(one & two)} of {len(one | two)} shingles in common: J = {exact:.3f}")

# %% [markdown]
# ### MinHash: cheap comparisons
#
# Comparing sets is slow for long texts. **MinHash** (Broder 1997) replaces each set by a short
# signature. Hash every shingle to a random number and keep the smallest. The smallest number of the
# *union* is as likely to come from any of its shingles, so the two minima are equal with
# probability exactly J. Do it with many hash functions, and count how often the minima agree.

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
from itertools import combinations

from datasketch import MinHashLSH

texts = [f"{r['instruction']} {r['input']} {r['output']}" for r in raw]
sets = [shingles(text) for text in texts]
sketches = [sketch(pieces) for pieces in sets]


def candidates(signatures, bands: int, rows: int) -> set[tuple[int, int]]:
    """All pairs of texts that share at least one bucket."""
    pairs = set()
    for band in range(bands):
        buckets = defaultdict(list)
        for i, numbers in enumerate(signatures):
            buckets[tuple(numbers[band * rows : (band + 1) * rows])].append(i)
        for members in buckets.values():
            pairs.update(combinations(members, 2))
    return pairs


def by_datasketch(bands: int, rows: int) -> set[tuple[int, int]]:
    """The same pairs, found with datasketch's index."""
    index = MinHashLSH(num_perm=N_HASHES, params=(bands, rows))
    for i, item in enumerate(sketches):
        index.insert(i, item)
    return {(i, j) for i, item in enumerate(sketches) for j in index.query(item) if i < j}


alike = {(i, j) for i, j in combinations(range(len(sets)), 2) if jaccard(sets[i], sets[j]) >= 0.45}
bandings = {
    (bands, rows): candidates([x.hashvalues.tolist() for x in sketches], bands, rows)
    for bands, rows in ((64, 2), (32, 4), (16, 8))
}
for (bands, rows), pairs in bandings.items():
    assert pairs == by_datasketch(bands, rows)
    print(f"{bands} bands of {rows}: {len(pairs):,} of 19,900 pairs compared, "
          f"{len(pairs & alike)} of {len(alike)} near copies found")  # fmt: skip

# %%
from ift_course.lessons.lesson_09 import experiment, figures

figures.banding(
    {key: len(pairs) for key, pairs in bandings.items()},
    {key: len(pairs & alike) for key, pairs in bandings.items()},
    len(alike),
)

# %% [markdown]
# The banding by hand proposes exactly the pairs that datasketch's `MinHashLSH` proposes. Each
# candidate is then compared exactly, so a wrong proposal costs one comparison, while a missed pair
# leaves a copy in the data. `curation.near_duplicates` works like that.
#
# **Think.** "What is 4 + 3?" and "What is 4 + 5?" are near copies. Should one of them go?
#
# <details><summary>Answer</summary>
#
# No. Their answers differ, and that difference is what an example teaches. That is why
# `near_duplicates` asks for similar questions *and* similar answers. Section 7 shows what happens
# otherwise.
# </details>
#
# ### Rows that hold a test question
#
# The same index finds test questions among the training rows, which is called **contamination**. A
# test question that was trained measures memory. Compare questions with questions, and set the
# threshold lower than for duplicates, because a lost row costs little and a leak costs the result.

# %%
test = load_dataset("json", data_files=str(course_set.path("test")), split="train")
tested = [
    shingles(" ".join(turn["content"] for turn in row["messages"] if turn["role"] == "user"))
    for row in test
]
asked = [shingles(f"{row['instruction']} {row['input']}") for row in raw]
leaked = [max(jaccard(question, other) for other in tested) >= 0.6 for question in asked]
caught = Counter(label for label, leak in zip(labels, leaked, strict=True) if leak)
print(f"{sum(leaked)} rows resemble a test question; their labels: {dict(caught)}")

# %% [markdown]
# ## 4. What each step removes
#
# Now the steps in a row. Each sees only what the steps before have left.

# %%
is_exact = [x is not None for x in curation.exact_duplicates(records)]
is_near = [x is not None for x in curation.near_duplicates(records, 0.5)]
steps = {"rules of form": by_rule, "exact copies": is_exact, "near copies": is_near,
         "test questions": leaked}  # fmt: skip
left = list(range(len(records)))
for name, marks in steps.items():
    gone = [i for i in left if marks[i]]
    left = [i for i in left if not marks[i]]
    print(f"{name:16} removes {len(gone):3}, of them {sum(labels[i] == 'good' for i in gone)} good")
remaining = Counter(labels[i] for i in left)
good = remaining.pop("good")
print(f"{len(left)} rows are left, {good} of them good; the others: {dict(remaining)}")

# %% [markdown]
# What is left looks clean and is not. The last line names what remains: flaws of *content*. For
# those, somebody has to know the answer.
#
# ## 5. Difficulty
#
# There is something that knows a little: the base model. How surprised is it by a response? Take
# the mean loss of the response's tokens after the question, and after nothing. Their ratio is the
# **instruction-following difficulty** (IFD) of Li et al. 2023. Near 0, the question gives the
# answer away. Near 1, the question did not help.
#
# To see whether that finds wrong answers, we need many answers of which a program knows the truth:
# a pool of 1,000 records of the closed world. Half of the originals are flawed, and a fifth of the
# pool are copies of ten records.

# %%
import torch
import torch.nn.functional as F

base, tokenizer = ift.load("base")
pool, flawed = experiment.judged_pool(profile.seeds[0])
begin = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id


def loss_of(answer: str, after: str) -> float:
    """Mean loss of the answer's tokens behind a text."""
    before = [begin, *tokenizer(after, add_special_tokens=False)["input_ids"]]
    tokens = tokenizer(answer, add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        logits = base(torch.tensor([before + tokens])).logits[0]
    return F.cross_entropy(logits[len(before) - 1 : -1], torch.tensor(tokens)).item()


question, answer = (turn.content for turn in pool[0].turns)
ratio = loss_of(answer, f"{question}\n") / loss_of(answer, "")
scores = curation.difficulty(base, tokenizer, pool)
print(f"{question!r} → {answer!r}\nIFD by hand {ratio:.4f}, library {scores[0].ifd:.4f}")
assert abs(ratio - scores[0].ifd) < 1e-3

# %%
from statistics import median

for name, is_flawed in (("right", False), ("wrong", True)):
    chosen = [x for x, f in zip(scores, flawed, strict=True) if f == is_flawed]
    print(f"{len(chosen)} {name} responses: median perplexity "
          f"{median(x.perplexity for x in chosen):.1f}, "
          f"median IFD {median(x.ifd for x in chosen):.2f}")  # fmt: skip

# %% [markdown]
# Here is a trap. Li et al. keep the records with the *highest* IFD below 1, the hard ones, from
# data whose answers can be trusted. In a pool with many wrong answers, hard often means wrong. So
# `curation.curate` prefers the lowest IFD unless it is told otherwise. It puts all steps together
# and gives a reason for every record. On the command line it is `ift data curate FILE --keep 1000
# --out FILE`.

# %%
curated = curation.curate(pool, 150, seed=profile.seeds[0], model=base, tokenizer=tokenizer)
for reason, count in Counter(d.reason for d in curated.decisions).most_common():
    wrong = sum(flawed[d.index] for d in curated.decisions if d.reason == reason)
    print(f"{count:4} {reason}, {wrong} of them with a wrong response")

# %% [markdown]
# ## 6. What it is worth
#
# The share of right responses is not the goal. The goal is a better model. So tune one on 150
# records chosen in each way, at 40 steps each, and ask it about held-out entities. `random` chooses
# by chance, `no duplicates` and `well formed` choose by chance among what the rule leaves, `varied`
# takes the most different questions, `expected` the lowest perplexity, `difficult` the highest IFD
# below 1, and `curated` is the pipeline above.
#
# **Predict.** Rank these seven, and say which of them are no better than chance.

# %%
from ift_course.claims.grid_runs import GridRuns

runs = GridRuns("09", profile, experiment.CurationResult, experiment.run_config)
six = profile.more_seeds(2)  # chance is not the same every time
chosen = runs.of(experiment.SELECTIONS["curated"], seeds=six, now=True)
chance = runs.of(experiment.SELECTIONS["random"], seeds=six)
hard = runs.of(experiment.SELECTIONS["difficult"], seeds=six)
for name, results in {"curated": chosen, "random": chance, "difficult": hard}.items():
    print(f"{name:>10}: " + "  ".join(f"{result.accuracy:.3f}" for result in results))

# %% [markdown]
# **Claim: curation by program beats chance.** 150 of the 1,000 records, chosen by program or at
# random, with the same number of steps.

# %%
if runs.decide(chosen, chance):
    ift.claim(
        "09.curation-beats-chance",
        "150 records curated by program are better than 150 chosen at random from the same pool.",
        subject=4,
        source="Zhou et al. 2023 (LIMA), arXiv:2305.11206; Chen et al. 2023 (AlpaGasus), "
        "arXiv:2307.08701",
        metric="strict accuracy on held-out entities, the same number of steps",
        arms={
            "curated": [row.scores for row in chosen],
            "random": [row.scores for row in chance],
        },
        effect=("curated", "random"),
        at_least=0.0,
    )

# %% [markdown]
# **Claim: hard means wrong.** In this pool, the hardest records are worse than random ones by at
# least 0.2. (Predicted after three of the six seeds; the other three were drawn afterwards.)

# %%
if runs.decide(chance, hard):
    ift.claim(
        "09.hard-means-wrong",
        "From a pool with many wrong answers, the records with the highest IFD are worse than "
        "random ones.",
        subject=4,
        literature="Records with a high instruction-following difficulty are the best to train on.",
        source="Li et al. 2023, arXiv:2308.12032",
        metric="strict accuracy on held-out entities, the same number of steps",
        arms={
            "random": [row.scores for row in chance],
            "difficult": [row.scores for row in hard],
        },
        effect=("random", "difficult"),
        at_least=0.2,
        differs="Their answers could be trusted; here, half of the originals are flawed, and to "
        "the base a wrong answer is hard.",
    )

# %%
known = runs.best_known
for name, results in figures.by_method(known).items():
    clean = sum(result.clean for result in results) / len(results)
    print(f"{name:14} {clean:4.0%} of the chosen responses are right")
figures.methods(known)

# %% [markdown]
# Compare the printed shares with the bars: the model's score follows the share of right responses.
# Rules of form and the hunt for copies hardly raise that share, because they cannot see whether an
# answer is true. The choices that ask the base model can, as far as the base knows these facts.
#
# This judge has a blind side. It keeps what it already believes. A record with a true fact that the
# base does not know surprises it as much as a false one. AlpaGasus asked a stronger model instead
# (Chen et al. 2023), and the best judge is still a person who reads fifty rows.
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
from datasets import Dataset, interleave_datasets

big = Dataset.from_list([{"text": f"course {i}"} for i in range(300)])
small = Dataset.from_list([{"text": f"raw {i}"} for i in range(60)])
for strategy in ("first_exhausted", "all_exhausted"):
    mixture = interleave_datasets(
        [big, small], probabilities=[0.5, 0.5], seed=0, stopping_strategy=strategy
    )
    times = Counter(mixture["text"])
    print(f"{strategy:16} {len(mixture)} rows, {len(times)} different ones, "
          f"the most frequent {max(times.values())} times")  # fmt: skip

# %% [markdown]
# The default, `first_exhausted`, stops when the small set is used up and forgets most of the large
# one. `all_exhausted` repeats the small set, so the duplicates that you removed are back. Neither
# says so. How to see it: count rows, different rows, and the most frequent one after mixing. Decide
# yourself how often a source may be repeated.
#
# ### Twins that are not
#
# Somebody removes near duplicates by the question alone.

# %%
copies = curation.exact_duplicates(pool)
unique = [record for record, twin in zip(pool, copies, strict=True) if twin is None]
asked = [sketch(shingles(record.turns[0].content)) for record in unique]
pairs = candidates([x.hashvalues.tolist() for x in asked], 32, 4)
twins = [
    (unique[i], unique[j])
    for i, j in sorted(pairs)
    if jaccard(*(shingles(unique[k].turns[0].content) for k in (i, j))) >= 0.7
]
different = [(a, b) for a, b in twins if a.turns[1].content.lower() != b.turns[1].content.lower()]
print(f"{len(twins)} pairs of similar questions, {len(different)} of them with different answers")
for a, b in different[:3]:
    print(f"  {a.turns[0].content!r} → {a.turns[1].content!r}\n"
          f"  {b.turns[0].content!r} → {b.turns[1].content!r}")  # fmt: skip

# %% [markdown]
# The log of such a run says "duplicates removed" and looks like success. How to see it: print ten
# of the removed pairs, question *and* answer, and read them.
#
# ## Questions

# %%
ift.quiz("09")

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
# - Lee et al. 2021, *Deduplicating Training Data Makes Language Models Better*,
#   [arXiv:2107.06499](https://arxiv.org/abs/2107.06499).
# - Chen et al. 2023, *AlpaGasus: Training a Better Alpaca with Fewer Data*,
#   [arXiv:2307.08701](https://arxiv.org/abs/2307.08701): 9,000 of Alpaca's 52,000, chosen by a
#   judge.
# - Li et al. 2023, *From Quantity to Quality: Boosting LLM Performance with Self-Guided Data
#   Selection for Instruction Tuning*, [arXiv:2308.12032](https://arxiv.org/abs/2308.12032).
# - Lambert et al. 2024, *Tülu 3: Pushing Frontiers in Open Language Model Post-Training*,
#   [arXiv:2411.15124](https://arxiv.org/abs/2411.15124). Sections 3 and 4: prompts, mixtures,
#   decontamination.
