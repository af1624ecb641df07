"""The wheel works with the oldest libraries that its ranges allow, and with the newest there are.

Each takes some ten minutes on two cores and installs from the package index. Torch and whatever is
not named here are those of this environment.
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

pytestmark = pytest.mark.weekly
LIBRARIES = ("transformers", "trl", "peft", "datasets", "accelerate")
# Without tests/parity: it compares with what is inside the TRL of constraints.txt.
TESTS = """
models/test_save.py models/test_load.py models/test_tokenizer.py models/test_lora_adapters.py
models/test_quantize.py from_scratch/test_lora.py from_scratch/test_packing.py
from_scratch/test_training_loop.py export/test_export_model.py export/test_gguf_file.py
data/test_chat_templates.py data/test_loss_mask.py evaluation/test_generate.py
evaluation/test_score.py training/test_sft.py
""".split()


def oldest(wheel: Path) -> list[str]:
    """The lower ends of the wheel's ranges, as exact versions."""
    with ZipFile(wheel) as files:
        [name] = [x for x in files.namelist() if x.endswith(".dist-info/METADATA")]
        metadata = message_from_bytes(files.read(name))
    ranges = [Requirement(text) for text in metadata.get_all("Requires-Dist")]
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
    requirements = oldest(wheel) if request.param == "oldest" else ["--upgrade", *LIBRARIES]
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    result = subprocess.run([*pip, *requirements], capture_output=True, text=True)
    if "Temporary failure in name resolution" in result.stderr or "NewConnection" in result.stderr:
        pytest.skip("the package index cannot be reached")
    assert result.returncode == 0, result.stderr
    run([*pip, "--no-deps", "--force-reinstall", wheel], tmp_path)
    return python


def run(command: list, folder: Path) -> str:
    env = {**os.environ, "IFT_CACHE": str(folder / "cache"), "PYTHONPATH": ""}
    result = subprocess.run(
        list(map(str, command)), cwd=folder, capture_output=True, text=True, env=env
    )
    assert result.returncode == 0, (result.stdout + result.stderr)[-4000:]
    return result.stdout


def test_the_wheel_works_with_these_versions(python, tmp_path):
    """In an empty folder: nothing may assume a clone."""
    here = tmp_path / "empty"
    here.mkdir()
    code = "import torch, ift_course; print(torch.__version__, ift_course.__file__)"
    import torch

    version, file = run([python, "-c", code], here).split()
    assert version == torch.__version__, "torch was replaced"
    assert Path(file).is_relative_to(tmp_path), "this is the clone's package"
    tests = checkout() / "tests"
    for name in ("conftest.py", "models/small_hub.py", *TESTS):
        (here / "tests" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tests / name, here / "tests" / name)
    first_tier = ["-m", "not (lessons or slow or weekly)"]
    run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *first_tier, "tests"], here)
    run([python, "-c", "from ift_course.cli import main; main()", "run", "01"], here)
