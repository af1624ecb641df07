"""Flaws for rows of the course set: what careless collecting makes of good conversations.

No program can invent a plausible falsehood about the real world. So a wrong answer is the answer to
another question of the same kind, and an answer off the topic that of another kind.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Sequence
from typing import Any

Row = dict[str, Any]
FLAWS = ("wrong", "off_topic", "echoed", "truncated")


def spoil_rows(rows: Sequence[Row], share: float, seed: int) -> list[Row]:
    """Damage the last answer in a share of the rows, and leave the others as they are.

    Args:
        rows: with "messages" and "category".
        share: of the rows, from 0 to 1.
        seed: of all random choices.

    Returns:
        The rows in their order; a damaged one is a copy that names its flaw in "flaw".
    """
    rng = random.Random(seed)
    damaged = set(rng.sample(range(len(rows)), round(share * len(rows))))
    return [
        _spoiled(row, rows, rng.choice(FLAWS), rng) if i in damaged else row
        for i, row in enumerate(rows)
    ]


def _spoiled(row: Row, rows: Sequence[Row], flaw: str, rng: random.Random) -> Row:
    spoiled = copy.deepcopy(row)
    *_, question, answer = spoiled["messages"]
    if flaw == "echoed":
        answer["content"] = question["content"]
    elif flaw == "truncated":
        words = answer["content"].split()
        answer["content"] = " ".join(words[: rng.randint(1, max(1, len(words) // 2))])
    else:
        same = flaw == "wrong"
        others = [
            other["messages"][-1]["content"]
            for other in rows
            if (other["category"] == row["category"]) == same
            and other["messages"][-1]["content"] != answer["content"]
        ]
        answer["content"] = rng.choice(others)
    return spoiled | {"flaw": flaw}
