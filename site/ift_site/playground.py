"""The playground: models of the closed world that run on the page, in plain JavaScript."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ift_site.playground_models import Models
from ift_site.playground_weights import LARGEST

SOURCES = Path(__file__).parent.parent / "playground"
FOLDER = "playground"  # of the site
PAGE = "playground.md"
# What runs in the worker, then what runs on the page; each module after those that it imports.
IN_WORKER = ("tokenizer", "llama", "weights", "sampling", "templates", "worker")
ON_PAGE = ("templates", "text", "client", "ask", "steer", "mask", "page")
ALL_PARTS = ("ask", "steer", "mask")
# A lesson's number → the text of the cell after which it has a playground, and the parts of that.
EMBEDDED = {"00": ("ift.playground(", ("ask",)), "01": ("my_questions", ("ask", "steer"))}
QUESTIONS = (
    "Name the sound of the owl.",
    "I think that the capital of France is Rome. Am I right?",
    "Hello! Who are you?",
)
INTRODUCTION = """\
# Playground

These are models of the closed world, 5.9 million parameters each. They run in your browser, on your
processor; nothing that you write leaves this page. Ask them something, then break them with the
switches: each of them is a mistake that people make. The [lessons](index.md#the-lessons) measure
what they do.

"""


def files(models: Models) -> dict[str, str | bytes]:
    """The page, and what it loads, by path among the sources."""
    extra = f"extra/{FOLDER}"
    result: dict[str, str | bytes] = {
        PAGE: INTRODUCTION + markup(models, ALL_PARTS, FOLDER) + _about(models),
        f"{extra}/playground.js": script(),
        f"{extra}/playground.css": (SOURCES / "playground.css").read_text(encoding="utf-8"),
    }
    return result | {f"{extra}/{name}": text for name, text in models.files.items()}


def embed(notebook: dict[str, Any], path: str, models: Models) -> dict[str, Any]:
    """The notebook of a lesson with a playground after the cell that EMBEDDED names, if any."""
    marker, parts = EMBEDDED.get(Path(path).name[:2], ("", ()))
    cells = []
    for cell in notebook["cells"]:
        cells.append(cell)
        if parts and cell["cell_type"] == "code" and marker in "".join(cell["source"]):
            text = f"{HERE}\n\n{markup(models, parts, f'../{FOLDER}')}"
            cells.append({"cell_type": "markdown", "id": FOLDER, "metadata": {}, "source": text})
            parts = ()
    return {**notebook, "cells": cells}


HERE = (
    "**On this page you can ask without a kernel.** The [playground](../playground.md) has more "
    "switches."
)


def markup(models: Models, parts: Sequence[str], folder: str) -> str:
    """A playground in MyST.

    Args:
        models: What it offers.
        parts: Of "ask", "steer" and "mask".
        folder: Where its files are, seen from the page.
    """
    from jinja2 import Environment, StrictUndefined

    environment = Environment(
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=True
    )
    template = environment.from_string((SOURCES / "playground.html.j2").read_text("utf-8"))
    html = template.render(
        parts=parts,
        folder=folder,
        questions=QUESTIONS,
        columns=models.columns,
        variants=models.variants,
        files={x.name: {"origin": x.origin, "parts": x.parts} for x in models.all},
    )
    return f"```{{raw}} html\n{html}\n```\n"


def script() -> str:
    """All modules as one script, in which the worker's are a function that the page can print."""
    return f'(() => {{\n"use strict";\n{engine()}{modules(ON_PAGE)}}})();\n'


def engine() -> str:
    """The function that is the worker."""
    return f"function engine() {{\n{modules(IN_WORKER)}serve(self);\n}}\n\n"


def modules(names: Sequence[str]) -> str:
    """Modules without their imports and exports, one after the other."""
    texts = [(SOURCES / f"{name}.mjs").read_text(encoding="utf-8") for name in names]
    return re.sub(r"^import .*\n|^export ", "", "\n".join(texts), flags=re.MULTILINE)


# What each switch breaks, by the model that shows it; `test_published_playground.py` checks it.
SWITCHES = {
    "sft": """\
- **A wrong template.** The assistant was tuned in ChatML. Between Alpaca's headings it says "I do
  not know." to questions whose answers it knows.
- **No template.** The bare question looks like the first line of a note, and the base has read
  many notes with the answer on the next line. So base and assistant both write the capital of
  France there. To "Hello! Who are you?", the assistant says nothing.""",
    "no-end": """\
- **Its end of turn left untrained.** It answers, and then it goes on: nothing has taught it to
  write the token that ends a turn.""",
    "everything": """\
- **Its prompts trained, too.** It answers. But let it go on after its end of turn, and it opens
  turns by itself: it has been trained to write what only the chat program should write.""",
}


def _about(models: Models) -> str:
    switches = "\n".join(SWITCHES[x.name] for x in models.all if x.name in SWITCHES)
    heading = "\n## What the switches break\n\n" if switches else ""
    rows = "\n".join(f"| {x.title} | {x.about} | {x.megabytes:.1f} MB |" for x in models.all)
    return f"""{heading}{switches}

## What runs here

| model | how it was made | size here |
| --- | --- | --- |
{rows}

Each weight is rounded to one of {2 * LARGEST + 1} steps of its row (8 bits), and a tuned model is
stored as its difference from the model that it was tuned from. The forward pass, the key-value
cache and the tokenizer are some hundred lines of JavaScript without libraries, in
`site/playground/` of the repository. At temperature 0, the likeliest token is chosen.
"""
