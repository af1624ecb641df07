"""How values cross between the grader and the student's process: exact plain data, never pickle.

A frame is two lengths, a JSON document and the raw bytes of its tensors. JSON's own types stand
for themselves; `{"tuple": …}`, `{"dict": …}`, `{"tensor": …}` and `{"named": …}` for the others.
The reader trusts nothing: whatever is not exactly of this form is `Malformed`. Its time grows with
the number of bytes and no faster. Python's integers hash to themselves modulo 2**61 - 1, so a
sender can choose thousands that collide, and a dictionary or set of them takes quadratic time. That
is why few keys may be integers and few integers large. Strings have a secret hash (see `pool`).
"""

from __future__ import annotations

import json
import math
import socket
import struct
import time
from typing import Any

from ift_course.exercises.handles import Handle
from ift_course.exercises.values import DEPTH, NotPlainData

LENGTHS = struct.Struct(">II")
LONGEST_JSON = 4 << 20  # bytes
LONGEST_TENSORS = 4 << 20  # bytes of all tensors of a frame
DEEPEST = DEPTH + 4  # a value of the deepest kind stands inside a reply
LARGEST_INT = 1 << 1000  # still fits a float
MOST_ITEMS = 400_000  # values in a frame, before any of them is made
MOST_INT_KEYS = 2_000  # of all dictionaries in a frame
COLLIDING, MOST_COLLIDING = (1 << 61) - 1, 2_000  # integers from there on share hashes with others
DTYPES = "float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool".split()


class Malformed(Exception):
    """The bytes are not one of our frames, or the frame is over the limits."""


class Closed(Exception):
    """The other side is gone."""


class TooSlow(Exception):
    """The deadline passed before a whole frame had arrived."""


def pack(value: Any) -> bytes:
    """The frame of a value.

    Args:
        value: Plain (see `checks.values.plain`), and it may contain `Handle`.

    Raises:
        NotPlainData: The value is not plain or is over the limits.
    """
    tensors: list[bytes] = []
    try:
        text = json.dumps(_encode(value, tensors, 0)).encode()
    except (ValueError, RecursionError) as error:
        raise NotPlainData(f"The value cannot be sent: {error}.") from None
    size = sum(map(len, tensors))
    if len(text) > LONGEST_JSON or size > LONGEST_TENSORS or _items(text) > MOST_ITEMS:
        raise NotPlainData("The value is too large to be sent.")
    return b"".join([LENGTHS.pack(len(text), size), text, *tensors])


def _items(text: bytes) -> int:
    """At least the number of values in a JSON document; punctuation in strings counts as well."""
    return sum(map(text.count, (b",", b"[", b"{")))


def _encode(value: Any, tensors: list[bytes], depth: int) -> Any:
    kind = type(value)
    if depth > DEEPEST:
        raise NotPlainData("The value is nested too deeply.")
    if value is None or kind in (bool, float, str) or (kind is int and abs(value) < LARGEST_INT):
        return value
    if kind is list:
        return [_encode(x, tensors, depth + 1) for x in value]
    if kind is tuple:
        return {"tuple": [_encode(x, tensors, depth + 1) for x in value]}
    if kind is dict:
        if sum(type(key) is int for key in value) > MOST_INT_KEYS:
            raise NotPlainData(f"A dictionary of over {MOST_INT_KEYS} integers cannot be sent.")
        pairs = [[key, _encode(x, tensors, depth + 1)] for key, x in value.items()]
        return {"dict": pairs}
    if kind is Handle:
        return {"named": [value.name, _encode(value.arguments, tensors, depth + 1)]}
    if kind.__module__ == "torch" and kind.__name__ == "Tensor":
        return {"tensor": _encode_tensor(value, tensors)}
    raise NotPlainData(f"A {kind.__name__} cannot be sent.")


def _encode_tensor(value: Any, tensors: list[bytes]) -> list[Any]:
    import torch

    dtype = str(value.dtype).removeprefix("torch.")
    if dtype not in DTYPES:
        raise NotPlainData(f"A tensor of {dtype} cannot be sent.")
    flat = value.detach().cpu().contiguous().reshape(-1)
    tensors.append(flat.view(torch.uint8).numpy().tobytes())
    return [dtype, list(value.shape)]


def unpack(text: bytes, tensors: bytes) -> Any:
    """The value of a frame.

    Args:
        text: Its JSON document.
        tensors: The bytes of its tensors.

    Raises:
        Malformed: `pack` would not have written this frame.
    """
    if _items(text) > MOST_ITEMS:
        raise Malformed("too many values")
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(str(error)) from None
    reader = _Reader(memoryview(tensors))
    value = reader.decode(document, 0)
    if reader.rest:
        raise Malformed("bytes that belong to no tensor")
    return value


class _Reader:
    """Makes the values of one frame from its document.

    Attributes:
        rest: The bytes of the tensors that have not been read yet.
    """

    def __init__(self, rest: memoryview) -> None:
        self.rest = rest
        self._int_keys = self._colliding = 0

    def decode(self, node: Any, depth: int) -> Any:
        kind = type(node)
        if depth > DEEPEST:
            raise Malformed("nested too deeply")
        if kind is int:
            return self._int(node)
        if kind is list:
            return [self.decode(item, depth + 1) for item in node]
        if kind is not dict:
            return node
        if len(node) != 1:
            raise Malformed("a JSON object that stands for nothing")
        [(tag, inner)] = node.items()
        if tag == "tuple" and type(inner) is list:
            return tuple([self.decode(item, depth + 1) for item in inner])
        if tag == "dict" and type(inner) is list:
            return self._dict(inner, depth)
        if tag == "named" and type(inner) is list and len(inner) == 2 and type(inner[0]) is str:
            arguments = self.decode(inner[1], depth + 1)
            if type(arguments) is dict:
                return Handle(inner[0], arguments)
        if tag == "tensor" and type(inner) is list and len(inner) == 2:
            return self._tensor(*inner)
        raise Malformed(f"an invalid {tag[:20]!r}")

    def _int(self, value: int) -> int:
        if abs(value) >= LARGEST_INT:
            raise Malformed("an integer of over a thousand bits")
        self._colliding += abs(value) >= COLLIDING
        if self._colliding > MOST_COLLIDING:
            raise Malformed("too many large integers")
        return value

    def _dict(self, pairs: list[Any], depth: int) -> dict[str | int, Any]:
        if not all(type(p) is list and len(p) == 2 and type(p[0]) in (str, int) for p in pairs):
            raise Malformed("an invalid dictionary")
        self._int_keys += sum(type(key) is int for key, _ in pairs)
        if self._int_keys > MOST_INT_KEYS:
            raise Malformed("too many integers as keys")
        return {
            self._int(key) if type(key) is int else key: self.decode(value, depth + 1)
            for key, value in pairs
        }

    def _tensor(self, name: Any, shape: Any) -> Any:
        import torch

        whole = type(shape) is list and len(shape) <= 16 and all(type(n) is int for n in shape)
        if name not in DTYPES or not whole or not all(0 <= n <= LONGEST_TENSORS for n in shape):
            raise Malformed("a tensor of an unknown dtype or shape")
        if math.prod(max(n, 1) for n in shape) > LONGEST_TENSORS:
            raise Malformed("a tensor without elements that has too many rows")
        dtype = getattr(torch, name)
        size = math.prod(shape) * dtype.itemsize
        if size > len(self.rest):
            raise Malformed("a tensor longer than its bytes")
        if size == 0:
            return torch.empty(shape, dtype=dtype)
        data, self.rest = self.rest[:size], self.rest[size:]
        flat = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        flat = flat != 0 if dtype is torch.bool else flat.view(dtype)
        return flat.reshape(shape)


def send(connection: socket.socket, value: Any, deadline: float | None = None) -> None:
    """Sends one value.

    Args:
        connection: To the other side.
        value: What `pack` takes.
        deadline: In seconds of `time.monotonic`; None waits for ever.

    Raises:
        NotPlainData: The value cannot be sent; nothing has been.
        Closed: The other side is gone.
        TooSlow: The deadline passed.
    """
    frame = pack(value)
    try:
        connection.settimeout(_seconds_left(deadline))
        connection.sendall(frame)
    except TimeoutError:
        raise TooSlow from None
    except OSError:
        raise Closed from None


def _seconds_left(deadline: float | None) -> float | None:
    return None if deadline is None else max(1e-3, deadline - time.monotonic())


def receive(connection: socket.socket, deadline: float | None = None) -> Any:
    """The next value.

    Args:
        connection: To the other side.
        deadline: In seconds of `time.monotonic`; None waits for ever.

    Raises:
        Malformed: What came is not a frame of ours.
        Closed: The other side is gone.
        TooSlow: The deadline passed.
    """
    json_size, tensors_size = LENGTHS.unpack(_exactly(connection, LENGTHS.size, deadline))
    if json_size > LONGEST_JSON or tensors_size > LONGEST_TENSORS:
        raise Malformed("a frame over the limits")
    text = _exactly(connection, json_size, deadline)
    return unpack(text, _exactly(connection, tensors_size, deadline))


def _exactly(connection: socket.socket, size: int, deadline: float | None) -> bytes:
    data = bytearray()
    try:
        while len(data) < size:
            connection.settimeout(_seconds_left(deadline))
            piece = connection.recv(min(size - len(data), 1 << 20))
            if not piece:
                raise Closed
            data += piece
            if deadline is not None and time.monotonic() > deadline:
                raise TooSlow
    except TimeoutError:
        raise TooSlow from None
    except OSError:
        raise Closed from None
    return bytes(data)
