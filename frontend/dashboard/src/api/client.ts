/** The page's only way to the services. Every call is typed from the contract (schema.ts) and fails with an ApiError. */
import type { paths } from './schema.ts';
import type { GatewayHealth } from './types.ts';

export const API_BASE = '/api/tp-capital';

type JsonOf<Responses> = Responses extends { 200: { content: { 'application/json': infer Body } } }
  ? Body
  : never;
type GetOf<P extends keyof paths> = paths[P] extends { get: infer Operation } ? Operation : never;
type QueryOf<P extends keyof paths> =
  GetOf<P> extends { parameters: { query?: infer Query } } ? Exclude<Query, undefined> : never;
type AnswerOf<P extends keyof paths> =
  GetOf<P> extends { responses: infer Responses } ? JsonOf<Responses> : never;

/** What changes something: its body, and its answer whether 200 or 201. */
type Method = 'post' | 'put' | 'delete';
type Mutation<P extends keyof paths, M extends Method> =
  paths[P] extends Record<M, infer Operation> ? Operation : never;
export type BodyOf<P extends keyof paths, M extends Method> =
  Mutation<P, M> extends { requestBody: { content: { 'application/json': infer Body } } } ? Body : undefined;
type DoneOf<P extends keyof paths, M extends Method> =
  Mutation<P, M> extends { responses: infer Responses }
    ? Responses extends { 201: { content: { 'application/json': infer Body } } }
      ? Body
      : JsonOf<Responses>
    : never;

export type SignalQuery = QueryOf<'/signals'>;
export type MessageQuery = QueryOf<'/forwarded-messages'>;
export type LogQuery = QueryOf<'/logs'>;

export type FailureKind = 'offline' | 'unreachable' | 'refused' | 'broken';

export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** offline: this device; unreachable: nobody answered; refused: 4xx; broken: 5xx or an unreadable answer. */
  readonly kind: FailureKind;
  readonly status: number;
  /** Finds the request in the service's log. */
  readonly requestId: string;
  readonly field: string | undefined;

  constructor(kind: FailureKind, status: number, text: string, requestId: string, field?: string) {
    super(text);
    this.kind = kind;
    this.status = status;
    this.requestId = requestId;
    this.field = field;
  }
}

export function newRequestId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(6));
  return 'page-' + Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

function kindOf(status: number, code: unknown): FailureKind {
  if (code === 'upstream_unavailable' || status === 502 || status === 504) return 'unreachable';
  return status >= 500 ? 'broken' : 'refused';
}

async function failureOf(response: Response, requestId: string): Promise<ApiError> {
  const id = response.headers.get('X-Request-Id') ?? requestId;
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const text = typeof body['error'] === 'string' ? body['error'] : `HTTP ${response.status}`;
  const field = typeof body['field'] === 'string' ? body['field'] : undefined;
  return new ApiError(kindOf(response.status, body['code']), response.status, text, id, field);
}

interface Asked {
  accept: (status: number) => boolean;
  method?: string;
  body?: unknown;
  signal?: AbortSignal | undefined;
}

async function ask(address: string, { accept, method = 'GET', body, signal }: Asked): Promise<unknown> {
  const requestId = newRequestId();
  const headers: Record<string, string> = { Accept: 'application/json', 'X-Request-Id': requestId };
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(address, {
      method,
      headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    throw new ApiError(navigator.onLine ? 'unreachable' : 'offline', 0, String(cause), requestId);
  }
  if (!accept(response.status)) throw await failureOf(response, requestId);
  try {
    return (await response.json()) as unknown;
  } catch (cause) {
    throw new ApiError('broken', response.status, String(cause), requestId);
  }
}

export function queryString(query: Readonly<Record<string, unknown>>): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
      search.set(name, String(value));
  const text = search.toString();
  return text === '' ? '' : `?${text}`;
}

const isOk = (status: number) => status === 200;
const isDone = (status: number) => status === 200 || status === 201;

type Readable =
  | '/signals'
  | '/signals/statistics'
  | '/channels'
  | '/logs'
  | '/forwarded-messages'
  | '/telegram/channels'
  | '/telegram/bots';

export function get<P extends Readable>(
  path: P,
  query: QueryOf<P> | Record<string, never>,
  signal?: AbortSignal,
): Promise<AnswerOf<P>> {
  const address = API_BASE + path + queryString(query as Record<string, unknown>);
  return ask(address, { accept: isOk, signal }) as Promise<AnswerOf<P>>;
}

export function getSignal(id: string, signal?: AbortSignal): Promise<AnswerOf<'/signals/{id}'>> {
  const address = `${API_BASE}/signals/${encodeURIComponent(id)}`;
  return ask(address, { accept: isOk, signal }) as Promise<AnswerOf<'/signals/{id}'>>;
}

/** `id` takes the place of `{id}` in the path. */
export function send<P extends keyof paths, M extends Method>(
  method: M,
  path: P,
  body: BodyOf<P, M>,
  { id = '', signal }: { id?: string; signal?: AbortSignal } = {},
): Promise<DoneOf<P, M>> {
  const address = API_BASE + path.replace('{id}', encodeURIComponent(id));
  const asked = { accept: isDone, method: method.toUpperCase(), body, signal };
  return ask(address, asked) as Promise<DoneOf<P, M>>;
}

/** A health answer of 503 is an answer, not a failure. */
const isHealthAnswer = (status: number) => status === 200 || status === 503;

export function getApiHealth(signal?: AbortSignal): Promise<AnswerOf<'/health'>> {
  return ask(`${API_BASE}/health`, { accept: isHealthAnswer, signal }) as Promise<AnswerOf<'/health'>>;
}

export function getGatewayHealth(signal?: AbortSignal): Promise<GatewayHealth> {
  return ask('/api/gateway/health', { accept: isHealthAnswer, signal }) as Promise<GatewayHealth>;
}
