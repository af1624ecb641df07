"""What lesson 06 draws is what the rows say."""

import pytest

from ift_course.lessons.lesson_06 import experiment
from ift_course.lessons.lesson_06 import figures as views
from ift_course.lessons.lesson_06.experiment import COUNTS, Cell, Row
from ift_course.world.tasks import HELD_OUT_FAMILIES


def a_row(cell: Cell, seed: int, held_out: str, **items: str) -> Row:
    return Row(
        cell=cell, seed=seed, items={"held out": held_out, **items},
        families=experiment.order(seed)[: cell.families], said={"What?": "<That>"}, steps=3,
        loss=0.5, seconds=1.0, date=f"2026-01-0{seed + 1}", base="b", machine="a machine",
        threads=1,
    )  # fmt: skip


ROWS = [
    a_row(Cell(1), 1, "1000000000", tuned="11"),
    a_row(Cell(1), 0, "1100000000", tuned="10"),
    a_row(Cell(experiment.ALL), 0, "1111111100"),
    a_row(Cell(0), 0, "0000000000", **{"in prose": "11111100--"}),
    a_row(Cell(0, base="prose"), 0, "0000000000", **{"in prose": "00--110011"}),
]


def test_an_arm_has_its_seeds_in_order():
    assert [sum(seed) for seed in views.arm(ROWS, Cell(1))] == [2, 1]
    assert views.arm(ROWS, Cell(1), "tuned") == [[1.0, 0.0], [1.0, 1.0]]
    assert views.arm(ROWS, Cell(4)) == []


def test_arms_are_paired_by_the_seeds_that_all_have():
    one, eleven = views.paired(ROWS, Cell(1), Cell(experiment.ALL))
    assert [sum(seed) for seed in one] == [2] and [sum(seed) for seed in eleven] == [8]
    assert views.paired(ROWS, Cell(1), Cell(4)) == [[], []]


def test_a_line_has_the_plain_cells_of_one_base():
    extra = a_row(Cell(4, one_wording=True), 0, "1111111111")
    assert set(views.by_families([*ROWS, extra])) == {1, experiment.ALL}
    assert views.by_families(ROWS, "prose") == {}


def test_the_table_splits_the_questions_by_family_in_their_order():
    table = views.by_held_out(ROWS)
    first, last = HELD_OUT_FAMILIES[0], HELD_OUT_FAMILIES[-1]
    assert table["1", first] == 0.75 and table["1", last] == 0.0
    assert table[str(experiment.ALL), first] == 1.0 and table[str(experiment.ALL), last] == 0.0
    assert {count for count, _ in table} <= {str(count) for count in COUNTS}


def test_one_family_may_be_left_out():
    table = views.without("summary", [[1.0, 1.0, 2.0, 2.0, 3.0, 3.0, 4.0, 4.0, 5.0, 5.0]])
    place = HELD_OUT_FAMILIES.index("summary") + 1
    assert table == [[float(n) for n in range(1, 6) for _ in range(2) if n != place]]


def test_in_flans_way_each_family_is_asked_of_the_model_that_tests_it():
    rows = [a_row(Cell(1), 0, "1100000000")]
    for family in HELD_OUT_FAMILIES:
        scores = "10" if family == "summary" else "11"
        rows.append(a_row(experiment.fair_cell(experiment.ALL_BUT_ONE, family, 0), 0, scores))
    kept = a_row(
        Cell(experiment.ALL_BUT_ONE, tested="summary"), 0, "00"
    )  # its neighbor was tuned on
    place = 2 * HELD_OUT_FAMILIES.index("summary")
    [everything] = views.one_at_a_time([*rows, kept], experiment.ALL_BUT_ONE)
    assert everything == [[1.0] * (place + 1) + [0.0] + [1.0] * (10 - place - 2)]
    both = views.one_at_a_time(rows, experiment.ALL_BUT_ONE, 1)
    assert both == [everything, [[1.0, 1.0] + [0.0] * 8]]
    assert set(views.in_flans_way(rows)) == {1, experiment.ALL_BUT_ONE}
    assert views.by_held_out(rows)[views.ALL_OTHERS, "summary"] == 0.5


def test_in_flans_way_a_seed_counts_only_with_every_family():
    cells = [
        experiment.fair_cell(experiment.ALL_BUT_ONE, family, 0) for family in HELD_OUT_FAMILIES
    ]
    assert views.one_at_a_time([a_row(cell, 0, "11") for cell in cells[1:]], 15, 15) == [[], []]
    assert views.in_flans_way([]) == {}


def test_before_and_after_are_compared_on_the_questions_that_are_sentences():
    before, after = views.in_prose(ROWS, "shipped", Cell(experiment.ALL))
    assert before == [[1.0] * 6 + [0.0] * 2]
    assert after == [[1.0] * 8]
    assert views.in_prose(ROWS, "prose", Cell(experiment.ALL, base="prose")) == ([], [])


def test_where_rows_are_from():
    assert views.origin(ROWS) == "2 seeds, 2026-01-01 to 2026-01-02, a machine"
    assert views.origin(ROWS[1:2]) == "1 seed, 2026-01-01, a machine"


@pytest.mark.parametrize("kind", list(views.KINDS))
def test_every_position_of_the_sliders_shows_something(kind):
    options = views.options()
    assert kind in options["tuned"]
    for count in options["families"]:
        shown = views.look(ROWS)(count, kind)
        assert "Not measured" in shown or "&lt;That&gt;" in shown
    assert "1.00" not in views.look(ROWS)(1, "as usual")
    assert "0.20, 0.10" in views.look(ROWS)(1, "as usual")
