"""Installation on Colab, run by a notebook's first cell: `python -m ift_course.colab`.

Colab brings its own torch and kernel, and replacing those under a running notebook breaks it. So
the package itself is installed with `pip --no-deps`, and this installs the missing dependencies.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path

from packaging.requirements import Requirement

# The notebook is open already; these would bring a second server and kernel.
FRONT_END = {"ipykernel", "jupyterlab"}
# A running kernel has loaded these, or CUDA was chosen for them, so their versions must not change.
PINNED = ("torch", "torchvision", "torchaudio", "numpy", "ipython", "ipykernel", "tornado")
DRIVE = """
Colab forgets its disk when it disconnects. To keep your results, run this in a cell before the
lesson's first one, and again when you come back:

    from google.colab import drive
    drive.mount("/content/drive")
    %env IFT_RESULTS=/content/drive/MyDrive/ift-course
"""


def missing_requirements(requirements: Iterable[str]) -> list[str]:
    """Return those of `requirements` that are not installed, or only outside their range.

    Extras, requirements of other systems, and the front end are left out.
    """
    parsed = [Requirement(text) for text in requirements]
    relevant = [x for x in parsed if x.marker is None or x.marker.evaluate({"extra": ""})]
    return [
        f"{x.name}{x.specifier}"
        for x in relevant
        if x.name.lower() not in FRONT_END and not _is_met(x)
    ]


def installed_pins() -> list[str]:
    """Constraints that keep torch and the kernel at their installed versions."""
    versions = [(name, _version(name)) for name in PINNED]
    return [f"{name}=={number}" for name, number in versions if number]


def main() -> None:
    """Install the missing requirements. Exits with a non-zero status if pip fails."""
    missing = missing_requirements(requires("ift-course") or [])
    if missing:
        print(f"Installing {', '.join(missing)}: this takes about a minute", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            constraints = Path(folder) / "constraints.txt"
            constraints.write_text("\n".join(installed_pins()) + "\n", encoding="utf-8")
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--constraint"]
            # pip's output after a success would alarm the reader: it reports the front end, which
            # is left out on purpose, as missing.
            process = subprocess.run(
                [*pip, str(constraints), *missing], capture_output=True, text=True
            )
        if process.returncode:
            sys.exit(
                f"{process.stdout}{process.stderr}\n"
                "The course could not be installed; pip's message above says why. "
                "Choose Runtime, Disconnect and delete runtime, and run this cell again."
            )
    print("The course is installed." + DRIVE)


def _is_met(requirement: Requirement) -> bool:
    number = _version(requirement.name)
    return number is not None and requirement.specifier.contains(number, prereleases=True)


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


if __name__ == "__main__":
    main()
