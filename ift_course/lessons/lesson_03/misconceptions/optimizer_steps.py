import math

from ift_course.exercises.misconceptions import misconception, variants


def steps(
    n_examples, batch_size, accumulation, epochs, *, batches=None, per_epoch=None, total=None,
    refuse=True,
):  # fmt: skip
    if refuse and (min(n_examples, batch_size, accumulation) < 1 or epochs < 0):
        raise ValueError
    count = (batches or (lambda n, b: math.ceil(n / b)))(n_examples, batch_size)
    each = (per_epoch or (lambda n, a: math.ceil(n / a)))(count, accumulation)
    return (total or (lambda n, e: math.ceil(n * e)))(each, epochs)


wrong = variants(steps)

last_batch_dropped = wrong(
    "The last, smaller batch of an epoch is dropped; the trainer keeps it.",
    batches=lambda n, b: n // b,
)
last_accumulation_dropped = wrong(
    "Batches that are left at the end of an epoch are dropped; they make one more step.",
    per_epoch=lambda n, a: n // a,
)
accumulation_ignored = wrong(
    "These are batches; gradients of `accumulation` batches make one optimizer step.",
    per_epoch=lambda n, a: n,
)
epochs_ignored = wrong(
    "These are the steps of one epoch; multiply by the epochs.", total=lambda n, e: n
)
rounded_down = wrong(
    "A part of a step at the very end is dropped; round up.", total=lambda n, e: int(n * e)
)
epochs_rounded_up = wrong(
    "You round the epochs up; round the steps, once, at the end.",
    total=lambda n, e: n * math.ceil(e),
)


@misconception(
    "Batches are carried over from one epoch to the next; each epoch ends with a step of its own."
)
def epochs_joined(n_examples, batch_size, accumulation, epochs):
    if min(n_examples, batch_size, accumulation) < 1 or epochs < 0:
        raise ValueError
    return math.ceil(math.ceil(n_examples / batch_size) * epochs / accumulation)


@misconception(
    "All is divided at once, so what is left at the end of each epoch is counted only once."
)
def divided_at_once(n_examples, batch_size, accumulation, epochs):
    if min(n_examples, batch_size, accumulation) < 1 or epochs < 0:
        raise ValueError
    return math.ceil(n_examples * epochs / (batch_size * accumulation))


@misconception("A run without examples, batches or epochs has no meaning; raise a ValueError.")
def nothing_refused(n_examples, batch_size, accumulation, epochs):
    return steps(
        max(n_examples, 0), max(batch_size, 1), max(accumulation, 1), max(epochs, 0), refuse=False
    )
