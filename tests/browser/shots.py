"""The screenshots of the README: python shots.py <address of the page> <folder>"""

import os
import sys

from browser import run, tab
from page import PHONE, replies, tell, there, write
from playwright.sync_api import expect

# A README with larger ones loads slowly, bytes.
LARGEST = 200_000

ANSWER = """A lobster grows by **moulting**: it leaves its old shell and takes up water to fill a larger one.

- young ones moult several times a year
- old ones about every *second* year

Ask `/help` for what else I can do."""


def shoot(page, folder, name):
    path = os.path.join(folder, f"{name}.png")
    page.screenshot(path=path, animations="disabled", caret="hide")
    size = os.path.getsize(path)
    assert size < LARGEST, f"{path}: {size} bytes"
    print(f"{path}: {size} bytes")


def ask(page, url):
    tell(url, "model/answers", {"answers": [ANSWER]})
    write(page, "How does a lobster grow?")
    expect(replies(page).first).to_contain_text("moulting")
    expect(page.locator(".steps .what").filter(has_text="posted")).to_have_count(1)


def the_page(browser, url, folder):
    with tab(browser, f"{url}#telegram/ana", viewport={"width": 1280, "height": 800}, color_scheme="light") as page:
        ask(page, url)
        shoot(page, folder, "page")


def a_promise(browser, url, folder):
    with tab(browser, f"{url}#slack/ben", viewport={"width": 1280, "height": 800}, color_scheme="dark") as page:
        page.locator("#promises summary").click()
        for promise in ["forged", "twice", "busy"]:
            page.locator(f"#promises [data-promise={promise}]").click()
            expect(page.locator(f".promise[data-promise={promise}]")).to_have_attribute("data-held", "true")
        there(page, "slack/ben")
        shoot(page, folder, "promise")


def on_a_phone(browser, url, folder):
    with tab(browser, f"{url}#whatsapp/ana", **PHONE, device_scale_factor=2, color_scheme="light") as page:
        ask(page, url)
        shoot(page, folder, "phone")


if __name__ == "__main__":
    run([the_page, a_promise, on_a_phone], sys.argv[1:])
