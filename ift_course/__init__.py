"""Instruction tuning, measured in front of you: `import ift_course as ift`.

Each public name is imported on first use, so that importing the package takes milliseconds and
does not load torch. Editors and type checkers read the block under TYPE_CHECKING.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ift_course.claims.claim import claim as claim
    from ift_course.claims.each_seed import each_seed as each_seed
    from ift_course.data.examples import to_records as to_records
    from ift_course.data.records import Record as Record
    from ift_course.errors import CourseError as CourseError
    from ift_course.evaluation.generate import complete as complete
    from ift_course.evaluation.generate import generate_replies as generate_replies
    from ift_course.evaluation.score import score as score
    from ift_course.exercises.notebook_api import check as check
    from ift_course.exercises.notebook_api import hint as hint
    from ift_course.exercises.notebook_api import passed as passed
    from ift_course.exercises.notebook_api import progress as progress
    from ift_course.lessons.quiz_view import quiz as quiz
    from ift_course.plots import charts as charts
    from ift_course.plots.loss_mask import show_batch as show_batch
    from ift_course.plots.playground import playground as playground
    from ift_course.plots.transcript import transcript as transcript
    from ift_course.session import setup as setup
    from ift_course.training.open_model import load as load
    from ift_course.training.preference.dpo import dpo as dpo
    from ift_course.training.preference.grpo import grpo as grpo
    from ift_course.training.sft import sft as sft
    from ift_course.world.tasks import sample as sample
    from ift_course.world.tasks import verify as verify

__version__ = "0.1.0"

__all__ = [
    "CourseError",
    "Record",
    "charts",
    "check",
    "claim",
    "complete",
    "dpo",
    "each_seed",
    "generate_replies",
    "grpo",
    "hint",
    "load",
    "passed",
    "playground",
    "progress",
    "quiz",
    "sample",
    "score",
    "setup",
    "sft",
    "show_batch",
    "to_records",
    "transcript",
    "verify",
]

# The module of each name; `tests/test_public_names.py` compares this with the block above.
_HOME = {
    "CourseError": "errors",
    "Record": "data.records",
    "charts": "plots.charts",
    "check": "exercises.notebook_api",
    "claim": "claims.claim",
    "complete": "evaluation.generate",
    "dpo": "training.preference.dpo",
    "each_seed": "claims.each_seed",
    "generate_replies": "evaluation.generate",
    "grpo": "training.preference.grpo",
    "hint": "exercises.notebook_api",
    "load": "training.open_model",
    "passed": "exercises.notebook_api",
    "playground": "plots.playground",
    "progress": "exercises.notebook_api",
    "quiz": "lessons.quiz_view",
    "sample": "world.tasks",
    "score": "evaluation.score",
    "setup": "session",
    "sft": "training.sft",
    "show_batch": "plots.loss_mask",
    "to_records": "data.examples",
    "transcript": "plots.transcript",
    "verify": "world.tasks",
}
_MODULES = {"charts"}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f"{__name__}.{_HOME[name]}")
    value = module if name in _MODULES else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
