import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

test('the committed client is the one that the contract gives', async () => {
    const script = fileURLToPath(new URL('generate.mjs', import.meta.url));
    const run = promisify(execFile)(process.execPath, [script, '--check']);
    await expect(run).resolves.toMatchObject({ stderr: '' });
}, 30_000);
