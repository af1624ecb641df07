"""`ift grade --capstone`: the zips of a class on a hidden exam."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ift_course.capstone.leaderboard import Leaderboard
    from ift_course.capstone.marking import Entry

SETTINGS = "capstone.json"


def grade_capstone(
    folder: Path, out: Path, seed: str | None, questions: int, jobs: int, as_json: bool
) -> None:
    """Examine a class, write the leaderboard, and say what happened.

    Args:
        folder: With the zips.
        out: For results; the same folder goes on where it was stopped.
        seed: Of the hidden exam; None takes that of the earlier runs, or a new one.
        questions: Of the exam.
        jobs: Submissions that are examined at a time.
        as_json: Whether to print one JSON object.
    """
    from rich.console import Console

    from ift_course.capstone import leaderboard
    from ift_course.capstone.exam import Exam
    from ift_course.capstone.marking import find_zips, mark_class

    zips = find_zips(folder)
    out.mkdir(parents=True, exist_ok=True)
    exam = Exam(_choose_seed(out, seed), questions)
    console = Console(soft_wrap=True, highlight=False, stderr=as_json)

    def show(entry: Entry) -> None:
        what = f"{entry.items.count('1')} of {len(entry.items)}" if entry.items else entry.sentence
        console.print(f"{entry.student}: {entry.status}, {what}", markup=False)

    console.print(f"{len(zips)} submissions. Baselines are trained on the first run only.")
    board = leaderboard.make(mark_class(zips, out, exam, jobs=jobs, on_done=show), exam)
    page, table = leaderboard.write(board, out)
    if as_json:
        print(json.dumps(_summary(board), ensure_ascii=False))
        return
    n_suspected = sum(bool(line.entry.suspicion) for line in board.lines)
    n_examined = sum(not line.is_baseline for line in board.lines)
    console.print(f"{n_examined} examined, {n_suspected} of them suspected, "
                  f"{len(board.others)} not examined.")  # fmt: skip
    console.print(f"The leaderboard: {page} and {table}", markup=False)
    console.print(f"{out / SETTINGS} holds the exam's seed: keep it to yourself.", markup=False)


def _choose_seed(out: Path, seed: str | None) -> int:
    """The exam's seed as a number, kept beside the results."""
    import hashlib

    from ift_course.capstone.exam import new_seed
    from ift_course.disk import atomic_write_text

    path = out / SETTINGS
    if seed is not None:
        digest = hashlib.sha256(seed.encode()).digest()
        number = int(seed) if seed.isdecimal() else int.from_bytes(digest[:7], "big")
    else:
        try:
            number = int(json.loads(path.read_text(encoding="utf-8"))["seed"])
        except (OSError, ValueError, KeyError, TypeError):
            number = new_seed()
    atomic_write_text(path, json.dumps({"seed": number}) + "\n")
    return number


def _summary(board: Leaderboard) -> dict[str, object]:
    return {
        "examined": [
            {"place": x.place, "student": x.entry.student, "status": x.entry.status,
             "right": x.entry.items.count("1"), "questions": len(x.entry.items),
             "suspicion": x.entry.suspicion}
            for x in board.lines
        ],
        "not examined": [
            {"student": x.student, "status": x.status, "kind": x.kind, "sentence": x.sentence}
            for x in board.others
        ],
    }  # fmt: skip
