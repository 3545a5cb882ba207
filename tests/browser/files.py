"""Files that visitors attach in the widget: python files.py <address of the channel web> <port of the allowed site> <address of the
stand-in> <address of the services, among them the bucket>"""

import base64
import contextlib
import json
import sys
import urllib.request

from browser import accessible, run, tab
from playwright.sync_api import expect
from widget import bubbles, opened, site, write

PIXEL = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")

# Gives the panel or the textarea an event with these files.
GIVE = """(node, [kind, files]) => {
  const given = new DataTransfer();
  for (const [name, type, text] of files) given.items.add(new File([text], name, { type }));
  const about = { bubbles: true, cancelable: true, composed: true };
  node.dispatchEvent(kind === 'paste' ? new ClipboardEvent(kind, { clipboardData: given, ...about }) : new DragEvent(kind, { dataTransfer: given, ...about }));
}"""

# A picture that does not compress: larger than models take.
NOISE = """async node => {
  const canvas = Object.assign(document.createElement('canvas'), { width: 2400, height: 1200 }), pen = canvas.getContext('2d');
  const image = pen.createImageData(2400, 1200);
  for (let at = 0; at < image.data.length; at += 65536) crypto.getRandomValues(image.data.subarray(at, Math.min(at + 65536, image.data.length)));
  for (let at = 3; at < image.data.length; at += 4) image.data[at] = 255;
  pen.putImageData(image, 0, 0);
  const blob = await new Promise(done => canvas.toBlob(done, 'image/png')), given = new DataTransfer();
  given.items.add(new File([blob], 'noise.png', { type: 'image/png' }));
  node.dispatchEvent(new DragEvent('drop', { dataTransfer: given, bubbles: true, cancelable: true }));
  return blob.size;
}"""


def questions(platform):
    with urllib.request.urlopen(f"{platform}/model/calls") as answer:
        return json.load(answer)


def asked(platform):
    """The newest question, as the model got it."""
    calls = questions(platform)
    return json.dumps((calls["calls"] if isinstance(calls, dict) else calls)[-1])


def panel(page):
    return page.locator("crabhook-chat .panel")


def chips(page):
    return page.get_by_role("list", name="Attached files").get_by_role("listitem")


@contextlib.contextmanager
def refusing(browser, url, **options):
    """A page whose console may say that something was refused or not reached: browsers say it of every such answer."""
    context = browser.new_context(**options)
    page = context.new_page()
    page.goto(url)
    yield page
    context.close()


def by_keyboard(browser, address, url, platform):
    with tab(browser, url, bypass_csp=True) as page:
        # Before anything else: Playwright misses a chooser that is opened while it still takes up catching them.
        page.once("filechooser", lambda chooser: chooser.set_files([
            {"name": "dot.png", "mimeType": "image/png", "buffer": PIXEL},
            {"name": "prices.csv", "mimeType": "text/csv", "buffer": b"thing,price\nlamp,4711"},
            {"name": "secret.txt", "mimeType": "text/plain", "buffer": b"not this"},
        ]))
        opened(page)
        page.keyboard.press("Shift+Tab")
        expect(page.get_by_role("button", name="Attach files")).to_be_focused()
        page.keyboard.press("Enter")
        expect(chips(page)).to_have_count(3)
        expect(page.get_by_role("status")).to_contain_text("Attached files: dot.png, prices.csv, secret.txt")
        expect(page.get_by_role("progressbar")).to_have_count(0)
        expect(page.get_by_label("Write a message")).to_be_focused()
        accessible(page, "with files")
        page.get_by_role("button", name="Remove secret.txt").focus()
        page.keyboard.press("Enter")
        expect(chips(page)).to_have_count(2)
        expect(page.get_by_label("Write a message")).to_be_focused()
        page.keyboard.type("What is this?")
        page.keyboard.press("Enter")
        expect(bubbles(page).nth(1)).to_contain_text("What is this?\n📎 dot.png\n📎 prices.csv")
        expect(chips(page)).to_have_count(0)
        expect(bubbles(page).nth(2)).to_contain_text("What is this?")
        question = asked(platform)
        assert base64.b64encode(PIXEL).decode() in question and "lamp,4711" in question and "not this" not in question, question[:2000]
        before = bubbles(page).all_text_contents()
        page.reload()
        expect(bubbles(page)).to_have_text(before)


def by_drop_and_by_paste(browser, address, url, platform):
    with tab(browser, url) as page:
        opened(page)
        panel(page).evaluate(GIVE, ["dragover", [["a.txt", "text/plain", "dropped words"]]])
        expect(panel(page)).to_have_class("panel over")
        panel(page).evaluate(GIVE, ["drop", [["a.txt", "text/plain", "dropped words"]]])
        expect(panel(page)).to_have_class("panel")
        page.get_by_label("Write a message").evaluate(GIVE, ["paste", [["b.md", "", "pasted words"]]])
        expect(chips(page)).to_have_count(2)
        page.get_by_role("button", name="Send").click()
        expect(bubbles(page).nth(2)).to_contain_text("pasted words")
        assert "dropped words" in asked(platform)


def what_cannot_be_taken_is_said(browser, address, url, platform):
    with refusing(browser, url) as page:
        opened(page)
        page.get_by_label("Write a message").fill("with a letter")
        panel(page).evaluate(GIVE, ["drop", [["letter.docx", "application/msword", "x"]]])
        expect(page.get_by_role("alert")).to_have_text("letter.docx: only pictures (PNG, JPEG, GIF, WebP), recordings, PDF and text")
        page.get_by_label("Write a message").evaluate(GIVE, ["paste", [["film.mp4", "video/mp4", "x"]]])
        expect(page.get_by_role("alert")).to_contain_text("film.mp4: only pictures")
        large = "node => { const given = new DataTransfer(); given.items.add(new File([new Uint8Array(20 * 2 ** 20 + 1)], 'book.pdf', { type: 'application/pdf' })); node.dispatchEvent(new DragEvent('drop', { dataTransfer: given, bubbles: true, cancelable: true })) }"
        panel(page).evaluate(large)
        expect(page.get_by_role("alert")).to_have_text("book.pdf: a file may have 20 MB")
        panel(page).evaluate(GIVE, ["drop", [[f"{n}.txt", "text/plain", "x"] for n in range(9)]])
        expect(page.get_by_role("alert")).to_have_text("8.txt: at most 8 files")
        expect(chips(page)).to_have_count(8)
        # What was refused is not in the message, what was written still is.
        expect(page.get_by_label("Write a message")).to_have_value("with a letter")


def a_large_picture_is_made_smaller(browser, address, url, platform):
    with tab(browser, url) as page:
        opened(page)
        assert panel(page).evaluate(NOISE) > 3_750_000
        write(page, "how large is it?")
        expect(bubbles(page).nth(2)).to_contain_text("how large is it?")
        question = asked(platform)
        assert "data:image/jpeg;base64," in question or "image/jpeg" in question, question[:500]


def a_file_that_did_not_arrive_is_not_left_out(browser, address, url, platform):
    with refusing(browser, url) as page:
        opened(page)
        held = []
        page.route("**/media/web/**", lambda route: held.append(route))
        with page.expect_request(lambda request: request.method == "PUT"):
            panel(page).evaluate(GIVE, ["drop", [["a.txt", "text/plain", "words"]]])
        write(page, "see the file")
        expect(page.get_by_role("status")).to_have_text("Sending the files…")
        held[0].abort()
        expect(page.get_by_role("alert")).to_contain_text("a.txt: ")
        expect(bubbles(page)).to_have_count(1)
        expect(page.get_by_label("Write a message")).to_have_value("see the file")


if __name__ == "__main__":
    address, port, platform, services, _ = sys.argv[1:]
    tests = [by_keyboard, by_drop_and_by_paste, what_cannot_be_taken_is_said, a_large_picture_is_made_smaller, a_file_that_did_not_arrive_is_not_left_out]
    run(tests, [address, site(address, port, services), platform])
