from ift_course.exercises.misconceptions import misconception


def refuse(tasks, held_out):
    if set(held_out) - {task["family"] for task in tasks.values()}:
        raise ValueError


def spread(tasks, unclean, rounds=None):
    unclean = set(unclean)
    for _ in range(len(tasks) if rounds is None else rounds):
        unclean |= {name for name, task in tasks.items() if unclean & set(task["borrows"])}
    return unclean


def own(tasks, held_out):
    return [name for name, task in tasks.items() if task["family"] in held_out]


def without(tasks, names):
    return [name for name in tasks if name not in names]


@misconception("Borrowed questions are not looked at; they leak what is held out.")
def only_the_own_family(tasks, held_out):
    refuse(tasks, held_out)
    test = own(tasks, held_out)
    return without(tasks, test), test


@misconception("A task that borrows from one that borrows is let through; follow all the way.")
def only_direct_borrowing(tasks, held_out):
    refuse(tasks, held_out)
    test = own(tasks, held_out)
    return without(tasks, spread(tasks, test, 1)), test


@misconception("Two steps of borrowing are followed; there may be more.")
def two_steps_of_borrowing(tasks, held_out):
    refuse(tasks, held_out)
    test = own(tasks, held_out)
    return without(tasks, spread(tasks, test, 2)), test


@misconception("Tasks that leak are tested on; they belong to no held-out family.")
def leaking_tasks_are_tested(tasks, held_out):
    refuse(tasks, held_out)
    unclean = spread(tasks, own(tasks, held_out))
    return without(tasks, unclean), [name for name in tasks if name in unclean]


@misconception(
    "A held-out task is left out of the test because it borrows from others; it is tested on "
    "whatever it borrows."
)
def borrowing_tasks_not_tested(tasks, held_out):
    refuse(tasks, held_out)
    test = own(tasks, held_out)
    clean = [
        name
        for name in test
        if all(tasks[other]["family"] in held_out for other in tasks[name]["borrows"])
    ]
    return without(tasks, spread(tasks, test)), clean


@misconception(
    "What a held-out task borrows from is left out of tuning; the leak goes the other way only."
)
def both_directions(tasks, held_out):
    refuse(tasks, held_out)
    test = own(tasks, held_out)
    unclean = spread(tasks, test)
    for _ in tasks:
        unclean |= {other for name in unclean for other in tasks[name]["borrows"]}
    return without(tasks, unclean), test


@misconception("One leaking task takes its whole family out of tuning; only that task leaks.")
def whole_families_left_out(tasks, held_out):
    refuse(tasks, held_out)
    test = own(tasks, held_out)
    families = {tasks[name]["family"] for name in spread(tasks, test)}
    return [name for name, task in tasks.items() if task["family"] not in families], test


@misconception("Tuned and tested tasks are returned in the wrong order; those to tune on first.")
def test_first(tasks, held_out):
    refuse(tasks, held_out)
    test = own(tasks, held_out)
    return test, without(tasks, spread(tasks, test))


@misconception("The names are sorted; they stay in the order of `tasks`.")
def sorted_names(tasks, held_out):
    refuse(tasks, held_out)
    test = own(tasks, held_out)
    return sorted(without(tasks, spread(tasks, test))), sorted(test)


@misconception("A held-out family that no task has is a slip of the pen; raise a ValueError.")
def nothing_refused(tasks, held_out):
    test = own(tasks, held_out)
    return without(tasks, spread(tasks, test)), test
