"""From the world's examples to the records that training takes."""

from collections.abc import Iterable

from ift_course.data.records import Record
from ift_course.world.tasks import Example


def to_records(examples: Iterable[Example]) -> list[Record]:
    """One conversation an example: instruction and input from the user, the ideal response back."""
    return [
        Record.from_instruction(x.instruction, x.input, x.response, source=x.task) for x in examples
    ]
