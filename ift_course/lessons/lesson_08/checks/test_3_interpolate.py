from random import Random

import torch

from ift_course.exercises import points
from ift_course.exercises.compare import close, equal, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone


def weights(rng: Random, *, dtype=None) -> dict:
    """Two matrices and a vector of random numbers."""
    shapes = {"embed.weight": (4, 3), "norm.weight": (3,), "head.weight": (4, 3)}
    generator = torch.Generator().manual_seed(rng.getrandbits(31))
    dtype = dtype or torch.float32
    return {
        name: torch.randn(shape, generator=generator).to(dtype) for name, shape in shapes.items()
    }


def between(one: dict, other: dict, share: float) -> dict:
    return {
        name: (weight.double() + share * (other[name].double() - weight.double())).to(weight.dtype)
        for name, weight in one.items()
    }


def compare(learner: Learner, one: dict, other: dict, share: float) -> None:
    got = learner.interpolate(one, other, share)
    close(got, between(one, other, share))
    equal(list(got), list(one), "The names should be in the order of `start`.")


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, weights(rng), weights(rng), 0.25)


@points(2)
def test_on_the_way(learner, rng):
    """A share of 0.25 is a quarter of the way from start to tuned, for every name."""
    one, other = weights(rng), weights(rng)
    for share in (0.25, 0.5, rng.uniform(0.6, 0.9)):
        compare(learner, one, other, share)


@points(1)
def test_ends_and_beyond(learner, rng):
    """A share of 0 is the start, 1 is tuned, and 1.5 and -0.5 go beyond them."""
    one, other = weights(rng), weights(rng)
    for share in (0.0, 1.0, 1.5, -0.5):
        compare(learner, one, other, share)


@points(2)
def test_dtypes(learner, rng):
    """Each tensor is returned in the dtype it has in start, whatever it has in tuned."""
    half, single = weights(rng, dtype=torch.bfloat16), weights(rng)
    for one, other in ((half, single), (single, half)):
        got = learner.interpolate(one, other, 0.5)
        close(got, between(one, other, 0.5), 1e-2)
        for name, weight in one.items():
            equal(str(got[name].dtype), str(weight.dtype), f"That is the dtype of {name}.")
    compare(learner, single, half, 0.3)


@points(2)
def test_mixed_in_float32(learner, rng):
    """Half-precision weights are mixed in float32, and rounded once."""
    # All steps are exact in float32 in any order; in bfloat16 each would be rounded.
    places = [rng.randrange(128) for _ in range(64)]
    one = {"w": torch.tensor([1 + place / 128 for place in places]).bfloat16()}
    other = {"w": torch.tensor([2 + (127 - place) / 64 for place in places]).bfloat16()}
    for share in (0.25, 0.75):
        mixed = (1 - share) * one["w"].float() + share * other["w"].float()
        equal(learner.interpolate(one, other, share), {"w": mixed.bfloat16()})


@points(1, ordinary)
def test_counters(learner, rng):
    """Integers and masks are those of start, in their own dtype."""

    def state(number: int, mask: bool) -> dict:
        return {
            "steps": torch.tensor(number),
            "mask": torch.tensor([mask, True]),
            "bytes": torch.tensor([number], dtype=torch.uint8),
        }

    equal(learner.interpolate(state(7, True), state(12, False), 0.5), state(7, True))


@points(1)
def test_names(learner, rng):
    """A name that only one of the two has is refused, whichever it is."""
    one, other = weights(rng), weights(rng)
    more = other | {"bias": torch.zeros(3)}
    refuses(learner.interpolate, more, one, 0.5)
    refuses(learner.interpolate, one, more, 0.5)
    turned = dict(reversed(other.items()))
    compare(learner, one, turned, 0.5)


@points(1, ordinary)
def test_shapes(learner, rng):
    """Different shapes under one name are refused, even if one could be broadcast."""
    for shape in ((3,), (1, 3), (2, 1), ()):
        refuses(learner.interpolate, {"w": torch.zeros(2, 3)}, {"w": torch.zeros(shape)}, 0.5)
    refuses(learner.interpolate, {"n": torch.tensor([1, 2])}, {"n": torch.tensor([1])}, 0.5)


@points(1)
def test_inputs_stay(learner, rng):
    """The answer is right, and both state dicts are left unchanged."""
    one, other = weights(rng), weights(rng)
    leaves_inputs_alone(learner, compare, one, other, 0.4)
