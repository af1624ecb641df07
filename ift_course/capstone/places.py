"""Places on a leaderboard, where a difference within the interval is a tie.

The place of an entry is one more than the number of entries that are better beyond doubt: on the
same questions, the 95 % interval of the paired difference excludes zero. Two entries can share a
place though a third one, which ties with both, has another: "not told apart" is no equality. The
Chatbot Arena ranks in the same way (Chiang et al. 2024, arXiv:2403.04132).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from ift_course.evaluation.paired import PairedCounts


def places(verdicts: Sequence[Sequence[bool]]) -> list[int]:
    """Return the place of each entry, from 1.

    Args:
        verdicts: For each entry, whether its answer to each question was right.
    """
    better_ones = [0] * len(verdicts)
    for i, j in combinations(range(len(verdicts)), 2):
        low, high = paired(verdicts[i], verdicts[j]).interval
        if low > 0:
            better_ones[i] += 1
        elif high < 0:
            better_ones[j] += 1
    return [1 + n for n in better_ones]


def paired(first: Sequence[bool], second: Sequence[bool]) -> PairedCounts:
    """Count which of two entries was right about the same questions.

    Args:
        first: The verdicts of A.
        second: Those of B.
    """
    pairs = list(zip(first, second, strict=True))
    return PairedCounts(
        len(pairs), sum(a and not b for a, b in pairs), sum(b and not a for a, b in pairs)
    )
