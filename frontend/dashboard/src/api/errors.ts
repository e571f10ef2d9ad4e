import { ApiError } from './client.ts';
import type { Catalogue } from '../i18n/pt-BR.ts';

/** What failed and what to do about it, for a person. */
export function errorText(error: Error, t: Catalogue): string {
  if (!(error instanceof ApiError)) return t.states.errorBroken;
  switch (error.kind) {
    case 'offline':
      return t.states.errorOffline;
    case 'unreachable':
      return t.states.errorUnreachable;
    case 'broken':
      return t.states.errorBroken;
    case 'refused':
      return t.states.errorRefused(error.message);
  }
}
