import random

from ift_course.exercises.misconceptions import misconception


def mixture(new, earlier, percent, count, *, due=None, place=None):
    if not 0 <= percent <= 100:
        raise ValueError
    due = due or (lambda n: n * percent // 100)
    rows, used = [], {"new": 0, "earlier": 0}
    for n in range(1, count + 1):
        kind = "earlier" if due(n) > used["earlier"] else "new"
        source = earlier if kind == "earlier" else new
        if not source:
            raise ValueError
        i = place(n) if place else used[kind]
        rows.append(source[i % len(source)])
        used[kind] += 1
    return rows


@misconception("The earlier rows all come first, and are forgotten by the end; spread them evenly.")
def earlier_rows_first(new, earlier, percent, count):
    return mixture(new, earlier, percent, count, due=lambda n: count * percent // 100)


@misconception(
    "The earlier rows all come at the end, so for most of the training nothing is replayed; spread "
    "them evenly."
)
def earlier_rows_last(new, earlier, percent, count):
    first = count - count * percent // 100
    return mixture(new, earlier, percent, count, due=lambda n: max(0, n - first))


@misconception(
    "Each block begins with its earlier row; one is due only when its share is full, as with n * "
    "percent // 100."
)
def rounded_up(new, earlier, percent, count):
    return mixture(new, earlier, percent, count, due=lambda n: -(-n * percent // 100))


@misconception("The share is rounded to the nearest row; n * percent // 100 rounds down.")
def rounded_to_the_nearest(new, earlier, percent, count):
    return mixture(new, earlier, percent, count, due=lambda n: (n * percent + 50) // 100)


@misconception(
    "The rows are *added*, so there are more than `count` and the new task gets more training; "
    "replace rows."
)
def added_instead_of_replaced(new, earlier, percent, count):
    rows = mixture(new, earlier, 0, count)
    return rows + mixture(new, earlier, 100, count * percent // 100)


@misconception(
    "The percentage is taken as a share between 0 and 1; 5 stands for 5 rows of a hundred."
)
def percent_taken_as_a_share(new, earlier, percent, count):
    return mixture(new, earlier, percent, count, due=lambda n: int(n * percent))


@misconception(
    "The share is computed with floats, and 100 * 0.29 is 28.999…; n * percent // 100 is exact."
)
def float_share(new, earlier, percent, count):
    return mixture(new, earlier, percent, count, due=lambda n: int(n * (percent / 100)))


@misconception(
    "One row in 100 // percent is replayed, which is another share: 40 % would become one in two."
)
def every_so_many_rows(new, earlier, percent, count):
    step = max(1, 100 // percent) if percent > 0 else count + 1
    return mixture(new, earlier, percent, count, due=lambda n: n // step)


@misconception(
    "Both lists are read at the place in the mixture, so rows are skipped; each kind goes on where "
    "it was."
)
def one_place_for_both(new, earlier, percent, count):
    return mixture(new, earlier, percent, count, place=lambda n: n - 1)


@misconception(
    "The first earlier row is replayed again and again; go on through them, and then begin anew."
)
def always_the_first_row(new, earlier, percent, count):
    rows = mixture(new, range(len(earlier)), percent, count)
    return [x if type(x) is not int else earlier[0] for x in rows]


@misconception("The mixture ends when a kind is used up; it should begin again at its first row.")
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
    "The rows are drawn at random, so a share is met only on average, and another run differs."
)
def drawn_at_random(new, earlier, percent, count):
    if not 0 <= percent <= 100:
        raise ValueError
    rng = random.Random(0)
    kinds = [earlier if rng.random() < percent / 100 else new for _ in range(count)]
    if any(not kind for kind in kinds):
        raise ValueError
    return [rng.choice(kind) for kind in kinds]
