"""The sample's room in a real browser."""

import os
import shutil
from datetime import date

import pytest
import serving
from bundles import make_bundle
from playwright.sync_api import sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def chromium():
    """Start the system's Chromium; without one, tests are skipped, or fail where they must run."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        told = "no Chromium here; install it: apt-get install --no-install-recommends chromium"
        if os.environ.get("RECSYS_REQUIRE_BROWSER"):
            pytest.fail(told)
        pytest.skip(told)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """Serve a bundle as a buyer does, and give the address without the last slash."""
    bundle = make_bundle(tmp_path_factory.mktemp("bundle"), expires=date(2200, 1, 1))
    with serving.serving(*bundle) as address:
        yield address.rstrip("/")


@pytest.fixture
def look(chromium, address):
    """Open pages: ``look(path, **settings of the browser)``; whatever the browser complains of fails the test."""
    contexts, complaints = [], []

    def open_page(path="/", **settings):
        context = chromium.new_context(base_url=address, **settings)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda told: complaints.append(told.text) if told.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda asked: complaints.append(asked.url) if not asked.url.startswith(address) else None)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert [told for told in complaints if "status of 422" not in told] == []
