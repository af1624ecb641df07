import math

from ift_course.exercises.misconceptions import misconception, variants


def shares(weights):
    total = sum(weights.values())
    return {task: weight / total for task, weight in weights.items()}


def rates(
    sizes, cap, temperature=1.0, *, divide=shares,
    weight=lambda size, cap, temperature: min(size, cap) ** (1 / temperature),
):  # fmt: skip
    if cap < 1 or temperature <= 0 or not any(sizes.values()):
        raise ValueError
    return divide({task: weight(size, cap, temperature) for task, size in sizes.items()})


wrong = variants(rates)

no_cap = wrong(
    "The cap is not used; a task counts with at most `cap` examples.",
    weight=lambda size, cap, t: size ** (1 / t),
)
no_temperature = wrong(
    "The temperature is not used; raise each size to the power 1 / temperature.",
    weight=lambda size, cap, t: min(size, cap),
)
power_upside_down = wrong(
    "The exponent is the temperature itself; it should be 1 / temperature.",
    weight=lambda size, cap, t: min(size, cap) ** t,
)
cap_after_the_temperature = wrong(
    "The cap is applied after the temperature; cap the sizes first.",
    weight=lambda size, cap, t: min(size ** (1 / t), cap),
)


@misconception(
    "The divisor is the sum of the uncapped sizes; divide by the sum of the capped ones, so that "
    "the shares add up to 1."
)
def divided_by_all_examples(sizes, cap, temperature=1.0):
    weights = rates(sizes, cap, temperature, divide=dict)
    total = sum(size ** (1 / temperature) for size in sizes.values())
    return {task: weight / total for task, weight in weights.items()}


not_divided = wrong(
    "These are weights, not shares; divide them by their sum.",
    divide=lambda weights: {t: float(x) for t, x in weights.items()},
)
all_equal = wrong(
    "Every task gets the same share; the sizes should count.", weight=lambda size, cap, t: 1
)


@misconception("This is a softmax; raise each size to a power instead of taking an exponential.")
def softmax_of_sizes(sizes, cap, temperature=1.0):
    counted = rates(
        sizes, cap, temperature, divide=dict, weight=lambda size, cap, t: min(size, cap) / t
    )
    top = max(counted.values())
    return shares({task: math.exp(x - top) for task, x in counted.items()})


empty_tasks_get_a_share = wrong(
    "A task without examples gets a share; its share should be 0.",
    weight=lambda size, cap, t: max(1, min(size, cap)) ** (1 / t),
)


@misconception("Mixtures that make no sense should be refused with a ValueError.")
def nothing_refused(sizes, cap, temperature=1.0):
    try:
        return shares({task: min(size, cap) ** (1 / temperature) for task, size in sizes.items()})
    except (ArithmeticError, TypeError):
        return dict.fromkeys(sizes, 0.0)
