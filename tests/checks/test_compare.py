"""What decides over points: exact types, and nothing a learner's object could say about itself."""

import math

import pytest
import torch

from ift_course.checks.compare import (
    Mismatch,
    close,
    difference,
    equal,
    labels_equal,
    refuses,
    unchanged,
)
from ift_course.checks.learner import LearnerError, LearnerLost, Local
from ift_course.checks.values import Unplain, plain, show


class AlwaysEqual:
    def __eq__(self, other):
        return True

    __hash__ = None


class Text(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


@pytest.mark.parametrize(
    "value",
    [AlwaysEqual(), Text("x"), {1, 2}, object(), 1j, b"x", [Text("x")], {"a": AlwaysEqual()},
     {(1, 2): 3}, lambda: 1],
)  # fmt: skip
def test_only_plain_values_pass(value):
    with pytest.raises(Unplain):
        plain(value)


def test_what_is_nested_too_deeply_does_not_pass():
    value = []
    for _ in range(100):
        value = [value]
    with pytest.raises(Unplain, match="too deeply"):
        plain(value)


def test_arrays_parameters_and_numpy_numbers_become_plain():
    import numpy as np

    weight = torch.nn.Parameter(torch.ones(2))
    assert type(plain(weight)) is torch.Tensor and not plain(weight).requires_grad
    assert torch.equal(plain(np.array([1, 2])), torch.tensor([1, 2]))
    assert type(plain(np.float64(0.5))) is float and type(plain(np.int64(3))) is int
    assert type(plain(np.bool_(True))) is bool


@pytest.mark.parametrize(("got", "expected"), [
    (True, 1), (1, True), (1.0, 1), ("1", 1), (None, []), ([1, 2], [1, 2, 3]), ({"a": 1}, {"b": 1}),
    (torch.tensor([1, 2]), [1, 2]), ([1, 2], torch.tensor([1, 2])),
    (torch.tensor([1.0]), torch.tensor([1])), (torch.ones(2, 1), torch.ones(2)),
])  # fmt: skip
def test_different_things_are_different(got, expected):
    with pytest.raises(Mismatch):
        equal(got, expected)


def test_a_tuple_may_stand_for_a_list_and_any_float_dtype_for_another():
    equal((1, [2]), [1, (2,)])
    close(torch.tensor([0.5], dtype=torch.float64), torch.tensor([0.5]))
    close(torch.tensor(0.5), 0.5)
    close(1, 1.0)


@pytest.mark.parametrize("bad", [math.nan, math.inf, None, "1.0", True, [1.0], torch.ones(1)])
def test_a_number_is_close_only_to_a_number(bad):
    with pytest.raises(Mismatch):
        close(bad, 1.0)


def test_nan_is_never_close_to_a_number_in_a_tensor():
    with pytest.raises(Mismatch, match="1 of 2 numbers"):
        close(torch.tensor([1.0, math.nan]), torch.ones(2))


def test_the_place_of_a_difference_is_named():
    assert difference([1, [2, 3]], [1, [2, 4]]) == "Item 1, item 1: The value is different."


def test_labels_that_differ_are_drawn_as_a_mask():
    with pytest.raises(Mismatch) as caught:
        labels_equal([-100, 5, 2], [-100, -100, 2], ["a", "b", "c"], -100)
    assert caught.value.mask.expected == (False, False, True)
    assert caught.value.mask.got == (False, True, True)


def test_labels_of_the_wrong_length_are_no_mask():
    with pytest.raises(Mismatch) as caught:
        labels_equal([-100], [-100, 2], ["a", "b"], -100)
    assert caught.value.mask is None


def fails(error):
    def function(*_):
        raise error

    return Local({"f": function})


def test_an_error_that_is_wanted_is_fine_and_so_is_a_special_case_of_it():
    refuses(fails(ValueError("no")).f, 1)
    refuses(fails(UnicodeError("no")).f, 1)


def test_another_error_or_none_is_not():
    with pytest.raises(LearnerError):
        refuses(fails(TypeError("no")).f, 1)
    with pytest.raises(Mismatch, match="refused with a ValueError"):
        refuses(Local({"f": lambda x: x}).f, 1)


def test_a_lost_learner_is_no_refusal():
    class Gone(LearnerLost):
        pass

    def gone(*_):
        raise Gone("killed")

    with pytest.raises(Gone):
        refuses(gone, 1)


def test_a_changed_argument_is_noticed_and_the_checks_own_is_not_touched():
    def spoil(values, tensor):
        values.append(1)
        tensor.add_(1)

    learner, values, tensor = Local({"f": spoil}), [0], torch.zeros(2)
    learner.f(values, tensor)
    assert values == [0] and torch.equal(tensor, torch.zeros(2))
    with pytest.raises(Mismatch, match="argument 1"):
        unchanged(learner, values, tensor)


def test_an_exception_says_where_in_the_learners_own_code():
    def helper(x):
        return x / 0

    learner = Local({"f": lambda x: helper(x)})
    with pytest.raises(LearnerError) as caught:
        learner.f(1)
    assert caught.value.kinds[:2] == ("ZeroDivisionError", "ArithmeticError")
    assert caught.value.line == "return x / 0"


@pytest.mark.parametrize("leaving", [SystemExit(0), GeneratorExit(), KeyError("x")])
def test_leaving_the_program_is_an_error_like_any_other(leaving):
    with pytest.raises(LearnerError):
        fails(leaving).f()


def test_prints_and_warnings_cost_nothing(capsys, recwarn):
    import warnings

    def loud(x):
        print("noise")
        warnings.warn("noise", stacklevel=1)
        return x

    assert Local({"f": loud}).f(3) == 3
    assert capsys.readouterr().out == "" and not len(recwarn)


@pytest.mark.parametrize(("value", "text"), [
    (0.1 + 0.2, "0.3"), (2.0, "2.0"), ([1, "a"], "[1, 'a']"), ((1,), "(1,)"),
    ({"a": None}, "{'a': None}"), (math.nan, "nan"), (torch.tensor(0.5), "tensor(0.5)"),
    (torch.zeros(0, 2), "tensor([], shape (0, 2))"),
    (torch.ones(1).half(), "tensor([1.0], float16)"),
    (torch.ones(2, 1), "tensor([[1.0],\n        [1.0]])"),
    (torch.tensor([1, 2]), "tensor([1, 2])"),
])  # fmt: skip
def test_values_are_shown_as_a_learner_would_write_them(value, text):
    assert show(value) == text


def test_long_values_are_cut():
    assert len(show(list(range(10_000)))) == 300
