"""A large set of records becomes a small good one, and each record is told why."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Literal

from ift_course.data.curation.difficulty import Difficulty, best, difficulty
from ift_course.data.curation.diversity import spread
from ift_course.data.curation.duplicates import exact_duplicates, near_duplicates
from ift_course.data.curation.flaws import LONGEST, format_flaws
from ift_course.data.records import Record

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Prefer = Literal["helped", "hard"]
OnStep = Callable[[str, int, int], None]  # what is being done, how many are done, of how many

KEPT = "kept"
EXACT, NEAR = "exact duplicate", "near duplicate"
SAME_WORDS = "duplicate but for case or white space"
MISLED = "question does not help the answer"
WORSE = "not among the best by IFD"
ALIKE = "question differs less than those kept"


@dataclass(frozen=True)
class Decision:
    """What became of one record, and why.

    twin: index of the record that it repeats or resembles. likeness: of the two questions, 0 to 1,
    when that decided. difficulty: when a model looked at the record.
    """

    index: int
    kept: bool
    reason: str
    twin: int | None = None
    likeness: float | None = None
    difficulty: Difficulty | None = None

    @property
    def score(self) -> float | None:
        """The IFD, which ranks the records when there is a model."""
        return self.difficulty.ifd if self.difficulty else None


@dataclass(frozen=True)
class Curated:
    """The records that are kept, in their old order, and a decision on every record."""

    records: list[Record]
    decisions: list[Decision]


def curate(
    records: Sequence[Record],
    keep: int,
    *,
    seed: int,
    model: "PreTrainedModel | None" = None,
    tokenizer: "PreTrainedTokenizerBase | None" = None,
    prefer: Prefer = "helped",
    threshold: float = 0.8,
    shortest: int = 1,
    longest: int = LONGEST,
    on_step: OnStep | None = None,
) -> Curated:
    """Keep at most `keep` records: without flaws of form, without duplicates, the rest diverse.

    With a model the choice is among the best 2 × `keep`: those whose questions help their answers
    most (lowest IFD), or with `prefer="hard"` least but at all (highest IFD below 1, the choice of
    Li et al. 2023, arXiv:2308.12032, for sets whose answers can be trusted).

    Args:
        threshold: of `near_duplicates`. shortest, longest: of `format_flaws`.
        seed: decides between records that are equally far from those chosen before.

    Raises ValueError if `keep` is below 1, or a model comes without its tokenizer.
    """
    if keep < 1:
        raise ValueError(f"keep is at least 1, not {keep}")
    if model is not None and tokenizer is None:
        raise ValueError("a model needs its tokenizer")
    decided: dict[int, Decision] = {}

    def undecided(dropped: Iterable[Decision]) -> tuple[list[int], list[Record]]:
        decided.update((decision.index, decision) for decision in dropped)
        left = [i for i in range(len(records)) if i not in decided]
        return left, [records[i] for i in left]

    def tell(what: str, total: int) -> Callable[[int], None] | None:
        return partial(_tell, on_step, what, total) if on_step else None

    step = tell("looking at the form", len(records))
    left, rest = undecided(_flawed(records, shortest, longest, step))
    left, rest = undecided(_said_before(left, rest))
    step = tell("looking for near duplicates", len(rest))
    left, rest = undecided(_repeated(left, near_duplicates(rest, threshold, on_done=step), NEAR))
    known: dict[int, Difficulty] = {}
    if model is not None:
        step = tell("asking the model", len(rest))
        known = dict(zip(left, difficulty(model, tokenizer, rest, on_done=step), strict=True))
        left, rest = undecided(_outranked(known, 2 * keep, prefer))
    chosen = spread(rest, keep, seed=seed, on_done=tell("choosing", min(keep, len(rest))))
    among = set(chosen.chosen)
    undecided(
        Decision(
            i,
            kept=at in among,
            reason=KEPT if at in among else ALIKE,
            twin=None if at in among else left[chosen.nearest[at]],
            likeness=chosen.likeness[at],
            difficulty=known.get(i),
        )
        for at, i in enumerate(left)
    )
    decisions = [decided[i] for i in range(len(records))]
    return Curated([records[d.index] for d in decisions if d.kept], decisions)


def _tell(on_step: OnStep, what: str, total: int, done: int) -> None:
    on_step(what, done, total)


def _flawed(
    records: Sequence[Record], shortest: int, longest: int, on_done: Callable[[int], None] | None
) -> Iterable[Decision]:
    for i, record in enumerate(records):
        if flaws := format_flaws(record, shortest=shortest, longest=longest):
            yield Decision(i, False, ", ".join(flaws))
        if on_done:
            on_done(i + 1)


def _said_before(left: list[int], records: Sequence[Record]) -> Iterable[Decision]:
    for i, twin in enumerate(exact_duplicates(records)):
        if twin is not None:
            reason = EXACT if records[twin].turns == records[i].turns else SAME_WORDS
            yield Decision(left[i], False, reason, twin=left[twin])


def _repeated(left: list[int], twins: list[int | None], reason: str) -> Iterable[Decision]:
    for i, twin in zip(left, twins, strict=True):
        if twin is not None:
            yield Decision(i, False, reason, twin=left[twin])


def _outranked(known: dict[int, Difficulty], k: int, prefer: Prefer) -> Iterable[Decision]:
    """All but the best `k`."""
    misled = {i for i, d in known.items() if d.ifd >= 1} if prefer == "hard" else set()
    ranked = [i for i in known if i not in misled]
    chosen = best([known[i].ifd for i in ranked], k, highest=prefer == "hard")
    good = {ranked[at] for at in chosen}
    for i, found in known.items():
        if i not in good:
            yield Decision(i, False, MISLED if i in misled else WORSE, difficulty=found)
