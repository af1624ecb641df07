"""The teacher's pool for lesson 07: made once for each seed and stored beside the grid.

`results/<profile>/grids/07-pool-<seed>.json` holds the instructions, the teacher's answers and the
rewards of the judge, so that every student chooses from the same answers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ift_course.claims.results import item_digits
from ift_course.disk import atomic_write_text
from ift_course.errors import CourseError
from ift_course.evaluation.generate import Completion
from ift_course.lessons.lesson_07 import pipeline
from ift_course.lessons.lesson_07.pipeline import AnsweredInstruction
from ift_course.lessons.lesson_07.sizes import SIZES, StudentSizes
from ift_course.models.fingerprint import base_identity
from ift_course.paths import evidence_root, results_dir, results_path
from ift_course.profile import Profile

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

ROUNDS = 12  # of the writer, at most


@dataclass(frozen=True)
class Harvest:
    """The instructions that the writer produced.

    Attributes:
        n_written: how many it wrote, unfinished ones and repetitions included.
        fresh: those that were new, in the order of writing.
        by_round: how many new ones each round brought.
    """

    n_written: int
    fresh: list[str]
    by_round: list[int]

    @property
    def leaked(self) -> list[str]:
        """The new ones about entities of the exam."""
        return [text for text in self.fresh if pipeline.is_held_out(text)]

    @property
    def clean(self) -> list[str]:
        """The new ones about anything else."""
        return [text for text in self.fresh if not pipeline.is_held_out(text)]

    @property
    def sensible(self) -> list[str]:
        """The clean ones whose answers the world can verify.

        Raises:
            CourseError: there is none, as happens with a base that was not pretrained on the world.
        """
        sensible = [text for text in self.clean if pipeline.to_question(text)]
        if not sensible:
            raise CourseError(
                f"None of the {len(self.clean)} instructions that this model wrote asks about the "
                "course's world, so nothing can tell which answers are right; take a model that "
                "has read about it: --profile tiny."
            )
        return sensible


@dataclass(frozen=True)
class StoredPool:
    """A seed's harvest and pool, and the identity of the base weights they were made with."""

    harvest: Harvest
    pool: list[AnsweredInstruction]
    base: str


def collect_instructions(
    sizes: StudentSizes,
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    seeds: Sequence[str],
    seed: int,
    *,
    may_run_dry: bool = False,
) -> Harvest:
    """Let the writer write until there are enough instructions that are new and not in the exam.

    The new instructions of one round are among the writer's examples in the next.

    Args:
        sizes: how many instructions are needed.
        model: the writer.
        tokenizer: of the writer.
        seeds: the instructions to begin with.
        seed: of the sampling.
        may_run_dry: accept fewer instructions than needed, because a writer that repeats itself
            round after round is a result and not an error; a few it must have.

    Raises:
        CourseError: there are not enough after `ROUNDS` rounds.
    """
    known = list(dict.fromkeys(seeds))
    harvest = Harvest(0, [], [])
    for number in range(ROUNDS):
        completions = pipeline.write_instructions(
            model, tokenizer, known, sizes.instructions, seed=100 * seed + number, sizes=sizes
        )
        texts = dict.fromkeys(x.text.strip() for x in completions if x.finished and x.text.strip())
        fresh = [text for text in texts if text not in set(known)]
        known += fresh
        harvest = Harvest(
            harvest.n_written + len(completions),
            [*harvest.fresh, *fresh],
            [*harvest.by_round, len(fresh)],
        )
        if len(harvest.clean) >= sizes.instructions:
            return harvest
    if may_run_dry and len(harvest.clean) > pipeline.N_SHOTS:
        return harvest
    raise CourseError(
        f"After {ROUNDS} rounds the writer has only {len(harvest.clean)} new instructions, and "
        f"{sizes.instructions} are needed; raise the temperature or give it more seeds."
    )


def get_pool(profile: Profile, seed: int) -> StoredPool:
    """The seed's pool: the stored one, or one that is made now and stored.

    Raises:
        CourseError: the stored pool is damaged.
    """
    from filelock import FileLock

    folder = results_dir(profile.name) / "grids"
    folder.mkdir(exist_ok=True)
    # Two runs of one seed may be computed at the same time; only one of them makes the pool.
    with FileLock(folder / f"07-pool-{seed}.lock"):
        stored = read_pool(profile, seed)
        if stored is None:
            print(f"Seed {seed}'s pool is not stored: a teacher answers, a judge scores it now …")
            stored = make_pool(profile, seed)
            _write(folder / f"07-pool-{seed}.json", stored)
    return stored


def available_pools(profile: Profile) -> dict[int, StoredPool]:
    """Seed → pool: the first seed's, made now if need be, and those of other seeds if stored."""
    first, *others = profile.seeds
    pools = {first: get_pool(profile, first)}
    return pools | {seed: pool for seed in others if (pool := read_pool(profile, seed))}


def make_pool(profile: Profile, seed: int) -> StoredPool:
    """Run teacher, writer and judge, one after the other."""
    sizes = SIZES[profile.name]
    teacher, tokenizer = pipeline.teacher_stage(profile, seed)
    seeds = pipeline.seed_instructions(sizes, seed)
    writer, _ = pipeline.writer_stage(profile, (teacher, tokenizer), seeds, seed)
    harvest = collect_instructions(sizes, writer, tokenizer, seeds, seed)
    answered = pipeline.sample_answers(
        teacher,
        tokenizer,
        harvest.clean[: sizes.instructions],
        seed=seed,
        sizes=sizes,
        answers=sizes.answers,
    )
    judge = pipeline.judge_stage(sizes, teacher, tokenizer, seed)
    return StoredPool(harvest, pipeline.with_rewards(answered, judge), base_identity(profile))


def read_pool(profile: Profile, seed: int) -> StoredPool | None:
    """The pool made here, otherwise the one that came with the course; None if there is none.

    Raises:
        CourseError: it is damaged.
    """
    own = results_path(profile.name) / "grids" / f"07-pool-{seed}.json"
    published = evidence_root() / profile.name / "grids" / own.name
    path = own if own.exists() else published
    if not path.exists():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        stored = StoredPool(
            Harvest(**data["harvest"]), [_from_row(row) for row in data["pool"]], data["base"]
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise CourseError(
            f"{path} is damaged; delete it and run `ift run 07 --full` again."
        ) from None
    return stored if stored.base == base_identity(profile) else None


def _from_row(row: dict[str, Any]) -> AnsweredInstruction:
    answers = zip(row["answers"], row["finished"], strict=True)
    return AnsweredInstruction(
        row["instruction"],
        tuple(Completion(text, digit == "1") for text, digit in answers),
        tuple(row["rewards"]),
    )


def _write(path: Path, stored: StoredPool) -> None:
    head = {"base": stored.base, "harvest": asdict(stored.harvest)}
    rows = [
        {
            "instruction": item.instruction,
            "answers": [answer.text for answer in item.answers],
            "finished": item_digits([answer.finished for answer in item.answers]),
            "rewards": item.rewards,
        }
        for item in stored.pool
    ]
    # One line for each instruction, because people and git read the file line by line.
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    start = json.dumps(head, ensure_ascii=False)[:-1]
    atomic_write_text(path, f'{start}, "pool": [\n{lines}\n]}}\n')
