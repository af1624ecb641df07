"""An executed notebook as a page, with its pictures as separate files."""

from __future__ import annotations

import json
import posixpath
import struct
from base64 import b64decode
from html import escape
from pathlib import Path
from typing import Any

from ift_site.links import Links

FIGURES = "extra/figures"


def page(notebook: dict[str, Any], path: str, links: Links) -> dict[str, str | bytes]:
    """The files of a lesson's page, by path.

    Args:
        notebook: The executed notebook.
        path: Its path below the root.
        links: The targets of links.
    """
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
                data = {"text/html": _image_tag(figure, path, png, _png_metadata(output))}
            elif "text/html" in data:
                data = {"text/html": links.html(data["text/html"], path)}
            outputs.append({**output, "data": data} if data else output)
        cells.append({**cell, "source": text} | ({"outputs": outputs} if "outputs" in cell else {}))
    files[path] = json.dumps({**notebook, "cells": cells}, ensure_ascii=False)
    return files


def figures(page: dict[str, str | bytes]) -> dict[str, bytes]:
    """The pictures among a page's files."""
    return {
        path: content
        for path, content in page.items()
        if path.startswith(FIGURES) and isinstance(content, bytes)
    }


def prose(notebook: dict[str, Any]) -> str:
    """All Markdown of a notebook."""
    cells = [x for x in notebook["cells"] if x["cell_type"] == "markdown"]
    return "\n\n".join("".join(cell["source"]) for cell in cells)


def _image_tag(figure: str, path: str, png: bytes, metadata: dict[str, Any]) -> str:
    """An image that is loaded when it comes into view, with its space reserved before."""
    source = posixpath.relpath(f"figures/{figure}", posixpath.dirname(path))
    file_width, file_height = struct.unpack(">II", png[16:24])
    width = metadata.get("width", file_width)
    size = f'width="{width}" height="{round(width * file_height / file_width)}"'
    alt = escape(metadata.get("alt", ""))
    return f'<img class="figure" src="{source}" alt="{alt}" {size} loading="lazy">'


def _png_metadata(output: dict[str, Any]) -> dict[str, Any]:
    return output.get("metadata", {}).get("image/png", {})


def _joined(value: Any) -> Any:
    """The text of a cell or output; notebooks store it as one string or as a list of lines."""
    return "".join(value) if isinstance(value, list) else value
