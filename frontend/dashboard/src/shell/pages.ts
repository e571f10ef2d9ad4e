/** The pages, in the order of the sidebar: one list for routes, sidebar, commands, keys and titles. */
import { Activity, BarChart3, Bot, MessagesSquare, Radio, ScrollText, type LucideIcon } from 'lucide-react';
import type { Catalogue } from '../i18n/pt-BR.ts';

export interface PageEntry {
  path: string;
  name: keyof Catalogue['nav'] & ('signals' | 'statistics' | 'messages' | 'registry' | 'bots' | 'logs');
  /** After G. */
  key: string;
  Icon: LucideIcon;
}

export const PAGES: readonly PageEntry[] = [
  { path: '/sinais', name: 'signals', key: 's', Icon: Activity },
  { path: '/sinais/estatisticas', name: 'statistics', key: 'e', Icon: BarChart3 },
  { path: '/mensagens', name: 'messages', key: 'm', Icon: MessagesSquare },
  { path: '/canais', name: 'registry', key: 'c', Icon: Radio },
  { path: '/bots', name: 'bots', key: 'b', Icon: Bot },
  { path: '/logs', name: 'logs', key: 'l', Icon: ScrollText },
];

/** Reached from the commands and from the statistics; too rare for the sidebar. */
export const REPARSE_PATH = '/sinais/reler';

export function titleOf(path: string, t: Catalogue): string {
  if (path === REPARSE_PATH) return t.nav.reparse;
  const page = PAGES.find((entry) => entry.path === path);
  return page ? t.nav[page.name] : t.appName;
}
