"""On Colab what is lacking is installed, and torch and the kernel stay what they are."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ift_course import colab
from ift_course.exercises.notebook_files import COLAB
from ift_course.links import repository_url


def test_only_what_is_missing_or_too_old_is_installed(monkeypatch):
    here = {"torch": "2.11.0+cu130", "datasets": "4.0.0", "peft": "0.20.0", "numpy": "2.0.2"}
    monkeypatch.setattr(colab, "_version", here.get)
    wanted = ["torch>=2.6", "datasets>=4.7", "peft>=0.17", "trl>=1.0", "jupyterlab>=4.2"]
    wanted += ["ipykernel>=6.29", 'playwright>=1.45; extra == "browser"']
    wanted += ['colorama>=0.4; platform_system == "Nowhere"']
    assert colab.lacking(wanted) == ["datasets>=4.7", "trl>=1.0"]
    assert colab.kept() == ["torch==2.11.0+cu130", "numpy==2.0.2"]


def test_where_everything_is_there_pip_is_not_called(monkeypatch, capsys):
    monkeypatch.setattr(subprocess, "run", lambda *_: pytest.fail("pip was called"))
    colab.main()
    assert "IFT_RESULTS=/content/drive" in capsys.readouterr().out


def test_what_pip_says_of_a_success_is_not_shown(monkeypatch, capfd):
    def run(command, **options):
        return actually(
            [sys.executable, "-c", "import sys; print('ERROR: conflicts', file=sys.stderr)"],
            **options,
        )

    actually = subprocess.run
    monkeypatch.setattr(colab, "lacking", lambda _: ["trl>=1.0"])
    monkeypatch.setattr(subprocess, "run", run)
    colab.main()
    shown = "".join(capfd.readouterr())
    assert "Installing trl>=1.0" in shown and "ERROR" not in shown


def test_pip_is_held_to_torch_and_its_failure_is_told(monkeypatch):
    seen = []

    def run(command, **_):
        seen.append(command)
        at = command[command.index("--constraint") + 1]
        seen.append(Path(at).read_text(encoding="utf-8"))
        return SimpleNamespace(returncode=1, stdout="", stderr="no space left on device")

    monkeypatch.setattr(colab, "lacking", lambda _: ["trl>=1.0"])
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(SystemExit, match=r"(?s)no space left on device.*run this cell again"):
        colab.main()
    assert seen[0][-1] == "trl>=1.0"
    assert "torch==" in seen[1]


def test_the_first_cell_installs_from_the_repository_and_nothing_where_the_course_is():
    assert f"git+{repository_url()}" in COLAB.replace("{{ repository }}", repository_url())
    ran = subprocess.run([sys.executable, "-c", COLAB], capture_output=True, text=True)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    called = COLAB.replace("find_spec(", "(lambda name: None)(")
    said = "def get_ipython():\n    class Shell:\n        system = staticmethod(print)\n"
    said += "    return Shell\n" + called
    ran = subprocess.run([sys.executable, "-c", said], capture_output=True, text=True)
    assert "pip install -q --no-deps" in ran.stdout
    assert "python -m ift_course.colab" in ran.stdout
