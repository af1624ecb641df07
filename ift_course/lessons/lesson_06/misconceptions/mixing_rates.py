import math

from ift_course.exercises.misconceptions import misconception


def shares(weights):
    total = sum(weights.values())
    return {task: weight / total for task, weight in weights.items()}


def refuse(sizes, cap, temperature):
    if cap < 1 or temperature <= 0 or not any(sizes.values()):
        raise ValueError


@misconception("The cap is not used; a task counts with at most `cap` examples.")
def no_cap(sizes, cap, temperature=1.0):
    refuse(sizes, cap, temperature)
    return shares({task: size ** (1 / temperature) for task, size in sizes.items()})


@misconception("The temperature is not used; take the power 1 / temperature.")
def no_temperature(sizes, cap, temperature=1.0):
    refuse(sizes, cap, temperature)
    return shares({task: min(size, cap) for task, size in sizes.items()})


@misconception("The power is the temperature itself; it should be 1 / temperature.")
def power_upside_down(sizes, cap, temperature=1.0):
    refuse(sizes, cap, temperature)
    return shares({task: min(size, cap) ** temperature for task, size in sizes.items()})


@misconception("The cap cuts what the temperature has changed already; cut the sizes first.")
def cap_after_the_temperature(sizes, cap, temperature=1.0):
    refuse(sizes, cap, temperature)
    return shares({task: min(size ** (1 / temperature), cap) for task, size in sizes.items()})


@misconception(
    "The divisor is the sum of the uncapped sizes; divide by the sum of what is counted, so that "
    "the shares add up to 1."
)
def divided_by_all_examples(sizes, cap, temperature=1.0):
    refuse(sizes, cap, temperature)
    total = sum(size ** (1 / temperature) for size in sizes.values())
    return {task: min(size, cap) ** (1 / temperature) / total for task, size in sizes.items()}


@misconception("These are weights, not shares; divide them by their sum.")
def not_divided(sizes, cap, temperature=1.0):
    refuse(sizes, cap, temperature)
    return {task: float(min(size, cap) ** (1 / temperature)) for task, size in sizes.items()}


@misconception("Every task gets the same share; they count with their sizes.")
def all_equal(sizes, cap, temperature=1.0):
    refuse(sizes, cap, temperature)
    return {task: 1 / len(sizes) for task in sizes}


@misconception("This is the softmax of logits; a size has a power taken, not an exponential.")
def softmax_of_sizes(sizes, cap, temperature=1.0):
    refuse(sizes, cap, temperature)
    counted = {task: min(size, cap) / temperature for task, size in sizes.items()}
    top = max(counted.values())
    return shares({task: math.exp(x - top) for task, x in counted.items()})


@misconception("A task without examples is given a share; it has none.")
def empty_tasks_get_a_share(sizes, cap, temperature=1.0):
    refuse(sizes, cap, temperature)
    return shares({t: max(1, min(size, cap)) ** (1 / temperature) for t, size in sizes.items()})


@misconception("Mixtures that make no sense are to be refused with a ValueError.")
def nothing_refused(sizes, cap, temperature=1.0):
    try:
        return shares({t: min(size, cap) ** (1 / temperature) for t, size in sizes.items()})
    except (ArithmeticError, TypeError):
        return dict.fromkeys(sizes, 0.0)
