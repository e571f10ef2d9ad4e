// Mensagens, Canais, Bots, Logs and the deletion of a signal: the real API behind the page's own proxy, by keyboard where a person would.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import {
    ago,
    Api,
    buy,
    cleanUp,
    openLive,
    openPage,
    pageTester,
    rows,
    servePage,
    startBrowser,
    startGateway,
    until,
} from './harness.mjs';

/** @typedef {import('playwright-core').Page} Page */

/** @type {Api} */
let api;
/** @type {string} */
let address;
/** @type {import('playwright-core').Browser} */
let browser;

before(async () => {
    api = await Api.start();
    for (let n = 0; n < 30; n += 1)
        await api.ingest({
            messageId: 1_000 + n,
            channelId: '-1009876543210',
            channelName: n % 2 === 0 ? 'Sala Alfa' : 'Mesa Delta',
            text: n === 7 ? 'Palavra rara: jabuticaba' : `Mensagem ${n}`,
            source: 'forwarder',
            timestamp: ago((n + 1) * 60_000),
            forwarded: {
                originalChannelId: n % 2 === 0 ? '-1001000000001' : '-1001000000002',
                originalMessageId: 500 + n,
                destinationChannelId: '-1009876543210',
                method: n % 3 === 0 ? 'copy' : 'forward',
            },
        });
    const gateway = await startGateway(api, []);
    address = await servePage(api, gateway.port);
    browser = await startBrowser();
});

after(cleanUp);

const pageTest = pageTester(() => browser);

/** @param {Page} page */
const tableRows = (page) => page.getByTestId('row');

/** @param {Page} page @param {string[]} keys */
async function press(page, ...keys) {
    for (const key of keys) await page.keyboard.press(key);
}

/** Tab until an element with that name has the focus. @param {Page} page @param {string} name */
async function tabTo(page, name) {
    await until(`the focus on ${name}`, async () => {
        const focused = page.locator(':focus');
        const label = await focused.evaluate((element) => {
            const text = element.getAttribute('aria-label') ?? element.textContent;
            const isField = element instanceof HTMLInputElement || element instanceof HTMLTextAreaElement;
            return isField ? (element.labels?.[0]?.textContent ?? text) : text;
        });
        if (label.trim() === name) return true;
        await page.keyboard.press('Tab');
        return false;
    });
}

/** @param {string} path */
async function listed(path) {
    const { body } = await api.read(path);
    return /** @type {{ data: Record<string, unknown>[] }} */ (body).data;
}

describe('channels', () => {
    pageTest('are registered, edited and removed by keyboard', async (page) => {
        await openLive(page, `${address}/sinais`);
        await press(page, 'g', 'c');
        await page.getByText('Nenhum canal cadastrado').waitFor();

        await press(page, 'c');
        await page.getByRole('dialog', { name: 'Novo canal' }).waitFor();
        await page.keyboard.type('Sala de Swing');
        await press(page, 'Tab');
        await page.keyboard.type('-1001234567890');
        await press(page, 'Enter');
        await tableRows(page).filter({ hasText: 'Sala de Swing' }).waitFor();
        await page.getByRole('dialog').waitFor({ state: 'detached' });
        assert.deepEqual(
            (await listed('/telegram/channels')).map(({ label, channel_id, channel_type }) => [
                label,
                channel_id,
                channel_type,
            ]),
            [['Sala de Swing', '-1001234567890', 'source']],
        );

        await press(page, 'j', 'Enter');
        await page.getByRole('dialog', { name: 'Editar canal' }).waitFor();
        await page.waitForURL(/edit=channel-/);
        await press(page, 'Control+a');
        await page.keyboard.type('Mesa de Swing');
        await tabTo(page, 'Descrição (opcional)');
        await page.keyboard.type('De segunda a sexta');
        await tabTo(page, 'Salvar');
        await press(page, 'Enter');
        await tableRows(page)
            .filter({ hasText: /Mesa de Swing[^]*De segunda a sexta/ })
            .waitFor();
        await page.getByRole('dialog').waitFor({ state: 'detached' });

        await press(page, 'j', 'Delete');
        await page.getByRole('dialog', { name: 'Remover Mesa de Swing?' }).waitFor();
        await tabTo(page, 'Remover');
        await press(page, 'Enter');
        await page.getByText('Nenhum canal cadastrado').waitFor();
        await until('the API has none', async () => (await listed('/telegram/channels')).length === 0);
    });

    pageTest(
        'say at the field what is wrong, and keep what was typed',
        async (page) => {
            await api.mutate('POST', '/telegram/channels', { label: 'Já existe', channel_id: '-1005555' });
            const before = (await listed('/telegram/channels')).length;
            await openLive(page, `${address}/canais?edit=new`);
            const name = page.getByLabel('Nome', { exact: true });
            const id = page.getByLabel('ID do canal');
            await name.fill('Outra sala');
            await id.fill('@sala');
            await page.getByRole('button', { name: 'Salvar' }).click();
            await page.getByText('Só algarismos').waitFor();
            assert.equal(await id.evaluate((element) => element === document.activeElement), true);
            assert.equal(await id.getAttribute('aria-invalid'), 'true');
            assert.equal((await listed('/telegram/channels')).length, before, 'nothing was sent');

            await id.fill('-1005555');
            await page.getByRole('button', { name: 'Salvar' }).click();
            await page.getByText('Já existe um cadastro ativo com este valor.').waitFor();
            assert.equal(await name.inputValue(), 'Outra sala');
            assert.equal(await id.inputValue(), '-1005555');

            await id.fill('-1006666');
            await page.getByText('Já existe um cadastro ativo').waitFor({ state: 'detached' });
            await page.getByRole('button', { name: 'Salvar' }).click();
            await tableRows(page).filter({ hasText: 'Outra sala' }).waitFor();
        },
        { allowed: /409/ },
    );

    pageTest(
        'are switched off and on, filtered by that in the address, and count their signals',
        async (page) => {
            await api.mutate('POST', '/telegram/channels', { label: 'Contada', channel_id: '-1007777' });
            await api.ingest(buy('ITUB4', { channelId: '-1007777', channelName: 'Contada' }));
            await openLive(page, `${address}/canais?search=contada`);
            const row = tableRows(page).filter({ hasText: 'Contada' });
            await row.getByRole('link', { name: '1 sinal de Contada' }).waitFor();
            await row.getByRole('switch', { name: 'Desativar Contada' }).click();
            await row.getByRole('switch', { name: 'Ativar Contada' }).waitFor();
            await until('the API knows', async () =>
                (await listed('/telegram/channels')).some(
                    ({ label, status }) => label === 'Contada' && status === 'inactive',
                ),
            );
            await page
                .getByRole('radiogroup', { name: 'Situação' })
                .getByText('Ativos', { exact: true })
                .click();
            await page.waitForURL(/status=active/);
            await page.getByText('Nenhum canal com esses filtros').waitFor();
            await page.goBack();
            await row.getByRole('switch', { name: 'Ativar Contada' }).click();
            await row.getByRole('switch', { name: 'Desativar Contada' }).waitFor();
            await row.getByRole('link', { name: '1 sinal de Contada' }).click();
            await page.waitForURL(/\/sinais\?channel=-1007777/);
            await rows(page).first().waitFor();
            assert.equal(await rows(page).count(), 1);
        },
    );
});

describe('bots', () => {
    const TOKEN = `987654:${'Zx-9_'.repeat(7)}`;

    pageTest(
        'are registered by keyboard, in English; the token goes in and never comes back',
        async (page) => {
            /** @type {string[]} */
            const received = [];
            page.on('response', (response) => {
                if (response.url().includes('/api/'))
                    void response.text().then(
                        (text) => received.push(text),
                        () => undefined,
                    );
            });
            await page.addInitScript(() => localStorage.setItem('ts.language', '"en"'));
            await openLive(page, `${address}/sinais`);
            await press(page, 'g', 'b');
            await page.getByText('No registered bots').waitFor();
            await press(page, 'c');
            await page.getByRole('dialog', { name: 'New bot' }).waitFor();
            await page.keyboard.type('@mesa_bot');
            await tabTo(page, 'Token');
            await page.keyboard.type(TOKEN);
            await press(page, 'Enter');
            const row = tableRows(page).filter({ hasText: '@mesa_bot' });
            await row.waitFor();
            await page.getByRole('dialog').waitFor({ state: 'detached' });
            const [bot] = await listed('/telegram/bots');
            const print = String(bot?.['token_fingerprint']);
            assert.match(await row.innerText(), new RegExp(print));

            await press(page, 'j', 'Enter');
            await page.getByRole('dialog', { name: 'Edit bot' }).getByText(print).waitFor();
            assert.equal(await page.getByLabel('Token').inputValue(), '');
            await tabTo(page, 'Role');
            await press(page, 'Control+a');
            await page.keyboard.type('Reader');
            await press(page, 'Enter');
            await row.filter({ hasText: 'Reader' }).waitFor();
            await page.getByRole('dialog').waitFor({ state: 'detached' });
            await until(
                'the same fingerprint',
                async () => (await listed('/telegram/bots'))[0]?.['token_fingerprint'] === print,
            );
            assert.equal((await page.content()).includes(TOKEN), false, 'on the page');
            assert.equal(received.join('\n').includes(TOKEN), false, 'in an answer');

            await press(page, 'j', 'Delete');
            await page.getByRole('dialog', { name: 'Remove @mesa_bot?' }).waitFor();
            await tabTo(page, 'Remove');
            await press(page, 'Enter');
            await page.getByText('No registered bots').waitFor();
            await until('the API has none', async () => (await listed('/telegram/bots')).length === 0);
        },
        { colorScheme: 'light' },
    );
});

describe('messages', () => {
    pageTest('are filtered in the address, paged, and opened by keyboard', async (page) => {
        await openLive(page, `${address}/mensagens?rows=25`);
        await until('a page', async () => (await tableRows(page).count()) === 25);
        await page.getByRole('button', { name: 'Mostrar mais 25' }).click();
        await until('all', async () => (await tableRows(page).count()) === 30);
        await page.getByText('Fim da lista').waitFor();

        await press(page, '/');
        await page.keyboard.type('JABUTICABA');
        await page.waitForURL(/search=JABUTICABA/);
        await until('one row', async () => (await tableRows(page).count()) === 1);
        await press(page, 'Escape', 'j', 'Enter');
        const panel = page.getByTestId('panel');
        await panel.getByText('Palavra rara: jabuticaba').waitFor();
        await panel.getByText('-1009876543210').waitFor();
        assert.equal(
            await panel.getByRole('link', { name: 'Ver origem no Telegram' }).getAttribute('href'),
            'https://t.me/c/1000000002/507',
        );
        const link = page.url();
        await press(page, 'Escape');
        await panel.waitFor({ state: 'detached' });
        await page.goto(link);
        await panel.getByText('Palavra rara: jabuticaba').waitFor();
    });

    pageTest('by method and media; what matches nothing leads back', async (page) => {
        await openLive(page, `${address}/mensagens`);
        await page.getByRole('radiogroup', { name: 'Método' }).getByText('Cópia').click();
        await page.waitForURL(/method=copy/);
        await until('copies only', async () => (await tableRows(page).count()) === 10);
        await page.getByRole('radiogroup', { name: 'Mídia' }).getByText('Com imagem').click();
        await page.getByText('Nenhuma mensagem com esses filtros').waitFor();
        await page.getByRole('main').getByRole('button', { name: 'Limpar filtros' }).last().click();
        await until('all', async () => (await tableRows(page).count()) === 30);
        assert.equal(new URL(page.url()).search, '');
    });

    pageTest(
        'on a phone are cards that fit',
        async (page) => {
            await openLive(page, `${address}/mensagens`);
            await tableRows(page).first().waitFor();
            assert.equal(await page.getByRole('table').count(), 0);
            const isWide = await page.evaluate(
                () => document.documentElement.scrollWidth > window.innerWidth,
            );
            assert.equal(isWide, false);
            await tableRows(page).first().getByRole('link').first().click();
            await page.getByTestId('panel').getByRole('button', { name: 'Fechar' }).click();
            await page.getByTestId('panel').waitFor({ state: 'detached' });
        },
        { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true },
    );
});

describe('logs', () => {
    pageTest('are filtered, opened, and stand still when paused', async (page) => {
        await openLive(page, `${address}/logs`);
        await tableRows(page).first().waitFor();
        await press(page, '/');
        await page.keyboard.type('listening');
        await page.waitForURL(/search=listening/);
        await until('one line', async () => (await tableRows(page).count()) === 1);
        await press(page, 'Escape', 'j', 'Enter');
        await tableRows(page).locator('dl').getByText(String(api.port)).first().waitFor();
        await page.getByRole('button', { name: 'Nível' }).click();
        await page.getByRole('menuitemradio', { name: 'Erro ou pior' }).click();
        await page.waitForURL(/level=error/);
        await page.getByText('Nenhuma linha com esse texto').waitFor();
        await page.getByRole('main').getByRole('button', { name: 'Limpar filtros' }).last().click();
        await tableRows(page).first().waitFor();

        let asked = 0;
        page.on('request', (request) => {
            if (request.url().includes('/logs?')) asked += 1;
        });
        await until('it follows', () => asked >= 1);
        await press(page, 'p');
        await page.getByText(/Pausado às \d\d:\d\d/).waitFor();
        await page.waitForLoadState('networkidle');
        const before = asked;
        // Longer than the pace of the page.
        await sleep(3_500);
        assert.equal(asked, before, 'paused, and still asking');
        await press(page, 'p');
        await until('it follows again', () => asked > before);
    });
});

describe('a signal', () => {
    pageTest('is deleted by keyboard, here and on every other screen, and stays away', async (page) => {
        await api.ingest(buy('CSAN3'));
        const other = await openPage(browser);
        try {
            for (const each of [page, other.page]) {
                await openLive(each, `${address}/sinais?asset=CSAN3`);
                await rows(each).first().waitFor();
            }
            await press(page, 'j');
            await until('a focused row', () =>
                page.evaluate(() => document.activeElement?.getAttribute('data-row-link')),
            );
            await press(page, 'Enter');
            await page.getByTestId('original').waitFor();
            const id = new URL(page.url()).searchParams.get('signal') ?? '';
            await press(page, 'Delete');
            await page.getByRole('dialog', { name: 'Excluir este sinal?' }).waitFor();
            await press(page, 'Escape');
            await page.getByRole('dialog').waitFor({ state: 'detached' });
            assert.equal((await api.read(`/signals/${id}`)).status, 200, 'only asked');

            await press(page, 'Delete');
            await tabTo(page, 'Excluir sinal');
            await press(page, 'Enter');
            await page.getByText('Nenhum sinal com esses filtros').waitFor();
            await page.getByText('Sinal excluído: COMPRA CSAN3').waitFor();
            assert.equal((await api.read(`/signals/${id}`)).status, 404);
            await rows(other.page).first().waitFor({ state: 'detached' });
            await page.reload();
            await page.getByText('Nenhum sinal com esses filtros').waitFor();
        } finally {
            await other.context.close();
        }
    });
});

test('while the API is away what is known stays, says so, and nothing can be changed', async () => {
    const { context, page } = await openPage(browser);
    await api.mutate('POST', '/telegram/channels', { label: 'Fica', channel_id: '-1008888' });
    await openLive(page, `${address}/canais?search=fica`);
    const row = tableRows(page).filter({ hasText: 'Fica' });
    await row.waitFor();
    await api.kill();
    await row.getByRole('switch').click();
    await page.getByText(/Fica: não deu certo\. O serviço de sinais não responde/).waitFor();
    await page
        .getByTestId('stale')
        .filter({ hasText: /Dados de \d\d:\d\d/ })
        .waitFor();
    await row.getByRole('switch', { name: 'Desativar Fica', disabled: true }).waitFor();
    assert.equal(await page.getByRole('button', { name: 'Cadastrar canal' }).isDisabled(), true);
    await api.run();
    await page.getByTestId('stale').getByRole('button', { name: 'Tentar agora' }).click();
    await row.getByRole('switch', { name: 'Desativar Fica', disabled: false }).waitFor();
    await context.close();
});
