"""The chat widget in foreign pages: python widget.py <address of the channel web> <port of the allowed site> <address of the stand-in>"""

import http.server
import re
import sys
import threading

from browser import accessible, run, tab
from page import PHONE, tell
from playwright.sync_api import expect

# Styles that break what they can reach, and a policy that lets through what it names.
STYLE = "* { all: revert; font-size: 40px !important; line-height: 3 !important; float: left !important } button, div, form { display: none !important }"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Shop</title><link rel="stylesheet" href="/style.css"></head>
<body><main><h1>Shop</h1><p>Goods.</p></main><script src="{address}main/widget.js" async data-title="Shop help" data-greeting="Hello, **how** can I help?"></script></body></html>"""


def site(address, port=0):
    """Serves the page; gives its address."""
    origin = re.match(r"https?://[^/]+", address)[0]
    policy = f"default-src 'none'; style-src 'self'; script-src {origin}; connect-src {origin}"

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            kind, text = {"/": ("text/html", PAGE.format(address=address)), "/style.css": ("text/css", STYLE)}.get(self.path, ("", ""))
            self.send_response(200 if kind else 204)
            self.send_header("content-type", kind or "image/x-icon")
            self.send_header("content-security-policy", policy)
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}/"


def bubbles(page):
    return page.locator("crabhook-chat .log .b")


def opened(page):
    page.get_by_role("button", name="Open the chat").click()
    return page.get_by_role("dialog", name="Shop help")


def write(page, text):
    page.get_by_label("Write a message").fill(text)
    page.get_by_role("button", name="Send").click()


def by_keyboard_alone(browser, address, url, platform):
    with tab(browser, url) as page:
        tell(f"{platform}/", "model/answers", {"answers": ["It is **open**, see https://example.com/a.\n\n- Mo\n- Tu\n\n```\n<b>9–5</b>\n```"]})
        expect(page.get_by_role("button", name="Open the chat")).to_be_visible()
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Shop help")
        expect(dialog).to_be_visible()
        expect(page.get_by_label("Write a message")).to_be_focused()
        expect(bubbles(page).first).to_contain_text("Hello, how can I help?")
        page.keyboard.type("When are you open?")
        page.keyboard.press("Enter")
        answer = bubbles(page).nth(2)
        expect(answer.locator("strong")).to_have_text("open")
        expect(answer.get_by_role("link")).to_have_attribute("href", "https://example.com/a")
        expect(answer.locator("li")).to_have_text(["Mo", "Tu"])
        expect(answer.locator("pre")).to_have_text("<b>9–5</b>")
        expect(page.get_by_role("status")).to_have_text("")
        # Tab goes round inside.
        stops = dialog.locator("a,button,textarea,[tabindex]").count()
        for _ in range(stops):
            page.keyboard.press("Tab")
            assert page.evaluate("document.activeElement.tagName") == "CRABHOOK-CHAT", "the focus left the open dialog"
        expect(page.get_by_label("Write a message")).to_be_focused()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(page.get_by_role("button", name="Open the chat")).to_be_focused()


def a_reload_keeps_the_conversation(browser, address, url, platform):
    with tab(browser, url) as page:
        opened(page)
        write(page, "first")
        expect(bubbles(page).nth(2)).to_contain_text("You said: first")
        write(page, "second")
        expect(bubbles(page).nth(4)).to_contain_text("You said: second")
        before = bubbles(page).all_text_contents()
        page.reload()
        expect(page.get_by_role("dialog", name="Shop help")).to_be_visible()
        expect(bubbles(page)).to_have_text(before)
        write(page, "third")
        expect(bubbles(page).nth(6)).to_contain_text("You said: third")


def the_page_and_the_widget_leave_each_other_alone(browser, address, url, platform):
    with tab(browser, url) as page:
        opened(page)
        send = page.get_by_role("button", name="Send")
        expect(send).to_be_visible()
        expect(send).to_have_css("font-size", "16px")
        expect(send).to_have_css("float", "none")
        assert page.evaluate("Object.keys(window).filter(name => /crab/i.test(name))") == []
        page.evaluate("document.querySelector('crabhook-chat').style.setProperty('--crabhook-accent', 'rgb(0, 80, 40)')")
        expect(send).to_have_css("background-color", "rgb(0, 80, 40)")
        write(page, "<img src=x onerror=alert(1)> **not bold** for me")
        expect(bubbles(page).nth(1)).to_contain_text("<img src=x onerror=alert(1)> **not bold** for me")
        expect(bubbles(page).nth(2)).to_contain_text("You said: <img src=x onerror=alert(1)>")
        assert page.locator("crabhook-chat img").count() == 0


def everybody_can_use_it(browser, address, url, platform):
    for scheme in ["light", "dark"]:
        with tab(browser, url, color_scheme=scheme, bypass_csp=True) as page:
            page.get_by_role("button", name="Open the chat").wait_for()
            accessible(page, f"closed, {scheme}")
            opened(page)
            tell(f"{platform}/", "model/answers", {"answers": ["A [link](https://example.com), `code` and\n\n1. a list\n\n```\nlet a = 1;\n```"]})
            write(page, "show me")
            expect(bubbles(page).nth(2)).to_contain_text("a list")
            accessible(page, f"open, {scheme}")


def on_a_phone(browser, address, url, platform):
    with tab(browser, url, **PHONE) as page:
        opened(page)
        write(page, "from a phone")
        expect(bubbles(page).nth(2)).to_contain_text("You said: from a phone")
        box = page.locator("crabhook-chat .panel").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["y"] >= 0, box


def another_site_is_told_so(browser, address, url, platform):
    context = browser.new_context()
    page = context.new_page()
    page.goto(site(address))
    opened(page)
    write(page, "hello")
    expect(page.get_by_role("alert")).to_contain_text("This was not sent.")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    context.close()


if __name__ == "__main__":
    address, port, platform = sys.argv[1:]
    tests = [
        by_keyboard_alone,
        a_reload_keeps_the_conversation,
        the_page_and_the_widget_leave_each_other_alone,
        everybody_can_use_it,
        on_a_phone,
        another_site_is_told_so,
    ]
    run(tests, [address, site(address, port), platform])
