import { useQuery } from '@tanstack/react-query';
import { PanelLeftClose, PanelLeftOpen } from 'lucide-react';
import { get } from '../api/client.ts';
import type { ChannelList } from '../api/types.ts';
import { useLanguage, useTexts } from '../i18n/index.ts';
import { formatCount } from '../lib/format.ts';
import { sidebarFolded } from '../lib/preferences.ts';
import { addressOf, followInPage, placeOf, useAddress } from '../lib/router.ts';
import { useStore } from '../lib/store.ts';
import { useApiHealth, useGatewayHealth } from '../live/health.ts';
import { stream } from '../live/hub.ts';
import { classOf, IconButton, Tip } from '../ui/controls.tsx';
import { Dot } from './ConnectionBadge.tsx';
import { apiCondition, gatewayCondition, streamCondition } from './connection.ts';
import { PAGES, type PageEntry } from './pages.ts';
import styles from './Sidebar.module.css';

const CHANNELS_EVERY_MS = 30_000;

/** One entry a channel: the API has one for each name that a channel has had. The busiest name stands for all. */
export function byChannel(list: ChannelList): ChannelList {
  const merged = new Map<string, ChannelList['data'][number]>();
  for (const entry of list.data) {
    const known = merged.get(entry.channel_id) ?? { ...entry, signal_count: 0 };
    const last =
      (known.last_signal ?? '') > (entry.last_signal ?? '') ? known.last_signal : entry.last_signal;
    const signals = known.signal_count + entry.signal_count;
    merged.set(entry.channel_id, { ...known, signal_count: signals, last_signal: last });
  }
  return { ...list, data: [...merged.values()] };
}

export function useChannels() {
  return useQuery({
    queryKey: ['channels'],
    select: byChannel,
    queryFn: ({ signal }) => get('/channels', {}, signal),
    refetchInterval: CHANNELS_EVERY_MS,
    networkMode: 'always',
    retry: false,
  });
}

interface FollowProps {
  onFollow: (() => void) | undefined;
}

function ChannelLinks({ onFollow }: FollowProps) {
  const t = useTexts();
  const language = useLanguage();
  const { path, query } = placeOf(useAddress());
  const { data, isError } = useChannels();
  const chosen = path === '/sinais' ? query.get('channel') : null;
  const addressFor = (channel: string | null) => {
    const next = new URLSearchParams(path === '/sinais' ? query : undefined);
    next.delete('signal');
    if (channel === null) next.delete('channel');
    else next.set('channel', channel);
    return addressOf('/sinais', next);
  };
  if (!data) return isError ? <p className={styles.muted}>{t.nav.channelsFailed}</p> : null;
  return (
    <ul>
      {data.data.map(({ channel, channel_id: id, signal_count: signals }) => (
        <li key={id}>
          <a
            className={classOf(styles.link, styles.channel)}
            // A second click on the chosen channel shows all again.
            href={addressFor(chosen === id ? null : id)}
            aria-current={chosen === id ? 'true' : undefined}
            onClick={(event) => {
              followInPage(event);
              onFollow?.();
            }}
          >
            <i className={styles.tag} aria-hidden />
            <span>{channel}</span>
            <small>
              {formatCount(signals, language)}
              <span className="visually-hidden"> {t.nav.signalWord(signals)}</span>
            </small>
          </a>
        </li>
      ))}
    </ul>
  );
}

function Services({ folded }: { folded: boolean }) {
  const t = useTexts();
  const api = apiCondition(useApiHealth(), t);
  const connection = streamCondition(useStore(stream.connection), api, t);
  const services = [
    { name: t.connection.stream, condition: connection },
    { name: t.connection.api, condition: api },
    { name: t.connection.gateway, condition: gatewayCondition(useGatewayHealth(), t) },
  ];
  if (folded)
    return services.map(({ name, condition }) => (
      <Tip key={name} side="right" text={`${name}: ${condition.text}`}>
        <span role="img" tabIndex={0} aria-label={`${name}: ${condition.text}`}>
          <Dot tone={condition.tone} />
        </span>
      </Tip>
    ));
  return services.map(({ name, condition }) => (
    <div key={name} className={styles.service}>
      <Dot tone={condition.tone} />
      {name}
      <small>{condition.text}</small>
    </div>
  ));
}

function Mark() {
  return (
    <svg className={styles.mark} viewBox="0 0 32 32" aria-hidden>
      <rect width="32" height="32" rx="7" fill="oklch(0.235 0.014 252)" />
      <path
        d="M8 20.5l5-6 4 3.5 7-8.5"
        fill="none"
        stroke="oklch(0.795 0.135 172)"
        strokeWidth="2.6"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <circle cx="24" cy="9.5" r="2.4" fill="oklch(0.795 0.135 172)" />
    </svg>
  );
}

interface PageLinkProps {
  page: PageEntry;
  isCurrent: boolean;
  folded: boolean;
  follow: (event: React.MouseEvent<HTMLAnchorElement>) => void;
}

function PageLink({ page: { path, name, Icon }, isCurrent, folded, follow }: PageLinkProps) {
  const t = useTexts();
  const link = (
    <a
      className={styles.link}
      href={path}
      aria-current={isCurrent ? 'page' : undefined}
      aria-label={folded ? t.nav[name] : undefined}
      onClick={follow}
    >
      <Icon size={16} aria-hidden />
      {!folded && t.nav[name]}
    </a>
  );
  if (!folded) return link;
  return (
    <Tip text={t.nav[name]} side="right">
      {link}
    </Tip>
  );
}

interface SidebarProps {
  path: string;
  folded: boolean;
  canUnfold?: boolean;
  onFollow?: () => void;
}

export function Sidebar({ path, folded, canUnfold = false, onFollow }: SidebarProps) {
  const t = useTexts();
  const follow = (event: React.MouseEvent<HTMLAnchorElement>) => {
    followInPage(event);
    onFollow?.();
  };
  return (
    <nav className={classOf(styles.sidebar, folded && styles.folded)} aria-label={t.nav.label}>
      <div className={styles.brand}>
        <a href="/sinais" onClick={follow} aria-label={t.appName}>
          <Mark />
          {!folded && <span>{t.appName}</span>}
        </a>
        {!folded && canUnfold && (
          <IconButton label={t.nav.fold} onClick={() => sidebarFolded.set(true)}>
            <PanelLeftClose size={16} aria-hidden />
          </IconButton>
        )}
      </div>
      <div className={styles.scroll}>
        {PAGES.map((page) => (
          <PageLink
            key={page.path}
            page={page}
            isCurrent={path === page.path}
            folded={folded}
            follow={follow}
          />
        ))}
        {!folded && (
          <>
            <h2 className={styles.heading}>{t.nav.channels}</h2>
            <ChannelLinks onFollow={onFollow} />
          </>
        )}
      </div>
      <div className={styles.foot}>
        <Services folded={folded} />
        {folded && canUnfold && (
          <IconButton label={t.nav.unfold} onClick={() => sidebarFolded.set(false)}>
            <PanelLeftOpen size={16} aria-hidden />
          </IconButton>
        )}
      </div>
    </nav>
  );
}
