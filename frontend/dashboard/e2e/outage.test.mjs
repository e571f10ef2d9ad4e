// The API goes and comes back under an open page.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import {
    Api,
    buy,
    cleanUp,
    freePort,
    openLive,
    openPage,
    rows,
    servePage,
    startBrowser,
    until,
} from './harness.mjs';

/** @type {Api} */
let api;
/** @type {string} */
let address;
/** @type {import('playwright-core').Page} */
let page;

before(async () => {
    api = await Api.start();
    // No gateway on this port: the page must do without it too.
    address = await servePage(api, await freePort());
    ({ page } = await openPage(await startBrowser()));
});

after(cleanUp);

test('an empty system says so', async () => {
    await openLive(page, address);
    await page.getByText('Ainda não há sinais').waitFor();
});

test('killed: the rows stay and are marked as old; back: reconnected, nothing lost, nothing twice', async () => {
    await api.ingest(buy('ITUB4'));
    await rows(page).filter({ hasText: 'ITUB4' }).waitFor();

    await api.kill();
    await page
        .getByTestId('stale')
        .filter({ hasText: /Dados de \d\d:\d\d/ })
        .waitFor();
    assert.equal(await rows(page).count(), 1, 'what was known is still there');
    await page.locator('[data-testid=connection]').filter({ hasText: 'Sem conexão' }).waitFor();

    await api.run();
    await api.ingest(buy('VALE3'));
    await page.getByTestId('stale').getByRole('button', { name: 'Tentar agora' }).click();
    await page.locator('[data-testid=connection]').filter({ hasText: 'Reconectado' }).waitFor();
    await rows(page).filter({ hasText: 'VALE3' }).waitFor();
    await page.getByTestId('stale').waitFor({ state: 'detached' });
    assert.equal(await rows(page).count(), 2);
    await page.locator('[data-testid=connection]').filter({ hasText: 'Ao vivo' }).waitFor();
});

test('it also comes back by itself, after its waits', async () => {
    await api.kill();
    await page.getByTestId('stale').waitFor();
    await api.run();
    await api.ingest(buy('PETR4'));
    await rows(page).filter({ hasText: 'PETR4' }).waitFor({ timeout: 25_000 });
    assert.equal(await rows(page).count(), 3);
});

test('opened while the API is away: what failed, what to do, a code to ask with, and recovery', async () => {
    await api.kill();
    await page.reload();
    await page.getByText('Os sinais não puderam ser lidos').waitFor();
    await page.getByText(/Código do pedido: page-[0-9a-f]{12}/).waitFor();
    await api.run();
    await page.getByRole('button', { name: 'Tentar de novo' }).click();
    await rows(page).filter({ hasText: 'PETR4' }).waitFor();
    await until(
        'live again',
        async () => (await page.getByTestId('connection').getAttribute('data-state-name')) === 'live',
    );
});
