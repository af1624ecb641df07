from random import Random

from ift_course.exercises import points
from ift_course.exercises.compare import equal, ordinary_case
from ift_course.exercises.learner import Learner


@ordinary_case
def ordinary(learner: Learner, rng: Random) -> None:
    """Good responses, and some that are the instruction itself."""
    for _ in range(8):
        instruction = f"Name the capital of country {rng.randrange(10**6)}."
        if rng.random() < 0.5:
            equal(learner.quality_problems(instruction, instruction), ["echo"])
        else:
            response = f"It is city {rng.randrange(10**6)}."
            equal(learner.quality_problems(instruction, response), [])


@points(1, ordinary)
def test_good(learner, rng):
    """A good response has no problem, however short it is."""
    for response in (
        "Paris.",
        "Yes!",
        "It eats mice (and sometimes rats).",
        'He said "no".',
        "`x = 1`",
        "'Paris'",
        "Is it?\n",
        "I am sorry for the owl.",
        "As an owl.",
        "As an apple.",
        "I'm sorrowful.",
    ):
        equal(learner.quality_problems("Name the capital.", response), [])


@points(1, ordinary)
def test_empty(learner, rng):
    """A response of whitespace only is empty, and nothing else."""
    for response in ("", " ", "\n\t "):
        equal(learner.quality_problems("Name the capital.", response), ["empty"])
    equal(learner.quality_problems("", ""), ["empty"])


@points(2, ordinary)
def test_echo(learner, rng):
    """The repeated instruction is an echo, whatever its case and the whitespace around it."""
    for response in ("Name the capital.", " name the CAPITAL.\n"):
        equal(learner.quality_problems("Name the capital. ", response), ["echo"])
    equal(learner.quality_problems("Name the capital.", "Name the capital of France."), [])
    equal(learner.quality_problems("Name the capital.", "The capital."), [])
    equal(learner.quality_problems("Name the capital.", "Name the capital. Paris."), [])


@points(1, ordinary)
def test_cut_off(learner, rng):
    """A response that does not end in one of the listed characters is cut off."""
    for response in ("It eats mice and", "First,", "It eats: ", "The list…", "(and so"):
        equal(learner.quality_problems("What does it eat?", response), ["cut off"])
    equal(learner.quality_problems("What does it eat?", "Mice. \n"), [])


@points(2, ordinary)
def test_repetitive(learner, rng):
    """At least 10 words of which fewer than half are distinct are repetitive."""
    a, b, c, d = rng.sample("owl dog cow cat hen pig".split(), 4)
    cases = {
        f"{a} {b} {c} {d} {a} {b} {c} {d} {a} {b}.": True,  # 5 different of 10: "b." is another
        f"{a} {b} {c} {a} {b} {c} {a} {b} {c} !": True,
        f"{a} {b} {a} {b} {a} {b} {a} {b} !": False,  # 9 words
        f"{a.upper()} {a} {b} {b.title()} {a} {b} {a} {b} {a} !": True,
        f"{a.upper()} {a.title()} {a} {b.upper()} {b.title()} {b} {c} {a} {b} !": True,
        f"{a} {b} {c} {d} {a} {b} {c} {d} {a} x {b} !": False,  # 6 of 12: exactly half
    }
    for response in cases:
        words = response.lower().split()
        repetitive = len(words) >= 10 and 2 * len(set(words)) < len(words)
        equal(learner.quality_problems("Go on.", response), ["repetitive"] if repetitive else [])


@points(1, ordinary)
def test_refusal(learner, rng):
    """A refusal is recognized by its beginning, in any case."""
    for response in ("I'm sorry, I can't.", " as an AI model, no.", "I'M SORRY!"):
        equal(learner.quality_problems("Name it.", response), ["refusal"])
    equal(learner.quality_problems("Name it.", "He says I'm sorry."), [])


@points(2, ordinary)
def test_several(learner, rng):
    """Several problems are in the order of the docstring."""
    equal(learner.quality_problems("Name it", "name it"), ["echo", "cut off"])
    again = "I'm sorry " * 5
    equal(learner.quality_problems("Go on.", again), ["cut off", "repetitive", "refusal"])
    equal(learner.quality_problems(again, again), ["echo", "cut off", "repetitive", "refusal"])
    equal(learner.quality_problems("Go on.", "As an AI I"), ["cut off", "refusal"])
