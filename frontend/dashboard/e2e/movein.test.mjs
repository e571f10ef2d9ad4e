// Moving in: a dump of the system before is imported, and every row of it is found on the page.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe } from 'node:test';
import {
    Api,
    cleanUp,
    openLive,
    pageTester,
    rows,
    scratch,
    servePage,
    startBrowser,
    startGateway,
    until,
} from './harness.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** @type {string} */
let address;
/** @type {import('playwright-core').Browser} */
let browser;

const SIGNALS = 260; // more than one page of the list
const FORWARDED = 60;
const ASSETS = ['PETR4', 'VALE3', 'ITUB4', 'BBAS3', 'WINFUT'];
const START = Date.parse('2025-09-01T12:00:00Z');

/** @param {string} text */
const quoted = (text) => `"${text.replaceAll('"', '""')}"`;

/** Both forms of the old `ts`, and of the old `signal_type`; no ids of messages. @param {number} n */
function oldSignal(n) {
    const ts = START + n * 3_600_000;
    const price = (20 + n / 100).toFixed(2);
    const asset = ASSETS[n % ASSETS.length] ?? '';
    const kind = n % 4 === 3 ? 'SELL' : 'Swing Trade';
    return [
        n + 1,
        n % 2 === 0 ? ts : new Date(ts).toISOString(),
        n % 3 === 0 ? 'Sala Antiga' : 'Mesa de Outrora',
        asset,
        kind,
        price,
        price,
        quoted(`Ativo: ${asset}\nCompra: "${price}"\nficha ${n}.`),
    ].join(',');
}

/** @param {number} n */
const oldForwarded = (n) =>
    JSON.stringify({
        id: n + 1,
        ts: new Date(START + n * 60_000).toISOString(),
        source_channel_id: '-1001000000001',
        source_channel_name: 'Sala Antiga',
        message_id: 700 + n,
        message_text: `Aviso ${n}.`,
        forwarded_at: new Date(START + n * 60_000 + 5_000).toISOString(),
        destination_channel_id: '-1001000000009',
        forward_method: n % 2 === 0 ? 'forward' : 'copy',
    });

before(async () => {
    const folder = await scratch('dump');
    /** @param {string} name @param {readonly string[]} lines */
    const dump = async (name, lines) => {
        await writeFile(join(folder, name), lines.map((line) => line + '\n').join(''));
        return join(folder, name);
    };
    const signals = await dump('signals.csv', [
        'id,ts,channel,asset,signal_type,price,buy_min,raw_message',
        ...Array.from({ length: SIGNALS }, (_, n) => oldSignal(n)),
    ]);
    const forwarded = await dump(
        'forwarded.jsonl',
        Array.from({ length: FORWARDED }, (_, n) => oldForwarded(n)),
    );
    const channels = await dump('channels.csv', [
        'id,label,channel_id,channel_type,status',
        'channel-1,Sala Antiga,-1001000000001,source,active',
        'channel-2,Mesa de Outrora,-1001000000002,source,inactive',
    ]);
    const bots = await dump('bots.csv', [
        'id,username,token,bot_type,status',
        'bot-1,mensageiro_bot,123456789:INVENTED-token-of-nobody-0123456789,Sender,active',
    ]);
    const api = await Api.start();
    for (const [table, file, count] of /** @type {const} */ ([
        ['signals', signals, SIGNALS],
        ['forwarded_messages', forwarded, FORWARDED],
        ['channels', channels, 2],
        ['bots', bots, 1],
    ])) {
        assert.match(await api.moveIn(table, file), new RegExp(`${count} read, ${count} stored`));
        assert.match(
            await api.moveIn(table, file),
            new RegExp(`${count} read, 0 stored, ${count} already there`),
        );
    }
    const gateway = await startGateway(api, []);
    address = await servePage(api, gateway.port);
    browser = await startBrowser();
});

after(cleanUp);

const pageTest = pageTester(() => browser);

/** Scrolls through a list, which loads more as its end comes into sight. @param {Page} page @returns {Promise<Map<string, string>>} texts by id */
async function walkSignals(page) {
    const found = /** @type {Map<string, string>} */ (new Map());
    const scroller = page.getByTestId('scroller');
    await rows(page).first().waitFor();
    await until(
        'every signal was seen',
        async () => {
            const seen = await rows(page).evaluateAll((elements) =>
                elements.map(
                    (element) =>
                        /** @type {const} */ ([element.getAttribute('data-id') ?? '', element.textContent]),
                ),
            );
            for (const [id, text] of seen) found.set(id, text);
            await scroller.evaluate((element) => (element.scrollTop += element.clientHeight / 2));
            return found.size >= SIGNALS;
        },
        60_000,
    );
    return found;
}

describe('after an import', () => {
    pageTest('every signal is in the list, with its price and channel', async (page) => {
        await openLive(page, `${address}/sinais`);
        const texts = [...(await walkSignals(page)).values()];
        assert.equal(texts.length, SIGNALS);
        for (let n = 0; n < SIGNALS; n += 1) {
            const price = (20 + n / 100).toFixed(2).replace('.', ',');
            const matching = texts.filter(
                (text) => text.includes(price) && text.includes(ASSETS[n % ASSETS.length] ?? ''),
            );
            assert.equal(matching.length, 1, `row ${n}: ${price}`);
            assert.ok(
                matching[0]?.includes(n % 3 === 0 ? 'Sala Antiga' : 'Mesa de Outrora'),
                `row ${n}: channel`,
            );
        }
    });

    pageTest('a word of an old message finds it', async (page) => {
        await openLive(page, `${address}/sinais?search=${encodeURIComponent('ficha 37.')}`);
        await until('one row', async () => (await rows(page).count()) === 1);
    });

    pageTest('forwarded messages, channels and bots are on their pages', async (page) => {
        await openLive(page, `${address}/mensagens?rows=100`);
        const table = page.getByTestId('row');
        await until('every message', async () => (await table.count()) === FORWARDED);
        const texts = await table.allTextContents();
        for (let n = 0; n < FORWARDED; n += 1)
            assert.equal(texts.filter((text) => text.includes(`Aviso ${n}.`)).length, 1, `message ${n}`);
        await page.goto(`${address}/canais`);
        for (const label of ['Sala Antiga', 'Mesa de Outrora'])
            await table.filter({ hasText: label }).waitFor();
        await page.goto(`${address}/bots`);
        await table.filter({ hasText: 'mensageiro_bot' }).waitFor();
        assert.equal(await page.getByText('INVENTED').count(), 0);
    });
});
