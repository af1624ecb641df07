import torch
import torch.nn.functional as F

from ift_course.exercises.misconceptions import misconception, variants


def loss(chosen, rejected, margin=0.0, *, of=None):
    if len(chosen) != len(rejected) or len(chosen) == 0:
        raise ValueError
    ahead = chosen.float() - rejected.float() - margin
    return (of or (lambda x: -F.logsigmoid(x).mean()))(ahead)


@misconception(
    "Chosen and rejected are swapped; the model would learn to prefer what people disliked."
)
def swapped(chosen, rejected, margin=0.0):
    return loss(rejected, chosen, margin)


wrong = variants(loss)

log_of_sigmoid = wrong(
    "The sigmoid becomes 0 and its logarithm infinite when a pair is very wrong; `F.logsigmoid` "
    "computes both in one stable step.",
    of=lambda x: -torch.log(torch.sigmoid(x)).mean(),
)
small_number_in_the_logarithm = wrong(
    "A small number is added inside the logarithm, which hides very wrong pairs instead of "
    "counting them.",
    of=lambda x: -torch.log(torch.sigmoid(x) + 1e-8).mean(),
)
no_logarithm = wrong(
    "The logarithm is missing; this is the mean probability of being wrong.",
    of=lambda x: torch.sigmoid(-x).mean(),
)
no_minus = wrong(
    "The minus sign is missing, so the loss rises as the model gets better.",
    of=lambda x: F.logsigmoid(x).mean(),
)
sum_over_pairs = wrong(
    "This is the sum over pairs; take the mean.", of=lambda x: -F.logsigmoid(x).sum()
)


@misconception("The margin is added; it should make the loss larger, so subtract it.")
def margin_added(chosen, rejected, margin=0.0):
    return loss(chosen, rejected, -margin)


@misconception("The margin is not used.")
def margin_ignored(chosen, rejected, margin=0.0):
    return loss(chosen, rejected, 0.0)


hinge = wrong(
    "This is the hinge loss, which is 0 once the chosen response is ahead; the Bradley–Terry loss "
    "is smooth.",
    of=lambda x: torch.relu(1 - x).mean(),
)


@misconception(
    "Reward lists of different lengths are broadcast, and an empty list gives NaN; refuse both."
)
def nothing_refused(chosen, rejected, margin=0.0):
    return -F.logsigmoid(chosen.float() - rejected.float() - margin).mean()


@misconception("The rewards are subtracted in their own dtype; convert them to float32 first.")
def computed_in_half_precision(chosen, rejected, margin=0.0):
    if len(chosen) != len(rejected) or len(chosen) == 0:
        raise ValueError
    return -F.logsigmoid(chosen - rejected - margin).mean()
