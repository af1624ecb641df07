"""The file of a profile's claims, `results/<profile>/claims.json`: the only reader and writer.

Lessons may run at the same time and write to the same file, so every change holds one lock and
replaces the file atomically.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from ift_course.claims.entry import Claim
from ift_course.disk import atomic_write_text
from ift_course.errors import CourseError
from ift_course.paths import evidence_root, results_dir, results_root

FILE = "claims.json"


def read_claims(profile: str) -> list[Claim]:
    """The claims that runs on this machine recorded for a profile, sorted by id.

    Raises:
        CourseError: the file is damaged.
    """
    return read_file(results_dir(profile) / FILE)


def read_file(path: Path) -> list[Claim]:
    """The claims in one file; none if there is no file.

    Raises:
        CourseError: the file is damaged.
    """
    if not path.exists():
        return []
    try:
        return TypeAdapter(list[Claim]).validate_json(path.read_bytes())
    except ValidationError:
        raise CourseError(f"{path} is damaged; delete it and run the lessons again.") from None


def published_claims(profile: str) -> dict[str, Claim]:
    """The published claims of a profile by id, to be shown beside one's own.

    Returns:
        The claims; none when this run writes to the published results itself, as `ift build` does,
        because it would be compared with its own predecessor.
    """
    if results_root().resolve() == evidence_root().resolve():
        return {}
    return {claim.id: claim for claim in read_file(evidence_root() / profile / FILE)}


def add_claim(claim: Claim, profile: str) -> None:
    """Record a claim; it replaces an earlier one of the same id."""
    with _locked_claims(profile) as claims:
        claims[:] = [x for x in claims if x.id != claim.id] + [claim]


def take_claims(profile: str, lesson: str) -> list[Claim]:
    """Remove a lesson's claims from the file and return them."""
    with _locked_claims(profile) as claims:
        removed = [x for x in claims if x.lesson == lesson]
        claims[:] = [x for x in claims if x.lesson != lesson]
    return removed


def put_back_claims(profile: str, lesson: str, earlier: list[Claim]) -> None:
    """Undo `take_claims`: replace what an unfinished run recorded by the earlier claims."""
    with _locked_claims(profile) as claims:
        claims[:] = [x for x in claims if x.lesson != lesson] + earlier


@contextmanager
def _locked_claims(profile: str) -> Iterator[list[Claim]]:
    """The claims, to be changed in place; written back if they differ afterwards."""
    from filelock import FileLock

    path = results_dir(profile) / FILE
    with FileLock(path.with_name(path.name + ".lock")):
        before = read_file(path)
        claims = list(before)
        yield claims
        if claims != before:
            ordered = sorted(claims, key=lambda x: x.id)
            rows = [x.model_dump(mode="json") for x in ordered]
            atomic_write_text(path, json.dumps(rows, indent=1, ensure_ascii=False) + "\n")
