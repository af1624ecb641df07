"""The comparisons that decide over points: exact types, no trust in a learner's objects.

Each returns None if the answer is right and raises `Mismatch`, worded for the learner, otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import wraps
from random import Random
from typing import TYPE_CHECKING, Any

from ift_course.exercises.learner import Learner, LearnerError
from ift_course.exercises.values import MOST_BITS, is_tensor, normalized, render

if TYPE_CHECKING:
    from torch import Tensor

OrdinaryCase = Callable[[Any, Random], None]

WRONG_NUMBER = "The number is wrong."


@dataclass(frozen=True)
class MaskDiff:
    """The tokens of a sequence: which should be trained and which are.

    Attributes:
        tokens: The text of each token.
        expected: Whether it should be trained.
        got: Whether it is trained.
    """

    tokens: tuple[str, ...]
    expected: tuple[bool, ...]
    got: tuple[bool, ...]


class Mismatch(AssertionError):
    """A check failed.

    Attributes:
        message: What is wrong, in words for the learner.
        expected: The expected value, rendered.
        got: The learner's value, rendered.
        mask: The two loss masks if labels differ.
    """

    def __init__(
        self, message: str, expected: str = "", got: str = "", mask: MaskDiff | None = None
    ) -> None:
        super().__init__(message)
        self.message, self.expected, self.got, self.mask = message, expected, got, mask


def equal(got: Any, expected: Any, why: str = "") -> None:
    """Require the same value: types, shapes, dtypes, and numbers, as `difference` compares them.

    Args:
        got: The learner's value.
        expected: The right value.
        why: A sentence that is added to the message.

    Raises:
        Mismatch: The values differ.
    """
    _raise_difference(difference(got, expected), got, expected, why, None)


def close(got: Any, expected: Any, tolerance: float = 1e-5, why: str = "") -> None:
    """Require the same value up to a tolerance.

    A tensor of any floating-point dtype may stand for another, and a zero-dimensional one for a
    float.

    Args:
        got: The learner's value.
        expected: The right value.
        tolerance: Absolute, and relative to the expected number.
        why: A sentence that is added to the message.

    Raises:
        Mismatch: The values differ.
    """
    _raise_difference(difference(got, expected, tolerance), got, expected, why, tolerance)


def labels_equal(got: Any, expected: Sequence[int], tokens: Sequence[str], ignore: int) -> None:
    """Require the same list of labels; a difference is drawn as a loss mask over the tokens.

    Args:
        got: The learner's labels.
        expected: The right labels.
        tokens: The text of each token.
        ignore: The label of a token that is not trained.

    Raises:
        Mismatch: The labels differ.
    """
    message = difference(got, list(expected))
    if message is None:
        return
    mask, labels = None, normalized(got)
    if type(labels) is list and [type(x) for x in labels] == [int] * len(expected):
        mask = MaskDiff(
            tuple(tokens), tuple(x != ignore for x in expected), tuple(x != ignore for x in labels)
        )
        message = message if mask.expected == mask.got else "The wrong tokens are trained."
    raise Mismatch(message, render(list(expected)), render(got), mask)


def require(condition: bool, message: str, expected: str = "", got: Any = None) -> None:
    """Require a property.

    Raises:
        Mismatch: The property does not hold.
    """
    if not condition:
        raise Mismatch(message, expected, "" if got is None else render(got))


def integers(got: Any, count: int) -> list[int]:
    """The answer as a list of `count` integers, for a check of their properties.

    Raises:
        Mismatch: It is something else.
    """
    numbers = normalized(got)
    right = type(numbers) is list and [type(x) for x in numbers] == [int] * count
    form = "1 integer" if count == 1 else f"{count} integers"
    require(right, f"There should be a list of {form}.", got=got)
    return numbers


def refuses(function: Callable[..., Any], *args: Any, error: str = "ValueError") -> None:
    """Require that the learner's function raises `error`, or a subclass, for these arguments.

    Raises:
        Mismatch: It returned something.
        LearnerError: It raised another error.
    """
    try:
        got = function(*args)
    except LearnerError as raised:
        if error in raised.kinds:
            return
        raise
    raise Mismatch(f"This input should be refused with a {error}.", f"raise {error}", render(got))


def unchanged(learner: Learner, *args: Any) -> None:
    """Require that the last call left its arguments, which were `args`, as they were.

    Raises:
        Mismatch: An argument was changed.
    """
    for number, (after, before) in enumerate(zip(learner.arguments, args, strict=True), start=1):
        if difference(after, before) is not None:
            raise Mismatch(
                f"The function changed its argument {number}, which its caller still needs.",
                render(before),
                render(after),
            )


def ordinary_case(ask: OrdinaryCase) -> OrdinaryCase:
    """Mark the question with random inputs that a check with fixed ones asks as well.

    A fixed example, a refusal, or an argument that stays unchanged can be answered from a list of
    answers or by a constant. A check is worth points only together with a question whose answer
    has to be computed. It should ask for no more than the core of the exercise, so that a learner
    who misses one rule loses the points of that rule alone.

    Args:
        ask: Takes the learner and the check's random number generator, and compares one answer or
            several.

    Returns:
        The question; its mismatches say that they are about an ordinary input.
    """

    @wraps(ask)
    def ordinary(learner: Any, rng: Random) -> None:
        try:
            ask(learner, rng)
        except Mismatch as mismatch:
            raise Mismatch(
                f"Your function follows this rule, but its answer to an ordinary input is wrong, "
                f"and each check needs both. {mismatch.message}",
                mismatch.expected,
                mismatch.got,
                mismatch.mask,
            ) from None

    return ordinary


def difference(got: Any, expected: Any, tolerance: float | None = None) -> str | None:
    """Describe the first difference in one sentence; None if there is none.

    This function alone decides what may stand for what: a tuple for a list, an integer for a
    float, and a zero-dimensional tensor for the number in it. A float never stands for an integer,
    which may be an index, nor True for 1.
    """
    result = _difference(got, expected, tolerance)
    if result is None:
        return None
    place, sentence = result
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
        if result := _difference(a, b, tolerance):
            place, sentence = result
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
    return render(sorted(value, key=lambda key: (type(key).__name__, key)))


def _short_key(key: str | int) -> str:
    return f"the value of {render(key, 60)}"


def _tensor_difference(got: Any, expected: Any, tolerance: float | None) -> str | None:
    import torch

    if not is_tensor(got):
        return f"Expected a tensor, but got {_kind(got)}."
    if got.shape != expected.shape:
        return f"The shape should be {tuple(expected.shape)}, but it is {tuple(got.shape)}."
    if tolerance is None or not expected.is_floating_point():
        if got.dtype != expected.dtype:
            return f"The dtype should be {expected.dtype}, but it is {got.dtype}."
        return None if torch.equal(got, expected) else _wrong_numbers(got != expected)
    if not got.is_floating_point():
        return f"Expected a floating-point dtype, but got {got.dtype}."
    a, b = got.double(), expected.double()
    same = torch.isclose(a, b, rtol=tolerance, atol=tolerance, equal_nan=True)
    return None if bool(same.all()) else _wrong_numbers(~same)


def _wrong_numbers(wrong: Tensor) -> str:
    if wrong.numel() == 1:
        return WRONG_NUMBER
    count = int(wrong.sum())
    return f"{count} of {wrong.numel()} numbers {'is' if count == 1 else 'are'} wrong."


def _near(a: float, b: float, tolerance: float) -> bool:
    """Whether two numbers are close; `a` is the learner's and may be a huge int."""
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
    names = {str: "a string", int: "an integer", float: "a float", bool: "True or False"}
    return names.get(type(value), f"a {type(value).__name__}")


def _raise_difference(
    message: str | None, got: Any, expected: Any, why: str, tolerance: float | None
) -> None:
    if message:
        got, expected = _narrowed(got, expected, tolerance)
        raise Mismatch(f"{message} {why}".strip(), render(expected), render(got))


def _narrowed(got: Any, expected: Any, tolerance: float | None) -> tuple[Any, Any]:
    """Of two dictionaries, or two lists of tensors, the first entries that differ."""
    if type(expected) is dict and type(got) is dict and set(got) == set(expected):
        keys: list[Any] = list(expected)
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
