import torch

from ift_course.exercises.misconceptions import misconception


def refuse(start, tuned):
    if set(start) != set(tuned) or any(start[x].shape != tuned[x].shape for x in start):
        raise ValueError


def mixed(start, tuned, share, *, floating=None, other=None):
    refuse(start, tuned)
    floating = floating or (lambda a, b: ((1 - share) * a.float() + share * b.float()).to(a.dtype))
    other = other or (lambda a, b: a.clone())
    return {
        name: (floating if weight.is_floating_point() else other)(weight, tuned[name])
        for name, weight in start.items()
    }


@misconception("The share is that of the start; it should be that of the tuned weights.")
def the_other_way_round(start, tuned, share):
    return mixed(start, tuned, 1 - share)


@misconception("The share is always one half; use the one that is given.")
def always_the_middle(start, tuned, share):
    return mixed(start, tuned, 0.5)


@misconception(
    "The change is added in full: start + share * tuned; it is start + share * (tuned − start)."
)
def tuned_added(start, tuned, share):
    return mixed(start, tuned, share, floating=lambda a, b: (a.float() + share * b).to(a.dtype))


@misconception("The result stays in float32; bring it back to the dtype it has in `start`.")
def stays_in_float32(start, tuned, share):
    return mixed(
        start, tuned, share, floating=lambda a, b: (1 - share) * a.float() + share * b.float()
    )


@misconception("The result has the dtype of `tuned`; it should have that of `start`.")
def dtype_of_the_tuned(start, tuned, share):
    return mixed(
        start,
        tuned,
        share,
        floating=lambda a, b: ((1 - share) * a.float() + share * b.float()).to(b.dtype),
    )


@misconception(
    "Half-precision weights are mixed in half precision, and each step rounds; mix in float32."
)
def mixed_in_half_precision(start, tuned, share):
    def floating(a, b):
        return ((1 - share) * a + share * b.to(a.dtype)).to(a.dtype)

    return mixed(start, tuned, share, floating=floating)


@misconception("Whole numbers are mixed as well; a counter half way between two makes no sense.")
def counters_mixed(start, tuned, share):
    return mixed(
        start,
        tuned,
        share,
        other=lambda a, b: ((1 - share) * a.float() + share * b.float()).to(a.dtype),
    )


@misconception("Counters and masks are those of `tuned`; they should be those of `start`.")
def counters_of_the_tuned(start, tuned, share):
    return mixed(start, tuned, share, other=lambda a, b: b.clone())


@misconception("Counters and masks are left out; a state dict without them cannot be loaded.")
def counters_left_out(start, tuned, share):
    found = mixed(start, tuned, share)
    return {name: x for name, x in found.items() if start[name].is_floating_point()}


@misconception(
    "Names that only one of the two has are skipped in silence; two models that differ cannot be "
    "averaged."
)
def common_names_only(start, tuned, share):
    common = [name for name in start if name in tuned]
    return mixed({x: start[x] for x in common}, {x: tuned[x] for x in common}, share)


@misconception(
    "Only names that are missing in `tuned` are noticed; one that is missing in `start` is an error"
    " too."
)
def names_checked_one_way(start, tuned, share):
    if not set(start) <= set(tuned):
        raise ValueError
    return mixed(start, {x: tuned[x] for x in start}, share)


@misconception(
    "The two are paired by their order; a state dict may be in any order, so go by name."
)
def paired_by_order(start, tuned, share):
    refuse(start, tuned)
    pairs = zip(start, tuned.values(), strict=True)
    try:
        return mixed(start, dict(pairs), share)
    except ValueError:
        return {name: weight.clone() for name, weight in start.items()}


@misconception(
    "Shapes that differ are broadcast in silence, and the result is no weight of either model."
)
def shapes_not_checked(start, tuned, share):
    if set(start) != set(tuned):
        raise ValueError
    found = {}
    for name, weight in start.items():
        if weight.is_floating_point():
            between = (1 - share) * weight.float() + share * tuned[name].float()
            found[name] = between.to(weight.dtype)
        else:
            found[name] = weight.clone()
    return found


@misconception("A share outside 0 to 1 is cut off; it goes beyond one of the two models.")
def share_clipped(start, tuned, share):
    return mixed(start, tuned, min(max(share, 0.0), 1.0))


@misconception(
    "It is mixed in place, so the weights of `start` are lost; make new tensors instead."
)
def in_place(start, tuned, share):
    found = mixed(start, tuned, share)
    with torch.no_grad():
        for name, weight in start.items():
            weight.copy_(found[name])
    return start
