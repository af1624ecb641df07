"""The comparisons that decide. They look at exact types and trust nothing that a learner made.

Each returns nothing when all is well, and raises `Mismatch` in the learner's words otherwise.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ift_course.checks.learner import LearnerError
from ift_course.checks.values import is_tensor, show

OTHER = "The number is another one."


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
    """The same value: types, shapes, dtypes and numbers. A tuple may stand for a list."""
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
    mask = None
    if type(got) is list and len(got) == len(expected) and all(type(x) is int for x in got):
        mask = MaskDiff(
            tuple(tokens), tuple(x != ignore for x in expected), tuple(x != ignore for x in got)
        )
        found = found if mask.expected == mask.got else "Other tokens are trained than should be."
    raise Mismatch(found, show(list(expected)), show(got), mask)


def true(condition: bool, message: str, expected: str = "", got: Any = None) -> None:
    """A property that holds."""
    if not condition:
        raise Mismatch(message, expected, "" if got is None else show(got))


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
                f"The function changed its argument {number}; whoever called it still needs it.",
                show(before),
                show(after),
            )


def number(value: Any) -> float | None:
    """The value as a float if it is a number or a tensor that holds just one."""
    if is_tensor(value) and value.dim() == 0 and not value.is_complex():
        value = value.item()
    return float(value) if type(value) in (int, float) else None


def difference(got: Any, expected: Any, tolerance: float | None = None) -> str | None:
    """The first difference in one sentence, or None."""
    if is_tensor(expected):
        return _tensor_difference(got, expected, tolerance)
    if type(expected) is float and tolerance is not None:
        value = number(got)
        if value is None:
            return f"A number was expected and {_kind(got)} came."
        return None if _near(value, expected, tolerance) else OTHER
    if type(expected) in (list, tuple) and type(got) in (list, tuple):
        if len(got) != len(expected):
            return f"There should be {len(expected)} items and there are {len(got)}."
        pairs = enumerate(zip(got, expected, strict=True))
        return _first((f"item {i}", difference(a, b, tolerance)) for i, (a, b) in pairs)
    if type(expected) is dict and type(got) is dict:
        if set(got) != set(expected):
            return f"The keys should be {sorted(expected)} and are {sorted(map(str, got))}."
        return _first((repr(k), difference(got[k], expected[k], tolerance)) for k in expected)
    if type(got) is not type(expected):
        return f"{_kind(expected).capitalize()} was expected and {_kind(got)} came."
    if type(expected) is float and math.isnan(expected):
        return None if math.isnan(got) else "NaN was expected."
    return None if got == expected else "The value is another one."


def _first(named: Any) -> str | None:
    found = next(((where, text) for where, text in named if text), None)
    if found is None:
        return None
    where, text = found
    if text.endswith(")."):
        return f"{text.removesuffix(').')}, in {where})."
    return f"{text.removesuffix('.')} ({where})."


def _tensor_difference(got: Any, expected: Any, tolerance: float | None) -> str | None:
    import torch

    if not is_tensor(got):
        return f"A tensor was expected and {_kind(got)} came."
    if got.shape != expected.shape:
        return f"The shape should be {tuple(expected.shape)} and is {tuple(got.shape)}."
    inexact = tolerance is not None and expected.is_floating_point()
    if inexact and not got.is_floating_point():
        return f"A floating dtype was expected and {got.dtype} came."
    if not inexact:
        if got.dtype != expected.dtype:
            return f"The dtype should be {expected.dtype} and is {got.dtype}."
        return None if torch.equal(got, expected) else "The tensor has other values."
    a, b = got.double(), expected.double()
    same = torch.isclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)
    if bool(same.all()):
        return None
    wrong = int((~same).sum())
    return f"{wrong} of {same.numel()} numbers differ." if same.numel() > 1 else OTHER


def _near(a: float, b: float, tolerance: float) -> bool:
    if math.isnan(a) or math.isnan(b) or math.isinf(a) or math.isinf(b):
        return a == b or (math.isnan(a) and math.isnan(b))
    return abs(a - b) <= tolerance * (1 + abs(b))


def _kind(value: Any) -> str:
    if value is None:
        return "nothing (None)"
    if is_tensor(value):
        return f"a tensor of shape {tuple(value.shape)}"
    names = {str: "a text", int: "a whole number", float: "a number", bool: "True or False"}
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
