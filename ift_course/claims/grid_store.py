"""Where a grid's results lie, so that a killed run goes on where it was.

results/<profile>/grids/<lesson>.json is a list of rows, one for each cell and seed, and
<lesson>-seeds.json what the lesson's own functions gave (`experiments.seeds`). The whole file
is written anew after each row, all or not at all.
"""

from __future__ import annotations

import hashlib
import json

from pydantic import TypeAdapter, ValidationError

from ift_course.disk import atomic_write_text
from ift_course.errors import CourseError
from ift_course.paths import assets_dir, evidence_root, results_dir, results_path
from ift_course.profile import Profile


def base_identity(profile: Profile) -> str:
    """Which weights the profile starts from: rows of other weights do not belong together."""
    if profile.base_model == "embedded":
        sums = (assets_dir() / "base" / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
        digest = next(line.split()[0] for line in sums if line.endswith("model.safetensors"))
        return digest[:12]
    named = f"{profile.base_model}@{profile.revision}"
    return hashlib.sha256(named.encode()).hexdigest()[:12]


def read(profile: Profile, lesson: str, kind: type) -> list:
    """The rows made here, else those that came with the course, else none.

    kind: the lesson's class of rows; each has `cell`, `seed` and `base`, and `cell` a `sort_key`.
    Rows of other base weights than the profile's are left out: they answer another question.
    Raises CourseError if the file is damaged.
    """
    own = results_path(profile.name) / "grids" / f"{lesson}.json"
    published = evidence_root() / profile.name / "grids" / f"{lesson}.json"
    path = own if own.exists() else published
    if not path.exists():
        return []
    try:
        rows = TypeAdapter(list[kind]).validate_json(path.read_bytes())
    except ValidationError as error:
        place = ", ".join(str(part) for part in error.errors()[0]["loc"])
        where = f" (at {place})" if place else ""
        again = f"ift run {lesson} --full" if lesson.isdigit() else f"ift run {lesson[:2]}"
        raise CourseError(f"{path} is damaged{where}; delete it and run `{again}` again.") from None
    base = base_identity(profile)
    return [row for row in rows if row.base == base]


def add(profile: Profile, lesson: str, row) -> None:
    """Puts one row to the others of the lesson's grid; it replaces one of its cell and seed."""
    from filelock import FileLock

    folder = results_dir(profile.name) / "grids"
    folder.mkdir(exist_ok=True)
    path = folder / f"{lesson}.json"
    # Two terminals may be computing parts of the same grid.
    with FileLock(path.with_name(path.name + ".lock")):
        rows = {(x.cell, x.seed): x for x in [*read(profile, lesson, type(row)), row]}
        ordered = sorted(rows.values(), key=lambda x: (x.cell.sort_key, x.seed))
        # One line a row: the file is read by people and by git, a line at a time.
        lines = [json.dumps(x.model_dump(mode="json"), ensure_ascii=False) for x in ordered]
        atomic_write_text(path, "[\n" + ",\n".join(lines) + "\n]\n")
