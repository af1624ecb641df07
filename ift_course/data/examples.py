"""From the world's examples to the records that training takes."""

from __future__ import annotations

from collections.abc import Iterable

from ift_course.data.records import Record, Turn
from ift_course.world.dialogues import dialogues
from ift_course.world.tasks import Example


def to_records(examples: Iterable[Example]) -> list[Record]:
    """One conversation for each example: the user's instruction and input, the ideal response."""
    return [
        Record.from_instruction(x.instruction, x.input, x.response, source=x.task) for x in examples
    ]


def dialogue_records(n: int, *, seed: int) -> list[Record]:
    """Conversations of the closed world as records: what the course's assistant is tuned on.

    Args:
        n: Number of conversations.
        seed: Seed of all random choices.
    """
    return [
        Record(
            tuple(
                Turn(role, content)
                for pair in turns
                for role, content in zip(("user", "assistant"), pair, strict=True)
            ),
            source="dialogues",
        )
        for turns in dialogues(n, seed=seed)
    ]
