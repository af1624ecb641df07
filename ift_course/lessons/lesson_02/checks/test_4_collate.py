from random import Random

import torch

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, refuses, unchanged
from ift_course.exercises.learner import Learner

IGNORE = -100


def rows(rng: Random, *lengths: int) -> list[dict[str, list[int]]]:
    result = []
    for length in lengths:
        ids = [rng.randrange(10, 90) for _ in range(length)]
        result.append({"input_ids": ids, "labels": [IGNORE] * (length // 2) + ids[length // 2 :]})
    return result


def expected(records: list[dict], pad: int, length: int) -> dict:
    shape = (len(records), length)
    batch = {
        "input_ids": torch.full(shape, pad),
        "labels": torch.full(shape, IGNORE),
        "attention_mask": torch.zeros(shape, dtype=torch.int64),
    }
    for i, row in enumerate(records):
        for j, (token, label) in enumerate(zip(row["input_ids"], row["labels"], strict=True)):
            batch["input_ids"][i, j] = token
            batch["labels"][i, j] = label
            batch["attention_mask"][i, j] = 1
    return batch


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    records = rows(rng, 4, 5)
    equal(learner.collate(records, 0), expected(records, 0, 5))


@points(2)
def test_padded_on_the_right(learner, rng):
    """Shorter rows are padded on the right: ids, labels, and attention mask."""
    records = rows(rng, 3, 6, 4)
    equal(learner.collate(records, 0), expected(records, 0, 6))


@points(1)
def test_one_row(learner, rng):
    """A batch of one row has no padding and two dimensions."""
    records = rows(rng, 5)
    equal(learner.collate(records, 7), expected(records, 7, 5))


@points(2, ordinary)
def test_padding_token_in_a_row(learner, rng):
    """A token of a row counts even if it has the padding token's id."""
    records = [
        {"input_ids": [11, 12, 2], "labels": [IGNORE, 12, 2]},
        {"input_ids": [2, 13, 14, 15, 2], "labels": [IGNORE, IGNORE, 14, 15, 2]},
    ]
    equal(learner.collate(records, 2), expected(records, 2, 5))


@points(1)
def test_multiple(learner, rng):
    """The length is rounded up to a multiple, and stays if it already is one."""
    for length, rounded in ((5, 8), (8, 8), (9, 16)):
        records = rows(rng, 2, length)
        equal(learner.collate(records, 1, 8), expected(records, 1, rounded))
    records = rows(rng, 6, 4)
    equal(learner.collate(records, 1, 3), expected(records, 1, 6))


@points(1, ordinary)
def test_no_rows(learner, rng):
    """An empty list of rows is refused with a ValueError."""
    refuses(learner.collate, [], 0)


@points(1)
def test_rows_stay(learner, rng):
    """The answer is right, and the rows are left unchanged."""
    records = rows(rng, 2, 4)
    equal(learner.collate(records, 0), expected(records, 0, 4))
    unchanged(learner, records, 0)
