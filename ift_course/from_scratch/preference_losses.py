"""The formulas of preference tuning by hand: reward model, DPO, best of n, PPO's clip, GRPO.

tests/parity/test_preference_losses.py compares them with TRL's, in value and gradient.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ift_course.data.loss_mask import IGNORE


def bradley_terry_loss(chosen: Tensor, rejected: Tensor) -> Tensor:
    """Return -log p(chosen is preferred to rejected), averaged over pairs.

    The Bradley-Terry model says that the probability of preferring one response to another depends
    only on the difference of their rewards: p = sigmoid(chosen - rejected). Bradley and Terry 1952,
    *Rank Analysis of Incomplete Block Designs*; for reward models, Ouyang et al. 2022
    (InstructGPT), arXiv:2203.02155, equation 1.

    Args:
        chosen: The rewards of the chosen responses, float of shape (pairs,).
        rejected: The rewards of the rejected responses, float of shape (pairs,).

    Returns:
        A scalar, in nats.
    """
    return -F.logsigmoid(chosen - rejected).mean()


def sequence_logps(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the log-probability of each whole response given its prompt.

    It is the *sum* over the response's tokens, not their mean, because the probability of a text is
    the product of the probabilities of its tokens.

    Args:
        logits: float of shape (sequences, length, vocabulary).
        labels: int64 of shape (sequences, length): the token ids of the response, not shifted, and
            IGNORE everywhere else.

    Returns:
        float32 of shape (sequences,), in nats.
    """
    logits, targets = logits[:, :-1].float(), labels[:, 1:]
    token_logps = logits.log_softmax(-1).gather(-1, targets.clamp(min=0)[..., None])[..., 0]
    return (token_logps * (targets != IGNORE)).sum(-1)


@dataclass(frozen=True)
class DpoTerms:
    """The DPO loss and the implicit rewards that it is computed from.

    Attributes:
        loss: A scalar, in nats.
        chosen_rewards: The implicit rewards of the chosen responses, float of shape (pairs,),
            detached.
        rejected_rewards: The implicit rewards of the rejected responses, likewise.
    """

    loss: Tensor
    chosen_rewards: Tensor
    rejected_rewards: Tensor

    @property
    def margins(self) -> Tensor:
        """Reward of the chosen minus reward of the rejected response, float of shape (pairs,)."""
        return self.chosen_rewards - self.rejected_rewards

    @property
    def accuracy(self) -> float:
        """Share of pairs in which the chosen response has the higher reward."""
        return (self.margins > 0).float().mean().item()


def dpo_loss(
    policy_chosen: Tensor,
    policy_rejected: Tensor,
    reference_chosen: Tensor,
    reference_rejected: Tensor,
    beta: float,
) -> DpoTerms:
    """Compute the DPO loss of a batch of pairs.

    Rafailov et al. 2023, *Direct Preference Optimization*, arXiv:2305.18290, equation 7.

    The loss follows from the objective of RLHF: find the policy p that maximizes
    E[r(x, y)] - beta KL(p || ref). For any reward r the solution is known (section 4):

        p(y|x) = ref(y|x) exp(r(x, y) / beta) / Z(x)

    Solve this equation for r:

        r(x, y) = beta log(p(y|x) / ref(y|x)) + beta log Z(x)

    Every policy is therefore the best one for *some* reward, namely the reward in this line. Put
    that reward into the Bradley-Terry loss of two responses to the same prompt x. Z(x) cancels, and
    with it the only term that could not be computed:

        loss = -log sigmoid(beta log(p(y+|x) / ref(y+|x)) - beta log(p(y-|x) / ref(y-|x)))

    Args:
        policy_chosen: Log-probabilities of the chosen responses under the policy, as
            `sequence_logps` returns them: float of shape (pairs,), in nats.
        policy_rejected: Those of the rejected responses under the policy.
        reference_chosen: Those of the chosen responses under the reference model.
        reference_rejected: Those of the rejected responses under the reference model.
        beta: The weight of the KL penalty; a small beta lets the policy move far away from the
            reference.
    """
    chosen = beta * (policy_chosen - reference_chosen)
    rejected = beta * (policy_rejected - reference_rejected)
    return DpoTerms(bradley_terry_loss(chosen, rejected), chosen.detach(), rejected.detach())


def sft_term(token_logps: Tensor, mask: Tensor) -> Tensor:
    """Return the SFT loss on the chosen responses, the mean over all of their tokens.

    TRL adds it to DPO's loss with `loss_type=["sigmoid", "sft"]`.

    Args:
        token_logps: Log-probabilities of the tokens of the chosen responses under the policy, float
            of shape (pairs, length), in nats.
        mask: 1 for tokens of the response and 0 for padding.
    """
    return -(token_logps * mask).sum() / mask.sum()


def best_of_n(rewards: Tensor) -> Tensor:
    """Return the index of the best response to each prompt.

    Args:
        rewards: float of shape (prompts, n).

    Returns:
        int64 of shape (prompts,).
    """
    return rewards.argmax(dim=1)


def best_of_n_kl(n: int) -> float:
    """Return an upper bound on the KL divergence of best-of-n from the model it samples from.

    Stiennon et al. 2020, arXiv:2009.01325, appendix G.3, give the formula log n - (n - 1) / n.
    Beirami et al. 2024, arXiv:2401.01879, show that it is an upper bound and not always exact.

    Args:
        n: Samples per prompt.

    Returns:
        The bound in nats.
    """
    return float(torch.log(torch.tensor(float(n)))) - (n - 1) / n


def group_advantages(rewards: Tensor, eps: float = 1e-4) -> Tensor:
    """Return how much better each response is than the others to the same prompt.

    Shao et al. 2024 (DeepSeekMath), arXiv:2402.03300, section 4.1.2. The group's own mean is the
    baseline and its standard deviation is the scale, so no second network has to estimate them. A
    group of equal rewards teaches nothing: its advantages are 0.

    Args:
        rewards: float of shape (prompts, n).
        eps: Added to the standard deviation, as in TRL.

    Returns:
        The advantages, float of shape (prompts, n).
    """
    mean = rewards.mean(dim=1, keepdim=True)
    return (rewards - mean) / (rewards.std(dim=1, keepdim=True) + eps)


def token_logps(logits: Tensor, tokens: Tensor) -> Tensor:
    """Return the log-probability of each token of the responses.

    Args:
        logits: float of shape (responses, length, vocabulary); at each position those of the token
            there, so already shifted.
        tokens: int64 of shape (responses, length).

    Returns:
        float32 of shape (responses, length), in nats.
    """
    return logits.float().log_softmax(-1).gather(-1, tokens[..., None])[..., 0]


def clipped_objective(ratio: Tensor, advantages: Tensor, epsilon: float = 0.2) -> Tensor:
    """Return PPO's clipped objective of each token, which is to be maximized.

    Schulman et al. 2017, arXiv:1707.06347, equation 7. A token that has already become likelier by
    the factor 1 + epsilon earns nothing for becoming likelier still; one with a negative advantage
    earns nothing for falling below 1 - epsilon.

    Args:
        ratio: The token's probability under the policy divided by that under the policy that
            sampled it, float of shape (responses, length).
        advantages: How good the response was, float of shape (responses, 1).
        epsilon: The width of the clip.
    """
    clipped = ratio.clamp(1 - epsilon, 1 + epsilon)
    return torch.minimum(ratio * advantages, clipped * advantages)


def kl_estimate(policy: Tensor, reference: Tensor) -> Tensor:
    """Return an estimate of KL(policy || reference) from tokens that the policy sampled.

    Shao et al. 2024, arXiv:2402.03300, equation 4: never negative, and right on average (Schulman
    2020, *Approximating KL Divergence*, calls it k3).

    Args:
        policy: Log-probabilities under the policy, float of any shape, in nats.
        reference: Those under the reference.
    """
    difference = reference - policy
    return difference.exp() - difference - 1


def grpo_loss(
    policy: Tensor,
    sampled_by: Tensor,
    advantages: Tensor,
    mask: Tensor,
    *,
    epsilon: float = 0.2,
    reference: Tensor | None = None,
    beta: float = 0.0,
    weighted_kl: bool = False,
) -> Tensor:
    """Return the loss of GRPO: the clipped objective minus beta times the KL, with its sign turned.

    Shao et al. 2024 (DeepSeekMath), arXiv:2402.03300, equation 3: the mean over the tokens of each
    response, then over the responses. In TRL, `loss_type="grpo"`.

    Args:
        policy: Log-probabilities of the sampled tokens under the policy, float of shape (responses,
            length), in nats.
        sampled_by: Those under the policy that sampled them, before its first update.
        advantages: One for each response, float of shape (responses,).
        mask: 1 for tokens of the response and 0 for padding, of shape (responses, length).
        epsilon: The width of the clip.
        reference: Log-probabilities under the reference; needed if beta is not 0.
        beta: The weight of the KL penalty.
        weighted_kl: Multiply the KL of each token by its ratio, so that its gradient is right on
            average, too (DeepSeek-V3.2, arXiv:2512.02556; in TRL the default,
            `use_bias_correction_kl`).
    """
    ratio = (policy - sampled_by).exp()
    objective = clipped_objective(ratio, advantages[:, None], epsilon)
    if reference is not None:
        kl = kl_estimate(policy, reference)
        objective = objective - beta * (kl * ratio if weighted_kl else kl)
    return -((objective * mask).sum(-1) / mask.sum(-1).clamp(min=1)).mean()
