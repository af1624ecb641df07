"""The site of a toy course, built as `make site` does it."""

import re
import subprocess
import sys

import pytest

from ift_course.paths import checkout

for package in ("furo", "latex2mathml", "myst_nb", "sphinx_design"):
    pytest.importorskip(package)

pytestmark = pytest.mark.browser  # that tier installs what the site needs
LOADED = re.compile(r"<(?:script|img|link|iframe|source)\b[^>]*?\b(?:src|href)=\"(https?:)?//")


def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(toy, tmp_path):
    out = tmp_path / "site/html"
    command = [sys.executable, str(checkout() / "site/build.py"), str(out)]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr
    pages = {
        x.relative_to(out).as_posix(): x.read_text(encoding="utf-8") for x in out.rglob("*.html")
    }
    assert [path for path, html in pages.items() if LOADED.search(html)] == []

    lesson = pages["notebooks/01_toy.html"]
    assert "<math" in lesson and "<mfrac>" in lesson
    assert "<details><summary>" in lesson and 'alt="A &quot;dot&quot;' in lesson
    assert (out / "figures/01_toy/1.png").is_file()
    card = pages["exercises/01_toy.html"]
    assert re.search(r'<section class="exercise" id="[^"]*"', card)
    assert card.count("<details") == 3
    assert "ift.sft" in pages["reference/python.html"]
    assert "loss" in (out / "searchindex.js").read_text(encoding="utf-8")
