"""The sources of the site: the path of each source → its content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path
from typing import Any

from ift_course.exercises.source import read_exercises
from ift_course.lessons.lesson_00.overview import course_map
from ift_course.links import repository_url
from ift_site import exercises, glossary, lessons, playground, reference, site_index
from ift_site.links import Links
from ift_site.playground_models import Models

Files = dict[str, str | bytes]
GLOSSARY, EXERCISES = "docs/glossary.md", "exercises/index.md"
FINDINGS = {"docs/claims.md": "Claims", GLOSSARY: "Glossary"}
# Pages whose source is in another folder: the card of the base model.
OTHER_FOLDERS = {"ift_course/assets/base/README.md": "docs/base-model.md"}


@dataclass(frozen=True)
class Course:
    """The content of the repository.

    Attributes:
        root: The repository's folder.
        lessons: Executed notebooks by path.
        exercises: Exercise notebooks by path.
        guides: Pages of Markdown by path.
        readme: The README's text.
    """

    root: Path
    lessons: Mapping[str, dict[str, Any]]
    exercises: Mapping[str, dict[str, Any]]
    guides: Mapping[str, str]
    readme: str

    @property
    def links(self) -> Links:
        """The targets of links between the pages."""
        pages = {path: OTHER_FOLDERS.get(path, path) for path in [*self.lessons, *self.guides]}
        pages |= {path: _myst(path) for path in self.exercises}
        pages |= dict.fromkeys(("exercises", "exercises/README.md"), EXERCISES)
        return Links(self.root, repository_url(), pages)


def read(root: Path) -> Course:
    """Read the course in `root`, the folder that holds notebooks/."""
    readme = root / "README.md"
    guides = [*sorted((root / "docs").glob("*.md")), *(root / path for path in OTHER_FOLDERS)]
    return Course(
        root=root,
        lessons=_notebooks(root, "notebooks"),
        exercises=_notebooks(root, "exercises"),
        guides={
            x.relative_to(root).as_posix(): x.read_text(encoding="utf-8")
            for x in guides
            if x.is_file()
        },
        readme=readme.read_text(encoding="utf-8") if readme.exists() else "",
    )


def sources(course: Course, models: Models | None = None) -> Files:
    """Return the sources of the site, with these models in its playground, if there are any."""
    notebooks = course.lessons
    if models:
        notebooks = {x: playground.embed(y, x, models) for x, y in notebooks.items()}
    pages = {path: lessons.page(x, path, course.links) for path, x in notebooks.items()}
    files: Files = {
        EXERCISES: exercises.index(course.exercises),
        "reference/commands.md": reference.commands(),
        "reference/python.md": reference.names(),
        "index.md": _site_index(course, pages, has_playground=models is not None),
    }
    if models:
        files |= playground.files(models)
    for path in _poster(course):
        files[path] = (course.root / path).read_bytes()
    for page in pages.values():
        files |= page
    for path, notebook in course.exercises.items():
        files[_myst(path)] = exercises.page(notebook, path, _hints(course, path), course.links)
    for path, text in course.guides.items():
        if path == GLOSSARY:
            text = glossary.with_back_links(text, _prose(course))
        files[course.links.pages[path]] = course.links.markdown(text, path)
        files |= {x: (course.root / x).read_bytes() for x in course.links.pictures(text, path)}
    return files


def write(files: Files, folder: Path) -> None:
    """Make `folder` hold exactly these files, without touching those that did not change."""
    contents = {folder / x: y.encode() if isinstance(y, str) else y for x, y in files.items()}
    for path in [x for x in folder.rglob("*") if x.is_file() and x not in contents]:
        path.unlink()
    for path, content in contents.items():
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _site_index(course: Course, pages: Mapping[str, Files], has_playground: bool) -> str:
    costs = {
        f"notebooks/{row.lesson.name}.ipynb": row for row in course_map("tiny", published=True).rows
    }
    cards = [
        site_index.card(costs[path], lessons.prose(notebook), lessons.figures(pages[path]))
        for path, notebook in course.lessons.items()
    ]
    guides = {course.links.pages[path]: _title(text) for path, text in course.guides.items()}
    findings = {path: name for path, name in FINDINGS.items() if guides.pop(path, None)}
    titles = {"Try it": {playground.PAGE: "Playground"}} if has_playground else {}
    titles |= {
        "Lessons": {card.page: f"{card.number} {card.title}" for card in cards},
        "Exercises": {EXERCISES: "All exercises"}
        | {
            _myst(x): exercises.title(notebook).removeprefix("Exercises ")
            for x, notebook in course.exercises.items()
        },
        "Findings": findings,
        "Guides": guides,
        "Reference": {"reference/commands.md": "Commands", "reference/python.md": "Python"},
    }
    return site_index.page(
        cards,
        titles,
        about=metadata("ift-course")["Summary"],
        poster=_poster(course),
        repository=course.links.repository,
    )


def _poster(course: Course) -> list[str]:
    """The first picture of the README, if it has one."""
    return course.links.pictures(course.readme, "README.md")[:1]


def _notebooks(root: Path, folder: str) -> dict[str, dict[str, Any]]:
    return {
        f"{folder}/{path.name}": json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((root / folder).glob("[0-9][0-9]_*.ipynb"))
    }


def _hints(course: Course, path: str) -> dict[str, list[str]]:
    source = course.root / "solutions" / f"{Path(path).stem}.py"
    return {x.id: x.hints for x in read_exercises(source)} if source.exists() else {}


def _prose(course: Course) -> dict[str, tuple[str, str]]:
    """For each page that may mention a term: link from the glossary → (short name, text)."""
    pages = {
        path: (f"lesson {Path(path).name[:2]}", lessons.prose(notebook))
        for path, notebook in course.lessons.items()
    }
    pages |= {path: (_title(x), x) for path, x in course.guides.items() if path not in FINDINGS}
    return {f"../{path}": page for path, page in pages.items()}


def _title(text: str) -> str:
    return next((x[2:].strip() for x in text.splitlines() if x.startswith("# ")), "")


def _myst(path: str) -> str:
    """The path of the page made from an exercise notebook."""
    return Path(path).with_suffix(".md").as_posix()
