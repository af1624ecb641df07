"""Chromium for the tests of this folder, which `make test-browser` runs.

They are skipped without playwright and Chromium. The screenshots go to $IFT_SCREENSHOTS, or to a
temporary folder whose name is printed.
"""

import os
import shutil
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if not os.environ.get("IFT_BROWSER") or found is None:
        pytest.skip("runs with IFT_BROWSER=1 where Chromium is installed")
    return found


@pytest.fixture(scope="session")
def browser(chromium):
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        running = started.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        yield running
        running.close()


@pytest.fixture(scope="session")
def shots(chromium, tmp_path_factory) -> Path:
    folder = Path(os.environ.get("IFT_SCREENSHOTS") or tmp_path_factory.mktemp("screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    print(f"\nscreenshots: {folder}")
    return folder
