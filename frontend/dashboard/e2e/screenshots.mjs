// Every state of the page in three widths and both themes, for a person to look at: build/screenshots/<state>-<width>-<theme>.png.
// The real API and gateway with the messages of samples/signals.jsonl, spread over today. `--docs` also renews docs/images.
import { copyFile, mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
    ago,
    Api,
    cleanUp,
    freePort,
    openLive,
    openPage,
    pageFolder,
    rows,
    servePage,
    startBrowser,
    startGateway,
} from './harness.mjs';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {{ id: number, ts: string, ingested_at: string }} Stored */

const root = join(pageFolder, '../..');
const target = join(root, 'build/screenshots');
const HOUR_MS = 3_600_000;

/** @param {Api} api */
async function fill(api) {
    const lines = (await readFile(join(root, 'samples/signals.jsonl'), 'utf8')).trim().split('\n');
    const parsed = /** @type {unknown} */ (JSON.parse(`[${lines.join(',')}]`));
    const messages = /** @type {import('./harness.mjs').Message[]} */ (parsed);
    const samples = messages.filter(({ editedAt, deleted }) => editedAt === undefined && deleted !== true);
    // Three rounds over the last eleven hours, busier at the open, with uneven gaps that are the same in each run.
    const all = [0, 1, 2].flatMap((round) =>
        samples.map((sample, at) => ({ ...sample, messageId: 1_000 * (round + 1) + at })),
    );
    for (const [at, message] of all.entries()) {
        const share = (at + ((at * 7) % 5) / 5) / all.length;
        const age = (1 - share) ** 0.8 * 11 * HOUR_MS + 90_000;
        // Stored now, sent earlier: they are late by construction. Only the few that the pictures want late are left so.
        await api.ingest({ ...message, timestamp: ago(age) });
    }
}

/**
 * What was stored in one go, all of it late, as it would have come through the day. Pictures only: the answers are the API's
 * own, with `ingested_at` moved to a second after `ts` on all but every ninth row.
 * @param {Page} page
 */
async function asThroughTheDay(page) {
    await page.route(/\/api\/tp-capital\/signals(\?|\/\d+$)/, async (route) => {
        const response = await route.fetch();
        const parsed = /** @type {unknown} */ (JSON.parse(await response.text()));
        const body = /** @type {{ data: Stored | Stored[] }} */ (parsed);
        for (const signal of Array.isArray(body.data) ? body.data : [body.data]) {
            const delay = signal.id % 9 === 4 ? 190_000 : 900;
            signal.ingested_at = new Date(Date.parse(signal.ts) + delay).toISOString();
        }
        await route.fulfill({ response, json: body });
    });
}

const SIZES = [
    { width: 1440, height: 900 },
    { width: 768, height: 1024 },
    { width: 390, height: 844 },
];

/** @type {Api} */
let api;
/** @type {string} */
let address;
/** @type {string} */
let emptyAddress;
let serial = 50_000;

/** Signals that come while the picture is taken: asset, side, entry. */
const LIVE = /** @type {const} */ ([
    ['VALE3', 'Compra', 62.1],
    ['PRIO3', 'Venda', 44.3],
    ['BBAS3', 'Compra', 27.35],
    ['WEGE3', 'Compra', 51.8],
    ['SUZB3', 'Venda', 53.2],
    ['ITUB4', 'Compra', 31.4],
    ['RADL3', 'Venda', 26.7],
    ['B3SA3', 'Compra', 12.12],
]);

function nextLive() {
    serial += 1;
    const [asset, side, entry] = LIVE[serial % LIVE.length] ?? LIVE[0];
    const price = (/** @type {number} */ share) =>
        (entry * (side === 'Compra' ? 1 + share : 1 - share)).toFixed(2).replace('.', ',');
    const targets = `Alvo 1: ${price(0.021)}\nAlvo 2: ${price(0.04)}\nAlvo final: ${price(0.072)}`;
    return {
        messageId: serial,
        channelId: '-1001000000001',
        channelName: 'Sala Alfa Swing',
        source: 'replay',
        text: `Swing Trade\nAtivo: ${asset}\n${side}: R$ ${price(0)} a ${price(0.004)}\n${targets}\nStop: ${price(-0.026)}\n\nGerencie o risco.`,
    };
}

/** @param {Page} page @param {string} [search] */
async function list(page, search = '') {
    await asThroughTheDay(page);
    await openLive(page, `${address}/sinais${search}`);
    await rows(page).first().waitFor();
    for (let n = 0; n < 2; n += 1) {
        await api.ingest(nextLive());
        await sleep(300);
    }
}

/** @type {Record<string, (page: Page) => Promise<unknown>>} */
const STATES = {
    list: (page) => list(page),
    panel: async (page) => {
        await list(page);
        await rows(page)
            .filter({ hasText: /COMPRA|VENDA/ })
            .nth(2)
            .getByRole('link')
            .click();
        await page.getByTestId('original').waitFor();
        await page.mouse.move(0, 0);
    },
    waiting: async (page) => {
        await list(page);
        await page.getByTestId('scroller').evaluate((element) => (element.scrollTop = 400));
        for (const timestamp of [ago(0), ago(0), ago(400_000)])
            await api.ingest({ ...nextLive(), timestamp });
        await page.getByTestId('pill').waitFor();
    },
    filtered: (page) => list(page, '?type=BUY&search=alvo&complete=true'),
    nomatch: (page) => openLive(page, `${address}/sinais?search=nada-disso-existe`),
    empty: (page) => openLive(page, emptyAddress),
    loading: async (page) => {
        await page.route('**/api/tp-capital/signals?*', () => undefined);
        await page.goto(address);
        await sleep(600);
    },
    error: async (page) => {
        await page.route('**/api/tp-capital/signals?*', (route) => route.abort());
        await page.goto(address);
        await page.getByText('Tentar de novo').waitFor();
    },
    stale: async (page) => {
        await asThroughTheDay(page);
        await page.route('**/signals/stream*', (route) => route.abort());
        await page.goto(address);
        await page.getByTestId('stale').waitFor();
    },
    palette: async (page) => {
        await list(page);
        await page.keyboard.press('Control+k');
        await page.getByRole('dialog').waitFor();
    },
    keys: async (page) => {
        await list(page);
        await page.keyboard.press('?');
        await page.getByRole('dialog').waitFor();
    },
    english: async (page) => {
        await page.addInitScript(() => localStorage.setItem('ts.language', '"en"'));
        await list(page);
    },
    notfound: (page) => page.goto(`${address}/nada`),
};

const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const isForDocs = process.argv.includes('--docs');

try {
    await mkdir(target, { recursive: true });
    api = await Api.start();
    await fill(api);
    const gateway = await startGateway(api, []);
    address = await servePage(api, gateway.port);
    emptyAddress = await servePage(await Api.start(), await freePort());
    const browser = await startBrowser();
    for (const [state, show] of Object.entries(STATES)) {
        if (wanted.length > 0 && !wanted.includes(state)) continue;
        for (const viewport of SIZES)
            for (const colorScheme of /** @type {const} */ (['dark', 'light'])) {
                const { context, page } = await openPage(browser, { viewport, colorScheme });
                await show(page);
                await sleep(700);
                await page.screenshot({
                    path: join(target, `${state}-${viewport.width}-${colorScheme}.png`),
                });
                await context.close();
            }
        console.log(state);
    }
    if (isForDocs) {
        const images = join(root, 'docs/images');
        await mkdir(images, { recursive: true });
        await copyFile(join(target, 'panel-1440-dark.png'), join(images, 'sinais-dark.png'));
        await copyFile(join(target, 'list-1440-light.png'), join(images, 'sinais-light.png'));
        await copyFile(join(target, 'list-390-dark.png'), join(images, 'sinais-phone.png'));
    }
} finally {
    await cleanUp();
}
