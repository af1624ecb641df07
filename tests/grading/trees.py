"""Trees of submissions for tests: written as a folder, or as an archive."""

import io
import json
import tarfile
import zipfile
from pathlib import Path

from ift_course.exercises import source
from ift_course.exercises.generate import notebook as generated

LESSON = "02"
FUNCTIONS = ["adapt_sharegpt", "render_chatml", "response_labels", "collate", "pack", "find_faults",
             "completion_rows"]  # fmt: skip


def notebook(*sources: str) -> bytes:
    """A notebook with these code cells."""
    cells = [{"cell_type": "code", "source": x, "metadata": {}, "outputs": []} for x in sources]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}).encode()


def solves(*names: str, mark: str = "") -> bytes:
    """A notebook in which these functions have a body of the student's own; the others are stubs.

    mark: makes it differ from others that solve the same.
    """
    stub = 'raise NotImplementedError("Write your code here, instead of this line.")'
    bodies = {name: f"return {mark!r} and a" if name in names else stub for name in FUNCTIONS}
    return notebook(*(f"def {name}(*a):\n    {body}" for name, body in bodies.items()))


def course(kind: str, lesson: str = LESSON) -> bytes:
    """What the course ships for a lesson: its "exercises" or its "solutions"."""
    import nbformat

    [path] = [x for x in source.sources() if x.name.startswith(lesson)]
    return nbformat.writes(generated(path, kind)).encode()


def write(folder: Path, files: dict[str, bytes | str | None]) -> Path:
    """Writes files below a folder; a name with None is an empty folder."""
    for name, content in files.items():
        path = folder / name
        if content is None:
            path.mkdir(parents=True)
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def zipped(files: dict[str, bytes | str | None]) -> bytes:
    """The files as a zip."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name if content is not None else f"{name}/", content or b"")
    return data.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    """The files as a tar."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()
