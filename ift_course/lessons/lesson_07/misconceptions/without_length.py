import torch

from ift_course.exercises.misconceptions import misconception, variants


def parts(rewards, lengths):
    if len(rewards) != len(lengths) or not len(rewards):
        raise ValueError
    y, x = rewards.double(), lengths.double()
    return y, x, x - x.mean()


def corrected(rewards, lengths, *, change=lambda y, x, c, slope: y - slope * c):
    y, x, centered = parts(rewards, lengths)
    if not centered.any():
        return y.clone()
    return change(y, x, centered, (centered @ y) / (centered @ centered))


wrong = variants(corrected)

through_the_origin = wrong(
    "Your line goes through the origin; center the lengths before you compute the slope.",
    change=lambda y, x, c, slope: y - x * (x @ y) / (x @ x),
)
mean_length_forgotten = wrong(
    "You subtract slope × length, which moves the mean reward; subtract slope × (length − mean "
    "length).",
    change=lambda y, x, c, slope: y - slope * x,
)


@misconception("You subtract the mean reward as well; it should stay.")
def mean_reward_gone(rewards, lengths):
    y, _, c = parts(rewards, lengths)
    if not c.any():
        return y - y.mean()
    return y - y.mean() - c * (c @ y) / (c @ c)


@misconception("You divide the rewards by the lengths, which makes short answers the best ones.")
def reward_per_word(rewards, lengths):
    y, x, _ = parts(rewards, lengths)
    return y / x


added = wrong(
    "You add what the length explains; subtract it.", change=lambda y, x, c, slope: y + slope * c
)
the_line_itself = wrong(
    "You return what the line explains; return what is left without it.",
    change=lambda y, x, c, slope: y.mean() + slope * c,
)


@misconception(
    "Your slope is that of the length as a function of the reward; it should be the other way "
    "around."
)
def slope_of_lengths(rewards, lengths):
    def change(y, x, c, slope):
        level = y - y.mean()
        return y - c * (c @ level) / (level @ level).clamp(min=1e-12)

    return corrected(rewards, lengths, change=change)


@misconception(
    "You use the correlation as the slope; it has no unit, so it must not be multiplied by a "
    "length."
)
def correlation_as_slope(rewards, lengths):
    def change(y, x, c, slope):
        level = y - y.mean()
        return y - c * (c @ y) / ((c @ c) * (level @ level)).clamp(min=1e-12).sqrt()

    return corrected(rewards, lengths, change=change)


@misconception(
    "Equal lengths give 0 / 0, and everything becomes NaN; return the rewards unchanged."
)
def nan_for_equal_lengths(rewards, lengths):
    y, _, c = parts(rewards, lengths)
    return y - c * (c @ y) / (c @ c)


@misconception("The rewards are changed in place, but the caller still needs them.")
def in_place(rewards, lengths):
    y, _, c = parts(rewards, lengths)
    if rewards.dtype != torch.float64:
        return corrected(rewards, lengths)
    return rewards.sub_(c * (c @ y) / (c @ c)) if c.any() else rewards.clone()
