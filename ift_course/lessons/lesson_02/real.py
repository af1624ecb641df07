"""Lesson 02 on a real base model: one token less in the loss mask, and the answers never end.

The base is tuned twice on the same 48 examples, with the same text in every row. The second time,
the chat template closes its `generation` block one token too early, so that the end of the turn has
no label. In the notebook, `real_panel("02")` shows what is stored of it.
"""

from __future__ import annotations

from functools import partial

from ift_course.data.native_templates import GEMMA
from ift_course.lessons.lesson_00 import real as lesson_00
from ift_course.panels.real_part import Arm, RealPart

MARKED = "{{ message['content'] | trim + '<end_of_turn>' }}{% endgeneration -%}"
END_OUTSIDE = "{{ message['content'] | trim }}{% endgeneration %}{{ '<end_of_turn>' -}}"
END_MASKED = GEMMA.replace(MARKED, END_OUTSIDE)


def real_part() -> RealPart:
    """What lesson 02 measures on the real model: nothing but answers to be read."""
    part = lesson_00.real_part()
    return RealPart(
        lesson="02",
        title="The same 48 examples, with and without the end of the turn in the loss mask",
        data=part.data,
        recipe=part.recipe,
        arms=(
            Arm("end of turn trained", lesson_00.tune_and_ask, n_seeds=1),
            Arm(
                "end of turn masked",
                partial(lesson_00.tune_and_ask, template=END_MASKED),
                n_seeds=1,
            ),
        ),
    )
