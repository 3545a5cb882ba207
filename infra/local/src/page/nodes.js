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
// A heading within a message is none of this page's.
const HEADING = /^H[1-6]$/;

// The text of a message with its marks. The parser runs no script and loads nothing.
export function marked(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  const into = document.createDocumentFragment();
  copy(parsed.body, into, false);
  return into;
}

function copy(from, into, code) {
  for (const child of from.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) {
      const text = code ? child.data : flowing(child);
      if (text) into.append(text);
    } else if (child.nodeType === Node.ELEMENT_NODE) {
      const target = kept(child);
      copy(child, target ?? into, code || child.tagName === "PRE");
      if (target) into.append(target);
    }
  }
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
  return el("a", { href, target: "_blank", rel: "noreferrer noopener" });
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
