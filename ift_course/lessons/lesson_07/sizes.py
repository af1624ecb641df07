"""How large lesson 07's data and runs are on each profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Sizes:
    """The sizes and settings of the lesson on one profile.

    Attributes:
        demonstrations: that the teacher is tuned on.
        teacher_steps: optimizer steps of the teacher.
        questions: that the teacher answers.
        answers: of the teacher to each question; "the best tenth" is one of ten.
        temperature: of these answers.
        top_k: each token is drawn from so many of the likeliest; what is less likely is noise.
        steps: optimizer steps of every student, so that all have the same compute.
        batch: examples of a step.
        exam: questions about held-out entities.
        tokens: of an answer, at most.
        method: "full", or "lora" for models of real size.
        rate: peak learning rate; None takes the default of the method.
    """

    demonstrations: int = 300
    teacher_steps: int = 63
    questions: int = 150
    answers: int = 10
    temperature: float = 1.5
    top_k: int = 5
    steps: int = 40
    batch: int = 16
    exam: int = 150
    tokens: int = 24
    method: Literal["full", "lora"] = "full"
    rate: float | None = None


_SMALL = Sizes(
    demonstrations=64, teacher_steps=12, questions=40, answers=4, steps=12, batch=4, exam=24,
    method="lora", rate=4e-4,
)  # fmt: skip
SIZES = {
    "tiny": Sizes(rate=2e-4),
    "smollm2": _SMALL,
    "gemma": _SMALL,
    "t4": Sizes(method="lora", batch=8),
    "gpu24": Sizes(method="lora"),
}
