"""What a notebook's first cell runs on Colab: `python -m ift_course.colab`.

Colab brings its own torch and kernel, and replacing those under a running notebook breaks it. So
the package itself is installed with `pip --no-deps`, and this installs what it still lacks.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

# The notebook is open already; these would bring a second server and kernel.
FRONT_END = {"ipykernel", "jupyterlab"}
# What a running kernel has loaded, or what CUDA was chosen for: kept at its version or not at all.
KEPT = ("torch", "torchvision", "torchaudio", "numpy", "ipython", "ipykernel", "tornado")
DRIVE = """
Colab forgets its disk when it disconnects. To keep what you compute, run this in a cell before the
lesson's first one, and again when you come back:

    from google.colab import drive
    drive.mount("/content/drive")
    %env IFT_RESULTS=/content/drive/MyDrive/ift-course
"""


def lacking(requirements: Iterable[str]) -> list[str]:
    """Those of `requirements` that are not installed here, or in a version outside their range.

    Extras, what is for other systems, and the front end are left out.
    """
    wanted = [Requirement(text) for text in requirements]
    here = [x for x in wanted if x.marker is None or x.marker.evaluate({"extra": ""})]
    return [
        f"{x.name}{x.specifier}" for x in here if x.name.lower() not in FRONT_END and not _met(x)
    ]


def kept() -> list[str]:
    """Constraints that hold torch and the kernel at what is installed."""
    found = [(name, _version(name)) for name in KEPT]
    return [f"{name}=={number}" for name, number in found if number]


def main() -> None:
    """Installs what is lacking. Ends with a non-zero status where pip cannot."""
    missing = lacking(requires("ift-course") or [])
    if missing:
        print(f"Installing {', '.join(missing)}: this takes about a minute", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            constraints = Path(folder) / "constraints.txt"
            constraints.write_text("\n".join(kept()) + "\n", encoding="utf-8")
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--constraint"]
            # What pip says of a success would frighten: it misses the front end that is left out.
            done = subprocess.run(
                [*pip, str(constraints), *missing], capture_output=True, text=True
            )
        if done.returncode:
            sys.exit(
                f"{done.stdout}{done.stderr}\n"
                "The course could not be installed; pip's message above says why. "
                "Choose Runtime, Disconnect and delete runtime, and run this cell again."
            )
    print("The course is installed." + DRIVE)


def _met(requirement: Requirement) -> bool:
    number = _version(requirement.name)
    return number is not None and requirement.specifier.contains(number, prereleases=True)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
