// `npm run dev`: an edited component is exchanged in place, on a copy of the sources.
import assert from 'node:assert/strict';
import { cp, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
    Api,
    buy,
    cleanUp,
    freePort,
    openLive,
    openPage,
    pageFolder,
    rows,
    scratch,
    serveSources,
    startBrowser,
} from './harness.mjs';

after(cleanUp);

const CONFIG = `
import { mergeConfig } from 'vite';
import config from './vite.config.ts';
export default mergeConfig(config, { cacheDir: '.vite', server: { fs: { strict: false } } });
`;

test('an edited component reloads in place, the page and its stream stay', async () => {
    const copy = await scratch('sources');
    for (const part of ['src', 'vite', 'public', 'index.html', 'package.json', 'vite.config.ts'])
        await cp(join(pageFolder, part), join(copy, part), { recursive: true });
    for (const part of ['tsconfig.json', 'tsconfig.base.json', 'tsconfig.app.json', 'tsconfig.node.json'])
        await cp(join(pageFolder, part), join(copy, part));
    await symlink(join(pageFolder, 'node_modules'), join(copy, 'node_modules'));
    await writeFile(join(copy, 'copy.config.ts'), CONFIG);

    const api = await Api.start();
    await api.ingest(buy('ITUB4'));
    const address = await serveSources(api, await freePort(), copy, ['--config', 'copy.config.ts']);
    const { page } = await openPage(await startBrowser());
    await openLive(page, address);
    await rows(page).first().waitFor();
    await page.evaluate(() => Object.assign(window, { sameDocument: true }));

    const file = join(copy, 'src/signals/Side.tsx');
    const source = await readFile(file, 'utf8');
    assert.ok(source.includes("BUY: '▲'"));
    await writeFile(file, source.replace("BUY: '▲'", "BUY: '◆'"));
    await rows(page).filter({ hasText: '◆' }).waitFor();
    assert.equal(
        await page.evaluate(() => 'sameDocument' in window),
        true,
        'the document was not loaded anew',
    );

    await api.ingest(buy('VALE3'));
    await rows(page).filter({ hasText: 'VALE3' }).waitFor();
});
