"""One finding of a diagnosis: what is wrong, in which rows, what will happen, and the remedy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from ift_course.diagnosis.lesson_sections import Section

Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("error", "warning", "note")
FIRST_ROWS = 3  # row numbers that a report names


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        id: its name for programs, such as "end-not-trained".
        severity: "error" where training goes wrong, "warning" where it may, "note" for what only
            other programs or settings get wrong.
        title: what is wrong.
        consequence: what will happen.
        remedy: a command, or a line of code.
        lesson: the section that explains it.
        rows: the numbers of the rows that it concerns; empty if it concerns the model.
        example: the evidence, from one row or from the template.
    """

    id: str
    severity: Severity
    title: str
    consequence: str
    remedy: str
    lesson: Section
    rows: Sequence[int] = ()
    example: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The finding for `--json`."""
        return vars(self) | {
            "lesson": {"notebook": self.lesson.notebook, "section": self.lesson.heading},
            "rows": {"count": len(self.rows), "first": list(self.rows[:FIRST_ROWS])},
        }


@dataclass(frozen=True)
class Unchecked:
    """A finding that could not be looked for.

    Attributes:
        id: the finding's name.
        reason: why, and what makes the check possible.
    """

    id: str
    reason: str


def in_order(findings: Sequence[Finding]) -> list[Finding]:
    """The findings with the most severe first."""
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))
