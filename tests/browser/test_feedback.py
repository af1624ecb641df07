"""What a graded class reads in a browser: a student's page of feedback, the instructor's overview.

The pages are opened from the disk, as somebody would who has unpacked the gradebook.
"""

import pytest
from typer.testing import CliRunner

from ift_course.cli import app
from ift_course.exercises import catalog, source
from tests.browser.contrast import faint_text

WIDTHS = {"phone": 390, "laptop": 1280}
LESSON = "02"
# The end of the turn is not trained: the most common slip of this exercise.
WITHOUT_END = """
def response_labels(input_ids, start, end, assistant):
    right = solved(input_ids, start, end, assistant)
    return [-100 if token == end else label for token, label in zip(input_ids, right)]
"""
RAISES = """
def response_labels(input_ids, start, end, assistant):
    return input_ids[len(input_ids)]
"""


@pytest.fixture(scope="module")
def gradebook(chromium, tmp_path_factory):
    """The gradebook of a class of three: all right, one slip, and one exception."""
    home = tmp_path_factory.mktemp("class")
    [path] = [x for x in source.sources() if x.name.startswith(LESSON)]
    solution = source.solved(path.read_text(encoding="utf-8"))
    assert catalog.by_id("02.3").function == "response_labels"
    submissions = {
        "ada": solution,
        "jane": solution + "\n# %%\nsolved = response_labels\n" + WITHOUT_END,
        "joe": solution + "\n# %%" + RAISES,
    }
    (home / "class").mkdir()
    for name, text in submissions.items():
        (home / "class" / f"{name}.py").write_text(text, encoding="utf-8")
    command = ["grade", str(home / "class"), "--lesson", LESSON, "--out", str(home / "out")]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    return home / "out"


@pytest.fixture(params=WIDTHS)
def opened(request, browser):
    """Opens a file of the gradebook in a window of this width; scripts and other addresses fail."""
    pages = []

    def open_page(path, scheme: str = "light"):
        context = browser.new_context(
            viewport={"width": WIDTHS[request.param], "height": 900}, color_scheme=scheme
        )
        page = context.new_page()
        pages.append(page)
        page.problems = []
        page.name = f"{request.param}-{scheme}"
        page.on("console", lambda x: page.problems.append(x.text))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("request", lambda x: x.url.startswith("file:") or page.problems.append(x.url))
        page.goto(path.as_uri())
        return page

    yield open_page
    for page in pages:
        page.context.close()


def fits(page) -> bool:
    width = page.viewport_size["width"]
    return page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_student_reads_what_was_wrong_and_why(gradebook, opened, shots, scheme):
    page = opened(gradebook / "feedback" / "jane.html", scheme)
    text = page.locator("body").inner_text()
    assert "A common mistake." in text and "the model never learns to stop" in text
    assert page.get_by_text("trained by your labels").first.is_visible()
    page.evaluate("document.querySelectorAll('details').forEach(x => x.open = true)")
    assert (page.problems, faint_text(page), fits(page)) == ([], {}, True)
    page.screenshot(path=shots / f"feedback-{page.name}.png", full_page=True)


def test_an_exception_is_shown_with_the_line_that_raised_it(gradebook, opened):
    page = opened(gradebook / "feedback" / "joe.html")
    text = page.locator("body").inner_text()
    assert "your code raised an exception" in text
    assert page.get_by_text("return input_ids[len(input_ids)]").first.is_visible()
    assert fits(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_overview_leads_to_every_student(gradebook, opened, shots, scheme):
    page = opened(gradebook / "overview.html", scheme)
    assert (page.problems, faint_text(page), fits(page)) == ([], {}, True)
    page.screenshot(path=shots / f"overview-{page.name}.png", full_page=True)
    for name in ("ada", "jane", "joe"):
        page.get_by_role("link", name=name).first.click()
        assert page.locator("h1").inner_text() == name
        page.go_back()
