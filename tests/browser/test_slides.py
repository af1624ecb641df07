"""A deck in Chromium: it can be walked with the keyboard, nothing is cut off, it is legible."""

import pytest

from ift_course.authoring.slides import render
from ift_course.authoring.slides.deck import make_deck
from ift_course.lessons.discover import lessons

# The part of a slide that lies outside it, or outside the box of its own letters, in pixels.
CUT_OFF = """() => [...document.querySelectorAll(".slide")].flatMap(slide => {
  const out = [...slide.querySelectorAll(".fit, pre, .prose, ul, ol, table, figure")].map(x =>
    Math.max(x.scrollHeight - x.clientHeight, x.scrollWidth - x.clientWidth));
  const box = slide.getBoundingClientRect(), inner = slide.querySelector(".fit");
  const ends = [...inner.children].map(x => x.getBoundingClientRect().bottom - box.bottom);
  return Math.max(...out, ...ends) > 1 ? [slide.id + ": " + Math.max(...out, ...ends)] : [];
})"""
SMALLEST = """() => Math.min(...[...document.querySelectorAll(".slide")]
  .map(x => parseFloat(getComputedStyle(x).fontSize)))"""


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("slides")
    return {x.number: render.write(make_deck(x), folder) for x in lessons()}


@pytest.fixture
def opened(browser):
    """Opens a deck; every request other than for the file itself, and every error, is noted."""
    contexts = []

    def open_deck(path, width=1280, height=720, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("request", lambda x: x.url.startswith(("file:", "data:"))
                or page.problems.append(x.url))  # fmt: skip
        page.goto(path.as_uri())
        return page

    yield open_deck
    for context in contexts:
        context.close()


def visible(page) -> list[str]:
    return page.evaluate("[...document.querySelectorAll('.slide.on')].map(x => x.id)")


def test_a_deck_is_walked_with_the_keyboard(decks, opened, shots):
    page = opened(decks["03"])
    count = page.locator(".slide").count()
    for number in range(1, count + 1):
        assert visible(page) == [str(number)]
        if number in (1, 7, 12, count):
            page.screenshot(path=str(shots / f"slides-03-{number:02}.png"))
        page.keyboard.press("ArrowRight")
    assert visible(page) == [str(count)]  # the last one stays
    page.keyboard.press("Home")
    page.keyboard.press("Space")
    assert visible(page) == ["2"] and page.url.endswith("#2")
    page.keyboard.press("ArrowLeft")
    assert "1 of" in page.locator("#now").text_content()
    assert page.problems == []


def test_nothing_is_cut_off_in_any_deck(decks, opened):
    for number, path in decks.items():
        page = opened(path)
        assert page.evaluate(CUT_OFF) == [], number
        assert page.evaluate(SMALLEST) >= 17, number  # of 720: letters that the last row can read
        page.close()


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1024, 768), (800, 400)])
def test_a_slide_fills_windows_of_every_shape(decks, opened, width, height):
    page = opened(decks["08"], width, height)
    box = page.locator(".slide.on").bounding_box()
    assert box["x"] >= -1 and box["y"] >= -1
    assert box["width"] == pytest.approx(min(width, height * 16 / 9), abs=2)


def test_dark_follows_the_system_and_the_key_d(decks, opened, shots):
    page = opened(decks["08"], color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.screenshot(path=str(shots / "slides-08-dark.png"))
    page.keyboard.press("d")
    assert page.evaluate(background) == "rgb(255, 255, 255)" != dark


def test_without_a_script_all_slides_stand_below_each_other(decks, opened):
    page = opened(decks["03"], java_script_enabled=False)
    tops = [x.bounding_box()["y"] for x in page.locator(".slide").all()]
    assert tops == sorted(tops) and len(set(tops)) == len(tops)


def test_in_print_every_slide_has_a_page(decks, opened):
    page = opened(decks["03"])
    page.emulate_media(media="print")
    hidden = "[...document.querySelectorAll('.slide')].filter(x => getComputedStyle(x).visibility"
    assert page.evaluate(f"{hidden} !== 'visible').length") == 0
    pdf = page.pdf(prefer_css_page_size=True, print_background=True)
    assert pdf.count(b"/Type /Page\n") == page.locator(".slide").count()
