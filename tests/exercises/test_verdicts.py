"""Only wrong values cost points, and only a version that explains them is named."""

import random
from collections import OrderedDict, defaultdict, namedtuple

import numpy
import pytest
import torch

from ift_course.exercises import catalog, source
from ift_course.exercises.judging import RecordingLearner, run_check
from ift_course.exercises.learner import STUB_MESSAGE, InProcessLearner
from ift_course.exercises.misconceptions import misconceptions, recognize
from ift_course.exercises.report import report
from tests.exercises import learners

each = pytest.mark.parametrize("exercise", catalog.exercises(), ids=lambda x: f"{x.id}")
Pair = namedtuple("Pair", "first second")


def recast(value, change):
    """The value, with `change` applied to each of its parts from the inside out."""
    if isinstance(value, list | tuple):
        return change(type(value)(recast(x, change) for x in value))
    if isinstance(value, dict):
        return change({key: recast(x, change) for key, x in value.items()})
    return change(value)


def tuples(value):
    return tuple(value) if isinstance(value, list) else value


def lists(value):
    return list(value) if isinstance(value, tuple) else value


def subclasses(value):
    if isinstance(value, dict):
        return OrderedDict(value) if len(value) % 2 else defaultdict(int, value)
    return Pair(*value) if isinstance(value, list | tuple) and len(value) == 2 else value


def numpy_numbers(value):
    kinds = {bool: numpy.bool_, int: numpy.int64, float: numpy.float64}
    return kinds[type(value)](value) if type(value) in kinds else value


def tensors_of_one_number(value):
    if type(value) is float:
        return torch.tensor(value, dtype=torch.float64)
    return torch.tensor(value) if type(value) in (bool, int) else value


FORMS = [tuples, lists, subclasses, numpy_numbers, tensors_of_one_number]


def in_form(function, change):
    return lambda *args: recast(function(*args), change)


@each
@pytest.mark.parametrize("form", FORMS, ids=lambda x: x.__name__)
def test_a_right_answer_in_an_equal_container_gets_every_point(exercise, form):
    right = learners.namespace(exercise)[exercise.function]
    result = report(exercise, {exercise.function: in_form(right, form)})
    assert result.passed and not result.advice, [x for x in result.verdicts if not x.passed]


@each
def test_a_misconception_is_named_in_whatever_container_it_answers(exercise):
    for wrong in misconceptions(exercise):
        result = report(exercise, {exercise.function: in_form(wrong.function, tuples)})
        assert result.advice == wrong.advice, wrong.name


@each
@pytest.mark.parametrize("spoil", [lambda x: f"my {x}", lambda x: [x], lambda x: {"answer": x}])
def test_a_right_answer_in_a_wrong_form_is_no_misconception(exercise, spoil):
    right = learners.namespace(exercise)[exercise.function]
    result = report(exercise, {exercise.function: lambda *args: spoil(right(*args))})
    assert not result.passed and result.advice == ""


def picky(learner):
    rows = learner.pack([{"input_ids": [5, 6], "labels": [5, 6]}], 4)
    assert type(rows) is list, "There should be a list of rows."


def test_a_refused_container_is_not_explained_by_a_version_that_gives_the_same_value():
    """An instructor's own check may insist on a list, which has nothing to do with first-fit."""
    exercise = catalog.by_id("02.5")
    pack = learners.namespace(exercise)["pack"]
    check = catalog.Check("02.5/picky", "02.5", "picky", "It is.", 1, False, ("learner",), picky)
    learner = RecordingLearner(InProcessLearner({"pack": lambda *args: tuple(pack(*args))}))
    assert run_check(check, learner, 0).status == "failed"
    assert recognize(exercise, learner.calls) is None


def fails_in_torch(*_):
    return torch.empty(2, device="meta").to("cpu")


def fails_by_hand(*_):
    raise NotImplementedError("write your code here")


def fails_in_a_subclass(*_):
    class Later(NotImplementedError):
        pass

    raise Later(STUB_MESSAGE)


@pytest.mark.parametrize("function", [fails_in_torch, fails_by_hand, fails_in_a_subclass])
def test_a_not_implemented_error_of_another_origin_is_the_learners_error(function):
    exercise = catalog.by_id("02.4")
    result = report(exercise, {"collate": function})
    assert {x.status for x in result.verdicts} == {"error"} and result.begun
    assert "NotImplementedError" in result.verdicts[0].message or function is fails_in_a_subclass


def test_all_stubs_carry_the_message_that_marks_them():
    for path in source.sources():
        text = source.stubbed(path.read_text(encoding="utf-8"))
        assert text.count(STUB_MESSAGE) == len(source.read_exercises(path)) > 0


def random_numbers(*_):
    return [random.random(), float(numpy.random.random()), float(torch.rand(()))]


def test_a_function_draws_the_same_global_numbers_in_every_call_and_disturbs_nobodys():
    random.seed(5), numpy.random.seed(5), torch.manual_seed(5)
    expected = random_numbers()
    random.seed(5), numpy.random.seed(5), torch.manual_seed(5)
    learner = InProcessLearner({"random_numbers": random_numbers})
    assert learner.random_numbers() == learner.random_numbers()
    assert random_numbers() == expected


SOURCES = {}


def one_source(rows, templates, seed):
    rng = SOURCES.setdefault("first", random.Random(seed))
    numbers = [row % templates for row in range(rows)]
    rng.shuffle(numbers)
    return numbers


def test_a_seed_that_counts_in_the_first_call_only_loses_points():
    exercise = catalog.by_id("06.4")
    result = report(exercise, {"choose_templates": one_source})
    failed = {x.check.partition("/")[2] for x in result.verdicts if not x.passed}
    assert {"test_seed", "test_other_random_numbers"} <= failed


def test_a_name_that_holds_its_own_result_is_explained():
    exercise = catalog.by_id("02.4")
    result = report(exercise, {"collate": {"input_ids": [1]}})
    [message] = {x.message for x in result.verdicts}
    assert "collate holds a dict" in message and "`collate = collate(…)`" in message


def test_a_fault_in_the_ordinary_question_says_that_it_is_one():
    exercise = catalog.by_id("01.2")

    def perplexity(losses):
        raise ValueError("nothing to do")

    result = report(exercise, {"perplexity": perplexity})
    assert result.earned == 0

    def guess(losses):
        if not any(losses):
            raise ValueError("no token")
        return 50.0

    result = report(exercise, {"perplexity": guess})
    verdict = next(x for x in result.verdicts if x.check.endswith("test_even_guess"))
    assert verdict.status == "failed" and "an ordinary input" in verdict.message
