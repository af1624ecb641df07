"""Who ranks a model's own answers: annotators who check facts, and annotators with a leaning."""

from __future__ import annotations

import random
from collections.abc import Sequence

from ift_course.data.pairs import Pair
from ift_course.evaluation.failure_modes import asserts, grade
from ift_course.evaluation.generate import Completion
from ift_course.lessons.lesson_05.situations import Situation

Answers = Sequence[Sequence[Completion]]  # for each prompt the model's answers


def checked_pairs(
    asked: Sequence[Situation], answers: Answers, *, noise: float, seed: int
) -> list[Pair]:
    """Pairs by annotators who look the facts up: a best answer preferred to a worst one.

    A right answer alone is best, then a right answer with more behind it. Where all answers to a
    prompt are equally good, there is no pair.

    Args:
        asked: The prompts.
        answers: To each of them. Answers that did not end are left out.
        noise: The share of pairs that are marked the wrong way round.
        seed: Of all choices.
    """
    rng = random.Random(f"{seed}-checked")
    pairs = []
    for x, drawn in zip(asked, answers, strict=True):
        ended = [c for c in drawn if c.finished]
        rng.shuffle(ended)  # among equally good answers, any may be taken
        ended.sort(key=lambda c: grade(x.example, c))
        if ended and grade(x.example, ended[0]) < grade(x.example, ended[-1]):
            pairs.append(x.pair(ended[-1].text, ended[0].text))
    return _swapped(pairs, noise, rng)


def biased_pairs(
    asked: Sequence[Situation], answers: Answers, *, p: float, seed: int
) -> list[Pair]:
    """Pairs by annotators with a leaning: towards agreement, otherwise towards length.

    Two answers of which one asserts the user's claim and the other does not are compared by that;
    where there are no such two, the longest answer is compared with the shortest one. Facts play no
    part.

    Args:
        asked: The prompts.
        answers: To each of them. Answers that did not end are left out.
        p: The share of pairs in which the agreeing, or the longer, answer is preferred; 0.5 is no
            leaning.
        seed: Of all choices.
    """
    rng = random.Random(f"{seed}-biased")
    by_agreement, by_length = [], []
    for x, drawn in zip(asked, answers, strict=True):
        ended = [c.text for c in drawn if c.finished]
        rng.shuffle(ended)
        agreeing = [text for text in ended if x.claim and asserts(text, x.claim)]
        others = [text for text in ended if text not in agreeing]
        ended.sort(key=lambda text: len(text.split()))
        if agreeing and others:
            by_agreement.append(x.pair(agreeing[0], others[0]))
        elif ended and len(ended[0].split()) < len(ended[-1].split()):
            by_length.append(x.pair(ended[-1], ended[0]))
    return [pair for pairs in (by_agreement, by_length) for pair in _swapped(pairs, 1 - p, rng)]


def _swapped(pairs: Sequence[Pair], share: float, rng: random.Random) -> list[Pair]:
    """The pairs, of which exactly this share, rounded, is turned round."""
    turned = set(rng.sample(range(len(pairs)), round(share * len(pairs))))
    return [pair.swapped if i in turned else pair for i, pair in enumerate(pairs)]
