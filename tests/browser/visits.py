"""Visits that do not go smoothly: python visits.py <address of the channel web> <port of the allowed site> <address of the stand-in>
<address of the services> <key of the site's own tokens>"""

import base64
import hashlib
import hmac
import json
import sys
import time

from browser import accessible, run, tab
from files import refusing
from page import tell
from playwright.sync_api import expect
from widget import bubbles, opened, site, write


def identity(key, person):
    def text(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    signed = f"{text({'alg': 'HS256'})}.{text({'sub': person, 'name': person, 'exp': int(time.time()) + 600})}"
    mac = hmac.new(key.encode(), signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


def what_was_not_sent_says_so_until_it_is(browser, url, platform, key):
    with refusing(browser, url, bypass_csp=True) as page:
        opened(page)
        page.context.set_offline(True)
        write(page, "first")
        write(page, "second")
        for n, text in [(1, "first"), (2, "second")]:
            expect(bubbles(page).nth(n)).to_contain_text(f"{text}This was not sent. Try again")
        expect(page.get_by_role("alert")).to_contain_text("This was not sent.")
        page.context.set_offline(False)
        page.reload()
        again = page.get_by_role("button", name="Try again")
        expect(again).to_have_count(2)
        accessible(page, "with messages that were not sent")
        again.first.click()
        expect(again).to_have_count(1)
        again.first.click()
        expect(again).to_have_count(0)
        expect(bubbles(page).filter(has_text="You said:").last).to_contain_text("second")


def the_answer_comes_when_the_network_is_back(browser, url, platform, key):
    with refusing(browser, url) as page:
        tell(f"{platform}/", "model/answers", {"answers": ["Wait \u23f8here it is"]})
        opened(page)
        with page.expect_response(lambda answer: answer.request.method == "POST" and answer.url.endswith("/messages")):
            write(page, "are you there?")
        page.context.set_offline(True)
        expect(page.get_by_role("status")).to_contain_text("The connection is lost.")
        tell(f"{platform}/", "model/go", {"pauses": 1})
        page.context.set_offline(False)
        expect(bubbles(page).nth(2)).to_contain_text("Wait here it is")
        expect(page.get_by_role("status")).to_have_text("")


def people_of_one_browser_do_not_read_each_other(browser, url, platform, key):
    with tab(browser, f"{url}as/{identity(key, 'ada')}") as page:
        opened(page)
        write(page, "a secret of Ada's")
        expect(bubbles(page).nth(2)).to_contain_text("You said: a secret of Ada's")
        for other in [f"{url}as/{identity(key, 'bob')}", url]:
            page.goto(other)
            write(page, "hello")
            expect(bubbles(page).nth(2)).to_contain_text("You said: hello")
            expect(bubbles(page).filter(has_text="secret")).to_have_count(0)
        page.goto(f"{url}as/{identity(key, 'ada')}")
        expect(bubbles(page).filter(has_text="secret")).to_have_count(2)


def two_tabs_show_one_conversation(browser, url, platform, key):
    with tab(browser, url) as page:
        opened(page)
        other = page.context.new_page()
        other.goto(url)
        for one, text in [(page, "from one"), (other, "from the other")]:
            write(one, text)
            expect(bubbles(one).filter(has_text=f"You said: {text}")).to_have_count(1)
        expect(bubbles(page).filter(has_text="You: from the other")).to_have_count(1)
        expect(bubbles(page).filter(has_text="You said: from the other")).to_have_count(1)
        expect(bubbles(other).filter(has_text="You: from one")).to_have_count(1)


if __name__ == "__main__":
    address, port, platform, services, key = sys.argv[1:]
    tests = [
        what_was_not_sent_says_so_until_it_is,
        the_answer_comes_when_the_network_is_back,
        people_of_one_browser_do_not_read_each_other,
        two_tabs_show_one_conversation,
    ]
    run(tests, [site(address, port, services), platform, key])
