import torch

from ift_course.exercises.misconceptions import misconception, variants


def refuse(start, tuned):
    if set(start) != set(tuned) or any(start[x].shape != tuned[x].shape for x in start):
        raise ValueError


def in_float32(a, b, share):
    return ((1 - share) * a.float() + share * b.float()).to(a.dtype)


def mixed(start, tuned, share, *, floating=in_float32, other=lambda a, b, share: a.clone()):
    refuse(start, tuned)
    return {
        name: (floating if weight.is_floating_point() else other)(weight, tuned[name], share)
        for name, weight in start.items()
    }


@misconception("The share is applied to the start; it belongs to the tuned weights.")
def the_other_way_round(start, tuned, share):
    return mixed(start, tuned, 1 - share)


@misconception("The share is always one half; use the given one.")
def always_the_middle(start, tuned, share):
    return mixed(start, tuned, 0.5)


wrong = variants(mixed)

tuned_added = wrong(
    "You add the tuned weights: start + share * tuned; it should be start + share * (tuned − "
    "start).",
    floating=lambda a, b, share: (a.float() + share * b).to(a.dtype),
)
stays_in_float32 = wrong(
    "The result stays in float32; convert it back to its dtype in `start`.",
    floating=lambda a, b, share: (1 - share) * a.float() + share * b.float(),
)
dtype_of_the_tuned = wrong(
    "The result has the dtype of `tuned`; it should have that of `start`.",
    floating=lambda a, b, share: ((1 - share) * a.float() + share * b.float()).to(b.dtype),
)
mixed_in_half_precision = wrong(
    "Half-precision weights are mixed in half precision, and each step rounds; mix in float32.",
    floating=lambda a, b, share: ((1 - share) * a + share * b.to(a.dtype)).to(a.dtype),
)
counters_mixed = wrong(
    "Integers are mixed as well; a counter halfway between two makes no sense.", other=in_float32
)
counters_of_the_tuned = wrong(
    "Counters and masks are taken from `tuned`; take them from `start`.",
    other=lambda a, b, share: b.clone(),
)


@misconception("Counters and masks are left out; a state dict without them cannot be loaded.")
def counters_left_out(start, tuned, share):
    weights = mixed(start, tuned, share)
    return {name: x for name, x in weights.items() if start[name].is_floating_point()}


@misconception(
    "Names that only one of the two has are silently skipped; two different models cannot be "
    "averaged."
)
def common_names_only(start, tuned, share):
    common = [name for name in start if name in tuned]
    return mixed({x: start[x] for x in common}, {x: tuned[x] for x in common}, share)


@misconception(
    "Only names that are missing in `tuned` are noticed; a name missing in `start` is an error, "
    "too."
)
def names_checked_one_way(start, tuned, share):
    if not set(start) <= set(tuned):
        raise ValueError
    return mixed(start, {x: tuned[x] for x in start}, share)


@misconception(
    "The weights are paired by their order; a state dict may be in any order, so use the names."
)
def paired_by_order(start, tuned, share):
    refuse(start, tuned)
    pairs = zip(start, tuned.values(), strict=True)
    try:
        return mixed(start, dict(pairs), share)
    except ValueError:
        return {name: weight.clone() for name, weight in start.items()}


@misconception("Different shapes are silently broadcast, and the result fits neither model.")
def shapes_not_checked(start, tuned, share):
    if set(start) != set(tuned):
        raise ValueError
    weights = {}
    for name, weight in start.items():
        if weight.is_floating_point():
            weights[name] = in_float32(weight, tuned[name], share)
        else:
            weights[name] = weight.clone()
    return weights


@misconception(
    "A share outside 0 to 1 is clipped; it should extrapolate beyond one of the two models."
)
def share_clipped(start, tuned, share):
    return mixed(start, tuned, min(max(share, 0.0), 1.0))


@misconception("You mix in place, so the weights of `start` are lost; create new tensors.")
def in_place(start, tuned, share):
    weights = mixed(start, tuned, share)
    with torch.no_grad():
        for name, weight in start.items():
            weight.copy_(weights[name])
    return start
