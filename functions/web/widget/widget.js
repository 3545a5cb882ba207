// The chat of crabhook for a web page: <script src="https://…/main/widget.js" async></script>
// Settings are attributes of the script; README.md has them all, and the custom properties for colours and sizes.
(() => {
  'use strict';
  const script = document.currentScript, data = script.dataset, base = data.address || new URL('.', script.src).href;
  const words = (name, otherwise) => data[name] || otherwise;
  const LATE = 300e3, KEPT = 100, KEPT_MS = 30 * 864e5, MOST_FILES = 8;
  // Larger pictures are made smaller before they are sent: models take no more, and see no more.
  const LARGE = 3e6, SIDE = 2048, SHOWN = 'image/png,image/jpeg,image/gif,image/webp';

  // What is kept in this browser: the visitor's secret name, and for each conversation what was said in it. Other tabs write
  // here too, and somebody else may sign in.
  const shelf = 'crabhook ' + base;
  let memory = {}, talk, said = [];
  const load = () => {
    // Nothing in private mode: then it is kept while the page is open.
    try { memory = JSON.parse(localStorage.getItem(shelf)) || memory; } catch {}
    memory.talks ||= {};
    return memory;
  };
  const keep = changed => {
    Object.assign(load(), changed);
    if (talk) memory.talks[talk] = merged();
    try { localStorage.setItem(shelf, JSON.stringify(memory)); } catch {}
  };
  const merged = () => {
    const all = new Map();
    [...memory.talks[talk] || [], ...said].forEach(one => all.get(one.id)?.sent || all.set(one.id, one));
    return said = [...all.values()].filter(one => one.at > Date.now() - KEPT_MS).sort((a, b) => a.at - b.at).slice(-KEPT);
  };
  const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), b => b.toString(16).padStart(2, '0')).join('');
  load().visitor ||= random();

  const make = (tag, props, ...children) => {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(props || {})) {
      if (name in made && name !== 'role') made[name] = value; else made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  };

  const button = (label, onclick, glyph, props) => make('button', { type: 'button', onclick, ...(glyph && { 'aria-label': label }), ...props }, glyph ? make('span', { 'aria-hidden': 'true' }, glyph) : label);

  // Of CommonMark what the room writes. Nothing becomes HTML: nodes are built, and addresses are http, https or mail.
  const INLINE = new RegExp([
    /(`+)(.*?[^`])\1(?!`)/, /<((?:https?:|mailto:)[^\s<>]+)>/, /\*\*(.+?\*?)\*\*(?!\*)/, /~~(.+?)~~/,
    /\[((?:\\.|[^\]\\])+)\]\((?:<([^>]+)>|([^\s)]+))\)/, /\*([^*\s](?:\\.|[^*\\])*)\*/, /(https?:\/\/[^\s<>]*[^\s<>.,;:!?)\]*~])/, /\\([!-/:-@[-`{-~])/,
  ].map(one => one.source).join('|'));
  const link = (nodes, url) => /^(https?:|mailto:)/i.test(url) ? [make('a', { href: url, target: '_blank', rel: 'noopener noreferrer' }, ...nodes)] : nodes;
  function inline(text) {
    const nodes = [];
    for (let found; (found = INLINE.exec(text));) {
      const [whole, , code, auto, strong, gone, label, far, near, weak, bare, literal] = found;
      nodes.push(text.slice(0, found.index), ...(code ? [make('code', {}, code.replace(/^ (.*) $/, '$1'))] : strong ? [make('strong', {}, ...inline(strong))]
        : gone ? [make('del', {}, ...inline(gone))] : label ? link(inline(label), far || near) : weak ? [make('em', {}, ...inline(weak))]
        : literal ? [literal] : link([(auto || bare).replace('mailto:', '')], auto || bare)));
      text = text.slice(found.index + whole.length);
    }
    return [...nodes, text].filter(node => node !== '');
  }
  const cells = row => row.trim().replace(/^\||\|$/g, '').split(/(?<!\\)\|/).map(cell => cell.trim());
  const ITEM = /^( *)([-*+]|(\d{1,9})[.)])( +|$)(?:\[([ xX])\] )?(.*)/, FENCE = /^ *(`{3,}|~{3,})/, HEAD = /^#{1,6} +(.*)/, RULE = /^ *([-*_])( *\1){2,} *$/, QUOTE = /^ *> ?/, DELIMITERS = /^ *\|?( *:?-+:? *\|)+( *:?-+:? *)?$/;
  function blocks(text) {
    const out = [], rows = text.split('\n');
    const isBlock = () => [FENCE, HEAD, RULE, QUOTE, ITEM].some(kind => kind.test(rows[0])) || DELIMITERS.test(rows[1]);
    const take = fits => {
      const taken = [];
      while (rows.length && fits(rows[0])) taken.push(rows.shift());
      return taken;
    };
    while (rows.length) {
      const row = rows[0];
      let found;
      if (!row.trim()) rows.shift();
      else if ((found = FENCE.exec(row))) {
        rows.shift();
        const code = take(row => !row.trim().startsWith(found[1]));
        rows.shift();
        out.push(make('pre', { tabIndex: 0 }, make('code', {}, code.join('\n'))));
      } else if ((found = HEAD.exec(row))) {
        rows.shift();
        out.push(make('p', {}, make('strong', {}, ...inline(found[1]))));
      } else if (RULE.test(row)) out.push(rows.shift() && make('hr'));
      else if (QUOTE.test(row)) out.push(make('blockquote', {}, ...blocks(take(row => QUOTE.test(row)).map(row => row.replace(QUOTE, '')).join('\n'))));
      else if (rows.length > 1 && DELIMITERS.test(rows[1])) {
        const [head, , ...body] = take(row => row.includes('|'));
        const line = (row, tag) => make('tr', {}, ...cells(row).map(cell => make(tag, tag === 'th' ? { scope: 'col' } : {}, ...inline(cell))));
        out.push(make('div', { className: 'x', tabIndex: 0 }, make('table', {}, make('thead', {}, line(head, 'th')), make('tbody', {}, ...body.map(row => line(row, 'td'))))));
      } else if ((found = ITEM.exec(row))) {
        const number = found[3], list = make(number ? 'ol' : 'ul', number && { start: +number });
        while ((found = ITEM.exec(rows[0])) && !found[3] === !number) {
          const [, before, mark, , , task, rest] = found, inner = before.length + mark.length + 1;
          rows.shift();
          // What is indented belongs to the item, also behind empty lines.
          const more = take(row => !row.trim() || row.search(/\S/) >= Math.min(inner, before.length + 2));
          const content = blocks([rest, ...more.map(row => row.slice(inner))].join('\n'));
          if (content[0]?.tagName === 'P') content.splice(0, 1, ...content[0].childNodes);
          list.append(make('li', {}, task ? (task === ' ' ? '☐ ' : '☑ ') : '', ...content));
        }
        out.push(list);
      } else {
        out.push(make('p', {}, ...[rows.shift(), ...take(row => row.trim() && !isBlock())].flatMap((row, n) => [n && make('br'), ...inline(row.trim())]).filter(Boolean)));
      }
    }
    return out;
  }

  const CSS = `:host{all:initial!important;color-scheme:light dark!important;--a:var(--crabhook-accent,light-dark(#1f5fbf,#8ab4f8));--o:var(--crabhook-on-accent,light-dark(#fff,#10141a));--s:var(--crabhook-surface,light-dark(#fff,#1b2027));--t:var(--crabhook-text,light-dark(#1c2128,#e8ecf1));--m:var(--crabhook-muted,light-dark(#eef1f5,#2a313b));--r:var(--crabhook-radius,12px);position:fixed!important;z-index:2147483000!important;inset:auto 16px 16px auto!important}
:host([data-position=left]){inset:auto auto 16px 16px!important}:host([data-theme=light]){color-scheme:light!important}:host([data-theme=dark]){color-scheme:dark!important}
*{box-sizing:border-box}button,textarea{font:inherit;color:inherit}[hidden]{display:none!important}:focus-visible{outline:3px solid var(--a);outline-offset:2px}button{cursor:pointer}
.panel,.fab{font:16px/1.45 var(--crabhook-font,system-ui,sans-serif);color:var(--t)}.fab,.send,header,.me{background:var(--a);color:var(--o);border:0}.fab{display:block;margin-inline-start:auto;width:56px;height:56px;border-radius:50%;font-size:24px;color:var(--o)}
.panel{display:flex;flex-direction:column;width:min(380px,100vw - 32px);height:min(560px,100dvh - 104px);margin-bottom:12px;background:var(--s);border:1px solid #888;border-radius:var(--r);overflow:hidden;box-shadow:0 8px 32px #0004}
header{display:flex;align-items:center;padding:8px 14px}h2{flex:1;margin:0;font-size:16px}header button{font-size:20px}header :focus-visible{outline-color:var(--o)}
.log{flex:1;overflow-y:auto;padding:14px;display:flex;flex-direction:column;gap:10px}.b{max-width:88%;padding:8px 12px;border-radius:var(--r);background:var(--m);overflow-wrap:anywhere}.b.me{align-self:flex-end;background:var(--a);white-space:pre-wrap}
.b>:first-child{margin-top:0}.b>:last-child{margin-bottom:0}p,ul,ol,pre,blockquote,.x{margin:.5em 0}blockquote{padding-inline-start:.8em;border-inline-start:3px solid}hr{width:100%}.x{overflow-x:auto}table{border-collapse:collapse}th,td{border:1px solid #888;padding:3px 8px;text-align:start}ul,ol{padding-inline-start:1.4em}a{color:inherit}pre{overflow-x:auto}code{font:13px/1.4 ui-monospace,monospace}
.c{display:flex;flex-wrap:wrap;gap:6px}.c button,.note button{background:var(--s);border:1px solid var(--a);border-radius:16px;padding:5px 12px}.note{margin:6px 0 0;font-size:14px}.me .note button{color:var(--t)}.status,.error{margin:0;padding:0 14px 6px;min-height:1.45em;font-size:14px}
form{display:flex;gap:8px;padding:10px;border-top:1px solid #888}textarea{flex:1;resize:none;height:44px;padding:9px;background:var(--s);border:1px solid #888;border-radius:8px}.send{border-radius:8px;padding:0 14px}
.files{display:flex;flex-wrap:wrap;gap:6px;list-style:none;margin:0;padding:0 10px 6px}.files:empty{display:none}.files li{display:flex;align-items:center;gap:6px;max-width:100%;padding:0 0 0 8px;background:var(--m);border-radius:8px;font-size:14px}.files progress{width:48px}header button,.files button,.clip{background:0;border:0;min-width:32px;min-height:32px}.over{outline:3px dashed var(--a);outline-offset:-6px}img{max-width:100%}
.v{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}`;

  const host = make('crabhook-chat', { 'data-position': words('position', 'right'), 'data-theme': words('theme', '') });
  const root = host.attachShadow({ mode: 'open' });
  // Not a style element: a strict content security policy lets this through.
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(CSS);
  root.adoptedStyleSheets = [sheet];

  const title = words('title', 'Chat'), openLabel = words('open', 'Open the chat'), closeLabel = words('close', 'Close the chat'), unsent = words('failed', 'This was not sent.');
  const log = make('div', { className: 'log', role: 'log', tabIndex: 0, 'aria-label': title });
  const status = make('p', { className: 'status', role: 'status' }), error = make('p', { className: 'error', role: 'alert' });
  const input = make('textarea', { rows: 1, maxLength: 8000, dir: 'auto', placeholder: words('placeholder', 'Write a message') });
  input.ariaLabel = input.placeholder;
  const send = make('button', { className: 'send', type: 'submit' }, words('send', 'Send'));
  const picker = make('input', { type: 'file', multiple: true, hidden: true, accept: SHOWN + ',audio/*,text/*,.pdf,.md,.json,.yaml,.xml' });
  const clip = button(words('attach', 'Attach files'), () => picker.click(), '📎', { className: 'clip', hidden: data.uploads === 'off' });
  const files = make('ul', { className: 'files', role: 'list', 'aria-label': words('attached', 'Attached files') });
  const form = make('form', {}, picker, clip, input, send);
  const shut = button(closeLabel, () => toggle(false, true), '×');
  const panel = make('div', { className: 'panel', role: 'dialog', 'aria-label': title, hidden: true },
    make('header', {}, make('h2', {}, title), shut), log, status, error, files, form);
  const fab = button(openLabel, () => toggle(panel.hidden, true), '💬', { className: 'fab', 'aria-expanded': 'false' });
  root.append(panel, fab);

  const going = new Set();
  let shown, draft, as, token, until, skew = 0, state, newest, from, listening = false;
  const isLow = () => log.scrollHeight - log.scrollTop - log.clientHeight < 80;
  // Whoever reads above is left there.
  const added = (low = true) => { if (low) log.scrollTop = log.scrollHeight; };
  const bubble = (mine, at, part, ...content) => {
    const made = make('div', { className: mine ? 'b me' : 'b', dir: 'auto' }, make('span', { className: 'v' }, (mine ? words('you', 'You') : title) + ': '), ...content), low = mine || isLow();
    made.order = at + part / 100 + (mine ? 0 : .001);
    log.insertBefore(made, [...log.children].find(other => other.order > made.order) || draft || null);
    added(low);
    return made;
  };
  function mine(one) {
    shown.get(one.id)?.remove();
    const made = bubble(true, one.at, 0, [one.label || one.text, ...(one.files || []).map(file => '📎 ' + file.name)].filter(Boolean).join('\n'));
    if (!one.sent && !going.has(one)) {
      made.append(make('p', { className: 'note' }, one.why || unsent, ' ', one.why ? '' : button(words('again', 'Try again'), () => deliver(one))));
    }
    shown.set(one.id, made);
  }
  // Another person, or the first: theirs is all that is shown.
  function enter(name) {
    if (talk === name) return;
    if (talk) said = [];
    talk = name;
    begin();
    load();
    merged().forEach(mine);
  }
  function begin() {
    [shown, draft, state, newest] = [new Map(), null, '', 0];
    log.replaceChildren();
    if (data.greeting) bubble(false, 0, 0, ...blocks(data.greeting));
  }

  function show(view) {
    state = view.state;
    const low = isLow();
    view.messages.forEach(message => {
      newest = Math.max(newest, message.part + 1 >= message.of ? message.at : 0);
      if (shown.has(message.id)) return;
      const made = bubble(false, message.at, message.part, ...(message.format === 'text' ? [message.text] : blocks(message.text)));
      if (message.media?.media_type.startsWith('image/')) {
        // Of hosts that the operator named. Where the page's policy forbids it, the link below it stays.
        made.insertBefore(make('img', { alt: message.media.caption || message.media.name, src: message.media.url, referrerPolicy: 'no-referrer', onerror: event => event.target.remove(), onload: () => added(low) }), made.children[1]);
      }
      if (message.choices.length) {
        made.append(make('div', { className: 'c' }, ...message.choices.map(choice => button(choice.label, () => say(choice.says, [], choice.label)))));
      }
      shown.set(message.id, made);
    });
    newest = Math.max(newest, view.dismissed || 0);
    draft?.remove();
    draft = null;
    status.textContent = view.writing ? words('writing', 'Writing…') : '';
    if (view.writing?.text) {
      // Read out, and reached by keys, once it is whole.
      draft = make('div', { className: 'b', dir: 'auto', inert: true }, ...blocks(view.writing.text));
      log.append(draft);
      added(low);
    }
  }

  async function session() {
    // Asked for anew each time: it counts for a day at most, and the page may be open for longer.
    as = data.identity;
    const identity = data.identityUrl ? (await (await fetch(data.identityUrl, { credentials: 'include' })).text()).trim() : as;
    const answer = await read(await fetch(base + 'session', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ visitor: memory.visitor, identity: identity || undefined }) }));
    const given = await answer.json();
    token = given.token;
    skew = given.now - Date.now();
    until = given.expires - skew - 60e3;
    enter(identity ? given.session : 'visitor');
    keep();
  }
  async function read(answer) {
    if (answer.ok) return answer;
    throw Object.assign(new Error((await answer.json().catch(() => ({}))).error || 'HTTP ' + answer.status), { status: answer.status });
  }
  async function ask(path, options = {}) {
    for (let again = !!token; ; again = false) {
      if (!token || Date.now() > until || as !== data.identity) await session();
      const answer = await fetch(base + path, { ...options, headers: { authorization: 'Bearer ' + token, 'content-type': 'application/json' } });
      // The site has a new key, or the clock was put back.
      if (answer.status !== 401 || !again) return read(answer);
      token = null;
    }
  }
  const tell = problem => console.warn('crabhook:', problem.message);
  const why = problem => problem.status === 429 ? words('busy', 'Too many messages. Please wait a minute.')
    : problem.status === 401 || problem.status === 403 ? words('denied', 'You cannot write here. Please sign in.') : '';
  const open = () => said.filter(one => one.sent && one.at > newest && Date.now() + skew - one.at < LATE);

  let wake = () => {};
  const pause = ms => new Promise(done => { wake = done; setTimeout(done, ms); });
  // Asks only while an answer is to come, and only for what is new: an open question costs the site's owner time.
  async function listen() {
    if (listening) return;
    listening = true;
    for (let failed = 0; open().length;) {
      try {
        const oldest = Math.min(...open().map(one => one.at)), way = memory.poll ? 'messages' : 'events';
        if (from !== oldest) [from, state] = [oldest, ''];
        const answer = await ask(way + '?wait=20&from=' + from + '&state=' + state);
        if (memory.poll) show(await answer.json()); else await follow(answer.body);
        if (failed) status.textContent = '';
        failed = 0;
      } catch (problem) {
        status.textContent = why(problem) || words('offline', 'The connection is lost. Trying again…');
        await pause(Math.min(30e3, 1000 * 2 ** failed++));
      }
    }
    if (said.some(one => one.sent && one.at > newest)) status.textContent = words('late', 'There is no answer yet.');
    listening = false;
  }
  // Events as they come. Where something on the way holds them back until the end, they are asked for one by one from then on.
  async function follow(body) {
    const reader = body.pipeThrough(new TextDecoderStream()).getReader();
    let pieces = 0, count = 0;
    for (let text = ''; ;) {
      const { done, value } = await reader.read();
      if (done) break;
      pieces++;
      const events = (text + value).split('\n\n');
      text = events.pop();
      events.filter(event => event.startsWith('data: ')).forEach(event => { count++; show(JSON.parse(event.slice(6))); });
    }
    if (count > 1 && pieces === 1) keep({ poll: true });
  }
  // What came of its own accord, or while nobody could be asked.
  const look = () => ask('messages?from=' + (newest && newest + 1)).then(answer => answer.json()).then(show).then(listen).catch(tell);
  const back = () => { wake(); if (!document.hidden && talk && said.length && !listening) look(); };
  addEventListener('online', back);
  document.addEventListener('visibilitychange', back);
  setInterval(() => { if (!panel.hidden) back(); }, 60e3);
  addEventListener('storage', event => {
    if (event.key !== shelf || !talk) return;
    const known = said.filter(one => one.sent).map(one => one.id);
    load();
    // What is still on its way there is not shown here.
    merged().filter(one => one.sent && !known.includes(one.id)).forEach(mine);
    listen();
  });

  // What waits to go with the next message. Its bytes go to the stack's bucket, at an address for this one file.
  let attached = [];
  async function smaller(file) {
    if (!/^image/.test(file.type) || file.size < LARGE && SHOWN.includes(file.type)) return file;
    try {
      const bitmap = await createImageBitmap(file), scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
      const canvas = make('canvas', { width: bitmap.width * scale, height: bitmap.height * scale }), pen = canvas.getContext('2d');
      // What is clear in the picture would be black.
      pen.fillStyle = '#fff';
      pen.fillRect(0, 0, SIDE, SIDE);
      pen.scale(scale, scale);
      pen.drawImage(bitmap, 0, 0);
      const made = await new Promise(done => canvas.toBlob(done, 'image/jpeg', .85));
      return Object.assign(made, { name: file.name + '.jpg' });
    } catch { return file; }
  }
  const put = (one, offer, file) => new Promise((done, fail) => {
    const call = one.call = new XMLHttpRequest();
    call.open('PUT', offer.url);
    call.setRequestHeader('content-type', offer.mime);
    call.upload.onprogress = event => { one.bar.value = event.loaded / event.total; };
    call.onloadend = () => call.status === 200 ? done() : fail(new Error('HTTP ' + call.status));
    call.send(file);
  });
  const drop = one => {
    attached = attached.filter(other => other !== one);
    one.call?.abort();
    one.made.remove();
  };
  async function upload(one, given) {
    try {
      const file = await smaller(given);
      const offer = await (await ask('files', { method: 'POST', body: JSON.stringify({ name: file.name, mime: file.type, size: file.size }) })).json();
      if (attached.includes(one)) await put(one, offer, file);
      Object.assign(one.said, { file: offer.file, name: file.name, mime: offer.mime, size: file.size });
      one.bar.remove();
      if (attached.includes(one)) status.textContent = words('attached', 'Attached files') + ': ' + attached.map(other => other.said.name).join(', ');
    } catch (problem) {
      // Taken away meanwhile.
      if (!attached.includes(one)) return;
      drop(one);
      error.textContent = given.name + ': ' + (why(problem) || problem.status && data.refused || problem.message);
    }
  }
  function attach(list) {
    if (data.uploads === 'off') return;
    error.textContent = '';
    [...list].forEach(given => {
      if (attached.length === MOST_FILES) return error.textContent = given.name + ': ' + (data.refused || 'at most ' + MOST_FILES + ' files');
      const one = { said: { name: given.name } };
      one.bar = make('progress', { max: 1, value: 0, 'aria-label': given.name });
      one.made = make('li', {}, given.name, one.bar, button(words('remove', 'Remove') + ' ' + given.name, () => { drop(one); status.textContent = ''; input.focus(); }, '×'));
      files.append(one.made);
      attached.push(one);
      one.done = upload(one, given);
    });
  }
  picker.onchange = () => { attach(picker.files); picker.value = ''; input.focus(); };
  // Word processors put a picture of the text beside the text.
  input.onpaste = event => { if (event.clipboardData.files.length && !event.clipboardData.getData('text')) { event.preventDefault(); attach(event.clipboardData.files); } };
  const over = event => {
    const holds = event.dataTransfer.types.includes('Files');
    if (holds) event.preventDefault();
    panel.classList.toggle('over', holds && event.type === 'dragover');
  };
  panel.ondragover = panel.ondragleave = over;
  panel.ondrop = event => { over(event); attach(event.dataTransfer.files); };

  async function deliver(one) {
    error.textContent = '';
    going.add(one);
    mine(one);
    try {
      const answer = await (await ask('messages', { method: 'POST', body: JSON.stringify({ id: one.id, text: one.text, attachments: one.files }) })).json();
      one.at = answer.at || one.at;
      one.sent = answer.status === 'queued';
      one.why = answer.reason;
    } catch (problem) {
      error.textContent = why(problem) || unsent;
      tell(problem);
    }
    going.delete(one);
    mine(one);
    keep();
    listen();
  }
  function say(text, files, label) {
    if (!text.trim() && !files.length) return;
    const one = { id: random(), text, files, label, at: Date.now() + skew };
    said.push(one);
    // What could be chosen is chosen.
    log.querySelectorAll('.c').forEach(choices => choices.remove());
    deliver(one);
    keep();
  }

  const toggle = (isOpen, focus) => {
    panel.hidden = !isOpen;
    fab.ariaExpanded = isOpen;
    fab.ariaLabel = isOpen ? closeLabel : openLabel;
    // Where it fills the screen, the page behind it is out of reach.
    panel.ariaModal = innerWidth < 481;
    if (focus) (isOpen ? input : fab).focus();
    keep({ open: isOpen });
    added();
  };
  form.onsubmit = async event => {
    event.preventDefault();
    if (send.disabled) return;
    send.disabled = true;
    const meant = attached.length;
    if (meant) status.textContent = words('sending', 'Sending the files…');
    await Promise.all(attached.map(one => one.done));
    send.disabled = false;
    input.focus();
    // What was meant to go along does not stay behind unseen.
    if (attached.length < meant) return;
    status.textContent = '';
    say(input.value, attached.map(one => one.said));
    files.replaceChildren();
    attached = [];
    input.value = '';
  };
  input.onkeydown = event => { if (event.key === 'Enter' && !event.shiftKey && !event.isComposing) { event.preventDefault(); form.requestSubmit(); } };
  panel.onkeydown = event => {
    // What the page does with keys is not meant here.
    event.stopPropagation();
    if (event.key === 'Escape') toggle(false, true);
    if (event.key !== 'Tab' || panel.ariaModal !== 'true') return;
    const [end, other] = event.shiftKey ? [shut, send] : [send, shut];
    if (root.activeElement === end) { event.preventDefault(); other.focus(); }
  };

  const start = () => {
    document.body.append(host);
    begin();
    const signsIn = data.identity || data.identityUrl;
    if (!signsIn) enter('visitor');
    if (memory.open) toggle(true);
    // What was said before, also by another visit: history is on the server for 30 days.
    if (said.length || signsIn) look();
  };
  document.body ? start() : addEventListener('DOMContentLoaded', start);
})();
