# %% [markdown]
# # Exercises 09: curating a data set
#
# {{ badge }}
#
# Four functions for cleaning a data set, and an open question. Write the function, run its cell,
# run the cell below it.
#
# You may look into [lesson 09](../notebooks/09_curating_a_data_set.ipynb) at any time.

# %%
import random
import re
import statistics

import torch

import ift_course as ift

profile = ift.setup("09")
ift.progress("09")

# %% [markdown]
# ## 09.1 A leak detector
#
# ●○○ · 15 minutes
#
# **Why it matters.** A test question that stands in the training data measures memory. With
# millions of scraped rows this happens to everyone, and it always makes the result look better.
# Published models are checked for shared runs of words, often 8 or 13 of them.
#
# **Given** are the texts of both sets.
#
# **Example.** Both say "the capital of".
#
# ```python
# >>> leaks(["the capital of France"], ["Say: The capital, of Italy!", "An owl."], n=3)
# [0]
# ```


# %%
def leaks(train: list[str], test: list[str], n: int) -> list[int]:
    """The indices of the test texts that share a run of n words with some training text.

    Words are what `re.findall(r"\\w+", text.lower())` gives, so case and punctuation do not count.
    A test text with fewer than n words leaks if all its words stand in a training text, in a row.
    A text without words never leaks.

    Raises ValueError if n is less than 1.
    """
    ### BEGIN SOLUTION
    if n < 1:
        raise ValueError("a run has at least one word")

    def runs(text, size):
        words = re.findall(r"\w+", text.lower())
        return {tuple(words[i : i + size]) for i in range(len(words) - size + 1)}

    found = []
    for i, text in enumerate(test):
        size = min(n, len(re.findall(r"\w+", text)))
        wanted = runs(text, size)
        if size and any(wanted & runs(other, size) for other in train):
            found.append(i)
    return found
    ### END SOLUTION


# %%
ift.check(leaks)

# %% [markdown] tags=["hint"]
# Write a small function that gives all runs of n words of one text, as a set of tuples. Two texts
# share a run if their sets have something in common.

# %% [markdown] tags=["hint"]
# A text of k words has k − n + 1 runs: `range(len(words) - n + 1)`. For a test text that is shorter
# than n, use its own length instead of n, for both texts.

# %% [markdown] tags=["hint"]
# For each test text: `size = min(n, number of its words)`; it leaks if `size` is not 0 and
# `runs(text, size) & runs(other, size)` is not empty for some training text.

# %% [markdown]
# ## 09.2 A quality filter
#
# ●○○ · 15 minutes
#
# **Why it matters.** Most bad rows of a scraped data set are bad in a way that five lines of code
# can see. A filter that says *why* it refuses a row can be argued with and repaired.
#
# **Given** is one row: an instruction and its response.
#
# **Example.** One that breaks off, and one that is fine.
#
# ```python
# >>> quality_problems("What does the owl eat?", "It eats mice and")
# ['cut off']
# >>> quality_problems("What does the owl eat?", "Mice.")
# []
# ```


# %%
def quality_problems(instruction: str, response: str) -> list[str]:
    """What is wrong with a response, in this order; an empty list if nothing is.

    - "empty": there is nothing but white space. Then no other problem is named.
    - "echo": it is the instruction itself, but for case and white space around it.
    - "cut off": but for white space, it does not end in one of . ! ? ) " ' `
    - "repetitive": it has at least 10 words (`split()`), and fewer than half of them are different
      ones, case not counting.
    - "refusal": but for white space and case, it begins with "i'm sorry" or "as an ai".
    """
    ### BEGIN SOLUTION
    text = response.strip().lower()
    if not text:
        return ["empty"]
    words = text.split()
    problems = {
        "echo": text == instruction.strip().lower(),
        "cut off": text[-1] not in ".!?)\"'`",
        "repetitive": len(words) >= 10 and len(set(words)) < len(words) / 2,
        "refusal": text.startswith(("i'm sorry", "as an ai")),
    }
    return [name for name, found in problems.items() if found]
    ### END SOLUTION


# %%
ift.check(quality_problems)

# %% [markdown]
# What your filter says of good and of spoiled rows of the course's world. (In this world good
# answers are short, and many have no full stop: look at what "cut off" costs. A rule has to fit its
# data.)

# %%
if ift.passed(quality_problems):
    from ift_course.world.flaws import FLAWS
    from ift_course.world.tasks import sample

    named = ("empty", "echo", "cut off", "repetitive")
    print(f"{'rows':14}", "".join(f"{problem:>12}" for problem in named))
    for name, spoil in {"good": lambda example, rng: example, **FLAWS}.items():
        spoiled = [spoil(x, random.Random(i)) for i, x in enumerate(sample(200, seed=1))]
        found = [quality_problems(x.instruction, x.response) for x in spoiled]
        shares = [statistics.mean(problem in names for names in found) for problem in named]
        print(f"{name:14}", "".join(f"{share:>12.0%}" for share in shares))

# %% [markdown] tags=["hint"]
# Prepare the text once: without white space around it, in small letters. Almost all rules look at
# that.

# %% [markdown] tags=["hint"]
# `text[-1]` is the last character, `text.startswith((a, b))` takes several beginnings, and
# `set(words)` are the different words. If the text is empty, return at once.

# %% [markdown] tags=["hint"]
# A dict from name to True or False, in the order of the docstring, and at the end
# `[name for name, found in problems.items() if found]`.

# %% [markdown]
# ## 09.3 A diverse selection
#
# ●●○ · 25 minutes
#
# **Why it matters.** A thousand good examples of one kind teach one kind. LIMA's were chosen by
# hand to be different from each other. With vectors that say what a record is about, a program can
# do it: always take next what is farthest from everything taken so far.
#
# **Given** are a vector and a quality for each record.
#
# **Example.** On a line at 0, 1 and 10; the first is the best, the third is farthest from it.
#
# ```python
# >>> diverse(torch.tensor([[0.0], [1.0], [10.0]]), [0.9, 0.8, 0.7], count=3, floor=0.5)
# [0, 2, 1]
# ```


# %%
def diverse(vectors: torch.Tensor, quality: list[float], count: int, floor: float) -> list[int]:
    """The indices of at most `count` good records that differ, in the order of taking.

    vectors: float (records, dimensions); quality: a number for each record. Only records of a
    quality of at least `floor` are taken. The first is the one of the highest quality. Each next
    one is the record whose distance (Euclidean) to the *nearest* one taken so far is largest. Of
    equal ones the lowest index is taken. Ends early when no good record is left.
    """
    ### BEGIN SOLUTION
    left = [i for i, value in enumerate(quality) if value >= floor]
    taken = []
    while left and len(taken) < count:
        if not taken:
            best = max(left, key=lambda i: quality[i])
        else:
            distances = torch.cdist(vectors[left].double(), vectors[taken].double())
            best = left[int(distances.min(dim=1).values.argmax())]
        taken.append(best)
        left.remove(best)
    return taken
    ### END SOLUTION


# %%
ift.check(diverse)

# %% [markdown]
# Eight of 400 instructions of the course's world: the first eight, and eight that differ. The
# vectors simply count words.

# %%
if ift.passed(diverse):
    from ift_course.world.tasks import sample

    texts = [x.instruction for x in sample(400, seed=3)]
    words = sorted({word for text in texts for word in text.lower().split()})
    counts = torch.tensor([[float(text.lower().split().count(w)) for w in words] for text in texts])
    directions = counts / counts.norm(dim=1, keepdim=True)  # or long texts would be far from all
    chosen = diverse(directions, [1.0] * len(texts), 8, 0.5)
    for first, other in zip(texts[:8], [texts[i] for i in chosen], strict=True):
        print(f"{first[:52]:54} | {other[:60]}")

# %% [markdown]
# Does variety make a better model? TRL tunes two of them on 40 examples each: the first forty of a
# set in which most rows ask for capitals, and forty that differ. One seed shows the direction, and
# proves nothing.

# %%
if ift.passed(diverse):
    import tempfile

    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    from ift_course.lessons.lesson_03.experiment import held_out
    from ift_course.world.tasks import FACT_TASKS

    source = sample(200, seed=1, tasks=["capital"]) + sample(60, seed=2, tasks=FACT_TASKS)
    random.Random(0).shuffle(source)
    words = sorted({word for x in source for word in x.instruction.lower().split()})
    counts = torch.tensor(
        [[float(x.instruction.lower().split().count(w)) for w in words] for x in source]
    )
    directions = counts / counts.norm(dim=1, keepdim=True)
    choices = {"first": range(40), "diverse": diverse(directions, [1.0] * len(source), 40, 0.5)}
    for name, indices in choices.items():
        rows = [
            {
                "prompt": [{"role": "user", "content": f"{x.instruction}\n{x.input}".strip()}],
                "completion": [{"role": "assistant", "content": x.response}],
            }
            for x in (source[i] for i in indices)
        ]
        model, tokenizer = ift.load("base")
        args = SFTConfig(
            output_dir=tempfile.mkdtemp(), max_steps=30, learning_rate=1.5e-4, use_cpu=True,
            per_device_train_batch_size=8, bf16=False, activation_checkpointing=False,
            save_strategy="no", report_to="none", disable_tqdm=True,
        )  # fmt: skip
        trainer = SFTTrainer(model, args, train_dataset=Dataset.from_list(rows),
                             processing_class=tokenizer)  # fmt: skip
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        share = ift.score(trainer.model, tokenizer, held_out(seed=0, questions=60)).accuracy
        print(f"{name:8} {len({source[i].task for i in indices}):2} kinds, {share:.2f} right")

# %% [markdown] tags=["hint"]
# There are two lists: the records still left, and those taken. The first choice is by quality, all
# others are by distance.

# %% [markdown] tags=["hint"]
# `torch.cdist(vectors[left], vectors[taken])` has a row for each record left and a column for each
# one taken. "Distance to the nearest one taken" is the smallest number of a row.

# %% [markdown] tags=["hint"]
# `left[int(distances.min(dim=1).values.argmax())]`: `argmax` takes the first of equal ones, and
# `left` is in order of the index. Then append it to `taken` and remove it from `left`.

# %% [markdown]
# ## 09.4 Removing near-duplicates
#
# ●●● · 40 minutes
#
# **Why it matters.** Scraped data repeats itself, with a word changed here and there. Repeated rows
# are learned by heart, they leak into the test set, and they make a data set look larger than it
# is.
#
# **Given** are texts. Two are near-duplicates if they share enough of their word triples. If A is
# like B, and B is like C, all three belong together, even if A and C are not alike.
#
# **Example.** The first two share two of four triples; the longer one is kept.
#
# ```python
# >>> deduplicate(["a b c d e", "a b c d", "x y z"], threshold=0.5)
# [0, 2]
# ```


# %%
def deduplicate(texts: list[str], threshold: float) -> list[int]:
    """The indices of the texts that are kept, in ascending order: one of each group.

    A text's triples are the runs of three of its words, as a set; words are `text.lower().split()`,
    and a text of fewer than three words has one "triple", all its words. The similarity of two
    texts is the number of triples they share, divided by the number of triples that either of them
    has (Jaccard). Texts with a similarity of at least `threshold` belong to one group, and so do
    groups that have a text in common. Of each group the text with the most characters is kept, of
    equally long ones the first.

    Raises ValueError unless 0 < threshold <= 1.
    """
    ### BEGIN SOLUTION
    if not 0 < threshold <= 1:
        raise ValueError("the threshold is above 0 and at most 1")
    triples = []
    for text in texts:
        words = text.lower().split()
        starts = range(max(1, len(words) - 2))
        triples.append({tuple(words[i : i + 3]) for i in starts})
    groups = []
    for i, mine in enumerate(triples):
        alike = []
        for group in groups:
            if any(len(mine & triples[j]) >= threshold * len(mine | triples[j]) for j in group):
                alike.append(group)
        groups = [group for group in groups if group not in alike]
        groups.append(sorted(sum(alike, [i])))
    return sorted(max(group, key=lambda i: len(texts[i])) for group in groups)
    ### END SOLUTION


# %%
ift.check(deduplicate)

# %% [markdown]
# Three hundred instructions of the course's world, many of them made from one pattern. How many are
# left depends on the threshold:

# %%
if ift.passed(deduplicate):
    from ift_course.world.tasks import sample

    texts = [f"{x.instruction} {x.input}" for x in sample(300, seed=5)]
    for threshold in (1.0, 0.8, 0.6, 0.4, 0.2):
        kept = deduplicate(texts, threshold)
        bar = "▇" * (len(kept) // 6)
        print(f"threshold {threshold:.1f}   {len(kept):3} of {len(texts)} kept   {bar}")

# %% [markdown] tags=["hint"]
# Three steps: the triples of each text, the groups, the choice in each group. The groups are the
# hard part. Draw four texts as points, with a line where two are alike.

# %% [markdown] tags=["hint"]
# Add the texts one by one. A new text may be like some text of *several* groups; then all these
# groups become one, together with the new text.

# %% [markdown] tags=["hint"]
# For text i: `alike` are the groups that contain a text like it. Remove them from `groups` and
# append
# `sorted(sum(alike, [i]))`. At the end, `max(group, key=lambda i: len(texts[i]))` of each group; in
# a sorted group, `max` takes the first of equally long ones.

# %% [markdown]
# {{ written 09.w1 }}
