# %% [markdown]
# # Exercises 05: learning from preferences
#
# {{ badge }}
#
# Four functions: the loss of reward models, the log-probability of a response, DPO's loss, and what
# its gradient does. Write the function, run its cell, run the cell below it.
#
# You may look into [lesson 05](../notebooks/05_rlhf_dpo_preview.ipynb) at any time.

# %%
import torch
import torch.nn.functional as F

import ift_course as ift

profile = ift.setup("05")
ift.progress("05")

# %% [markdown]
# ## 05.1 The Bradley–Terry loss
#
# ●○○ · 10 minutes
#
# **Why it matters.** A reward model is trained on "this one is better" and nothing else. This loss
# turns such pairs into numbers, and DPO uses it as well.
#
# **Given** are the rewards of the chosen and the rejected responses, pair by pair.
#
# **Example.** Two equal rewards are a coin toss: ln 2.
#
# ```python
# >>> bradley_terry_loss(torch.tensor([1.0]), torch.tensor([1.0]))
# tensor(0.6931)
# ```


# %%
def bradley_terry_loss(
    chosen: torch.Tensor, rejected: torch.Tensor, margin: float = 0.0
) -> torch.Tensor:
    """The mean over pairs of -log(sigmoid(chosen - rejected - margin)), without dimensions.

    chosen, rejected: rewards, float (pairs,). margin: by how much the chosen one should be ahead.
    Finite for all finite rewards, however wrong. Computed in float32.

    Raises ValueError if there is no pair, or the numbers of rewards differ.
    """
    ### BEGIN SOLUTION
    if len(chosen) != len(rejected) or len(chosen) == 0:
        raise ValueError("each chosen reward needs a rejected one, and there is at least one pair")
    return -F.logsigmoid(chosen.float() - rejected - margin).mean()
    ### END SOLUTION


# %%
ift.check(bradley_terry_loss)

# %% [markdown] tags=["hint"]
# `torch.sigmoid(-200)` is 0 in float32, and the logarithm of 0 is infinite. Which function computes
# both in one?

# %% [markdown] tags=["hint"]
# `F.logsigmoid(x)` is the logarithm of the sigmoid, finite everywhere. Mind the sign: a loss falls
# as the chosen reward rises.

# %% [markdown] tags=["hint"]
# `-F.logsigmoid(chosen.float() - rejected.float() - margin).mean()`, after the refusals.

# %% [markdown]
# ## 05.2 The log-probability of a response
#
# ●●○ · 20 minutes
#
# **Why it matters.** DPO compares whole responses, by what the model finds them likely. A
# response's log-probability is the *sum* over its tokens. With the mean instead, the loss still
# falls, and what is trained is another method.
#
# **Given** are scores and labels as in 01.5: not shifted, −100 on prompt and padding.
#
# **Example.** Two tokens, each with the probability 1/5: 2 · ln(1/5).
#
# ```python
# >>> sequence_log_probs(torch.zeros(1, 4, 5), torch.tensor([[-100, -100, 2, 3]]))
# tensor([-3.2189])
# ```


# %%
def sequence_log_probs(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """The log-probability of each row's labeled tokens, in nats.

    logits: (rows, length, vocabulary), any floating dtype; labels: int64 (rows, length), not
    shifted, -100 where a token does not count. A label in the first column has no score and does
    not count.

    Returns float32 (rows,): for each row the sum over its labeled tokens, 0 if there is none.
    Computed in float32, differentiable.
    """
    ### BEGIN SOLUTION
    wanted = labels[:, 1:]
    counts = wanted != -100
    log_p = logits[:, :-1].float().log_softmax(dim=-1)
    picked = log_p.gather(-1, torch.where(counts, wanted, 0).unsqueeze(-1)).squeeze(-1)
    return torch.where(counts, picked, 0).sum(dim=1)
    ### END SOLUTION


# %%
ift.check(sequence_log_probs)

# %% [markdown] tags=["hint"]
# The shift is as in 01.1 and 01.5. New is that you need one number for each row.

# %% [markdown] tags=["hint"]
# `log_softmax` over the vocabulary, then `gather` picks one number at each position. It refuses
# −100 as an index, so put 0 there first, and strike these positions out afterwards.

# %% [markdown] tags=["hint"]
# `log_p.gather(-1, safe.unsqueeze(-1)).squeeze(-1)` with `safe = torch.where(counts, wanted, 0)`;
# then `torch.where(counts, picked, 0).sum(dim=1)`.

# %% [markdown]
# ## 05.3 The DPO loss
#
# ●●○ · 20 minutes
#
# **Why it matters.** Five lines replace a reward model and a reinforcement-learning loop (Rafailov
# et al. 2023, arXiv:2305.18290). Swap two of its four arguments, and a model is trained, with a
# falling loss, to prefer what people disliked.
#
# **Given** are log-probabilities of whole responses, under the policy that is trained and under the
# frozen reference.
#
# **Example.** The chosen response became likelier by 2, the rejected one stayed.
#
# ```python
# >>> pair = [torch.tensor([x]) for x in (-8.0, -9.0, -10.0, -9.0)]
# >>> dpo_loss(*pair, beta=0.5)
# (tensor(0.3133), tensor([1.0]))
# ```


# %%
def dpo_loss(
    policy_chosen: torch.Tensor,
    policy_rejected: torch.Tensor,
    reference_chosen: torch.Tensor,
    reference_rejected: torch.Tensor,
    beta: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """(loss, margins): the mean DPO loss of the pairs, and their implicit reward margins.

    All four: log-probabilities, float (pairs,). The implicit reward of a response is beta times
    (its log-probability under the policy minus that under the reference). A margin is the reward of
    the chosen minus that of the rejected response, float32 (pairs,). The loss is the mean of
    -log(sigmoid(margin)), float32, without dimensions, and finite for all finite margins.

    Raises ValueError unless beta is above 0.
    """
    ### BEGIN SOLUTION
    if beta <= 0:
        raise ValueError("beta is above 0")
    chosen = policy_chosen.float() - reference_chosen
    rejected = policy_rejected.float() - reference_rejected
    margins = beta * (chosen - rejected)
    return -F.logsigmoid(margins).mean(), margins
    ### END SOLUTION


# %%
ift.check(dpo_loss)

# %% [markdown]
# Your loss teaches a toy policy of ten possible answers, of which only answer 3 is ever preferred.
# The reference stays even. Look at what happens to the answers that are in no pair.

# %%
if ift.passed(dpo_loss):
    scores = torch.zeros(10, requires_grad=True)
    reference = torch.zeros(10).log_softmax(0)
    optimizer = torch.optim.Adam([scores], lr=0.1)
    chosen, rejected = torch.tensor([3, 3, 3]), torch.tensor([0, 1, 2])
    for step in range(61):
        log_p = scores.log_softmax(0)
        loss, margins = dpo_loss(
            log_p[chosen], log_p[rejected], reference[chosen], reference[rejected], beta=0.5
        )
        if step % 20 == 0:
            shares = " ".join(f"{p:4.0%}" for p in log_p.exp().tolist())
            print(f"step {step:2}  loss {loss:.3f}  margin {margins.mean():5.2f}  answers {shares}")
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

# %% [markdown] tags=["hint"]
# Write the implicit reward of one response first. The loss needs it for both, and is exercise 05.1.

# %% [markdown] tags=["hint"]
# `margins = beta * ((policy_chosen - reference_chosen) - (policy_rejected - reference_rejected))`.

# %% [markdown] tags=["hint"]
# Return `-F.logsigmoid(margins).mean()` and `margins`; take the arguments to `.float()`, and refuse
# a beta of 0 or less.

# %% [markdown]
# ## 05.4 What the gradient of DPO does
#
# ●●● · 30 minutes
#
# **Why it matters.** The loss says what is wanted, the gradient says what happens. Its formula
# shows why DPO stops pushing pairs that are right already, and why it can lower the probability of
# *both* responses.
#
# Write it from the formula, without autograd. The derivative of −log σ(x) is −σ(−x).
#
# **Given** is what 05.3 is given.
#
# **Example.** Where nothing has been learned yet, the push is half of beta.
#
# ```python
# >>> pair = [torch.tensor([x]) for x in (-8.0, -9.0, -8.0, -9.0)]
# >>> dpo_gradient(*pair, beta=0.5)
# (tensor([-0.25]), tensor([0.25]))
# ```


# %%
def dpo_gradient(
    policy_chosen: torch.Tensor,
    policy_rejected: torch.Tensor,
    reference_chosen: torch.Tensor,
    reference_rejected: torch.Tensor,
    beta: float,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The derivatives of the mean DPO loss of 05.3 by policy_chosen and by policy_rejected.

    All four: log-probabilities, float (pairs,). Returns two tensors, float32 (pairs,), computed
    without autograd. They are finite for all finite arguments.
    """
    ### BEGIN SOLUTION
    chosen = policy_chosen.float() - reference_chosen
    rejected = policy_rejected.float() - reference_rejected
    push = beta * torch.sigmoid(beta * (rejected - chosen)) / len(chosen)
    return -push, push
    ### END SOLUTION


# %%
ift.check(dpo_gradient)

# %% [markdown] tags=["hint"]
# The loss of one pair is −log σ(m), where m is the margin. What is the derivative of m by
# `policy_chosen`? And by `policy_rejected`?

# %% [markdown] tags=["hint"]
# m grows by beta when `policy_chosen` grows by 1, and falls by beta when `policy_rejected` does.
# The chain rule gives −σ(−m) · beta for the first. And the loss is a mean.

# %% [markdown] tags=["hint"]
# `push = beta * torch.sigmoid(-margins) / pairs`; the derivatives are `-push` and `push`.
