// One chat: what was written in it, what the platform shows of the replies, and the promises tried in it.
import { call, clock, el, marked } from "/page/nodes.js";

// A platform's sign that an answer is being written goes away by itself.
const SIGN_MS = 8000;

const PROMISES = {
  twice: "Send twice",
  five: "Five quick ones",
  kill: "Stop the invoker now",
  busy: "Platform says 429",
  forged: "Forge the signature",
};

export const keyOf = (chat) => JSON.stringify([chat.channel, chat.user, chat.conversation ?? null]);

export class Chat {
  // `choose(n)` is told which message is to be traced; `problem(text)` what went wrong.
  constructor(chat, { choose, problem }) {
    Object.assign(this, { chat, choose, problem, last: null, writing: false, draft: null, unread: 0 });
    this.nodes = [];
    this.own = new Map();
    this.replies = new Map();
    this.shown = new Map();
    this.changed = () => {};
  }

  add(node) {
    this.nodes.push(node);
    this.changed(node);
  }

  toEnd(node) {
    this.nodes.splice(this.nodes.indexOf(node), 1);
    this.add(node);
  }

  sent({ n, text, at, pressed, forged }) {
    const state = el("span", { class: "how" }, "sent");
    const words = text ? el("span", { class: "text" }, text) : el("em", {}, "a button was pressed");
    const about = forged ? `forged: ${forged} was changed` : pressed ? "button" : null;
    const bubble = el(
      "button",
      { type: "button", class: "bubble", "aria-pressed": "false", onclick: () => this.choose(n) },
      el("span", { class: "quiet" }, `${this.chat.user} wrote: `), words, el("span", { class: "quiet" }, ". "),
      el("span", { class: "meta" }, clock(at), about ? ` · ${about}` : "", " · ", state),
    );
    this.own.set(n, { bubble, state });
    this.last = n;
    this.add(el("li", { class: "own", "data-n": n }, bubble));
  }

  acked({ n, ack, writing }) {
    const own = this.own.get(n);
    if (!own) return;
    const taken = ack.status === 0 ? "no answer" : `${ack.status} in ${ack.ms} ms`;
    own.ack = ack.taken ? `taken, ${taken}` : `not taken, ${taken}`;
    if (!own.how) own.state.textContent = own.ack;
    if (writing) this.sign(true);
  }

  moved({ n, how }) {
    const own = this.own.get(n);
    if (!own || !how) return;
    own.how = how;
    own.state.textContent = how === "done" ? own.ack ?? how : `${own.ack ?? "sent"} · ${how}`;
  }

  said({ id, html, buttons, at }) {
    this.sign(false);
    const known = this.replies.get(id);
    const body = el("div", { class: "text" }, marked(html));
    const row = el("div", { class: "choices" }, ...buttons.map((button) => this.button(button, id)));
    const meta = el("span", { class: "meta" }, clock(at), known ? " · edited" : "");
    const parts = [el("span", { class: "quiet" }, "The assistant: "), body, ...(buttons.length ? [row] : []), meta];
    if (known) {
      known.replaceChildren(...parts);
      this.changed(known);
      return;
    }
    const bubble = el("div", { class: "bubble" }, ...parts);
    this.replies.set(id, bubble);
    this.add(el("li", { class: "reply" }, bubble));
  }

  // Pressing goes the platform's way. A button with a form is pressed first, then its form is sent.
  button(button, under) {
    const press = (text, form) =>
      call("/page/press", { chat: this.chat, text, under, form }).catch((error) => this.problem(error.message));
    const pressed = async (event) => {
      await press(button.form ? "" : button.says, false);
      if (button.form) this.form(event.target, (text) => press(text, true));
    };
    return el("button", { type: "button", class: "choice", onclick: pressed }, button.label);
  }

  form(button, press) {
    const input = el("input", { required: true, "aria-label": `${button.textContent}: your message`, maxlength: 4000 });
    const form = el("form", { class: "inline" }, input, el("button", { type: "submit" }, "Send the form"));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      form.replaceWith(button);
      press(input.value);
    });
    button.replaceWith(form);
    input.focus();
  }

  // `html` is what is written so far, where the platform shows that: it grows, and goes away with the sign.
  sign(on, html = null) {
    this.writing = on;
    clearTimeout(this.timer);
    if (on) this.timer = setTimeout(() => this.sign(false), SIGN_MS);
    if (!on && this.draft) {
      this.nodes.splice(this.nodes.indexOf(this.draft), 1);
      this.draft.remove();
      this.draft = null;
    }
    if (html && !this.draft) {
      this.draft = el("li", { class: "draft", inert: true }, el("div", { class: "bubble" }));
      this.add(this.draft);
    }
    if (html) this.draft.firstChild.replaceChildren(el("div", { class: "text" }, marked(html)));
    this.changed(null);
  }

  promise({ n, promise, stage, verdict, settled, problem }) {
    let box = this.shown.get(n);
    if (!box) {
      box = el("div", { class: "promise", role: "group", "aria-label": PROMISES[promise], "data-promise": promise });
      this.shown.set(n, box);
      this.add(el("li", { class: "shown" }, box));
    }
    // What happened is said after it.
    if (verdict && !box.dataset.held) this.toEnd(box.parentNode);
    const title = el("p", { class: "title" }, PROMISES[promise]);
    if (problem) box.replaceChildren(title, el("p", {}, problem));
    else if (!verdict) box.replaceChildren(title, el("p", {}, `Under way: ${stage}.`));
    else {
      const held = verdict.held === null ? "Nothing shown" : verdict.held ? "Held" : "Did not hold";
      box.dataset.held = verdict.held;
      box.dataset.settled = settled;
      box.replaceChildren(
        el("p", { class: "title" }, el("span", { class: "held" }, held), ` ${PROMISES[promise]}`),
        el("p", {}, el("strong", {}, "Expected: "), verdict.expected),
        el("p", {}, el("strong", {}, "Happened: "), verdict.happened),
      );
    }
    if (problem) box.dataset.held = "problem";
    this.changed(box);
  }

  mark(n) {
    for (const [own, { bubble }] of this.own) bubble.setAttribute("aria-pressed", String(own === n));
  }
}
