/** Export of everything that matches, not only of what is loaded. */
import { get } from '../api/client.ts';
import { idOf, type Signal } from '../api/types.ts';
import { texts } from '../i18n/index.ts';
import { formatCount } from '../lib/format.ts';
import { language } from '../lib/preferences.ts';
import { dismiss, retext, toast } from '../lib/toast.ts';
import { toCsv } from './csv.ts';
import { apiQuery, type Filters } from './filters.ts';

export const EXPORT_CAP = 10_000;
const ROWS_A_READ = 1_000;

interface Collected {
  signals: Signal[];
  /** More match than the cap lets through. */
  isCapped: boolean;
}

export async function collect(filters: Filters, onProgress: (read: number) => void): Promise<Collected> {
  const found = new Map<string, Signal>();
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof get<'/signals'>>> = await get('/signals', {
      ...apiQuery(filters),
      limit: ROWS_A_READ,
      ...(cursor !== null && { cursor }),
    });
    for (const signal of page.data) found.set(idOf(signal), signal);
    cursor = page.nextCursor;
    onProgress(found.size);
  } while (cursor !== null && found.size < EXPORT_CAP);
  const signals = [...found.values()];
  return { signals: signals.slice(0, EXPORT_CAP), isCapped: cursor !== null || signals.length > EXPORT_CAP };
}

function save(name: string, type: string, content: string): void {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser needs the address until it has begun to read it.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

export async function exportSignals(filters: Filters, form: 'csv' | 'json'): Promise<void> {
  const t = texts();
  const spoken = language.get();
  const progress = toast('info', t.export.working(formatCount(0, spoken)));
  try {
    const { signals, isCapped } = await collect(filters, (read) =>
      retext(progress, t.export.working(formatCount(read, spoken))),
    );
    if (form === 'csv') save('tp-capital-signals.csv', 'text/csv;charset=utf-8', toCsv(signals, t, spoken));
    else save('tp-capital-signals.json', 'application/json', JSON.stringify(signals, null, 2) + '\n');
    toast('done', isCapped ? t.export.capped : t.export.done(signals.length));
  } catch {
    toast('failed', t.export.failed);
  } finally {
    dismiss(progress);
  }
}
