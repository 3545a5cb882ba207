// The chat of crabhook for a web page: <script src="https://…/main/widget.js" async></script>
// Settings are attributes of the script: data-title, data-greeting, data-placeholder, data-send, data-open, data-close,
// data-you, data-writing, data-failed, data-late, data-again, data-position (left), data-theme (light, dark), data-identity
// (a token of your server's). Colours and sizes are custom properties of the element <crabhook-chat>: --crabhook-accent,
// --crabhook-on-accent, --crabhook-surface, --crabhook-text, --crabhook-muted, --crabhook-font, --crabhook-radius.
(() => {
  'use strict';
  const script = document.currentScript, data = script.dataset, base = new URL('.', script.src).href;
  const words = (name, otherwise) => data[name] || otherwise;
  const shelf = 'crabhook ' + base;
  const LATE = 300e3, KEPT = 100;
  let kept = {};
  try { kept = JSON.parse(localStorage.getItem(shelf)) || {}; } catch { /* private mode: nothing is kept */ }
  const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), b => b.toString(16).padStart(2, '0')).join('');
  kept.visitor ||= random();
  kept.mine ||= [];
  const keep = () => {
    kept.mine = kept.mine.slice(-KEPT);
    try { localStorage.setItem(shelf, JSON.stringify(kept)); } catch { /* as above */ }
  };

  const make = (tag, props, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(props || {})) {
      if (name in made && name !== 'role') made[name] = value; else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  };

  // Of CommonMark what assistants use. Nothing becomes HTML: nodes are built, and addresses are http, https or mail.
  const INLINE = /`([^`]+)`|\*\*(.+?)\*\*|\[([^\]]+)\]\(<?([^\s)>]+)>?\)|\*([^*\s][^*]*)\*|(https?:\/\/[^\s<>)\]]+)|\\([!-/:-@[-`{-~])/;
  const link = (text, url) => /^(https?:|mailto:)/i.test(url)
    ? make('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, ...(text ? inline(text) : [url])) : text;
  function inline(text) {
    const nodes = [];
    for (let found; (found = INLINE.exec(text));) {
      const [whole, code, strong, label, url, weak, bare, literal] = found;
      nodes.push(text.slice(0, found.index));
      nodes.push(code ? make('code', {}, code) : strong ? make('strong', {}, ...inline(strong)) : label ? link(label, url)
        : weak ? make('em', {}, ...inline(weak)) : bare ? link('', bare) : literal);
      text = text.slice(found.index + whole.length);
    }
    return [...nodes, text].filter(node => node !== '');
  }
  const lines = text => text.split('\n').flatMap((line, n) => n ? [make('br'), ...inline(line)] : inline(line));
  function blocks(text) {
    const out = [];
    let list, kind;
    text.split(/(^```[^\n]*\n[\s\S]*?^```[^\n]*$)/m).forEach((piece, n) => {
      if (n % 2) return out.push(make('pre', { tabIndex: 0 }, make('code', {}, piece.replace(/^```.*\n|\n?```.*$/g, ''))));
      piece.split(/\n{2,}/).forEach(paragraph => {
        let rest = [];
        const flush = () => { if (rest.join('').trim()) out.push(make('p', {}, ...lines(rest.join('\n').trim()))); rest = []; };
        paragraph.split('\n').forEach(line => {
          const item = /^\s*(?:([-*+])|\d+[.)])\s+(.*)/.exec(line), head = /^#{1,6}\s+(.*)/.exec(line);
          if (item) {
            flush();
            if (kind !== !!item[1] || !list) out.push(list = make(item[1] ? 'ul' : 'ol'));
            kind = !!item[1];
            return list.append(make('li', {}, ...inline(item[2])));
          }
          if (head) { flush(); list = 0; return out.push(make('p', {}, make('strong', {}, ...inline(head[1])))); }
          if (line.trim()) list = 0;
          rest.push(line.replace(/^>\s?/, ''));
        });
        flush();
      });
      list = 0;
    });
    return out;
  }

  const CSS = `:host{all:initial!important;color-scheme:light dark!important;--a:var(--crabhook-accent,light-dark(#1f5fbf,#8ab4f8));--o:var(--crabhook-on-accent,light-dark(#fff,#10141a));--s:var(--crabhook-surface,light-dark(#fff,#1b2027));--t:var(--crabhook-text,light-dark(#1c2128,#e8ecf1));--m:var(--crabhook-muted,light-dark(#eef1f5,#2a313b));--r:var(--crabhook-radius,12px);position:fixed!important;z-index:2147483000!important;inset:auto 16px 16px auto!important}
:host([data-position=left]){inset:auto auto 16px 16px!important}:host([data-theme=light]){color-scheme:light!important}:host([data-theme=dark]){color-scheme:dark!important}
*{box-sizing:border-box}button,textarea{font:inherit;color:inherit}[hidden]{display:none!important}:focus-visible{outline:3px solid var(--a);outline-offset:2px}button{cursor:pointer}
.panel,.fab{font:16px/1.45 var(--crabhook-font,system-ui,sans-serif);color:var(--t)}.fab,.send,header,.me{background:var(--a);color:var(--o);border:0}.fab{display:block;margin-inline-start:auto;width:56px;height:56px;border-radius:50%;font-size:24px;color:var(--o)}
.panel{display:flex;flex-direction:column;width:min(380px,100vw - 32px);height:min(560px,100vh - 104px);margin-bottom:12px;background:var(--s);border:1px solid #888;border-radius:var(--r);overflow:hidden;box-shadow:0 8px 32px #0004}
header{display:flex;align-items:center;padding:8px 14px}h2{flex:1;margin:0;font-size:16px}header button{background:0;border:0;font-size:20px;min-width:32px}header :focus-visible{outline-color:var(--o)}
.log{flex:1;overflow-y:auto;padding:14px;display:flex;flex-direction:column;gap:10px}.b{max-width:88%;padding:8px 12px;border-radius:var(--r);background:var(--m);overflow-wrap:anywhere}.b.me{align-self:flex-end;background:var(--a);white-space:pre-wrap}
.b>:first-child{margin-top:0}.b>:last-child{margin-bottom:0}p,ul,ol,pre{margin:.5em 0}ul,ol{padding-inline-start:1.4em}a{color:inherit}pre{overflow-x:auto}code{font:13px/1.4 ui-monospace,monospace}
.c{display:flex;flex-wrap:wrap;gap:6px}.c button,.retry{background:var(--s);border:1px solid var(--a);border-radius:16px;padding:5px 12px}.status,.error{margin:0;padding:0 14px 6px;min-height:1.45em;font-size:14px}
form{display:flex;gap:8px;padding:10px;border-top:1px solid #888}textarea{flex:1;resize:none;height:44px;padding:9px;background:var(--s);border:1px solid #888;border-radius:8px}.send{border-radius:8px;padding:0 14px}
.v{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}`;

  const host = make('crabhook-chat', { 'data-position': words('position', 'right'), 'data-theme': words('theme', '') });
  const root = host.attachShadow({ mode: 'open' });
  // Not a style element: a strict content security policy lets this through.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  root.adoptedStyleSheets = [sheet];

  const title = words('title', 'Chat'), openLabel = words('open', 'Open the chat'), closeLabel = words('close', 'Close the chat');
  const log = make('div', { className: 'log', role: 'log', tabIndex: 0, 'aria-live': 'polite', 'aria-label': title });
  const status = make('p', { className: 'status', role: 'status' }), error = make('p', { className: 'error', role: 'alert' });
  const input = make('textarea', { id: 'i', rows: 1, maxLength: 8000, placeholder: words('placeholder', 'Write a message') });
  const send = make('button', { className: 'send', type: 'submit' }, words('send', 'Send'));
  const form = make('form', {}, make('label', { className: 'v', htmlFor: 'i' }, input.placeholder), input, send);
  const shut = make('button', { type: 'button', 'aria-label': closeLabel }, '×');
  const panel = make('div', { className: 'panel', id: 'p', role: 'dialog', 'aria-modal': 'true', 'aria-labelledby': 't', hidden: true },
    make('header', {}, make('h2', { id: 't' }, title), shut), log, status, error, form);
  const fab = make('button', { className: 'fab', type: 'button', 'aria-expanded': 'false', 'aria-controls': 'p', 'aria-label': openLabel }, make('span', { 'aria-hidden': 'true' }, '💬'));
  root.append(panel, fab);

  const shown = new Map();
  let draft, token, skew = 0, state = '', newest = 0, listening = false;
  const bubble = (mine, at, part, ...content) => {
    const made = make('div', { className: mine ? 'b me' : 'b' }, make('span', { className: 'v' }, mine ? words('you', 'You') + ': ' : title + ': '), ...content);
    made.order = at + part / 100 + (mine ? 0 : .001);
    log.insertBefore(made, [...log.children].find(other => other.order > made.order) || draft || null);
    log.scrollTop = log.scrollHeight;
    return made;
  };
  const mine = said => shown.set(said.id, bubble(true, said.at, 0, said.text));
  if (data.greeting) bubble(false, 0, 0, ...blocks(data.greeting));
  kept.mine.forEach(mine);

  function show(view) {
    state = view.state;
    view.messages.forEach(message => {
      newest = Math.max(newest, message.part + 1 >= message.of ? message.at : 0);
      if (shown.has(message.id)) return;
      const made = bubble(false, message.at, message.part, ...(message.format === 'text' ? [message.text] : blocks(message.text)));
      if (message.choices.length) {
        made.append(make('div', { className: 'c' }, ...message.choices.map(choice => make('button', { type: 'button', onclick: () => say(choice.says) }, choice.label))));
      }
      shown.set(message.id, made);
    });
    draft?.remove();
    draft = null;
    status.textContent = view.writing ? words('writing', 'Writing…') : '';
    if (view.writing?.text) {
      // Read out once it is whole.
      draft = make('div', { className: 'b', 'aria-hidden': 'true' }, ...blocks(view.writing.text));
      log.append(draft);
      log.scrollTop = log.scrollHeight;
    }
  }

  async function session() {
    const answer = await fetch(base + 'session', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ visitor: kept.visitor, identity: data.identity || undefined }) });
    const said = await answer.json();
    if (!answer.ok) throw new Error(said.error);
    token = said.token;
    skew = said.now - Date.now();
  }
  async function ask(path, options = {}) {
    for (let again = !!token; ; again = false) {
      if (!token) await session();
      const answer = await fetch(base + path, { ...options, headers: { authorization: 'Bearer ' + token, 'content-type': 'application/json' } });
      if (answer.ok) return answer;
      // The session is over, or the site has a new key.
      if (answer.status !== 401 || !again) throw new Error((await answer.json().catch(() => ({}))).error || 'HTTP ' + answer.status);
      token = null;
    }
  }
  const waits = () => kept.mine.some(said => said.sent && said.at > newest && Date.now() + skew - said.at < LATE);

  // Asks only while an answer is to come: an open question costs the site's owner time.
  async function listen() {
    if (listening) return;
    listening = true;
    try {
      for (let failed = 0; waits() && failed < 5;) {
        try {
          const answer = await ask('events?wait=20&state=' + state);
          const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
          for (let text = ''; ;) {
            const { done, value } = await reader.read();
            if (done) break;
            text += value;
            const events = text.split('\n\n');
            text = events.pop();
            events.forEach(event => { if (event.startsWith('data: ')) show(JSON.parse(event.slice(6))); });
          }
          failed = 0;
        } catch (problem) {
          await new Promise(done => setTimeout(done, 1000 * ++failed));
          if (failed === 5) error.textContent = words('failed', 'The connection is lost.');
        }
      }
      if (kept.mine.some(said => said.sent && said.at > newest) && !draft) status.textContent = words('late', 'There is no answer yet.');
    } finally { listening = false; }
  }

  async function deliver(said) {
    error.replaceChildren();
    try {
      const answer = await (await ask('messages', { method: 'POST', body: JSON.stringify({ id: said.id, text: said.text }) })).json();
      said.at = answer.at || said.at;
      said.sent = answer.status === 'queued';
      if (!said.sent) error.textContent = answer.reason;
      keep();
      listen();
    } catch (problem) {
      const retry = make('button', { className: 'retry', type: 'button', onclick: () => deliver(said) }, words('again', 'Try again'));
      error.replaceChildren(words('failed', 'This was not sent.') + ' ', retry);
      console.warn('crabhook:', problem.message);
    }
  }
  function say(text) {
    if (!text.trim()) return;
    const said = { id: random(), text, at: Date.now() + skew };
    kept.mine.push(said);
    keep();
    mine(said);
    deliver(said);
  }

  const toggle = open => {
    panel.hidden = !open;
    fab.setAttribute('aria-expanded', open);
    fab.setAttribute('aria-label', open ? closeLabel : openLabel);
    (open ? input : fab).focus();
    kept.open = open;
    keep();
    log.scrollTop = log.scrollHeight;
  };
  fab.onclick = () => toggle(panel.hidden);
  shut.onclick = () => toggle(false);
  form.onsubmit = event => { event.preventDefault(); say(input.value); input.value = ''; input.focus(); };
  input.onkeydown = event => { if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); } };
  panel.onkeydown = event => {
    // What the page does with keys is not meant here.
    event.stopPropagation();
    if (event.key === 'Escape') toggle(false);
    if (event.key !== 'Tab') return;
    const stops = [...panel.querySelectorAll('a,button,textarea,[tabindex]')], last = stops.at(-1), at = root.activeElement;
    if (event.shiftKey ? at === stops[0] : at === last) { event.preventDefault(); (event.shiftKey ? last : stops[0]).focus(); }
  };

  const start = () => {
    document.body.append(host);
    if (kept.open) toggle(true);
    // What was said before, also by another visit: history is on the server for 30 days.
    if (kept.mine.length || data.identity) ask('messages').then(answer => answer.json()).then(show).then(listen, problem => console.warn('crabhook:', problem.message));
  };
  document.body ? start() : addEventListener('DOMContentLoaded', start);
})();
