// The path of one message, drawn anew whenever something happened to it.
import { call, clock, el, pretty } from "/page/nodes.js";

// What the steps of `crabhook trace` are called here.
const STEPS = { "put back": "waiting turn", "taken up": "taken from the queue" };

// The log's word for it.
const LATER = /^not posted: Later\(Some\((.+)\)\)$/;

// Sections that are open stay open from message to message.
const open = new Map([["Path", true]]);

export class Trace {
  constructor(into) {
    this.into = into;
    this.n = null;
    this.asking = false;
    this.again = false;
  }

  choose(n) {
    this.n = n;
    this.refresh();
  }

  // One question at a time; what happens meanwhile is asked for afterwards.
  async refresh() {
    if (this.n === null) return;
    if (this.asking) {
      this.again = true;
      return;
    }
    this.asking = true;
    const n = this.n;
    try {
      const trace = await call(`/page/trace?n=${n}`);
      if (n === this.n) this.into.replaceChildren(...draw(trace));
    } catch (error) {
      this.into.replaceChildren(el("p", { class: "empty" }, error.message));
    }
    this.asking = false;
    if (this.again || n !== this.n) {
      this.again = false;
      this.refresh();
    }
  }
}

function section(title, note, ...children) {
  const heading = el("summary", {}, el("span", {}, title), note ? el("span", { class: "note" }, note) : null);
  const details = el("details", { "data-section": title, open: open.get(title) }, heading, ...children);
  details.addEventListener("toggle", () => open.set(title, details.open));
  return details;
}

const code = (text, label) => el("pre", { tabindex: "0", role: "region", "aria-label": label }, el("code", {}, text));
const facts = (pairs) =>
  el("dl", {}, ...pairs.filter(([, value]) => value !== undefined && value !== "").flatMap(([name, value]) => [el("dt", {}, name), el("dd", {}, String(value))]));

function draw(trace) {
  const { delivery, path, given, calls, asked } = trace;
  const words = delivery.text || "a button";
  return [
    el("p", { class: "chosen" }, words.length > 120 ? `${words.slice(0, 120)}…` : words),
    steps(trace),
    request(delivery),
    ack(delivery),
    queue(delivery, given, path),
    ...(asked && asked.model ? [prompt(asked)] : []),
    posts(calls),
    ...(path ? [cost(path, asked)] : []),
  ];
}

function steps({ delivery, path, given, calls }) {
  const all = [{ at: delivery.at, what: "sent", detail: delivery.pressed ? "a button was pressed" : "signed as the platform signs" }];
  // A turn that is posted by a second invocation is told of by both.
  const once = (step, at, steps) => step.what !== "answered" || steps.findIndex((other) => other.what === "answered" && other.detail === step.detail) === at;
  for (const step of (path?.steps ?? []).filter(once)) {
    const detail = step.detail.replace(LATER, "not posted: the platform wants to be left alone for $1");
    all.push({ ...step, what: STEPS[step.what] ?? step.what, detail });
  }
  for (const one of given) {
    if (one.over_at && !one.whole) all.push({ at: one.over_at, what: "process died", detail: `process ${one.pid}` });
    // Until its invocation is over, the log says nothing of it.
    if (!all.some((step) => step.what === STEPS["taken up"] && Math.abs(step.at - one.at) < 500)) {
      all.push({ at: one.at, what: STEPS["taken up"], detail: one.receives > 1 ? `given out for the ${one.receives}. time` : "" });
    }
  }
  for (const one of calls.filter((one) => one.status === 429)) all.push({ at: one.at, what: "refused", detail: "the platform answered 429" });
  all.sort((a, b) => a.at - b.at);
  const posted = all.filter((step) => step.what === "posted").at(-1);
  const items = all.map((step) =>
    el("li", {}, el("span", { class: "what" }, step.what), el("span", { class: "when" }, `+${step.at - delivery.at} ms`), step.detail ? el("span", { class: "detail" }, step.detail) : null),
  );
  return section("Path", posted ? `${posted.at - delivery.at} ms` : "", el("ol", { class: "steps" }, ...items));
}

function request({ request, forged }) {
  const headers = request.headers.map(([name, value]) => `${name}: ${value}`).join("\n");
  const text = `${request.method} ${request.url}\n${headers}\n\n${pretty(request.body)}`;
  return section("Signed request", forged ? "forged" : "", forged ? el("p", {}, `${forged} was changed after signing.`) : null, code(text, "The request as it was sent"));
}

function ack({ ack }) {
  if (!ack) return section("Acknowledgement", "not yet", el("p", {}, "The webhook has not answered yet."));
  const body = ack.body ? code(pretty(ack.body), "The webhook's answer") : el("p", {}, "No body.");
  return section("Acknowledgement", `${ack.status} in ${ack.ms} ms`, el("p", {}, ack.taken ? "The message will be answered." : "The message was not taken."), body);
}

function queue(delivery, given, path) {
  if (!given.length) return section("Queue", "nothing", el("p", {}, "No message of it has come out of the queue."));
  const rows = given.map((one) =>
    el("tr", {}, el("td", {}, clock(one.at)), el("td", {}, one.receives), el("td", {}, one.pid || "?"), el("td", {}, ended(one))),
  );
  const head = el("tr", {}, ...["at", "time", "process", "ended"].map((name) => el("th", { scope: "col" }, name)));
  const places = facts([["message", delivery.message], ["conversation", delivery.conversation_key], ["trace", path?.trace]]);
  return section("Queue", given.length === 1 ? "given out once" : `given out ${given.length} times`, places, el("table", {}, el("thead", {}, head), el("tbody", {}, ...rows)));
}

function ended({ over_at, whole, outcome }) {
  if (!over_at) return "under way";
  if (!whole) return "died";
  const back = /^Returned\((\d+)\)$/.exec(outcome ?? "");
  return back ? `put back for ${back[1]} s` : "done with";
}

function prompt(asked) {
  const said = asked.lines.map((line) => el("li", { class: line.by_assistant ? "by-assistant" : "by-person" }, el("span", { class: "role" }, line.by_assistant ? "assistant" : "user"), line.text));
  const tokens = asked.input + asked.output > 0 ? `${asked.input} in, ${asked.output} out` : "";
  return section(
    "Prompt and tokens", tokens,
    facts([
      ["model", asked.model], ["tokens", tokens || "the model counts none"],
      ["may call", asked.tools.join(", ")], ["called", asked.called.join(", ")], ["came along", asked.files.join(", ")],
    ]),
    el("ol", { class: "prompt" }, el("li", {}, el("span", { class: "role" }, "system"), asked.system), ...said, el("li", { class: "by-assistant" }, el("span", { class: "role" }, "answer"), asked.answer)),
  );
}

function posts(calls) {
  const drawn = calls.map((one) => {
    const body = one.body === "" ? null : code(pretty(one.body), `Body of the call ${one.path}`);
    return el("li", {}, el("p", {}, el("code", {}, `${one.method} ${one.path}`), ` ${one.status || "closed"}`), body);
  });
  const note = calls.length === 1 ? "1 call" : `${calls.length} calls`;
  return section("Calls to the platform", note, calls.length ? el("ol", { class: "calls" }, ...drawn) : el("p", {}, "None."));
}

function cost({ used }, asked) {
  const usd = (amount) => `$${amount.toFixed(6)}`;
  const model = !asked ? "no model was asked" : asked.usd > 0 ? usd(asked.usd) : "not known: prices in the configuration names none";
  return section(
    "Cost", usd(used.usd + (asked?.usd ?? 0)),
    el("p", {}, "What it would cost: on AWS, estimated from what was used, and the model's part by the prices in the configuration."),
    facts([["AWS", usd(used.usd)], ["model", model], ["read units", used.read_units], ["write units", used.write_units], ["queue requests", used.queue_requests], ["invocations", used.invocations]]),
  );
}
