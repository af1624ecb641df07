"""On Colab, missing requirements are installed, and torch and the kernel keep their versions."""

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from ift_course import colab
from ift_course.exercises.notebook_files import COLAB
from ift_course.links import repository_url


def test_only_what_is_missing_or_too_old_is_installed(monkeypatch):
    versions = {"torch": "2.11.0+cu130", "datasets": "4.0.0", "peft": "0.20.0", "numpy": "2.0.2"}
    monkeypatch.setattr(colab, "_version", versions.get)
    requirements = ["torch>=2.6", "datasets>=4.7", "peft>=0.17", "trl>=1.0", "jupyterlab>=4.2"]
    requirements += ["ipykernel>=6.29", 'playwright>=1.45; extra == "browser"']
    requirements += ['colorama>=0.4; platform_system == "Nowhere"']
    assert colab.missing_requirements(requirements) == ["datasets>=4.7", "trl>=1.0"]
    assert colab.installed_pins() == ["torch==2.11.0+cu130", "numpy==2.0.2"]


def test_where_everything_is_there_pip_is_not_called(monkeypatch, capsys):
    monkeypatch.setattr(subprocess, "run", lambda *_: pytest.fail("pip was called"))
    colab.main()
    assert "IFT_RESULTS=/content/drive" in capsys.readouterr().out


def test_the_output_of_a_successful_pip_is_hidden(monkeypatch, capfd):
    def run(command, **options):
        return original_run(
            [sys.executable, "-c", "import sys; print('ERROR: conflicts', file=sys.stderr)"],
            **options,
        )

    original_run = subprocess.run
    monkeypatch.setattr(colab, "missing_requirements", lambda _: ["trl>=1.0"])
    monkeypatch.setattr(subprocess, "run", run)
    colab.main()
    output = "".join(capfd.readouterr())
    assert "Installing trl>=1.0" in output and "ERROR" not in output


def test_pip_keeps_torch_and_its_failure_is_reported(monkeypatch):
    calls = []

    def run(command, **_):
        constraints = command[command.index("--constraint") + 1]
        calls.append((command, Path(constraints).read_text(encoding="utf-8")))
        return SimpleNamespace(returncode=1, stdout="", stderr="no space left on device")

    monkeypatch.setattr(colab, "missing_requirements", lambda _: ["trl>=1.0"])
    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(SystemExit, match=r"(?s)no space left on device.*run this cell again"):
        colab.main()
    [(command, constraints)] = calls
    assert command[-1] == "trl>=1.0"
    assert "torch==" in constraints


def test_the_first_cell_installs_from_the_repository_and_nothing_where_the_course_is():
    assert f"git+{repository_url()}" in COLAB.replace("{{ repository }}", repository_url())
    process = subprocess.run([sys.executable, "-c", COLAB], capture_output=True, text=True)
    assert (process.returncode, process.stdout, process.stderr) == (0, "", "")
    without_course = COLAB.replace("find_spec(", "(lambda name: None)(")
    code = "def get_ipython():\n    class Shell:\n        system = staticmethod(print)\n"
    code += "    return Shell\n" + without_course
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "pip install -q --no-deps" in process.stdout
    assert "python -m ift_course.colab" in process.stdout
