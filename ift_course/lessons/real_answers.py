"""What a panel stores of a model's answers: verdicts of the verifiers, and replies to be read."""

from __future__ import annotations

from collections.abc import Sequence

from ift_course.claims.results import item_digits
from ift_course.evaluation.generate import Completion
from ift_course.evaluation.items import Item
from ift_course.panels.panel import StoredReply


def score_answers(items: Sequence[Item], answers: Sequence[Completion]) -> dict[str, str]:
    """Judge answers by the verifiers of their items.

    Args:
        items: Of a test file.
        answers: One for each item.

    Returns:
        A digit for each item: "strict", right and ended by the model; "stopped", ended by it.
    """
    pairs = list(zip(items, answers, strict=True))
    return {
        "strict": item_digits([item.fault(x.text, x.finished) is None for item, x in pairs]),
        "stopped": item_digits([x.finished for x in answers]),
    }


def store_replies(items: Sequence[Item], answers: Sequence[Completion]) -> list[StoredReply]:
    """Return the answers as a panel stores them, with their prompts."""
    return [
        StoredReply(prompt=item.prompt, text=x.text, finished=x.finished)
        for item, x in zip(items, answers, strict=True)
    ]
