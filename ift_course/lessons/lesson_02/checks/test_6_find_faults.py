from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, unchanged
from ift_course.exercises.learner import Learner

END, PAD, IGNORE = 2, 0, -100


def batch(*rows: tuple[list[int], list[int]]) -> tuple[list, list, list]:
    """ids, labels, and attention mask; 0 is padding."""
    ids = [ids for ids, _ in rows]
    return ids, [labels for _, labels in rows], [[int(x != PAD) for x in row] for row in ids]


def row(
    rng: Random, prompt: int = 3, answer: int = 2, padding: int = 2
) -> tuple[list[int], list[int]]:
    """A row without a fault."""
    question = [rng.randrange(10, 50) for _ in range(prompt)]
    response = [*(rng.randrange(50, 90) for _ in range(answer)), END]
    return question + response + [PAD] * padding, [IGNORE] * prompt + response + [IGNORE] * padding


def compare(learner: Learner, rows: list[tuple], expected: list[str]) -> None:
    equal(learner.find_faults(*batch(*rows), END), expected)


def some_row(rng: Random) -> tuple[list[int], list[int]]:
    """A row without a fault, of an unpredictable length."""
    return row(rng, rng.randint(2, 12), rng.randint(1, 9), rng.randint(1, 6))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    """Batches of one row, some with a label at the first position."""
    for _ in range(12):
        ids, labels = some_row(rng)
        if rng.random() < 0.5:
            compare(learner, [(ids, labels)], [])
        else:
            compare(learner, [(ids, [ids[0], *labels[1:]])], ["prompt trained"])


@points(1, ordinary)
def test_no_fault(learner, rng):
    """A correct batch has no fault, and neither has one without rows."""
    compare(learner, [row(rng), row(rng, 4, 1)], [])
    compare(learner, [], [])


@points(1, ordinary)
def test_padding_trained(learner, rng):
    """A label on the padding is found."""
    ids, labels = row(rng)
    compare(learner, [row(rng), (ids, [*labels[:-1], PAD])], ["padding trained"])


@points(1, ordinary)
def test_nothing_trained(learner, rng):
    """A row without any label is found, and counts as no other fault."""
    ids, labels = row(rng)
    compare(learner, [(ids, [IGNORE] * len(labels)), row(rng)], ["nothing trained"])


@points(1, ordinary)
def test_prompt_trained(learner, rng):
    """A label at the first position is found; one at the second is not a fault."""
    ids, labels = row(rng)
    compare(learner, [(ids, [ids[0], *labels[1:]])], ["prompt trained"])
    compare(learner, [(ids, [labels[0], ids[1], *labels[2:]])], [])


@points(2, ordinary)
def test_end_not_trained(learner, rng):
    """An end after the first label that has no label itself is found."""
    ids, labels = row(rng)
    compare(
        learner, [row(rng), (ids, [IGNORE if x == END else x for x in labels])], ["end not trained"]
    )
    compare(learner, [([10, 60, END, 61], [IGNORE, 60, IGNORE, 61])], ["end not trained"])


@points(1, ordinary)
def test_no_end_after_the_answer(learner, rng):
    """An answer cut off before its end is not a fault, nor is an end in the prompt."""
    ids, labels = row(rng, padding=0)
    compare(learner, [(ids[:-1], labels[:-1])], [])
    compare(learner, [([END, END, *ids[:-1]], [IGNORE, IGNORE, *labels[:-1]])], [])


@points(2, ordinary)
def test_labels_shifted(learner, rng):
    """Labels that were already shifted are found."""
    ids, labels = row(rng)
    compare(learner, [row(rng), (ids, [*labels[1:], IGNORE])], ["labels shifted"])


@points(2, ordinary)
def test_several(learner, rng):
    """Several faults are named once each, in the docstring's order, whatever rows they are in."""
    ids, labels = row(rng, padding=1)
    nothing = (ids, [IGNORE] * len(ids))
    copied = (ids, list(ids))
    endless = (ids, [IGNORE if x == END else x for x in labels])
    shifted = (ids, [*labels[1:], IGNORE])
    everything = [
        "padding trained",
        "nothing trained",
        "prompt trained",
        "end not trained",
        "labels shifted",
    ]
    compare(learner, [shifted, endless, nothing, copied, endless], everything)
    compare(learner, [copied, copied], ["padding trained", "prompt trained"])
    compare(learner, [nothing, shifted], ["nothing trained", "labels shifted"])


@points(1, ordinary)
def test_batch_stays(learner, rng):
    """The answer is right, and the batch is left unchanged."""
    columns = batch(row(rng), row(rng))
    equal(learner.find_faults(*columns, END), [])
    unchanged(learner, *columns, END)
