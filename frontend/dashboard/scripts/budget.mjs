// Fails when the built page is heavier than its budget. A budget is never raised in the change that breaks it.
import { readdir, readFile } from 'node:fs/promises';
import { brotliCompressSync } from 'node:zlib';

const KB = 1024;
const BUDGETS = { initialJs: 170 * KB, css: 25 * KB, chunk: 60 * KB, allJs: 1024 * KB };

const dist = new URL('../build/dist/', import.meta.url);

/** Bytes over the wire. @param {string} path @returns {Promise<number>} */
async function weigh(path) {
    return brotliCompressSync(await readFile(new URL(path, dist))).length;
}

/** @param {readonly number[]} numbers */
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

const html = await readFile(new URL('index.html', dist), 'utf8');
// What the browser fetches before it shows anything: scripts of the page and what they preload.
const initial = [...html.matchAll(/(?:src|href)="\/([^"]+\.(?:js|css))"/g)].map(([, path]) => path ?? '');
const assets = (await readdir(new URL('assets/', dist))).map((name) => `assets/${name}`);
const lazy = assets.filter((path) => path.endsWith('.js') && !initial.includes(path));

const initialJs = sum(await Promise.all(initial.filter((path) => path.endsWith('.js')).map(weigh)));
const css = sum(await Promise.all(assets.filter((path) => path.endsWith('.css')).map(weigh)));
const chunks = await Promise.all(lazy.map(weigh));

const rows = [
    { what: 'initial JavaScript', is: initialJs, may: BUDGETS.initialJs },
    { what: 'all CSS', is: css, may: BUDGETS.css },
    { what: 'largest later chunk', is: Math.max(0, ...chunks), may: BUDGETS.chunk },
    { what: 'all JavaScript', is: initialJs + sum(chunks), may: BUDGETS.allJs },
];
for (const { what, is, may } of rows)
    console.log(
        `${what.padEnd(20)} ${(is / KB).toFixed(1).padStart(7)} KB of ${(may / KB).toFixed(0)} KB (brotli)`,
    );

if (rows.some(({ is, may }) => is > may)) {
    console.error('Over budget.');
    process.exit(1);
}
