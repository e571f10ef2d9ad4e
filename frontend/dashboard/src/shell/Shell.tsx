import * as Dialog from '@radix-ui/react-dialog';
import { FlaskConical, Languages, Menu as MenuIcon, Monitor, Moon, Search, Sun } from 'lucide-react';
import { useEffect, useMemo, useState, type ReactNode } from 'react';
import { useLanguage, useTexts } from '../i18n/index.ts';
import type { Catalogue } from '../i18n/pt-BR.ts';
import { listenToKeys, useActions, type Action } from '../lib/actions.ts';
import { PHONE, useMedia } from '../lib/hooks.ts';
import { language, sidebarFolded, theme, type Theme } from '../lib/preferences.ts';
import { go } from '../lib/router.ts';
import { useStore } from '../lib/store.ts';
import { useGatewayHealth } from '../live/health.ts';
import { useStream } from '../live/useStream.ts';
import { demoRows } from '../signals/demo.ts';
import { Button, IconButton, Key } from '../ui/controls.tsx';
import { Menu, MenuChoices, MenuHeading, MenuItem, MenuRule } from '../ui/menu.tsx';
import { Boundary, LiveRegion, Toasts } from '../ui/notice.tsx';
import { ConnectionBadge } from './ConnectionBadge.tsx';
import { KeysDialog } from './KeysDialog.tsx';
import { PAGES, REPARSE_PATH, titleOf } from './pages.ts';
import { Palette } from './Palette.tsx';
import { Sidebar } from './Sidebar.tsx';
import styles from './Shell.module.css';

interface Overlays {
  openPalette: () => void;
  openKeys: () => void;
}

function shellActions(t: Catalogue, { openPalette, openKeys }: Overlays): Action[] {
  const toTheme = (name: Theme) => () => theme.set(name);
  return [
    ...PAGES.map(({ path, name, key }): Action => {
      return {
        id: `go-${name}`,
        title: t.palette.goTo(t.nav[name]),
        group: 'page',
        keys: ['g', key],
        run: () => go(path),
      };
    }),
    { id: 'go-reparse', title: t.palette.goTo(t.nav.reparse), group: 'page', run: () => go(REPARSE_PATH) },
    { id: 'theme-light', title: t.palette.themeLight, group: 'action', run: toTheme('light') },
    { id: 'theme-dark', title: t.palette.themeDark, group: 'action', run: toTheme('dark') },
    { id: 'theme-system', title: t.palette.themeSystem, group: 'action', run: toTheme('system') },
    {
      id: 'language',
      title: t.language.switchTo,
      group: 'action',
      run: () => language.set((now) => (now === 'en' ? 'pt-BR' : 'en')),
    },
    { id: 'fold', title: t.nav.fold, group: 'action', run: () => sidebarFolded.set((folded) => !folded) },
    { id: 'keys', title: t.palette.shortcuts, group: 'action', keys: ['?'], run: openKeys },
    { id: 'palette', title: t.palette.open, group: 'action', run: openPalette },
  ];
}

/** Ctrl+K or Cmd+K works everywhere, also while typing. */
function usePaletteKey(open: () => void): void {
  useEffect(() => {
    const onKeyDown = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey) return;
      event.preventDefault();
      open();
    };
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, [open]);
}

function ThemeMenu() {
  const t = useTexts();
  const chosen = useStore(theme);
  const spoken = useLanguage();
  const Icon = { light: Sun, dark: Moon, system: Monitor }[chosen];
  return (
    <Menu
      align="end"
      trigger={
        <Button look="bare" aria-label={`${t.theme.label} · ${t.language.label}`} className={styles.iconOnly}>
          <Icon size={16} aria-hidden />
        </Button>
      }
    >
      <MenuHeading>{t.theme.label}</MenuHeading>
      <MenuChoices
        value={chosen}
        onChange={(value) => theme.set(value as Theme)}
        choices={(['light', 'dark', 'system'] as const).map((value) => ({ value, label: t.theme[value] }))}
      />
      <MenuRule />
      <MenuItem
        icon={<Languages size={14} aria-hidden />}
        onSelect={() => language.set(spoken === 'en' ? 'pt-BR' : 'en')}
      >
        {t.language.switchTo}
      </MenuItem>
    </Menu>
  );
}

/** Invented signals never pass for real ones: the bar stays as long as any of them may be on the screen. */
function DemoBar() {
  const t = useTexts();
  const gateway = useGatewayHealth();
  const hasDemoRows = useStore(demoRows);
  if (gateway.data?.transport !== 'replay' && !hasDemoRows) return null;
  return (
    <div className={styles.demo} role="note">
      <FlaskConical size={14} aria-hidden />
      {t.demoBar}
    </div>
  );
}

function Drawer({ path, onClose }: { path: string; onClose: () => void }) {
  const t = useTexts();
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <div className={styles.drawerVeil} />
        <Dialog.Content className={styles.drawer} aria-describedby={undefined}>
          <Dialog.Title className="visually-hidden">{t.nav.label}</Dialog.Title>
          <Sidebar path={path} folded={false} onFollow={onClose} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

export function Shell({ path, children }: { path: string; children: ReactNode }) {
  const t = useTexts();
  const isPhone = useMedia(PHONE);
  const isTight = useMedia('(max-width: 1099px)');
  const folded = useStore(sidebarFolded) || isTight;
  const [overlay, setOverlay] = useState<'palette' | 'keys' | 'drawer' | null>(null);
  const openers = useMemo(
    () => ({ openPalette: () => setOverlay('palette'), openKeys: () => setOverlay('keys') }),
    [],
  );
  const close = () => setOverlay(null);
  useActions(useMemo(() => shellActions(t, openers), [t, openers]));
  useEffect(listenToKeys, []);
  usePaletteKey(openers.openPalette);
  useStream(path !== '/sinais');

  return (
    <div className={styles.shell}>
      <a className={styles.skip} href="#content">
        {t.skipToContent}
      </a>
      {!isPhone && (
        <div className={styles.side}>
          <Sidebar path={path} folded={folded} canUnfold={!isTight} />
        </div>
      )}
      <div className={styles.main}>
        <header className={styles.header}>
          {isPhone && (
            <IconButton label={t.nav.open} onClick={() => setOverlay('drawer')}>
              <MenuIcon size={18} aria-hidden />
            </IconButton>
          )}
          <h1>{titleOf(path, t)}</h1>
          <span className={styles.space} />
          <ConnectionBadge />
          {isPhone ? (
            <IconButton label={t.palette.open} onClick={openers.openPalette}>
              <Search size={16} aria-hidden />
            </IconButton>
          ) : (
            <Button className={styles.palette} onClick={openers.openPalette}>
              {t.palette.open}
              <span className={styles.paletteKeys}>
                <Key>Ctrl</Key>
                <Key>K</Key>
              </span>
            </Button>
          )}
          <ThemeMenu />
        </header>
        <DemoBar />
        <main id="content" tabIndex={-1} className={styles.content}>
          <Boundary key={path}>{children}</Boundary>
        </main>
      </div>
      {overlay === 'drawer' && isPhone && <Drawer path={path} onClose={close} />}
      <Palette open={overlay === 'palette'} onClose={close} />
      <KeysDialog open={overlay === 'keys'} onClose={close} />
      <Toasts />
      <LiveRegion />
    </div>
  );
}
