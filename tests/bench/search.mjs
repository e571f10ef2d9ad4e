// Latency of GET /signals on a store that bench_fill filled, one request after the other on one connection: `node search.mjs http://127.0.0.1:PORT ROUNDS`.
// Every request asks something else, so no answer comes from a cache. Prints a line for each kind of question: kind, group (filter or search), p50, p95 in ms; at the
// end each group as a whole.
import http from 'node:http';

const [base, rounds] = [process.argv[2], Number(process.argv[3] ?? 40)];
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const LIMIT = 100;
const DAY = 86400e3;

// SplitMix-like and fixed: every run asks the same.
let state = 20261103;
const below = (n) => {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 4294967296) * n);
};
const pick = (list) => list[below(list.length)];

function get(query) {
  return new Promise((resolve, reject) => {
    const began = process.hrtime.bigint();
    http
      .get(`${base}/signals?${new URLSearchParams(query)}`, { agent }, (answer) => {
        const parts = [];
        answer.on('data', (part) => parts.push(part));
        answer.on('end', () => {
          const ms = Number(process.hrtime.bigint() - began) / 1e6;
          const body = Buffer.concat(parts).toString();
          if (answer.statusCode !== 200) reject(new Error(`${answer.statusCode} ${JSON.stringify(query)} ${body}`));
          else resolve({ ms, page: JSON.parse(body) });
        });
      })
      .on('error', reject);
  });
}

const percentile = (values, p) => values.toSorted((a, b) => a - b)[Math.ceil(values.length * p) - 1];
const groups = { filter: [], search: [] };

function report(kind, group, times) {
  groups[group].push(...times);
  console.log([kind, group, percentile(times, 0.5).toFixed(2), percentile(times, 0.95).toFixed(2)].join('\t'));
}

// `to` far beyond the newest row: another question with the same answer.
let unique = 1900000000000 + (Date.now() % 1e9) * 100;
const uncached = (query) => ('to' in query ? query : { ...query, to: unique++ });

// A cursor after which page 1,000 begins, or, when a filter leaves fewer rows, as far back in time as that page without filter, and farther.
async function deepCursor(query) {
  if (Object.keys(query).length === 0) return (await get({ limit: 1, offset: 99900 - 1, to: unique++ })).page.nextCursor;
  const to = query.to ?? newest - (73 + below(500)) * DAY;
  return (await get({ ...query, limit: 1, to })).page.nextCursor;
}

async function measureFilter(kind, make) {
  const first = [];
  const deep = [];
  for (let i = 0; i < rounds; i++) {
    const query = make();
    first.push((await get({ ...uncached(query), limit: LIMIT })).ms);
    const cursor = i < 4 ? await deepCursor(query) : null;
    if (cursor) for (let j = 0; j < rounds / 4; j++) deep.push((await get({ ...uncached(query), limit: LIMIT, cursor })).ms);
  }
  report(`${kind}, page 1`, 'filter', first);
  if (deep.length > 0) report(`${kind}, page 1,000 or farther`, 'filter', deep);
}

async function measureSearch(kind, make) {
  const times = [];
  for (let i = 0; i < rounds; i++) {
    const search = make();
    times.push((await get({ ...uncached({}), limit: LIMIT, search })).ms);
  }
  report(kind, 'search', times);
}

// Rows from all the time there is: what people would look for.
async function sample() {
  const rows = [];
  const newest = (await get({ limit: 1 })).page.data[0];
  for (let i = 0; i < 200; i++) {
    const to = Date.parse(newest.ts) - below(729 * DAY);
    rows.push(...(await get({ to, limit: 3 })).page.data);
  }
  return { rows, newest: Date.parse(newest.ts) };
}

const { rows, newest } = await sample();
const signals = rows.filter((row) => row.asset !== null);
const asset = () => pick(signals).asset;
const channel = () => pick(rows).channel_id;
const from = (days) => {
  const begin = newest - below(700 * DAY);
  return { from: begin, to: begin + days * DAY };
};

const filters = {
  'no filter': () => ({}),
  'channel': () => ({ channel: channel() }),
  'channel by name': () => ({ channel: pick(rows).channel }),
  'asset': () => ({ asset: asset() }),
  'type of direction': () => ({ type: pick(['BUY', 'SELL', 'UNKNOWN']) }),
  'type of trade': () => ({ type: pick(['Swing Trade', 'Day Trade', 'Scalping', 'Position']) }),
  'complete': () => ({ complete: pick([true, false]) }),
  'from and to, a week': () => from(7),
  'asset and type': () => ({ asset: asset(), type: pick(['SELL', 'Scalping', 'UNKNOWN']) }),
  'asset and channel': () => ({ asset: asset(), channel: channel() }),
  'rare channel and complete': () => ({ channel: -1001000000001 - 59 + below(10), complete: true }),
  'channel and type': () => ({ channel: channel(), type: pick(['SELL', 'Scalping', 'UNKNOWN']) }),
  'asset, direction and complete': () => ({ asset: asset(), type: pick(['UNKNOWN', 'BUY']), complete: true }),
  'UNKNOWN and complete': () => ({ type: 'UNKNOWN', complete: true }),
  'BUY and incomplete': () => ({ type: 'BUY', complete: false }),
  'channel and a day': () => ({ channel: channel(), ...from(1) }),
};
const words = () => pick(rows).raw_message.split(/[^\p{L}]+/u).filter((word) => word.length >= 3);
const piece = (n) => {
  const text = pick(rows).raw_message.replaceAll(/[^\p{L}\p{N}, ]+/gu, ' ').trim();
  return text.slice(below(text.length - n)).slice(0, n).trim().padEnd(3, 'a');
};
const searches = {
  'a word': () => pick(words()),
  'two words': () => {
    const all = words();
    const i = below(all.length - 1);
    return `${all[i]} ${all[i + 1]}`;
  },
  'an asset': asset,
  'a price': () => pick(signals).raw_message.match(/\d+,\d\d/)[0],
  'three characters': () => piece(3),
  'eight characters': () => piece(8),
  'nothing there is': () => `zq${below(1000000)}x`,
};

for (const [kind, make] of Object.entries(filters)) await measureFilter(kind, make);
for (const [kind, make] of Object.entries(searches)) await measureSearch(kind, make);
report('all filters', 'filter', [...groups.filter]);
report('all searches', 'search', [...groups.search]);
agent.destroy();
