"""A zip that somebody handed in, read in memory: nothing is unpacked, and no name is a path."""

from __future__ import annotations

import stat
import zipfile
from dataclasses import replace
from pathlib import Path, PurePosixPath

from ift_course.capstone.rules import (
    ADAPTER,
    LARGEST,
    LARGEST_ZIP,
    MANIFEST,
    MOST_MEMBERS,
    PARTS,
    Refusal,
    megabytes,
)
from ift_course.capstone.submission import Submission, check_manifest
from ift_course.grading.names import clean
from ift_course.grading.submissions.archives import READING_ERRORS
from ift_course.grading.submissions.nodes import is_junk

PICKLES = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".npy", ".npz")
LONGEST_TITLE = 80


def open_submission(path: Path, base: str) -> Submission:
    """Read and check a submission.

    Args:
        path: The zip.
        base: The identity of the course's base.

    Raises:
        Refusal: It breaks a rule, or cannot be read.
    """
    if path.is_symlink():
        raise Refusal("link", f"{path.name} is a link, which is not followed.")
    size = path.stat().st_size
    if size == 0:
        raise Refusal("empty", f"{path.name} is empty; hand in the zip that `ift submit` wrote.")
    if size > LARGEST_ZIP:
        raise Refusal(
            "size", f"{path.name} has {megabytes(size)}, and {megabytes(LARGEST_ZIP)} are the "
            "limit; hand in the zip that `ift submit` wrote, and nothing beside it."
        )  # fmt: skip
    try:
        with zipfile.ZipFile(path) as archive:
            files = _read(archive)
    except READING_ERRORS:
        raise Refusal("corrupted", f"{path.name} is no zip, or it is damaged; download or pack it "
                      "again.") from None  # fmt: skip
    submission = Submission("", {name: files[name] for name in PARTS})
    title = check_manifest(files[MANIFEST], submission, base)
    submission = replace(submission, title=" ".join(clean(title).split())[:LONGEST_TITLE])
    submission.check()
    return submission


def _read(archive: zipfile.ZipFile) -> dict[str, bytes]:
    infos = [x for x in archive.infolist() if not is_junk(tuple(x.filename.split("/")))]
    if len(infos) > MOST_MEMBERS:
        raise Refusal("size", f"The zip holds {len(infos):,} files, and {len(PARTS) + 1} belong "
                      "in it; pack again with `ift submit`.")  # fmt: skip
    members: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        if not info.is_dir():
            name = _checked_name(info)
            if name in members:
                raise Refusal("manifest", f"The zip holds two files called {name}; pack again with "
                              "`ift submit`.")  # fmt: skip
            members[name] = info
    for name in (*PARTS, MANIFEST):
        if name not in members:
            raise Refusal("missing", f"The zip holds no {name}; pack it with `ift submit`.")
    return {name: _content(archive, info, name) for name, info in members.items()}


def _checked_name(info: zipfile.ZipInfo) -> str:
    """The name of a file that belongs into a submission."""
    path = PurePosixPath(info.filename.replace("\\", "/"))
    shown = clean(info.filename)[:100]
    if stat.S_ISLNK(info.external_attr >> 16):
        raise Refusal("link", f"{shown} in the zip is a link, which is not followed.")
    if path.is_absolute() or ".." in path.parts or ":" in info.filename[:2]:
        raise Refusal("path", f"{shown} in the zip leads out of it; pack again with `ift submit`.")
    if path.name.lower().endswith(PICKLES):
        raise Refusal("pickle", f"{shown} may be a pickle, which could run code; only {ADAPTER} "
                      "(safetensors) is read.")  # fmt: skip
    if len(path.parts) != 1 or path.name not in LARGEST:
        raise Refusal("unknown file", f"{shown} does not belong into a submission; pack again with "
                      "`ift submit`.")  # fmt: skip
    return path.name


def _content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, name: str) -> bytes:
    """A file's content, of which no more is inflated than it may have."""
    most = LARGEST[name]
    if info.file_size <= most:
        with archive.open(info) as file:
            content = file.read(most + 1)
        if len(content) <= most:
            return content
    raise Refusal("size", f"{name} has more than the {megabytes(most)} that are the limit.")
