import random

from ift_course.exercises.misconceptions import misconception, variants


def mixture(
    new, earlier, percent, count, *, due=lambda n, percent, count: n * percent // 100, place=None
):
    if not 0 <= percent <= 100:
        raise ValueError
    rows, used = [], {"new": 0, "earlier": 0}
    for n in range(1, count + 1):
        kind = "earlier" if due(n, percent, count) > used["earlier"] else "new"
        source = earlier if kind == "earlier" else new
        if not source:
            raise ValueError
        i = place(n) if place else used[kind]
        rows.append(source[i % len(source)])
        used[kind] += 1
    return rows


wrong = variants(mixture)

earlier_rows_first = wrong(
    "The earlier rows all come first and are forgotten by the end; spread them evenly.",
    due=lambda n, percent, count: count * percent // 100,
)
earlier_rows_last = wrong(
    "The earlier rows all come at the end, so nothing is replayed for most of the training; "
    "spread them evenly.",
    due=lambda n, percent, count: max(0, n - count + count * percent // 100),
)
rounded_up = wrong(
    "Each block begins with its earlier row; a row is due only when its share is full, as in n * "
    "percent // 100.",
    due=lambda n, percent, count: -(-n * percent // 100),
)
rounded_to_the_nearest = wrong(
    "The share is rounded to the nearest row; n * percent // 100 rounds down.",
    due=lambda n, percent, count: (n * percent + 50) // 100,
)


@misconception(
    "The earlier rows are *added*, so there are more than `count`; replace rows instead."
)
def added_instead_of_replaced(new, earlier, percent, count):
    rows = mixture(new, earlier, 0, count)
    return rows + mixture(new, earlier, 100, count * percent // 100)


percent_taken_as_a_share = wrong(
    "The percentage is used as a share between 0 and 1; 5 means 5 rows in a hundred.",
    due=lambda n, percent, count: int(n * percent),
)
float_share = wrong(
    "The share is computed with floats, and 100 * 0.29 is 28.999…; n * percent // 100 is exact.",
    due=lambda n, percent, count: int(n * (percent / 100)),
)
every_so_many_rows = wrong(
    "You replay one row in 100 // percent, which is another share: 40 % would become one in two.",
    due=lambda n, percent, count: n // max(1, 100 // percent) if percent > 0 else 0,
)
one_place_for_both = wrong(
    "Both lists are read at the position in the mixture, so rows are skipped; each kind should "
    "continue where it stopped.",
    place=lambda n: n - 1,
)


@misconception(
    "The first earlier row is replayed again and again; go through all of them, then start over."
)
def always_the_first_row(new, earlier, percent, count):
    rows = mixture(new, range(len(earlier)), percent, count)
    return [x if type(x) is not int else earlier[0] for x in rows]


@misconception("The mixture ends when a kind is used up; it should start over at its first row.")
def ends_when_used_up(new, earlier, percent, count):
    rows, used = [], {"new": 0, "earlier": 0}
    if not 0 <= percent <= 100:
        raise ValueError
    for n in range(1, count + 1):
        kind = "earlier" if n * percent // 100 > used["earlier"] else "new"
        source = earlier if kind == "earlier" else new
        if not source:
            raise ValueError
        if used[kind] == len(source):
            break
        rows.append(source[used[kind]])
        used[kind] += 1
    return rows


@misconception(
    "The rows are drawn at random, so the share is met only on average and differs from run to run."
)
def drawn_at_random(new, earlier, percent, count):
    if not 0 <= percent <= 100:
        raise ValueError
    rng = random.Random(0)
    kinds = [earlier if rng.random() < percent / 100 else new for _ in range(count)]
    if any(not kind for kind in kinds):
        raise ValueError
    return [rng.choice(kind) for kind in kinds]
