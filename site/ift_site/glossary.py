"""The glossary with the way back: under each term, the pages that speak of it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ift_course.lessons import glossary

HEADING = re.compile(r"^## (.+)$", re.MULTILINE)


def with_back_links(text: str, prose: Mapping[str, tuple[str, str]]) -> str:
    """docs/glossary.md with a line of links at the end of each term.

    prose: of each page, by its link as the glossary sees it, a short name and all its text.
    """
    parts = HEADING.split(text)
    for i in range(1, len(parts), 2):
        spoken = re.compile(rf"\b(?:{'|'.join(map(re.escape, _words(parts[i])))})\b", re.IGNORECASE)
        pages = [f"[{name}]({link})" for link, (name, said) in prose.items() if spoken.search(said)]
        line = f"{{.faint}}\nSpoken of in {', '.join(pages)}.\n\n" if pages else ""
        parts[i] = f"## {parts[i]}"
        parts[i + 1] = f"{parts[i + 1].rstrip()}\n\n{line}"
    return "".join(parts)


def _words(name: str) -> list[str]:
    """The ways in which a term is written."""
    known = [term for term in glossary.terms() if term.name == name]
    return [name, *(known[0].also if known else [])]
