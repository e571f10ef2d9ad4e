// Accessibility as far as a program can see it: axe finds nothing serious, in both themes, with every overlay.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
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
    serveSources,
    pageFolder,
    startBrowser,
} from './harness.mjs';

/** @typedef {{ violations: { id: string, impact: string, nodes: { html: string, failureSummary: string }[] }[] }} AxeResult */

/** @type {string} */
let address;
/** @type {import('playwright-core').Browser} */
let browser;
/** @type {string} */
let axe;

before(async () => {
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    const api = await Api.start();
    await api.ingest(buy('ITUB4'));
    await api.ingest(sell('PETR4', { timestamp: ago(400_000) }));
    await api.ingest({ messageId: 1, text: 'Bom dia, pessoal!' });
    // From the sources: the built page's own policy would refuse the script that looks at it.
    address = await serveSources(api, await freePort(), pageFolder);
    browser = await startBrowser();
});

after(cleanUp);

/** @param {import('playwright-core').Page} page */
async function seriousFindings(page) {
    await page.evaluate(axe);
    const result = /** @type {AxeResult} */ (
        await page.evaluate(() =>
            /** @type {{ axe: { run: () => Promise<unknown> } }} */ (
                /** @type {unknown} */ (window)
            ).axe.run(),
        )
    );
    return result.violations
        .filter(({ impact }) => impact === 'serious' || impact === 'critical')
        .flatMap(({ id, nodes }) =>
            nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`),
        );
}

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

            await page.goto(`${address}/nada`);
            await page.getByText('Página não encontrada').waitFor();
            assert.deepEqual(await seriousFindings(page), [], 'not found');
            await context.close();
        });
