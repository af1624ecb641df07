"""The formulas of preference tuning, by hand.

That they are TRL's: tests/parity/test_preference_losses.py.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ift_course.data.loss_mask import IGNORE


def bradley_terry_loss(chosen: Tensor, rejected: Tensor) -> Tensor:
    """-log p(chosen beats rejected), the mean over pairs; a scalar.

    chosen, rejected: rewards, float (pairs,). The model says that the probability of preferring one
    response depends on the difference of their rewards alone: p = sigmoid(chosen - rejected).
    Bradley and Terry, 1952; Ouyang et al., 2022 (InstructGPT), equation 1.
    """
    return -F.logsigmoid(chosen - rejected).mean()


def sequence_logps(logits: Tensor, labels: Tensor) -> Tensor:
    """Log-probability of each whole response given its prompt, float (rows,), in nats.

    logits: (rows, length, vocabulary). labels: (rows, length), the token ids of the response and
    IGNORE everywhere else, not shifted. The *sum* over the response's tokens, not their mean: the
    probability of a text is the product of those of its tokens.
    """
    logits, targets = logits[:, :-1].float(), labels[:, 1:]
    of_tokens = logits.log_softmax(-1).gather(-1, targets.clamp(min=0)[..., None])[..., 0]
    return (of_tokens * (targets != IGNORE)).sum(-1)


@dataclass(frozen=True)
class DpoTerms:
    """The loss, a scalar, and the implicit rewards it is made of, float (pairs,) each, detached."""

    loss: Tensor
    chosen_rewards: Tensor
    rejected_rewards: Tensor

    @property
    def margins(self) -> Tensor:
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
    """The DPO loss of a batch of pairs (Rafailov et al., 2023, equation 7).

    All four are log-probabilities of responses as `sequence_logps` gives them, float (pairs,).
    beta: how dearly a distance from the reference is paid for; small means far away.

    Where it comes from. RLHF seeks the policy p that maximizes E[r(x, y)] - beta KL(p || ref). For
    any reward r the solution is known (section 4):

        p(y|x) = ref(y|x) exp(r(x, y) / beta) / Z(x)

    Solved for r:

        r(x, y) = beta log(p(y|x) / ref(y|x)) + beta log Z(x)

    So every policy *is* the best one for some reward: the one in this line. Put it into the
    Bradley-Terry loss of two responses to the same x. Z(x) cancels, and with it all that could not
    be computed:

        loss = -log sigmoid(beta log(p(y+|x) / ref(y+|x)) - beta log(p(y-|x) / ref(y-|x)))
    """
    chosen = beta * (policy_chosen - reference_chosen)
    rejected = beta * (policy_rejected - reference_rejected)
    return DpoTerms(bradley_terry_loss(chosen, rejected), chosen.detach(), rejected.detach())


def best_of_n(rewards: Tensor) -> Tensor:
    """The best response of each prompt: int64 (prompts,) from rewards (prompts, n)."""
    return rewards.argmax(dim=1)


def best_of_n_kl(n: int) -> float:
    """How far best-of-n is from the model it samples from, KL in nats, at most.

    Stiennon et al., 2020, appendix G.3; that it is an upper bound: Beirami et al., 2024.
    """
    return float(torch.log(torch.tensor(float(n)))) - (n - 1) / n


def group_advantages(rewards: Tensor, eps: float = 1e-4) -> Tensor:
    """How much better a response is than its siblings: float (prompts, n), as are the rewards.

    The group's own mean serves as baseline and its standard deviation as scale, so no second
    network has to estimate them. A group of equal rewards teaches nothing: its advantages are 0.
    Shao et al., 2024 (DeepSeekMath), section 4.1.2.
    """
    mean = rewards.mean(dim=1, keepdim=True)
    return (rewards - mean) / (rewards.std(dim=1, keepdim=True) + eps)
