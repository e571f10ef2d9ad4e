/** The proxy in front of a real server: what passes, what does not, and what a hostile page can make of it. */
import {
  createServer,
  request,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createProxy, hostName, parseHosts } from './proxy.ts';

interface Seen {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingHttpHeaders;
  body: string;
}

interface Answer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

const TOKEN = 'an-invented-admin-token';
const seen: Seen[] = [];
let upstream: Server;
let door: Server;
let closedStreams = 0;
/** Ends the download that is under way, properly or by breaking it. */
let download: ServerResponse | null = null;

const portOf = (server: Server) => (server.address() as AddressInfo).port;
const listenOn = (server: Server) =>
  new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));

async function read(message: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of message) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

beforeAll(async () => {
  upstream = createServer((message, response) => {
    if (message.url?.startsWith('/signals/stream')) {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' });
      response.write(': here\n\n');
      response.on('close', () => (closedStreams += 1));
      return;
    }
    if (message.url?.startsWith('/signals/export')) {
      response.writeHead(200, {
        'Content-Type': 'text/csv',
        'Content-Disposition': 'attachment; filename="tp-capital-signals.csv"',
      });
      response.write('DATA;CANAL\r\n');
      download = response;
      return;
    }
    void read(message).then((body) => {
      seen.push({ method: message.method, url: message.url, headers: message.headers, body });
      response.writeHead(200, { 'Content-Type': 'application/json', 'X-Request-Id': 'abc' });
      response.end('{"data":[]}');
    });
  });
  await listenOn(upstream);
  const base = new URL(`http://127.0.0.1:${portOf(upstream)}`);
  const options = { tpCapital: base, gateway: base, hosts: parseHosts(undefined), adminToken: TOKEN };
  const proxy = createProxy(options);
  door = createServer((message, response) =>
    proxy(message, response, () => {
      response.writeHead(200);
      response.end('the page');
    }),
  );
  await listenOn(door);
});

afterAll(() => {
  door.closeAllConnections();
  upstream.closeAllConnections();
  door.close();
  upstream.close();
});

beforeEach(() => void seen.splice(0));

const own = () => `localhost:${portOf(door)}`;

/** As a browser or a bare client would, but with headers that fetch() would not let a test set. */
function ask(path: string, method = 'GET', headers: Record<string, string> = {}, body = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { port: portOf(door), host: '127.0.0.1', path, method, headers: { Host: own(), ...headers } },
      (message) => {
        void read(message).then((text) =>
          resolve({ status: message.statusCode ?? 0, headers: message.headers, body: text }),
        );
      },
    );
    asked.on('error', reject);
    asked.end(body);
  });
}

describe('routes', () => {
  test('the prefix is stripped, the query kept, and the answer handed back whole', async () => {
    const answer = await ask('/api/tp-capital/signals?limit=50&search=a%20b');
    expect(answer).toMatchObject({ status: 200, body: '{"data":[]}' });
    expect(answer.headers['x-request-id']).toBe('abc');
    expect(seen[0]?.url).toBe('/signals?limit=50&search=a%20b');
  });

  test('of the gateway only its health is reachable', async () => {
    expect((await ask('/api/gateway/health')).status).toBe(200);
    expect(seen[0]?.url).toBe('/health');
    expect((await ask('/api/gateway/metrics')).status).toBe(404);
    expect((await ask('/api/gateway/health/live')).status).toBe(404);
  });

  test.each([
    '/api/tp-capital/ingest',
    '/api/tp-capital/ingest/',
    '/api/tp-capital/ingest?x=1',
    '/api/tp-capital/INGEST',
    '/api/tp-capital/metrics',
  ])('%s is closed', async (path) => {
    expect((await ask(path, 'POST', { Origin: `http://${own()}` })).status).toBe(403);
    expect(seen).toEqual([]);
  });

  test.each([
    '/api/tp-capital/%69ngest',
    '/api/tp-capital//ingest',
    '/api/tp-capital/./ingest',
    '/api/tp-capital/x/../ingest',
    '/api/tp-capital/..%2f..%2fetc',
    '/api/tp-capital/in\\gest',
  ])('%s is no path', async (path) => {
    expect((await ask(path)).status).toBe(400);
    expect(seen).toEqual([]);
  });

  test('an unknown path under /api is never the page', async () => {
    expect((await ask('/api/elsewhere')).status).toBe(404);
    expect((await ask('/api')).status).toBe(404);
  });

  test('everything else is the page, and the server has a health of its own', async () => {
    expect((await ask('/sinais')).body).toBe('the page');
    expect(await ask('/health')).toMatchObject({ status: 200, body: '{"status":"ok"}' });
  });

  test('a service that is away is 502 with its name', async () => {
    const gone = createServer();
    await listenOn(gone);
    const address = new URL(`http://127.0.0.1:${portOf(gone)}`);
    await new Promise((resolve) => gone.close(resolve));
    const options = { tpCapital: address, gateway: address, hosts: parseHosts(''), adminToken: undefined };
    const lonely = createServer((message, response) =>
      createProxy(options)(message, response, () => undefined),
    );
    await listenOn(lonely);
    const answer = await fetch(`http://127.0.0.1:${portOf(lonely)}/api/tp-capital/signals`);
    expect(answer.status).toBe(502);
    expect(await answer.json()).toMatchObject({ code: 'upstream_unavailable', service: 'tp-capital-api' });
    lonely.close();
  });
});

describe('a stream', () => {
  const open = (signal: AbortSignal) =>
    fetch(`http://127.0.0.1:${portOf(door)}/api/tp-capital/signals/stream`, { signal });

  test('arrives unbuffered, and is closed above when the page goes', async () => {
    const closedBefore = closedStreams;
    const abort = new AbortController();
    const answer = await open(abort.signal);
    const first = await answer.body?.getReader().read();
    expect(new TextDecoder().decode(first?.value as Uint8Array)).toBe(': here\n\n');
    abort.abort();
    await expect.poll(() => closedStreams).toBe(closedBefore + 1);
  });

  test('that breaks above breaks for the page too', async () => {
    const answer = await open(new AbortController().signal);
    const reader = answer.body?.getReader();
    await reader?.read();
    upstream.closeAllConnections();
    await expect(reader?.read()).rejects.toThrow();
  });
});

describe('a download', () => {
  const begin = async () => {
    const answer = await fetch(`http://127.0.0.1:${portOf(door)}/api/tp-capital/signals/export?format=csv`);
    const reader = answer.body?.getReader();
    const first = await reader?.read();
    expect(new TextDecoder().decode(first?.value as Uint8Array)).toBe('DATA;CANAL\r\n');
    return { answer, reader };
  };

  test('begins before it is whole, keeps its name, and ends', async () => {
    const { answer, reader } = await begin();
    expect(answer.headers.get('content-disposition')).toContain('tp-capital-signals.csv');
    download?.end('1;2\r\n');
    const rest = await reader?.read();
    expect(new TextDecoder().decode(rest?.value as Uint8Array)).toBe('1;2\r\n');
    expect((await reader?.read())?.done).toBe(true);
  });

  test('that breaks above is not taken for whole', async () => {
    const { reader } = await begin();
    download?.destroy();
    await expect(reader?.read()).rejects.toThrow();
  });
});

describe('the token', () => {
  test('goes with mutations of our own page', async () => {
    const origin = { Origin: `http://${own()}`, 'Content-Type': 'application/json' };
    expect((await ask('/api/tp-capital/parse', 'POST', origin, '{"text":""}')).status).toBe(200);
    expect(seen[0]).toMatchObject({ method: 'POST', url: '/parse', body: '{"text":""}' });
    expect(seen[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });

  test.each([
    ['PUT', '/telegram/channels/channel-1', '{"status":"inactive"}'],
    ['DELETE', '/telegram/bots/bot-1', ''],
    ['DELETE', '/signals', '{"id":12}'],
  ])('goes with %s %s, and the body arrives', async (method, path, body) => {
    const headers = {
      Origin: `http://${own()}`,
      'Sec-Fetch-Site': 'same-origin',
      ...(body !== '' && {
        'Content-Type': 'application/json',
        'Content-Length': String(Buffer.byteLength(body)),
      }),
    };
    expect((await ask(`/api/tp-capital${path}`, method, headers, body)).status).toBe(200);
    expect(seen).toMatchObject([{ method, url: path, body }]);
    expect(seen[0]?.headers.authorization).toBe(`Bearer ${TOKEN}`);
  });

  test('does not go with reads', async () => {
    await ask('/api/tp-capital/signals');
    expect(seen[0]?.headers.authorization).toBeUndefined();
  });

  test('what the browser says of itself is dropped', async () => {
    await ask('/api/tp-capital/signals', 'GET', {
      Authorization: 'Bearer guess',
      Cookie: 'a=b',
      'X-Gateway-Token': 'guess',
      'X-Forwarded-For': '10.0.0.1',
      'X-Request-Id': 'page-1',
    });
    const headers = seen[0]?.headers ?? {};
    for (const name of ['authorization', 'cookie', 'x-gateway-token', 'x-forwarded-for'])
      expect(headers[name]).toBeUndefined();
    expect(headers['x-request-id']).toBe('page-1');
    expect(headers.host).toBe(`127.0.0.1:${portOf(upstream)}`);
  });
});

describe('a hostile page', () => {
  const mutations = ['POST', 'PUT', 'PATCH', 'DELETE'];

  test.each(mutations)('can not %s, whatever origin it has', async (method) => {
    for (const headers of [
      { Origin: 'http://evil.example' },
      { Origin: 'null' },
      { Origin: `https://${own()}` },
      { Origin: 'http://localhost:9' },
      { Origin: `http://${own()}.evil.example` },
      {},
      { Origin: `http://${own()}`, 'Sec-Fetch-Site': 'cross-site' },
    ])
      expect((await ask('/api/tp-capital/parse', method, headers)).status).toBe(403);
    expect(seen).toEqual([]);
  });

  test('gets nothing by a name that was rebound to this address, not even the page', async () => {
    const rebound = { Host: `evil.example:${portOf(door)}`, Origin: `http://evil.example:${portOf(door)}` };
    for (const path of ['/sinais', '/health', '/api/tp-capital/signals', '/api/gateway/health'])
      expect((await ask(path, 'GET', rebound)).status).toBe(421);
    expect((await ask('/api/tp-capital/parse', 'POST', rebound)).status).toBe(421);
    expect(seen).toEqual([]);
  });

  test.each(['OPTIONS', 'TRACE', 'PROPFIND'])('%s is no method of ours', async (method) =>
    expect((await ask('/api/tp-capital/signals', method)).status).toBe(405),
  );
});

describe('host names', () => {
  test.each([
    ['localhost:3103', 'localhost'],
    ['LOCALHOST', 'localhost'],
    ['[::1]:3103', '[::1]'],
    ['[::1]', '[::1]'],
    ['127.0.0.1:1', '127.0.0.1'],
    [undefined, ''],
  ])('%s is %s', (header, name) => expect(hostName(header)).toBe(name));

  test('a list of one’s own replaces the default', () => {
    expect([...parseHosts(' Mesa.local , 10.0.0.2 ')]).toEqual(['mesa.local', '10.0.0.2']);
    expect([...parseHosts('')]).toEqual(['localhost', '127.0.0.1', '[::1]']);
  });
});
