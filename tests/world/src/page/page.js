// The virtual phones: asks the world once a second what their SIMs show, and presses the buttons for the visitor.
'use strict';

const seconds = 1000;
const phones = new Map();
const lines = [];
let after = 0;
let mailAfter = 0;

const byId = (id) => document.getElementById(id);
const post = (path, body) =>
  fetch(`/control${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body ?? {}) });
const get = async (path) => {
  const response = await fetch(`/control${path}`);
  if (!response.ok) throw new Error(String(response.status));
  return response.json();
};
const isMagic = (msisdn) => msisdn.startsWith('8490009') || msisdn.startsWith('8490008');

function phone(sim) {
  const known = phones.get(sim.msisdn);
  if (known) return known;
  const item = byId('phone').content.firstElementChild.cloneNode(true);
  item.querySelector('h3').textContent = sim.name;
  item.querySelector('.number').textContent = `+${sim.msisdn}`;
  for (const [choice, word] of [['accept', 'Đồng ý'], ['decline', 'Từ chối']]) {
    const button = item.querySelector(`.${choice}`);
    button.setAttribute('aria-label', `${word}: ${sim.name}`);
    button.addEventListener('click', async () => {
      await post(`/sims/${sim.msisdn}/${choice}`);
      await refresh();
    });
  }
  byId(isMagic(sim.msisdn) ? 'magic' : 'phones').append(item);
  phones.set(sim.msisdn, item);
  return item;
}

function show(sim) {
  const item = phone(sim);
  const { prompt } = sim;
  item.classList.toggle('live', Boolean(prompt));
  item.querySelector('.idle').hidden = Boolean(prompt);
  item.querySelector('.prompt').hidden = !prompt;
  if (!prompt) return;
  item.querySelector('.text').textContent = prompt.text;
  item.querySelector('.code strong').textContent = prompt.code;
  const expires = new Date(prompt.expires).toLocaleTimeString('vi-VN');
  item.querySelector('.left').textContent = `Hết hạn lúc ${expires}`;
}

function row(entry) {
  const cells = [
    new Date(entry.at).toLocaleTimeString('vi-VN'),
    entry.operation ?? '–',
    entry.msisdn ? `…${entry.msisdn.slice(-4)}` : '',
    entry.displayed ?? '',
    entry.code ?? '',
    [entry.status ?? '', { prompt: 'đã hiện trên SIM', pending: 'đang chờ', signed: 'đã ký', fault: 'lỗi', dropped: 'ngắt kết nối', certificate: 'chứng thư', receipt: 'biên nhận' }[entry.outcome] ?? entry.outcome].join(' ').trim(),
  ];
  return lineOf('log', cells);
}

// On a narrow screen every line is a card, and each cell says what it is.
function lineOf(table, cells) {
  const line = document.createElement('tr');
  line.setAttribute('role', 'row');
  cells.forEach((content, index) => {
    const cell = line.insertCell();
    cell.append(content);
    cell.setAttribute('role', 'cell');
    cell.dataset.label = byId(table).tHead.rows[0].cells[index].textContent;
  });
  return line;
}

// Every waiting question is the same line again; only its last answer is worth showing.
function add(entries) {
  for (const entry of entries) {
    after = entry.seq;
    const last = lines.at(-1);
    const again = entry.outcome === 'pending' && last?.entry.outcome === 'pending' && last.entry.mssp_trans_id === entry.mssp_trans_id;
    if (again) lines.pop().line.remove();
    const line = row(entry);
    lines.push({ entry, line });
    byId('log').tBodies[0].prepend(line);
  }
  while (lines.length > 50) lines.shift().line.remove();
  byId('log').hidden = lines.length === 0;
  byId('log-empty').hidden = lines.length > 0;
}

function addMail(letters) {
  for (const letter of letters) {
    mailAfter = letter.seq;
    const files = letter.attachments.map((file) => file.name ?? 'không tên').join(', ');
    const link = document.createElement('a');
    link.href = `/control/mail/${letter.seq}`;
    link.textContent = 'Xem';
    link.setAttribute('aria-label', `Xem thư gốc: ${letter.subject ?? letter.seq}`);
    const at = new Date(letter.at).toLocaleTimeString('vi-VN');
    byId('mail').tBodies[0].prepend(lineOf('mail', [at, letter.to.join(', '), letter.subject ?? '', files, link]));
  }
  const rows = byId('mail').tBodies[0].rows;
  while (rows.length > 50) rows[50].remove();
  byId('mail').hidden = rows.length === 0;
  byId('mail-empty').hidden = rows.length > 0;
}

function announce(text) {
  if (byId('state').textContent !== text) byId('state').textContent = text;
}

async function refresh() {
  try {
    const sims = await get('/sims');
    sims.forEach(show);
    byId('magic-count').textContent = sims.filter((sim) => isMagic(sim.msisdn)).length;
    const live = sims.filter((sim) => sim.prompt);
    announce(live.length === 0 ? 'Không có yêu cầu ký nào đang chờ.' : `Đang chờ trên SIM: ${live.map((sim) => `${sim.name}, mã ${sim.prompt.code}`).join('; ')}.`);
    const manual = sims.some((sim) => !isMagic(sim.msisdn) && sim.behaviour.outcome === 'manual');
    document.querySelector(`input[value=${manual ? 'manual' : 'auto'}]`).checked = true;
    add(await get(`/mssp/log?after=${after}`));
    addMail(await get(`/mail?after=${mailAfter}`));
  } catch {
    announce('Không liên lạc được với máy chủ giả lập.');
  }
}

for (const radio of document.querySelectorAll('input[name=mode]')) {
  radio.addEventListener('change', () => post('/mode', { accept_after_ms: radio.value === 'auto' ? 300 : null }));
}

async function forever() {
  await refresh();
  setTimeout(forever, seconds);
}
forever();
