"""What a newcomer does in JupyterLab: opens 00, runs all of it, plays, and comes back later."""

import re
import shutil

import nbformat
import pytest

from ift_course.exercises import source
from ift_course.exercises.generate import notebook as generate_notebook
from ift_course.paths import checkout
from tests.browser.conftest import jupyterlab

QUESTION = "What is the capital of Spain?"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("home")
    shutil.copy(checkout() / "notebooks" / "00_start_here.ipynb", folder)
    with jupyterlab(folder) as address:
        yield address, folder


@pytest.fixture
def opened(lab, browser):
    """Opens a notebook of the folder, and says when its kernel is idle."""
    pages = []

    def open_notebook(name: str):
        page = browser.new_page(viewport={"width": 1200, "height": 1000})
        page.set_default_timeout(180_000)
        page.goto(f"{lab[0]}/lab/tree/{name}?reset")
        page.get_by_text("| Idle").wait_for()
        pages.append(page)
        return page

    yield open_notebook
    for page in pages:
        page.close()


def menu(page, *names: str) -> None:
    for name in names:
        page.get_by_text(name, exact=True).first.click()


def test_a_newcomer_runs_the_first_notebook_and_asks_a_question_of_their_own(lab, opened, shots):
    page = opened("00_start_here.ipynb")
    # The notebook brings its outputs along; without them, what is seen is of this run.
    menu(page, "Edit", "Clear Outputs of All Cells")
    menu(page, "Run", "Run All Cells")
    ask = page.get_by_role("button", name="Ask")
    ask.wait_for()
    ask.scroll_into_view_if_needed()
    page.get_by_role("textbox", name="Instruction").fill(QUESTION)
    ask.click()
    answer = page.locator(".widget-html table", has_text=QUESTION)
    answer.wait_for()
    assert "Madrid" in answer.inner_text()
    page.screenshot(path=shots / "playground.png")
    page.locator(".jp-OutputArea-output", has_text="Running all lessons takes").wait_for()
    page.get_by_text("| Idle").wait_for()
    assert page.locator("[data-mime-type='application/vnd.jupyter.stderr']").count() == 0


def test_progress_is_still_there_after_a_restart_of_the_kernel(lab, opened, shots):
    notebook = generate_notebook(
        next(x for x in source.sources() if x.name[:2] == "02"), "exercises"
    )
    notebook.cells = [
        x for x in notebook.cells if x.metadata.ift.id.split("/")[0] in ("top", "02.3")
    ]
    stub = next(x for x in notebook.cells if x.metadata.ift.id == "02.3/stub")
    stub.source = source.find("02.3").solution
    nbformat.write(notebook, lab[1] / "02_resumed.ipynb")
    page = opened("02_resumed.ipynb")
    menu(page, "Run", "Run All Cells")
    page.get_by_text(re.compile("✓ 02.3 .*: done")).wait_for()
    menu(page, "Kernel", "Restart Kernel and Clear Outputs of All Cells…")
    page.get_by_role("button", name="Confirm Kernel Restart").click()
    page.get_by_text("| Idle").wait_for()
    menu(page, "Run", "Run All Cells")
    card = page.locator(".jp-OutputArea-output", has_text="10 of 10").first
    card.wait_for()
    page.screenshot(path=shots / "resumed.png")
