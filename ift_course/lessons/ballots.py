"""Blind votes on stored answers: two arms of a panel as results of `ift eval`."""

from __future__ import annotations

import hashlib

from ift_course.errors import CourseError
from ift_course.evaluation.eval_result import FORMAT, Answer, EvalResult
from ift_course.evaluation.votes import Poll
from ift_course.lessons.real_parts import command
from ift_course.panels.panel import Panel
from ift_course.panels.store import stored_panel
from ift_course.plots.blind_votes import vote
from ift_course.plots.transcript import Transcript, TranscriptRow, transcript
from ift_course.plots.widgets import display_both
from ift_course.profile import REAL


def show_votes(lesson: str, first: str, second: str) -> None:
    """Display buttons for blind votes on what a lesson stores of the real model.

    Args:
        lesson: Its number, such as "03".
        first: An arm of its panel.
        second: Another arm.

    Raises:
        CourseError: Nothing is stored.
    """
    panel = stored_panel(REAL, lesson)
    if panel is None:
        raise CourseError(f"No answers are stored for lesson {lesson}; run: {command(lesson)}")
    votes = vote(*open_results(panel, first, second))
    display_both(votes.box, first_ballot(votes.poll), hint="Run this cell to vote.")


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
