"""The exercises of a lesson as cards, with folded hints and without solutions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from ift_course.exercises import source, written
from ift_site.links import Links


@dataclass(frozen=True)
class Exercise:
    """An exercise.

    Attributes:
        id: Such as "02.3".
        title: Without the id.
        meta: The line with its difficulty and minutes.
        cells: Of the notebook.
    """

    id: str
    title: str
    meta: str
    cells: Sequence[dict[str, Any]]


def exercises(notebook: dict[str, Any]) -> list[Exercise]:
    """Return the exercises and open questions of a notebook that `ift build --exercises` made."""
    result = []
    for section, cells in _sections(notebook):
        if section == "top":
            continue
        heading, _, rest = _text(cells[0]).partition("\n")
        meta = next((line for line in rest.splitlines() if line.startswith(("●", "○"))), "")
        match = source.HEADING.match(heading) or written.HEADING.match(heading)
        assert match, f"the first cell of {section} has no heading"
        result.append(Exercise(section, match[2], meta, cells))
    return result


def page(
    notebook: dict[str, Any], path: str, hints: Mapping[str, Sequence[str]], links: Links
) -> str:
    """The page of an exercise notebook, in MyST.

    Args:
        notebook: The notebook.
        path: Its path below the root.
        hints: Of each exercise by its id, the mildest first.
        links: The targets of links.
    """
    top = next((cells for section, cells in _sections(notebook) if section == "top"), ())
    parts = [_text(cell) for cell in top if cell["cell_type"] == "markdown"]
    for exercise in exercises(notebook):
        parts.append(_card(exercise, hints.get(exercise.id, ())))
    return links.markdown("\n\n".join(parts), path) + "\n"


def index(pages: Mapping[str, dict[str, Any]]) -> str:
    """A page with all exercises, as small cards.

    Args:
        pages: Exercise notebooks by their path below the root.
    """
    parts = ["# Exercises", INTRODUCTION]
    for path, notebook in pages.items():
        parts.append(f"## [{title(notebook)}]({Path(path).stem}.md)")
        cards = map(_small_card, exercises(notebook))
        parts.append("\n".join(["::::{grid} 1 2 2 3\n:gutter: 2\n", *cards, "::::"]))
    return "\n\n".join(parts) + "\n"


INTRODUCTION = """\
In each exercise you write a function, and a check tells you at once what is right and what is not.
Do the exercises in a notebook, `exercises/NN_topic.ipynb` of the course, or on Colab. Here you can
read them and get hints."""


def title(notebook: dict[str, Any]) -> str:
    """The heading of a notebook."""
    return _text(notebook["cells"][0]).partition("\n")[0].removeprefix("# ")


def anchor(exercise: Exercise) -> str:
    """The anchor of an exercise's card on the page."""
    return f"exercise-{exercise.id.replace('.', '-')}"


def _small_card(exercise: Exercise) -> str:
    options = f":link: {anchor(exercise)}\n:link-type: ref"
    heading = f"{exercise.id} {exercise.title}"
    return f":::{{grid-item-card}} {heading}\n{options}\n\n{exercise.meta}\n:::"


def _card(exercise: Exercise, hints: Sequence[str]) -> str:
    task, solution_notes = [], []
    part = task
    for cell in exercise.cells:
        if cell["metadata"]["ift"]["id"].endswith("/answer"):
            continue  # the cell for an answer in words: on a page nobody can write into it
        text = _text(cell)
        part.append(_fenced(text) if cell["cell_type"] == "code" else text)
        if cell["metadata"]["ift"]["id"].endswith("/check"):
            part = solution_notes  # the remaining cells are for learners who passed the check
    if exercise.meta:
        task[0] = task[0].replace(exercise.meta, f"{{.faint}}\n{exercise.meta}", 1)
    folds = {f"Hint {n}": hint for n, hint in enumerate(hints, start=1)}
    if solution_notes:
        folds["When the check has passed"] = "\n\n".join(solution_notes)
    folded = [f"::::{{dropdown}} {title}\n{text}\n::::" for title, text in folds.items()]
    return "\n\n".join([f"{{.exercise #{anchor(exercise)}}}\n{task[0]}", *task[1:], *folded])


def _fenced(code: str) -> str:
    return f"```python\n{code.strip()}\n```"


def _sections(notebook: dict[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Yield the cells of each exercise, without those that a learner added.

    The cells before the first exercise have the name "top".
    """
    original = [cell for cell in notebook["cells"] if "ift" in cell["metadata"]]
    for section, cells in groupby(
        original, lambda cell: cell["metadata"]["ift"]["id"].partition("/")[0]
    ):
        yield section, list(cells)


def _text(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])
