// Statistics, export and the second reading: numbers that lead to their rows, files that hold all of them, changes that are seen first.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe } from 'node:test';
import {
    ago,
    Api,
    buy,
    cleanUp,
    openLive,
    pageTester,
    rows,
    sell,
    servePage,
    startBrowser,
    startGateway,
    until,
} from './harness.mjs';

/** @typedef {import('playwright-core').Page} Page */
/** @typedef {{ total: { signals: number, messages: number }, days: { day: string, signals: number, messages: number }[], channels: { channel: string, messages: number }[] }} Statistics */

const DAY_MS = 86_400_000;

/** @type {Api} */
let api;
/** @type {string} */
let address;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
    api = await Api.start();
    for (let n = 0; n < 60; n += 1)
        await api.ingest(
            (n % 3 === 0 ? sell : buy)(['ITUB4', 'PETR4', 'VALE3'][n % 3] ?? '', {
                timestamp: ago((n % 6) * DAY_MS + n * 1_000),
                ...(n % 4 === 0 && { channelId: '-1001111111111', channelName: 'Mesa Delta' }),
            }),
        );
    await api.ingest({ messageId: 1, text: 'Bom dia, pessoal!', timestamp: ago(DAY_MS) });
    const gateway = await startGateway(api, []);
    address = await servePage(api, gateway.port);
    browser = await startBrowser();
});

after(cleanUp);

const pageTest = pageTester(() => browser);

/** @param {string} [query] */
async function statistics(query = '') {
    return /** @type {Statistics} */ ((await api.read(`/signals/statistics${query}`)).body);
}

/** How many rows the list says it has. @param {Page} page */
async function listed(page) {
    await rows(page).first().waitFor();
    const shown = await until('a count', async () =>
        /de ([\d.]+)$/.exec(await page.getByTestId('showing').innerText()),
    );
    return Number(shown[1]?.replaceAll('.', ''));
}

describe('statistics', () => {
    pageTest('by keyboard: from the list to the chart, from a day to its rows', async (page) => {
        /** @type {string[]} */
        const scripts = [];
        page.on('request', (request) => {
            if (request.resourceType() === 'script') scripts.push(request.url());
        });
        await openLive(page, `${address}/sinais`);
        await rows(page).first().waitFor();
        assert.equal(
            scripts.some((url) => url.includes('StatisticsPage')),
            false,
            'no chart on the first page',
        );
        await page.keyboard.press('g');
        await page.keyboard.press('e');
        const chart = page.getByTestId('day-chart');
        await chart.locator('canvas').waitFor();
        const { total, days } = await statistics();
        await page
            .getByTestId('total')
            .filter({ hasText: `${total.signals} sinais` })
            .waitFor();

        await until('the focus on the chart', async () => {
            if (await chart.evaluate((element) => element === document.activeElement)) return true;
            await page.keyboard.press('Tab');
            return false;
        });
        const last = days.at(-1);
        await until('the last day', async () =>
            (await chart.getAttribute('aria-valuetext'))?.includes(`${last?.signals} sinais`),
        );
        await page.keyboard.press('ArrowLeft');
        const before = days.at(-2);
        await until('the day before', async () =>
            (await chart.getAttribute('aria-valuetext'))?.includes(`${before?.signals} sinais`),
        );
        await page.keyboard.press('Enter');
        await page.waitForURL(new RegExp(`/sinais\\?from=${before?.day}&to=${before?.day}`));
        assert.equal(await listed(page), before?.messages);
    });

    pageTest(
        'of one channel: filters travel there and back, and the rows are those that were counted',
        async (page) => {
            await openLive(page, `${address}/sinais?type=SELL`);
            await rows(page).first().waitFor();
            await page.getByRole('link', { name: 'Ver as estatísticas deste filtro' }).click();
            await page.waitForURL(/\/sinais\/estatisticas\?type=SELL/);
            const { channels } = await statistics('?type=SELL');
            const channel = channels.find(({ channel: name }) => name === 'Mesa Delta');
            await page
                .getByRole('table', { name: 'Por canal' })
                .getByRole('link', { name: 'Mesa Delta' })
                .click();
            await page.waitForURL(/\/sinais\?.*channel=-1001111111111/);
            assert.match(page.url(), /type=SELL/);
            assert.equal(await listed(page), channel?.messages);
            await page.goBack();
            await page.waitForURL(/estatisticas/);
            await page.getByRole('link', { name: 'Ver a lista destes sinais' }).click();
            await page.waitForURL(/\/sinais\?type=SELL/);
        },
    );

    pageTest(
        'say that nothing matches, and that a period is too long',
        async (page) => {
            await openLive(page, `${address}/sinais/estatisticas?asset=XXXX3`);
            await page.getByText('Nenhum sinal com esses filtros').waitFor();
            await page.goto(`${address}/sinais/estatisticas?from=2010-01-01`);
            await page.getByText('O período passa de 1.100 dias').waitFor();
        },
        { allowed: /400/ },
    );

    pageTest(
        'in English, light, on a phone, fit the screen',
        async (page) => {
            await page.addInitScript(() => localStorage.setItem('ts.language', '"en"'));
            await openLive(page, `${address}/sinais/estatisticas`);
            await page.getByTestId('day-chart').locator('canvas').waitFor();
            await page.getByRole('heading', { name: 'Statistics', level: 1 }).waitFor();
            const isWide = await page.evaluate(
                () => document.documentElement.scrollWidth > window.innerWidth,
            );
            assert.equal(isWide, false);
        },
        { viewport: { width: 390, height: 844 }, colorScheme: 'light' },
    );
});

describe('an export', () => {
    pageTest('has every row of the filter, by menu as a spreadsheet, by command as JSON', async (page) => {
        await openLive(page, `${address}/sinais?asset=ITUB4`);
        const count = await listed(page);
        await page.getByRole('button', { name: 'Exportar' }).click();
        const [sheet] = await Promise.all([
            page.waitForEvent('download'),
            page.getByRole('menuitem', { name: 'Planilha (CSV)' }).click(),
        ]);
        assert.equal(sheet.suggestedFilename(), 'tp-capital-signals.csv');
        const text = await readFile(await sheet.path(), 'utf8');
        // A message has lines of its own, within quotes; a row begins with its date.
        assert.equal(text.match(/^\d\d\/\d\d\/\d{4} /gm)?.length, count);
        assert.match(text, /^\uFEFFDATA;CANAL;TIPO;ATIVO;/);

        await page.keyboard.press('Control+k');
        await page.keyboard.type('exportar json');
        const [json] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
        assert.equal(json.suggestedFilename(), 'tp-capital-signals.json');
        const parsed = /** @type {unknown} */ (JSON.parse(await readFile(await json.path(), 'utf8')));
        const { data } = /** @type {{ data: { asset: string }[] }} */ (parsed);
        assert.equal(data.length, count);
        assert.ok(data.every(({ asset }) => asset === 'ITUB4'));
    });
});

describe('messages read again', () => {
    pageTest(
        'show what would change before it does, and change when adopted, on every screen',
        async (page) => {
            await api.ingest(buy('EGIE3'));
            // As an older parser would have left it.
            await api.alter(
                "UPDATE tp_capital_signals SET target_1 = NULL, stop = 29000000 WHERE asset = 'EGIE3'",
            );
            await openLive(page, `${address}/sinais/estatisticas`);
            await page.getByRole('link', { name: 'Reler mensagens' }).click();
            await page.getByRole('button', { name: 'Comparar' }).click();
            const table = page.getByRole('table', { name: /Diferenças/ });
            await table
                .getByRole('row')
                .filter({ hasText: /Stop[^]*29,00[^]*30,55/ })
                .waitFor();
            await table
                .getByRole('row')
                .filter({ hasText: /Alvo 1[^]*–[^]*32,10/ })
                .waitFor();
            await page.getByTestId('verdict').filter({ hasText: '1 mudaria' }).waitFor();
            const stored = async () => {
                const { body } = await api.read('/signals?asset=EGIE3');
                return /** @type {{ data: { stop: number, target_1: number | null }[] }} */ (body).data[0];
            };
            assert.deepEqual(
                [(await stored())?.stop, (await stored())?.target_1],
                [29, null],
                'only compared',
            );

            await page.getByRole('button', { name: 'Adotar 1 mudança' }).click();
            await page.getByRole('dialog', { name: 'Adotar as mudanças?' }).waitFor();
            await page.keyboard.press('Tab');
            await page.keyboard.press('Enter');
            await page.getByTestId('verdict').filter({ hasText: '1 sinal alterado' }).waitFor();
            assert.deepEqual([(await stored())?.stop, (await stored())?.target_1], [30.55, 32.1]);

            await page.getByRole('button', { name: 'Comparar de novo' }).click();
            await page.getByText('Nada mudaria').waitFor();
        },
    );
});
