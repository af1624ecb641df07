"""Folders of the course: in a checkout, or in an installed wheel without one."""

from __future__ import annotations

from pathlib import Path

from ift_course import settings

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
    """The published results. Only `ift build` writes them; README and docs are made from them."""
    return shipped() / "results"


def results_root() -> Path:
    """Where runs write: `$IFT_RESULTS`, else `scratch/` in a clone and `results/` without one.

    Results that are missing there are read from `evidence_root()`. The folder is not created.
    """
    folder = settings.results_folder()
    if folder:
        return folder
    clone = checkout()
    return clone / "scratch" if clone else Path.cwd() / "results"


def results_path(profile: str) -> Path:
    """The folder with the results of a profile, as `results_dir` describes it; not created."""
    folder = results_root() / profile
    seed = settings.first_seed()
    # A run with other seeds goes beside the published one, not over it.
    return folder if seed is None else folder / "seeds" / str(seed)


def results_dir(profile: str) -> Path:
    """The folder `<profile>` in `results_root()`; created when it is missing.

    With `$IFT_SEED` it is the folder `seeds/<seed>` in there.
    """
    folder = results_path(profile)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def cache_dir() -> Path:
    """`$IFT_CACHE` or `~/.cache/ift_course`; created when missing. Safe to delete at any time."""
    folder = settings.cache_folder() or Path.home() / ".cache" / "ift_course"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def assets_dir() -> Path:
    """The base model and the other files that travel inside the package."""
    return PACKAGE / "assets"


def notebooks_dir() -> Path:
    """The lessons' sources: `$IFT_NOTEBOOKS`, or the published ones."""
    return settings.notebooks_folder() or shipped() / "notebooks"
