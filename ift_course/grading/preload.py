"""The modules that are imported once for a whole class, before its processes are forked."""

from __future__ import annotations

import importlib
import re
from typing import TYPE_CHECKING

from ift_course.grading.worker import seed_random

if TYPE_CHECKING:
    from collections.abc import Iterable

HEAVY = ("torch", "numpy", "transformers", "datasets", "peft", "trl", "matplotlib")
# What the course's own cells call.
MODULES = "ift_course.exercises.notebook_api", "ift_course.session", "psutil"


def modules_to_preload(sources: Iterable[bytes]) -> tuple[str, ...]:
    """The modules to import once for all students.

    A process is forked several times slower with torch than without, so a heavy module is loaded
    only if an import names it. An object that a check hands over by name needs torch.

    Args:
        sources: The code of the submissions and of the checks.

    Returns:
        Names of modules.
    """
    statement = re.compile(rb"\b(?:import|from) [^\n]*|\bHandle\b")
    heavy = re.compile(rb"\b(%s|Handle)\b" % "|".join(HEAVY).encode())
    names = {
        name.decode()
        for source in sources
        for text in statement.findall(source)
        for name in heavy.findall(text)
    }
    if "Handle" in names:
        names.add("torch")
    return (*MODULES, *(name for name in HEAVY if name in names))


def import_modules(modules: Iterable[str]) -> None:
    """Imports modules; one that is not installed is left out.

    Args:
        modules: Their names.
    """
    for name in modules:
        try:
            importlib.import_module(name)
        except Exception:
            continue  # the student's own import will say what is wrong
    seed_random()  # once here, since torch loads much of itself for it
