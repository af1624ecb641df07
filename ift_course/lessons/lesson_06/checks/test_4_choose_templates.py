from itertools import pairwise
from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, integers, ordinary_case, refuses, require
from ift_course.exercises.learner import Learner


def chosen(learner: Learner, rows: int, templates: int, seed: int) -> list[int]:
    """The answer, which must have the number of a template for each row."""
    numbers = integers(learner.choose_templates(rows, templates, seed), rows)
    fits = all(0 <= x < templates for x in numbers)
    require(fits, f"The templates are numbered from 0 to {templates - 1}.", got=numbers)
    return numbers


def counts(learner: Learner, rows: int, templates: int, seed: int) -> list[int]:
    numbers = chosen(learner, rows, templates, seed)
    return [numbers.count(template) for template in range(templates)]


def some_seed(rng: Random) -> int:
    return rng.randrange(10**9)


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    """A number of rows that a few templates can share equally."""
    for _ in range(3):
        templates, each = rng.randint(2, 6), rng.randint(2, 9)
        equal(counts(learner, templates * each, templates, some_seed(rng)), [each] * templates)


@points(2, ordinary)
def test_balanced(learner, rng):
    """Every template is used equally often."""
    for rows, templates in ((30, 3), (40, 10), (5, 5), (8, 1)):
        equal(counts(learner, rows, templates, some_seed(rng)), [rows // templates] * templates)


@points(1, ordinary)
def test_rest(learner, rng):
    """With a remainder, the counts of two templates differ by at most one."""
    for rows, templates in ((31, 3), (47, 10), (3, 5), (1, 4)):
        for _ in range(5):
            used = sorted(counts(learner, rows, templates, some_seed(rng)))
            rest = rows % templates
            low = rows // templates
            equal(used, [low] * (templates - rest) + [low + 1] * rest)


@points(1, ordinary)
def test_rest_is_random(learner, rng):
    """Which templates are used once more is random."""
    for rows in (1, 7):
        used = [counts(learner, rows, 3, some_seed(rng)) for _ in range(40)]
        extra = {numbers.index(max(numbers)) for numbers in used}
        require(extra == {0, 1, 2}, "The same templates always get the extra rows.")


@points(2, ordinary)
def test_order_is_random(learner, rng):
    """The templates do not take turns: a row's template says nothing about the next one."""
    numbers = chosen(learner, 60, 3, some_seed(rng))
    steps = {(b - a) % 3 for a, b in pairwise(numbers)}
    require(steps == {0, 1, 2}, "The templates follow each other in a fixed pattern.", got=numbers)
    firsts = {chosen(learner, 9, 3, some_seed(rng))[0] for _ in range(40)}
    require(firsts == {0, 1, 2}, "The first row always gets the same template.")


@points(1, ordinary)
def test_seed(learner, rng):
    """The same seed gives the same list, and other seeds give others."""
    seed = some_seed(rng)
    first = chosen(learner, 50, 4, seed)
    equal(chosen(learner, 50, 4, seed), first, why="It was called with the same seed.")
    others = [chosen(learner, 50, 4, seed + i) for i in range(1, 5)]
    require(all(other != first for other in others), "Other seeds give the same list.")


@points(1, ordinary)
def test_other_random_numbers(learner, rng):
    """The seed alone decides: other calls in between do not change the list."""
    seed, other = some_seed(rng), some_seed(rng)
    first = chosen(learner, 20, 4, seed)
    chosen(learner, rng.randint(5, 30), 3, other)
    equal(chosen(learner, 20, 4, seed), first, why="It was called with the same seed.")


@points(1, ordinary)
def test_no_rows(learner, rng):
    """No rows need no templates."""
    equal(learner.choose_templates(0, 4, some_seed(rng)), [])


@points(1, ordinary)
def test_refusals(learner, rng):
    """Fewer than one template, or a negative number of rows, raise a ValueError."""
    refuses(learner.choose_templates, 4, 0, 0)
    refuses(learner.choose_templates, 0, 0, 0)
    refuses(learner.choose_templates, 4, -2, 0)
    refuses(learner.choose_templates, -1, 2, 0)
