// The Sinais page against the real API and gateway, in Chromium, under the production headers.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, describe } from 'node:test';
import {
    ago,
    Api,
    buy,
    cleanUp,
    layoutShift,
    openLive,
    pageTester,
    rows,
    sell,
    servePage,
    startBrowser,
    startGateway,
    until,
} from './harness.mjs';

/** @type {Api} */
let api;
/** @type {string} */
let address;
/** @type {import('playwright-core').Browser} */
let browser;

const MESSAGE_OF_GATEWAY = {
    channelId: '-1001234567891',
    channelName: 'Mesa Day Trade',
    messageId: 7,
    text: 'Day Trade\nPapel: RADL3\nEntrada: 26,70\nTP: 27,15\nSL: 26,40',
    source: 'replay',
};

before(async () => {
    api = await Api.start();
    for (let n = 0; n < 120; n += 1)
        await api.ingest(
            (n % 3 === 0 ? sell : buy)(n % 2 === 0 ? 'ITUB4' : 'PETR4', {
                timestamp: ago((200 - n) * 60_000),
            }),
        );
    const gateway = await startGateway(api, [{ ...MESSAGE_OF_GATEWAY, timestamp: ago(5_000) }]);
    address = await servePage(api, gateway.port);
    browser = await startBrowser();
});

after(cleanUp);

const pageTest = pageTester(() => browser);

/** @param {import('playwright-core').Page} page @param {string} asset */
const rowOf = (page, asset) => rows(page).filter({ hasText: asset });

describe('a message', () => {
    pageTest('through the gateway is a row, and the page says that it is a demonstration', async (page) => {
        await openLive(page, address);
        const row = rowOf(page, 'RADL3');
        await row.waitFor();
        assert.match(await row.innerText(), /Mesa Day Trade[^]*COMPRA[^]*RADL3[^]*26,70[^]*27,15[^]*26,40/);
        await page.getByText('Demonstração: sinais inventados').waitFor();
    });

    pageTest('that comes now appears by itself, on top, highlighted, and is announced', async (page) => {
        await openLive(page, `${address}/sinais`);
        await rows(page).first().waitFor();
        await api.ingest(buy('VALE3'));
        await page
            .locator('[data-testid=signal-row][data-fresh=true]')
            .filter({ hasText: 'VALE3' })
            .waitFor();
        assert.match(await rows(page).first().innerText(), /VALE3/);
        await page
            .getByTestId('live-region')
            .filter({ hasText: 'COMPRA VALE3' })
            .waitFor({ state: 'attached' });
    });

    pageTest('that comes late says how late, and is not highlighted', async (page) => {
        await openLive(page, address);
        await api.ingest(buy('PRIO3', { timestamp: ago(200_000) }));
        const row = rowOf(page, 'PRIO3');
        await row.waitFor();
        assert.match(await row.innerText(), /atrasado\s+3\s+min/);
        assert.equal(await row.getAttribute('data-fresh'), 'false');
    });

    pageTest('waits under the pill while the reader is further down, late ones apart', async (page) => {
        await openLive(page, address);
        const scroller = page.getByTestId('scroller');
        await rows(page).first().waitFor();
        await scroller.evaluate((element) => (element.scrollTop = 640));
        const middle = await rows(page).nth(20).boundingBox();
        const text = await rows(page).nth(20).innerText();
        await api.ingest(buy('SUZB3'));
        await api.ingest(buy('SUZB3'));
        await api.ingest(sell('SUZB3', { timestamp: ago(300_000) }));
        const pill = page.getByTestId('pill');
        await pill.filter({ hasText: '2 novos sinais · 1 atrasado' }).waitFor();
        assert.equal(await rows(page).nth(20).innerText(), text, 'the list stands still');
        assert.deepEqual(await rows(page).nth(20).boundingBox(), middle);
        await pill.click();
        await rows(page).first().filter({ hasText: 'SUZB3' }).waitFor();
        assert.equal(await scroller.evaluate((element) => element.scrollTop), 0);
        await pill.waitFor({ state: 'detached' });
    });

    pageTest('that is edited changes its row in place, and keeps its versions', async (page) => {
        const message = buy('B3SA3');
        await api.ingest(message);
        await openLive(page, address);
        await rowOf(page, 'B3SA3').first().waitFor();
        const text = message.text?.replace('30,55', '29,99') ?? '';
        await api.ingest({ ...message, text, editedAt: new Date().toISOString() });
        const row = rowOf(page, '29,99');
        await row.waitFor();
        assert.equal(await rowOf(page, 'B3SA3').count(), 1);
        await row.click();
        const panel = page.getByTestId('panel');
        await panel.getByText('2 versões').waitFor();
        await panel.getByText('Original', { exact: true }).click();
        await panel.locator('blockquote').filter({ hasText: '30,55' }).waitFor();
    });

    pageTest('that is deleted leaves', async (page) => {
        const message = buy('WEGE3');
        await api.ingest(message);
        await openLive(page, address);
        await rowOf(page, 'WEGE3').waitFor();
        await api.ingest({ messageId: message.messageId, deleted: true });
        await rowOf(page, 'WEGE3').waitFor({ state: 'detached' });
    });
});

describe('filters', () => {
    pageTest('live in the address, survive a reload, and go back', async (page) => {
        await openLive(page, `${address}/sinais`);
        await rows(page).first().waitFor();
        await page.getByRole('radiogroup').getByText('Venda').click();
        await page.getByLabel('Ativo: Código exato').fill('petr4');
        await page.waitForURL(/type=SELL.*asset=PETR4/);
        const all = async () =>
            (await rows(page).allInnerTexts()).every((text) => /VENDA[^]*PETR4/.test(text));
        await until('only sales of PETR4', async () => (await rows(page).count()) > 0 && (await all()));
        const showing = await page.getByTestId('showing').innerText();
        await page.reload();
        await until(
            'the same after a reload',
            async () => (await page.getByTestId('showing').innerText()) === showing && (await all()),
        );
        await page.getByRole('button', { name: 'Limpar filtros' }).click();
        await page.waitForURL((url) => url.search === '');
        await page.goBack();
        await page.waitForURL(/type=SELL/);
        await until('the filtered list is back', all);
    });

    pageTest('apply to what comes by the stream', async (page) => {
        await openLive(page, `${address}/sinais?type=SELL`);
        await rows(page).first().waitFor();
        await api.ingest(buy('CMIG4'));
        await api.ingest(sell('CSNA3'));
        await rowOf(page, 'CSNA3').waitFor();
        assert.equal(await rowOf(page, 'CMIG4').count(), 0);
    });

    pageTest('that match nothing say so and offer the way out', async (page) => {
        await openLive(page, `${address}/sinais?search=nada-disso-existe`);
        await page.getByText('Nenhum sinal com esses filtros').waitFor();
        await page.getByRole('main').getByRole('button', { name: 'Limpar filtros' }).last().click();
        await rows(page).first().waitFor();
    });
});

describe('the list', () => {
    pageTest('loads page after page to its end, each row once, and counts them', async (page) => {
        await openLive(page, address);
        await rows(page).first().waitFor();
        /** @type {Set<string>} */
        const seen = new Set();
        const scroller = page.getByTestId('scroller');
        await until('the end of the list', async () => {
            for (const id of await rows(page).evaluateAll((list) =>
                list.map((row) => row.getAttribute('data-id')),
            ))
                seen.add(id ?? '');
            const isAtEnd = await scroller.evaluate(
                ({ scrollTop, clientHeight, scrollHeight }) => scrollTop + clientHeight >= scrollHeight - 1,
            );
            if (isAtEnd && (await page.getByText('Fim da lista').isVisible())) return true;
            // Less than a window at a time, and never past rows that are not painted yet.
            await scroller.evaluate(async (element) => {
                element.scrollTop += 400;
                await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
            });
            return false;
        });
        const [shown, total] = (await page.getByTestId('showing').innerText()).match(/\d+/g) ?? [];
        assert.equal(shown, total);
        assert.equal(seen.size, Number(total));
    });

    pageTest('exports everything that matches, formulas disarmed', async (page) => {
        await api.ingest({ messageId: 9_001, text: '=1+1 COMPRA GGBR4 a 20,50', channelName: '+Sinais' });
        await openLive(page, `${address}/sinais?asset=GGBR4`);
        await rows(page).first().waitFor();
        await page.getByRole('button', { name: 'Exportar' }).click();
        const [download] = await Promise.all([
            page.waitForEvent('download'),
            page.getByRole('menuitem', { name: 'Planilha (CSV)' }).click(),
        ]);
        assert.equal(download.suggestedFilename(), 'tp-capital-signals.csv');
        const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\r\n');
        assert.equal(lines.length, 2);
        assert.match(lines[1] ?? '', /;'\+Sinais;COMPRA;GGBR4;Swing Trade;20,50;/);
        assert.match(lines[1] ?? '', /;'=1\+1 COMPRA/);
    });

    pageTest('keeps hidden columns hidden', async (page) => {
        await openLive(page, address);
        await page.getByRole('columnheader', { name: 'ALVO 2' }).waitFor();
        await page.getByRole('button', { name: 'Colunas' }).click();
        await page.getByRole('menuitemcheckbox', { name: 'ALVO 2' }).click();
        await page.keyboard.press('Escape');
        await page.getByRole('columnheader', { name: 'ALVO 2' }).waitFor({ state: 'detached' });
        await page.reload();
        await page.getByRole('columnheader', { name: 'ALVO 1' }).waitFor();
        assert.equal(await page.getByRole('columnheader', { name: 'ALVO 2' }).count(), 0);
    });

    pageTest('does not shift its layout, neither while loading nor when a signal comes', async (page) => {
        await openLive(page, address);
        await rows(page).first().waitFor();
        await api.ingest(buy('EQTL3'));
        await rowOf(page, 'EQTL3').waitFor();
        const shift = await layoutShift(page);
        assert.ok(shift < 0.02, `layout shift ${shift}`);
    });
});

describe('the panel', () => {
    pageTest(
        'shows the original message with the fields where they were read, and is a link',
        async (page) => {
            await api.ingest(buy('TAEE11'));
            await openLive(page, address);
            await rowOf(page, 'TAEE11').click();
            await page.waitForURL(/signal=\d+/);
            const link = page.url();
            const original = page.getByTestId('original');
            await original.waitFor();
            assert.match(await original.innerText(), /^🟢 Swing Trade\nAtivo: TAEE11\n/);
            /** @param {string} field */
            const mark = (field) => original.locator(`mark[data-field=${field}]`).innerText();
            assert.equal(await mark('asset'), 'TAEE11');
            assert.match(await mark('buy_min'), /31,40$/);
            assert.match(await mark('stop_loss'), /30,55$/);
            assert.match(await mark('target_final'), /33,00$/);
            await page.keyboard.press('Escape');
            await page.getByTestId('panel').waitFor({ state: 'detached' });
            await page.goto(link);
            await original.waitFor();
        },
    );

    pageTest('says why a message is no signal', async (page) => {
        await api.ingest({ messageId: 9_100, text: 'ALVO 1 ATINGIDO CYRE3 31,20', channelName: 'Avisos' });
        await openLive(page, `${address}/sinais?search=CYRE3`);
        await rows(page).first().click();
        await page.getByTestId('panel').getByText('É aviso sobre um sinal anterior').waitFor();
    });
});

describe('the keyboard alone', () => {
    pageTest('searches, walks, opens, closes, commands', async (page) => {
        await openLive(page, `${address}/sinais`);
        await rows(page).first().waitFor();
        const focused = () =>
            page.evaluate(() => document.activeElement?.getAttribute('data-row-link') ?? null);

        await page.keyboard.press('/');
        await page.keyboard.type('itub4');
        await page.waitForURL(/search=itub4/);
        await until('only ITUB4', async () =>
            (await rows(page).allInnerTexts()).every((text) => text.includes('ITUB4')),
        );
        await page.keyboard.press('Escape');

        await page.keyboard.press('j');
        const first = await until('a focused row', focused);
        await page.keyboard.press('j');
        const second = await until(
            'the next row',
            async () => (await focused()) !== first && (await focused()),
        );
        await page.keyboard.press('k');
        await until('the first again', async () => (await focused()) === first);

        await page.keyboard.press('Enter');
        await page.waitForURL(new RegExp(`signal=${first}`));
        await page.getByTestId('original').waitFor();
        await page.keyboard.press('j');
        await page.waitForURL(new RegExp(`signal=${second}`));
        await page.keyboard.press('Escape');
        await page.waitForURL((url) => !url.searchParams.has('signal'));
        await until('the focus is back on its row', async () => (await focused()) === second);

        await page.keyboard.press('?');
        await page.getByRole('dialog', { name: 'Atalhos do teclado' }).waitFor();
        await page.keyboard.press('Escape');
        await page.getByRole('dialog').waitFor({ state: 'detached' });

        await page.keyboard.press('Control+k');
        await page.keyboard.type('tema claro');
        await page.keyboard.press('Enter');
        await page.locator('html[data-theme=light]').waitFor({ state: 'attached' });
        await page.keyboard.press('g');
        await page.keyboard.press('s');
        await page.waitForURL((url) => url.pathname === '/sinais' && url.search === '');
    });
});

describe('a person', () => {
    pageTest('reads it in English, and it stays so', async (page) => {
        await openLive(page, address);
        await page.getByRole('button', { name: 'Tema · Idioma' }).click();
        await page.getByRole('menuitem', { name: 'English' }).click();
        await page.getByRole('heading', { name: 'Signals', level: 1 }).waitFor();
        await page.reload();
        await page.getByRole('heading', { name: 'Signals', level: 1 }).waitFor();
        assert.equal(await page.getAttribute('html', 'lang'), 'en');
    });

    pageTest('who mistypes an address is told, and led back', async (page) => {
        await page.goto(`${address}/sinias`);
        await page.getByText('Não há nada em /sinias.').waitFor();
        await page.getByRole('button', { name: 'Ir para Sinais' }).click();
        await rows(page).first().waitFor();
    });

    pageTest(
        'reads it on a phone as cards, and opens one',
        async (page) => {
            await openLive(page, address);
            await rows(page).first().waitFor();
            assert.equal(await page.getByRole('table').count(), 0);
            const wide = await page.evaluate(() => document.documentElement.scrollWidth > window.innerWidth);
            assert.equal(wide, false, 'the page does not scroll sideways');
            await rows(page).first().getByRole('link').click();
            await page.getByTestId('original').waitFor();
            await page.getByTestId('panel').getByRole('button', { name: 'Fechar' }).click();
            await page.getByRole('button', { name: 'Abrir menu' }).click();
            await page.getByRole('dialog').getByText('Canais').waitFor();
        },
        { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
    );
});
