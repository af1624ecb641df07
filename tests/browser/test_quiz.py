"""The quiz answers where no script may run: on GitHub, in a printed site, in a strict frame."""

import pytest

from ift_course.lessons import quizzes
from ift_course.lessons.quiz_view import quiz

WIDTHS = {"laptop": 900, "phone": 380}


@pytest.fixture(params=WIDTHS)
def page(request, browser):
    """A page without JavaScript that holds the quiz of lesson 01."""
    size = {"width": WIDTHS[request.param], "height": 1400}
    page = browser.new_page(viewport=size, java_script_enabled=False)
    page.set_content(f"<body style='font: 14px sans-serif'>{quiz('01').html()}</body>")
    page.name = request.param
    yield page
    page.close()


def test_feedback_appears_when_an_option_is_opened_and_not_before(page, shots):
    question = quizzes.read("01")[2]
    right = page.locator("details", has_text=question.right)
    wrong = page.locator("details", has_text=question.wrong[0].says)
    for option in (right, wrong):
        assert not option.locator("blockquote").is_visible()
        option.locator("summary").click()
        assert option.locator("blockquote").is_visible()
    assert "✓ Right." in right.inner_text() and question.answer[:40] in right.inner_text()
    assert "✗ No." in wrong.inner_text() and question.wrong[0].why in wrong.inner_text()
    page.screenshot(path=shots / f"quiz-{page.name}.png")


def test_it_fits_the_width_and_the_keyboard_opens_it(page):
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= WIDTHS[page.name]
    first = page.locator("summary").first
    first.focus()
    page.keyboard.press("Enter")
    assert page.locator("blockquote").first.is_visible()
