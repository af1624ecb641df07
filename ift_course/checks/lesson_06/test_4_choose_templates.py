import random
from itertools import pairwise

from ift_course.checks import points
from ift_course.checks.compare import equal, refuses, true


def chosen(learner, rows: int, templates: int, seed: int) -> list[int]:
    """The answer, if it has a number of a template for each row."""
    got = learner.choose_templates(rows, templates, seed)
    right = type(got) is list and len(got) == rows and all(type(x) is int for x in got)
    true(right, f"There should be a list of {rows} whole numbers.", got=got)
    fits = all(0 <= x < templates for x in got)
    true(fits, f"The templates are numbered from 0 to {templates - 1}.", got=got)
    return got


def counts(learner, rows: int, templates: int, seed: int) -> list[int]:
    got = chosen(learner, rows, templates, seed)
    return [got.count(template) for template in range(templates)]


@points(2)
def test_balanced(learner):
    """Every template is used equally often."""
    for rows, templates in ((30, 3), (40, 10), (5, 5), (8, 1)):
        equal(counts(learner, rows, templates, seed=3), [rows // templates] * templates)


@points(1)
def test_rest(learner):
    """With a rest, no template is used more than once more than another."""
    for rows, templates in ((31, 3), (47, 10), (3, 5), (1, 4)):
        for seed in range(5):
            found = sorted(counts(learner, rows, templates, seed))
            rest = rows % templates
            low = rows // templates
            equal(found, [low] * (templates - rest) + [low + 1] * rest)


@points(1)
def test_rest_is_random(learner):
    """Which templates are used once more is random."""
    for rows in (1, 7):
        most = [counts(learner, rows, 3, seed) for seed in range(40)]
        often = {found.index(max(found)) for found in most}
        true(often == {0, 1, 2}, "It is always the same templates that are used once more.")


@points(2)
def test_order_is_random(learner):
    """The templates do not take turns: which one a row gets says nothing about the next."""
    got = chosen(learner, 60, 3, seed=1)
    steps = {(b - a) % 3 for a, b in pairwise(got)}
    true(steps == {0, 1, 2}, "The templates follow each other by a rule.", got=got)
    firsts = {chosen(learner, 9, 3, seed)[0] for seed in range(40)}
    true(firsts == {0, 1, 2}, "The first row always gets the same template.")


@points(1)
def test_seed(learner):
    """The same seed gives the same list, other seeds give others."""
    first = chosen(learner, 50, 4, seed=7)
    equal(chosen(learner, 50, 4, seed=7), first, why="It was called with the same seed.")
    others = [chosen(learner, 50, 4, seed) for seed in range(8, 12)]
    true(all(other != first for other in others), "Other seeds give the same list.")


@points(1)
def test_other_random_numbers(learner):
    """Python's own random numbers neither decide anything nor are changed."""
    before = random.getstate()
    try:
        random.seed(1)
        first = chosen(learner, 20, 4, seed=5)
        random.seed(2)
        equal(chosen(learner, 20, 4, seed=5), first, why="It was called with the same seed.")
        random.seed(3)
        wanted = random.random()
        random.seed(3)
        chosen(learner, 20, 4, seed=5)
        true(random.random() == wanted, "Python's own random numbers were changed.")
    finally:
        random.setstate(before)


@points(1)
def test_no_rows(learner):
    """No rows need no templates."""
    equal(learner.choose_templates(0, 4, 0), [])


@points(1)
def test_refusals(learner):
    """Less than one template, or a negative number of rows, raise a ValueError."""
    refuses(learner.choose_templates, 4, 0, 0)
    refuses(learner.choose_templates, 0, 0, 0)
    refuses(learner.choose_templates, 4, -2, 0)
    refuses(learner.choose_templates, -1, 2, 0)
