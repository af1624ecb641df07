"""The half-page report: its template, and whether somebody has filled it in."""

from __future__ import annotations

import re

from ift_course.capstone.rules import REPORT, Refusal

FEWEST_WORDS, MOST_WORDS = 15, 600  # in each section; in the whole report
PLACEHOLDER = "(write here)"
SECTIONS = {
    "What I chose": "Which rows did you keep and drop, and how did you check the choice?",
    "How I tuned": "Which settings did you try, and why did you keep these?",
    "What I measured": "Compare with a baseline: scores, number of questions, and the interval.",
    "What failed": "What did not work, and what would you try with another week?",
}
TEMPLATE = "# Report\n\n" + "\n".join(
    f"## {title}\n\n<!-- {question} -->\n\n{PLACEHOLDER}\n" for title, question in SECTIONS.items()
)


def check_report(text: str) -> None:
    """Accept a report whose four sections are written.

    Args:
        text: The Markdown.

    Raises:
        Refusal: A section is missing, empty, or still as the template has it, or it is too long.
    """
    sections = _sections(text)
    for title in SECTIONS:
        if title not in sections:
            raise _refused(f'has no section "## {title}"; keep the four titles of the template')
        body = sections[title]
        words = len(re.findall(r"\w+", body.replace(PLACEHOLDER, "")))
        if PLACEHOLDER in body or words < FEWEST_WORDS:
            raise _refused(
                f'is not filled in: write at least {FEWEST_WORDS} words under "{title}" '
                f'and remove "{PLACEHOLDER}"'
            )
    n_words = len(re.findall(r"\w+", text))
    if n_words > MOST_WORDS:
        raise _refused(f"has {n_words} words; half a page is enough, {MOST_WORDS} are the limit")


def _sections(text: str) -> dict[str, str]:
    """The text under each title of the second level, without comments."""
    parts = re.split(r"^##[ \t]+(.+?)[ \t]*$", _without_comments(text), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _without_comments(text: str) -> str:
    """The text without HTML comments; one that is never closed hides the rest."""
    pieces = []
    while "<!--" in text:
        before, _, rest = text.partition("<!--")
        pieces.append(before)
        text = rest.partition("-->")[2]
    return "".join([*pieces, text])


def _refused(what: str) -> Refusal:
    return Refusal("report", f"The report ({REPORT}) {what}.")
