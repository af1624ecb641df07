"""Proof for every exercise that its checks can fail."""

import doctest
import inspect
from pathlib import Path

import pytest

from ift_course.exercises import catalog, source
from ift_course.exercises.compare import difference
from ift_course.exercises.learner import InProcessLearner
from ift_course.exercises.misconceptions import misconceptions, recognize
from ift_course.exercises.report import report
from ift_course.exercises.values import plain
from tests.exercises import equivalent, learners
from tests.exercises.mutate import mutants

EXERCISES = catalog.exercises()
STYLES = Path(__file__).parent / "styles"

each = pytest.mark.parametrize("exercise", EXERCISES, ids=lambda x: f"{x.id}-{x.function}")


def test_every_written_exercise_has_checks_and_the_other_way_round():
    written = [x.id for path in source.sources() for x in source.read_exercises(path)]
    assert written == [x.id for x in EXERCISES]


@each
def test_an_exercise_is_complete(exercise):
    written = learners.written(exercise)
    assert len(written.hints) == 3
    assert f"def {exercise.function}(" in written.solution
    function = learners.namespace(exercise)[exercise.function]
    assert len(inspect.getdoc(function)) > 80
    assert all(
        inspect.signature(function).return_annotation is not inspect.Signature.empty
        and x.annotation is not x.empty
        for x in inspect.signature(function).parameters.values()
    )
    assert len(misconceptions(exercise)) >= 5
    assert len(catalog.checks(exercise)) >= 4
    assert all(check.title.endswith(".") for check in catalog.checks(exercise))


@each
def test_a_card_says_what_it_should_and_its_examples_are_true(exercise):
    card = learners.card(exercise)
    for part in ("**Why it matters.**", "**Given**", "**Example.**", " minutes\n"):
        assert part in card
    names = learners.namespace(exercise)
    names["tensor"] = learners.tensor
    examples = doctest.DocTestParser().get_examples(card.replace("```", ""))
    assert any(example.want for example in examples)
    for example in examples:
        if example.want:
            got = plain(eval(example.source, names))
            assert difference(got, eval(example.want, names), 1e-4) is None, (got, example.want)
        else:
            exec(example.source, names)


@each
@pytest.mark.parametrize("seed", range(5))
def test_the_solution_gets_full_points(exercise, seed):
    result = report(exercise, learners.namespace(exercise), seed)
    assert result.passed, [x for x in result.verdicts if not x.passed]


@each
def test_the_stub_fails_every_check_and_is_called_not_yet(exercise):
    result = report(exercise, learners.stub(exercise))
    assert {x.status for x in result.verdicts} == {"not yet"}
    assert result.earned == 0 and not result.advice


@each
@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_misconception_fails_and_is_recognized_as_itself(exercise, seed):
    for wrong in misconceptions(exercise):
        result = report(exercise, {exercise.function: wrong.function}, seed)
        assert not result.passed, wrong.name
        assert all(x.status in ("passed", "failed", "error") for x in result.verdicts), wrong.name
        assert result.advice == wrong.advice, wrong.name


@each
def test_the_solution_is_taken_for_no_misconception(exercise):
    from ift_course.exercises.judging import RecordingLearner, run_check

    recording = RecordingLearner(InProcessLearner(learners.namespace(exercise)))
    for check in catalog.checks(exercise):
        run_check(check, recording)
    assert recognize(exercise, recording.calls) is None


@each
def test_correct_solutions_in_other_styles_pass(exercise):
    module = catalog.load_module(
        STYLES / f"lesson_{exercise.lesson}.py", f"styles_{exercise.lesson}"
    )
    styles = [x for name, x in vars(module).items() if name.startswith(f"{exercise.function}__")]
    assert len(styles) >= 3
    for style in styles:
        for seed in range(3):
            result = report(exercise, {exercise.function: style}, seed)
            assert result.passed, (style.__name__, [x for x in result.verdicts if not x.passed])


STRANGE = [
    None,
    True,
    "ready",
    [],
    {},
    3,
    float("nan"),
    float("inf"),
    [[None]],
    object(),
    {"input_ids": 1},
    (1, 2, 3, 4),
    {1, 2},
    [float("nan")] * 3,
    10**5000,
    [10**5000] * 2,
]


@pytest.mark.slow
@each
def test_whatever_comes_back_the_check_itself_does_not_break(exercise):
    import torch

    for value in [*STRANGE, torch.zeros(0), torch.tensor(float("nan")), torch.ones(2, 3).long()]:
        result = report(exercise, {exercise.function: lambda *_, value=value: value})
        assert not result.passed
        assert "broken" not in {x.status for x in result.verdicts}, (value, result.verdicts)


@pytest.mark.slow
@each
def test_mutants_are_killed(exercise, record_property):
    code = learners.written(exercise).solution
    all_mutants = list(mutants(code))
    survivors = [name for name, text in all_mutants if not learners.killed(exercise, text)]
    name = f"{exercise.id} {exercise.function}"
    record_property("mutants", (name, len(all_mutants), len(survivors)))
    reasons = equivalent.SAME.get(exercise.id, {})
    assert sorted(survivors) == sorted(reasons), "not shown to be equivalent, or killed after all"
    assert len(survivors) <= max(1, 0.05 * len(all_mutants))
