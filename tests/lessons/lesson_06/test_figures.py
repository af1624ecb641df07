"""The figures of lesson 06 show the values of the results."""

import pytest

from ift_course.lessons.lesson_06 import experiment, figures
from ift_course.lessons.lesson_06.experiment import COUNTS, MultitaskConfig, MultitaskResult
from ift_course.world.tasks import HELD_OUT_FAMILIES


def make_result(config: MultitaskConfig, seed: int, held_out: str, **items: str) -> MultitaskResult:
    return MultitaskResult(
        config=config, seed=seed, items={"held out": held_out, **items},
        families=experiment.family_order(seed)[: config.families],
        answers={"What?": "<That>"}, steps=3,
        loss=0.5, seconds=1.0, date=f"2026-01-0{seed + 1}", base="b", machine="a machine",
        threads=1,
    )  # fmt: skip


RESULTS = [
    make_result(MultitaskConfig(1), 1, "1000000000", tuned="11"),
    make_result(MultitaskConfig(1), 0, "1100000000", tuned="10"),
    make_result(MultitaskConfig(experiment.ALL), 0, "1111111100"),
    make_result(MultitaskConfig(0), 0, "0000000000", **{"in prose": "11111100--"}),
    make_result(MultitaskConfig(0, base="prose"), 0, "0000000000", **{"in prose": "00--110011"}),
]


def test_an_arm_has_its_seeds_in_order():
    assert [sum(seed) for seed in figures.arm(RESULTS, MultitaskConfig(1))] == [2, 1]
    assert figures.arm(RESULTS, MultitaskConfig(1), "tuned") == [[1.0, 0.0], [1.0, 1.0]]
    assert figures.arm(RESULTS, MultitaskConfig(4)) == []


def test_arms_are_paired_by_the_seeds_that_all_have():
    one, eleven = figures.paired(RESULTS, MultitaskConfig(1), MultitaskConfig(experiment.ALL))
    assert [sum(seed) for seed in one] == [2] and [sum(seed) for seed in eleven] == [8]
    assert figures.paired(RESULTS, MultitaskConfig(1), MultitaskConfig(4)) == [[], []]


def test_a_line_has_the_plain_configs_of_one_base():
    extra = make_result(MultitaskConfig(4, one_wording=True), 0, "1111111111")
    assert set(figures.by_families([*RESULTS, extra])) == {1, experiment.ALL}
    assert figures.by_families(RESULTS, "prose") == {}


def test_the_table_splits_the_questions_by_family_in_their_order():
    table = figures.by_held_out(RESULTS)
    first, last = HELD_OUT_FAMILIES[0], HELD_OUT_FAMILIES[-1]
    assert table["1", first] == 0.75 and table["1", last] == 0.0
    assert table[str(experiment.ALL), first] == 1.0 and table[str(experiment.ALL), last] == 0.0
    assert {count for count, _ in table} <= {str(count) for count in COUNTS}


def test_one_family_may_be_left_out():
    table = figures.without("summary", [[1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 5.0, 5.0]])
    index = HELD_OUT_FAMILIES.index("summary") + 1
    assert table == [[float(n) for n in range(1, 6) for _ in range(2) if n != index]]


def test_in_flans_way_each_family_is_asked_of_the_model_that_tests_it():
    results = [make_result(MultitaskConfig(1), 0, "1100000000")]
    for family in HELD_OUT_FAMILIES:
        scores = "10" if family == "summary" else "11"
        results.append(
            make_result(experiment.fair_config(experiment.ALL_BUT_ONE, family, 0), 0, scores)
        )
    # The neighbor of this family was tuned on.
    of_neighbor = make_result(MultitaskConfig(experiment.ALL_BUT_ONE, tested="summary"), 0, "00")
    start = 2 * HELD_OUT_FAMILIES.index("summary")
    [everything] = figures.one_at_a_time([*results, of_neighbor], experiment.ALL_BUT_ONE)
    assert everything == [[1.0] * (start + 1) + [0.0] + [1.0] * (10 - start - 2)]
    both = figures.one_at_a_time(results, experiment.ALL_BUT_ONE, 1)
    assert both == [everything, [[1.0, 1.0] + [0.0] * 8]]
    assert set(figures.in_flans_way(results)) == {1, experiment.ALL_BUT_ONE}
    assert figures.by_held_out(results)[figures.ALL_OTHERS, "summary"] == 0.5


def test_in_flans_way_a_seed_counts_only_with_every_family():
    configs = [
        experiment.fair_config(experiment.ALL_BUT_ONE, family, 0) for family in HELD_OUT_FAMILIES
    ]
    assert figures.one_at_a_time(
        [make_result(config, 0, "11") for config in configs[1:]], 15, 15
    ) == [[], []]
    assert figures.in_flans_way([]) == {}


def test_before_and_after_are_compared_on_the_questions_that_are_sentences():
    before, after = figures.in_prose(RESULTS, "shipped", MultitaskConfig(experiment.ALL))
    assert before == [[1.0] * 6 + [0.0] * 2]
    assert after == [[1.0] * 8]
    assert figures.in_prose(RESULTS, "prose", MultitaskConfig(experiment.ALL, base="prose")) == (
        [],
        [],
    )


def test_the_origin_of_results():
    assert figures.origin(RESULTS) == "2 seeds, 2026-01-01 to 2026-01-02, a machine"
    assert figures.origin(RESULTS[1:2]) == "1 seed, 2026-01-01, a machine"


@pytest.mark.parametrize("kind", list(figures.KINDS))
def test_every_position_of_the_sliders_shows_something(kind):
    options = figures.options()
    assert kind in options["tuned"]
    for count in options["families"]:
        html = figures.explorer_view(RESULTS)(count, kind)
        assert "Not measured" in html or "&lt;That&gt;" in html
    assert "1.00" not in figures.explorer_view(RESULTS)(1, "as usual")
    assert "0.20, 0.10" in figures.explorer_view(RESULTS)(1, "as usual")
