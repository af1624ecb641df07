"""How large lesson 07's data and runs are on each profile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class StudentSizes:
    """The sizes and settings of the lesson on one profile.

    Attributes:
        seeds: seed instructions, four of each kind.
        instructions: of the pool.
        answers: of the teacher to each instruction; a tenth of all answers is selected.
        temperature: of the answers.
        writer_temperature: of the instructions; it is lower because a typing error turns an
            instruction into nonsense.
        steps: optimizer steps of every student, so that all have the same compute.
        batch: batch size.
        pairs: training pairs for the judge.
        judge_rate: peak learning rate of the judge.
        exam: questions in the exam.
        tokens: of an answer or an instruction, at most.
        writer_steps: optimizer steps of the writer.
        method: "full", or "lora" for models of real size.
        rate: peak learning rate of students and writers; None takes the default of the method.
    """

    seeds: int = 116
    instructions: int = 150
    answers: int = 10
    temperature: float = 1.0
    writer_temperature: float = 0.7
    steps: int = 40
    batch: int = 16
    pairs: int = 480
    judge_rate: float = 2e-4
    exam: int = 150
    tokens: int = 40
    writer_steps: int = 60
    method: Literal["full", "lora"] = "full"
    rate: float | None = None


SIZES = {
    "tiny": StudentSizes(rate=2e-4),
    "smollm2": StudentSizes(
        instructions=40, writer_temperature=0.5, steps=12, batch=4, pairs=48, exam=24, tokens=30,
        writer_steps=40, method="lora", rate=2e-3,
    ),
    "gemma": StudentSizes(
        instructions=40, writer_temperature=0.5, steps=12, batch=4, pairs=48, exam=24, tokens=30,
        writer_steps=40, method="lora", rate=4e-4,
    ),
    "t4": StudentSizes(method="lora", batch=8),
    "gpu24": StudentSizes(method="lora"),
}  # fmt: skip
