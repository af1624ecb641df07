"""The course's docstrings are plain text; autodoc takes them for reStructuredText.

What they say of parameters, `name: what it is` at the beginning of a line, becomes a list.
"""

from __future__ import annotations

import inspect
from collections.abc import Collection
from itertools import groupby

BEFORE_NAPOLEON = 400


def setup(app) -> dict:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _process, priority=BEFORE_NAPOLEON)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _process(app, what, name, obj, options, lines: list[str]) -> None:
    parameters = (
        inspect.signature(obj).parameters if what in ("function", "method", "class") else ()
    )
    lines[:] = restructured(lines, parameters)


def restructured(lines: list[str], parameters: Collection[str]) -> list[str]:
    """The lines of a docstring with its parameters as a list and its indented parts as code.

    Sections ("Args:") stay as they are, for napoleon.
    """
    made: list[str] = []
    in_section = False
    for blank, block in groupby(lines, lambda line: not line.strip()):
        paragraph = list(block)
        if blank:
            made += paragraph
        elif paragraph[0].startswith(" "):
            made += paragraph if in_section else ["::", "", *paragraph]
        elif in_section := paragraph[0].endswith(":"):
            made += paragraph
        else:
            made += _listed([line.strip() for line in paragraph], parameters)
    return made


def _listed(paragraph: list[str], parameters: Collection[str]) -> list[str]:
    """A paragraph whose lines that begin with names of parameters are the items of a list."""
    made: list[str] = []
    in_list = False
    for line in paragraph:
        names, colon, rest = line.partition(": ")
        begins = bool(colon) and all(name in parameters for name in names.split(", "))
        ends = in_list and line.startswith("Raises ")
        if (begins and not in_list) or ends:
            made.append("")
        in_list = (in_list or begins) and not ends
        if begins:
            line = f"- {', '.join(f'``{name}``' for name in names.split(', '))}: {rest}"
        made.append(f"  {line}" if in_list and not begins else line)
    return made
