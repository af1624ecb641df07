"""Formulas as MathML, which browsers draw themselves: no script, no fonts from elsewhere."""

from docutils.nodes import SkipNode
from latex2mathml.converter import convert
from sphinx.util import logging


def setup(app) -> dict:
    """Called by Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(writer, node) -> None:
    writer.body.append(_mathml(node, "inline"))
    raise SkipNode


def _block(writer, node) -> None:
    writer.body.append(f'<div class="math">{_mathml(node, "block")}</div>')
    raise SkipNode


def _mathml(node, display: str) -> str:
    drawn = convert(node.astext(), display=display)
    if "\\" in drawn:  # an unknown command comes out as it went in
        logging.getLogger(__name__).warning("no MathML for %s", node.astext(), location=node)
    return drawn
