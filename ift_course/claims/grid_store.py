"""The files that hold a grid's results, so that an interrupted run can resume.

`results/<profile>/grids/<lesson>.json` is a list of results, one for each configuration and seed;
`<lesson>-seeds.json` holds what the lesson's own functions returned (`claims.each_seed`). The whole
file is rewritten after each result, atomically.
"""

from __future__ import annotations

import json
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from ift_course.claims.results import Result
from ift_course.disk import atomic_write_text
from ift_course.errors import CourseError
from ift_course.models.fingerprint import base_identity
from ift_course.paths import evidence_root, results_dir, results_path
from ift_course.profile import Profile

R = TypeVar("R", bound=Result)


def read(profile: Profile, lesson: str, kind: type[R]) -> list[R]:
    """The results computed here, otherwise those that came with the course, otherwise none.

    Results of other base weights than the profile's are left out, because they answer another
    question.

    Args:
        profile: whose results to read.
        lesson: the name of the file, as "03" or "03-seeds".
        kind: the lesson's class of results.

    Raises:
        CourseError: the file is damaged.
    """
    own = results_path(profile.name) / "grids" / f"{lesson}.json"
    published = evidence_root() / profile.name / "grids" / f"{lesson}.json"
    path = own if own.exists() else published
    if not path.exists():
        return []
    try:
        # The type is only known at run time.
        adapter = TypeAdapter(list[kind])  # pyright: ignore[reportInvalidTypeForm]
        results: list[R] = adapter.validate_json(path.read_bytes())
    except ValidationError as error:
        location = ", ".join(str(part) for part in error.errors()[0]["loc"])
        where = f" (at {location})" if location else ""
        command = f"ift run {lesson} --full" if lesson.isdigit() else f"ift run {lesson[:2]}"
        raise CourseError(
            f"{path} is damaged{where}; delete it and run `{command}` again."
        ) from None
    base = base_identity(profile)
    return [result for result in results if result.base == base]


def add(profile: Profile, lesson: str, result: Result) -> None:
    """Add one result to the lesson's file; it replaces an earlier one of its config and seed."""
    from filelock import FileLock

    folder = results_dir(profile.name) / "grids"
    folder.mkdir(exist_ok=True)
    path = folder / f"{lesson}.json"
    # Two terminals may be computing parts of the same grid.
    with FileLock(path.with_name(path.name + ".lock")):
        stored = [*read(profile, lesson, type(result)), result]
        atomic_write_text(path, to_json(stored))


def to_json(results: list[R]) -> str:
    """The text of a file of results, sorted; of two with one config and seed, the later one."""
    latest = {(result.config, result.seed): result for result in results}
    ordered = sorted(latest.values(), key=lambda result: (result.config.sort_key, result.seed))
    # One line for each result, because people and git read the file line by line.
    lines = [json.dumps(x.model_dump(mode="json"), ensure_ascii=False) for x in ordered]
    return "[\n" + ",\n".join(lines) + "\n]\n"
