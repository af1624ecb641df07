"""The pages that people read: a student's feedback and the overview of the class."""

from __future__ import annotations

import re
import statistics
from collections import Counter, defaultdict
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from jinja2 import Environment

    from ift_course.grading.gradebook import CheckGrade, ExerciseGrade, Gradebook, StudentGrade

SIGNS = {"passed": "✓", "needs review": "?", "not graded": "–", "not yet": "–", "missing": "–",
         "marked": "✎", "no answer": "–"}  # fmt: skip
WORDS = {
    "passed": "passed",
    "failed": "not yet right",
    "error": "your code raised an exception",
    "not yet": "not begun",
    "missing": "function not found",
    "timeout": "took too long",
    "crashed": "ended its process",
    "needs review": "your instructor will look at this",
    "not graded": "not graded",
    "not passed": "not passed",  # the one word about a hidden check
    "marked": "marked by your instructor",
    "no answer": "no answer",
}
BINS = 10


def feedback(book: Gradebook, grade: StudentGrade) -> str:
    """One student's page: a self-contained HTML file without a script."""
    return page("feedback.html.j2", book=book, grade=grade)


def feedback_markdown(book: Gradebook, grade: StudentGrade) -> str:
    """The same as Markdown; a student's own text stands in code fences."""
    return page("feedback.md.j2", book=book, grade=grade)


def overview(book: Gradebook, filename: Callable[[StudentGrade], str]) -> str:
    """The class on one page.

    Args:
        book: The class.
        filename: Gives the name of a student's feedback.
    """
    grades = [x for x in book.grades if x.submission]
    layers = {tuple(x.submission["rungs"]) for x in book.grades if x.submission}
    return page(
        "overview.html.j2",
        book=book,
        grades=grades,
        filename=filename,
        review=[x for x in book.grades if x.flags or x.status in ("needs review", "incomplete")],
        unused=unused(book),
        missing=[x for x in book.grades if x.status == "missing"],
        totals=sorted(x.total for x in grades),
        bars=_histogram([x.total for x in grades], book.points),
        rates=_rates(grades),
        means=_means(grades),
        misconceptions=_misconceptions(grades),
        seconds=sorted(x.seconds for x in grades),
        slowest=sorted(grades, key=lambda x: -x.seconds)[:5],
        layers=sorted(layers - {()}),
    )


def unused(book: Gradebook) -> list[tuple[str, list[str]]]:
    """(reason, files) of the files that were not used, the most common reason first."""
    reasons: dict[str, list[str]] = defaultdict(list)
    for account in book.accounts:
        for file, _, reason in account["unused"]:
            reasons[reason].append(file)
    return sorted(reasons.items(), key=lambda x: (-len(x[1]), x[0]))


def _histogram(totals: list[float], points: float) -> list[tuple[str, int]]:
    """(range of percent, number of students) for each tenth of the points."""
    counts = Counter(min(BINS - 1, max(0, int(BINS * x / points))) for x in totals if points)
    step = 100 // BINS
    return [(f"{i * step}–{(i + 1) * step} %", counts[i]) for i in range(BINS)]


def _rates(grades: list[StudentGrade]) -> dict[str, Counter[str]]:
    """For each check, how often it had each status."""
    rates: dict[str, Counter[str]] = defaultdict(Counter)
    for check in (check for grade in grades for check in grade.checks):
        rates[check.id][check.status] += 1
    return rates


def _means(grades: list[StudentGrade]) -> dict[str, float]:
    """For each criterion that people mark, the mean of the points so far."""
    points: dict[str, list[float]] = defaultdict(list)
    for check in (check for grade in grades for check in grade.checks):
        if check.written and check.status in ("marked", "no answer"):
            points[check.id].append(check.earned)
    return {check: statistics.fmean(x) for check, x in points.items()}


def _misconceptions(grades: list[StudentGrade]) -> list[tuple[str, str, int]]:
    """(exercise, advice, number of students), the most common first."""
    counts = Counter(
        (exercise.id, advice)
        for grade in grades
        for exercise in grade.exercises
        for advice in exercise.advice
    )
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(exercise, advice, count) for (exercise, advice), count in ordered]


def page(template: str, **values: Any) -> str:
    """A template of this folder, filled in; in HTML everything is escaped."""
    return _environment(template.endswith(".html.j2")).get_template(template).render(**values)


@cache
def _environment(html: bool) -> Environment:
    """One for all pages: compiling a template takes longer than filling it in."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("ift_course", "grading/reports"),
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        n=lambda x: f"{x:g}", fence=_fenced, plain=_plain, status=WORDS.get,
        sign=lambda x: SIGNS.get(x, "✗"),
    )  # fmt: skip
    environment.globals.update(
        median=statistics.median, sorted_checks=_sorted_checks, percent=_percent
    )
    return environment


def _sorted_checks(exercise: ExerciseGrade) -> list[CheckGrade]:
    """The checks in the order that helps: those that did not pass first."""
    return sorted(exercise.checks, key=lambda x: x.status == "passed")


def _percent(part: float, whole: float) -> int:
    return round(100 * part / whole) if whole else 0


def _fenced(text: str) -> str:
    """A code fence that nothing in the text can close."""
    longest = max((len(x) for x in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{text}\n{fence}"


def _plain(text: str) -> str:
    """A student's text, as part of a line of Markdown."""
    return re.sub(r"([\\`*_{}\[\]()<>#+!|&~-])", r"\\\1", " ".join(text.split()))
