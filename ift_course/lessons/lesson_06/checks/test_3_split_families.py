from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, refuses
from ift_course.exercises.learner import Learner
from ift_course.exercises.standard_checks import leaves_inputs_alone


def reference(tasks: dict[str, dict], held_out: list[str]) -> tuple[list[str], list[str]]:
    def reached(name: str, seen: frozenset) -> set[str]:
        families = {tasks[name]["family"]}
        for other in tasks[name]["borrows"]:
            if other not in seen:
                families |= reached(other, seen | {other})
        return families

    tuned, tested = [], []
    for name in tasks:
        if tasks[name]["family"] in held_out:
            tested.append(name)
        elif not reached(name, frozenset({name})) & set(held_out):
            tuned.append(name)
    return tuned, tested


def compare(learner: Learner, tasks: dict[str, dict], held_out: list[str]) -> None:
    equal(learner.split_families(tasks, held_out), reference(tasks, held_out))


def task(family: str, *borrows: str) -> dict:
    return {"family": family, "borrows": list(borrows)}


def world() -> dict[str, dict]:
    return {
        "sum": task("numbers"),
        "spanish": task("translation"),
        "color": task("objects"),
        "double": task("numbers"),
        "french": task("translation"),
    }


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    tasks = {f"task {rng.randrange(10**6)}": task(rng.choice("pqr")) for _ in range(9)}
    compare(learner, tasks, sorted({x["family"] for x in tasks.values()})[:1])


@points(1, ordinary)
def test_families(learner, rng):
    """All tasks of a held-out family are for testing, all others for tuning."""
    compare(learner, world(), ["translation"])
    compare(learner, world(), ["objects", "numbers"])


@points(2, ordinary)
def test_borrowed(learner, rng):
    """A task that borrows from a held-out family is neither for tuning nor for testing."""
    tasks = world() | {"shout": task("form", "sum", "spanish"), "whisper": task("form", "sum")}
    compare(learner, tasks, ["translation"])
    compare(learner, tasks, ["objects"])
    compare(learner, tasks, ["numbers"])


@points(2, ordinary)
def test_through_others(learner, rng):
    """Borrowing is followed through any number of other tasks, in whatever order."""
    tasks = {
        "quiz": task("games", "riddle"),
        "riddle": task("games", "shout"),
        "shout": task("form", "color", "french"),
        "song": task("games", "sum"),
    } | world()
    compare(learner, tasks, ["translation"])
    compare(learner, dict(reversed(tasks.items())), ["translation"])
    compare(learner, tasks, ["objects"])


@points(1, ordinary)
def test_circles(learner, rng):
    """Tasks may borrow from each other and from themselves."""
    tasks = world() | {
        "a": task("one", "b"),
        "b": task("two", "a", "b"),
        "c": task("one", "d"),
        "d": task("two", "c", "spanish"),
    }
    compare(learner, tasks, ["translation"])
    compare(learner, tasks, ["numbers"])


@points(1, ordinary)
def test_tested_may_borrow(learner, rng):
    """A task of a held-out family is for testing, whatever it borrows."""
    tasks = world() | {"shout": task("form", "sum"), "yell": task("form", "spanish")}
    compare(learner, tasks, ["form"])
    compare(learner, tasks, ["form", "translation"])


@points(1, ordinary)
def test_same_family(learner, rng):
    """A leak concerns one task; the others of its family are for tuning."""
    tasks = world() | {"shout": task("form", "spanish"), "twice": task("form")}
    compare(learner, tasks, ["translation"])


@points(1, ordinary)
def test_nothing_held_out(learner, rng):
    """With no family held out everything is for tuning; with all held out, nothing is."""
    compare(learner, world() | {"shout": task("form", "spanish")}, [])
    compare(learner, world(), ["numbers", "translation", "objects"])
    names = [f"t{i}" for i in range(12)]
    tasks = {
        name: task(rng.choice("pqrs"), *rng.sample(names, rng.choice((0, 0, 1, 2))))
        for name in names
    }
    compare(learner, tasks, sorted({x["family"] for x in tasks.values()})[:1])


@points(1, ordinary)
def test_refusals(learner, rng):
    """A held-out family that no task has is refused with a ValueError."""
    refuses(learner.split_families, world(), ["translations"])
    refuses(learner.split_families, world(), ["objects", "spanish"])


@points(1, ordinary)
def test_inputs_stay(learner, rng):
    """The answer is right, and the tasks and families are left unchanged."""
    tasks = world() | {"shout": task("form", "spanish")}
    leaves_inputs_alone(learner, compare, tasks, ["translation"])
