"""Formulas as MathML, which browsers render without scripts or fonts from other servers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docutils.nodes import SkipNode
from latex2mathml.converter import convert
from sphinx.util import logging

if TYPE_CHECKING:
    from docutils.nodes import Element
    from sphinx.application import Sphinx
    from sphinx.writers.html5 import HTML5Translator


def setup(app: Sphinx) -> dict[str, bool]:
    """Register the renderer. Sphinx calls this function."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(writer: HTML5Translator, node: Element) -> None:
    writer.body.append(_mathml(node, "inline"))
    raise SkipNode


def _block(writer: HTML5Translator, node: Element) -> None:
    writer.body.append(f'<div class="math">{_mathml(node, "block")}</div>')
    raise SkipNode


def _mathml(node: Element, display: str) -> str:
    mathml = convert(node.astext(), display=display)
    if "\\" in mathml:  # the converter leaves unknown commands unchanged
        logging.getLogger(__name__).warning("no MathML for %s", node.astext(), location=node)
    return mathml
