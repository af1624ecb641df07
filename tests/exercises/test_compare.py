"""Comparisons decide by exact types, never by what a learner's object claims about itself."""

import math

import pytest
import torch

from ift_course.exercises.compare import (
    Mismatch,
    close,
    difference,
    equal,
    integers,
    labels_equal,
    refuses,
    unchanged,
)
from ift_course.exercises.learner import InProcessLearner, LearnerError, LearnerLost
from ift_course.exercises.values import NotPlainData, plain, render


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
    with pytest.raises(NotPlainData):
        plain(value)


def test_what_is_nested_too_deeply_does_not_pass():
    value = []
    for _ in range(100):
        value = [value]
    with pytest.raises(NotPlainData, match="too deeply"):
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


def test_a_number_may_come_as_a_tensor_without_dimensions_and_a_float_as_a_whole_number():
    equal([torch.tensor(3), torch.tensor(True)], [3, True])
    equal(2, 2.0)
    equal([math.nan], [math.nan])
    for got, expected in ((2.0, 2), (torch.tensor(2.0), 2), (torch.tensor(1), True), (True, 1.0)):
        with pytest.raises(Mismatch):
            equal(got, expected)


def test_containers_with_methods_of_their_own_are_read_past_them():
    class Liar(list):
        def __eq__(self, other):
            return True

        def __len__(self):
            return 1

        def __iter__(self):
            return iter([3])

    class Moody(dict):
        def items(self):
            return [("a", 1)]

    assert plain(Liar([7, 8])) == [7, 8] and type(plain(Liar([7, 8]))) is list
    assert plain(Moody(b=2)) == {"b": 2} and type(plain(Moody(b=2))) is dict


@pytest.mark.parametrize("bad", [math.nan, math.inf, None, "1.0", True, [1.0], torch.ones(1)])
def test_a_number_is_close_only_to_a_number(bad):
    with pytest.raises(Mismatch):
        close(bad, 1.0)


def test_nan_is_never_close_to_a_number_in_a_tensor():
    with pytest.raises(Mismatch, match="1 of 2 numbers"):
        close(torch.tensor([1.0, math.nan]), torch.ones(2))


def test_the_place_of_a_difference_is_named():
    assert difference([1, [2, 3]], [1, [2, 4]]) == "Item 1, item 1: The value is wrong."


@pytest.mark.parametrize(("got", "expected", "sentence"), [
    ([torch.zeros(2)], [torch.zeros(())], "Item 0: The shape should be (), but it is (2,)."),
    ([[1]], [[1, 2]], "Item 0: There should be 2 items, but there is 1."),
    ((1, 2), (3,), "There should be 1 item, but there are 2."),
    ({"loss": [1.0]}, {"loss": [2.0]}, "The value of 'loss', item 0: The number is wrong."),
    ({1: "a", "b": 2}, {1: "a"}, "The keys should be [1], but they are [1, 'b']."),
    (None, True, "Expected True or False, but got nothing (None)."),
    ([3.0], [3], "Item 0: Expected an integer, but got a float."),
    ("3", None, "Expected nothing (None), but got a string."),
    (torch.tensor([1, 5]), torch.tensor([1, 2]), "1 of 2 numbers is wrong."),
    (torch.tensor([1, 5, 6]), torch.tensor([1, 2, 3]), "2 of 3 numbers are wrong."),
    (torch.ones(1), torch.ones(1, 1), "The shape should be (1, 1), but it is (1,)."),
])  # fmt: skip
def test_a_difference_is_one_sentence_in_plain_english(got, expected, sentence):
    assert difference(got, expected) == sentence


@pytest.mark.parametrize(("count", "form"), [(1, "1 integer"), (3, "3 integers")])
def test_a_list_of_integers_may_be_a_tuple_or_hold_tensors(count, form):
    assert integers(tuple(torch.tensor(x) for x in range(count)), count) == [*range(count)]
    for other in ([1.0] * count, [True] * count, [0] * (count + 1), None, "1"):
        with pytest.raises(Mismatch, match=f"a list of {form}[.]"):
            integers(other, count)


def test_labels_that_differ_are_drawn_as_a_mask():
    with pytest.raises(Mismatch) as caught:
        labels_equal([-100, 5, 2], [-100, -100, 2], ["a", "b", "c"], -100)
    assert caught.value.mask.expected == (False, False, True)
    assert caught.value.mask.got == (False, True, True)


def test_labels_in_a_tuple_are_drawn_as_well():
    with pytest.raises(Mismatch) as caught:
        labels_equal((-100, 5, 2), [-100, -100, 2], ["a", "b", "c"], -100)
    assert caught.value.mask.got == (False, True, True)
    labels_equal((-100, 5), [-100, 5], ["a", "b"], -100)


def test_labels_of_the_wrong_length_are_no_mask():
    with pytest.raises(Mismatch) as caught:
        labels_equal([-100], [-100, 2], ["a", "b"], -100)
    assert caught.value.mask is None


def fails(error):
    def function(*_):
        raise error

    return InProcessLearner({"f": function})


def test_an_error_that_is_wanted_is_fine_and_so_is_a_special_case_of_it():
    refuses(fails(ValueError("no")).f, 1)
    refuses(fails(UnicodeError("no")).f, 1)


def test_another_error_or_none_is_not():
    with pytest.raises(LearnerError):
        refuses(fails(TypeError("no")).f, 1)
    with pytest.raises(Mismatch, match="refused with a ValueError"):
        refuses(InProcessLearner({"f": lambda x: x}).f, 1)


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

    learner, values, tensor = InProcessLearner({"f": spoil}), [0], torch.zeros(2)
    learner.f(values, tensor)
    assert values == [0] and torch.equal(tensor, torch.zeros(2))
    with pytest.raises(Mismatch, match="argument 1"):
        unchanged(learner, values, tensor)


def test_an_exception_says_where_in_the_learners_own_code():
    def helper(x):
        return x / 0

    learner = InProcessLearner({"f": lambda x: helper(x)})
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

    assert InProcessLearner({"f": loud}).f(3) == 3
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
    assert render(value) == text


def test_long_values_are_cut():
    assert len(render(list(range(10_000)))) == 300
