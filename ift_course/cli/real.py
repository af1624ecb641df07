"""`ift run` and `ift build` on the real model: compute the lessons' panels, and publish them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ift_course.panels.panel import Panel
    from ift_course.panels.real_part import RealPart
    from ift_course.profile import Profile


def is_real(profile_name: str | None) -> bool:
    """Return whether the lessons' real parts are computed on this profile, and no notebooks."""
    from ift_course.profile import REAL, get_profile

    return get_profile(profile_name).name == REAL


def run_real(names: list[str]) -> None:
    """Compute the panels of these lessons, or of all, in the scratch folder, and print them."""
    from ift_course.lessons.real_parts import command, real_parts
    from ift_course.panels.view import PanelView
    from ift_course.paths import results_path
    from ift_course.profile import REAL, get_profile
    from ift_course.terminal import printable

    profile = get_profile(REAL)
    for part in real_parts(names):
        panel = _compute(part, profile)
        path = results_path(REAL) / f"{part.lesson}.json"
        panel.write(path)
        print(printable(str(PanelView(panel, command(part.lesson)))))
        print(f"\nStored: {path}")


def build_real(names: list[str], *, check: bool) -> list[str]:
    """Write the panels of these lessons, or of all, as evidence; return the problems.

    Runs that `ift run` has finished on this machine are used, and those that are missing are made.

    Args:
        names: Of the lessons; empty for all.
        check: Compute and write nothing, and report what is missing or out of date.
    """
    from ift_course import settings
    from ift_course.lessons.real_parts import real_parts
    from ift_course.paths import evidence_root
    from ift_course.profile import REAL, get_profile

    profile = get_profile(REAL)
    folder = (settings.results_folder() or evidence_root()) / REAL
    problems = []
    for part in real_parts(names):
        path = folder / f"{part.lesson}.json"
        if check:
            problems += _problems(part, profile, path)
            continue
        _compute(part, profile).write(path)
        print(path)
    return problems


def _compute(part: RealPart, profile: Profile) -> Panel:
    from ift_course.panels.compute import compute
    from ift_course.panels.progress import RunBars

    with RunBars(part.lesson) as bars:
        return compute(
            part,
            profile,
            on_run=bars.show_run,
            on_step=bars.show_step,
            on_outdated=lambda n: bars.say(
                f"{n} stored runs of lesson {part.lesson} are of other weights, data or settings; "
                "they are made again."
            ),
        )


def _problems(part: RealPart, profile: Profile, path: Path) -> list[str]:
    from ift_course.panels.identity import differences
    from ift_course.panels.panel import read_panel

    remedy = f"run: ift build {part.lesson} --profile {profile.name}"
    if not path.exists():
        return [f"{path} is missing; {remedy}"]
    clauses = differences(read_panel(path), part, profile)
    return [f"{path} is out of date: {'; '.join(clauses)}; {remedy}"] if clauses else []
