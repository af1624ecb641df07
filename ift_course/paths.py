"""Where things live: in a checkout, or in an installed wheel without one."""

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parent


def checkout() -> Path | None:
    """The folder of the clone this package runs from, or None when it comes from a wheel."""
    root = PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() else None


def shipped() -> Path:
    """The folder with `notebooks/`, `results/` and `constraints.txt` as they were published."""
    return checkout() or PACKAGE / "_project"


def project_root() -> Path:
    """Where a run may write: the clone, or the current folder when there is no clone."""
    return checkout() or Path.cwd()


def evidence_root() -> Path:
    """The published results, which only `ift build` writes: README and docs are made from them."""
    return shipped() / "results"


def results_root() -> Path:
    """Where runs write: `$IFT_RESULTS`, else `scratch/` in a clone and `results/` without one.

    What is not there yet is read from `evidence_root()`. The folder is not created.
    """
    root = os.environ.get("IFT_RESULTS")
    if root:
        return Path(root)
    clone = checkout()
    return clone / "scratch" if clone else Path.cwd() / "results"


def results_path(profile: str) -> Path:
    """Where the results of a profile are, as `results_dir` says; not created."""
    folder = results_root() / profile
    # A run with other seeds goes beside the published one, not over it.
    seed = os.environ.get("IFT_SEED")
    return folder / "seeds" / seed if seed else folder


def results_dir(profile: str) -> Path:
    """`<profile>` in `results_root()`; created when missing.

    With `$IFT_SEED` it is the folder `seeds/<seed>` in there.
    """
    folder = results_path(profile)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def cache_dir() -> Path:
    """`$IFT_CACHE` or `~/.cache/ift_course`; created when missing. Safe to delete at any time."""
    root = os.environ.get("IFT_CACHE")
    folder = Path(root) if root else Path.home() / ".cache" / "ift_course"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def assets_dir() -> Path:
    """The base model and the other files that travel inside the package."""
    return PACKAGE / "assets"


def notebooks_dir() -> Path:
    """The lessons' sources: `$IFT_NOTEBOOKS`, or the published ones."""
    folder = os.environ.get("IFT_NOTEBOOKS")
    return Path(folder) if folder else shipped() / "notebooks"
