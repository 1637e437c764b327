// The clerk's window: the queue, one document with its checks and pages, and the two decisions. It shows what the agent
// found; it decides nothing. The window's key lives in this tab alone, the PIN in one request.
'use strict';

const byId = (id) => document.getElementById(id);
const KEY = 'trinhky-window';
const EVERY = 5000;

let key = sessionStorage.getItem(KEY);
let queue = [];
let token = { state: 'absent', message: '' };
let current = null; // what is on the screen: { id, review }
let ahead = null; // the next document, examined meanwhile: { id, review: Promise }
let opening = 0; // rises with every document opened, so that a late answer does not overwrite a newer one
let pictures = [];
const life = new AbortController(); // ends with the agent: nothing is asked and nothing shown after that

class Refused extends Error {
  constructor(error) {
    super(error.message);
    this.code = error.code;
    this.what = error.what;
  }
}

async function ask(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { signal: life.signal, ...options, headers: { 'x-trinhky-window': key ?? '', ...options.headers } });
  } catch {
    throw new Refused({ code: 'agent_gone', message: 'Chương trình đóng dấu đã dừng. Hãy chạy lại chương trình; cửa sổ này có thể đóng.', what: '' });
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => ({}));
  throw new Refused(body.error ?? { code: String(response.status), message: 'Chương trình đóng dấu không trả lời như mong đợi. Hãy thử lại.', what: response.statusText });
}
const json = async (path, options) => (await ask(path, options)).json();
const post = (path, body) => json(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

const day = (date) => date.split('-').reverse().join('/');
const moment = (at) => new Date(at).toLocaleString('vi-VN', { timeZone: 'Asia/Ho_Chi_Minh', hour: '2-digit', minute: '2-digit', second: '2-digit', day: '2-digit', month: '2-digit', year: 'numeric' });
const urgencies = { urgent: 'KHẨN', very_urgent: 'THƯỢNG KHẨN', immediate: 'HỎA TỐC' };
const outcomes = { passed: 'đạt', failed: 'không đạt', not_reached: 'chưa kiểm tra' };

function say(text) {
  byId('state').textContent = text;
}

function element(name, text, className) {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function trouble(error) {
  byId('trouble').hidden = !error;
  if (!error) return;
  byId('trouble-message').textContent = error.message;
  byId('trouble-what').textContent = [error.code, error.what].filter(Boolean).join(': ');
}

// The queue

function showQueue() {
  byId('waiting').textContent = queue.length;
  const rows = queue.map((document_) => {
    const row = element('li');
    const button = element('button');
    button.type = 'button';
    button.append(element('strong', document_.number ?? ''), document_.subject);
    if (urgencies[document_.urgency]) button.append(' ', element('span', urgencies[document_.urgency], 'urgent'));
    if (document_.id === current?.id) button.setAttribute('aria-current', 'true');
    button.addEventListener('click', () => open(document_.id));
    row.append(button);
    return row;
  });
  const focused = [...byId('queue').querySelectorAll('button')].indexOf(document.activeElement);
  byId('queue').replaceChildren(...rows);
  if (focused >= 0) byId('queue').querySelectorAll('button')[Math.min(focused, rows.length - 1)]?.focus();
  const at = queue.findIndex((document_) => document_.id === current?.id);
  byId('place').textContent = at >= 0 ? `Văn bản ${at + 1} trong ${queue.length}` : '';
}

async function refresh() {
  try {
    const desk = await json('/desk');
    ({ queue, token } = desk);
    byId('sealed').textContent = desk.sealed;
    byId('more').hidden = !desk.more;
    byId('token').textContent = token.message;
    byId('token').classList.toggle('bad', !['ready', 'logged_in'].includes(token.state));
    if (!current) trouble(null);
    if (current && !queue.some((document_) => document_.id === current.id) && !byId('stamp-box').open) current = null;
    showQueue();
    if (!current && queue.length > 0) await open(queue[0].id);
    if (!current && queue.length === 0) showNothing();
  } catch (error) {
    trouble(error);
    byId('token').textContent = '';
  }
}

// The last page. What was still under way answers into hidden elements.
function end() {
  life.abort();
  sessionStorage.removeItem(KEY);
  for (const part of document.body.children) part.hidden = part.id !== 'ended';
  byId('ended').focus();
}

function step(by) {
  const at = queue.findIndex((document_) => document_.id === current?.id);
  const next = queue[at + by];
  if (next) open(next.id);
}

// One document

function showNothing() {
  opening += 1;
  for (const id of ['review', 'bar', 'busy']) byId(id).hidden = true;
  byId('nothing').hidden = false;
}

const examine = (id) => json(`/documents/${id}/examine`, { method: 'POST' });

async function open(id) {
  const mine = (opening += 1);
  trouble(null);
  current = { id, review: null };
  showQueue();
  for (const other of ['nothing', 'review', 'bar']) byId(other).hidden = true;
  byId('busy').hidden = false;
  say('Đang tải và kiểm tra văn bản.');
  try {
    const ready = ahead?.id === id ? await ahead.review.catch(() => null) : null;
    const review = ready ?? (await examine(id));
    if (mine !== opening) return;
    ahead = null;
    current = { id, review };
    show(review);
    await showPages(review, mine);
    if (mine === opening) lookAhead(id);
  } catch (error) {
    if (mine === opening) trouble(error);
  } finally {
    if (mine === opening) byId('busy').hidden = true;
  }
}

// The next document is examined while the clerk reads this one.
function lookAhead(id) {
  const next = queue[queue.findIndex((document_) => document_.id === id) + 1];
  if (!next) return;
  const review = examine(next.id);
  review.catch(() => {});
  ahead = { id: next.id, review };
}

function fact(label, value, big) {
  const group = element('div', undefined, big ? 'big' : '');
  const definition = element('dd');
  definition.append(...[value].flat());
  group.append(element('dt', label), definition);
  return group;
}

function show(review) {
  const { seal } = review;
  byId('busy').hidden = true;
  byId('review').hidden = byId('bar').hidden = false;
  byId('subject').textContent = review.subject;
  byId('urgency').textContent = urgencies[review.urgency] ?? '';
  byId('urgency').hidden = !urgencies[review.urgency];
  const facts = [];
  if (seal) {
    facts.push(fact('Số', seal.number, true), fact('Ngày', day(seal.date), true), fact('Cơ quan', seal.organisation));
    for (const leader of seal.leaders) {
      const told = [`${leader.title} ${leader.name}`];
      if (leader.at) told.push(element('br'), `ký lúc ${moment(leader.at)}`);
      if (leader.code) told.push(element('br'), 'mã xác nhận ', element('span', leader.code, 'code'));
      facts.push(fact('Lãnh đạo đã ký', told));
    }
    facts.push(fact('Chứng thư cơ quan đến', day(seal.certificate_until)));
  }
  facts.push(fact('Nơi nhận', review.recipients.join('; ')));
  if (review.attachments.length > 0) facts.push(fact('Kèm theo', review.attachments.join('; ')));
  byId('facts').replaceChildren(...facts);
  byId('checks').replaceChildren(...review.checks.map((check) => {
    const row = element('li', undefined, check.outcome);
    const text = element('span', check.text);
    text.append(element('span', `: ${outcomes[check.outcome]}`, 'visually-hidden'));
    row.append(text);
    return row;
  }));
  const verdict = byId('verdict');
  verdict.textContent = seal ? 'Đủ điều kiện đóng dấu.' : review.error.message;
  verdict.classList.toggle('bad', !seal);
  if (!seal) verdict.append(' ', element('span', `(${review.error.code}: ${review.error.what})`, 'what'));
  byId('stamp').disabled = !seal;
  byId('pages-box').hidden = !seal;
  byId('digests').replaceChildren(...(seal ? [fact('Tệp lãnh đạo đã ký, SHA-256', seal.base_sha256), fact('Thiết bị sẽ ký, SHA-256', seal.signs_sha256)] : []));
  document.querySelector('.digests').hidden = !seal;
  showQueue();
  say(seal ? `${review.subject}. Số ${seal.number}. Đủ điều kiện đóng dấu.` : `${review.subject}. Không đóng dấu được: ${review.error.message}`);
  if (!document.querySelector('dialog[open]')) byId('document').focus({ preventScroll: true });
  scrollTo({ top: 0 });
}

async function showPages(review, mine) {
  pictures.forEach((picture) => URL.revokeObjectURL(picture));
  pictures = [];
  byId('pages').replaceChildren();
  if (!review.seal) return;
  const { pages } = review.seal;
  for (const number of pages > 1 ? [1, pages] : [1]) {
    const figure = element('figure');
    const name = `Trang ${number}${pages > 1 ? ` trong ${pages}` : ''}`;
    const button = element('button', 'Đang vẽ trang…');
    button.type = 'button';
    button.setAttribute('aria-label', `${name}: phóng to hoặc thu nhỏ`);
    button.addEventListener('click', () => button.setAttribute('aria-pressed', figure.classList.toggle('large')));
    figure.append(button, element('figcaption', name));
    byId('pages').append(figure);
    try {
      const drawn = await (await ask(`/documents/${review.id}/pages/${number}`)).blob();
      if (mine !== opening) return;
      const image = element('img');
      image.alt = `${name}, như sẽ phát hành`;
      image.src = URL.createObjectURL(drawn);
      pictures.push(image.src);
      button.replaceChildren(image);
    } catch (error) {
      button.replaceWith(element('p', error.message, 'error'));
    }
  }
}

// The two decisions

function askForSeal() {
  const seal = current?.review?.seal;
  if (!seal || byId('stamp').disabled) return;
  byId('stamp-title').textContent = `Đóng dấu số ${seal.number} ngày ${day(seal.date)}?`;
  byId('stamp-who').textContent = `${seal.organisation}: ${current.review.subject}`;
  byId('pin-box').hidden = token.state === 'logged_in';
  byId('pin-note').textContent = ['careful', 'final_try', 'locked', 'absent'].includes(token.state) ? token.message : 'Mã PIN chỉ được gửi tới chương trình trên máy này, không gửi tới máy chủ.';
  byId('pin').value = '';
  stampError(null);
  byId('stamp-box').showModal();
  (byId('pin-box').hidden ? byId('stamp-go') : byId('pin')).focus();
}

function stampError(error) {
  byId('stamp-error').hidden = !error;
  byId('stamp-error').textContent = error?.message ?? '';
}

async function seal(event) {
  event.preventDefault();
  const { id, review } = current;
  const pin = byId('pin').value;
  byId('pin').value = '';
  if (!byId('pin-box').hidden && !pin) {
    stampError({ message: 'Hãy nhập mã PIN của thiết bị.' });
    return;
  }
  stampError(null);
  byId('stamp-busy').hidden = false;
  byId('stamp-go').disabled = true;
  try {
    await json(`/documents/${id}/seal`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: pin });
    byId('stamp-box').close();
    await next(id, `Đã đóng dấu số ${review.seal.number}.`);
  } catch (error) {
    stampError(error);
    await refresh();
    byId('pin-box').hidden = token.state === 'logged_in';
    byId('pin-note').textContent = error.code === 'pin_wrong' ? '' : token.message;
    byId('pin').focus();
  } finally {
    byId('stamp-busy').hidden = true;
    byId('stamp-go').disabled = false;
  }
}

async function refuse(event) {
  event.preventDefault();
  const { id } = current;
  try {
    await post(`/documents/${id}/return`, { reason: byId('reason').value.trim() });
    byId('refuse-box').close();
    await next(id, 'Đã trả lại đơn vị soạn thảo.');
  } catch (error) {
    byId('refuse-error').hidden = false;
    byId('refuse-error').textContent = error.message;
  }
}

// The one that followed takes the place of the one that is done.
async function next(id, told) {
  const at = queue.findIndex((document_) => document_.id === id);
  queue = queue.filter((document_) => document_.id !== id);
  const following = queue[Math.min(Math.max(at, 0), queue.length - 1)];
  current = null;
  say(told);
  if (following) await open(following.id);
  await refresh();
}

byId('stamp').addEventListener('click', askForSeal);
byId('stamp-form').addEventListener('submit', seal);
byId('refuse').addEventListener('click', () => {
  byId('reason').value = '';
  byId('refuse-error').hidden = true;
  byId('refuse-box').showModal();
});
byId('refuse-form').addEventListener('submit', refuse);
byId('again').addEventListener('click', () => (current ? open(current.id) : refresh()));
byId('close').addEventListener('click', async () => {
  await ask('/close', { method: 'POST' }).catch(() => {}); // one that is gone has ended as well
  end();
});
for (const button of document.querySelectorAll('[data-cancel]')) {
  button.addEventListener('click', () => button.closest('dialog').close());
}
document.addEventListener('keydown', (event) => {
  const typing = event.target.closest('input, textarea, button, a, summary, dialog');
  if (document.querySelector('dialog[open]') || event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
    event.preventDefault();
    step(event.key === 'ArrowDown' ? 1 : -1);
  } else if (event.key === 'Enter' && !typing) {
    event.preventDefault();
    askForSeal();
  } else if (event.key === 'Escape' && current?.review) {
    // The browser would take the same key as the wish to close what it opens.
    event.preventDefault();
    byId('refuse').click();
  }
}, { signal: life.signal });

async function begin() {
  const secret = location.hash.slice(1);
  if (secret) {
    // The secret opens the window once; it must not stay in the address.
    history.replaceState(null, '', '/');
    try {
      key = await (await ask('/open', { method: 'POST', headers: { 'content-type': 'text/plain' }, body: secret })).text();
      sessionStorage.setItem(KEY, key);
    } catch (error) {
      if (!key) return trouble(error);
    }
  }
  if (matchMedia('(max-width: 60rem)').matches) byId('queue-box').open = false;
  while (!life.signal.aborted) {
    await refresh();
    await new Promise((wake) => setTimeout(wake, EVERY));
  }
}
begin();
