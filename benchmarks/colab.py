"""How long the first cell of a lesson takes on Colab, without Colab.

    python3.12 benchmarks/colab.py pip-freeze.gpu.txt [--lesson 01] [--folder DIR]

The list is the one that Colab publishes (googlecolab/backend-info on GitHub). Those of its packages
that the course needs, and what these need, are installed at Colab's versions into a fresh
environment: some 3 GB, most of it CUDA, but not TensorFlow and the like. Then the two commands of
the cell run, on this checkout instead of the repository's address, and are timed. With --lesson the
lesson runs there, too. Use the Python that Colab has, 3.12 at the time of writing.
"""

import argparse
import os
import re
import subprocess
import tempfile
import time
import venv
from pathlib import Path

import tomllib

ROOT = Path(__file__).parents[1]


def colabs(path: Path) -> dict[str, str]:
    """Name → version; without what is not from the index, and without the kind of CUDA."""
    lines = path.read_text(encoding="utf-8").splitlines()
    pins = [line.partition("==") for line in lines if re.match(r"[\w.-]+==", line)]
    return {canonical(name): version.partition("+")[0] for name, _, version in pins}


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def required() -> list[str]:
    """Names of what the course requires."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [canonical(re.match(r"[\w.-]+", text)[0]) for text in project["dependencies"]]


def seconds(folder: Path, *command: str) -> float:
    """How long the command takes, run in the folder."""
    started = time.perf_counter()
    if subprocess.run(command, cwd=folder, env=os.environ | {"HF_HUB_OFFLINE": "1"}).returncode:
        raise SystemExit(f"This command failed: {' '.join(command)}")
    return time.perf_counter() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("list", type=Path)
    parser.add_argument("--lesson")
    parser.add_argument("--folder", type=Path, help="a new folder; by default a temporary one")
    options = parser.parse_args()

    if not options.list.is_file():
        parser.error(f"there is no file {options.list}; get it from googlecolab/backend-info")
    pins = colabs(options.list)
    if not {"pip", "torch"} <= pins.keys():
        parser.error(f"{options.list} is not Colab's list: it names no version of pip or torch")
    folder = (options.folder or Path(tempfile.mkdtemp())).resolve()
    venv.create(folder / "venv", with_pip=True)
    python = str(folder / "venv" / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    (folder / "colab.txt").write_text("\n".join(f"{x}=={v}" for x, v in pins.items()))
    there = [name for name in required() if name in pins]
    seconds(folder, *pip, f"pip=={pins['pip']}")
    seconds(folder, *pip, "--constraint", "colab.txt", *there)

    wheel = seconds(folder, *pip, "--no-deps", str(ROOT))
    rest = seconds(folder, python, "-m", "ift_course.colab")
    print(f"the course {wheel:.0f} s + what it still needs {rest:.0f} s = {wheel + rest:.0f} s")
    if options.lesson:
        seconds(folder, str(folder / "venv" / "bin" / "ift"), "run", options.lesson)


if __name__ == "__main__":
    main()
