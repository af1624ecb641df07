# %% [markdown]
# # Exercises 11: reinforcement learning from rewards
#
# {{ badge }}
#
# Two functions: how GRPO compares an answer with its group, and what best of n can be expected to
# give. Write the function, run its cell, run the cell below it.
#
# You may look into [lesson 11](../notebooks/11_reinforcement_learning.ipynb) at any time.

# %%
import math

import torch

import ift_course as ift

profile = ift.setup("11")
ift.progress("11")

# %% [markdown]
# ## 11.1 Group-relative advantages
#
# ●●○ · 15 minutes
#
# **Why it matters.** GRPO (Shao et al. 2024, arXiv:2402.03300) needs no second network to say what
# a good reward is: an answer is compared with the other answers to the same question. If all are
# equally good, there is nothing to learn, and 0 / 0 must not become the gradient.
#
# **Given** are the rewards of all answers, group by group.
#
# **Example.** In the first group half of the answers are right, in the second all.
#
# ```python
# >>> group_advantages(torch.tensor([1.0, 0.0, 1.0, 1.0]), group=2, epsilon=0.0001)
# tensor([0.7070, -0.7070, 0.0, 0.0])
# ```


# %%
def group_advantages(rewards: torch.Tensor, group: int, epsilon: float = 1e-4) -> torch.Tensor:
    """How much better each answer is than its group, in standard deviations of the group.

    rewards: float (prompts * group,): all answers to the first prompt, then all to the second, and
    so on. advantage = (reward - mean of its group) / (standard deviation of its group + epsilon),
    with the standard deviation of a sample (division by the size of the group minus 1), as TRL
    computes it. In a group of equal rewards all advantages are 0.

    Returns float32 of the same shape. Raises ValueError if group is less than 2, or the number of
    rewards is no multiple of it.
    """
    ### BEGIN SOLUTION
    if group < 2 or len(rewards) % group:
        raise ValueError("rewards come in groups of at least two")
    grouped = rewards.float().view(-1, group)
    centered = grouped - grouped.mean(dim=1, keepdim=True)
    spread = grouped.std(dim=1, keepdim=True)
    return (centered / (spread + epsilon)).flatten()
    ### END SOLUTION


# %%
ift.check(group_advantages)

# %% [markdown] tags=["hint"]
# Give the rewards two dimensions, a row for each prompt. Then everything is a mean over a row.

# %% [markdown] tags=["hint"]
# `keepdim=True` keeps the shapes fitting. PyTorch's `std` divides by n − 1, NumPy's by n.

# %% [markdown] tags=["hint"]
# `grouped = rewards.float().view(-1, group)`; subtract `grouped.mean(dim=1, keepdim=True)`, divide
# by `grouped.std(dim=1, keepdim=True) + epsilon`, and `.flatten()`.

# %% [markdown]
# ## 11.2 What best-of-n would give
#
# ●●● · 30 minutes
#
# **Why it matters.** Best-of-n asks a model n times and keeps the answer with the highest reward.
# How much does it help at n = 2, 4, 8? Drawing n answers again and again is noisy. From N answers
# to one question the expected best of n can be computed exactly, over all choices of n of them (as
# pass@k is, Chen et al. 2021, arXiv:2107.03374).
#
# **Given** are the rewards of all answers to one question.
#
# **Example.** The choices are {1, 2}, {1, 4} and {2, 4}; their best are 2, 4 and 4.
#
# ```python
# >>> expected_best([1.0, 2.0, 4.0], n=2)
# 3.3333
# ```


# %%
def expected_best(rewards: list[float], n: int) -> float:
    """The mean, over all choices of n different answers, of the highest reward among them.

    rewards: of all answers to one question, in any order. Takes a moment for hundreds of answers,
    so do not go through all choices: sorted in ascending order, the answer at place i (from 0) is
    the best of as many choices as n - 1 others can be chosen from the i before it: math.comb(i, n -
    1).

    Raises ValueError unless 1 <= n <= number of rewards.
    """
    ### BEGIN SOLUTION
    if not 1 <= n <= len(rewards):
        raise ValueError("n is at least 1 and at most the number of rewards")
    choices = math.comb(len(rewards), n)
    ordered = enumerate(sorted(rewards))
    return sum(reward * math.comb(i, n - 1) / choices for i, reward in ordered)
    ### END SOLUTION


# %%
ift.check(expected_best)

# %% [markdown]
# Rewards of 200 answers, drawn from a normal distribution: how far does best-of-n come, and what
# does the next doubling still give?

# %%
if ift.passed(expected_best):
    drawn = torch.randn(200, generator=torch.Generator().manual_seed(0)).tolist()
    for n in (1, 2, 4, 8, 16, 32, 64):
        best = expected_best(drawn, n)
        print(f"best of {n:2}: {best:5.2f}   {'▇' * max(0, round(15 * best))}")

# %% [markdown] tags=["hint"]
# Do the example on paper: sort, and ask for each reward in how many choices it is the best one.

# %% [markdown] tags=["hint"]
# If a reward at place i is the best, the other n − 1 come from the i places before it:
# `math.comb(i, n - 1)` choices. All choices together are `math.comb(N, n)`.

# %% [markdown] tags=["hint"]
# `sum(reward * math.comb(i, n - 1) / math.comb(N, n) for i, reward in enumerate(sorted(rewards)))`.
