import torch

from ift_course.exercises.misconceptions import misconception


def coded(
    values,
    levels,
    block,
    *,
    scale_of=None,
    nearest=None,
    dtype=torch.uint8,
    whole=False,
    keep=False,
    guard=True,
):
    if block < 1:
        raise ValueError
    if not len(values):
        return torch.zeros(0, dtype=dtype), torch.zeros(0)
    codes, scales = [], []
    values = values if keep else values.float()
    for part in values.split(len(values) if whole else block):
        scale = (scale_of or (lambda p: p.abs().max()))(part)
        scaled = part / scale if scale > 0 or not guard else torch.zeros_like(part)
        away = (scaled[:, None] - levels.to(scaled.dtype)).abs()
        codes.append((nearest or (lambda d, s: d.argmin(dim=1)))(away, scaled))
        scales.append(scale)
    return torch.cat(codes).to(dtype), torch.stack(scales).float()


@misconception("All values share one scale; each block should have its own.")
def one_scale_for_all(values, levels, block):
    codes, scales = coded(values, levels, block, whole=True)
    return codes, scales.repeat(-(-len(values) // block))


@misconception(
    "The scale is the largest value, not the largest absolute value; blocks of large negative "
    "numbers overflow."
)
def largest_without_sign(values, levels, block):
    return coded(values, levels, block, scale_of=lambda part: part.max().clamp(min=0))


@misconception("The scale is the standard deviation; it should be the largest absolute value.")
def standard_deviation(values, levels, block):
    return coded(values, levels, block, scale_of=lambda part: part.std(correction=0))


@misconception("The scale keeps the sign of the largest value; it is an absolute value.")
def scale_with_sign(values, levels, block):
    return coded(
        values, levels, block, guard=False, scale_of=lambda part: part[part.abs().argmax()]
    )


@misconception("A block of zeros is divided by zero, and gives NaN; look at the scale first.")
def divided_by_zero(values, levels, block):
    return coded(values, levels, block, guard=False)


@misconception(
    "The scale is made a little larger than the largest value, to avoid division by zero; then a "
    "block of zeros does not have the scale 0."
)
def small_number_added(values, levels, block):
    return coded(values, levels, block, guard=False, scale_of=lambda part: part.abs().max() + 1e-3)


@misconception("Values are rounded down to the next lower level; take the nearest one.")
def rounded_down(values, levels, block):
    def nearest(away, scaled):
        return (torch.searchsorted(levels, scaled, right=True) - 1).clamp(min=0)

    return coded(values, levels, block, nearest=nearest)


@misconception("Of two equally near levels the upper one is taken; take the lower.")
def ties_go_up(values, levels, block):
    def nearest(away, scaled):
        return away.shape[1] - 1 - away.flip(1).argmin(dim=1)

    return coded(values, levels, block, nearest=nearest)


@misconception("The codes are int64, eight bytes each; uint8 is what saves the memory.")
def codes_not_small(values, levels, block):
    return coded(values, levels, block, dtype=torch.int64)


@misconception("The last block is left out when it is shorter than the others.")
def short_block_dropped(values, levels, block):
    whole = len(values) // block * block if block > 0 else 0
    return coded(values[:whole], levels, block)


@misconception(
    "It is computed in the dtype of the values; bfloat16 has three digits, so use `.float()` first."
)
def computed_in_half_precision(values, levels, block):
    return coded(values, levels, block, keep=True)


@misconception("The levels themselves are returned; return their indices.")
def levels_returned(values, levels, block):
    codes, scales = coded(values, levels, block)
    return levels[codes.long()], scales
