from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import (
    difference,
    equal,
    ordinary_case,
    refuses,
    require,
    unchanged,
)
from ift_course.exercises.learner import Learner
from ift_course.exercises.values import normalized

IGNORE = -100


def records(rng: Random, *lengths: int) -> list[dict[str, list[int]]]:
    result = []
    for length in lengths:
        ids = [rng.randrange(10, 9000) for _ in range(length)]
        result.append({"input_ids": ids, "labels": list(ids)})
    return result


def placed(lengths: list[int], capacity: int) -> list[list[int]]:
    """The items of each bin by best-fit decreasing."""
    bins: list[list[int]] = []
    room: list[int] = []
    for item in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        good = [(left, i) for i, left in enumerate(room) if left >= lengths[item]]
        if not good:
            bins.append([])
            room.append(capacity)
        place = min(good)[1] if good else len(bins) - 1
        bins[place].append(item)
        room[place] -= lengths[item]
    return bins


def expected(unpacked: list[dict], capacity: int) -> list[dict]:
    rows = []
    for items in placed([len(x["input_ids"]) for x in unpacked], capacity):
        row = {"input_ids": [], "labels": [], "position_ids": []}
        for item in items:
            for position, token in enumerate(unpacked[item]["input_ids"]):
                row["input_ids"].append(token)
                row["labels"].append(unpacked[item]["labels"][position] if position else IGNORE)
                row["position_ids"].append(position)
        rows.append(row)
    return rows


def column(packed, name: str):
    """One of the lists of every row; the answer itself if it does not have that form."""
    rows = normalized(packed)
    if type(rows) is not list or any(type(x) is not dict for x in rows):
        return packed
    return [row.get(name) for row in rows]


def compare(learner: Learner, unpacked: list[dict], capacity: int, *names: str) -> None:
    got = learner.pack(unpacked, capacity)
    for name in names:
        equal(column(got, name), column(expected(unpacked, capacity), name), f"This is {name}.")


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, records(rng, 3, 2), 6, "input_ids")


@points(2)
def test_placement(learner, rng):
    """The longest record goes first, each into the fullest row that has room."""
    compare(learner, records(rng, 5, 3, 4, 2, 2), 8, "input_ids")
    compare(learner, records(rng, 13, 11, 8, 1), 20, "input_ids")
    compare(learner, records(rng, *(rng.randint(1, 12) for _ in range(25))), 16, "input_ids")


@points(1)
def test_equals(learner, rng):
    """Among equal records the earlier goes first; among equal rows, the one opened first."""
    compare(learner, records(rng, 4, 4, 4, 2, 2, 2, 2), 6, "input_ids")
    compare(learner, records(rng, 3, 3, 3, 3), 6, "input_ids")
    compare(learner, records(rng, 5, 5, 5, 2, 1, 1), 7, "input_ids")


@points(2, ordinary)
def test_positions(learner, rng):
    """Positions begin at 0 in every record."""
    compare(learner, records(rng, 6, 3, 3, 2), 9, "position_ids")


@points(2)
def test_labels(learner, rng):
    """Labels move with their tokens, and the first label of every record is −100."""
    unpacked = records(rng, 5, 3, 2, 1)
    unpacked[0]["labels"][1] = IGNORE
    compare(learner, unpacked, 8, "labels")


@points(1)
def test_all_there(learner, rng):
    """Every token is in exactly one row, and no row is longer than the capacity."""
    unpacked = records(rng, *(rng.randint(1, 10) for _ in range(30)))
    ids = column(learner.pack(unpacked, 10), "input_ids")
    whole = type(ids) is list and all(type(row) is list for row in ids)
    require(whole, "There should be a list of rows, each with its input_ids.", got=ids)
    packed_tokens = sorted(repr(token) for row in ids for token in row)
    all_tokens = sorted(repr(token) for x in unpacked for token in x["input_ids"])
    require(
        difference(packed_tokens, all_tokens) is None,
        "Some tokens are missing or occur twice.",
    )
    require(all(len(row) <= 10 for row in ids), "A row is longer than the capacity.", got=ids)


@points(1)
def test_exact_fit(learner, rng):
    """A record as long as the capacity fills a row by itself; no records give no rows."""
    compare(learner, records(rng, 4, 4, 1), 4, "input_ids", "labels", "position_ids")
    equal(learner.pack([], 4), [])


@points(1, ordinary)
def test_refusals(learner, rng):
    """An empty record, and one longer than the capacity, are refused with a ValueError."""
    refuses(learner.pack, records(rng, 2, 0, 3), 8)
    refuses(learner.pack, records(rng, 2, 9), 8)


@points(1)
def test_records_stay(learner, rng):
    """The answer is right, and the records are left unchanged."""
    unpacked = records(rng, 3, 2)
    compare(learner, unpacked, 8, "input_ids")
    unchanged(learner, unpacked, 8)
