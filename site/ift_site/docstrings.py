"""Conversion of the course's docstrings, which are plain text, to reStructuredText.

Lines outside sections of the form `name: description` become a list of parameters.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection
from itertools import groupby
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

BEFORE_NAPOLEON = 400


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the conversion. Sphinx calls this function."""
    app.connect("autodoc-process-docstring", _process, priority=BEFORE_NAPOLEON)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _process(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    parameters = (
        inspect.signature(obj).parameters if what in ("function", "method", "class") else ()
    )
    lines[:] = restructured(lines, parameters)


def restructured(lines: list[str], parameters: Collection[str]) -> list[str]:
    """The lines of a docstring with its parameters as a list and its indented parts as code.

    Sections ("Args:") stay as they are, for napoleon.
    """
    output: list[str] = []
    in_section = False
    for blank, block in groupby(lines, lambda line: not line.strip()):
        paragraph = list(block)
        if blank:
            output += paragraph
        elif paragraph[0].startswith(" "):
            output += paragraph if in_section else ["::", "", *paragraph]
        elif in_section := paragraph[0].endswith(":"):
            output += paragraph
        else:
            output += _as_list([line.strip() for line in paragraph], parameters)
    return output


def _as_list(paragraph: list[str], parameters: Collection[str]) -> list[str]:
    """A paragraph whose lines that begin with names of parameters are the items of a list."""
    output: list[str] = []
    in_list = False
    for line in paragraph:
        names, colon, rest = line.partition(": ")
        begins = bool(colon) and all(name in parameters for name in names.split(", "))
        ends = in_list and line.startswith("Raises ")
        if (begins and not in_list) or ends:
            output.append("")
        in_list = (in_list or begins) and not ends
        if begins:
            line = f"- {', '.join(f'``{name}``' for name in names.split(', '))}: {rest}"
        output.append(f"  {line}" if in_list and not begins else line)
    return output
