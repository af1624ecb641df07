# %% [markdown]
# # Exercises 07: data that a model wrote
#
# {{ badge }}
#
# Six functions between a teacher's raw output and a training set: what is new, what is best, what
# must not be there, whether the judge can be trusted, and what gets lost; and an open question.
# Write the function, run its cell, run the cell below it.
#
# You may look into [lesson 07](../notebooks/07_synthetic_data.ipynb) at any time.

# %%
import math
import random
import re
import tempfile

import torch

import ift_course as ift

profile = ift.setup("07")
ift.progress("07")

# %% [markdown]
# ## 07.1 Only what is new
#
# ●●○ · 30 minutes
#
# **Why it matters.** A model that is asked for new instructions mostly writes old ones with a word
# changed. Self-Instruct (Wang et al. 2022) adds an instruction to its pool only when its ROUGE-L
# likeness to everything that is there already is below 0.7. That line decides how varied the data
# will be.
#
# **Given** are the candidates in the order in which the model wrote them, and the pool.
#
# **Example.** The first is too like the pool, the third too like the second.
#
# ```python
# >>> pool = ["Name the capital of France."]
# >>> novel(["Name the capital of Spain.", "Count to ten.", "count to ten."], pool, limit=0.7)
# [1]
# ```


# %%
def novel(candidates: list[str], pool: list[str], limit: float) -> list[int]:
    """The indices of the candidates that are added to the pool, one after the other.

    Words are `text.lower().split()`. The likeness of two texts is ROUGE-L: twice the length of the
    longest common subsequence of their words, divided by the number of words in both together. (A
    subsequence keeps the order, and may leave words out.) A candidate is added if its likeness is
    *less than* `limit` to every text of the pool, and to every candidate added before it. A
    candidate without words is never added. The lists are left as they were.

    Raises ValueError unless 0 < limit <= 1.
    """
    ### BEGIN SOLUTION
    if not 0 < limit <= 1:
        raise ValueError("the limit is above 0 and at most 1")

    def likeness(a, b):
        row = [0, *(0 for _ in b)]
        for x in a:
            before, row = row, [0]
            for j, y in enumerate(b):
                row.append(before[j] + 1 if x == y else max(before[j + 1], row[j]))
        return 2 * row[-1] / (len(a) + len(b))

    known = [text.lower().split() for text in pool]
    added = []
    for i, text in enumerate(candidates):
        words = text.lower().split()
        if words and all(likeness(words, other) < limit for other in known):
            known.append(words)
            added.append(i)
    return added
    ### END SOLUTION


# %%
ift.check(novel)

# %% [markdown]
# Four hundred instructions of the course's world. How many of them are "new" depends on the limit.
# The paper's 0.7 was chosen for instructions that are longer and more varied than these:

# %%
if ift.passed(novel):
    from ift_course.world.tasks import sample

    texts = [f"{x.instruction} {x.input}" for x in sample(400, seed=7)]
    for limit in (0.3, 0.5, 0.7, 0.9, 1.0):
        kept = novel(texts, [], limit)
        print(f"limit {limit:.1f}   {len(kept):3} of {len(texts)} added   {'▇' * (len(kept) // 8)}")

# %% [markdown] tags=["hint"]
# Two parts: the likeness of two lists of words, and a loop over the candidates with a list of
# everything that is known so far. That list grows.

# %% [markdown] tags=["hint"]
# The longest common subsequence goes row by row. Where the two words are equal, it is one more than
# for both texts without that word. Where they are not, it is the better of leaving out one or the
# other.

# %% [markdown] tags=["hint"]
# `row` begins as a zero for each word of b, and one more. For each word x of a, with `before` as
# the row of the word before it: `before[j] + 1 if x == y else max(before[j + 1], row[j])` is
# appended for each word y of b. The last number of the last row is the length.

# %% [markdown]
# ## 07.2 The best share of each
#
# ●○○ · 15 minutes
#
# **Why it matters.** "Keep the best tenth" has two meanings. The best tenth of *everything* is
# mostly answers to the questions that the judge likes. The best tenth of the answers to *each*
# question leaves no question out. A reward says which of two answers to one prompt is better, and
# nothing about two prompts.
#
# **Given** are, for each answer, the prompt it answers and its reward.
#
# **Example.** Half of each prompt's answers, rounded up.
#
# ```python
# >>> keep_best(["a", "b", "a", "b", "a"], [0.1, 9.0, 0.3, 8.0, 0.2], share=0.5)
# [1, 2, 4]
# ```


# %%
def keep_best(prompts: list[str], rewards: list[float], share: float) -> list[int]:
    """The indices of the answers that are kept, in ascending order.

    Answer i answers prompts[i] and has rewards[i]. Of the answers to each prompt, those with the
    highest rewards are kept: share × their number, rounded up. Between equal rewards the earlier
    answer is kept. An answer whose reward is NaN is never kept and is not counted. Answers to one
    prompt need not stand together.

    Raises ValueError unless 0 < share <= 1.
    """
    ### BEGIN SOLUTION
    if not 0 < share <= 1:
        raise ValueError("the share is above 0 and at most 1")
    kept = []
    for prompt in set(prompts):
        own = [
            i for i, reward in enumerate(rewards) if prompts[i] == prompt and not math.isnan(reward)
        ]
        best = sorted(own, key=lambda i: -rewards[i])
        kept += best[: math.ceil(share * len(own))]
    return sorted(kept)
    ### END SOLUTION


# %%
ift.check(keep_best)

# %% [markdown]
# TRL's own trainer is the judge of your filter. Five answers to each of 120 questions, of which one
# is right; the rewards are noisy. It tunes the base once on the answers that you keep and once on
# as many random ones, for the same number of steps. **Predict** the two scores first.

# %%
if ift.passed(keep_best):
    from datasets import Dataset
    from transformers import PrinterCallback
    from trl import SFTConfig, SFTTrainer

    from ift_course.lessons.lesson_03.experiment import held_out
    from ift_course.world.flaws import wrong
    from ift_course.world.tasks import FACT_TASKS, sample

    draw = random.Random(0)
    rows, prompts, rewards = [], [], []
    for example in sample(120, seed=0, tasks=FACT_TASKS):
        text = f"{example.instruction}\n{example.input}".strip()
        answers = [example.response] + [wrong(example, draw).response for _ in range(4)]
        for i, answer in enumerate(answers):
            rows.append({"prompt": [{"role": "user", "content": text}],
                         "completion": [{"role": "assistant", "content": answer}]})  # fmt: skip
            prompts.append(text)
            rewards.append(draw.gauss(2.0 if i == 0 else 0.0, 1.0))
    kept = keep_best(prompts, rewards, share=0.2)
    for name, chosen in {"kept": kept, "random": draw.sample(range(len(rows)), len(kept))}.items():
        model, tokenizer = ift.load("base")
        args = SFTConfig(
            output_dir=tempfile.mkdtemp(), max_steps=40, learning_rate=1.5e-4, bf16=False,
            per_device_train_batch_size=16, use_cpu=True, activation_checkpointing=False,
            save_strategy="no", report_to="none", disable_tqdm=True,
        )  # fmt: skip
        data = Dataset.from_list([rows[i] for i in chosen])
        trainer = SFTTrainer(model, args, train_dataset=data, processing_class=tokenizer)
        trainer.remove_callback(PrinterCallback)
        trainer.train()
        share = ift.score(trainer.model, tokenizer, held_out(seed=0, questions=60)).accuracy
        print(f"{name:6}  {len(chosen)} answers, {sum(i % 5 == 0 for i in chosen)} of them right: "
              f"{share:.2f} of the exam right")  # fmt: skip

# %% [markdown] tags=["hint"]
# First collect, for each prompt, the indices of its answers. Then sort those by reward and take the
# beginning.

# %% [markdown] tags=["hint"]
# `sorted` keeps equal items in the order they had. So sort by `-rewards[i]` rather than in reverse,
# and the earlier of two equal answers stays in front.

# %% [markdown] tags=["hint"]
# `math.ceil(share * len(own))` answers are kept, where `own` leaves out NaN (`math.isnan`). At the
# end sort all kept indices.

# %% [markdown]
# ## 07.3 Decontamination
#
# ●●○ · 25 minutes
#
# **Why it matters.** A teacher has read the web, and the exams on it. Ask it for instructions, and
# some of what it writes is your test set. A single shared run of words would throw out too much
# here ("What is the capital of" is in many good questions). So one asks how much of an exam
# question comes back. The PaLM report, for one, called an example contaminated when 70 % of its
# runs of 8 words had been seen.
#
# **Given** are the generated texts and the questions of the exam.
#
# **Example.** Of the exam question's three pairs of words, the first text has two and the second
# all.
#
# ```python
# >>> contaminated(["Say: what is the moon?", "What is the sun?"], ["what is the sun"], 2, 1.0)
# [1]
# ```


# %%
def contaminated(generated: list[str], exam: list[str], n: int, share: float) -> list[int]:
    """The indices of the generated texts that repeat too much of some exam question.

    Words are what `re.findall(r"\\w+", text.lower())` gives. The runs of a question are its
    sequences of n words in a row, as a set; a question of fewer than n words has one run, all its
    words; one without words has none and is left out. A generated text is contaminated if at least
    `share` of the runs of *one* question occur in it, as words in a row. What else it says does not
    matter.

    Raises ValueError if n is less than 1, or unless 0 < share <= 1.
    """
    ### BEGIN SOLUTION
    if n < 1 or not 0 < share <= 1:
        raise ValueError("n is at least 1, and the share above 0 and at most 1")

    def words(text):
        return re.findall(r"\w+", text.lower())

    def runs(text, size):
        found = words(text)
        return {tuple(found[i : i + size]) for i in range(len(found) - size + 1)}

    found = []
    for i, text in enumerate(generated):
        for question in exam:
            size = min(n, len(words(question)))
            wanted = runs(question, size)
            if size and len(wanted & runs(text, size)) >= share * len(wanted):
                found.append(i)
                break
    return found
    ### END SOLUTION


# %%
ift.check(contaminated)

# %% [markdown]
# What no counting of words finds: the same question in other words.

# %%
if ift.passed(contaminated):
    exam = ["What is the capital of France?"]
    for text in (
        "What is the capital of France?",
        "Tell me: what is the capital of France, please?",
        "What is the capital of Spain?",
        "Which city do the French call their capital?",
    ):
        print(f"{bool(contaminated([text], exam, 3, 0.7))!s:6} {text}")

# %% [markdown] tags=["hint"]
# Write a small function that gives the runs of one text as a set of tuples. For each generated
# text, look at the exam's questions one by one.

# %% [markdown] tags=["hint"]
# The share is of the *question's* runs. If it were of the generated text's, a long text could
# contain the whole question and look clean.

# %% [markdown] tags=["hint"]
# `size = min(n, number of the question's words)`, the same size for both texts. Contaminated if
# `size` is not 0 and `len(wanted & runs(text, size)) >= share * len(wanted)`.

# %% [markdown]
# ## 07.4 How good is the judge?
#
# ●●○ · 20 minutes
#
# **Why it matters.** Before a judge chooses your data, find out how often it is right, on answers
# of the very teacher it will judge. Where some answers have been verified, that is one number: of
# two answers to the same prompt, one right and one wrong, how often does the judge prefer the right
# one? A coin gets 0.5.
#
# **Given** are, for each answer, its prompt, its reward and whether it is right.
#
# **Example.** One pair for "a", ranked well, and one for "b", a tie.
#
# ```python
# >>> ranked_right(["a", "a", "b", "b"], [2.0, 1.0, 5.0, 5.0], [True, False, False, True])
# 0.75
# ```


# %%
def ranked_right(prompts: list[str], rewards: list[float], right: list[bool]) -> float:
    """The share of pairs that the judge ranks well, between 0 and 1.

    A pair is a right and a wrong answer to the same prompt. It is ranked well if the right one has
    the higher reward; equal rewards count one half. All pairs count the same, so a prompt with many
    of them counts more.

    Raises ValueError if there is no pair.
    """
    ### BEGIN SOLUTION
    points = []
    for i, first in enumerate(prompts):
        for j, second in enumerate(prompts):
            if first == second and right[i] and not right[j]:
                better, worse = rewards[i] > rewards[j], rewards[i] < rewards[j]
                points.append(0.5 + 0.5 * better - 0.5 * worse)
    if not points:
        raise ValueError("no prompt has both a right and a wrong answer")
    return sum(points) / len(points)
    ### END SOLUTION


# %%
ift.check(ranked_right)

# %% [markdown]
# The same number is known as the area under the ROC curve, taken prompt by prompt. With one prompt,
# SciPy's rank test gives it too:

# %%
if ift.passed(ranked_right):
    from scipy.stats import mannwhitneyu

    draw = random.Random(0)
    truth = [draw.random() < 0.4 for _ in range(40)]
    given = [draw.gauss(1.0 if t else 0.0, 1.0) for t in truth]
    good = [r for r, t in zip(given, truth, strict=True) if t]
    bad = [r for r, t in zip(given, truth, strict=True) if not t]
    ours = ranked_right(["one prompt"] * 40, given, truth)
    print(f"ours {ours:.6f}   SciPy {mannwhitneyu(good, bad).statistic / len(good) / len(bad):.6f}")

# %% [markdown] tags=["hint"]
# Two loops over all answers, one for the right one of a pair and one for the wrong one. Most
# combinations are no pair.

# %% [markdown] tags=["hint"]
# For each pair write down 1, 0.5 or 0. The result is the mean of what you wrote down, over all
# pairs of all prompts.

# %% [markdown] tags=["hint"]
# `if prompts[i] == prompts[j] and right[i] and not right[j]`: 1.0 if `rewards[i] > rewards[j]`, 0.5
# if they are equal, else 0.0.

# %% [markdown]
# ## 07.5 A reward without its length
#
# ●●○ · 20 minutes
#
# **Why it matters.** Judges like length, in one direction or the other, and filtering by such a
# judge is filtering by length. The simplest cure is a straight line: what the length explains of
# the reward is taken away, and the rest is kept. AlpacaEval's length-controlled win rates (Dubois
# et al. 2024) grew out of this idea.
#
# **Given** are a reward and a length for each answer.
#
# **Example.** Each word costs one point, and the last answer is better than its length says.
#
# ```python
# >>> without_length(torch.tensor([3.0, 2.0, 1.0, 2.0]), torch.tensor([1, 2, 3, 4])).tolist()
# [2.4, 1.8, 1.2, 2.6]
# ```


# %%
def without_length(rewards: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
    """The rewards without the part that a straight line through (length, reward) explains.

    rewards: float (answers,). lengths: int64 (answers,), in words. From each reward
    slope × (its length − the mean length) is taken away, with the slope of the least-squares line.
    So an answer of mean length keeps its reward, and so does the mean reward. If all lengths are
    equal there is no line, and the rewards come back as they are. Returns float64 (answers,); the
    arguments stay as they were.

    Raises ValueError if there are no answers, or not as many lengths as rewards.
    """
    ### BEGIN SOLUTION
    if len(rewards) != len(lengths) or not len(rewards):
        raise ValueError("every reward needs a length, and there must be one")
    y, x = rewards.double(), lengths.double()
    x = x - x.mean()
    if not x.any():
        return y
    return y - x * (x @ y) / (x @ x)
    ### END SOLUTION


# %%
ift.check(without_length)

# %% [markdown] tags=["hint"]
# Center the lengths first: take their mean away. With centered lengths the slope is a quotient of
# two sums.

# %% [markdown] tags=["hint"]
# slope = Σ (length − mean length) × reward / Σ (length − mean length)². If the second sum is 0, all
# lengths are equal.

# %% [markdown] tags=["hint"]
# With `x` the centered lengths and `y` the rewards, both float64: `y - x * (x @ y) / (x @ x)`.

# %% [markdown]
# ## 07.6 What is lost in a generation
#
# ●○○ · 10 minutes
#
# **Why it matters.** Why does variety shrink when models learn from models, even if nobody makes a
# mistake? Because what is rare may by chance not be drawn. What is not drawn is not learned, and
# then it is not rare but gone.
#
# **Given** is the share that each kind of record has in what the model writes.
#
# **Example.** Three kinds, one of them rare, and ten records.
#
# ```python
# >>> round(expected_kinds([0.6, 0.39, 0.01], draws=10), 4)
# 2.0884
# ```


# %%
def expected_kinds(shares: list[float], draws: int) -> float:
    """How many kinds one may expect to find among so many records.

    shares: the probability of each kind, which add up to 1. draws: how many records are drawn, each
    independently of the others. A kind is found if at least one record is of it.

    Raises ValueError if `draws` is negative, or if the sum of the shares, rounded to six decimals,
    is not 1.
    """
    ### BEGIN SOLUTION
    if draws < 0 or round(sum(shares), 6) != 1:
        raise ValueError("the shares add up to 1, and the number of draws is not negative")
    return sum(1 - (1 - share) ** draws for share in shares)
    ### END SOLUTION


# %%
ift.check(expected_kinds)

# %% [markdown]
# A thousand kinds, the second half as frequent as the first, the third a third as frequent, and so
# on. Each generation draws 2,000 records from what is left of the one before:

# %%
if ift.passed(expected_kinds):
    draw = random.Random(0)
    kinds = list(range(1000))
    shares = [1 / (k + 1) for k in kinds]
    for generation in range(6):
        total = sum(shares)
        left = sum(share > 0 for share in shares)
        expected = expected_kinds([share / total for share in shares], 2000)
        print(f"generation {generation}: {left:4} kinds, and of the next we expect {expected:.0f}")
        drawn = draw.choices(kinds, shares, k=2000)
        shares = [float(drawn.count(kind)) for kind in kinds]

# %% [markdown] tags=["hint"]
# Look at one kind alone. What is the probability that *none* of the records is of it?

# %% [markdown] tags=["hint"]
# With a share p, one record is not of the kind with probability 1 − p, and all of them with
# (1 − p) to the power of their number.

# %% [markdown] tags=["hint"]
# The expected number of kinds is the sum over the kinds of 1 − (1 − p) ** draws.

# %% [markdown]
# {{ written 07.w1 }}
