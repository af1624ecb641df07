# %% [markdown]
# # Exercises 06: many tasks
#
# {{ badge }}
#
# Six functions for building a mixture of tasks, and for testing what it taught. Write the function,
# run its cell, run the cell below it.
#
# You may look into [lesson 06](../notebooks/06_multitask_generalization.ipynb) at any time.

# %%
import random
import statistics
from collections import Counter

from scipy import stats

import ift_course as ift

profile = ift.setup("06")
ift.progress("06")

# %% [markdown]
# ## 06.1 Mixing rates
#
# ●○○ · 15 minutes
#
# **Why it matters.** One task of a collection has a million examples, another has five hundred.
# Taken as they are, the first drowns the others; taken equally, the small ones are learned by
# heart. T5 (Raffel et al. 2020, section 3.5.2) and FLAN count each task with its size, but with no
# more than a cap, and may flatten the rest with a temperature.
#
# **Given** are the sizes of the tasks, a cap and a temperature.
#
# **Example.** With a cap of 300, the large task counts no more than three small ones.
#
# ```python
# >>> mixing_rates({"news": 50000, "puns": 100}, cap=300)
# {'news': 0.75, 'puns': 0.25}
# ```


# %%
def mixing_rates(sizes: dict[str, int], cap: int, temperature: float = 1.0) -> dict[str, float]:
    """The share of each task in what a model is tuned on; the shares add up to 1.

    A task counts with its number of examples, but with at most `cap` (examples, at least 1). This
    number is raised to the power 1 / temperature, and divided by the sum over all tasks. So a
    temperature of 1 changes nothing, and a high one makes the shares of all tasks that have
    examples equal. A task without examples has the share 0.

    Raises ValueError if no task has an example, if cap is less than 1, or if temperature is not
    above 0.
    """
    ### BEGIN SOLUTION
    if cap < 1 or temperature <= 0 or not any(sizes.values()):
        raise ValueError("needs examples, a cap of at least 1 and a temperature above 0")
    weights = {task: min(size, cap) ** (1 / temperature) for task, size in sizes.items()}
    total = sum(weights.values())
    return {task: weight / total for task, weight in weights.items()}
    ### END SOLUTION


# %%
ift.check(mixing_rates)

# %% [markdown]
# FLAN took at most 30,000 examples of a data set, and a cap of 3,000 for its rate. Three data sets
# as they might be, under four mixtures:

# %%
if ift.passed(mixing_rates):
    sizes = {"translation": 1_000_000, "questions": 20_000, "rhymes": 500}
    print(f"{'':34}" + "".join(f"{task:>13}" for task in sizes))
    for cap, temperature in ((10**9, 1), (3000, 1), (10**9, 2), (10**9, 100)):
        rates = mixing_rates(sizes, cap, temperature)
        told = f"cap {cap:,}, temperature {temperature}"
        print(f"{told:34}" + "".join(f"{rate:>13.1%}" for rate in rates.values()))

# %% [markdown] tags=["hint"]
# Three steps for each task: cut its size at the cap, take the power, divide by the sum. In this
# order.

# %% [markdown] tags=["hint"]
# `min(size, cap)` cuts. `x ** (1 / temperature)` takes the power. The sum can be taken only when
# all weights are known, so keep them in a dictionary first.

# %% [markdown] tags=["hint"]
# `weights = {task: min(size, cap) ** (1 / temperature) for task, size in sizes.items()}`, and then
# each weight divided by `sum(weights.values())`.

# %% [markdown]
# ## 06.2 Equal shares
#
# ●●○ · 20 minutes
#
# **Why it matters.** Comparing one family of tasks with eleven is fair only with the same number of
# examples in all. But families are of different sizes: some have fewer examples than their equal
# share. Then the others have to make up for it, or the sets are not equal after all.
#
# **Given** are the number of examples that each family has, and the number wanted in all.
#
# **Example.** "sums" has only two; the others share what is left, and the first gets the odd one.
#
# ```python
# >>> share_out({"facts": 90, "sums": 2, "lists": 90}, total=9)
# {'facts': 4, 'sums': 2, 'lists': 3}
# ```


# %%
def share_out(available: dict[str, int], total: int) -> dict[str, int]:
    """How many examples to take from each family: `total` in all, as equally as can be.

    No family gives more than it has. A family gives less than another only if it has no more, or,
    where the division leaves a rest, if it stands behind it in `available`: the rest goes to the
    first families that still have examples, one to each.

    Raises ValueError if total is negative, or more than there is.
    """
    ### BEGIN SOLUTION
    if not 0 <= total <= sum(available.values()):
        raise ValueError("the total must be between 0 and what is available")
    taken = dict.fromkeys(available, 0)
    for _ in range(total):
        able = [family for family in available if taken[family] < available[family]]
        taken[min(able, key=taken.get)] += 1
    return taken
    ### END SOLUTION


# %%
ift.check(share_out)

# %% [markdown]
# Now with a real trainer. A pile of examples holds 330 questions for yes or no, and 12 from each of
# ten other families. TRL tunes two models on 132 of them, for the same 36 steps: on a random draw
# from the pile, and on the shares that you hand out. Both are asked about families that are not in
# the pile. Before you run it: which one does better, and by how much? One seed shows the direction,
# and proves nothing.

# %%
if ift.passed(share_out):
    import tempfile

    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    from ift_course.lessons.lesson_06 import experiment

    names = experiment.TUNED_FAMILIES
    pile = {family: ift.sample(40, seed=0, families=[family]) for family in names}
    pile = {name: [x for x in rows if not experiment.leaks(x)][:12] for name, rows in pile.items()}
    pile["yes_no"] = ift.sample(330, seed=0, families=["yes_no"])
    shares = share_out({family: len(rows) for family, rows in pile.items()}, 132)
    everything = [x for rows in pile.values() for x in rows]
    choices = {
        "random draw": random.Random(0).sample(everything, 132),
        "equal shares": [x for family, rows in pile.items() for x in rows[: shares[family]]],
    }
    questions = experiment.questions(experiment.TOGETHER, seed=0)
    for name, examples in choices.items():
        rows = [
            {
                "prompt": [{"role": "user", "content": experiment.prompt(x)}],
                "completion": [{"role": "assistant", "content": x.response}],
            }
            for x in examples
        ]
        model, tokenizer = ift.load("base")
        args = SFTConfig(
            output_dir=tempfile.mkdtemp(), max_steps=36, learning_rate=1.5e-4, use_cpu=True,
            per_device_train_batch_size=16, bf16=False, activation_checkpointing=False,
            save_strategy="no", report_to="none", disable_tqdm=True,
        )  # fmt: skip
        trainer = SFTTrainer(model, args, train_dataset=Dataset.from_list(rows),
                             processing_class=tokenizer)  # fmt: skip
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        largest = max(Counter(x.family for x in examples).values())
        accuracy = ift.score(trainer.model, tokenizer, questions).accuracy
        print(f"{name:12} {largest:3} of {len(rows)} from one family, {accuracy:.2f} right")

# %% [markdown] tags=["hint"]
# Think of dealing cards: one to each family, round after round. A family that has no more is
# passed over.

# %% [markdown] tags=["hint"]
# One example at a time: it comes from the family that has given least so far, among those that
# still have some. Of equal ones it is the first.

# %% [markdown] tags=["hint"]
# `for _ in range(total):` make the list of families with `taken[family] < available[family]`, and
# add one to that of `min(able, key=taken.get)`: `min` takes the first of equal ones.

# %% [markdown]
# ## 06.3 A split without leaks
#
# ●●○ · 25 minutes
#
# **Why it matters.** A family counts as unseen only if nothing of it was tuned on. But tasks borrow
# from each other: "What is the Spanish word for dog? Answer in capital letters." is a task about
# form, and it teaches translation on the way. Such a leak makes every generalization look better
# than it is.
#
# **Given** are the tasks by name, with their family and the names of the tasks from which they
# borrow questions.
#
# **Example.** `shout` borrows from the held-out family, so it is used for nothing.
#
# ```python
# >>> tasks = {
# ...     "sum": {"family": "numbers", "borrows": []},
# ...     "spanish": {"family": "translation", "borrows": []},
# ...     "shout": {"family": "form", "borrows": ["sum", "spanish"]},
# ... }
# >>> split_families(tasks, ["translation"])
# (['sum'], ['spanish'])
# ```


# %%
def split_families(tasks: dict[str, dict], held_out: list[str]) -> tuple[list[str], list[str]]:
    """The names of the tasks to tune on and of those to test on, each in the order of `tasks`.

    tasks: name → {"family": str, "borrows": list of names of tasks}. Tasks may borrow from each
    other in a circle. A task is tested on if its family is held out. It is tuned on if neither its
    family is held out, nor that of any task it borrows from, directly or through other tasks.
    All other tasks are used for nothing.

    Raises ValueError if a family in held_out is not the family of any task.
    """
    ### BEGIN SOLUTION
    if set(held_out) - {task["family"] for task in tasks.values()}:
        raise ValueError("a held-out family has no task")
    unclean = {name for name, task in tasks.items() if task["family"] in held_out}
    test = [name for name in tasks if name in unclean]
    for _ in tasks:
        unclean |= {name for name, task in tasks.items() if unclean & set(task["borrows"])}
    return [name for name in tasks if name not in unclean], test
    ### END SOLUTION


# %%
ift.check(split_families)

# %% [markdown]
# The tasks of the course's own world. Four of them ask about facts of any family:

# %%
if ift.passed(split_families):
    from ift_course.lessons.lesson_06.experiment import BORROWING
    from ift_course.world.tasks import FACT_TASKS, HELD_OUT_FAMILIES, TASKS

    everything = {
        task.name: {
            "family": task.family,
            "borrows": list(FACT_TASKS) if task.name in BORROWING else [],
        }
        for task in TASKS
    }
    tuned, tested = split_families(everything, list(HELD_OUT_FAMILIES))
    dropped = [name for name in everything if name not in tuned + tested]
    print(f"{len(tuned)} to tune on, {len(tested)} to test on; left out: {', '.join(dropped)}")

# %% [markdown] tags=["hint"]
# Begin with the tasks of the held-out families: these are tested on. Then find out which others
# must not be tuned on. What is unclean spreads: who borrows from an unclean task is unclean.

# %% [markdown] tags=["hint"]
# Go through all tasks again and again, and add to a set `unclean` every task that borrows from one
# in it. After as many rounds as there are tasks nothing can change any more, and circles do no
# harm.

# %% [markdown] tags=["hint"]
# `for _ in tasks: unclean |= {name for name, task in tasks.items() if unclean & set(task["borrows"]
# )}`. Tune on what is not in `unclean`; test on what was in it before the loop.

# %% [markdown]
# ## 06.4 A wording for every row
#
# ●●○ · 20 minutes
#
# **Why it matters.** FLAN wrote ten wordings for each data set, and put each example in one of
# them. If the wordings simply take turns, and the data is sorted, a wording may stand for a label:
# all positive reviews with the even numbers. And if they are drawn freely, a rare one may be missed
# in a small set.
#
# **Given** are the number of rows, the number of templates (wordings), and a seed.
#
# **Example.** Seven rows and three templates: two of them twice, one three times.
#
# ```python
# >>> chosen = choose_templates(rows=7, templates=3, seed=0)
# >>> sorted(chosen.count(t) for t in range(3))
# [2, 2, 3]
# ```


# %%
def choose_templates(rows: int, templates: int, seed: int) -> list[int]:
    """For each row the number of its template, from 0 to templates - 1.

    Every template is used equally often, or, where the division leaves a rest, at most once more
    than another; which ones is random. The order is random. The same seed gives the same list,
    whatever was called in between, and other seeds give others.

    Raises ValueError if rows is negative or templates is less than 1.
    """
    ### BEGIN SOLUTION
    if rows < 0 or templates < 1:
        raise ValueError("needs at least one template, and no negative number of rows")
    rng = random.Random(seed)
    chosen = list(range(templates)) * (rows // templates)
    chosen += rng.sample(range(templates), rows % templates)
    rng.shuffle(chosen)
    return chosen
    ### END SOLUTION


# %%
ift.check(choose_templates)

# %% [markdown] tags=["hint"]
# First decide how often each template is used, then where. The first is a division with a rest.

# %% [markdown] tags=["hint"]
# `list(range(templates)) * (rows // templates)` has each equally often. `rows % templates` more are
# needed, all different: `rng.sample`. `rng = random.Random(seed)` is a source of its own.

# %% [markdown] tags=["hint"]
# Put both lists together, `rng.shuffle` the result, and return it. Use nothing but `rng` for what
# is random.

# %% [markdown]
# ## 06.5 What the instruction is worth
#
# ●●○ · 20 minutes
#
# **Why it matters.** "France" → "Paris" can be learned, and so can "France" → "French". Both
# together cannot, unless the model is told which one is meant. How much a model could get right
# *without* the instruction can be computed before any model is trained: it is a property of the
# data.
#
# **Given** are examples as dictionaries of texts, and the names of the fields that a model sees.
#
# **Example.** Seeing only the input, it can be right in two of three.
#
# ```python
# >>> rows = [
# ...     {"instruction": "Name the capital.", "input": "France", "response": "Paris"},
# ...     {"instruction": "Which city governs?", "input": "France", "response": "Paris"},
# ...     {"instruction": "Name the language.", "input": "France", "response": "French"},
# ... ]
# >>> ceiling(rows, ["input"])
# 0.6666666666666666
# >>> ceiling(rows, ["instruction", "input"])
# 1.0
# ```


# %%
def ceiling(examples: list[dict[str, str]], seen: list[str]) -> float:
    """The highest share of these examples that any model can answer with their own response.

    The model sees the fields named in `seen` and no others, and always says the same when it sees
    the same. So among the examples whose seen fields are all equal it can be right for those with
    the most frequent "response". With no field seen, all examples look the same.

    Raises ValueError if there are no examples.
    """
    ### BEGIN SOLUTION
    if not examples:
        raise ValueError("no examples")
    groups: dict[tuple, Counter] = {}
    for example in examples:
        looks = tuple(example[field] for field in seen)
        groups.setdefault(looks, Counter())[example["response"]] += 1
    return sum(max(group.values()) for group in groups.values()) / len(examples)
    ### END SOLUTION


# %%
ift.check(ceiling)

# %% [markdown]
# The four tasks about countries, the input always the name of the country:

# %%
if ift.passed(ceiling):
    from ift_course.lessons.lesson_06.experiment import bare
    from ift_course.world.tasks import sample

    rows = [
        {"instruction": x.instruction, "input": bare(x).instruction, "response": x.response}
        for x in sample(2000, seed=0, families=["geography"])
    ]
    for seen in ([], ["input"], ["instruction"], ["instruction", "input"]):
        print(f"sees {' and '.join(seen) or 'nothing':24} {ceiling(rows, seen):.2f}")

# %% [markdown] tags=["hint"]
# Put the examples into groups that look the same to the model, and count the responses within each
# group.

# %% [markdown] tags=["hint"]
# A tuple of the seen fields is a good key: `tuple(example[field] for field in seen)`. Texts put
# behind each other are not: "ab" + "c" is "a" + "bc". A `Counter` for each key counts responses.

# %% [markdown] tags=["hint"]
# `groups.setdefault(looks, Counter())[example["response"]] += 1` for each example; at the end the
# sum of `max(group.values())` over all groups, divided by `len(examples)`.

# %% [markdown]
# ## 06.6 An average over families
#
# ●●● · 25 minutes
#
# **Why it matters.** "0.8 on unseen tasks" is an average over the families that happened to be
# tested. A family with ten times the questions must not count ten times. And the interval has to
# say how the number would change with *other families*: five families with 1,000 questions each are
# five observations, not 5,000.
#
# **Given** are the scores of a model, by family.
#
# **Example.** Three families, at 0.5, 0.6 and 0.7.
#
# ```python
# >>> macro_average({"a": [1.0, 0.0], "b": [0.6], "c": [0.7, 0.7, 0.7]})
# (0.6, 0.3516, 0.8484)
# ```


# %%
def macro_average(
    scores: dict[str, list[float]], level: float = 0.95
) -> tuple[float, float, float]:
    """The mean over families, and its interval: (mean, low, high).

    Every family counts with the mean of its scores, whatever their number. The interval is
    Student's t interval of these means: with k families, their standard deviation s (k - 1 in the
    denominator) and the quantile t at (1 + level) / 2 of Student's distribution with k - 1 degrees
    of freedom, mean ± t · s / √k. It may reach below 0 or above 1.

    Raises ValueError if there are fewer than two families, or a family has no scores.
    """
    ### BEGIN SOLUTION
    means = [statistics.fmean(family) for family in scores.values()]  # refuses empty ones
    middle = statistics.fmean(means)
    t = stats.t.ppf((1 + level) / 2, len(means) - 1)
    half = t * statistics.stdev(means) / len(means) ** 0.5  # refuses a single one
    return middle, middle - half, middle + half
    ### END SOLUTION


# %%
ift.check(macro_average)

# %% [markdown]
# A stored model of lesson 06, tuned on all eleven families, on the five it never met:

# %%
if ift.passed(macro_average):
    from ift_course.claims import grid_store
    from ift_course.lessons.lesson_06 import experiment
    from ift_course.world.tasks import HELD_OUT_FAMILIES

    rows = grid_store.read(profile, "06", experiment.MultitaskResult)
    for row in [row for row in rows if row.config == experiment.MultitaskConfig(experiment.ALL)][
        :1
    ]:
        each = experiment.EACH
        items = row.scores()
        scores = {f: items[i * each :][:each] for i, f in enumerate(HELD_OUT_FAMILIES)}
        print({family: round(statistics.fmean(found), 2) for family, found in scores.items()})
        middle, low, high = macro_average(scores)
        print(f"over families     {middle:.2f}, {low:.2f} to {high:.2f}")
        middle, low, high = macro_average({str(i): [item] for i, item in enumerate(items)})
        print(f"over questions    {middle:.2f}, {low:.2f} to {high:.2f}   (too narrow)")

# %% [markdown] tags=["hint"]
# First one number for each family. From then on the single scores are not needed any more: neither
# for the mean nor for the interval.

# %% [markdown] tags=["hint"]
# `statistics.stdev` has k - 1 in its denominator, `statistics.pstdev` has k; both refuse, with a
# kind of ValueError, what has no spread. The quantile is `stats.t.ppf(probability, degrees)`.

# %% [markdown] tags=["hint"]
# `half = stats.t.ppf((1 + level) / 2, k - 1) * statistics.stdev(means) / k ** 0.5`, around
# `statistics.fmean(means)`.
