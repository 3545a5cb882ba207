"""The local page in a browser: python page.py <address of the page>"""

import contextlib
import json
import re
import sys
import urllib.request

from browser import accessible, run, tab
from playwright.sync_api import expect

PROMISES = ["forged", "twice", "five", "busy"]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}


def about(url):
    with urllib.request.urlopen(f"{url}page/about") as answer:
        return json.load(answer)


@contextlib.contextmanager
def chat_page(browser, url, **options):
    """The page once it shows its chat: what is typed earlier is lost."""
    with tab(browser, url, **options) as page:
        expect(page.locator("#log li").first).to_be_visible()
        yield page


def tell(url, path, what):
    request = urllib.request.Request(f"{url}{path}", json.dumps(what).encode(), {"content-type": "application/json"})
    urllib.request.urlopen(request).close()


def write(page, text):
    page.get_by_label("Message", exact=True).fill(text)
    page.get_by_role("button", name="Send", exact=True).click()


def replies(page):
    return page.locator("#log .reply")


def there(page, chat):
    """Shows a chat as its address does."""
    page.evaluate("chat => { location.hash = chat }", chat)
    expect(page.locator("#user")).to_have_value(chat.split("/")[1])


def a_chat_on_each_of_the_channels(browser, url):
    with chat_page(browser, url) as page:
        rooms = about(url)["channels"]
        assert len(rooms) > 15, rooms
        for room in rooms:
            page.get_by_role("navigation").get_by_role("button", name=room["title"], exact=True).click()
            expect(page.get_by_role("heading", name=room["title"], exact=True)).to_be_visible()
            write(page, f"hello {room['name']}")
            expect(replies(page)).to_have_count(1)
            expect(replies(page).locator(".text")).to_have_text(f"You said: hello {room['name']}")
            # The trace follows: every step, and the request with a proof.
            steps = page.locator(".steps .what")
            expect(steps.filter(has_text="posted")).to_have_count(1)
            names = steps.all_text_contents()
            for step in ["sent", "received", "queued", "taken from the queue", "kept", "asked", "stored", "posted"]:
                assert step in names, f"{room['name']}: no step {step} in {names}"
            expect(page.locator("[data-section='Acknowledgement'] summary .note")).to_contain_text("20")
            expect(page.locator("[data-section='Cost'] summary .note")).to_contain_text("$0.0000")


def replies_look_as_on_their_platform(browser, url):
    with chat_page(browser, f"{url}#telegram/marks") as page:
        for channel in ["telegram", "slack", "discord", "whatsapp", "googlechat", "matrix", "teams"]:
            tell(url, "model/answers", {"answers": ["This is **bold**, this is `code`, <b onclick=x>not</b>.\n\n```\nlet a < b;\n```"]})
            there(page, f"{channel}/marks")
            write(page, "show me")
            reply = replies(page)
            expect(reply).to_have_count(1)
            expect(reply.locator("strong, b")).to_have_text("bold")
            expect(reply.locator("code").first).to_have_text("code")
            expect(reply).to_contain_text("let a < b;")
            expect(reply).to_contain_text("<b onclick=x>not</b>")
            assert reply.locator("[onclick]").count() == 0, f"{channel}: a stranger's attribute"


def a_group_is_a_chat_of_its_own(browser, url):
    with chat_page(browser, f"{url}#slack/ana") as page:
        page.locator("#group").fill("team")
        page.locator("#group").press("Enter")
        expect(page.locator("#log .empty")).to_be_visible()
        write(page, "hello team")
        expect(replies(page).locator(".text")).to_contain_text("hello team")
        page.reload()
        expect(page.locator("#group")).to_have_value("team")
        expect(replies(page).locator(".text")).to_contain_text("hello team")


def buttons_work(browser, url):
    """Discord's button opens a form; what is written there comes back as the platform sends it."""
    with chat_page(browser, f"{url}#discord/presser") as page:
        write(page, "press me")
        reply = replies(page).first
        reply.get_by_role("button", name="Reply").click()
        form = reply.get_by_role("textbox")
        form.fill("by the form")
        reply.get_by_role("button", name="Send the form").click()
        expect(replies(page)).to_have_count(2)
        expect(replies(page).last.locator(".text")).to_have_text("You said: by the form")


def a_question_is_answered_by_its_buttons(browser, url):
    """As each platform draws them; what the button says comes back the platform's way."""
    with chat_page(browser, url) as page:
        for name in ["telegram", "slack", "whatsapp", "web"]:
            asks = {"calls": [{"name": "mail", "arguments": {"to": "ben"}}]}
            tell(url, "model/answers", {"answers": [asks, "As you like: https://example.com/why"]})
            there(page, f"{name}/asked")
            write(page, "mail ben")
            question = replies(page).first
            expect(question.locator(".text")).to_contain_text("Shall I do this?")
            question.get_by_role("button", name="No", exact=True).click()
            expect(replies(page)).to_have_count(2)
            answer = replies(page).last.locator(".text")
            expect(answer).to_have_text("As you like: https://example.com/why")
            expect(answer.get_by_role("link")).to_have_attribute("href", "https://example.com/why")


def an_answer_that_grows_stays_one_message(browser, url):
    """As the invoker does it while a model writes: a message, then edits of it."""
    with chat_page(browser, f"{url}#telegram/stream") as page:
        write(page, "grow")
        expect(replies(page)).to_have_count(1)
        page.locator("[data-section='Calls to the platform'] summary").click()
        body = page.locator(".calls li").filter(has_text="sendMessage").locator("pre").inner_text()
        sent = json.loads(body)
        for text in ["It", "It grows <b>and</b>", "It grows and is done"]:
            # The id that the stand-in gave it is in what the page drew of it.
            edit = {"chat_id": sent["chat_id"], "message_id": 7, "text": text, "parse_mode": "HTML"}
            tell(url, "telegram/api/botlocal/editMessageText", edit)
            expect(replies(page).last.locator(".text")).to_have_text(text.replace("<b>", "").replace("</b>", ""))
        expect(replies(page)).to_have_count(2)
        expect(replies(page).last).to_contain_text("edited")
        tell(url, "telegram/api/botlocal/sendChatAction", {"chat_id": sent["chat_id"], "action": "typing"})
        expect(page.get_by_text("The assistant is writing")).to_be_visible()


def an_answer_is_seen_while_the_model_writes(browser, url):
    """Where the platform shows that, by a draft of its own or by edits: the beginning first, and in the end one message."""
    with chat_page(browser, url) as page:
        for name in ["telegram", "slack", "discord", "web"]:
            tell(url, "model/answers", {"answers": ["The first words of it, **and ⏸the** rest."]})
            there(page, f"{name}/grows")
            write(page, "go on")
            beginning = page.locator("#log .text").filter(has_text="The first words of it")
            expect(beginning).to_have_count(1)
            expect(beginning.locator("strong, b")).to_have_text("and")
            tell(url, "model/go", {"pauses": 1})
            expect(replies(page).last.locator(".text")).to_have_text("The first words of it, and the rest.")
            expect(page.locator("#log .draft")).to_have_count(0)
            expect(replies(page)).to_have_count(1)


def the_prompt_is_what_the_model_got(browser, url):
    with chat_page(browser, f"{url}#telegram/prompted") as page:
        for text in ["first", "second"]:
            write(page, text)
            expect(replies(page).last.locator(".text")).to_have_text(f"You said: {text}")
        page.locator("[data-section='Prompt and tokens'] summary").click()
        lines = page.locator(".prompt li")
        expect(lines).to_have_count(5)
        with urllib.request.urlopen(f"{url}model/calls") as answer:
            asked = json.load(answer)["calls"][-1]["messages"]
        shown = [line.evaluate("line => line.lastChild.textContent") for line in lines.all()][:-1]
        assert shown == [message["content"] for message in asked], (shown, asked)
        assert shown[0] == "You help prompted on Telegram.", shown
        expect(page.locator("[data-section='Prompt and tokens']")).to_contain_text("may callmail")
        # By the prices of the configuration.
        expect(page.locator("[data-section='Cost'] dd").nth(1)).to_have_text(re.compile(r"^\$0\.0000[1-9]"))


def a_page_has_the_widget(browser, url):
    with chat_page(browser, f"{url}#web/ana") as page:
        page.get_by_role("link", name="The widget itself").click()
        widget = page.locator("crabhook-chat")
        widget.get_by_role("button").first.click()
        widget.get_by_role("textbox").fill("hello widget")
        widget.get_by_role("textbox").press("Enter")
        expect(widget.get_by_text("You said: hello widget")).to_be_visible()


def each_promise_holds_on_each_channel(browser, url):
    with chat_page(browser, url) as page:
        names = [room["name"] for room in about(url)["channels"]]
        page.locator("#promises summary").click()
        for promise in PROMISES:
            for name in names:
                there(page, f"{name}/{promise}")
                page.locator(f"#promises [data-promise={promise}]").click()
                expect(page.locator(f".promise[data-promise={promise}]")).to_be_visible()
            for name in names:
                there(page, f"{name}/{promise}")
                holds(page, promise, name)


def holds(page, promise, name):
    box = page.locator(f".promise[data-promise={promise}]")
    expect(box).to_have_attribute("data-held", "true")
    text = box.inner_text()
    assert "Expected: " in text and "Happened: " in text, f"{name}: {text}"
    print(f"  {promise} {name}: {text.splitlines()[-1]}", flush=True)


def a_killed_invoker_loses_nothing(browser, url):
    with chat_page(browser, url) as page:
        page.locator("#promises summary").click()
        chats = ["telegram/killed", "webhook/killed", "discord/killed"]
        for chat in chats:
            there(page, chat)
            page.locator("#promises [data-promise=kill]").click()
            expect(page.locator(".promise")).to_contain_text("is killed")
        for chat in chats:
            there(page, chat)
            holds(page, "kill", chat)
            # The kill may have come too late for a first message.
            expect(replies(page)).to_have_count(page.locator(".own").count())
            expect(page.locator(".steps .what").filter(has_text="process died")).to_have_count(1)


def it_fits_a_phone(browser, url):
    with chat_page(browser, f"{url}#line/phone", **PHONE) as page:
        write(page, "from a small screen")
        expect(replies(page)).to_have_count(1)
        accessible(page, "the chat on a phone")
        page.locator(".own .bubble").tap()
        expect(page.get_by_role("heading", name="What happened to it")).to_be_visible()
        expect(page.locator(".steps .what").filter(has_text="posted")).to_be_visible()
        accessible(page, "the trace on a phone")
        page.get_by_role("button", name="Channels", exact=True).tap()
        page.get_by_role("navigation").get_by_role("button", name=re.compile("^Slack")).tap()
        expect(page.get_by_role("heading", name="Slack")).to_be_visible()
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390, f"{wide} pixels wide"


def everybody_can_use_it(browser, url):
    for scheme in ["light", "dark"]:
        with chat_page(browser, f"{url}#telegram/axe-{scheme}", color_scheme=scheme) as page:
            tell(url, "model/answers", {"answers": ["# Look\n\n**bold** `code` [link](https://example.com)\n\n- one\n- two"]})
            accessible(page, f"{scheme}, empty")
            # By keyboard alone.
            page.locator("#words").focus()
            page.keyboard.type("no mouse")
            page.keyboard.press("Enter")
            expect(replies(page)).to_have_count(1)
            page.locator("#promises summary").focus()
            page.keyboard.press("Enter")
            page.locator("#promises [data-promise=forged]").focus()
            page.keyboard.press("Enter")
            expect(page.locator(".promise")).to_have_attribute("data-held", "true")
            # All of what happened to the message that was answered.
            page.locator(".own .bubble").first.click()
            expect(page.locator("#path [data-section='Prompt and tokens']")).to_be_visible()
            sections = page.locator("#path details")
            for name in sections.evaluate_all("all => all.map(one => one.dataset.section)"):
                if name != "Path":
                    page.locator(f"#path [data-section='{name}'] > summary").click()
            expect(page.locator("#path details:not([open])")).to_have_count(0)
            accessible(page, scheme)
            ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
            light = sum(int(part) for part in ground.removeprefix("rgb(").removesuffix(")").split(",")) > 382
            assert light == (scheme == "light"), f"{scheme}: {ground}"


TESTS = [
    a_chat_on_each_of_the_channels,
    replies_look_as_on_their_platform,
    a_group_is_a_chat_of_its_own,
    buttons_work,
    a_question_is_answered_by_its_buttons,
    an_answer_that_grows_stays_one_message,
    an_answer_is_seen_while_the_model_writes,
    the_prompt_is_what_the_model_got,
    a_page_has_the_widget,
    it_fits_a_phone,
    everybody_can_use_it,
    # Before the cloud is busy with what the others leave in the queue for a minute.
    a_killed_invoker_loses_nothing,
    each_promise_holds_on_each_channel,
]

if __name__ == "__main__":
    run(TESTS, sys.argv[1:])
