"""The values that pass between a learner's function and a check: exact, plain types only."""

import sys
from typing import Any

DEPTH = 20
WIDTH = 300  # characters of a rendered value
MOST_BITS = 1000  # of an integer that is rendered, and that fits into a float
PLAIN = (bool, int, float, str)


class NotPlainData(TypeError):
    """A function returned something other than numbers, strings, lists, dictionaries, tensors."""


def plain(value: Any, depth: int = 0) -> Any:
    """Rebuild a value from exactly None, bool, int, float, str, list, tuple, dict, torch.Tensor.

    Parameters, tensors with gradients, and NumPy arrays and numbers become plain tensors and
    numbers; a named tuple, a `defaultdict`, or another subclass of a container becomes the
    container itself. The result therefore never has a comparison of its own, which could claim to
    be equal to everything. Subclasses of numbers and strings are refused.

    Args:
        value: What a function returned.
        depth: How many containers are around it.

    Raises:
        NotPlainData: The value is anything else, or nested deeper than `DEPTH`.
    """
    kind = type(value)
    container: Any
    if depth > DEPTH:
        raise NotPlainData("The returned value is nested too deeply.")
    if value is None or kind in PLAIN:
        return value
    for container in (list, tuple):
        if isinstance(value, container):  # a subclass may have replaced __iter__: bypass it
            return container(plain(x, depth + 1) for x in container.__iter__(value))
    if isinstance(value, dict) and all(type(key) in (str, int) for key in dict.keys(value)):
        return {key: plain(x, depth + 1) for key, x in dict.items(value)}
    number = _from_array(value, kind)
    if number is None:
        raise NotPlainData(
            f"The function returned a {kind.__name__}; it should return what its docstring says."
        )
    return number


def _from_array(value: Any, kind: type) -> Any:
    """The plain tensor or number of an array type; None for every other type."""
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    if torch and kind in (torch.Tensor, torch.nn.Parameter) and value.layout == torch.strided:
        return value.detach().cpu().as_subclass(torch.Tensor)
    if numpy and isinstance(value, numpy.generic) and type(value.item()) in PLAIN:
        return value.item()
    if numpy and torch and kind is numpy.ndarray and value.dtype.kind in "biuf":
        return torch.from_numpy(value.copy())
    return None


def normalized(value: Any) -> Any:
    """Turn tuples into lists and zero-dimensional tensors into numbers.

    For a check that looks inside an answer instead of comparing it as a whole.
    """
    if type(value) in (list, tuple):
        return [normalized(x) for x in value]
    if type(value) is dict:
        return {key: normalized(x) for key, x in value.items()}
    return value.item() if is_tensor(value) and value.dim() == 0 else value


def is_tensor(value: Any) -> bool:
    """Whether the value is a torch.Tensor; torch itself is not imported to find out."""
    torch = sys.modules.get("torch")
    return torch is not None and type(value) is torch.Tensor


def render(value: Any, width: int = WIDTH) -> str:
    """Write a value as a learner would, on one line where it fits, at most `width` characters."""
    text = _render(value)
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _render(value: Any) -> str:
    if type(value) is float:
        return f"{value:.6g}" if value != int_or_none(value) else f"{value:.1f}"
    if type(value) is int and value.bit_length() > MOST_BITS:  # Python itself refuses to print some
        return f"<an integer of {value.bit_length()} bits>"
    if type(value) in (list, tuple):
        items: Any = value
        inner = ", ".join(map(_render, items))
        comma = "," if type(value) is tuple and len(value) == 1 else ""
        return f"[{inner}]" if type(value) is list else f"({inner}{comma})"
    if type(value) is dict:
        return "{" + ", ".join(f"{key!r}: {_render(x)}" for key, x in value.items()) + "}"
    if is_tensor(value):
        return _render_tensor(value)
    return repr(value)


def _render_tensor(value: Any) -> str:
    """One line per row of a matrix; the dtype is left out if it is float32 or int64."""
    if value.dim() == 0:
        return f"tensor({_render(value.item())})"
    rows = [_render(row) for row in value.tolist()]
    inner = ",\n        ".join(rows) if value.dim() > 1 else ", ".join(rows)
    kind = str(value.dtype).removeprefix("torch.")
    empty = f", shape {_render(tuple(value.shape))}" if value.numel() == 0 else ""
    return f"tensor([{inner}]{'' if kind in ('float32', 'int64') else f', {kind}'}{empty})"


def int_or_none(value: float) -> int | None:
    """The int equal to a float of moderate size, or None if there is none."""
    return int(value) if abs(value) < 1e6 and value == value // 1 else None
