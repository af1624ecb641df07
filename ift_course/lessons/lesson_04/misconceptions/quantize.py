import torch

from ift_course.exercises.misconceptions import misconception, variants


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


wrong = variants(coded)

largest_without_sign = wrong(
    "The scale is the largest value, not the largest absolute value; blocks of large negative "
    "numbers overflow.",
    scale_of=lambda part: part.max().clamp(min=0),
)
standard_deviation = wrong(
    "The scale is the standard deviation; it should be the largest absolute value.",
    scale_of=lambda part: part.std(correction=0),
)
scale_with_sign = wrong(
    "The scale keeps the sign of the largest value; it is an absolute value.",
    guard=False,
    scale_of=lambda part: part[part.abs().argmax()],
)
divided_by_zero = wrong(
    "A block of zeros is divided by zero and gives NaN; check the scale first.", guard=False
)
small_number_added = wrong(
    "The scale is made a little larger to avoid division by zero; then a block of zeros does not "
    "have the scale 0.",
    guard=False,
    scale_of=lambda part: part.abs().max() + 1e-3,
)


@misconception("Values are rounded down to the next lower level; take the nearest one.")
def rounded_down(values, levels, block):
    def nearest(away, scaled):
        return (torch.searchsorted(levels, scaled, right=True) - 1).clamp(min=0)

    return coded(values, levels, block, nearest=nearest)


ties_go_up = wrong(
    "Between two equally near levels you take the upper one; take the lower.",
    nearest=lambda away, scaled: away.shape[1] - 1 - away.flip(1).argmin(dim=1),
)
codes_not_small = wrong(
    "The codes are int64, eight bytes each; uint8 is what saves the memory.", dtype=torch.int64
)


@misconception("The last block is left out when it is shorter than the others.")
def short_block_dropped(values, levels, block):
    whole = len(values) // block * block if block > 0 else 0
    return coded(values[:whole], levels, block)


computed_in_half_precision = wrong(
    "You compute in the dtype of the values; bfloat16 has about three digits, so use `.float()` "
    "first.",
    keep=True,
)


@misconception("The levels themselves are returned; return their indices.")
def levels_returned(values, levels, block):
    codes, scales = coded(values, levels, block)
    return levels[codes.long()], scales
