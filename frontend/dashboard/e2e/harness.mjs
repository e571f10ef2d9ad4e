/**
 * The real thing for tests: API and gateway as built from C, the page served by Vite, Chromium in front of it.
 *
 * Everything listens on a free port, keeps its files in a folder of its own under the system's temporary folder, and ends
 * with the test run, also a failed one. Environment: TS_BUILD_DIR (where bin/ lies; default build/release), CHROMIUM.
 */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

/** @typedef {import('node:child_process').ChildProcess} ChildProcess */
/** @typedef {import('playwright-core').Page} Page */
/** @typedef {import('playwright-core').BrowserContextOptions} ContextOptions */

export const pageFolder = fileURLToPath(new URL('..', import.meta.url));
const buildFolder = process.env['TS_BUILD_DIR'] ?? join(pageFolder, '../../build/release');
const vite = join(pageFolder, 'node_modules/vite/bin/vite.js');

/** @type {Set<() => unknown>} */
const cleanups = new Set();

/** Runs at the end of the test file, last registered first. @param {() => unknown} cleanup */
export function atEnd(cleanup) {
    cleanups.add(cleanup);
}

export async function cleanUp() {
    for (const cleanup of [...cleanups].reverse()) await cleanup();
    cleanups.clear();
}

// A test run that is ended from outside leaves no process behind.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM']))
    process.once(signal, () => void cleanUp().finally(() => process.exit(1)));

/** @returns {Promise<number>} */
export function freePort() {
    return new Promise((resolve, reject) => {
        const server = createServer();
        server.once('error', reject);
        server.listen(0, '127.0.0.1', () => {
            const address = server.address();
            server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0));
        });
    });
}

/** @param {string} name */
export async function scratch(name) {
    const folder = await mkdtemp(join(tmpdir(), `ts-e2e-${name}-`));
    atEnd(() => rm(folder, { recursive: true, force: true }));
    return folder;
}

/**
 * Waits until `check` gives something; its last error tells why it never did.
 * @template T
 * @param {string} what
 * @param {() => Promise<T | null | false | undefined> | T | null | false | undefined} check
 * @param {number} [withinMs]
 * @returns {Promise<T>}
 */
export async function until(what, check, withinMs = 15_000) {
    const end = Date.now() + withinMs;
    /** @type {unknown} */
    let last = 'nothing came';
    while (Date.now() < end) {
        try {
            const value = await check();
            if (value !== null && value !== false && value !== undefined) return value;
        } catch (error) {
            last = error;
        }
        await sleep(50);
    }
    assert.fail(`${what}: not within ${withinMs} ms (${String(last)})`);
}

/** A program that is killed at the end, with its output kept for the report of a failure. */
export class Program {
    /** @param {string} command @param {string[]} args @param {{ env?: Record<string, string>, cwd?: string }} [options] */
    constructor(command, args, { env = {}, cwd = pageFolder } = {}) {
        this.output = '';
        /** @type {ChildProcess} */
        this.child = spawn(command, args, {
            cwd,
            env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', ...env },
            stdio: ['ignore', 'pipe', 'pipe'],
        });
        for (const stream of [this.child.stdout, this.child.stderr])
            stream?.on(
                'data',
                (/** @type {Buffer} */ data) => (this.output = (this.output + String(data)).slice(-20_000)),
            );
        this.ended = new Promise((resolve) => this.child.once('close', resolve));
        atEnd(() => this.stop());
    }

    /** @param {NodeJS.Signals} [signal] */
    async stop(signal = 'SIGKILL') {
        if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
        await this.ended;
    }

    /** @param {string} address */
    async healthy(address) {
        await until(`${address} answers`, async () => {
            assert.equal(this.child.exitCode, null, `it ended:\n${this.output}`);
            return (await fetch(address)).ok;
        });
    }
}

/** @param {string} name */
function binary(name) {
    const path = join(buildFolder, 'bin', name);
    assert.ok(existsSync(path), `${path} is missing: build it, or set TS_BUILD_DIR`);
    return path;
}

const SECRET = randomBytes(24).toString('hex');
/** Known to the API and to the page's proxy, never to the browser: a change that gets through has passed the proxy. */
const ADMIN_TOKEN = randomBytes(24).toString('hex');

/** @typedef {{ originalChannelId: string, originalMessageId: number, destinationChannelId: string, method: 'forward' | 'copy' }} Forwarded */
/** @typedef {{ channelId?: string, messageId: number, text?: string, timestamp?: string, channelName?: string, source?: string, editedAt?: string, deleted?: boolean, forwarded?: Forwarded }} Message */

export class Api {
    /** @param {number} port @param {string} folder */
    constructor(port, folder) {
        this.port = port;
        this.folder = folder;
        /** @type {Program | null} */
        this.program = null;
    }

    static async start() {
        const api = new Api(await freePort(), await scratch('api'));
        await api.run();
        return api;
    }

    get base() {
        return `http://127.0.0.1:${this.port}`;
    }

    async run() {
        this.program = new Program(binary('tp-capital-api'), [], {
            env: {
                GATEWAY_SECRET_TOKEN: SECRET,
                ADMIN_TOKEN,
                TP_CAPITAL_PORT: String(this.port),
                DATA_DIR: this.folder,
                RATE_LIMIT_MAX: '0',
            },
        });
        await this.program.healthy(`${this.base}/health`);
    }

    /** As abruptly as a crash. */
    async kill() {
        await this.program?.stop('SIGKILL');
    }

    /** Changes stored rows behind the API's back, between two lives of it. @param {string} statement */
    async alter(statement) {
        await this.program?.stop('SIGTERM');
        await promisify(execFile)('sqlite3', [join(this.folder, 'tp-capital.db'), statement]);
        await this.run();
    }

    /** What the API itself says. @param {string} path @returns {Promise<{ status: number, body: unknown }>} */
    async read(path) {
        const response = await fetch(this.base + path);
        return { status: response.status, body: /** @type {unknown} */ (await response.json()) };
    }

    /** A change as the page's proxy would make it. @param {string} method @param {string} path @param {Record<string, unknown>} body */
    async mutate(method, path, body) {
        const response = await fetch(this.base + path, {
            method,
            headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${ADMIN_TOKEN}` },
            body: JSON.stringify(body),
        });
        assert.ok(response.ok, `${method} ${path}: ${response.status} ${await response.text()}`);
    }

    /** @param {Message} message */
    async ingest(message) {
        const response = await fetch(`${this.base}/ingest`, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json', 'X-Gateway-Token': SECRET },
            body: JSON.stringify({
                channelId: '-1001234567890',
                channelName: 'Sala de Swing',
                timestamp: new Date().toISOString(),
                source: 'bot',
                ...message,
            }),
        });
        assert.equal(response.status, 200, await response.text());
    }
}

/** @param {Api} api @param {readonly Record<string, unknown>[]} messages */
export async function startGateway(api, messages) {
    const folder = await scratch('gateway');
    const file = join(folder, 'messages.jsonl');
    await writeFile(file, messages.map((message) => JSON.stringify(message) + '\n').join(''));
    const port = await freePort();
    const program = new Program(binary('tp-capital-gateway'), [], {
        env: {
            GATEWAY_TRANSPORT: 'replay',
            REPLAY_FILE: file,
            API_SECRET_TOKEN: SECRET,
            API_ENDPOINTS: `${api.base}/ingest`,
            GATEWAY_PORT: String(port),
            DATA_DIR: folder,
        },
    });
    await program.healthy(`http://127.0.0.1:${port}/health`);
    return { port, program };
}

/** @param {Api} api @param {number} gatewayPort @param {number} port @returns {Record<string, string>} */
const serverEnv = (api, gatewayPort, port) => ({
    ADMIN_TOKEN,
    DASHBOARD_PORT: String(port),
    VITE_TP_CAPITAL_PROXY_TARGET: api.base,
    VITE_GATEWAY_PROXY_TARGET: `http://127.0.0.1:${gatewayPort}`,
});

/** The built page under the headers of production. @param {Api} api @param {number} gatewayPort */
export async function servePage(api, gatewayPort) {
    const folder = await scratch('page');
    const build = new Program(process.execPath, [vite, 'build', '--outDir', folder, '--logLevel', 'warn']);
    await build.ended;
    assert.equal(build.child.exitCode, 0, build.output);
    const port = await freePort();
    const program = new Program(process.execPath, [vite, 'preview', '--outDir', folder], {
        env: serverEnv(api, gatewayPort, port),
    });
    const address = `http://localhost:${port}`;
    await program.healthy(`${address}/health`);
    return address;
}

/** The page as a person develops it. @param {Api} api @param {number} gatewayPort @param {string} folder @param {string[]} args */
export async function serveSources(api, gatewayPort, folder, args = []) {
    const port = await freePort();
    const program = new Program(process.execPath, [vite, ...args], {
        env: serverEnv(api, gatewayPort, port),
        cwd: folder,
    });
    const address = `http://localhost:${port}`;
    await program.healthy(`${address}/health`);
    return address;
}

const BROWSER_ARGS = [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
];

export async function startBrowser() {
    const browser = await chromium.launch({
        executablePath: process.env['CHROMIUM'] ?? '/usr/bin/chromium',
        args: BROWSER_ARGS,
    });
    atEnd(() => browser.close());
    return browser;
}

/**
 * A page that keeps count of what it should never have: errors, refusals by the content security policy, and moves of
 * its layout.
 * @param {import('playwright-core').Browser} browser @param {ContextOptions} [options]
 */
export async function openPage(browser, options = {}) {
    const context = await browser.newContext({
        viewport: { width: 1440, height: 900 },
        locale: 'pt-BR',
        colorScheme: 'dark',
        ...options,
    });
    const page = await context.newPage();
    /** @type {string[]} */
    const complaints = [];
    page.on('console', (message) => {
        if (message.type() === 'error') complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.addInitScript(() => {
        const shifts = { total: 0 };
        Object.assign(window, { layoutShifts: shifts });
        new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) {
                const shift = /** @type {PerformanceEntry & { value: number, hadRecentInput: boolean }} */ (
                    entry
                );
                if (!shift.hadRecentInput) shifts.total += shift.value;
            }
        }).observe({ type: 'layout-shift', buffered: true });
    });
    return { context, page, complaints };
}

/**
 * Tests in a page of their own that must not complain.
 * @param {() => import('playwright-core').Browser} browser
 */
export function pageTester(browser) {
    /**
     * `allowed`: a refusal that the test itself brings about; the browser tells of each in its console.
     * @param {string} name @param {(page: Page) => Promise<void>} run @param {ContextOptions & { allowed?: RegExp }} [options]
     */
    return (name, run, { allowed, ...options } = {}) =>
        test(name, async () => {
            const { context, page, complaints } = await openPage(browser(), options);
            try {
                await run(page);
                const others = complaints.filter((text) => allowed?.test(text) !== true);
                assert.deepEqual(others, []);
            } finally {
                await context.close();
            }
        });
}

/** @typedef {{ violations: { id: string, impact: string, nodes: { html: string, failureSummary: string }[] }[] }} AxeResult */

/** What axe holds against the page, serious or worse. @param {Page} page */
export async function seriousFindings(page) {
    await page.evaluate(
        await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'),
    );
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

/** @param {Page} page @returns {Promise<number>} */
export const layoutShift = (page) =>
    page.evaluate(
        () =>
            /** @type {{ layoutShifts: { total: number } }} */ (/** @type {unknown} */ (window)).layoutShifts
                .total,
    );

/** @param {Page} page */
export const rows = (page) => page.getByTestId('signal-row');

/** @param {Page} page @param {string} address */
export async function openLive(page, address) {
    await page.goto(address);
    await page.locator('[data-testid=connection][data-state-name=live]').waitFor();
}

let lastMessage = 100;

/** An invented signal; each call has the next message id. @param {string} asset @param {Partial<Message>} [part] @returns {Message} */
export function buy(asset, part = {}) {
    return {
        messageId: (lastMessage += 1),
        text: `🟢 Swing Trade\nAtivo: ${asset}\nCompra: R$ 31,40 a 31,60\nAlvo 1: 32,10\nAlvo final: 33,00\nStop: 30,55`,
        ...part,
    };
}

/** @param {string} asset @param {Partial<Message>} [part] @returns {Message} */
export function sell(asset, part = {}) {
    return {
        messageId: (lastMessage += 1),
        text: `VENDA ${asset} @ R$ 27,35\nStop: R$ 28,10\nAlvo: 26,10`,
        ...part,
    };
}

/** @param {number} ms */
export const ago = (ms) => new Date(Date.now() - ms).toISOString();
