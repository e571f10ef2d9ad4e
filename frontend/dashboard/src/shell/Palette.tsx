import { Search } from 'lucide-react';
import { useId, useState, type KeyboardEvent } from 'react';
import { useTexts } from '../i18n/index.ts';
import { actions, type Action } from '../lib/actions.ts';
import { plain } from '../lib/query.ts';
import { useStore } from '../lib/store.ts';
import { Key } from '../ui/controls.tsx';
import { Dialog } from '../ui/dialog.tsx';
import styles from './Palette.module.css';

export function matching(offered: readonly Action[], wanted: string): Action[] {
  const words = plain(wanted).split(/\s+/).filter(Boolean);
  const found = offered.filter(
    ({ id, title }) => id !== 'palette' && words.every((word) => plain(title).includes(word)),
  );
  return [
    ...found.filter(({ group }) => group === 'page'),
    ...found.filter(({ group }) => group === 'action'),
  ];
}

function Options({
  listId,
  found,
  at,
  run,
}: {
  listId: string;
  found: Action[];
  at: number;
  run: (a: Action) => void;
}) {
  const t = useTexts();
  if (found.length === 0) return <p className={styles.none}>{t.palette.none}</p>;
  return (
    <div id={listId} role="listbox" aria-label={t.palette.label} className={styles.list}>
      {(['page', 'action'] as const).map((group) => {
        const members = found.filter((action) => action.group === group);
        if (members.length === 0) return null;
        const name = group === 'page' ? t.palette.pages : t.palette.actions;
        return (
          <div key={group} role="group" aria-label={name}>
            <div className={styles.heading} aria-hidden>
              {name}
            </div>
            {members.map((action) => (
              <div
                key={action.id}
                id={`${listId}-${action.id}`}
                role="option"
                aria-selected={found[at] === action}
                className={styles.option}
                onClick={() => run(action)}
              >
                {action.title}
                <span>
                  {action.keys?.map((key) => (
                    <Key key={key}>{key.toUpperCase()}</Key>
                  ))}
                </span>
              </div>
            ))}
          </div>
        );
      })}
    </div>
  );
}

function PaletteBody({ onClose }: { onClose: () => void }) {
  const t = useTexts();
  const listId = useId();
  const [wanted, setWanted] = useState('');
  const [at, setAt] = useState(0);
  const found = matching(useStore(actions), wanted);
  const current = found[at];

  const run = (action: Action) => {
    onClose();
    // After the dialog gave focus back, so that an action may move it.
    setTimeout(action.run, 0);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && found.length > 0) {
      event.preventDefault();
      const next = (at + step + found.length) % found.length;
      setAt(next);
      document.getElementById(`${listId}-${found[next]?.id ?? ''}`)?.scrollIntoView({ block: 'nearest' });
    } else if (event.key === 'Enter' && current) {
      event.preventDefault();
      run(current);
    }
  };

  return (
    <>
      <div className={styles.input}>
        <Search size={16} aria-hidden />
        <input
          autoFocus
          role="combobox"
          aria-expanded
          aria-controls={listId}
          aria-activedescendant={current && `${listId}-${current.id}`}
          aria-label={t.palette.hint}
          placeholder={t.palette.hint}
          value={wanted}
          onChange={(event) => {
            setWanted(event.target.value);
            setAt(0);
          }}
          onKeyDown={onKeyDown}
        />
      </div>
      <Options listId={listId} found={found} at={at} run={run} />
    </>
  );
}

export function Palette({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useTexts();
  return (
    <Dialog open={open} onClose={onClose} title={t.palette.label} bare>
      <PaletteBody onClose={onClose} />
    </Dialog>
  );
}
