import random

from ift_course.exercises.misconceptions import misconception


def refuse(rows, templates):
    if rows < 0 or templates < 1:
        raise ValueError


def deck(rows, templates):
    return [row % templates for row in range(rows)]


def extended(rows, templates, rng):
    found = deck(rows - rows % templates, templates)
    return found + rng.sample(range(templates), rows % templates)


@misconception("The templates take turns; in sorted data a template then stands for a label.")
def taking_turns(rows, templates, seed):
    refuse(rows, templates)
    return deck(rows, templates)


@misconception(
    "Each template is drawn freely; so a rare one may be missed. Use them equally often."
)
def drawn_freely(rows, templates, seed):
    refuse(rows, templates)
    rng = random.Random(f"free {seed}")
    return [rng.randrange(templates) for _ in range(rows)]


@misconception("The seed is not used: every seed gives the same list.")
def seed_ignored(rows, templates, seed):
    refuse(rows, templates)
    rng = random.Random("always")
    found = extended(rows, templates, rng)
    rng.shuffle(found)
    return found


@misconception("The first templates are always those that are used once more; draw which ones.")
def rest_to_the_first(rows, templates, seed):
    refuse(rows, templates)
    found = deck(rows, templates)
    random.Random(f"first {seed}").shuffle(found)
    return found


@misconception("Only where the turns begin is random; after that the templates take turns.")
def turns_from_a_random_start(rows, templates, seed):
    refuse(rows, templates)
    start = random.Random(f"start {seed}").randrange(templates)
    return [(start + row) % templates for row in range(rows)]


@misconception("Rows of one template stand side by side; shuffle the whole list.")
def side_by_side(rows, templates, seed):
    refuse(rows, templates)
    names = list(range(templates))
    random.Random(f"blocks {seed}").shuffle(names)
    return [names[row * templates // max(rows, 1)] for row in range(rows)]


@misconception("The rest of the division gets no template; every row needs one.")
def rest_without_template(rows, templates, seed):
    refuse(rows, templates)
    found = deck(rows - rows % templates, templates)
    random.Random(f"short {seed}").shuffle(found)
    return found


@misconception("The templates are numbered from 1; they begin with 0.")
def numbered_from_one(rows, templates, seed):
    refuse(rows, templates)
    rng = random.Random(f"one {seed}")
    found = [template + 1 for template in extended(rows, templates, rng)]
    rng.shuffle(found)
    return found


@misconception("No template at all, or a negative number of rows, is to be refused.")
def nothing_refused(rows, templates, seed):
    rng = random.Random(f"none {seed}")
    found = extended(max(rows, 0), max(templates, 1), rng)
    rng.shuffle(found)
    return found
