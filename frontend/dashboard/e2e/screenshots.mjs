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
    await fillRegistry(api);
}

/** Days before today, for the statistics; channels, bots and messages that were passed on. @param {Api} api */
async function fillRegistry(api) {
    for (let day = 1; day < 30; day += 1) {
        const at = new Date(Date.now() - day * 24 * HOUR_MS);
        const isWeekend = at.getUTCDay() % 6 === 0;
        for (let n = 0; n < (isWeekend ? 1 : 6 + ((day * 7) % 9)); n += 1)
            await api.ingest({
                ...nextLive(n % CHANNELS.length),
                timestamp: ago(day * 24 * HOUR_MS + n * 600_000),
            });
    }
    for (const [label, channel_id, channel_type, description] of CHANNELS)
        await api.mutate('POST', '/telegram/channels', { label, channel_id, channel_type, description });
    for (const [at, username] of ['mesa_envio_bot', 'alerta_swing_bot'].entries())
        await api.mutate('POST', '/telegram/bots', {
            username,
            token: `12345${at}:${'a'.repeat(35)}`,
            description: at === 0 ? 'Envia para o canal de destino' : null,
        });
    for (let n = 0; n < 40; n += 1) {
        const [name, id] = CHANNELS[n % 3] ?? CHANNELS[0];
        const { text } = nextLive(0);
        await api.ingest({
            messageId: 90_000 + n,
            channelId: CHANNELS[3][1],
            channelName: name,
            text,
            source: 'replay',
            timestamp: ago(n * 700_000 + 5_000),
            forwarded: {
                originalChannelId: id,
                originalMessageId: 2_000 + n,
                destinationChannelId: CHANNELS[3][1],
                method: n % 3 === 0 ? 'copy' : 'forward',
            },
        });
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

const CHANNELS = /** @type {const} */ ([
    ['Sala Alfa Swing', '-1001000000001', 'source', 'Recomendações de swing, de segunda a sexta'],
    ['Mesa Delta Day Trade', '-1001000000002', 'source', null],
    ['Futuros Aurora', '-1001000000004', 'source', 'Índice e dólar'],
    ['Meu destino', '-1009990000001', 'destination', 'Onde a mesa lê'],
]);

/** @param {number} [channel] */
function nextLive(channel = 0) {
    serial += 1;
    const [channelName, channelId] = CHANNELS[channel] ?? CHANNELS[0];
    const [asset, side, entry] = LIVE[serial % LIVE.length] ?? LIVE[0];
    const price = (/** @type {number} */ share) =>
        (entry * (side === 'Compra' ? 1 + share : 1 - share)).toFixed(2).replace('.', ',');
    const targets = `Alvo 1: ${price(0.021)}\nAlvo 2: ${price(0.04)}\nAlvo final: ${price(0.072)}`;
    return {
        messageId: serial,
        channelId,
        channelName,
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

/** A page other than Sinais, once its first row stands. @param {Page} page @param {string} path */
async function listAt(page, path) {
    await openLive(page, address + path);
    await page.getByTestId('row').first().waitFor();
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
    why: async (page) => {
        await asThroughTheDay(page);
        await openLive(page, `${address}/sinais?type=UNKNOWN`);
        await rows(page).nth(3).getByRole('link').click();
        await page.getByTestId('check-asset').scrollIntoViewIfNeeded();
    },
    delete: async (page) => {
        await list(page);
        await rows(page).nth(2).getByRole('link').click();
        await page.getByTestId('original').waitFor();
        await page.keyboard.press('Delete');
        await page.getByRole('dialog').waitFor();
    },
    statistics: async (page) => {
        await listAt(page, '/sinais/estatisticas');
        await page.getByTestId('day-chart').locator('canvas').waitFor();
        await page.getByTestId('day-chart').hover();
    },
    reparse: async (page) => {
        await openLive(page, `${address}/sinais/reler`);
        await page.getByRole('button', { name: 'Comparar' }).click();
        await page.getByTestId('row').first().waitFor();
    },
    messages: (page) => listAt(page, '/mensagens'),
    message: async (page) => {
        await listAt(page, '/mensagens');
        await page.getByTestId('row').nth(2).getByRole('link').first().click();
        await page.getByTestId('panel').waitFor();
    },
    channels: (page) => listAt(page, '/canais'),
    channel: async (page) => {
        await listAt(page, '/canais?edit=new');
        await page.getByLabel('Nome', { exact: true }).fill('Sala nova');
        await page.getByLabel('ID do canal').fill('@sala');
        await page.keyboard.press('Enter');
    },
    bots: (page) => listAt(page, '/bots'),
    bot: async (page) => {
        await listAt(page, '/bots');
        await page.getByTestId('row').getByRole('link').first().click();
        await page.getByRole('dialog').waitFor();
    },
    logs: async (page) => {
        await listAt(page, '/logs');
        await page.getByTestId('row').nth(1).locator('summary').click();
    },
    nobots: (page) => openLive(page, `${emptyAddress}/bots`),
    nomessages: (page) => openLive(page, `${address}/mensagens?search=nada-disso-existe`),
    channelserror: async (page) => {
        await page.route('**/api/tp-capital/telegram/channels', (route) => route.abort());
        await page.goto(`${address}/canais`);
        await page.getByText('Tentar de novo').waitFor();
    },
    notfound: (page) => page.goto(`${address}/nada`),
};

const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const isForDocs = process.argv.includes('--docs');

try {
    await mkdir(target, { recursive: true });
    api = await Api.start();
    await fill(api);
    // As an older parser would have left some rows, for the picture of the second reading.
    await api.alter(
        "UPDATE tp_capital_signals SET target_1 = NULL, trade_type = 'Position' WHERE id % 25 = 0 AND signal_type <> 'UNKNOWN'",
    );
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
        await copyFile(join(target, 'statistics-1440-dark.png'), join(images, 'estatisticas-dark.png'));
    }
} finally {
    await cleanUp();
}
