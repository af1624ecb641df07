"""A file appears whole or not at all, and a disk that is too small is named in one sentence."""

from __future__ import annotations

import errno
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from ift_course.disk import atomic_write_text, atomic_writer, disk_errors, refuse_without_space
from ift_course.errors import CourseError


def test_a_file_appears_only_when_it_is_whole(tmp_path: Path):
    path = tmp_path / "out.jsonl"
    with atomic_writer(path) as file:
        file.write("a\n")
        assert not path.exists()
    assert path.read_bytes() == b"a\n"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_interrupted_write_leaves_the_old_file(error: type[BaseException], tmp_path: Path):
    path = tmp_path / "out.jsonl"
    atomic_write_text(path, "old")
    with pytest.raises(error), atomic_writer(path) as file:
        file.write("new")
        raise error
    assert path.read_text(encoding="utf-8") == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("drop_empty", [True, False])
def test_an_empty_file_is_dropped_only_on_request(drop_empty: bool, tmp_path: Path):
    path = tmp_path / "out.jsonl"
    path.write_text("from an earlier run", encoding="utf-8")
    with atomic_writer(path, drop_empty=drop_empty):
        pass
    assert path.exists() != drop_empty


def test_a_full_disk_is_one_sentence(tmp_path: Path):
    cause = OSError(errno.ENOSPC, "No space left on device")
    with pytest.raises(CourseError, match="There is no space left"), disk_errors(tmp_path):
        raise RuntimeError("safetensors could not write") from cause
    with pytest.raises(KeyError), disk_errors(tmp_path):
        raise KeyError("of another kind")


def test_a_result_that_does_not_fit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10**9))
    out = tmp_path / "not" / "there"
    refuse_without_space(out, 10**9, "The model")
    with pytest.raises(CourseError, match=r"The model takes 2\.0 GB, but only 1\.0 GB are free"):
        refuse_without_space(out, 2 * 10**9, "The model")
