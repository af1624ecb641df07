"""An executed notebook as a page: the notebook itself, with its pictures beside it."""

from __future__ import annotations

import json
import posixpath
import struct
from base64 import b64decode
from html import escape
from pathlib import Path

from ift_site.links import Links

FIGURES = "extra/figures"


def page(notebook: dict, path: str, links: Links) -> dict[str, str | bytes]:
    """The files of a lesson's page. path: of the notebook below the root."""
    name = Path(path).stem
    files: dict[str, str | bytes] = {}
    cells = []
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            text = links.html(links.markdown(text, path), path)
        outputs = []
        for output in cell.get("outputs", []):
            data = {key: _joined(value) for key, value in output.get("data", {}).items()}
            if "image/png" in data:
                figure = f"{name}/{len(files) + 1}.png"
                png = files[f"{FIGURES}/{figure}"] = b64decode(data["image/png"])
                data = {"text/html": _picture(figure, path, png, _told(output))}
            elif "text/html" in data:
                data = {"text/html": links.html(data["text/html"], path)}
            outputs.append({**output, "data": data} if data else output)
        cells.append({**cell, "source": text} | ({"outputs": outputs} if "outputs" in cell else {}))
    files[path] = json.dumps({**notebook, "cells": cells}, ensure_ascii=False)
    return files


def figures(page: dict[str, str | bytes]) -> dict[str, bytes]:
    """The pictures among a page's files."""
    return {path: content for path, content in page.items() if path.startswith(FIGURES)}


def prose(notebook: dict) -> str:
    """All Markdown of a notebook."""
    cells = [x for x in notebook["cells"] if x["cell_type"] == "markdown"]
    return "\n\n".join("".join(cell["source"]) for cell in cells)


def _picture(figure: str, path: str, png: bytes, told: dict) -> str:
    """An image that is loaded when it comes into view, and has its place before."""
    source = posixpath.relpath(f"figures/{figure}", posixpath.dirname(path))
    across, down = struct.unpack(">II", png[16:24])
    width = told.get("width", across)
    size = f'width="{width}" height="{round(width * down / across)}"'
    alt = escape(told.get("alt", ""))
    return f'<img class="figure" src="{source}" alt="{alt}" {size} loading="lazy">'


def _told(output: dict) -> dict:
    return output.get("metadata", {}).get("image/png", {})


def _joined(value: object) -> object:
    return "".join(value) if isinstance(value, list) else value
