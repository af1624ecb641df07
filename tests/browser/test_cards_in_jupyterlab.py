"""Runs an exercise in JupyterLab, in Chromium, with a wrong and a right answer."""

from pathlib import Path

import nbformat
import pytest

from ift_course.exercises import catalog, source
from ift_course.exercises.generate import notebook as generate_notebook
from ift_course.exercises.misconceptions import misconceptions
from tests.browser.conftest import jupyterlab

CARD = ".jp-OutputArea-output div[style*='border-left']"

WRONG = """
def response_labels(input_ids, start, end, assistant):
    labels, inside = [], False
    for i, token in enumerate(input_ids):
        if token == end:
            inside = False
        labels.append(token if inside else -100)
        if input_ids[i - 2 : i] == [start, assistant]:
            inside = True
    return labels
"""
RAISES = """
def response_labels(input_ids, start, end, assistant):
    where = input_ids.index(assistant)
    return input_ids[where:] + labels
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab server on the exercises of lesson 02; its address and folder."""
    folder = tmp_path_factory.mktemp("home")
    notebook = generate_notebook(
        next(x for x in source.sources() if x.name[:2] == "02"), "exercises"
    )
    notebook.cells = [
        x for x in notebook.cells if x.metadata.ift.id.split("/")[0] in ("top", "02.3")
    ]
    nbformat.write(notebook, folder / "02_cards.ipynb")
    with jupyterlab(folder) as address:
        yield address, folder


def run_with(lab, browser, code: str, shot: Path) -> str:
    """The text of the card after the whole notebook ran with `code` as the learner's function."""
    address, folder = lab
    notebook = nbformat.read(folder / "02_cards.ipynb", as_version=4)
    stub = next(x for x in notebook.cells if x.metadata.ift.id == "02.3/stub")
    stub.source = code.strip() or stub.source
    nbformat.write(notebook, folder / f"{shot.stem}.ipynb")
    page = browser.new_page(viewport={"width": 1200, "height": 1000})
    page.set_default_timeout(180_000)
    page.goto(f"{address}/lab/tree/{shot.stem}.ipynb?reset")
    page.get_by_text("| Idle").wait_for()  # the kernel is there
    page.get_by_text("Run", exact=True).first.click()
    page.get_by_text("Run All Cells", exact=True).first.click()
    card = page.locator(CARD).first
    card.wait_for()
    card.scroll_into_view_if_needed()
    text = card.inner_text()
    box = card.bounding_box()
    assert box["width"] > 300 and box["height"] < 1500
    page.screenshot(path=shot.with_name(f"{shot.stem}-page.png"))
    card.screenshot(path=shot)
    page.close()
    return text


def test_the_stub_is_not_yet(lab, browser, shots):
    text = run_with(lab, browser, "", shots / "not-yet.png")
    assert "○ 02.3 The labels of a conversation: not yet" in text
    assert text.count("○") == 1 + len(catalog.checks(catalog.by_id("02.3")))


def test_a_wrong_answer_shows_its_mask_and_its_misconception(lab, browser, shots):
    text = run_with(lab, browser, WRONG, shots / "wrong.png")
    advice = next(
        x.advice for x in misconceptions(catalog.by_id("02.3")) if x.name == "end not trained"
    )
    assert advice.split("`")[0] in text
    assert "should be" in text and "marked ✗" in text and "ift.hint" in text


def test_an_error_shows_the_line(lab, browser, shots):
    text = run_with(lab, browser, RAISES, shots / "error.png")
    assert "NameError" in text and "return input_ids[where:] + labels" in text


def test_a_right_answer_is_green(lab, browser, shots):
    right = source.find("02.3").solution
    text = run_with(lab, browser, right, shots / "right.png")
    assert "✓ 02.3 The labels of a conversation: done, 10 of 10 points" in text
    assert "✗" not in text
