"""A real browser: Debian's Chromium, or the one that GATEPOST_CHROMIUM names."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = os.environ.get("GATEPOST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A browser for the tests of one file, and no longer: while it is open, Playwright's own event loop runs in
    this thread, and no other test of the process could start one."""
    if CHROMIUM is None:
        pytest.skip(
            "NO BROWSER TESTS: install Chromium (apt install chromium), or set GATEPOST_CHROMIUM to it"
        )
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Because of that loop, Django would take every query for a mistake.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        # Without a sandbox of its own: containers and root cannot make one.
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()
