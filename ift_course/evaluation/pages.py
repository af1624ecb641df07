"""Results and comparisons as one HTML file that needs nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ift_course.disk import atomic_write_text, disk_errors
from ift_course.evaluation.comparison import METHOD, Comparison
from ift_course.evaluation.eval_result import EvalResult
from ift_course.terminal import printable

if TYPE_CHECKING:
    from jinja2 import Environment


def write_eval_page(result: EvalResult, path: Path) -> None:
    """Write the report of one evaluation.

    Raises:
        CourseError: The file cannot be written.
    """
    template = _environment().get_template("eval_page.html.j2")
    _write(path, template.render(result=result))


def write_comparison_page(comparison: Comparison, path: Path) -> None:
    """Write the report of a comparison.

    Raises:
        CourseError: The file cannot be written.
    """
    template = _environment().get_template("comparison_page.html.j2")
    _write(path, template.render(it=comparison, method=METHOD))


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ift_course", "evaluation"), autoescape=True, undefined=StrictUndefined
    )
    # Escaping protects the page; this one keeps a text from reordering what stands around it.
    environment.filters["plain"] = printable
    environment.filters["percent"] = lambda share: f"{100 * share:.0f} %"
    environment.filters["points"] = lambda share: f"{100 * share:+.0f}".replace("-", "−")
    return environment


def _write(path: Path, text: str) -> None:
    with disk_errors(path):
        atomic_write_text(path, text)
