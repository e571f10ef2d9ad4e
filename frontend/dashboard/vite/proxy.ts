/**
 * The door between the browser and our services, for `vite dev` and `vite preview`.
 *
 * Production has the same route table in nginx. The browser never holds ADMIN_TOKEN: this file adds it, and so it must first be
 * sure that the request comes from our own page. Two checks do that: the `Host` is one of ours (a rebound DNS name has
 * another), and a mutation carries the page's own `Origin` (a hostile page has another, or none).
 */
import { Agent, request as httpRequest } from 'node:http';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import type { Plugin } from 'vite';

export interface ProxyOptions {
  /** Base address of the TP Capital API. */
  tpCapital: URL;
  /** Base address of the Telegram gateway. */
  gateway: URL;
  /** Host names the page may be reached by, without port; IPv6 in brackets. */
  hosts: ReadonlySet<string>;
  /** Added as bearer to mutations; undefined when the services ask for none. */
  adminToken: string | undefined;
}

interface Route {
  service: string;
  base: URL;
  /** Path and query at the service. */
  path: string;
}

type Handler = (request: IncomingMessage, response: ServerResponse, next: () => void) => void;

type Verdict = { route: Route } | { status: number; body: Record<string, string> };

const CONNECT_TIMEOUT_MS = 2_000;
const READ_TIMEOUT_MS = 30_000;
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE']);
const SAFE_METHODS = new Set(['GET', 'HEAD']);

/** Between two neighbours only; each connection has its own. */
const HOP_HEADERS = new Set(['connection', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'upgrade']);

/** Never passed on: the browser's word on something that we decide. */
const DROPPED_HEADERS = new Set([
  'authorization',
  'cookie',
  'forwarded',
  'host',
  'origin',
  'proxy-authorization',
  'x-forwarded-for',
  'x-gateway-token',
]);

/** Plain segments only. Encoded letters, dot segments and double slashes could name a closed path in another spelling. */
const PLAIN_PATH = /^(?:\/(?!\.)[A-Za-z0-9._~-]*)+$/;
const DOUBLE_SLASH = /\/\//;

/** `name[:port]` without the port, in lower case; `[::1]:3103` gives `[::1]`. */
export function hostName(header: string | undefined): string {
  return (header ?? '').toLowerCase().replace(/:\d*$/, '');
}

export function parseHosts(text: string | undefined): Set<string> {
  const names = (text ?? '').split(',').map((name) => name.trim().toLowerCase());
  const given = names.filter((name) => name !== '');
  return new Set(given.length > 0 ? given : ['localhost', '127.0.0.1', '[::1]']);
}

function refuse(status: number, error: string, more: Record<string, string> = {}): Verdict {
  return { status, body: { error, ...more } };
}

function routeOf(target: string, options: ProxyOptions): Verdict {
  const cut = target.indexOf('?');
  const path = cut < 0 ? target : target.slice(0, cut);
  const query = cut < 0 ? '' : target.slice(cut);
  if (!PLAIN_PATH.test(path) || DOUBLE_SLASH.test(path)) return refuse(400, 'Invalid path');

  if (path === '/api/gateway/health')
    return { route: { service: 'tp-capital-gateway', base: options.gateway, path: '/health' } };
  if (!path.startsWith('/api/tp-capital/')) return refuse(404, 'Not Found');

  const rest = path.slice('/api/tp-capital'.length);
  if (/^\/(?:ingest|metrics)(?:\/|$)/i.test(rest)) return refuse(403, 'Forbidden');
  return { route: { service: 'tp-capital-api', base: options.tpCapital, path: rest + query } };
}

/** True if the request was made by a page that this server itself delivered. */
function isOwnOrigin(request: IncomingMessage): boolean {
  const { origin, host } = request.headers;
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') return false;
  return (
    origin !== undefined && host !== undefined && origin.toLowerCase() === `http://${host.toLowerCase()}`
  );
}

/** What to do with a request under /api/: where it goes, or why not. */
export function judge(request: IncomingMessage, options: ProxyOptions): Verdict {
  const method = request.method ?? 'GET';
  if (!METHODS.has(method)) return refuse(405, 'Method not allowed');
  const verdict = routeOf(request.url ?? '/', options);
  if ('status' in verdict) return verdict;
  if (!SAFE_METHODS.has(method) && !isOwnOrigin(request)) return refuse(403, 'Origin not allowed');
  return verdict;
}

function answer(response: ServerResponse, status: number, body: Record<string, string>): void {
  response.writeHead(status, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify(body));
}

function forwardedHeaders(request: IncomingMessage, options: ProxyOptions): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  for (const [name, value] of Object.entries(request.headers))
    if (!HOP_HEADERS.has(name) && !DROPPED_HEADERS.has(name)) headers[name] = value;
  if (options.adminToken !== undefined && !SAFE_METHODS.has(request.method ?? 'GET'))
    headers['authorization'] = `Bearer ${options.adminToken}`;
  return headers;
}

function unreachable(response: ServerResponse, service: string): void {
  if (response.headersSent) response.destroy();
  else answer(response, 502, { error: 'Service does not answer', code: 'upstream_unavailable', service });
}

function forward(
  request: IncomingMessage,
  response: ServerResponse,
  route: Route,
  options: ProxyOptions,
  agent: Agent,
): void {
  const upstream = httpRequest({
    agent,
    hostname: route.base.hostname.replace(/^\[|\]$/g, ''),
    port: route.base.port === '' ? 80 : Number(route.base.port),
    method: request.method,
    path: route.path,
    headers: forwardedHeaders(request, options),
  });
  const giveUp = (ms: number) => setTimeout(() => upstream.destroy(new Error('timeout')), ms);
  let timer = giveUp(CONNECT_TIMEOUT_MS);
  const waitForAnswer = () => {
    clearTimeout(timer);
    timer = giveUp(READ_TIMEOUT_MS);
  };

  upstream.on('socket', (socket) => {
    if (socket.connecting) socket.once('connect', waitForAnswer);
    else waitForAnswer();
  });
  upstream.on('response', (incoming) => {
    clearTimeout(timer);
    const kept = Object.entries(incoming.headers).filter(([name]) => !HOP_HEADERS.has(name));
    response.writeHead(incoming.statusCode ?? 502, Object.fromEntries(kept));
    response.flushHeaders();
    // No timeout from here on: a stream may be silent between its heartbeats, and lasts as long as the page.
    incoming.on('error', () => response.destroy());
    incoming.on('aborted', () => response.destroy());
    incoming.pipe(response);
  });
  upstream.on('error', () => {
    clearTimeout(timer);
    unreachable(response, route.service);
  });
  response.on('close', () => {
    clearTimeout(timer);
    upstream.destroy();
  });
  request.pipe(upstream);
}

/** The middleware itself; exported so that tests can mount it on a plain HTTP server. */
export function createProxy(options: ProxyOptions): Handler {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  return (request, response, next) => {
    if (!options.hosts.has(hostName(request.headers.host))) {
      answer(response, 421, { error: 'Misdirected request' });
      return;
    }
    const url = request.url ?? '/';
    if (url === '/health') {
      answer(response, 200, { status: 'ok' });
      return;
    }
    if (!/^\/api(?:[/?]|$)/.test(url)) {
      next();
      return;
    }
    const verdict = judge(request, options);
    if ('status' in verdict) answer(response, verdict.status, verdict.body);
    else forward(request, response, verdict.route, options, agent);
  };
}

export function apiProxy(options: ProxyOptions): Plugin {
  return {
    name: 'api-proxy',
    // Mounted before Vite's own middlewares, so that a foreign Host gets nothing at all from this server.
    configureServer: (server) => void server.middlewares.use(createProxy(options)),
    configurePreviewServer: (server) => void server.middlewares.use(createProxy(options)),
  };
}
