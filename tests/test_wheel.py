"""An installed wheel has everything that it needs to run without a clone."""

import subprocess
import sys
import zipfile

import pytest

from ift_course import paths
from ift_course.data import course_set
from ift_course.lessons.discover import lessons


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    process = subprocess.run([*build, str(paths.checkout())], capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_the_wheel_carries_the_lessons_their_costs_and_the_tested_set(wheel):
    names = set(wheel.namelist())
    files = [f"notebooks/{x.name}.py" for x in lessons()]
    files += ["results/tiny/lessons.json", "constraints.txt"]
    assert {f"ift_course/_project/{x}" for x in files} <= names
    for template in ("report.html.j2", "claims.md.j2", "base_card.md.j2"):
        assert f"ift_course/authoring/{template}" in names


def test_the_wheel_carries_the_base_model(wheel):
    assets = [x for x in paths.assets_dir().rglob("*") if x.is_file()]
    assert any(x.suffix == ".safetensors" for x in assets)
    names = set(wheel.namelist())
    assert {f"ift_course/{x.relative_to(paths.PACKAGE).as_posix()}" for x in assets} <= names


def test_the_wheel_carries_the_course_set(wheel):
    names = set(wheel.namelist())
    files = [x.name for x in course_set.FOLDER.iterdir() if x.is_file()]
    assert {"train.jsonl", "README.md", "LICENSE"} <= set(files)
    assert {f"ift_course/data/course_set/{name}" for name in files} <= names


def test_the_wheel_carries_nothing_else(wheel):
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert {x for x in tops if not x.endswith(".dist-info")} == {"ift_course"}


def test_without_a_clone_results_go_to_the_current_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(paths, "PACKAGE", tmp_path / "site-packages" / "ift_course")
    monkeypatch.delenv("IFT_RESULTS", raising=False)
    monkeypatch.chdir(tmp_path)
    assert paths.shipped() == tmp_path / "site-packages" / "ift_course" / "_project"
    assert paths.results_dir("tiny") == tmp_path / "results" / "tiny"
    assert (tmp_path / "results" / "tiny").is_dir()
