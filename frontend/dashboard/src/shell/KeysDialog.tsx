import { useTexts } from '../i18n/index.ts';
import { shortcutsOn } from '../lib/preferences.ts';
import { useStore } from '../lib/store.ts';
import { Key } from '../ui/controls.tsx';
import { Dialog } from '../ui/dialog.tsx';
import { PAGES } from './pages.ts';
import styles from './KeysDialog.module.css';

export function KeysDialog({ open, onClose }: { open: boolean; onClose: () => void }) {
  const t = useTexts();
  const isOn = useStore(shortcutsOn);
  const rows: [string, string[], 'then' | 'plus'][] = [
    [t.keys.search, ['/'], 'plus'],
    [t.keys.palette, ['Ctrl', 'K'], 'plus'],
    [t.keys.next, ['J'], 'plus'],
    [t.keys.previous, ['K'], 'plus'],
    [t.keys.open, ['Enter'], 'plus'],
    [t.keys.close, ['Esc'], 'plus'],
    [t.keys.top, ['N'], 'plus'],
    [t.keys.delete, ['Del'], 'plus'],
    [t.keys.create, ['C'], 'plus'],
    [t.keys.pause, ['P'], 'plus'],
    ...PAGES.map(({ name, key }): [string, string[], 'then'] => [
      t.palette.goTo(t.nav[name]),
      ['G', key.toUpperCase()],
      'then',
    ]),
    [t.keys.help, ['?'], 'plus'],
  ];
  return (
    <Dialog open={open} onClose={onClose} title={t.keys.title}>
      <dl className={styles.list}>
        {rows.map(([name, keys, join]) => (
          <div key={name} className={styles.row}>
            <dt>{name}</dt>
            <dd className={styles.keys}>
              {keys.map((key, at) => (
                <span key={key} className={styles.keys}>
                  {at > 0 && (join === 'then' ? t.keys.then : '+')}
                  <Key>{key}</Key>
                </span>
              ))}
            </dd>
          </div>
        ))}
      </dl>
      <label className={styles.toggle}>
        <input type="checkbox" checked={isOn} onChange={(event) => shortcutsOn.set(event.target.checked)} />
        {t.keys.enabled}
      </label>
    </Dialog>
  );
}
