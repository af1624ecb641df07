"""The comparisons that decide. They look at exact types and trust nothing that a learner made.

Each returns nothing when all is well, and raises `Mismatch` in the learner's words otherwise.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from random import Random
from typing import Any

from ift_course.exercises.learner import LearnerError
from ift_course.exercises.values import MOST_BITS, is_tensor, normal, show

WRONG_NUMBER = "The number is wrong."


@dataclass(frozen=True)
class MaskDiff:
    """The tokens of a row with the labels that should be trained and those that are."""

    tokens: tuple[str, ...]
    expected: tuple[bool, ...]
    got: tuple[bool, ...]


class Mismatch(AssertionError):
    """A check failed. expected, got: rendered; mask: when what differs is a loss mask."""

    def __init__(
        self, message: str, expected: str = "", got: str = "", mask: MaskDiff | None = None
    ):
        super().__init__(message)
        self.message, self.expected, self.got, self.mask = message, expected, got, mask


def equal(got: Any, expected: Any, why: str = "") -> None:
    """The same value: types, shapes, dtypes and numbers, as `difference` compares them."""
    _judge(difference(got, expected), got, expected, why, None)


def close(got: Any, expected: Any, tolerance: float = 1e-5, why: str = "") -> None:
    """The same up to `tolerance` (absolute, and relative to the expected number).

    A tensor of any floating dtype may stand for another, and one without dimensions for a float.
    """
    _judge(difference(got, expected, tolerance), got, expected, why, tolerance)


def labels_equal(got: Any, expected: Sequence[int], tokens: Sequence[str], ignore: int) -> None:
    """The same list of labels; a difference is drawn as a loss mask over the tokens."""
    found = difference(got, list(expected))
    if found is None:
        return
    mask, labels = None, normal(got)
    if type(labels) is list and [type(x) for x in labels] == [int] * len(expected):
        mask = MaskDiff(
            tuple(tokens), tuple(x != ignore for x in expected), tuple(x != ignore for x in labels)
        )
        found = found if mask.expected == mask.got else "The wrong tokens are trained."
    raise Mismatch(found, show(list(expected)), show(got), mask)


def true(condition: bool, message: str, expected: str = "", got: Any = None) -> None:
    """A property that holds."""
    if not condition:
        raise Mismatch(message, expected, "" if got is None else show(got))


def whole_numbers(got: Any, count: int) -> list[int]:
    """The answer as a list of `count` whole numbers, for a check of their properties.

    Raises:
        Mismatch: It is something else.
    """
    numbers = normal(got)
    right = type(numbers) is list and [type(x) for x in numbers] == [int] * count
    form = "1 whole number" if count == 1 else f"{count} whole numbers"
    true(right, f"There should be a list of {form}.", got=got)
    return numbers


def refuses(function: Callable, *args: Any, error: str = "ValueError") -> None:
    """The learner's function raises `error`, or a special case of it, for these arguments."""
    try:
        got = function(*args)
    except LearnerError as raised:
        if error in raised.kinds:
            return
        raise
    raise Mismatch(f"This input should be refused with a {error}.", f"raise {error}", show(got))


def unchanged(learner: Any, *args: Any) -> None:
    """The last call left its arguments, which were `args`, as they were."""
    for number, (after, before) in enumerate(zip(learner.arguments, args, strict=True), start=1):
        if difference(after, before) is not None:
            raise Mismatch(
                f"The function changed its argument {number}, which its caller still needs.",
                show(before),
                show(after),
            )


def ordinary_case(ask: Callable[[Any, Random], None]) -> Callable[[Any, Random], None]:
    """Mark the question with random inputs that a check with fixed ones asks as well.

    A fixed example, a refusal, or an argument that stays as it was can be had from a list of
    answers or from a constant. A check is worth points only together with a question whose answer
    has to be computed. It should ask for no more than the core of the exercise, so that whoever
    misses one rule loses the points of that rule alone.

    Args:
        ask: Takes the learner and the check's random numbers, and compares one answer or several.

    Returns:
        The question; its mismatches say that they are about an ordinary input.
    """

    @wraps(ask)
    def ordinary(learner: Any, rng: Random) -> None:
        try:
            ask(learner, rng)
        except Mismatch as mismatch:
            raise Mismatch(
                f"This rule is followed, but the answer to an ordinary input is wrong, and each "
                f"check needs both. {mismatch.message}",
                mismatch.expected,
                mismatch.got,
                mismatch.mask,
            ) from None

    return ordinary


def difference(got: Any, expected: Any, tolerance: float | None = None) -> str | None:
    """The first difference in one sentence, or None.

    Here, and only here, it is decided what may stand for what: a tuple for a list, a whole number
    for a float, and a tensor without dimensions for the number in it. A float never stands for a
    whole number, which may be an index, nor True for 1.
    """
    found = _difference(got, expected, tolerance)
    if found is None:
        return None
    place, sentence = found
    return f"{place[0].upper()}{place[1:]}: {sentence}" if place else sentence


def _difference(got: Any, expected: Any, tolerance: float | None) -> tuple[str, str] | None:
    """The place of the first difference, as "item 1, item 2" or "", and the sentence about it."""
    if is_tensor(expected):
        sentence = _tensor_difference(got, expected, tolerance)
    elif type(expected) in (list, tuple) and type(got) in (list, tuple):
        if len(got) == len(expected):
            names = (f"item {i}" for i in range(len(expected)))
            return _first(names, got, expected, tolerance)
        sentence = f"There should be {_count(len(expected))}, but {_are(len(got))}."
    elif type(expected) is dict and type(got) is dict:
        if set(got) == set(expected):
            pairs = [got[key] for key in expected], list(expected.values())
            return _first(map(_short_key, expected), *pairs, tolerance)
        sentence = f"The keys should be {_keys(expected)}, but they are {_keys(got)}."
    else:
        sentence = _scalar_difference(got, expected, tolerance)
    return ("", sentence) if sentence else None


def _first(
    names: Iterable[str], got: Sequence, expected: Sequence, tolerance: float | None
) -> tuple[str, str] | None:
    for name, a, b in zip(names, got, expected, strict=True):
        if found := _difference(a, b, tolerance):
            place, sentence = found
            return (f"{name}, {place}" if place else name), sentence
    return None


def _scalar_difference(got: Any, expected: Any, tolerance: float | None) -> str | None:
    if is_tensor(got) and got.dim() == 0 and type(expected) in (bool, int, float):
        got = got.item()
    if type(expected) is float and type(got) in (int, float):
        same = _near(got, expected, tolerance or 0.0)
        return None if same else WRONG_NUMBER
    if type(got) is not type(expected):
        return f"Expected {_kind(expected)}, but got {_kind(got)}."
    return None if got == expected else "The value is wrong."


def _count(number: int) -> str:
    return "1 item" if number == 1 else f"{number} items"


def _are(number: int) -> str:
    return "there is 1" if number == 1 else f"there are {number}"


def _keys(value: dict) -> str:
    return show(sorted(value, key=lambda key: (type(key).__name__, key)))


def _short_key(key: str | int) -> str:
    return f"the value of {show(key, 60)}"


def _tensor_difference(got: Any, expected: Any, tolerance: float | None) -> str | None:
    import torch

    if not is_tensor(got):
        return f"Expected a tensor, but got {_kind(got)}."
    if got.shape != expected.shape:
        return f"The shape should be {tuple(expected.shape)}, but it is {tuple(got.shape)}."
    inexact = tolerance is not None and expected.is_floating_point()
    if inexact and not got.is_floating_point():
        return f"Expected a floating-point dtype, but got {got.dtype}."
    if not inexact:
        if got.dtype != expected.dtype:
            return f"The dtype should be {expected.dtype}, but it is {got.dtype}."
        return None if torch.equal(got, expected) else _wrong_numbers(got != expected)
    a, b = got.double(), expected.double()
    same = torch.isclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)
    if bool(same.all()):
        return None
    return _wrong_numbers(~same)


def _wrong_numbers(wrong: Any) -> str:
    if wrong.numel() == 1:
        return WRONG_NUMBER
    count = int(wrong.sum())
    return f"{count} of {wrong.numel()} numbers {'is' if count == 1 else 'are'} wrong."


def _near(a: float, b: float, tolerance: float) -> bool:
    if type(a) is int and a.bit_length() > MOST_BITS:
        return False
    if math.isnan(a) or math.isnan(b) or math.isinf(a) or math.isinf(b):
        return a == b or (math.isnan(a) and math.isnan(b))
    return abs(a - b) <= tolerance * (1 + abs(b))


def _kind(value: Any) -> str:
    if value is None:
        return "nothing (None)"
    if is_tensor(value):
        return f"a tensor of shape {tuple(value.shape)}"
    names = {str: "a string", int: "a whole number", float: "a float", bool: "True or False"}
    return names.get(type(value), f"a {type(value).__name__}")


def _judge(found: str | None, got: Any, expected: Any, why: str, tolerance: float | None) -> None:
    if found:
        got, expected = _narrowed(got, expected, tolerance)
        raise Mismatch(f"{found} {why}".strip(), show(expected), show(got))


def _narrowed(got: Any, expected: Any, tolerance: float | None) -> tuple[Any, Any]:
    """Of two dictionaries, or rows of tensors, the first entries that differ."""
    if type(expected) is dict and type(got) is dict and set(got) == set(expected):
        keys = list(expected)
    elif (
        type(expected) in (list, tuple)
        and type(got) in (list, tuple)
        and (len(got) == len(expected) and all(is_tensor(x) for x in expected))
    ):
        keys = list(range(len(expected)))
    else:
        return got, expected
    key = next(k for k in keys if difference(got[k], expected[k], tolerance))
    return got[key], expected[key]
