"""Reduce a large set of records to a small good one, with a reason for each record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from ift_course.data.curation.difficulty import Difficulty, best, difficulty
from ift_course.data.curation.diversity import farthest_first
from ift_course.data.curation.duplicates import exact_duplicates, near_duplicates
from ift_course.data.curation.flaws import MAX_CHARACTERS, format_flaws
from ift_course.data.records import Record

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Prefer = Literal["low_ifd", "high_ifd"]
OnStep = Callable[[str, int, int], None]  # step, number of records done, number of all
OnDone = Callable[[int], None]  # number of records done

SELECTED = "selected"
EXACT, NEAR = "exact duplicate", "near duplicate"
SAME_WORDS = "duplicate except for case or white space"
NOT_HELPFUL = "question does not help the answer"
RANKED_LOWER = "not among the best by IFD"
TOO_SIMILAR = "question is more similar to the selected ones"


@dataclass(frozen=True)
class Decision:
    """What became of one record, and why.

    Attributes:
        index: the record's index.
        selected: whether it was selected.
        reason: why.
        similar_to: the index of the record that it repeats or resembles.
        similarity: of the two questions, 0 to 1, when diversity decided.
        difficulty: the model's perplexities, when a model ranked the record.
    """

    index: int
    selected: bool
    reason: str
    similar_to: int | None = None
    similarity: float | None = None
    difficulty: Difficulty | None = None

    @property
    def score(self) -> float | None:
        """The IFD, which ranks the records when there is a model."""
        return self.difficulty.ifd if self.difficulty else None


@dataclass(frozen=True)
class Curated:
    """The records that were selected, in their old order, and a decision on every record."""

    records: list[Record]
    decisions: list[Decision]


def curate(
    records: Sequence[Record],
    keep: int,
    *,
    seed: int,
    model: PreTrainedModel | None = None,
    tokenizer: PreTrainedTokenizerBase | None = None,
    prefer: Prefer | None = None,
    threshold: float = 0.8,
    shortest: int = 1,
    longest: int = MAX_CHARACTERS,
    on_step: OnStep | None = None,
) -> Curated:
    """Keep at most `keep` records, without flaws of form or duplicates, and diverse.

    The steps, in their order: flaws of form, exact duplicates, near duplicates, with a model all
    but the best 2 × `keep` by instruction-following difficulty (IFD), diversity of the questions.
    Test questions are not looked for.

    Args:
        records: the records to choose from.
        keep: how many to keep, at most.
        seed: decides between records that are equally far from those chosen before.
        model: an untuned model that ranks the records.
        tokenizer: the model's tokenizer.
        prefer: which IFD is best. A model needs this choice, because there is no safe default.
            "low_ifd" prefers records whose question helps the answer most: for data in which many
            answers are wrong, if the model knows the facts. "high_ifd" prefers the highest IFD
            below 1, as Li et al. 2023 (arXiv:2308.12032) do: for data in which few answers are
            wrong and easy examples teach little.
        threshold: the similarity that makes a near duplicate, as in `near_duplicates`.
        shortest: the shortest acceptable answer, in characters.
        longest: the longest acceptable answer, in characters.
        on_step: is called with the progress of each step.

    Raises:
        ValueError: `keep` is below 1, or a model comes without its tokenizer or without `prefer`.
    """
    if keep < 1:
        raise ValueError(f"keep is at least 1, not {keep}")
    if model is not None and tokenizer is None:
        raise ValueError("a model needs its tokenizer")
    if model is not None and prefer is None:
        raise ValueError('a model needs a choice: prefer="low_ifd" or prefer="high_ifd"')
    decided: dict[int, Decision] = {}

    def remaining(dropped: Iterable[Decision]) -> tuple[list[int], list[Record]]:
        """The indices and records that are left after these decisions."""
        decided.update((decision.index, decision) for decision in dropped)
        indices = [i for i in range(len(records)) if i not in decided]
        return indices, [records[i] for i in indices]

    def progress(step: str, total: int) -> OnDone | None:
        return partial(_report_progress, on_step, step, total) if on_step else None

    on_done = progress("checking the form", len(records))
    indices, rest = remaining(_drop_flawed(records, shortest, longest, on_done))
    indices, rest = remaining(_drop_exact_duplicates(indices, rest))
    on_done = progress("looking for near duplicates", len(rest))
    near = near_duplicates(rest, threshold, on_done=on_done)
    indices, rest = remaining(_drop_near_duplicates(indices, near))
    difficulties: dict[int, Difficulty] = {}
    if model is not None and tokenizer is not None and prefer is not None:
        on_done = progress("computing the IFD", len(rest))
        scores = difficulty(model, tokenizer, rest, on_done=on_done)
        difficulties = dict(zip(indices, scores, strict=True))
        indices, rest = remaining(_drop_lower_ranked(difficulties, 2 * keep, prefer))
    on_done = progress("choosing diverse questions", min(keep, len(rest)))
    choice = farthest_first(rest, keep, seed=seed, on_done=on_done)
    chosen = set(choice.chosen)
    remaining(
        Decision(
            i,
            selected=position in chosen,
            reason=SELECTED if position in chosen else TOO_SIMILAR,
            similar_to=None if position in chosen else indices[choice.nearest[position]],
            similarity=choice.similarity[position],
            difficulty=difficulties.get(i),
        )
        for position, i in enumerate(indices)
    )
    decisions = [decided[i] for i in range(len(records))]
    return Curated([records[d.index] for d in decisions if d.selected], decisions)


def _report_progress(on_step: OnStep, step: str, total: int, n_done: int) -> None:
    on_step(step, n_done, total)


def _drop_flawed(
    records: Sequence[Record], shortest: int, longest: int, on_done: OnDone | None
) -> Iterable[Decision]:
    for i, record in enumerate(records):
        if flaws := format_flaws(record, shortest=shortest, longest=longest):
            yield Decision(i, False, ", ".join(flaws))
        if on_done:
            on_done(i + 1)


def _drop_exact_duplicates(indices: list[int], records: Sequence[Record]) -> Iterable[Decision]:
    for i, original in enumerate(exact_duplicates(records)):
        if original is not None:
            reason = EXACT if records[original].turns == records[i].turns else SAME_WORDS
            yield Decision(indices[i], False, reason, similar_to=indices[original])


def _drop_near_duplicates(indices: list[int], duplicate_of: list[int | None]) -> Iterable[Decision]:
    for i, original in zip(indices, duplicate_of, strict=True):
        if original is not None:
            yield Decision(i, False, NEAR, similar_to=indices[original])


def _drop_lower_ranked(
    difficulties: dict[int, Difficulty], k: int, prefer: Prefer
) -> Iterable[Decision]:
    """Drop all but the best `k`."""
    high = prefer == "high_ifd"
    not_helpful = {i for i, scores in difficulties.items() if scores.ifd >= 1} if high else set()
    ranked = [i for i in difficulties if i not in not_helpful]
    positions = best([difficulties[i].ifd for i in ranked], k, highest=high)
    chosen = {ranked[position] for position in positions}
    for i, scores in difficulties.items():
        if i not in chosen:
            reason = NOT_HELPFUL if i in not_helpful else RANKED_LOWER
            yield Decision(i, False, reason, difficulty=scores)
