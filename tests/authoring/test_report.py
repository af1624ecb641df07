"""The report of a run has all results, escaped, and loads no other file."""

import json
import re

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ift_course.authoring import report
from ift_course.claims import store
from ift_course.claims.entry import Claim
from ift_course.lessons import timings
from ift_course.profile import get_profile

PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJg"
    "gg=="
)
NASTY = '<script>alert("x")</script> & co'


def claim(**changes):
    return {
        "id": "01.toys",
        "lesson": "01",
        "statement": "Toys are fun.",
        "source": "a test",
        "metric": "fun",
        "arms": {"toys": [0.4, 0.6]},
        "of": ["toys"],
        "effect": 0.5,
        "interval": [0.4, 0.6],
        "method": "over seeds",
        "at_least": 0.1,
        "at_most": None,
        "holds": True,
        "seconds": 1,
        "peak_mb": 1,
    } | changes


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Write the report of these claims, one lesson and one picture; return its text."""
    monkeypatch.setenv("IFT_RESULTS", str(tmp_path))

    def write(*claims, heading="A picture"):
        folder = tmp_path / "tiny"
        (folder / "notebooks").mkdir(parents=True, exist_ok=True)
        (folder / "claims.json").write_text(json.dumps(claims))
        timing = timings.Timing("01", heading, "ok", 3, 75, 1234, 1, "a machine")
        (folder / "lessons.json").write_text("[]")
        timings.write_timings("tiny", [timing])
        output = nbformat.v4.new_output("display_data", data={"image/png": PNG})
        cells = [
            nbformat.v4.new_markdown_cell(f"## {heading}"),
            nbformat.v4.new_code_cell("draw()", outputs=[output]),
        ]
        notebook = nbformat.v4.new_notebook(cells=cells)
        nbformat.write(notebook, folder / "notebooks" / "01_toys.ipynb")
        return report.write(get_profile("tiny")).read_text(encoding="utf-8")

    return write


def test_it_holds_the_costs_the_claims_and_the_pictures(page):
    text = page(claim(), claim(id="02.no", holds=False, at_least=0.7))
    for text_part in ("1 min 15 s", "1.2 GB", "Toys are fun.", "✓ holds", "✗ does not hold"):
        assert text_part in text
    assert "needs at least 0.7" in text
    assert f'src="data:image/png;base64,{PNG}"' in text


def test_a_difference_from_the_literature_is_reported(page):
    differs = {"literature": "More toys are better.", "differs": "Ours are made of wood."}
    text = page(claim(**differs))
    assert "The field says: More toys are better." in text
    assert "Not as in the literature:</b> Ours are made of wood." in text
    assert "literature" not in page(claim())


def test_the_published_effect_stands_beside_ones_own(page, tmp_path, monkeypatch):
    published = tmp_path / "published" / "tiny" / "claims.json"
    published.parent.mkdir(parents=True)
    published.write_text(json.dumps([claim(effect=0.7)]))
    monkeypatch.setattr(store, "evidence_root", lambda: tmp_path / "published")
    text = page(claim(), claim(id="02.new"))
    assert text.count("Effect: yours 0.5, published 0.7.") == 1


def test_it_loads_nothing(page):
    text = page(claim(source="https://arxiv.org/abs/2305.11206"))
    loaded = re.findall(r"""(?:src|href|srcset|data|action)\s*=\s*["']([^"']*)""", text)
    assert loaded and all(x.startswith("data:") for x in loaded)
    assert not re.search(r"@import|url\(|<script|<link|<iframe", text)


def test_everything_measured_is_escaped(page):
    nasty = claim(id=NASTY, statement=NASTY, source=NASTY, metric=NASTY, arms={NASTY: [0.1]})
    text = page(nasty, heading=NASTY)
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 7


def test_a_report_without_claims_says_so(page):
    assert "No claim has been recorded." in page()


numbers = st.floats(-1e6, 1e6)


@given(low=numbers, effect=numbers, high=numbers, bound=st.none() | numbers)
def test_every_interval_is_drawn_inside_the_picture_and_in_order(low, effect, high, bound):
    low, effect, high = sorted([low, effect, high])
    positions = report.drawing(Claim(**claim(effect=effect, interval=[low, high], at_least=bound)))
    assert (
        report.MARGIN
        <= positions.low
        <= positions.effect
        <= positions.high
        <= report.WIDTH - report.MARGIN
    )
    assert all(report.MARGIN <= x <= report.WIDTH - report.MARGIN for x in positions.bounds)
