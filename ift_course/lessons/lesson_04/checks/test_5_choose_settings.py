from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, unchanged
from ift_course.exercises.learner import Learner

LAYERS, HIDDEN, VOCABULARY, LENGTH = 10, 64, 1000, 32
STATIC = {"full": 90_000_000, "lora": 30_000_000, "qlora": 10_000_000}


def needed(fixed: int, checkpointing: bool, batch: int, *shape: int) -> int:
    layers, hidden, vocabulary, length = shape
    token = 8 * vocabulary
    for _ in range(layers):
        token += (2 if checkpointing else 34) * hidden
    token += 34 * hidden if checkpointing else 0
    return fixed + token * batch * length


def reference(static: dict, shape: tuple, budget: int, effective: int) -> dict | None:
    """The best of all settings that fit, by the preferences."""
    fitting = []
    for rank, (method, fixed) in enumerate(static.items()):
        for checkpointing in (False, True):
            for batch in range(1, effective + 1):
                total = needed(fixed, checkpointing, batch, *shape)
                if effective % batch == 0 and total <= budget:
                    settings = {
                        "method": method,
                        "checkpointing": checkpointing,
                        "batch": batch,
                        "accumulation": effective // batch,
                        "bytes": total,
                    }
                    fitting.append((rank, checkpointing, -batch, settings))
    return min(fitting, key=lambda x: x[:3])[3] if fitting else None


def compare(
    learner: Learner,
    budget: int,
    effective: int = 16,
    static: dict | None = None,
    shape: tuple = (LAYERS, HIDDEN, VOCABULARY, LENGTH),
) -> None:
    static = static or STATIC
    got = learner.choose_settings(static, *shape, budget, effective)
    equal(got, reference(static, shape, budget, effective))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    static = {"full": rng.randrange(10**7, 10**8), "lora": rng.randrange(10**6, 10**7)}
    compare(learner, 10**12, rng.choice((4, 8, 12)), static)


@points(1, ordinary)
def test_everything_fits(learner, rng):
    """With plenty of memory: the first method, no checkpointing, the whole batch at once."""
    compare(learner, 10**12)


@points(2, ordinary)
def test_smaller_batch_first(learner, rng):
    """A smaller batch comes before checkpointing, and checkpointing before another method."""
    for method in STATIC:
        for checkpointing in (False, True):
            for batch in (1, 2, 4, 8):
                budget = needed(
                    STATIC[method], checkpointing, batch, LAYERS, HIDDEN, VOCABULARY, LENGTH
                )
                compare(learner, budget + rng.randrange(1000))


@points(1, ordinary)
def test_exact_fit(learner, rng):
    """Settings that take exactly the budget fit; one byte more does not."""
    budget = needed(STATIC["qlora"], True, 1, LAYERS, HIDDEN, VOCABULARY, LENGTH)
    compare(learner, budget)
    compare(learner, budget - 1)


@points(1, ordinary)
def test_nothing_fits(learner, rng):
    """If nothing fits, the result is None."""
    compare(learner, 0)
    compare(learner, STATIC["qlora"])


@points(2, ordinary)
def test_divisors(learner, rng):
    """Batch times accumulation is the effective batch, whatever number it is."""
    for effective in (1, 6, 12, 7):
        for batch in range(1, effective + 1):
            budget = needed(STATIC["lora"], False, batch, LAYERS, HIDDEN, VOCABULARY, LENGTH)
            compare(learner, budget + 1, effective)


@points(2)
def test_shapes(learner, rng):
    """Layers, width, vocabulary, and length all count."""
    for _ in range(6):
        shape = (
            rng.randrange(2, 40),
            rng.randrange(16, 512),
            rng.randrange(100, 9000),
            rng.randrange(8, 300),
        )
        least = needed(STATIC["lora"], rng.random() < 0.5, rng.choice((1, 2, 4)), *shape)
        compare(learner, least + 5, shape=shape)


@points(1, ordinary)
def test_order_of_methods(learner, rng):
    """The methods are preferred in the given order, whatever memory they take."""
    budget = needed(30_000_000, False, 4, LAYERS, HIDDEN, VOCABULARY, LENGTH)
    compare(learner, budget, static={"small": 10_000_000, "large": 30_000_000})
    compare(learner, budget, static={"large": 30_000_000, "small": 10_000_000})


@points(1, ordinary)
def test_default(learner, rng):
    """The effective batch is 16 by default."""
    shape = (LAYERS, HIDDEN, VOCABULARY, LENGTH)
    budget = needed(STATIC["full"], False, 5, *shape)
    got = learner.choose_settings(STATIC, *shape, budget)
    equal(got, reference(STATIC, shape, budget, 16))
    unchanged(learner, STATIC, *shape, budget)
