"""Sphinx's configuration. The sources of the site come from ift_site/assemble.py."""

from __future__ import annotations

from importlib.metadata import metadata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "Instruction tuning, measured"
release = metadata("ift-course")["Version"]
html_title = project
language = "en"
smartquotes = False  # they would turn --full into –full

extensions = [
    "myst_nb",
    "sphinx_design",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "ift_site.docstrings",
    "ift_site.mathml",
]
exclude_patterns = ["extra"]

# The notebooks keep their outputs. Live widgets would need scripts from other servers.
nb_execution_mode = "off"
nb_ipywidgets_js = {}
nb_merge_streams = True
myst_enable_extensions = ["attrs_block", "colon_fence", "dollarmath"]
myst_heading_anchors = 4
sd_card_legacy_separators = False

# Docstrings put code between single backticks, as Markdown does.
default_role = "code"
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
python_maximum_signature_line_length = 80
python_use_unqualified_type_names = True

html_theme = "furo"
html_theme_options = {"navigation_with_keys": True, "footer_icons": []}
html_static_path = ["static"]
html_favicon = "static/icon.svg"
html_css_files = ["course.css"]
html_js_files = ["course.js"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False
pygments_style = "a11y-high-contrast-light"
pygments_dark_style = "a11y-high-contrast-dark"


def setup(app: Sphinx) -> None:
    """Set the path that must not be relative to this file. Sphinx calls this function."""
    app.config.html_extra_path = [f"{app.srcdir}/extra"]
