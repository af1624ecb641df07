"""Preference pairs from a model's own answers, ranked by verifiers and rules instead of a person.

Preference tuning does better on answers that the model itself has sampled than on those of others
(Tajwar et al., 2024, arXiv:2404.14367). The price is that a question gives no pair when all of its
answers are right, or all of them wrong.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from random import Random
from typing import Any

from ift_course.evaluation.generate import Completion
from ift_course.evaluation.items import Item

# What the chosen answer does and the rejected one does not, by the category of the question.
RULES = {
    "fact": "states the right fact",
    "constraint": "follows the constraint",
    "unknowable": "is honest about what it cannot know",
    "knowable": "answers what everybody knows",
    "wrong-belief": "does not give in to a wrong belief",
    "right-belief": "agrees with a belief that is right",
}
VERIFIER = "satisfies the verifier of its row"
STOPS = "stops by itself"
ALL_RIGHT = "every answer is right"
ALL_WRONG = "every answer is wrong"
ALL_EMPTY = "every wrong answer is empty"


@dataclass(frozen=True)
class RankedPair:
    """Two answers to one question, and why one of them is better.

    Attributes:
        item: The question.
        chosen: The better answer.
        rejected: The worse one.
        rule: What decided.
        fault: What is wrong with the worse one.
    """

    item: Item
    chosen: str
    rejected: str
    rule: str
    fault: str

    def row(self, number: int, source: str) -> dict[str, Any]:
        """The pair in the layout that `ift dpo` and TRL read, with the rule that decided it.

        Args:
            number: Of the pair in its file, from 1.
            source: The model that wrote both answers.
        """
        return {
            "id": f"pair-{number:03}",
            "category": self.item.category,
            "source": source,
            "rule": self.rule,
            "fault": self.fault,
            "prompt": list(self.item.messages),
            "chosen": [{"role": "assistant", "content": self.chosen}],
            "rejected": [{"role": "assistant", "content": self.rejected}],
        }


@dataclass(frozen=True)
class Ranking:
    """What became of all questions.

    Attributes:
        pairs: At most one for each question, in the order of the questions.
        reasons: Why the other questions gave none, with their number.
    """

    pairs: list[RankedPair]
    reasons: Counter[str]

    @property
    def rules(self) -> Counter[str]:
        """How many pairs each rule decided."""
        return Counter(pair.rule for pair in self.pairs)

    @property
    def mean_words(self) -> tuple[float, float]:
        """The mean number of words of the chosen and of the rejected answers; 0 without pairs."""
        n = max(len(self.pairs), 1)
        return (
            sum(len(pair.chosen.split()) for pair in self.pairs) / n,
            sum(len(pair.rejected.split()) for pair in self.pairs) / n,
        )


def rank(items: Sequence[Item], samples: Sequence[Sequence[Completion]], seed: int = 0) -> Ranking:
    """Make at most one pair of the answers to each question.

    Args:
        items: The questions, each with a verifier.
        samples: The answers to each of them.
        seed: Decides between pairs that are equally good.
    """
    pairs, reasons = [], Counter[str]()
    for item, completions in zip(items, samples, strict=True):
        pair = rank_one(item, completions, seed)
        if isinstance(pair, RankedPair):
            pairs.append(pair)
        else:
            reasons[pair] += 1
    return Ranking(pairs, reasons)


def rank_one(item: Item, completions: Sequence[Completion], seed: int) -> RankedPair | str:
    """Return the pair of one question, or why there is none.

    A right answer is preferred to a wrong one that stopped by itself, and where there is none, to
    one that did not stop. Of all such pairs the one is taken whose answers are most alike in
    length, so that the length is not what DPO learns.

    Args:
        item: The question, with a verifier.
        completions: Its answers.
        seed: Decides between pairs that are equally good.
    """
    faults = {x: item.fault(x.text, x.finished) for x in dict.fromkeys(completions)}
    right = [x.text.strip() for x, fault in faults.items() if fault is None]
    wrong = [x for x, fault in faults.items() if fault is not None and x.text.strip()]
    if not right:
        return ALL_WRONG
    if not wrong:
        return ALL_EMPTY if len(right) < len(faults) else ALL_RIGHT
    finished = [x for x in wrong if x.finished]
    rule = RULES.get(item.category, VERIFIER) if finished else STOPS
    candidates = list(product(right, finished or wrong))
    Random(f"{seed} {item.key}").shuffle(candidates)
    chosen, rejected = min(candidates, key=lambda pair: _length_gap(pair[0], pair[1].text))
    return RankedPair(item, chosen, rejected.text.strip(), rule, faults[rejected] or "")


def _length_gap(first: str, second: str) -> int:
    return abs(len(first.split()) - len(second.split()))
