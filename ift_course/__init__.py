"""Instruction tuning, measured in front of you: `import ift_course as ift`.

The public names below are imported when they are first used, so that the import itself
costs milliseconds and loads no torch.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "CourseError": "errors",
    "Example": "world.tasks",
    "Record": "data.records",
    "answer": "evaluation.generate",
    "charts": "display.charts",
    "check": "checks.notebook",
    "claim": "evaluation.claims",
    "complete": "evaluation.generate",
    "dpo": "training.preference.dpo",
    "each_seed": "experiments.seeds",
    "get_profile": "profile",
    "hint": "checks.notebook",
    "ledger": "models.memory",
    "load": "models.load",
    "passed": "checks.notebook",
    "playground": "display.playground",
    "progress": "checks.notebook",
    "quiz": "display.quiz",
    "score": "evaluation.score",
    "setup": "session",
    "sft": "training.sft",
    "show_mask": "display.masks",
    "transcript": "display.transcript",
    "world": "world",
}
_MODULES = {"charts", "world"}
__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_HOME[name]}")
    value = module if name in _MODULES else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
