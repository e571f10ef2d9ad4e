/** Cuts a message where the parser read its fields. The API counts bytes of UTF-8, the page letters of UTF-16. */
import type { Span } from '../api/types.ts';

export interface Piece {
  text: string;
  /** Field read here; null between fields. */
  field: string | null;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

/** Spans that overlap one already taken, or lie outside of the text, are left out: the text itself is always whole. */
export function piecesOf(text: string, spans: readonly Span[]): Piece[] {
  const bytes = encoder.encode(text);
  const pieces: Piece[] = [];
  let at = 0;
  const cut = (to: number, field: string | null) => {
    if (to > at) pieces.push({ text: decoder.decode(bytes.subarray(at, to)), field });
    at = to;
  };
  for (const { field, start, end } of [...spans].sort((a, b) => a.start - b.start)) {
    if (start < at || end <= start || end > bytes.length) continue;
    cut(start, null);
    cut(end, field);
  }
  cut(bytes.length, null);
  return pieces;
}
