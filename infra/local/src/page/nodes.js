// Makes nodes. Texts of strangers become text nodes; a platform's markup becomes elements of the few kinds below, and
// nothing of it is ever given to the browser as HTML of this document.

export function el(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "class") node.className = value;
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const KEPT = new Set([
  "A", "B", "BLOCKQUOTE", "BR", "CODE", "DEL", "EM", "HR", "I", "LI", "OL", "P", "PRE", "S", "STRONG", "TABLE", "TBODY", "TD",
  "TH", "THEAD", "TR", "U", "UL",
]);
const BLOCKS = new Set(["BLOCKQUOTE", "HR", "LI", "OL", "P", "PRE", "TABLE", "TBODY", "TD", "TH", "THEAD", "TR", "UL"]);
// No links are made in there.
const VERBATIM = new Set(["A", "CODE", "PRE"]);
// Without what ends a sentence.
const ADDRESS = /https?:\/\/[^\s<>"]*[^\s<>".,;:!?'()[\]]/gi;
// A heading within a message is none of this page's.
const HEADING = /^H[1-6]$/;

// The text of a message with its marks. The parser runs no script and loads nothing.
export function marked(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const into = document.createDocumentFragment();
  copy(parsed.body, into, false, false);
  return into;
}

function copy(from, into, pre, verbatim) {
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) {
      const text = pre ? child.data : flowing(child);
      if (text) into.append(...(verbatim ? [text] : linked(text)));
    } else if (child.nodeType === Node.ELEMENT_NODE) {
      const target = kept(child);
      copy(child, target ?? into, pre || child.tagName === "PRE", verbatim || VERBATIM.has(child.tagName));
      if (target) into.append(target);
    }
  }
}

// Every messenger makes links of bare addresses.
function linked(text) {
  const parts = [];
  let end = 0;
  for (const { 0: address, index } of text.matchAll(ADDRESS)) {
    parts.push(text.slice(end, index), link(address, address));
    end = index + address.length;
  }
  return [...parts, text.slice(end)].filter(Boolean);
}

function link(href, ...children) {
  return el("a", { href, target: "_blank", rel: "noreferrer noopener" }, ...children);
}

// Line ends show, as in every messenger, except those that only part elements.
function flowing(node) {
  const beside = [node.previousSibling, node.nextSibling];
  const between = BLOCKS.has(node.parentNode.tagName) || beside.some((one) => one && (BLOCKS.has(one.tagName) || HEADING.test(one.tagName)));
  if (!node.data.trim() && between) return "";
  return node.previousSibling?.tagName === "BR" ? node.data.replace(/^\n/, "") : node.data;
}

function kept(element) {
  if (HEADING.test(element.tagName)) return el("p", { class: "heading" });
  if (!KEPT.has(element.tagName)) return null;
  if (element.tagName !== "A") return document.createElement(element.tagName);
  const href = element.getAttribute("href") ?? "";
  if (!/^(https?:\/\/|mailto:)/i.test(href)) return null;
  return link(href);
}

// A body as it reads best: JSON and forms taken apart.
export function pretty(body) {
  if (typeof body !== "string") return JSON.stringify(body, null, 2);
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    const isForm = /^[\w.%+-]+=[^\s&]*(&[\w.%+-]+=[^\s&]*)*$/.test(body);
    return isForm ? [...new URLSearchParams(body)].map(([name, value]) => `${name} = ${value}`).join("\n") : body;
  }
}

export function clock(ms) {
  return new Date(ms).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit" });
}

export async function call(path, body) {
  const answer = await fetch(path, body && { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}
