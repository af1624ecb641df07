import torch

from ift_course.exercises.misconceptions import misconception


def parts(rewards, lengths):
    if len(rewards) != len(lengths) or not len(rewards):
        raise ValueError
    y, x = rewards.double(), lengths.double()
    return y, x, x - x.mean()


def corrected(rewards, lengths, change):
    y, x, centered = parts(rewards, lengths)
    if not centered.any():
        return y.clone()
    return change(y, x, centered, (centered @ y) / (centered @ centered))


@misconception(
    "The line goes through the origin for you; center the lengths before you take the slope."
)
def through_the_origin(rewards, lengths):
    return corrected(rewards, lengths, lambda y, x, c, slope: y - x * (x @ y) / (x @ x))


@misconception(
    "slope × length is taken away, so the mean reward moves; take slope × (length − mean length)."
)
def mean_length_forgotten(rewards, lengths):
    return corrected(rewards, lengths, lambda y, x, c, slope: y - slope * x)


@misconception("The mean reward is taken away as well; it stays.")
def mean_reward_gone(rewards, lengths):
    y, _, c = parts(rewards, lengths)
    if not c.any():
        return y - y.mean()
    return y - y.mean() - c * (c @ y) / (c @ c)


@misconception("The rewards are divided by the lengths; that makes short answers the best ones.")
def reward_per_word(rewards, lengths):
    y, x, _ = parts(rewards, lengths)
    return y / x


@misconception("What the length explains is added; take it away.")
def added(rewards, lengths):
    return corrected(rewards, lengths, lambda y, x, c, slope: y + slope * c)


@misconception("What the line explains is returned; what is left without it is asked for.")
def the_line_itself(rewards, lengths):
    return corrected(rewards, lengths, lambda y, x, c, slope: y.mean() + slope * c)


@misconception(
    "The slope is that of the length as a function of the reward; it is the other way round."
)
def slope_of_lengths(rewards, lengths):
    def change(y, x, c, slope):
        level = y - y.mean()
        return y - c * (c @ level) / (level @ level).clamp(min=1e-12)

    return corrected(rewards, lengths, change)


@misconception(
    "The correlation stands for the slope; it has no unit, so it must not be multiplied by a "
    "length."
)
def correlation_as_slope(rewards, lengths):
    def change(y, x, c, slope):
        level = y - y.mean()
        return y - c * (c @ y) / ((c @ c) * (level @ level)).clamp(min=1e-12).sqrt()

    return corrected(rewards, lengths, change)


@misconception(
    "Equal lengths give 0 / 0, and everything becomes NaN; return the rewards as they are."
)
def nan_for_equal_lengths(rewards, lengths):
    y, _, c = parts(rewards, lengths)
    return y - c * (c @ y) / (c @ c)


@misconception("The rewards are changed in place; whoever called you still needs them.")
def in_place(rewards, lengths):
    y, _, c = parts(rewards, lengths)
    if rewards.dtype != torch.float64:
        return corrected(rewards, lengths, lambda y, x, c, slope: y - slope * c)
    return rewards.sub_(c * (c @ y) / (c @ c)) if c.any() else rewards.clone()
