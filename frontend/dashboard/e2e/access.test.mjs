// Accessibility as far as a program can see it: axe finds nothing serious, in both themes, with every overlay.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
    ago,
    Api,
    buy,
    cleanUp,
    freePort,
    openLive,
    openPage,
    rows,
    sell,
    seriousFindings,
    serveSources,
    pageFolder,
    startBrowser,
} from './harness.mjs';

/** @type {string} */
let address;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
    const api = await Api.start();
    await api.ingest(buy('ITUB4'));
    await api.ingest(sell('PETR4', { timestamp: ago(400_000) }));
    await api.ingest({ messageId: 1, text: 'Bom dia, pessoal!' });
    await api.ingest({
        messageId: 2,
        text: 'Encaminhada',
        source: 'forwarder',
        forwarded: {
            originalChannelId: '-1001234567890',
            originalMessageId: 41,
            destinationChannelId: '-1009876543210',
            method: 'copy',
        },
    });
    await api.mutate('POST', '/telegram/channels', { label: 'Sala de Swing', channel_id: '-1001234567890' });
    await api.mutate('POST', '/telegram/bots', { username: 'mesa_bot', token: `123456:${'a'.repeat(35)}` });
    // From the sources: the built page's own policy would refuse the script that looks at it.
    address = await serveSources(api, await freePort(), pageFolder);
    browser = await startBrowser();
});

after(cleanUp);

/** Every page in a state that shows the most of it. @type {Record<string, (page: import('playwright-core').Page) => Promise<void>>} */
const PAGES = {
    '/sinais/estatisticas': (page) => page.getByTestId('day-chart').waitFor(),
    '/sinais/reler': async (page) => {
        await page.getByRole('button', { name: 'Comparar' }).click();
        await page.getByText('Nada mudaria').waitFor();
    },
    '/mensagens': async (page) => {
        await page.getByTestId('row').getByRole('link').first().click();
        await page.getByTestId('panel').waitFor();
    },
    '/canais': (page) => page.getByTestId('row').waitFor(),
    '/canais?edit=new': async (page) => {
        await page.getByRole('button', { name: 'Salvar' }).click();
        await page.getByText('Preencha este campo.').first().waitFor();
    },
    '/bots': async (page) => {
        await page.getByRole('button', { name: 'Remover @mesa_bot' }).click();
        await page.getByRole('dialog').waitFor();
    },
    '/logs': async (page) => {
        await page.getByTestId('row').first().click();
        await page.locator('details[open]').waitFor();
    },
};

for (const colorScheme of /** @type {const} */ (['dark', 'light']))
    for (const viewport of [
        { width: 1440, height: 900 },
        { width: 390, height: 844 },
    ])
        test(`${colorScheme}, ${viewport.width} px`, async () => {
            const { context, page } = await openPage(browser, {
                colorScheme,
                viewport,
                reducedMotion: 'reduce',
            });
            await openLive(page, address);
            await rows(page).first().waitFor();
            assert.deepEqual(await seriousFindings(page), [], 'the list');

            await rows(page).filter({ hasText: 'ITUB4' }).getByRole('link').click();
            await page.getByTestId('original').waitFor();
            assert.deepEqual(await seriousFindings(page), [], 'with the panel');
            await page.keyboard.press('Escape');

            await page.keyboard.press('Control+k');
            await page.getByRole('dialog').waitFor();
            assert.deepEqual(await seriousFindings(page), [], 'with the palette');
            await page.keyboard.press('Escape');

            for (const [path, show] of Object.entries(PAGES)) {
                await page.goto(address + path);
                await show(page);
                assert.deepEqual(await seriousFindings(page), [], path);
            }

            await page.goto(`${address}/nada`);
            await page.getByText('Página não encontrada').waitFor();
            assert.deepEqual(await seriousFindings(page), [], 'not found');
            await context.close();
        });
