"""The teacher's pool for lesson 07: made once for each seed, kept beside the grid, read back.

results/<profile>/grids/07-pool-<seed>.json holds the instructions, the teacher's answers and what
both judges gave for each, so that every student chooses from the same answers.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ift_course.claims.grid_store import base_identity
from ift_course.disk import atomic_write_text
from ift_course.errors import CourseError
from ift_course.evaluation.generate import Completion
from ift_course.lessons.lesson_07 import pipeline
from ift_course.lessons.lesson_07.pipeline import PLANS, Asked, Plan
from ift_course.paths import evidence_root, results_dir, results_path
from ift_course.profile import Profile

ROUNDS = 12  # of the writer, at most


@dataclass(frozen=True)
class Harvest:
    """What the writer brought in.

    drawn: how many instructions it wrote, unfinished ones and repetitions included. fresh: those
    that were new, in the order of writing. by_round: how many of them each round brought.
    """

    drawn: int
    fresh: list[str]
    by_round: list[int]

    @property
    def leaked(self) -> list[str]:
        """Those about entities of the exam."""
        return [text for text in self.fresh if pipeline.held_out(text)]

    @property
    def clean(self) -> list[str]:
        """All others."""
        return [text for text in self.fresh if not pipeline.held_out(text)]

    @property
    def sensible(self) -> list[str]:
        """Those of the clean ones that the world can mark.

        Raises CourseError if there is none, as happens with a base that has not read the world.
        """
        found = [text for text in self.clean if pipeline.meaning(text)]
        if not found:
            raise CourseError(
                f"None of the {len(self.clean)} instructions that this model wrote asks about the "
                "course's world, so nothing can tell which answers are right; take a model that "
                "has read about it: --profile tiny."
            )
        return found


@dataclass(frozen=True)
class Stored:
    """A seed's harvest and pool, and the base weights they were made with."""

    harvest: Harvest
    pool: list[Asked]
    base: str


def harvest(
    plan: Plan, model, tokenizer, seeds: Sequence[str], seed: int, *, may_run_dry: bool = False
) -> Harvest:
    """Let the writer write until there are enough instructions that are new and not in the exam.

    What is accepted in one round is among what the writer is shown in the next.

    may_run_dry: a writer that repeats itself, round after round, is a result, and not an error; but
        a few it must have.

    Raises CourseError if there are not enough after `ROUNDS` rounds.
    """
    known = list(dict.fromkeys(seeds))
    found = Harvest(0, [], [])
    for number in range(ROUNDS):
        drawn = pipeline.write(
            model, tokenizer, known, plan.instructions, seed=100 * seed + number, plan=plan
        )
        texts = dict.fromkeys(x.text.strip() for x in drawn if x.finished and x.text.strip())
        fresh = [text for text in texts if text not in set(known)]
        known += fresh
        found = Harvest(
            found.drawn + len(drawn), [*found.fresh, *fresh], [*found.by_round, len(fresh)]
        )
        if len(found.clean) >= plan.instructions:
            return found
    if may_run_dry and len(found.clean) > pipeline.SHOWN:
        return found
    raise CourseError(
        f"After {ROUNDS} rounds the writer has only {len(found.clean)} new instructions, and "
        f"{plan.instructions} are wanted; raise the temperature or give it more seeds."
    )


def pool_of(profile: Profile, seed: int) -> Stored:
    """The seed's pool: the stored one, or one that is made now and stored.

    A stored pool that some judge has not marked is only marked. Raises CourseError if the stored
    one is damaged.
    """
    from filelock import FileLock

    folder = results_dir(profile.name) / "grids"
    folder.mkdir(exist_ok=True)
    # Two cells of one seed may run side by side; only one of them makes the pool.
    with FileLock(folder / f"07-pool-{seed}.lock"):
        stored = read(profile, seed)
        if stored is None or not all(set(x.rewards) >= set(pipeline.JUDGES) for x in stored.pool):
            print(f"Seed {seed}'s pool is not stored: a teacher answers, and judges mark it, now …")
            stored = make(profile, seed, stored)
            _write(folder / f"07-pool-{seed}.json", stored)
    return stored


def make(profile: Profile, seed: int, answered: Stored | None = None) -> Stored:
    """Teacher, writer and judges, one after the other.

    answered: a pool that only the judges are missing from.
    """
    plan = PLANS[profile.name]
    teacher, tokenizer = pipeline.teacher_stage(profile, seed)
    if answered is None:
        seeds = pipeline.seed_instructions(plan, seed)
        writer, _ = pipeline.writer_stage(profile, (teacher, tokenizer), seeds, seed)
        found = harvest(plan, writer, tokenizer, seeds, seed)
        asked = found.clean[: plan.instructions]
        pool = pipeline.ask(teacher, tokenizer, asked, seed=seed, plan=plan, answers=plan.answers)
        answered = Stored(found, pool, base_identity(profile))
    pool = answered.pool
    for name in pipeline.JUDGES:
        judge = pipeline.judge_stage(plan, teacher, tokenizer, name, seed)
        pool = pipeline.marked(pool, name, judge)
    return replace(answered, pool=pool)


def read(profile: Profile, seed: int) -> Stored | None:
    """The pool made here, else the one that came with the course; None if there is none.

    Raises CourseError if it is damaged.
    """
    own = results_path(profile.name) / "grids" / f"07-pool-{seed}.json"
    published = evidence_root() / profile.name / "grids" / own.name
    path = own if own.exists() else published
    if not path.exists():
        return None
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        stored = Stored(
            Harvest(**data["harvest"]), [_asked(row) for row in data["pool"]], data["base"]
        )
    except (ValueError, TypeError, KeyError, AttributeError):
        raise CourseError(
            f"{path} is damaged; delete it and run `ift run 07 --full` again."
        ) from None
    return stored if stored.base == base_identity(profile) else None


def _asked(row: dict) -> Asked:
    said = zip(row["answers"], row["ended"], strict=True)
    return Asked(
        row["instruction"],
        tuple(Completion(text, ended == "1") for text, ended in said),
        {name: tuple(rewards) for name, rewards in row["rewards"].items()},
    )


def _write(path: Path, stored: Stored) -> None:
    found = stored.harvest
    head = {
        "base": stored.base,
        "harvest": {"drawn": found.drawn, "fresh": found.fresh, "by_round": found.by_round},
    }
    rows = [
        {
            "instruction": asked.instruction,
            "answers": [said.text for said in asked.answers],
            "ended": "".join(str(int(said.finished)) for said in asked.answers),
            "rewards": asked.rewards,
        }
        for asked in stored.pool
    ]
    # One line an instruction: the file is read by people and by git, a line at a time.
    lines = ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows)
    start = json.dumps(head, ensure_ascii=False)[:-1]
    atomic_write_text(path, f'{start}, "pool": [\n{lines}\n]}}\n')
