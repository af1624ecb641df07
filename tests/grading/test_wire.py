"""Values cross exactly, and nothing else crosses."""

import contextlib
import json
import math
import os
import socket
import struct
import time

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ift_course.exercises.handles import Handle
from ift_course.exercises.values import NotPlainData
from ift_course.grading import wire

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**900), 2**900) | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


def crossed(value):
    frame = wire.pack(value)
    size, _ = wire.LENGTHS.unpack(frame[:8])
    return wire.unpack(frame[8 : 8 + size], frame[8 + size :])


@settings(max_examples=200, deadline=None)
@given(plain)
def test_plain_values_cross_exactly(value):
    assert repr(crossed(value)) == repr(value)


@pytest.mark.parametrize("dtype", wire.DTYPES)
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 0, 3), (2, 3)])
def test_tensors_keep_dtype_shape_and_bits(dtype, shape):
    tensor = (torch.randn(shape) * 3).to(getattr(torch, dtype))
    [back, again] = crossed([tensor, (tensor, "text")])[0], crossed(tensor)
    for other in (back, again):
        assert type(other) is torch.Tensor
        assert other.dtype == tensor.dtype and other.shape == tensor.shape
        assert torch.equal(other, tensor)


def test_special_numbers_cross():
    tensor = torch.tensor([math.nan, math.inf, -math.inf, -0.0])
    assert crossed(tensor).view(torch.int32).tolist() == tensor.view(torch.int32).tolist()
    assert math.copysign(1, crossed(-0.0)) == -1


def test_named_things_cross_by_name_only():
    assert crossed([Handle("bigram", {"seed": 3})]) == [Handle("bigram", {"seed": 3})]


@pytest.mark.parametrize(
    "value", [object(), {1.5: 2}, type("L", (list,), {})(), 2**1001, {1, 2}, b"x", lambda: 0]
)
def test_anything_else_is_refused_before_it_is_sent(value):
    with pytest.raises(NotPlainData):
        crossed(value if not isinstance(value, dict) else [value, set()])


@pytest.mark.parametrize("text", [
    '{"tuple": 3}', '{"dict": [[1.5, 2]]}', '{"dict": [["a"]]}', '{"a": 1, "b": 2}', "{}",
    '{"tensor": ["float32", [3]]}', '{"tensor": ["object", []]}', '{"tensor": ["float32", [-1]]}',
    '{"tensor": ["float32", [1.0]]}', '{"named": [3, {}]}', '{"named": ["a", 7]}', "[", "",
    "9" * 400, "[" * 100_000, "[" * 40 + "]" * 40,
])  # fmt: skip
def test_malformed_documents_are_named_so(text):
    with pytest.raises(wire.Malformed):
        wire.unpack(text.encode(), b"")


def test_bytes_that_belong_to_no_tensor_are_malformed():
    with pytest.raises(wire.Malformed):
        wire.unpack(b"1", b"abc")


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.binary(max_size=20))
def test_random_bytes_give_a_value_or_malformed(text, tensors):
    with contextlib.suppress(wire.Malformed):
        wire.unpack(text, tensors)


@settings(max_examples=300, deadline=None)
@given(st.recursive(
    st.none() | st.integers() | st.sampled_from(["float32", "bool", 2, [2], [1 << 40, 0]]),
    lambda x: st.lists(x, max_size=3)
    | st.dictionaries(st.sampled_from(["tuple", "dict", "tensor", "named"]), x, max_size=2),
))  # fmt: skip
def test_random_documents_give_a_value_or_malformed(document):
    with contextlib.suppress(wire.Malformed):
        wire.unpack(json.dumps(document).encode(), bytes(8))


def test_a_reader_waits_no_longer_than_its_deadline():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(struct.pack(">II", 100, 0) + b"[")
        start = time.monotonic()
        with pytest.raises(wire.TooSlow):
            wire.receive(ours, start + 0.2)
        assert time.monotonic() - start < 2


def test_a_writer_waits_no_longer_than_its_deadline():
    ours, theirs = socket.socketpair()
    with ours, theirs, pytest.raises(wire.TooSlow):
        wire.send(ours, "x" * (3 << 20), time.monotonic() + 0.2)


def test_an_announced_length_over_the_limits_is_not_read():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(struct.pack(">II", 2**31, 0) + os.urandom(10))
        with pytest.raises(wire.Malformed):
            wire.receive(ours, time.monotonic() + 5)
