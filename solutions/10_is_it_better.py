# %% [markdown]
# # Exercises 10: is it better?
#
# {{ badge }}
#
# Four functions for evaluating models, and an open question. Write the function, run its cell, run
# the cell below it.
#
# You may look into [lesson 10](../notebooks/10_is_it_better.ipynb) at any time.

# %%
import math
import re

import ift_course as ift

profile = ift.setup("10")
ift.progress("10")

# %% [markdown]
# ## 10.1 A verifier
#
# ●○○ · 20 minutes
#
# **Why it matters.** A verifier is the ruler of every number that follows. One that finds "owl" in
# "growl", or that accepts a page of text with the answer somewhere in it, measures something else.
#
# **Given** are an answer, the texts of which it should contain one, the texts that it must not
# contain, and the largest number of words.
#
# **Example.** Whole words, whatever their case; a text may have several words.
#
# ```python
# >>> accepts("It is Paris, of course.", ["Paris"], ["Lyon"], max_words=5)
# True
# >>> accepts("It is in Parisian suburbs.", ["Paris"], [], max_words=5)
# False
# ```


# %%
def accepts(text: str, answers: list[str], forbidden: list[str], max_words: int) -> bool:
    """Whether the text contains one of the answers, nothing forbidden, and is short enough.

    Words are what `re.findall(r"\\w+", text.lower())` gives. The text contains an answer if all
    words of the answer stand in it, in a row and in the same order; the same holds for the
    forbidden texts. The length is `len(text.split())`, which may be `max_words` but not more.

    Raises ValueError if there are no answers.
    """
    ### BEGIN SOLUTION
    if not answers:
        raise ValueError("name at least one answer")

    def padded(part):
        return " " + " ".join(re.findall(r"\w+", part.lower())) + " "

    words = padded(text)
    return (
        len(text.split()) <= max_words
        and any(padded(answer) in words for answer in answers)
        and not any(padded(part) in words for part in forbidden)
    )
    ### END SOLUTION


# %%
ift.check(accepts)

# %% [markdown]
# Now with the real tool. A base and a model that is tuned for 30 steps answer 40 questions of the
# course's world, and `ift compare` judges them by the same rule, which it calls `contains`. Your
# function has to agree with each of its verdicts.

# %%
if ift.passed(accepts):
    import json
    import subprocess
    import sys
    import tempfile
    from pathlib import Path

    from ift_course.world.tasks import FACT_TASKS

    folder = Path(tempfile.mkdtemp())
    rows = [
        {
            "prompt": f"{x.instruction}\n{x.input}".strip(),
            "verifier": {"type": "contains", "answers": [x.response], "not": ["not"],
                         "max_words": 6},
        }
        for x in ift.sample(40, seed=10, split="test", tasks=FACT_TASKS)
    ]  # fmt: skip
    (folder / "test.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    model, tokenizer = ift.load("base")
    records = ift.to_records(ift.sample(60, seed=1, tasks=FACT_TASKS))
    model = ift.sft(model, tokenizer, records, max_steps=30, batch_size=8, progress=False).model
    model.save_pretrained(folder / "tuned")
    tokenizer.save_pretrained(folder / "tuned")

    def command(*arguments):
        call = [sys.executable, "-c", "from ift_course.cli import main; main()", *arguments]
        return subprocess.run(call, cwd=folder, capture_output=True, text=True, check=True).stdout

    for name in ("base", "tuned"):
        command("eval", name, "--data", "test.jsonl", "--max-new-tokens", "16",
                "--out", f"{name}.json")  # fmt: skip
        for row, x in zip(
            rows, json.loads((folder / f"{name}.json").read_text())["answers"], strict=True
        ):
            rule = row["verifier"]
            yours = accepts(x["answer"], rule["answers"], rule["not"], rule["max_words"])
            assert x["right"] == (yours and x["finished"]), x
    print(command("compare", "base.json", "tuned.json").split("The 10 largest")[0])

# %% [markdown] tags=["hint"]
# Make a list of words of the text and of each answer. Then look for one list inside the other.

# %% [markdown] tags=["hint"]
# Joined by single spaces, with a space at each end, lists of words can be searched for as strings:
# `" paris "` is in `" it is paris "` and not in `" parisian suburbs "`.

# %% [markdown] tags=["hint"]
# Three conditions, joined by `and`: `len(text.split()) <= max_words`, `any(... for answer in
# answers)`, `not any(... for part in forbidden)`.

# %% [markdown]
# ## 10.2 A report on a judge
#
# ●○○ · 20 minutes
#
# **Why it matters.** A judge that always says "A" agrees with the truth half of the time, and so
# looks no worse than a coin. Only both orders show what it does.
#
# **Given** are a judge's verdicts on the same pairs, "A" or "B" for the better one: once with the
# right answer as A, and once with the right answer as B.
#
# **Example.** Of three pairs, it takes A in both orders twice, and the right answer in both orders
# once.
#
# ```python
# >>> report = judge_report(["A", "A", "A"], ["A", "A", "B"])
# >>> [round(report[name], 2) for name in ("right", "first", "consistent", "kappa")]
# [0.67, 0.83, 0.33, 0.33]
# ```


# %%
def judge_report(right_is_a: list[str], right_is_b: list[str]) -> dict[str, float]:
    """Four shares of a judge's verdicts.

    right_is_a, right_is_b: a verdict for each pair, "A" or "B", in the two orders.

    - "right": the share of all verdicts, of both orders, that name the right answer.
    - "first": the share of all verdicts that are "A".
    - "consistent": the share of the pairs for which both verdicts name the same answer. (It stands
      in another place the second time.)
    - "kappa": Cohen's κ, the agreement with the truth beyond chance: (p − c) / (1 − c), where p is
      "right", and c the agreement that a judge would reach who says "A" as often, but without
      looking. Here A is right in half of all cases, so that c is one half whatever the judge says.

    Raises ValueError if the lists differ in length, or are empty.
    """
    ### BEGIN SOLUTION
    if len(right_is_a) != len(right_is_b) or not right_is_a:
        raise ValueError("each pair needs a verdict in both orders")
    n = len(right_is_a)
    right = (right_is_a.count("A") + right_is_b.count("B")) / (2 * n)
    return {
        "right": right,
        "first": (right_is_a.count("A") + right_is_b.count("A")) / (2 * n),
        "consistent": sum(right_is_a[i] != right_is_b[i] for i in range(n)) / n,
        "kappa": (right - 0.5) / 0.5,
    }
    ### END SOLUTION


# %%
ift.check(judge_report)

# %% [markdown]
# Your report on the judge of the lesson, SmolLM2-135M-Instruct, with three different requests:

# %%
if ift.passed(judge_report):
    from ift_course.lessons.lesson_10 import smollm2

    panel = smollm2.stored()
    for name in smollm2.JUDGES:
        verdicts = [["BA"[int(x)] for x in order] for order in smollm2.verdicts(panel, name)]
        shares = judge_report(*verdicts)
        print(name, {key: round(value, 2) for key, value in shares.items()})

# %% [markdown] tags=["hint"]
# In the first list "A" is right, in the second one "B". Go through both lists at the same time.

# %% [markdown] tags=["hint"]
# The same answer stands first in one order and second in the other. So a judge that names the same
# answer twice gives two *different* letters.

# %% [markdown] tags=["hint"]
# "right" is `(right_is_a.count("A") + right_is_b.count("B")) / (2 * n)`, and "kappa" is `(right -
# 0.5) / 0.5`.

# %% [markdown]
# ## 10.3 Ratings from votes
#
# ●●○ · 30 minutes
#
# **Why it matters.** Leaderboards such as Chatbot Arena are made of votes between two models at a
# time. Not all models meet, and some meet weak opponents only. The Bradley–Terry model takes that
# into account; a win rate does not.
#
# **Given** is how often each model has won against each other one.
#
# **Example.** The first one beat the second three times and lost once, so it is three times as
# strong.
#
# ```python
# >>> [round(x, 3) for x in bradley_terry([[0, 3], [1, 0]], steps=100)]
# [0.75, 0.25]
# ```


# %%
def bradley_terry(wins: list[list[int]], steps: int) -> list[float]:
    """The strengths of all models, which sum to 1.

    wins[i][j]: how often i has won against j; wins[i][i] is 0.

    Begin with equal strengths that sum to 1. A step replaces all of them at once: the new strength
    of i is its number of wins, divided by the sum over all opponents j of n_ij / (p_i + p_j), where
    n_ij is the number of games between i and j, and p are the strengths before the step. Opponents
    that i has never met do not count. After each step, divide all strengths by their sum.

    Raises ValueError if a model has played no games.
    """
    ### BEGIN SOLUTION
    n = len(wins)
    games = [[wins[i][j] + wins[j][i] for j in range(n)] for i in range(n)]
    if not all(sum(row) for row in games):
        raise ValueError("every model needs a game")
    p = [1 / n] * n
    for _ in range(steps):
        new = [
            sum(wins[i]) / sum(games[i][j] / (p[i] + p[j]) for j in range(n) if games[i][j])
            for i in range(n)
        ]
        p = [x / sum(new) for x in new]
    return p
    ### END SOLUTION


# %%
ift.check(bradley_terry)

# %% [markdown]
# Four models. The third one has won all of its games, but only against the weakest one. Its win
# rate is the highest. And its strength?

# %%
if ift.passed(bradley_terry):
    votes = [[0, 60, 2, 40], [40, 0, 1, 38], [3, 4, 0, 10], [10, 12, 0, 0]]
    for i, strength in enumerate(bradley_terry(votes, 1000)):
        n_games = sum(votes[i]) + sum(row[i] for row in votes)
        print(f"model {i}: win rate {sum(votes[i]) / n_games:.2f}, strength {strength:.2f}, "
              f"rating {400 * math.log10(strength):+.0f}, {n_games} games")  # fmt: skip

# %% [markdown] tags=["hint"]
# First make a table of games, n_ij = wins[i][j] + wins[j][i]. Then one step is one formula for each
# model.

# %% [markdown] tags=["hint"]
# All new strengths are computed from the *old* ones, so collect them in a new list, and replace the
# old list at the end of the step.

# %% [markdown] tags=["hint"]
# `sum(wins[i]) / sum(games[i][j] / (p[i] + p[j]) for j in range(n) if games[i][j])` for each i.
# Then divide by the sum of the new list.

# %% [markdown]
# ## 10.4 The exact power of a test
#
# ●●● · 45 minutes
#
# **Why it matters.** Before you spend a week on a test set, find out whether it can show what you
# hope to see. A simulation says it roughly, and a sum exactly.
#
# **Given** are the number of questions, and the probabilities that A alone and that B alone is
# right about one.
#
# **Example.** With six questions of which B alone wins each, McNemar's test always finds it.
#
# ```python
# >>> power(6, 0.0, 1.0)
# 1.0
# >>> power(5, 0.0, 1.0)
# 0.0
# ```


# %%
def power(n: int, only_a: float, only_b: float, level: float = 0.05) -> float:
    """The probability that McNemar's exact test finds a difference with n questions.

    Of n questions, m are answered right by one model alone, and b of these m by B. That has the
    probability

        C(n, m) · C(m, b) · only_b^b · only_a^(m − b) · (1 − only_a − only_b)^(n − m).

    The test's p-value is twice the probability that m tosses of a fair coin give at most
    min(b, m − b) heads. The difference is found if p < level. Sum over all m and b.

    Raises ValueError if a probability is negative, or if the two sum to more than 1.
    """
    ### BEGIN SOLUTION
    neither = 1 - only_a - only_b
    if min(only_a, only_b, neither) < 0:
        raise ValueError("these are no probabilities")
    total = 0.0
    for m in range(n + 1):
        for b in range(m + 1):
            heads = sum(math.comb(m, k) for k in range(min(b, m - b) + 1))
            if 2 * heads / 2**m < level:
                ways = math.comb(n, m) * math.comb(m, b)
                total += ways * only_b**b * only_a ** (m - b) * neither ** (n - m)
    return total
    ### END SOLUTION


# %%
ift.check(power)

# %% [markdown]
# What a test of 25, 50 or 100 questions finds, if one model alone is right on 20 % of them:

# %%
if ift.passed(power):
    for points in (5, 10, 20):
        shares = [(0.2 - points / 100) / 2, (0.2 + points / 100) / 2]
        found = ", ".join(f"{n} questions {power(n, *shares):.2f}" for n in (25, 50, 100))
        print(f"B better by {points} points: {found}")

# %% [markdown] tags=["hint"]
# Two loops, m from 0 to n and b from 0 to m. In each case compute the p-value first. It depends on
# m and b alone.

# %% [markdown] tags=["hint"]
# The p-value is `2 * sum(math.comb(m, k) for k in range(min(b, m - b) + 1)) / 2**m`. Where it is
# below the level, add the probability of the case.

# %% [markdown] tags=["hint"]
# There are `math.comb(n, m) * math.comb(m, b)` ways, each of the probability `only_b**b *
# only_a**(m - b) * neither**(n - m)`, with `neither = 1 - only_a - only_b`.

# %% [markdown]
# {{ written 10.w1 }}
