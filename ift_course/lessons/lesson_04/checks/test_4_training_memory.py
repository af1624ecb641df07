from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case, refuses
from ift_course.exercises.learner import Learner


def up(value: int, size: int) -> int:
    return (value + size - 1) // size


def reference(parameters: int, adapter: int, method: str) -> dict[str, int]:
    trained = parameters if method == "full" else adapter
    weights = {"full": 0, "lora": 2 * parameters, "qlora": 0}[method]
    if method == "qlora":
        weights = up(parameters, 2) + up(parameters, 64) + 4 * up(up(parameters, 64), 256)
    weights += 4 * trained
    return {
        "weights": weights,
        "gradients": 4 * trained,
        "optimizer": 8 * trained,
        "total": weights + 12 * trained,
    }


def compare(learner: Learner, parameters: int, adapter: int, method: str) -> None:
    got = learner.training_memory(parameters, adapter, method)
    equal(got, reference(parameters, adapter, method))


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    compare(learner, rng.randrange(10**3, 10**9), rng.randrange(1, 10**3), "full")


@points(2)
def test_full(learner, rng):
    """Full fine-tuning takes 16 bytes per parameter, and no adapter counts."""
    for parameters in (1000, rng.randrange(10**6, 10**9)):
        compare(learner, parameters, 77, "full")


@points(2)
def test_lora(learner, rng):
    """LoRA takes 2 bytes per frozen parameter and 16 per adapter parameter."""
    for parameters in (1000, rng.randrange(10**6, 10**9)):
        compare(learner, parameters, rng.randrange(1, 10**6), "lora")


@points(2)
def test_qlora(learner, rng):
    """QLoRA takes half a byte per frozen parameter, plus the scales of its blocks."""
    for blocks in (256, 256 * rng.randrange(2, 9000)):
        compare(learner, 64 * blocks, rng.randrange(1, 10**6), "qlora")


@points(2, ordinary)
def test_rounding_up(learner, rng):
    """Started half bytes, blocks, and blocks of scales count in full, as integers."""
    for parameters in (1, 2, 3, 63, 64, 65, 64 * 256 - 1, 64 * 256, 64 * 256 + 1, 64 * 513):
        compare(learner, parameters, 10, "qlora")


@points(1, ordinary)
def test_large_models(learner, rng):
    """The numbers are exact for 70 billion parameters, too."""
    for method in ("full", "lora", "qlora"):
        compare(learner, 70_553_706_497, 207_093_761, method)


@points(1, ordinary)
def test_no_adapter(learner, rng):
    """Without an adapter, only the frozen weights take memory."""
    compare(learner, 6400, 0, "lora")
    compare(learner, 6400, 0, "qlora")


@points(1, ordinary)
def test_unknown_method(learner, rng):
    """Any other method is refused with a ValueError."""
    for method in ("dora", "", "LoRA"):
        refuses(learner.training_memory, 100, 10, method)
