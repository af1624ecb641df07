"""The whole diagnosis: every check on a user's rows and model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

from ift_course.diagnosis import row_checks, template_checks, text_checks
from ift_course.diagnosis.case import Case
from ift_course.diagnosis.finding import Finding, Unchecked, in_order
from ift_course.diagnosis.trl_comparison import TrlOutcome, compare_with_trl
from ift_course.diagnosis.weight_checks import undertrained_tokens

CHECKS = (*row_checks.CHECKS, *template_checks.CHECKS, *text_checks.CHECKS)


@dataclass(frozen=True)
class Diagnosis:
    """What was found.

    Attributes:
        case: what was looked at.
        findings: the findings, the most severe first.
        unchecked: what could not be looked for.
        trl: what TRL's own settings would do with the first rows.
    """

    case: Case
    findings: Sequence[Finding]
    unchecked: Sequence[Unchecked]
    trl: Sequence[TrlOutcome]

    @property
    def has_errors(self) -> bool:
        """Whether a finding has the severity "error"."""
        return any(finding.severity == "error" for finding in self.findings)

    @property
    def share_trained(self) -> float:
        """The share of the tokens, within the limit, that are trained."""
        return self.case.n_trained / self.case.n_tokens if self.case.n_tokens else 0.0

    def as_dict(self) -> dict[str, Any]:
        """The diagnosis for `--json`."""
        case, subject = self.case, self.case.subject
        return {
            "file": str(case.path),
            "model": subject.name,
            "rows": case.account.read,
            "usable": len(case.rows),
            "max_length": subject.max_length,
            "end_of_turn": None if subject.end is None else subject.token(subject.end),
            "tokens": case.n_tokens,
            "trained": case.n_trained,
            "share_trained": self.share_trained,
            "findings": [finding.as_dict() for finding in self.findings],
            "unchecked": [asdict(unchecked) for unchecked in self.unchecked],
            "trl": [asdict(outcome) | {"sentence": outcome.sentence} for outcome in self.trl],
        }


def diagnose(case: Case, *, with_trl: bool = True) -> Diagnosis:
    """Run every check.

    Args:
        case: the rows and the model.
        with_trl: also let TRL prepare the first rows, which takes about ten seconds to import.
    """
    findings = list(chain.from_iterable(check(case) for check in CHECKS))
    unchecked: list[Unchecked] = []
    result = undertrained_tokens(case)
    if isinstance(result, Unchecked):
        unchecked.append(result)
    elif result is not None:
        findings.append(result)
    if not case.test_questions:
        unchecked.append(Unchecked("leaked-test", "no test file was named; add --test FILE"))
    if case.trained_with is None and not case.subject.trained_template:
        unchecked.append(
            Unchecked(
                "other-template",
                "the folder has no record of a training; add --trained-with FOLDER",
            )
        )
    outcomes = compare_with_trl(case) if with_trl else []
    return Diagnosis(case, in_order(findings), unchecked, outcomes)
