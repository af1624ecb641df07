import torch
import torch.nn.functional as F

from ift_course.exercises.misconceptions import misconception


def loss(chosen, rejected, margin, *, of=None):
    if len(chosen) != len(rejected) or len(chosen) == 0:
        raise ValueError
    ahead = chosen.float() - rejected.float() - margin
    return (of or (lambda x: -F.logsigmoid(x).mean()))(ahead)


@misconception(
    "Chosen and rejected are swapped; the model would learn to prefer what people disliked."
)
def swapped(chosen, rejected, margin=0.0):
    return loss(rejected, chosen, margin)


@misconception(
    "The sigmoid becomes 0 and its logarithm infinite when a pair is very wrong; `F.logsigmoid`"
    " does both in one."
)
def log_of_sigmoid(chosen, rejected, margin=0.0):
    return loss(chosen, rejected, margin, of=lambda x: -torch.log(torch.sigmoid(x)).mean())


@misconception(
    "A small number is added inside the logarithm; that hides very wrong pairs instead of counting "
    "them."
)
def small_number_in_the_logarithm(chosen, rejected, margin=0.0):
    return loss(chosen, rejected, margin, of=lambda x: -torch.log(torch.sigmoid(x) + 1e-8).mean())


@misconception("The logarithm is missing; this is the mean probability of being wrong.")
def no_logarithm(chosen, rejected, margin=0.0):
    return loss(chosen, rejected, margin, of=lambda x: torch.sigmoid(-x).mean())


@misconception("The sign is missing, so the loss rises as the model gets better.")
def no_minus(chosen, rejected, margin=0.0):
    return loss(chosen, rejected, margin, of=lambda x: F.logsigmoid(x).mean())


@misconception("This is the sum over pairs; take the mean.")
def sum_over_pairs(chosen, rejected, margin=0.0):
    return loss(chosen, rejected, margin, of=lambda x: -F.logsigmoid(x).sum())


@misconception("The margin is added; it should make the loss larger, so subtract it.")
def margin_added(chosen, rejected, margin=0.0):
    return loss(chosen, rejected, -margin)


@misconception("The margin is not used.")
def margin_ignored(chosen, rejected, margin=0.0):
    return loss(chosen, rejected, 0.0)


@misconception(
    "This is the hinge loss, which is 0 once the chosen one is ahead; the Bradley–Terry loss is "
    "smooth."
)
def hinge(chosen, rejected, margin=0.0):
    return loss(chosen, rejected, margin, of=lambda x: torch.relu(1 - x).mean())


@misconception(
    "Different numbers of rewards are stretched to fit (broadcasting), and no pair gives NaN; "
    "refuse both."
)
def nothing_refused(chosen, rejected, margin=0.0):
    return -F.logsigmoid(chosen.float() - rejected.float() - margin).mean()


@misconception("The rewards are subtracted in their own dtype; take them to float32 first.")
def computed_in_half_precision(chosen, rejected, margin=0.0):
    if len(chosen) != len(rejected) or len(chosen) == 0:
        raise ValueError
    return -F.logsigmoid(chosen - rejected - margin).mean()
