import pytest

from ift_course.lessons.lesson_03 import experiment, figures
from ift_course.lessons.lesson_03.config import Cell


@pytest.fixture
def rows(a_row):
    right = {0.0: "1111", 0.6: "1100", 0.9: "0000"}
    found = [
        a_row(Cell(n, share), seed, items=items)
        for n in (100, 1000)
        for share, items in right.items()
        for seed in (0, 1, 2)
    ]
    found += [a_row(Cell(3000, 0.6), s, items="1111") for s in (0, 1, 2)]
    found += [a_row(Cell(100, steps=experiment.STEPS), s) for s in (0, 1, 2)]
    return [*found, a_row(Cell(100, 0.6, ("wrong",)), 0), a_row(Cell(100, tasks=3), 0)]


def test_curves_hold_the_plain_cells_of_one_budget(rows):
    found = figures.by_share(rows, equal_steps=False)
    assert list(found) == ["curated", "60 % flawed", "90 % flawed"]
    assert list(found["60 % flawed"]) == [100, 1000, 3000]
    assert found["60 % flawed"][100] == [[1.0, 1.0, 0.0, 0.0]] * 3, "no other kind is mixed in"
    assert list(figures.by_share(rows, equal_steps=True)["curated"]) == [100]
    assert figures.by_share([], equal_steps=True) == {}


def test_the_least_number_that_replaces_the_reference(rows):
    reference = Cell(1000)
    assert figures.replaced_by(rows, reference, 0.6, slack=0.02) == 3000
    assert figures.replaced_by(rows, reference, 0.9, slack=0.02) is None
    assert figures.replaced_by(rows, reference, 0.6, slack=0.5) == 100


def test_the_explorer_shows_training_data_scores_and_answers(rows):
    view = figures.look(rows)
    html = view(100, "60 % flawed", "four epochs")
    assert "0.500" in html and "✗" in html and "✓" in html and "That." in html
    assert "Not measured" in view(300, "curated", "four epochs")
    for values in zip(*([v[0], v[-1]] for v in figures.options().values()), strict=True):
        assert view(*values)


def test_where_rows_are_from(rows):
    assert figures.origin(rows[:3]) == "3 seeds, 2026-01-02, a machine"
    assert figures.origin(rows) == "1 to 3 seeds, 2026-01-02, a machine"


def test_live_rows_stand_in_only_for_cells_that_are_not_stored(a_row):
    stored, live = [a_row(Cell(30), 0)], [a_row(Cell(30), 1), a_row(Cell(100), 1)]
    assert figures.either(stored, live) == [stored[0], live[1]]
    assert figures.either([], live) == live


def test_nothing_replaces_a_reference_that_was_not_measured(rows):
    assert figures.replaced_by(rows, Cell(77), 0.6, slack=0.1) is None
