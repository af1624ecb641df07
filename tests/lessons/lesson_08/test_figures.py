"""The figures and sums of lesson 08, on results that are made up."""

import pytest

from ift_course.lessons.lesson_08 import experiment, figures, summary
from ift_course.lessons.lesson_08.experiment import ForgettingResult
from ift_course.lessons.lesson_08.recipes import (
    AVERAGE,
    LORA,
    PLAIN,
    RECIPES,
    SIZES,
    SPECIALTIES,
    Recipe,
    candidates,
)

SIZES_HERE = SIZES["tiny"]
N_SPECIAL = SIZES_HERE.special_questions
N_OTHERS = SIZES_HERE.per_family * len(experiment.other_families())


def digits(share: float, n: int) -> str:
    n_right = round(share * n)
    return "1" * n_right + "0" * (n - n_right)


def make_result(
    recipe: Recipe, seed: int, special: float, others: float, development: float = 0.5
) -> ForgettingResult:
    """A result with these shares of right answers, spread over the questions in order."""
    is_special = bool(recipe.family)
    is_plain = is_special and not (recipe.replay or recipe.rank or recipe.tuned < 1)
    return ForgettingResult(
        config=recipe, seed=seed,
        special=digits(special, N_SPECIAL) if is_special else "",
        others=digits(others, N_OTHERS),
        development=digits(development, 10) if is_special else "",
        before=digits(0, N_SPECIAL) if is_special else "",
        facts=1.0, track=[(8, 0.5, 0.5)] if is_plain else [],
        answers=dict.fromkeys(experiment.SAMPLE_PROMPTS, "Yes"), steps=32,
        seconds=1.0, date="2026-01-02", machine="a machine", base="b",
    )  # fmt: skip


@pytest.fixture
def results() -> list[ForgettingResult]:
    """Four experts with two rates each, of which the lower does better; two remedies of one."""
    rows = [make_result(RECIPES["general model"], seed, 0, 0.75) for seed in (0, 1)]
    for seed in (0, 1):
        for n, family in enumerate(SPECIALTIES):
            high, low = candidates(family, PLAIN)
            rows.append(make_result(high, seed, 1.0, 0, development=0.4))
            rows.append(make_result(low, seed, 0.8, n / 8, development=0.9))
        rows.append(make_result(candidates("yes_no", AVERAGE)[1], seed, 0.4, 0.625))
        rows.append(make_result(candidates("yes_no", LORA)[0], seed, 0.7, 0.5))
    return rows


def test_the_development_questions_choose_the_rate_and_an_average_follows_its_expert(results):
    _, low = candidates("yes_no", PLAIN)
    assert summary.best(results, "yes_no", PLAIN) == low
    assert summary.best(results, "yes_no", AVERAGE) == candidates("yes_no", AVERAGE)[1]


def test_equal_rates_give_the_lower_one():
    rows = [make_result(recipe, 0, 0.1, 0.1) for recipe in candidates("format", PLAIN)]
    assert summary.best(rows, "format", PLAIN).rate == min(row.config.rate for row in rows)


def test_a_gain_is_counted_from_what_needs_no_learning(results):
    of_yes_no = summary.outcome(results, "yes_no", PLAIN)
    constant = summary.share(of_yes_no.constant)
    assert 0.5 <= constant < 0.7
    assert of_yes_no.gain.mean == pytest.approx(0.8 - constant)
    assert of_yes_no.loss.mean == pytest.approx(0.75 - 0.125)
    low, high = of_yes_no.gain.interval
    assert low < of_yes_no.gain.mean < high


def test_each_method_that_was_measured_has_an_outcome(results):
    assert {x.method for x in summary.outcomes(results, "yes_no")} == {PLAIN, AVERAGE, LORA}
    assert {x.family for x in summary.outcomes(results, method=PLAIN)} == set(SPECIALTIES)
    gain, loss = summary.gains_and_losses(results, "yes_no")[LORA]
    assert loss == pytest.approx(0.25) and gain > 0


def test_the_pace_compares_what_is_gained_and_lost_with_the_end(results):
    points = summary.track(results, "yes_no")
    assert list(points) == [0, 8, 32]
    assert points[0] == pytest.approx((0.0, 0.75), abs=0.01)
    assert points[32] == pytest.approx((0.8, 0.125), abs=0.01)
    gain, loss = summary.pace(points, 8)
    assert gain == pytest.approx(0.5 / points[32][0])
    assert loss == pytest.approx((points[0][1] - 0.5) / (points[0][1] - points[32][1]))


def test_the_figures_say_their_numbers_and_draw(results):
    four, time = figures.specialties(results), figures.over_time(results)
    one = figures.remedies(results, "yes_no")
    assert "yes_no: specialty 0.80, before 0.00" in four.alt
    assert "0.50 and 0.50 after 8" in time.alt
    assert "LoRA: 0.70 on the specialty, 0.50 on the others" in one.alt
    for fig in (four, time, one):
        assert fig.png(400).startswith(b"\x89PNG")


def test_the_table_has_a_line_for_each_outcome(results):
    lines = figures.table(summary.outcomes(results)).splitlines()
    assert len(lines) == 1 + 4 + 2
    assert lines[1].split()[:4] == ["routing,", "expert", "0.80", "0.00"]


@pytest.mark.parametrize(
    "looks, words",
    [
        ({0: (0.0, 0.9), 8: (0.4, 0.9), 32: (0.8, 0.3)}, "the gain comes first"),
        ({0: (0.0, 0.9), 8: (0.1, 0.4), 32: (0.8, 0.3)}, "the loss comes first"),
        ({0: (0.0, 0.9), 8: (0.4, 0.6), 32: (0.8, 0.3)}, "gain and loss keep pace"),
        ({0: (0.0, 0.9), 8: (0.4, 0.2), 32: (0.8, 0.88)}, "hardly any loss"),
        ({0: (0.0, 0.9), 8: (0.0, 0.7), 32: (0.02, 0.5)}, "a loss, and hardly any gain"),
    ],
)
def test_the_words_for_the_pace_follow_from_the_scores(looks, words):
    assert figures.what_comes_first(looks) == words


@pytest.mark.parametrize(
    "interval, word",
    [((0.1, 0.3), "more"), ((-0.3, -0.1), "less"), ((-0.1, 0.1), "no clear difference")],
)
def test_a_comparison_says_no_more_than_its_interval(interval, word):
    change = summary.Change(sum(interval) / 2, interval)
    assert figures.compared(change).startswith(f"{word}, ")


def test_every_remedy_is_compared_with_the_expert(results):
    methods = {x.method: x for x in summary.outcomes(results, "yes_no")}
    lines = figures.verdicts(methods).splitlines()
    assert len(lines) == 1 + len(methods) - 1 + 1
    assert any(line.startswith("average: more, +0.50") for line in lines)


def test_the_methods_that_have_learned_are_named():
    rows = [make_result(RECIPES["general model"], seed, 0, 0.75) for seed in (0, 1)]
    for seed in (0, 1):
        rows.append(make_result(candidates("format", PLAIN)[1], seed, 0.8, 0.25))
        rows.append(make_result(candidates("format", LORA)[0], seed, 0.0, 0.5))
    methods = {x.method: x for x in summary.outcomes(rows, "format")}
    assert figures.verdicts(methods).splitlines()[-1] == (
        "Clearly above what needs no learning: expert."
    )


def test_where_nothing_is_learned_the_verdict_and_the_figure_say_so():
    rows = [make_result(RECIPES["general model"], seed, 0, 0.75) for seed in (0, 1)]
    for seed in (0, 1):
        rows.append(make_result(candidates("yes_no", PLAIN)[1], seed, 0.3, 0.25))
        rows.append(make_result(candidates("yes_no", LORA)[0], seed, 0.3, 0.5))
    methods = {x.method: x for x in summary.outcomes(rows, "yes_no")}
    assert "No method has learned yes_no" in figures.verdicts(methods)
    assert "no method learns yes_no" in figures.remedies(rows, "yes_no").alt


def test_the_rates_are_compared_where_an_expert_costs_something(results):
    text = figures.rate_verdicts(results)
    assert "format, at the lower rate: more, +0.38" in text
    assert "less, -0.20" in text


@pytest.mark.parametrize(
    "interval, bound, verdict",
    [
        ((0.2, 0.4), {"at_least": 0.1}, "as predicted"),
        ((0.0, 0.4), {"at_least": 0.1}, "undecided"),
        ((-0.3, 0.0), {"at_least": 0.1}, "not as predicted"),
        ((0.2, 0.4), {"at_most": 0.1}, "not as predicted"),
        ((-0.2, 0.0), {"at_most": 0.1}, "as predicted"),
    ],
)
def test_a_prediction_has_the_fate_of_its_interval(interval, bound, verdict):
    line = figures.prediction("it", summary.Change(0.1, interval), **bound)
    assert line.endswith(f": {verdict}") and line.startswith("it: predicted at ")
