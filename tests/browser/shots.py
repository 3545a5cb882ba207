"""The screenshots of the README: python shots.py <address of the page> <address of the channel web> <folder>"""

import os
import sys

import widget
from browser import run, tab
from page import PHONE, replies, tell, there, write
from playwright.sync_api import expect

# A README with larger ones loads slowly, bytes.
LARGEST = 200_000

ANSWER = """A lobster grows by **moulting**: it leaves its old shell and takes up water to fill a larger one.

- young ones moult several times a year
- old ones about every *second* year

Ask `/help` for what else I can do."""


# A site of somebody's.
SHOP = "body { margin: 0; font: 18px/1.5 Georgia, serif; background: #f4efe6; color: #332 } main { padding: 3rem 4rem } h1 { color: #7a4b1e }"


def shoot(page, folder, name):
    path = os.path.join(folder, f"{name}.png")
    page.screenshot(path=path, animations="disabled", caret="hide")
    size = os.path.getsize(path)
    assert size < LARGEST, f"{path}: {size} bytes"
    print(f"{path}: {size} bytes")


def ask(page, url):
    # Not the first message of all, which starts the functions.
    chat = page.evaluate("location.hash").lstrip("#")
    there(page, f"{chat.split('/')[0]}/nobody")
    write(page, "hello")
    expect(replies(page)).to_have_count(1)
    there(page, chat)
    tell(url, "model/answers", {"answers": [ANSWER]})
    write(page, "How does a lobster grow?")
    expect(replies(page).first).to_contain_text("moulting")
    expect(page.locator(".steps .what").filter(has_text="posted")).to_have_count(1)


def the_page(browser, url, web, folder):
    with tab(browser, f"{url}#telegram/ana", viewport={"width": 1280, "height": 800}, color_scheme="light") as page:
        ask(page, url)
        shoot(page, folder, "page")


def a_promise(browser, url, web, folder):
    with tab(browser, f"{url}#slack/ben", viewport={"width": 1200, "height": 720}, color_scheme="dark") as page:
        page.locator("#promises summary").click()
        for promise in ["forged", "twice", "busy"]:
            page.locator(f"#promises [data-promise={promise}]").click()
            expect(page.locator(f".promise[data-promise={promise}]")).to_have_attribute("data-held", "true")
        there(page, "slack/ben")
        shoot(page, folder, "promise")


def on_a_phone(browser, url, web, folder):
    with tab(browser, f"{url}#whatsapp/ana", **PHONE, device_scale_factor=2, color_scheme="light") as page:
        ask(page, url)
        shoot(page, folder, "phone")


def a_shop(browser, url, web, folder):
    widget.STYLE = SHOP
    shop = {"viewport": {"width": 900, "height": 640}, "color_scheme": "light"}
    with tab(browser, widget.site(web), **shop) as page:
        tell(url, "model/answers", {"answers": ["We are open **from 9 to 5**, on weekdays.\n\n- Lisbon\n- Porto"]})
        widget.opened(page)
        widget.write(page, "When are you open?")
        expect(widget.bubbles(page).nth(2)).to_contain_text("Lisbon")
        shoot(page, folder, "widget")


if __name__ == "__main__":
    run([the_page, a_promise, on_a_phone, a_shop], sys.argv[1:])
