"""Everything that the site is made of: the path of each source → its content."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import metadata
from pathlib import Path

from ift_course.exercises.source import read_exercises
from ift_course.lessons.lesson_00.overview import course_map
from ift_course.links import repository_url
from ift_site import exercises, front, glossary, lessons, reference
from ift_site.links import Links

Files = dict[str, str | bytes]
GLOSSARY, EXERCISES = "docs/glossary.md", "exercises/index.md"
FINDINGS = {"docs/claims.md": "Claims", GLOSSARY: "Glossary"}
# A page that does not lie where the pages do: the card of the base model.
ELSEWHERE = {"ift_course/assets/base/README.md": "docs/base-model.md"}


@dataclass(frozen=True)
class Course:
    """What is in the repository, by path: executed lessons, exercises, and pages of Markdown."""

    root: Path
    lessons: Mapping[str, dict]
    exercises: Mapping[str, dict]
    guides: Mapping[str, str]
    readme: str

    @property
    def links(self) -> Links:
        """Where the links between all these lead."""
        pages = {path: ELSEWHERE.get(path, path) for path in [*self.lessons, *self.guides]}
        pages |= {path: _myst(path) for path in self.exercises}
        pages |= dict.fromkeys(("exercises", "exercises/README.md"), EXERCISES)
        return Links(self.root, repository_url(), pages)


def read(root: Path) -> Course:
    """The course in `root`, the folder that holds notebooks/."""
    readme = root / "README.md"
    guides = [*sorted((root / "docs").glob("*.md")), *(root / path for path in ELSEWHERE)]
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


def sources(course: Course) -> Files:
    """The sources of the site."""
    pages = {path: lessons.page(x, path, course.links) for path, x in course.lessons.items()}
    files: Files = {
        EXERCISES: exercises.index(course.exercises),
        "reference/commands.md": reference.commands(),
        "reference/python.md": reference.names(),
        "index.md": _front(course, pages),
    }
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
    """Makes `folder` hold these files and no others; what did not change is left untouched."""
    wanted = {folder / x: y.encode() if isinstance(y, str) else y for x, y in files.items()}
    for path in [x for x in folder.rglob("*") if x.is_file() and x not in wanted]:
        path.unlink()
    for path, content in wanted.items():
        if not path.is_file() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)


def _front(course: Course, pages: Mapping[str, Files]) -> str:
    costs = {
        f"notebooks/{row.lesson.name}.ipynb": row for row in course_map("tiny", published=True).rows
    }
    cards = [
        front.card(costs[path], lessons.prose(notebook), lessons.figures(pages[path]))
        for path, notebook in course.lessons.items()
    ]
    guides = {course.links.pages[path]: _title(text) for path, text in course.guides.items()}
    findings = {path: name for path, name in FINDINGS.items() if guides.pop(path, None)}
    titles = {
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
    return front.page(
        cards,
        titles,
        about=metadata("ift-course")["Summary"],
        poster=_poster(course),
        repository=course.links.repository,
    )


def _poster(course: Course) -> list[str]:
    """The picture that the README begins with, if it has one."""
    return course.links.pictures(course.readme, "README.md")[:1]


def _notebooks(root: Path, folder: str) -> dict[str, dict]:
    return {
        f"{folder}/{path.name}": json.loads(path.read_text(encoding="utf-8"))
        for path in sorted((root / folder).glob("[0-9][0-9]_*.ipynb"))
    }


def _hints(course: Course, path: str) -> dict[str, list[str]]:
    source = course.root / "solutions" / f"{Path(path).stem}.py"
    return {x.id: x.hints for x in read_exercises(source)} if source.exists() else {}


def _prose(course: Course) -> dict[str, tuple[str, str]]:
    """Of each page that may speak of a term: its link from the glossary, short name and text."""
    said = {
        path: (f"lesson {Path(path).name[:2]}", lessons.prose(notebook))
        for path, notebook in course.lessons.items()
    }
    said |= {path: (_title(x), x) for path, x in course.guides.items() if path not in FINDINGS}
    return {f"../{path}": what for path, what in said.items()}


def _title(text: str) -> str:
    return next((x[2:].strip() for x in text.splitlines() if x.startswith("# ")), "")


def _myst(path: str) -> str:
    """The source of the page of an exercise notebook."""
    return Path(path).with_suffix(".md").as_posix()
