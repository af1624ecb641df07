import random

from ift_course.exercises.misconceptions import misconception


def refuse(rows, templates):
    if rows < 0 or templates < 1:
        raise ValueError


def deck(rows, templates):
    return [row % templates for row in range(rows)]


def extended(rows, templates, rng):
    numbers = deck(rows - rows % templates, templates)
    return numbers + rng.sample(range(templates), rows % templates)


@misconception("The templates take turns; in sorted data a template could then reveal the label.")
def taking_turns(rows, templates, seed):
    refuse(rows, templates)
    return deck(rows, templates)


@misconception(
    "Each template is drawn independently, so some may be missed; use all equally often."
)
def drawn_freely(rows, templates, seed):
    refuse(rows, templates)
    rng = random.Random(f"free {seed}")
    return [rng.randrange(templates) for _ in range(rows)]


@misconception("The seed is not used: every seed gives the same list.")
def seed_ignored(rows, templates, seed):
    refuse(rows, templates)
    rng = random.Random("always")
    numbers = extended(rows, templates, rng)
    rng.shuffle(numbers)
    return numbers


@misconception("The first templates always get the extra rows; draw which ones do.")
def rest_to_the_first(rows, templates, seed):
    refuse(rows, templates)
    numbers = deck(rows, templates)
    random.Random(f"first {seed}").shuffle(numbers)
    return numbers


@misconception("Only the start is random; after that the templates take turns.")
def turns_from_a_random_start(rows, templates, seed):
    refuse(rows, templates)
    start = random.Random(f"start {seed}").randrange(templates)
    return [(start + row) % templates for row in range(rows)]


@misconception("Rows of one template are next to each other; shuffle the whole list.")
def side_by_side(rows, templates, seed):
    refuse(rows, templates)
    names = list(range(templates))
    random.Random(f"blocks {seed}").shuffle(names)
    return [names[row * templates // max(rows, 1)] for row in range(rows)]


@misconception("The remainder of the division gets no template; every row needs one.")
def rest_without_template(rows, templates, seed):
    refuse(rows, templates)
    numbers = deck(rows - rows % templates, templates)
    random.Random(f"short {seed}").shuffle(numbers)
    return numbers


@misconception("The templates are numbered from 1; start at 0.")
def numbered_from_one(rows, templates, seed):
    refuse(rows, templates)
    rng = random.Random(f"one {seed}")
    numbers = [template + 1 for template in extended(rows, templates, rng)]
    rng.shuffle(numbers)
    return numbers


@misconception("Fewer than one template, or a negative number of rows, should be refused.")
def nothing_refused(rows, templates, seed):
    rng = random.Random(f"none {seed}")
    numbers = extended(max(rows, 0), max(templates, 1), rng)
    rng.shuffle(numbers)
    return numbers
