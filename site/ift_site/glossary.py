"""The glossary with links from each term to the pages that mention it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ift_course.lessons import glossary

HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


def with_back_links(text: str, prose: Mapping[str, tuple[str, str]]) -> str:
    """docs/glossary.md with a line of links at the end of each term.

    Args:
        text: The Markdown of docs/glossary.md.
        prose: Link relative to the glossary → (short name, text) of each page.
    """
    parts = HEADING.split(text)
    for i in range(1, len(parts), 2):
        spellings = "|".join(map(re.escape, _spellings(parts[i])))
        term = re.compile(rf"\b(?:{spellings})\b", re.IGNORECASE)
        pages = [f"[{name}]({link})" for link, (name, page) in prose.items() if term.search(page)]
        line = f"{{.faint}}\nMentioned in {', '.join(pages)}.\n\n" if pages else ""
        parts[i] = f"## {parts[i]}"
        parts[i + 1] = f"{parts[i + 1].rstrip()}\n\n{line}"
    return "".join(parts)


def _spellings(name: str) -> list[str]:
    """The spellings of a term in the lessons."""
    matches = [term for term in glossary.terms() if term.name == name]
    return [name, *(matches[0].also if matches else [])]
