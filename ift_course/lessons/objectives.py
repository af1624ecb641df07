"""The learning objectives of the course, and the lesson that shows each of them.

A claim names its objectives (`ift.claim(..., subject=6)`), which give docs/claims.md its sections.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Objective:
    """A statement of the field, which is the title of a section of docs/claims.md.

    Attributes:
        text: The statement.
        lesson: The number of the lesson that shows it.
    """

    text: str
    lesson: str


OBJECTIVES: dict[int, Objective] = {
    1: Objective("Pretraining yields a text predictor, not an assistant", "01"),
    2: Objective("SFT is cross-entropy on the tokens of the response only", "01"),
    3: Objective("A chat template makes tokens of a triple, the same in training and in use", "02"),
    4: Objective("A data set can be curated by program, and it pays", "09"),
    5: Objective("TRL's recipe for SFT, in today's API", "02"),
    6: Objective(
        "Few curated examples beat many noisy ones: tuning teaches format, not facts", "03"
    ),
    7: Objective("Multitask tuning generalizes to unseen tasks, single-task tuning does not", "06"),
    8: Objective(
        "Synthetic data: a teacher answers, a judge keeps the best, a student learns", "07"
    ),
    9: Objective("QLoRA comes close to full tuning at a fraction of the memory", "04"),
    10: Objective("SFT copies its demonstrations; preferences change what it says", "05"),
    11: Objective("Task-specific tuning forgets; general-first or mixed tuning does not", "08"),
    12: Objective("A score needs an interval and a control: judges, leaks and luck mislead", "10"),
    13: Objective("Reinforcement learning raises the reward it is given, right or wrong", "11"),
    14: Objective("From raw rows to an assistant that others can check, on a fixed budget", "12"),
}
