// The page: which chat is shown, and what the stand-in tells of it.
import { Chat, keyOf } from "/page/chat.js";
import { call, el } from "/page/nodes.js";
import { Trace } from "/page/trace.js";

const $ = (selector) => document.querySelector(selector);
const chats = new Map();
const trace = new Trace($("#path"));
let about = { run: null, channels: [] };
let current = null;
// What is older was read before, or never will be.
const loaded = Date.now();

const choose = (n) => {
  trace.choose(n);
  current?.mark(n);
};
const problem = (text) => ($("#problem").textContent = text);

function chatOf(chat) {
  const key = keyOf(chat);
  if (!chats.has(key)) chats.set(key, new Chat(chat, { choose: chosenBy, problem }));
  return chats.get(key);
}

// A person who chooses a message on a narrow screen wants to see its trace.
function chosenBy(n) {
  choose(n);
  if (matchMedia("(max-width: 60rem)").matches) view("trace");
}

// The address names the chat, so that a reload shows it again: #channel/user/group.
function place() {
  const [channel, user, conversation] = location.hash.slice(1).split("/").map(decodeURIComponent);
  const known = about.channels.some((one) => one.name === channel);
  return { channel: known ? channel : preferred(), user: user || "ana", conversation: conversation || null };
}

const preferred = () => (about.channels.find((one) => one.name === "telegram") ?? about.channels[0])?.name;

function go(chat) {
  const parts = [chat.channel, chat.user, chat.conversation].filter(Boolean).map(encodeURIComponent);
  location.hash = parts.join("/");
}

function show() {
  if (!about.channels.length) return;
  const chat = place();
  const room = about.channels.find((one) => one.name === chat.channel);
  if (!room.groups) chat.conversation = null;
  if (current) current.changed = () => {};
  current = chatOf(chat);
  current.unread = 0;
  $("#chat-title").textContent = room.title;
  $("#user").value = chat.user;
  $("#group").value = chat.conversation ?? "";
  $("#group-label").hidden = !room.groups;
  $("#widget").hidden = room.name !== "web";
  $("#log ol").replaceChildren(...current.nodes);
  if (!current.nodes.length) $("#log ol").append(el("li", { class: "empty" }, room.real ? `${room.title} has a real bot here: write to it there.` : "Nothing yet. Say hello, or try what is promised."));
  for (const control of document.querySelectorAll("#write button, #words, #promises button")) control.disabled = room.real;
  current.changed = drawn;
  drawn(null);
  choose(current.last);
  list();
  problem("");
}

// Something of the chat that is shown changed.
function drawn(node) {
  const log = $("#log");
  if (node?.tagName === "LI") {
    log.querySelector(".empty")?.remove();
    log.querySelector("ol").append(node);
  }
  $("#writing").hidden = !current.writing;
  if (node) log.scrollTop = log.scrollHeight;
}

function list() {
  const items = about.channels.map((room) => {
    const unread = [...chats.values()].filter((one) => one.chat.channel === room.name).reduce((sum, one) => sum + one.unread, 0);
    const { user } = place();
    const here = room.name === current?.chat.channel;
    const open = () => {
      go({ channel: room.name, user, conversation: null });
      view("chat");
    };
    const count = unread ? el("span", { class: "unread" }, String(unread), el("span", { class: "quiet" }, " new")) : null;
    return el("li", {}, el("button", { type: "button", "aria-current": here && "true", onclick: open }, room.title, count));
  });
  // Whoever uses a keyboard stays where they are.
  const focused = [...$("#channels ul").querySelectorAll("button")].indexOf(document.activeElement);
  $("#channels ul").replaceChildren(...items);
  if (focused >= 0) $("#channels ul").querySelectorAll("button")[focused]?.focus();
  const users = new Set([...chats.values()].map((one) => one.chat.user).concat("ana", "ben"));
  $("#users").replaceChildren(...[...users].map((user) => el("option", { value: user })));
}

function view(name) {
  document.body.dataset.view = name;
  for (const button of document.querySelectorAll(".views button")) button.setAttribute("aria-pressed", String(button.dataset.view === name));
}

async function told(event) {
  if (event.what === "open") {
    await learn();
    return;
  }
  if (event.what === "moved") {
    for (const n of event.deliveries) for (const chat of chats.values()) chat.moved({ n, how: event.how });
    if (event.deliveries.includes(trace.n)) trace.refresh();
    return;
  }
  const chat = chatOf(event.chat);
  if (event.what === "writing") chat.sign(true, event.html);
  else chat[event.what](event);
  if (chat !== current && event.what === "said" && event.at > loaded) {
    chat.unread += 1;
    list();
  }
  if (chat !== current) return;
  if (event.what === "sent") choose(event.n);
  else if (event.what !== "writing" && event.what !== "promise") trace.refresh();
}

// Another run than the one that this page was loaded from knows nothing of what stands here.
async function learn() {
  const found = await call("/page/about");
  if (about.run !== null && about.run !== found.run) return location.reload();
  // Nothing new: what somebody is typing stays.
  if (JSON.stringify(found) === JSON.stringify(about)) return;
  about = found;
  const model = found.model === "echo" ? "no model is set up: echo answers" : `${found.model} answers`;
  if (found.channels.length) $("#about").textContent = `The whole product on this machine, stack ${found.stack}; ${model}.`;
  show();
}

function listen() {
  const events = new EventSource("/page/events");
  events.onmessage = (event) => told(JSON.parse(event.data));
  events.onopen = () => {
    $("#state").textContent = "";
    if (about.run !== null) learn();
  };
  events.onerror = () => ($("#state").textContent = "The local run does not answer: is make run still there?");
}

$("#who").addEventListener("change", () => go({ channel: current.chat.channel, user: $("#user").value.trim() || "ana", conversation: $("#group").value.trim() || null }));
$("#who").addEventListener("submit", (event) => event.preventDefault());
$("#write").addEventListener("submit", async (event) => {
  event.preventDefault();
  const text = $("#words").value.trim();
  if (!text) return;
  $("#words").value = "";
  problem("");
  await call("/page/send", { chat: current.chat, text }).catch((error) => {
    problem(error.message);
    $("#words").value = text;
  });
});
$("#words").addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("#write").requestSubmit();
});
for (const button of document.querySelectorAll("[data-promise]")) {
  button.addEventListener("click", () => {
    problem("");
    call("/page/promise", { promise: button.dataset.promise, chat: current.chat }).catch((error) => problem(error.message));
  });
}
for (const button of document.querySelectorAll(".views button")) button.addEventListener("click", () => view(button.dataset.view));
addEventListener("hashchange", show);

await learn();
listen();
