from ift_course.exercises.misconceptions import misconception


def refuse(available, total):
    if not 0 <= total <= sum(available.values()):
        raise ValueError


def deal(order, available, total):
    taken = dict.fromkeys(available, 0)
    while total:
        for family in order:
            if total and taken[family] < available[family]:
                taken[family] += 1
                total -= 1
    return taken


@misconception(
    "What a small family lacks is missing in the sum; the others have to make up for it."
)
def lack_not_made_up(available, total):
    refuse(available, total)
    k = len(available)
    equal = {f: total // k + (i < total % k) for i, f in enumerate(available)} if k else {}
    return {family: min(available[family], equal[family]) for family in available}


@misconception(
    "The first family with more examples makes up for a small one; all others should share this."
)
def lack_made_up_by_the_first(available, total):
    refuse(available, total)
    taken = lack_not_made_up(available, total)
    left = total - sum(taken.values())
    for family in available:
        more = min(left, available[family] - taken[family])
        taken[family] += more
        left -= more
    return taken


@misconception("Families give in proportion to their size; all should give the same.")
def in_proportion(available, total):
    refuse(available, total)
    have = sum(available.values())
    taken = {family: size * total // have if have else 0 for family, size in available.items()}
    left = total - sum(taken.values())
    for family in available:
        more = min(left, available[family] - taken[family], 1)
        taken[family] += more
        left -= more
    return taken


@misconception("The first families are emptied before the next one gives anything.")
def one_after_the_other(available, total):
    refuse(available, total)
    taken = {}
    for family, size in available.items():
        taken[family] = min(size, total)
        total -= taken[family]
    return taken


@misconception("The remainder of the division is lost; the sum has to be the total.")
def rest_lost(available, total):
    refuse(available, total)
    taken = dict.fromkeys(available, 0)
    while True:
        able = [family for family in available if taken[family] < available[family]]
        if not able or len(able) > total:
            return taken
        for family in able:
            taken[family] += 1
        total -= len(able)


@misconception("The remainder goes to the last families; it should go to the first ones.")
def rest_to_the_last(available, total):
    refuse(available, total)
    dealt = rest_lost(available, total)
    left = total - sum(dealt.values())
    for family in reversed(available):
        if left and dealt[family] < available[family]:
            dealt[family] += 1
            left -= 1
    return dealt


@misconception("The remainder goes to the largest families; it should go to the first ones.")
def rest_to_the_largest(available, total):
    refuse(available, total)
    order = sorted(available, key=lambda family: -available[family])
    return deal(order, available, total)


@misconception("A family gives more examples than it has.")
def more_than_there_is(available, total):
    refuse(available, total)
    k = len(available)
    return {family: total // k + (i < total % k) for i, family in enumerate(available)}


@misconception("A total that is not available should be refused with a ValueError.")
def nothing_refused(available, total):
    return deal(available, available, max(0, min(total, sum(available.values()))))
