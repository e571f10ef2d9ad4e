/** Deletion of a signal: gone from the screen at once, back with the reason when the service could not do it. */
import { send } from '../api/client.ts';
import { errorText } from '../api/errors.ts';
import { idOf, type Signal } from '../api/types.ts';
import { texts } from '../i18n/index.ts';
import { createStore } from '../lib/store.ts';
import { toast } from '../lib/toast.ts';

/** Ids that are deleted or about to be: no list shows them, whatever the stream or a page says. */
export const deletedIds = createStore<ReadonlySet<string>>(new Set());

function mark(id: string, isDeleted: boolean): void {
  deletedIds.set((now) => {
    const next = new Set(now);
    if (isDeleted) next.add(id);
    else next.delete(id);
    return next;
  });
}

export async function deleteSignal(signal: Signal, name: string): Promise<void> {
  const id = idOf(signal);
  mark(id, true);
  try {
    await send('delete', '/signals', { id: signal.id });
    toast('done', texts().panel.deleted(name));
  } catch (error) {
    mark(id, false);
    toast('failed', texts().panel.deleteFailed(errorText(error as Error, texts())));
  }
}
