"""Blind votes on stored answers: two arms of a panel as results of `ift eval`."""

from __future__ import annotations

import hashlib

from ift_course.evaluation.eval_result import FORMAT, Answer, EvalResult
from ift_course.evaluation.votes import Poll
from ift_course.panels.panel import Panel
from ift_course.plots.transcript import Transcript, TranscriptRow, transcript


def open_results(panel: Panel, *arms: str) -> list[EvalResult]:
    """The answers that a panel holds to open questions, with no verdict, as `ift eval` keeps them.

    Args:
        panel: A stored panel.
        arms: Of each, the first seed is taken.
    """
    return [_result(panel, arm) for arm in arms]


def first_ballot(poll: Poll) -> Transcript:
    """The first question with both answers and no names: what a page without a kernel shows."""
    ballot = poll.ballots[0]
    answers = {"a": ballot.first, "b": ballot.second}
    return transcript([TranscriptRow(ballot.prompt, answers)], heading="asked", max_chars=400)


def _result(panel: Panel, arm: str) -> EvalResult:
    replies = panel.arms[arm][0].replies
    return EvalResult(
        format=FORMAT,
        model=f"{panel.model}, {arm}",
        data="open.jsonl",
        data_sha256=panel.identity.data.get("open", ""),
        max_new_tokens=int(panel.identity.recipe["max_new_tokens"]),
        answers=[
            Answer(
                row=number,
                key=hashlib.sha256(reply.prompt.encode()).hexdigest()[:16],
                category="",
                prompt=reply.prompt,
                reference="",
                use="shown",
                answer=reply.text,
                finished=reply.finished,
                right=None,
            )
            for number, reply in enumerate(replies, start=1)
        ],
    )
