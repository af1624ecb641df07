"""From the world's examples to the records that training takes."""

from __future__ import annotations

from collections.abc import Iterable

from ift_course.data.records import Record
from ift_course.world.tasks import Example


def to_records(examples: Iterable[Example]) -> list[Record]:
    """One conversation for each example: the user's instruction and input, the ideal response."""
    return [
        Record.from_instruction(x.instruction, x.input, x.response, source=x.task) for x in examples
    ]
