"""Cards where JupyterLab's styles are not: in frames such as Colab and VS Code show outputs in.

Both put an output into a frame of its own. The frame here is the strictest that could be: no
scripts, nothing from elsewhere, inline styles only, and a background that is light or dark.
"""

from html import escape

import pytest

from ift_course.exercises import catalog
from ift_course.exercises.misconceptions import misconceptions
from ift_course.exercises.report import report
from ift_course.exercises.report_card import ReportCard

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
THEMES = {
    "colab-light": "background: #ffffff; color: #1f1f1f; font: 14px Roboto, sans-serif",
    "colab-dark": "background: #1f1f1f; color: #e3e3e3; font: 14px Roboto, sans-serif",
    "vscode-dark": "background: #1f1f1f; color: #cccccc; font: 13px 'Segoe UI', sans-serif",
}


@pytest.fixture(scope="module")
def card() -> str:
    exercise = catalog.by_id("02.3")
    wrong = next(x for x in misconceptions(exercise) if x.name == "end not trained")
    return ReportCard(report(exercise, {exercise.function: wrong.function}), "02.3 Labels").html()


def frame(browser, html: str, theme: str, width: int):
    """A page with the card in a frame of this width; and the frame."""
    inside = (
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<body style="margin: 8px; {THEMES[theme]}">{html}</body>'
    )
    page = browser.new_page(viewport={"width": width, "height": 900}, java_script_enabled=False)
    page.set_content(
        f'<body style="margin: 0"><iframe sandbox style="border: 0; width: {width}px; '
        f'height: 900px" srcdoc="{escape(inside)}"></iframe></body>'
    )
    return page, page.frame_locator("iframe")


@pytest.mark.parametrize("theme", THEMES)
def test_a_card_reads_in_a_foreign_frame(card, browser, shots, theme):
    page, inner = frame(browser, card, theme, 900)
    text = inner.locator("body").inner_text()
    assert "✗ 02.3 Labels" in text and "should be" in text and "marked ✗" in text
    page.screenshot(path=shots / f"{theme}.png")
    page.close()


def test_a_folded_check_opens_without_scripts(card, browser):
    page, inner = frame(browser, card, "vscode-dark", 900)
    folded = inner.locator("details:not([open])").first
    folded.locator("summary").click()
    assert inner.locator("details[open]").count() == 2
    page.close()


def test_a_card_fits_a_narrow_window(card, browser, shots):
    page, inner = frame(browser, card, "colab-light", 400)
    box = inner.locator("body > div").bounding_box()
    assert box["width"] <= 400
    page.screenshot(path=shots / "narrow.png")
    page.close()
