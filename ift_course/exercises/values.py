"""The values that pass between a learner's function and a check: exact, plain types only."""

import sys
from typing import Any

DEPTH = 20
WIDTH = 300  # characters of a shown value
MOST_BITS = 1000  # of a whole number that is shown, and that fits a float
PLAIN = (bool, int, float, str)


class NotPlainData(TypeError):
    """A function returned something else than numbers, texts, lists, dictionaries and tensors."""


def plain(value: Any, depth: int = 0) -> Any:
    """The value, made of exactly None, bool, int, float, str, list, tuple, dict and torch.Tensor.

    Parameters, tensors with gradients, and NumPy's arrays and numbers become plain tensors and
    numbers; a named tuple, a `defaultdict` or another subclass of a container becomes the container
    itself. What is returned therefore never has a comparison of its own, which could answer
    everything with yes. Subclasses of numbers and strings are refused.

    Raises:
        NotPlainData: anything else, or nested deeper than `DEPTH`.
    """
    kind = type(value)
    if depth > DEPTH:
        raise NotPlainData("The returned value is nested too deeply.")
    if value is None or kind in PLAIN:
        return value
    for container in (list, tuple):
        if isinstance(value, container):  # read past what a subclass may have replaced
            return container(plain(x, depth + 1) for x in container.__iter__(value))
    if isinstance(value, dict) and all(type(key) in (str, int) for key in dict.keys(value)):
        return {key: plain(x, depth + 1) for key, x in dict.items(value)}
    number = _from_arrays(value, kind)
    if number is None:
        raise NotPlainData(
            f"The function returned a {kind.__name__}; it should return what its docstring says."
        )
    return number


def _from_arrays(value: Any, kind: type) -> Any:
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    if torch and kind in (torch.Tensor, torch.nn.Parameter) and value.layout == torch.strided:
        return value.detach().cpu().as_subclass(torch.Tensor)
    if numpy and isinstance(value, numpy.generic) and type(value.item()) in PLAIN:
        return value.item()
    if numpy and torch and kind is numpy.ndarray and value.dtype.kind in "biuf":
        return torch.from_numpy(value.copy())
    return None


def normal(value: Any) -> Any:
    """The plain value with tuples as lists and tensors without dimensions as numbers.

    For a check that looks inside an answer instead of comparing it as a whole.
    """
    if type(value) in (list, tuple):
        return [normal(x) for x in value]
    if type(value) is dict:
        return {key: normal(x) for key, x in value.items()}
    return value.item() if is_tensor(value) and value.dim() == 0 else value


def is_tensor(value: Any) -> bool:
    """Whether this is a torch.Tensor; torch itself is not imported for the question."""
    torch = sys.modules.get("torch")
    return torch is not None and type(value) is torch.Tensor


def show(value: Any, width: int = WIDTH) -> str:
    """The value as a learner would write it, on one line where it fits, cut when it is long."""
    text = _text(value)
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _text(value: Any) -> str:
    if type(value) is float:
        return f"{value:.6g}" if value != int_or_none(value) else f"{value:.1f}"
    if type(value) is int and value.bit_length() > MOST_BITS:  # Python itself refuses to print some
        return f"<a whole number of {value.bit_length()} bits>"
    if type(value) in (list, tuple):
        inner = ", ".join(map(_text, value))
        comma = "," if type(value) is tuple and len(value) == 1 else ""
        return f"[{inner}]" if type(value) is list else f"({inner}{comma})"
    if type(value) is dict:
        return "{" + ", ".join(f"{key!r}: {_text(x)}" for key, x in value.items()) + "}"
    if is_tensor(value):
        return _tensor_text(value)
    return repr(value)


def _tensor_text(value: Any) -> str:
    """A matrix has a line for each row; float32 and int64 need not be said."""
    if value.dim() == 0:
        return f"tensor({_text(value.item())})"
    rows = [_text(row) for row in value.tolist()]
    inner = ",\n        ".join(rows) if value.dim() > 1 else ", ".join(rows)
    kind = str(value.dtype).removeprefix("torch.")
    empty = f", shape {_text(tuple(value.shape))}" if value.numel() == 0 else ""
    return f"tensor([{inner}]{'' if kind in ('float32', 'int64') else f', {kind}'}{empty})"


def int_or_none(value: float) -> int | None:
    """A float of moderate size as an int when it is a whole number."""
    return int(value) if abs(value) < 1e6 and value == value // 1 else None
