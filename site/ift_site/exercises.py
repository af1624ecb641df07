"""The exercises of a lesson as cards: what to write, hints behind folds, no solution."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from ift_course.exercises.source import HEADING
from ift_site.links import Links


@dataclass(frozen=True)
class Exercise:
    """An exercise as its card shows it. id: as "02.3". meta: its difficulty and minutes."""

    id: str
    title: str
    meta: str
    cells: Sequence[dict]


def exercises(notebook: dict) -> list[Exercise]:
    """The exercises of a notebook that `ift build --exercises` made, in order."""
    found = []
    for section, cells in _sections(notebook):
        if section == "top":
            continue
        cells = list(cells)
        heading, _, rest = _text(cells[0]).partition("\n")
        meta = next((line for line in rest.splitlines() if line.startswith(("●", "○"))), "")
        found.append(Exercise(section, HEADING.match(heading)[2], meta, cells))
    return found


def page(notebook: dict, path: str, hints: Mapping[str, Sequence[str]], links: Links) -> str:
    """The page, in MyST. hints: of each exercise by its id, the mildest first."""
    top = next((cells for section, cells in _sections(notebook) if section == "top"), ())
    parts = [_text(cell) for cell in top if cell["cell_type"] == "markdown"]
    for exercise in exercises(notebook):
        parts.append(_card(exercise, hints.get(exercise.id, ())))
    return links.markdown("\n\n".join(parts), path) + "\n"


def index(pages: Mapping[str, dict]) -> str:
    """A page with all exercises, as small cards. pages: notebooks by their path below the root."""
    parts = ["# Exercises", INTRODUCTION]
    for path, notebook in pages.items():
        parts.append(f"## [{title(notebook)}]({Path(path).stem}.md)")
        cards = map(_small_card, exercises(notebook))
        parts.append("\n".join(["::::{grid} 1 2 2 3\n:gutter: 2\n", *cards, "::::"]))
    return "\n\n".join(parts) + "\n"


INTRODUCTION = """\
Each is a function to write, with a check that says at once what is right and what is not. Do them
in a notebook, `exercises/NN_topic.ipynb` of the course, or on Colab; here you can read what they
ask, and get a hint."""


def title(notebook: dict) -> str:
    """The heading of a notebook."""
    return _text(notebook["cells"][0]).partition("\n")[0].removeprefix("# ")


def anchor(exercise: Exercise) -> str:
    """Where its card is on the page."""
    return f"exercise-{exercise.id.replace('.', '-')}"


def _small_card(exercise: Exercise) -> str:
    options = f":link: {anchor(exercise)}\n:link-type: ref"
    heading = f"{exercise.id} {exercise.title}"
    return f":::{{grid-item-card}} {heading}\n{options}\n\n{exercise.meta}\n:::"


def _card(exercise: Exercise, hints: Sequence[str]) -> str:
    told, after, now = [], [], True
    for cell in exercise.cells:
        text = _text(cell)
        (told if now else after).append(_fenced(text) if cell["cell_type"] == "code" else text)
        now = now and not cell["metadata"]["ift"]["id"].endswith("/check")
    if exercise.meta:
        told[0] = told[0].replace(exercise.meta, f"{{.faint}}\n{exercise.meta}", 1)
    folds = {f"Hint {n}": hint for n, hint in enumerate(hints, start=1)}
    folds |= {"When the check has passed": "\n\n".join(after)} if after else {}
    folded = [f"::::{{dropdown}} {title}\n{text}\n::::" for title, text in folds.items()]
    return "\n\n".join([f"{{.exercise #{anchor(exercise)}}}\n{told[0]}", *told[1:], *folded])


def _fenced(code: str) -> str:
    return f"```python\n{code.strip()}\n```"


def _sections(notebook: dict):
    """The cells by exercise; "top" is what stands before the first. A learner's are left out."""
    ours = [cell for cell in notebook["cells"] if "ift" in cell["metadata"]]
    return groupby(ours, lambda cell: cell["metadata"]["ift"]["id"].partition("/")[0])


def _text(cell: dict) -> str:
    return "".join(cell["source"])
