"""The reference pages: the help of every command, and the docstring of every public name."""

from __future__ import annotations

import inspect
import re
from html import unescape

import ift_course as ift

BOLD = re.compile(r'<span style="font-weight: bold">(.*?)</span>', re.DOTALL)
COLORED = re.compile(r"<span [^>]*>(.*?)</span>", re.DOTALL)
SHORTENED = re.compile(r"\*\*Commands\*\*:\n\n(?:\* .*\n)+\n")


def commands() -> str:
    """All commands of `ift`, in Markdown, from their `--help`."""
    from typer import Context
    from typer.cli import get_docs_for_click
    from typer.core import MARKUP_MODE_KEY
    from typer.main import get_command

    from ift_course.cli import app

    command = get_command(app)
    context = Context(command, info_name="ift", obj={MARKUP_MODE_KEY: "rich"})
    text = get_docs_for_click(obj=command, ctx=context, name="ift", title="Commands")
    return unescape(COLORED.sub(r"`\1`", BOLD.sub(r"**\1**", SHORTENED.sub("", text))))


def names() -> str:
    """The public names, `ift_course.__all__`, with directives for autodoc."""
    parts = [
        "# Python",
        "The public names of `import ift_course as ift`.",
    ]
    for name in sorted(ift.__all__, key=str.lower):
        parts.append(f"## ift.{name}\n\n```{{eval-rst}}\n{_directive(name)}\n```")
    return "\n\n".join(parts) + "\n"


def _directive(name: str) -> str:
    value = getattr(ift, name)
    if inspect.ismodule(value):
        return f".. automodule:: {value.__name__}\n   :members:"
    kind = "autoexception" if _is_error(value) else "autoclass" if inspect.isclass(value) else ""
    members = "\n   :members:" if kind == "autoclass" else ""
    return f".. {kind or 'autofunction'}:: {value.__module__}.{value.__qualname__}{members}"


def _is_error(value: object) -> bool:
    return inspect.isclass(value) and issubclass(value, Exception)
