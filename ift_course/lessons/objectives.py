"""What the course must show, point by point, and the lesson that shows it.

A claim names its points (`ift.claim(..., subject=6)`), and docs/claims.md is sorted by them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Point:
    """One thing that the field says, as the heading of a table."""

    says: str
    lesson: str


OBJECTIVES: dict[int, Point] = {
    1: Point("Pretraining yields a text predictor, not an assistant", "01"),
    2: Point("SFT is cross-entropy on the tokens of the response only", "01"),
    3: Point("A chat template makes tokens of a triple, the same in training and in use", "02"),
    4: Point("The well-known data sets have schemas of their own and become one record type", "02"),
    5: Point("TRL's recipe for SFT, in today's API", "02"),
    6: Point("Few curated examples beat many noisy ones: tuning teaches format, not facts", "03"),
    7: Point("Multitask tuning generalizes to unseen tasks, single-task tuning does not", "06"),
    8: Point("Synthetic data: a teacher answers, a judge keeps the best, a student learns", "07"),
    9: Point("QLoRA comes close to full tuning at a fraction of the memory", "04"),
    10: Point("SFT copies its demonstrations; preferences change what it says", "05"),
    11: Point("Task-specific tuning forgets; general-first or mixed tuning does not", "08"),
}
