"""SHA-256 sums of a folder's files, in a file that `sha256sum -c` reads, too."""

from __future__ import annotations

import hashlib
from pathlib import Path

SUMS = "SHA256SUMS"


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_sums(folder: Path) -> None:
    """Write the sums of all files in a folder, subfolders not included, into the folder."""
    paths = sorted(path for path in folder.iterdir() if path.is_file() and path.name != SUMS)
    lines = [f"{sha256(path)}  {path.name}\n" for path in paths]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def first_wrong_file(folder: Path) -> Path | None:
    """Return the first file that is missing or differs from its sum, or None if all are right.

    Args:
        folder: A folder with a file `SUMS`; without one, that file is the missing one.
    """
    sums = folder / SUMS
    if not sums.is_file():
        return sums
    for line in sums.read_text(encoding="utf-8").splitlines():
        expected, _, name = line.partition("  ")
        path = folder / name
        if not path.is_file() or sha256(path) != expected:
            return path
    return None
