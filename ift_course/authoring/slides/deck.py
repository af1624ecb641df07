"""The slides of a lesson, in the order of its notebook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from ift_course.authoring.claims_page import measured, panel_lines, verdict_mark
from ift_course.authoring.report import WIDTH, drawing
from ift_course.authoring.slides import notebook_parts
from ift_course.claims.store import read_file
from ift_course.errors import CourseError
from ift_course.exercises import source, written
from ift_course.lessons import quizzes
from ift_course.panels.panel import read_panel
from ift_course.paths import evidence_root

if TYPE_CHECKING:
    from ift_course.authoring.slides.notebook_parts import Part
    from ift_course.claims.entry import Claim
    from ift_course.lessons.discover import Lesson

Kind = Literal["title", "list", "text", "output", "picture", "claim", "quiz", "code", "findings"]
MOST_ROWS = 5  # findings on one slide
MOST_LINES = 22  # of printed output on one slide
SHORT = 10, 72  # lines and characters of an output that is shown in large letters
AFTERWARDS = {"Questions", "Exercises", "To read"}  # no cell follows there
LETTERS = "abcdefgh"


@dataclass
class Slide:
    """One slide.

    Attributes:
        kind: How it is drawn.
        title: Its heading.
        kicker: The small line above the heading.
        values: What the template of this kind needs.
    """

    kind: Kind
    title: str
    kicker: str = ""
    values: dict[str, Any] = field(default_factory=dict)


@dataclass
class Deck:
    """The slides of a lesson."""

    lesson: Lesson
    slides: list[Slide]


def make_deck(lesson: Lesson) -> Deck:
    """The slides of a lesson.

    Raises:
        CourseError: The lesson has no built notebook.
    """
    notebook = lesson.source.with_suffix(".ipynb")
    if not notebook.is_file():
        raise CourseError(f"{notebook} is missing; ift build {lesson.number} makes it.")
    parts = notebook_parts.read_parts(notebook)
    claims = {
        x.id: x for x in read_file(evidence_root() / "tiny" / "claims.json")
        if x.lesson == lesson.number
    }  # fmt: skip
    slides = [*_opening(lesson, parts), *_body(parts, claims), *_findings(lesson, claims)]
    return Deck(lesson, [*slides, _exercises(lesson)])


def _opening(lesson: Lesson, parts: list[Part]) -> list[Slide]:
    intro, objectives = notebook_parts.introduction(parts)
    slides = [Slide("title", lesson.title, f"Lesson {lesson.number}", {"text": intro})]
    if objectives:
        title = "At the end you will be able to"
        slides.append(Slide("list", title, lesson.title, {"items": objectives}))
    return slides


def _body(parts: list[Part], claims: dict[str, Claim]) -> list[Slide]:
    """Predictions with what came out, pictures, claims, questions with answers, and one code."""
    slides: list[Slide] = []
    shown_code = notebook_parts.code_that_matters(parts)
    waiting = False  # a prediction has no result yet
    for index, part in enumerate(parts):
        if part.section not in AFTERWARDS and notebook_parts.is_invitation(part):
            text = "\n\n".join([*part.blocks, *_list_below(parts, index)])
            slides.append(Slide("text", "What do you expect?", part.section, {"text": text}))
            waiting = True
        if index == shown_code:
            code = notebook_parts.shown_code(part.code)
            slides.append(Slide("code", "The code that matters", part.section, {"code": code}))
        if waiting and part.has_output and part.printed:
            slides.append(Slide("output", "What came out", part.section, _output(part.printed)))
        slides += [
            Slide("picture", part.section, "", {"uri": uri, "alt": " ".join(alt.split())})
            for uri, alt in part.pictures
        ]
        slides += [_claim(claims[x], part.section) for x in part.claims if x in claims]
        waiting = waiting and not part.has_output
        slides += _quiz(part) if part.quiz else []
    return slides


def _list_below(parts: list[Part], index: int) -> list[str]:
    """The list that follows a paragraph that ends in a colon."""
    following = parts[index + 1].blocks if index + 1 < len(parts) else []
    asks = parts[index].blocks[0].endswith(":")
    return following if asks and following and following[0][:2] in ("- ", "1.", "* ") else []


def _output(text: str) -> dict[str, Any]:
    lines = text.splitlines()
    short = len(lines) <= SHORT[0] and max(map(len, lines)) <= SHORT[1]
    text = "\n".join(lines[:MOST_LINES])
    return {"text": text, "more": max(0, len(lines) - MOST_LINES), "short": short}


def _claim(claim: Claim, section: str) -> Slide:
    return Slide("claim", claim.statement, section, {
        "claim": claim, "verdict": _verdict(claim), "measured": measured(claim),
        "drawing": drawing(claim), "width": WIDTH, "what": " − ".join(claim.of),
    })  # fmt: skip


def _verdict(claim: Claim) -> str:
    words = {"✓": "holds", "≠": "holds, but not as in the literature", "✗": "does not hold"}
    mark = verdict_mark(claim)
    return f"{mark} {words[mark]}"


def _quiz(part: Part) -> list[Slide]:
    """Each question, and on the slide after it the same with the answer."""
    lesson, *ids = part.quiz
    known = {x.id: x for x in quizzes.read(lesson)}
    slides = []
    for name in ids or known:
        question = known[name]
        options = [
            (letter, text, right)
            for letter, (text, right, _) in zip(LETTERS, question.options, strict=False)
        ]
        values = {"options": options, "ask": question.ask}
        slides.append(Slide("quiz", "Question", part.section, values | {"answer": ""}))
        slides.append(Slide("quiz", "Answer", part.section, values | {"answer": question.answer}))
    return slides


def _findings(lesson: Lesson, claims: dict[str, Claim]) -> list[Slide]:
    """All claims of the lesson, and what was measured on real models."""
    rows = [(_verdict(x), x.statement, measured(x), x.metric) for x in claims.values()]
    slides = [
        Slide("findings", "What we found", lesson.title, {"rows": rows[start : start + MOST_ROWS]})
        for start in range(0, len(rows), MOST_ROWS)
    ]
    for path in sorted(evidence_root().glob(f"*/{lesson.number}.json")):
        panel = read_panel(path)
        lines = panel_lines(panel)
        slides += [
            Slide("list", f"On a real model: {panel.model}", lesson.title,
                  {"items": lines[start : start + MOST_ROWS]})
            for start in range(0, len(lines), MOST_ROWS)
        ]  # fmt: skip
    return slides


def _exercises(lesson: Lesson) -> Slide:
    paths = [x for x in source.sources() if x.name[:2] == lesson.number]
    items = [f"**{x.id}** {x.title}" for path in paths for x in source.read_exercises(path)]
    items += [f"**{x.id}** {x.title}, in words" for x in written.questions(lesson.number)]
    kicker = f"exercises/{lesson.name}.ipynb" if paths else f"notebooks/{lesson.name}.ipynb"
    items = items or ["Run the notebook, and change something in it."]
    return Slide("list", "Exercises", kicker, {"items": items})
