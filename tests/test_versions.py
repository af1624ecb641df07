"""The wheel works with the oldest libraries that its ranges allow, and with the newest there are.

Each takes some ten minutes on two cores and installs from the package index: IFT_SLOW=1. Torch and
whatever is not named here are those of this environment.
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from email import message_from_bytes
from pathlib import Path
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement

from ift_course.paths import checkout

pytestmark = pytest.mark.slow
LIBRARIES = ("transformers", "trl", "peft", "datasets", "accelerate")
# Without tests/parity: it compares with what is inside the TRL of constraints.txt.
TESTS = """
models/test_save.py models/test_load.py models/test_tokenizer.py models/test_adapters.py
models/test_lora.py models/test_qlora.py models/test_export.py models/test_gguf.py
data/test_templates.py data/test_masking.py data/test_packing.py evaluation/test_generate.py
evaluation/test_score.py training/test_sft.py training/test_loop.py
""".split()


def oldest(wheel: Path) -> list[str]:
    """The lower ends of the wheel's ranges, as exact versions."""
    with ZipFile(wheel) as files:
        [name] = [x for x in files.namelist() if x.endswith(".dist-info/METADATA")]
        wheel_metadata = message_from_bytes(files.read(name))
    ranges = [Requirement(text) for text in wheel_metadata.get_all("Requires-Dist")]
    lowest = {x.name: x.specifier for x in ranges if x.name in LIBRARIES}
    return [f"{name}=={next(iter(lowest[name])).version}" for name in LIBRARIES]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder]
    run([*build, checkout()], folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(params=["oldest", "newest"])
def python(request, wheel, tmp_path):
    """A Python that has the wheel and those versions, and borrows all else from this one."""
    run([sys.executable, "-m", "venv", tmp_path / "venv"], tmp_path)
    names = {"base": str(tmp_path / "venv"), "platbase": str(tmp_path / "venv")}
    python = Path(sysconfig.get_path("scripts", vars=names)) / Path(sys.executable).name
    borrowed = Path(sysconfig.get_path("purelib", vars=names)) / "borrowed.pth"
    borrowed.write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    packages = oldest(wheel) if request.param == "oldest" else ["--upgrade", *LIBRARIES]
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    process = subprocess.run([*pip, *packages], capture_output=True, text=True)
    if (
        "Temporary failure in name resolution" in process.stderr
        or "NewConnection" in process.stderr
    ):
        pytest.skip("the package index cannot be reached")
    assert process.returncode == 0, process.stderr
    run([*pip, "--no-deps", "--force-reinstall", wheel], tmp_path)
    return python


def run(command: list, folder: Path) -> str:
    env = {**os.environ, "IFT_CACHE": str(folder / "cache"), "PYTHONPATH": ""}
    env = {name: value for name, value in env.items() if name != "IFT_SLOW"}
    process = subprocess.run(
        list(map(str, command)), cwd=folder, capture_output=True, text=True, env=env
    )
    assert process.returncode == 0, (process.stdout + process.stderr)[-4000:]
    return process.stdout


def test_the_wheel_works_with_these_versions(python, tmp_path):
    """In an empty folder: nothing may assume a clone."""
    folder = tmp_path / "empty"
    folder.mkdir()
    code = "import torch, ift_course; print(torch.__version__, ift_course.__file__)"
    import torch

    version, file = run([python, "-c", code], folder).split()
    assert version == torch.__version__, "torch was replaced"
    assert Path(file).is_relative_to(tmp_path), "this is the clone's package"
    tests = checkout() / "tests"
    for name in ("conftest.py", "models/small_hub.py", *TESTS):
        (folder / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tests / name, folder / "tests" / name)
    run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"], folder)
    run([python, "-c", "from ift_course.cli import main; main()", "run", "01"], folder)
