"""The site in Chromium, as a reader meets it: on a phone and a laptop, by day and by night.

It is built from what is committed. Pages are served from the disk of this machine; whatever asks
for another address fails.
"""

import json
import re
import subprocess
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from ift_course.paths import checkout
from tests.browser.contrast import faint_text

WIDTHS = {"phone": 390, "laptop": 1280}
MOST_MB = 25


@pytest.fixture(scope="module")
def site(chromium, tmp_path_factory) -> Path:
    """The folder of the site."""
    out = tmp_path_factory.mktemp("site") / "html"
    command = [sys.executable, str(checkout() / "site/build.py"), str(out)]
    process = subprocess.run(command, capture_output=True, text=True)
    assert process.returncode == 0, process.stdout + process.stderr
    return out


@pytest.fixture(scope="module")
def address(site):
    """Where the site is served."""

    class Silent(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Silent, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def opened(browser, address):
    """Opens pages of the site, and collects what goes wrong in them."""
    contexts = []

    def open_page(width: int, scheme: str = "light"):
        context = browser.new_context(
            viewport={"width": width, "height": 844 if width < 500 else 800}, color_scheme=scheme
        )
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on(
            "console", lambda x: x.type in ("error", "warning") and page.problems.append(x.text)
        )
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.on("request", lambda x: _at_home(x.url, address) or page.problems.append(x.url))
        return page

    yield open_page
    for context in contexts:
        context.close()


def _at_home(url: str, address: str) -> bool:
    return url.startswith((address, "file:", "data:", "blob:"))


def pages(site: Path) -> list[str]:
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))


def one_of(site: Path, folder: str) -> str:
    """A lesson, or the exercises of one, that has most to show: the third, or the last."""
    return [x for x in pages(site) if re.match(rf"{folder}/\d\d_", x)][:3][-1]


def test_it_is_small(site):
    size = sum(path.stat().st_size for path in site.rglob("*") if path.is_file())
    assert size < MOST_MB * 1e6


@pytest.mark.parametrize("device", WIDTHS)
def test_every_page_loads_in_silence_and_fits_the_screen(site, address, opened, device):
    page = opened(WIDTHS[device])
    problems = {}
    for path in pages(site):
        page.goto(f"{address}/{path}")
        excess = page.evaluate("document.documentElement.scrollWidth") - WIDTHS[device]
        page.problems += [f"{excess} pixels too wide"] * (excess > 0)
        page.problems += page.evaluate(
            "[...document.images].filter(x => x.complete && !x.naturalWidth).map(x => x.src)"
        )
        problems |= {path: page.problems.copy()} if page.problems else {}
        page.problems.clear()
    assert problems == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_what_is_behind_it(site, address, opened, scheme):
    page = opened(WIDTHS["laptop"], scheme)
    problems = {}
    for path in pages(site):
        page.goto(f"{address}/{path}")
        page.evaluate("document.querySelectorAll('details').forEach(x => x.open = true)")
        texts = faint_text(page)
        problems |= {path: texts} if texts else {}
    assert problems == {}


def test_what_is_folded_opens_without_scripts(site, browser):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for path in pages(site):
        page.goto((site / path).as_uri())
        folds = page.locator("article details")
        for i in range(folds.count()):
            fold = folds.nth(i)
            fold.locator("> summary").click()
            assert fold.get_attribute("open") is not None, (path, i)
            assert fold.locator("> :not(summary)").first.is_visible(), (path, i)
    context.close()


def test_quizzes_answer(site, address, opened):
    lessons = [
        path.stem
        for path in sorted((checkout() / "notebooks").glob("*.ipynb"))
        if any(
            "ift.quiz(" in "".join(cell["source"])
            for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        )
    ]
    if not lessons:
        pytest.skip("no lesson with a quiz has been executed and committed")
    page = opened(WIDTHS["phone"])
    for name in lessons:
        page.goto(f"{address}/notebooks/{name}.html")
        options = page.locator(".output details")
        texts = []
        for i in range(options.count()):
            options.nth(i).locator("summary").click()
            texts.append(options.nth(i).locator("blockquote").inner_text())
        right = [text for text in texts if text.startswith("✓ Right.")]
        assert right and len(texts) > 2 * len(right), name
        assert all(text.startswith(("✓ Right.", "✗ No.")) for text in texts), name
        page.locator(".output details blockquote a[href*='glossary.html#']").first.click()
        page.wait_for_url("**/docs/glossary.html#*")
        assert page.locator(":target").is_visible()


@pytest.mark.parametrize("device", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_base_answers_on_the_playground(site, address, opened, shots, device, scheme):
    page = opened(WIDTHS[device], scheme)
    # Served to the laptop, and read from the phone's disk.
    root = address if device == "laptop" else site.as_uri()
    lessons = [x for x in pages(site) if re.match(r"notebooks/0[01]_", x)]
    for path in ("playground.html", *lessons):
        page.goto(f"{root}/{path}")
        page.get_by_role("button", name="Ask", exact=True).click()
        facts = page.locator("[data-model=base] .pg-facts")
        facts.filter(has_text="; ").wait_for()
        if page.get_by_role("button", name="Show the next token").count():
            page.get_by_role("button", name="Show the next token").click()
            page.locator(".pg-bars button").nth(7).wait_for()
        assert page.evaluate("document.documentElement.scrollWidth") <= WIDTHS[device]
        assert faint_text(page) == {}
        name = path.split("/")[-1].removesuffix(".html")
        page.locator(".playground").screenshot(path=shots / f"{name}-{device}-{scheme}.png")
    assert len(lessons) == 2
    assert page.problems == []


def test_the_search_finds_the_loss_mask(site, address, opened, shots):
    page = opened(WIDTHS["laptop"])
    page.goto(address)
    page.get_by_placeholder("Search").fill("loss mask")
    page.get_by_placeholder("Search").press("Enter")
    results = page.locator("#search-results li a")
    results.first.wait_for()
    page.get_by_text("Search finished").first.wait_for()
    paths = {link.get_attribute("href").split("?")[0].split("#")[0] for link in results.all()}
    assert "docs/glossary.html" in paths
    assert any(path.startswith("notebooks/") for path in paths)
    page.screenshot(path=shots / "site-search.png")
    results.first.click()
    page.wait_for_load_state()
    text = page.locator("article").inner_text().lower()
    assert "loss" in text and "mask" in text  # the search is for words, wherever they stand
    assert page.problems == []


def test_the_search_works_from_the_disk(site, opened):
    page = opened(WIDTHS["phone"])
    page.goto((site / "search.html").as_uri() + "?q=loss+mask")
    page.locator("#search-results li a").first.wait_for()
    page.wait_for_timeout(500)
    assert page.problems == []


def test_dark_mode_can_be_chosen(site, address, opened):
    page = opened(WIDTHS["laptop"])
    page.goto(address)
    background = "getComputedStyle(document.body).backgroundColor"
    colors = [page.evaluate(background)]
    for _ in range(2):
        page.locator(".theme-toggle:visible").first.click()
        colors.append(page.evaluate(background))
    assert len(set(colors)) == 2


@pytest.mark.parametrize("device", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_to_look_at(site, address, opened, shots, device, scheme):
    page = opened(WIDTHS[device], scheme)
    paths = {
        "front": "index.html",
        "lesson": one_of(site, "notebooks"),
        "exercise": f"{one_of(site, 'exercises')}#exercise-03-1",
    }
    for name, path in paths.items():
        page.goto(f"{address}/{path}")
        page.screenshot(path=shots / f"site-{name}-{device}-{scheme}.png")
        page.evaluate("document.querySelectorAll('img').forEach(x => x.loading = 'eager')")
        page.wait_for_function("[...document.images].every(x => x.complete)")
        page.screenshot(path=shots / f"site-{name}-{device}-{scheme}-whole.png", full_page=True)
    assert page.problems == []
