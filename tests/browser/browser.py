"""Chromium for the browser tests: Debian's own, never one that is downloaded."""

import contextlib
import shutil
import sys

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

# Nothing on the page takes longer unless it is broken, milliseconds: a killed turn goes on after 25 s.
PATIENCE = 150_000

# The rules of WCAG 2.2 AA, and what is simply good.
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@contextlib.contextmanager
def chromium():
    path = shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        sys.exit("the browser tests need Chromium: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path)
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def tab(browser, url, **options):
    """A page in a context of its own, in which nothing may go wrong unseen."""
    context = browser.new_context(**options)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    wrong = []
    page.on("console", lambda line: wrong.append(line.text) if line.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.goto(url)
    try:
        yield page
        assert not wrong, f"the console says: {wrong}"
    finally:
        context.close()


def accessible(page, what):
    found = Axe().run(page, options={"runOnly": RULES})
    assert not found.violations_count, f"{what}: {found.generate_report()}"


def run(tests, arguments):
    """Runs the tests in order, each with the browser; the first that fails ends it."""
    expect.set_options(timeout=PATIENCE)
    with chromium() as browser:
        for test in tests:
            print(f"{test.__name__} …", flush=True)
            test(browser, *arguments)
