'use strict';

const $ = (id) => document.getElementById(id);
const yuan = (fen) => `¥${(fen / 100).toFixed(2)}`;
const quiet = matchMedia('(prefers-reduced-motion: reduce)');

const SHAPES = {
  11: '<path d="M15 12h14v6l5 9v31q0 4-4 4H14q-4 0-4-4V27l5-9z" fill="#bfe3f7"/><rect x="16" y="4" width="12" height="8" rx="2" fill="#2f7fc1"/><rect x="10" y="33" width="24" height="14" fill="#3a93d6"/>',
  12: '<path d="M15 12h14v6l5 9v31q0 4-4 4H14q-4 0-4-4V27l5-9z" fill="#b5793a"/><rect x="16" y="4" width="12" height="8" rx="2" fill="#2c6b3f"/><rect x="10" y="32" width="24" height="17" fill="#e9dfb9"/><circle cx="22" cy="40" r="5" fill="#3f8a52"/>',
  13: '<path d="M10 16l6-9h12l6 9v46H10z" fill="#fff2dc"/><path d="M10 16h24v8H10z" fill="#ff9f2e"/><circle cx="22" cy="42" r="9" fill="#ff9f2e"/><path d="M26 34q5-4 7 0-4 4-7 0z" fill="#4f9d3a"/>',
  21: '<path d="M8 10q14 4 28 0l1 50q-15 4-30 0z" fill="#d9423a"/><path d="M8 10q14 4 28 0v5q-14 4-28 0z" fill="#a92e28"/><ellipse cx="22" cy="38" rx="11" ry="8" fill="#ffd257"/><path d="M8 57q14 4 28 0l1 3q-15 4-30 0z" fill="#a92e28"/>',
  22: '<rect x="7" y="14" width="30" height="46" rx="4" fill="#7d4fb0"/><circle cx="22" cy="38" r="11" fill="#e9bd79"/><g fill="#9c6a2c"><circle cx="18" cy="35" r="1.6"/><circle cx="26" cy="35" r="1.6"/><circle cx="22" cy="40" r="1.6"/><circle cx="18" cy="43" r="1.6"/><circle cx="26" cy="43" r="1.6"/></g>',
  23: '<rect x="9" y="8" width="26" height="54" rx="5" fill="#2b3a4c"/><rect x="17" y="4" width="10" height="5" rx="1" fill="#9fb0c0"/><path d="M25 20l-9 17h6l-2 13 9-18h-6z" fill="#ffd84d"/><g fill="#4dff9a"><circle cx="16" cy="56" r="1.6"/><circle cx="20" cy="56" r="1.6"/><circle cx="24" cy="56" r="1.6"/></g>',
};

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === 'text') node.textContent = value;
    else if (name === 'click') node.addEventListener('click', value);
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

function goods(slot) {
  const icon = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  icon.setAttribute('viewBox', '0 0 44 66');
  icon.setAttribute('class', 'goods-icon');
  icon.setAttribute('aria-hidden', 'true');
  icon.innerHTML = SHAPES[slot] || '<rect x="8" y="12" width="28" height="48" rx="4" fill="#8fa3b5"/>';
  return icon;
}

const APPS = { alipay: 'Alipay', wechat: 'WeChat', union_pay: 'UnionPay', ecny: 'e-CNY' };
const CHANNELS = { alipay: 'Alipay', wechat: 'WeChat Pay', allinpay_vsp: 'Allinpay' };

const write = (node, text) => { if (node.textContent !== text) node.textContent = text; };
const press = (keys, held) => {
  for (const key of document.querySelectorAll(keys)) key.setAttribute('aria-pressed', String(held(key)));
};
const shade = (id, word, text) => { const node = $(id); write(node, text); node.className = `chip ${word}`; };

addEventListener('error', (event) => { document.documentElement.dataset.broken = event.message; });

/* ---- actions ---- */

function say(text, mood = '') {
  write($('said'), text);
  $('said').className = mood;
}

async function act(what, fields = {}) {
  const page = document.documentElement;
  page.dataset.acting = what;
  try {
    const answer = await fetch('/do', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ do: what, ...fields }),
    });
    const words = await answer.json().catch(() => ({ error: `The demo answered ${answer.status}.` }));
    if (words.error) say(words.error, 'bad');
    else if (words.said || $('said').className === 'bad') say(words.said);
  } catch {
    say('The demo does not answer. Is it still running?', 'bad');
  } finally {
    delete page.dataset.acting;
  }
}

const on = (id, what, fields) => $(id).addEventListener('click', () => act(what, fields ? fields() : {}));

function choices(box, field, options) {
  for (const [value, text, bad] of options) {
    const id = `${field.replaceAll('_', '-')}-${value}`;
    const button = make('button', { id, text, 'aria-pressed': 'false', class: bad ? 'bad' : '' });
    button.addEventListener('click', () => act('weather', { turn: { [field]: value } }));
    button.dataset.value = value;
    $(box).append(button);
  }
  return (now) => {
    for (const button of $(box).children) button.setAttribute('aria-pressed', String(button.dataset.value === String(now)));
  };
}

const panel = {
  network_down: choices('network_down', 'network_down', [[false, 'up'], [true, 'down', 1]]),
  alipay_away: choices('alipay_away', 'alipay_away', [[false, 'there'], [true, 'away', 1]]),
  slow_s: choices('slow_s', 'slow_s', [[0, 'not'], [3, '3 s', 1], [8, '8 s', 1], [20, '20 s', 1]]),
  lose: choices('lose', 'lose', [['none', 'no'], ['pay', 'next charge', 1], ['any', 'next call', 1]]),
  late_s: choices('late_s', 'late_s', [[0, 'at once'], [5, '5 s late', 1], [90, 'too late', 1]]),
  ask: choices('ask-weather', 'ask', [[false, 'pay at once'], [true, 'ask the buyer', 1]]),
  bad_signature: choices('bad_signature', 'bad_signature', [[false, 'good'], [true, 'bad', 1]]),
};

for (const key of document.querySelectorAll('[data-key]')) on(key.id, 'press', () => ({ key: key.dataset.key }));
for (const key of document.querySelectorAll('[data-language]')) on(key.id, 'language', () => ({ language: key.dataset.language }));
for (const key of document.querySelectorAll('button[data-app]')) on(key.id, 'open-app', () => ({ app: key.dataset.app }));
for (const key of document.querySelectorAll('[data-one]')) on(key.id, 'codes', () => ({ one: key.dataset.one === 'true' }));
on('scan-screen', 'scan-screen');
on('show-code', 'show-code');
on('hide-code', 'hide-code');
on('hold-code', 'hold-code');
on('confirm', 'confirm', () => ({ id: $('ask').dataset.payment }));
on('refuse', 'refuse', () => ({ id: $('ask').dataset.payment }));
on('empty-bay', 'empty-bay');
on('unplug', 'scanner', () => ({ plugged: true }));
on('plug', 'scanner', () => ({ plugged: false }));
on('kill', 'kill');

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
  const free = document.activeElement === document.body;
  const key = /^[0-9]$/.test(event.key) ? event.key : event.key === 'Escape' ? 'cancel' : event.key === 'Enter' && free ? 'ok' : null;
  if (key) act('press', { key });
});

/* ---- the machine ---- */

let slots = null;
let picture = null;

function buildSlots(list) {
  slots = {};
  $('slots').replaceChildren();
  $('jams').replaceChildren();
  $('lights').replaceChildren('relays');
  for (const { name } of list) {
    const restock = make('button', { text: 'refill', id: `restock-${name}`, click: () => act('restock', { slot: name }) });
    const parts = { name: make('b'), price: make('span', { class: 'price' }), left: make('span', { class: 'left' }) };
    const tile = make('div', { class: 'slot', id: `slot-${name}` }, goods(name), make('span', { class: 'no', text: name }),
      parts.name, parts.price, parts.left, restock);
    const jam = make('button', { id: `jam-${name}`, text: name, class: 'bad', 'aria-pressed': 'false' });
    const light = make('span', { class: 'light', id: `relay-${name}`, text: name });
    jam.addEventListener('click', () => act(jam.getAttribute('aria-pressed') === 'true' ? 'unjam' : 'jam', { slot: name }));
    $('slots').append(tile);
    $('jams').append(jam);
    $('lights').append(light);
    slots[name] = { tile, jam, light, restock, ...parts };
  }
  $('lights').append(make('span', { class: 'light lamp-light', id: 'lamp-light', text: 'lamp' }), make('span', { class: 'light', id: 'buzzer', text: 'buzzer' }));
}

function drawSlot(slot, blocked) {
  const view = slots[slot.name];
  write(view.name, slot.product);
  write(view.price, yuan(slot.price));
  const bad = slot.jammed ? 'jammed' : blocked ? 'blocked' : slot.stock === 0 ? 'empty' : '';
  write(view.left, bad || `${slot.stock} left`);
  view.left.className = bad ? 'left bad' : 'left';
  view.tile.className = `slot${blocked || slot.jammed ? ' blocked' : ''}${slot.stock ? '' : ' empty'}${slot.motor_on ? ' turning' : ''}`;
  view.tile.dataset.stock = slot.stock;
  view.jam.setAttribute('aria-pressed', String(slot.jammed || blocked));
  view.light.classList.toggle('on', slot.relay_on);
  view.restock.hidden = slot.stock > 0;
}

function fall(icon, slot) {
  const from = slots[slot]?.tile.querySelector('svg').getBoundingClientRect();
  if (!from || quiet.matches || !icon.animate) return;
  const to = icon.getBoundingClientRect();
  const x = from.left + from.width / 2 - to.left - to.width / 2;
  const y = from.top + from.height / 2 - to.top - to.height / 2;
  icon.animate([{ transform: `translate(${x}px, ${y}px) scale(1.3)` }, { transform: 'rotate(-80deg)' }],
    { duration: 450, easing: 'cubic-bezier(.5, 0, .9, .6)' });
}

function drawBay(items, first) {
  const bay = $('bay');
  if (items.length < bay.children.length) bay.replaceChildren();
  for (const slot of items.slice(bay.children.length)) {
    const icon = goods(slot);
    icon.dataset.testid = 'bay-item';
    bay.append(icon);
    if (!first) fall(icon, slot);
  }
  bay.dataset.count = items.length;
  $('empty-bay').disabled = items.length === 0;
}

function drawMachine(state, first) {
  const { machine, terminal } = state;
  if (!slots) buildSlots(machine.slots);
  const blocked = new Set((terminal?.slots || []).filter((slot) => slot.blocked).map((slot) => slot.slot));
  for (const slot of machine.slots) drawSlot(slot, blocked.has(slot.name));
  drawBay(machine.bay, first);
  $('lamp').classList.toggle('on', machine.lamp);
  $('lamp-light').classList.toggle('on', machine.lamp);
  $('buzzer').classList.toggle('on', machine.buzzer);
  const armed = machine.scanner && terminal?.scanner_armed;
  $('scanner').className = `scanner${armed ? ' armed' : ''}${machine.scanner ? '' : ' out'}`;
  write($('scanner-word'), !machine.scanner ? 'scanner unplugged' : armed ? 'show a pay code' : 'scanner');
  $('unplug').setAttribute('aria-pressed', String(machine.scanner));
  $('plug').setAttribute('aria-pressed', String(!machine.scanner));
  if (state.picture !== picture) {
    picture = state.picture;
    $('screen').hidden = picture === 0;
    $('dark').hidden = picture !== 0;
    if (picture) $('screen').src = `/screen.png?picture=${picture}`;
  }
}

/* ---- the phone ---- */

let paidBefore = null;
let codeDies = 0;

/* Code 128, set C: two digits in a symbol, an odd last one in set B; each figure is the width of a bar or a space. */
const BARS = ('212222222122222221121223121322131222122213122312132212221213221312231212112232122132122231113222123122123221223211'
  + '221132221231213212223112312131311222321122321221312212322112322211212123212321232121111323131123131321112313132113132311'
  + '211313231113231311112133112331132131113123113321133121313121211331231131213113213311213131311123311321331121312113312311'
  + '332111314111221411431111111224111422121124121421141122141221112214112412122114122411142112142211241211221114413111241112'
  + '134111111242121142121241114212124112124211411212421112421211212141214121412121111143111341131141114113114311411113411311'
  + '113141114131311141411131211412211214211232').match(/.{6}/g);

function drawBars(code) {
  const symbols = code.match(/../g).map(Number);
  if (code.length % 2) symbols.push(100, Number(code.at(-1)) + 16);
  const check = symbols.reduce((sum, symbol, place) => sum + symbol * (place + 1), 105) % 103;
  const widths = [105, ...symbols, check].map((symbol) => BARS[symbol]).join('') + '2331112';
  let x = 10;
  let bars = '';
  [...widths].forEach((width, place) => {
    if (place % 2 === 0) bars += `<rect x="${x}" width="${width}" height="10"/>`;
    x += Number(width);
  });
  $('bars').setAttribute('viewBox', `0 0 ${x + 10} 10`);
  $('bars').innerHTML = bars;
}

function drawCodeLife() {
  const seconds = Math.ceil((codeDies - Date.now()) / 1000);
  $('code').hidden = seconds <= 0;
  write($('code-life'), `good for ${seconds} s and one payment`);
}

function drawCode(phone) {
  codeDies = phone.expires_at_ms;
  const shown = phone.code || '';
  if (shown && $('digits').dataset.code !== shown) {
    drawBars(shown);
    write($('digits'), shown.replace(/(\d{4})(?=\d)/g, '$1 '));
  }
  $('digits').dataset.code = shown;
  drawCodeLife();
}

function drawPhone(phone) {
  $('phone').dataset.app = phone.app;
  write($('app-name'), APPS[phone.app]);
  press('button[data-app]', (key) => key.dataset.app === phone.app);
  write($('balance'), yuan(phone.balance));
  const asked = phone.requests[0];
  $('ask').hidden = !asked;
  if (asked) {
    $('ask').dataset.payment = asked.id;
    write($('ask-merchant'), phone.merchant);
    write($('ask-subject'), asked.subject);
    write($('ask-amount'), yuan(asked.amount));
  }
  drawCode(phone);
  const lines = phone.payments.flatMap((payment) => {
    const paid = make('li', {}, make('span', { text: payment.subject }), make('span', { text: `−${yuan(payment.charged)}` }));
    if (!payment.refunded) return [paid];
    return [make('li', { class: 'back' }, make('span', { text: `Refund, ${payment.subject}` }), make('span', { text: `+${yuan(payment.refunded)}` })), paid];
  });
  if (phone.more_payments) lines.push(make('li', {}, make('span', { text: `and ${phone.more_payments} more` })));
  const print = JSON.stringify(phone.payments) + phone.more_payments;
  if ($('payments').dataset.print !== print) {
    $('payments').dataset.print = print;
    $('payments').replaceChildren(...lines);
  }
  tellOfMoney(phone);
}

function tellOfMoney(phone) {
  const sum = (name) => Object.fromEntries(phone.payments.map((payment) => [payment.number, payment[name]]));
  const now = { app: phone.app, charged: sum('charged'), refunded: sum('refunded') };
  if (paidBefore?.app === phone.app) {
    for (const payment of phone.payments) {
      const { number } = payment;
      if (now.refunded[number] > (paidBefore.refunded[number] || 0)) say(`${yuan(payment.refunded)} came back to you.`, 'good');
      else if (!(number in paidBefore.charged)) say(`Paid ${yuan(payment.charged)}.`, 'good');
    }
  }
  paidBefore = now;
}

/* ---- terminal and books ---- */

function drawDaemon(life, terminal) {
  const starts = life.starts > 1 ? `, start ${life.starts}` : '';
  const words = {
    ready: ['good', `daemon runs, pid ${life.pid}${starts}`],
    starting: ['wait', 'daemon reads its journal'],
    stopping: ['wait', 'daemon stops in order'],
    dead: ['bad', `daemon ${life.last_end}; starts again in 2 s`],
  }[life.phase];
  shade('daemon', ...words);
  $('daemon').dataset.phase = life.phase;
  $('daemon').dataset.starts = life.starts;
  const why = terminal?.blocking?.text;
  shade('selling', why ? 'bad' : 'good', !terminal ? '' : why ? `not selling: ${why}` : 'selling');
  $('kill').disabled = life.phase === 'dead';
  const log = life.log.join('\n');
  if ($('log').textContent !== log) {
    $('log').textContent = log;
    $('log').scrollTop = $('log').scrollHeight;
  }
}

function accountRow({ channel, charged, refunded, net }) {
  const cell = (name, fen) => make('td', { id: `${name}-${channel}`, text: yuan(fen) });
  return make('tr', {}, make('th', { text: CHANNELS[channel] || channel }), cell('charged', charged), cell('refunded', refunded), cell('net', net));
}

function orderRow(order) {
  const button = (what, text, fields = {}) => make('button', { id: `${text}-${order.id}`, text, 'data-does': text,
    'aria-label': `${text}, order ${order.id.slice(-6)}`, click: () => act(what, { order: order.id, ...fields }) });
  const can = {
    nothing: () => [],
    refund: () => [button('refund', 'refund')],
    decide: () => [button('decide', 'approve', { approved: true }), button('decide', 'decline', { approved: false })],
  }[order.can]();
  return make('tr', { 'data-order': order.id, 'data-state': order.state }, make('td', { text: `…${order.id.slice(-6)}` }),
    make('td', { text: order.can === 'decide' ? 'refund asked' : order.state }), make('td', { text: yuan(order.paid) }),
    make('td', { text: yuan(order.refunded) }), make('td', {}, ...can));
}

function verdict({ net, worth, given_back: back }) {
  const open = net + back - worth;
  if (open > 0) return `${yuan(open)} is paid and not delivered yet, or on its way back.`;
  if (open < 0) return `${yuan(-open)} is on its way: goods fell whose money is not in the books.`;
  return back ? `The books agree: kept money + ${yuan(back)} refunded by hand = goods fallen.` : 'The books agree: kept money = goods fallen.';
}

function drawBooks(books) {
  for (const name of ['charged', 'refunded', 'net', 'worth']) write($(name), yuan(books[name]));
  if ($('accounts').children.length !== books.accounts.length) $('accounts').replaceChildren(...books.accounts.map(accountRow));
  for (const account of books.accounts) {
    for (const name of ['charged', 'refunded', 'net']) write($(`${name}-${account.channel}`), yuan(account[name]));
  }
  write($('verdict'), verdict(books));
  $('verdict').className = books.net + books.given_back === books.worth ? 'good' : '';
  const chips = books.states.map(([state, count]) => make('span', { id: `state-${state}`, 'data-count': count, text: `${state} ${count}` }));
  const held = document.activeElement?.id;
  $('states').replaceChildren(...chips);
  $('orders').replaceChildren(...books.orders.map(orderRow));
  if (held) $(held)?.focus();
}

/* ---- the stream ---- */

let before = null;

function draw(state) {
  if (!state.machine) return;
  drawMachine(state, !before);
  drawPhone(state.phone);
  drawDaemon(state.life, state.terminal);
  if (JSON.stringify(before?.books) !== JSON.stringify(state.books)) drawBooks(state.books);
  for (const [name, show] of Object.entries(panel)) show(state.weather[name]);
  press('[data-language]', (key) => key.dataset.language === state.language);
  press('[data-one]', (key) => key.dataset.one === String(state.one_code));
  before = state;
}

const events = new EventSource('/events');
events.onmessage = (event) => {
  $('lost').hidden = true;
  draw(JSON.parse(event.data));
};
events.onerror = () => { $('lost').hidden = false; };
setInterval(() => { if (codeDies) drawCodeLife(); }, 500);
