from ift_course.exercises.misconceptions import misconception, variants


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


def split(tasks, held_out, *, rounds=None, refuse=refuse, result=lambda train, test: (train, test)):
    refuse(tasks, held_out)
    test = own(tasks, held_out)
    return result(without(tasks, spread(tasks, test, rounds)), test)


wrong = variants(split)

only_the_own_family = wrong(
    "Borrowed questions are ignored, but they leak what is held out.", rounds=0
)
only_direct_borrowing = wrong(
    "A task that borrows from a borrowing task is accepted; follow the whole chain.", rounds=1
)
two_steps_of_borrowing = wrong("You follow two steps of borrowing; there may be more.", rounds=2)


@misconception("Leaking tasks are used for testing, but they belong to no held-out family.")
def leaking_tasks_are_tested(tasks, held_out):
    refuse(tasks, held_out)
    unclean = spread(tasks, own(tasks, held_out))
    return without(tasks, unclean), [name for name in tasks if name in unclean]


@misconception(
    "A held-out task is left out of the test because it borrows from others; test it whatever it "
    "borrows."
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
    "Tasks that a held-out task borrows from are left out of tuning; the leak goes only the other "
    "way."
)
def both_directions(tasks, held_out):
    refuse(tasks, held_out)
    test = own(tasks, held_out)
    unclean = spread(tasks, test)
    for _ in tasks:
        unclean |= {other for name in unclean for other in tasks[name]["borrows"]}
    return without(tasks, unclean), test


@misconception("One leaking task removes its whole family from tuning; only that task leaks.")
def whole_families_left_out(tasks, held_out):
    refuse(tasks, held_out)
    test = own(tasks, held_out)
    families = {tasks[name]["family"] for name in spread(tasks, test)}
    return [name for name, task in tasks.items() if task["family"] not in families], test


test_first = wrong(
    "The two lists are in the wrong order; the tasks to tune on come first.",
    result=lambda train, test: (test, train),
)
sorted_names = wrong(
    "The names are sorted; keep the order of `tasks`.",
    result=lambda train, test: (sorted(train), sorted(test)),
)
nothing_refused = wrong(
    "A held-out family that no task has is probably a typo; raise a ValueError.",
    refuse=lambda tasks, held_out: None,
)
