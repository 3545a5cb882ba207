"""The chat widget in foreign pages: python widget.py <address of the channel web> <port of the allowed site> <address of the stand-in>
<address of the services, among them the bucket>"""

import gzip
import http.server
import re
import sys
import threading
import time
import urllib.request
from urllib.parse import unquote

from browser import accessible, run, tab
from page import PHONE, tell
from playwright.sync_api import expect

# Styles that break what they can reach, and a policy that lets through what it names.
STYLE = "* { all: revert; font-size: 40px !important; line-height: 3 !important; float: left !important } button, div, form { display: none !important }"
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Shop</title><link rel="stylesheet" href="/style.css"></head>
<body><main><h1>Shop</h1><p>Goods.</p></main><script src="{address}main/widget.js" async data-title="Shop help" data-greeting="Hello, **how** can I help?" {more}></script></body></html>"""

# More would be no few kB: bytes, compressed.
LARGEST = 8 * 1024


def site(address, port=0, services=""):
    """Serves the page, as `/as/<token>` with the token of somebody signed in; gives its address."""
    origin = re.match(r"https?://[^/]+", address)[0]
    policy = f"default-src 'none'; style-src 'self'; script-src {origin}; connect-src {origin} {services}; img-src https://charts.example.com"

    class Site(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            more = f'data-identity="{unquote(self.path[4:])}"' if self.path.startswith("/as/") else ""
            page = ("text/html", PAGE.format(address=address, more=more))
            kind, text = {"/": page, "/style.css": ("text/css", STYLE)}.get(self.path, page if more else ("", ""))
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
        expect(answer.locator("p")).to_have_text("It is open, see https://example.com/a.")
        expect(answer.get_by_role("link")).to_have_attribute("href", "https://example.com/a")
        expect(answer.locator("li")).to_have_text(["Mo", "Tu"])
        expect(answer.locator("pre")).to_have_text("<b>9–5</b>")
        expect(page.get_by_role("status")).to_have_text("")
        # The page behind it stays within reach.
        expect(dialog).to_have_attribute("aria-modal", "false")
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
        assert page.evaluate("document.activeElement.tagName") == "BODY", "nobody asked for the focus"
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


def it_is_small(browser, address, url, platform):
    with urllib.request.urlopen(f"{address}main/widget.js") as answer:
        compressed = gzip.compress(answer.read(), 9, mtime=0)
    assert len(compressed) <= LARGEST, f"{len(compressed)} bytes"


# What the room's dialect writes (the goldens of shared/channel/src/markdown), and what is seen of it.
DRAWN = {
    "see <https://e.x/a_(b)_c?d>, or <mailto:a@e.x>.": "<p>see <a>https://e.x/a_(b)_c?d</a>, or <a>a@e.x</a>.</p>",
    "see https://e.x/a.": "<p>see <a>https://e.x/a</a>.</p>",
    "[the *site*](https://e.x/%28a%29) [a\\_b](<https://e.x/1>)": "<p><a>the <em>site</em></a> <a>a_b</a></p>",
    "[no](javascript:alert(1)) <b>no</b>": "<p>no) &lt;b&gt;no&lt;/b&gt;</p>",
    "***both*** ~~gone~~ `` a`b `` 2 * 3 \\*no\\*": "<p><strong><em>both</em></strong> <del>gone</del> <code>a`b</code> 2 * 3 *no*</p>",
    "one  \ntwo": "<p>one<br>two</p>",
    "## Head\n\ntext\n\n***\n\n> quoted\n>\n> - a": "<p><strong>Head</strong></p><p>text</p><hr><blockquote><p>quoted</p><ul><li>a</li></ul></blockquote>",
    "1. one\n\n   more\n\n2. two\n\n3. three": '<ol start="1"><li>one<p>more</p></li><li>two</li><li>three</li></ol>',
    "3. c\n4. d": '<ol start="3"><li>c</li><li>d</li></ol>',
    "- a\n  - b\n    1. c\n- [x] done\n- [ ] open": '<ul><li>a<ul><li>b<ol start="1"><li>c</li></ol></li></ul></li><li>☑ done</li><li>☐ open</li></ul>',
    "- a\n\n  ```\n  - no\n  ```\n\nend": "<ul><li>a<pre><code>- no</code></pre></li></ul><p>end</p>",
    "````\n```\n<i>\n```\n````": "<pre><code>```\n&lt;i&gt;\n```</code></pre>",
    "| a | b\\|c |\n| --- | :-: |\n| 1 | **2** |": "<div><table><thead><tr><th>a</th><th>b|c</th></tr></thead><tbody><tr><td>1</td><td><strong>2</strong></td></tr></tbody></table></div>",
}

BARE = """node => {
  const copy = node.cloneNode(true);
  copy.firstChild.remove();
  for (const one of copy.querySelectorAll('*')) for (const name of one.getAttributeNames()) if (name !== 'start') one.removeAttribute(name);
  return copy.innerHTML;
}"""


def history(page, address, messages):
    """A page that finds these answers when it is loaded."""
    now = int(time.time() * 1000)

    def item(n, message):
        return {"id": f"OUT#{n}", "at": now - 1000 + n, "part": 0, "of": 1, "format": "markdown", "to": None, "choices": [], "media": None, **message}

    view = {"state": "s", "messages": [item(n, message) for n, message in enumerate(messages)], "writing": None, "dismissed": None}
    page.route("**/main/messages?*", lambda route: route.fulfill(json=view, headers={"access-control-allow-origin": "*"}))
    known = "{visitor: '0123456789abcdef0123456789abcdef', open: true, talks: {visitor: [{id: 'q', text: 'before', at: %d, sent: true}]}}" % (now - 2000)
    page.evaluate(f"localStorage.setItem('crabhook {address}main/', JSON.stringify({known}))")
    page.reload()


def answers_look_as_they_are_meant(browser, address, url, platform):
    with tab(browser, url, bypass_csp=True) as page:
        history(page, address, [{"text": text} for text in DRAWN])
        expect(bubbles(page)).to_have_count(2 + len(DRAWN))
        drawn = [bubbles(page).nth(n + 2).evaluate(BARE) for n in range(len(DRAWN))]
        for (text, expected), got in zip(DRAWN.items(), drawn):
            assert got == expected, f"{text!r}: {got}"
        accessible(page, "all that an answer may hold")


def pictures_and_choices_of_answers(browser, address, url, platform):
    with tab(browser, url) as page:
        pixel = "<svg xmlns='http://www.w3.org/2000/svg' width='40' height='20'/>"
        page.route("https://charts.example.com/**", lambda route: route.fulfill(body=pixel, content_type="image/svg+xml"))
        picture = {"url": "https://charts.example.com/7.png", "name": "7.png", "media_type": "image/png", "caption": "sales"}
        choice = {"label": "Yes, please", "says": "/yes 1"}
        history(page, address, [
            {"text": "sales\n\n[7\\.png](<https://charts.example.com/7.png>)", "media": picture},
            {"text": "Shall I?", "choices": [choice]},
        ])
        shown = page.get_by_role("img", name="sales")
        expect(shown).to_be_visible()
        assert shown.evaluate("image => image.naturalWidth") == 40, "the picture is there"
        expect(page.get_by_role("link", name="7.png")).to_have_attribute("href", picture["url"])
        with page.expect_request(lambda request: request.method == "POST" and request.url.endswith("/messages")) as sent:
            page.get_by_role("button", name="Yes, please").click()
        assert sent.value.post_data_json["text"] == "/yes 1"
        expect(bubbles(page).last).to_contain_text("You: Yes, please")
        expect(page.get_by_role("button", name="Yes, please")).to_have_count(0)


def an_answer_grows(browser, address, url, platform):
    with tab(browser, url, bypass_csp=True) as page:
        tell(f"{platform}/", "model/answers", {"answers": ["First", "It **grows** \u23f8to the end"]})
        opened(page)
        # Where the line holds a stream back, as the local cloud does, the first answer shows it.
        write(page, "one")
        expect(bubbles(page).nth(2)).to_contain_text("First")
        write(page, "two")
        expect(bubbles(page).nth(4)).to_contain_text("It grows")
        expect(page.get_by_role("status")).to_have_text("Writing…")
        accessible(page, "while an answer is written")
        tell(f"{platform}/", "model/go", {"pauses": 1})
        expect(bubbles(page).nth(4)).to_contain_text("It grows to the end")
        expect(page.get_by_role("status")).to_have_text("")


def on_a_phone(browser, address, url, platform):
    with tab(browser, url, **PHONE) as page:
        opened(page)
        write(page, "from a phone")
        expect(bubbles(page).nth(2)).to_contain_text("You said: from a phone")
        # It covers the page, so Tab goes round inside.
        expect(page.get_by_role("dialog")).to_have_attribute("aria-modal", "true")
        page.get_by_role("button", name="Send").focus()
        page.keyboard.press("Tab")
        expect(page.get_by_role("dialog").get_by_role("button", name="Close the chat")).to_be_focused()
        page.keyboard.press("Shift+Tab")
        expect(page.get_by_role("button", name="Send")).to_be_focused()
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
    address, port, platform, services, _ = sys.argv[1:]
    tests = [
        it_is_small,
        by_keyboard_alone,
        a_reload_keeps_the_conversation,
        answers_look_as_they_are_meant,
        pictures_and_choices_of_answers,
        an_answer_grows,
        the_page_and_the_widget_leave_each_other_alone,
        everybody_can_use_it,
        on_a_phone,
        another_site_is_told_so,
    ]
    run(tests, [address, site(address, port, services), platform])
