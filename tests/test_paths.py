"""Evidence and scratch are two places: what a learner runs never touches what was published."""

import shutil
import subprocess

import pytest

from ift_course import paths


@pytest.fixture
def clone(monkeypatch):
    monkeypatch.delenv("IFT_RESULTS", raising=False)
    monkeypatch.delenv("IFT_SEED", raising=False)
    root = paths.checkout()
    if root is None or not (root / ".git").exists() or not shutil.which("git"):
        pytest.skip("this is no clone")
    return root


def test_a_run_in_a_clone_writes_only_what_git_ignores(clone):
    folder = paths.results_path("tiny")
    assert paths.evidence_root() not in folder.parents
    for name in ("claims.json", "lessons.json", "report.html", "grids/03.json", "models/sft/x"):
        ignored = subprocess.run(["git", "check-ignore", "-q", folder / name], cwd=clone)
        assert ignored.returncode == 0, name


def test_a_run_begins_with_the_published_grids_and_leaves_them_as_they_are(
    clone, monkeypatch, tmp_path
):
    from ift_course.claims import grid_store
    from ift_course.lessons.lesson_03.experiment import LimaResult
    from ift_course.profile import get_profile

    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))
    published = paths.evidence_root() / "tiny" / "grids" / "03.json"
    before = published.read_bytes()
    results = grid_store.read(get_profile("tiny"), "03", LimaResult)
    grid_store.add(get_profile("tiny"), "03", results[0])
    assert len(grid_store.read(get_profile("tiny"), "03", LimaResult)) == len(results)
    assert (tmp_path / "tiny" / "grids" / "03.json").exists()
    assert published.read_bytes() == before
