import { Provider as TipProvider } from '@radix-ui/react-tooltip';
import { Suspense, useEffect, type ComponentType } from 'react';
import { later } from './lib/later.tsx';
import { go, placeOf, useAddress } from './lib/router.ts';
import { NotFoundPage } from './shell/NotFoundPage.tsx';
import { REPARSE_PATH } from './shell/pages.ts';
import { Shell } from './shell/Shell.tsx';
import { SignalsPage } from './signals/SignalsPage.tsx';

/** Bookmarks of the dashboard before this one. */
const OLD_ADDRESSES: Record<string, string> = { '#/tp-capital': '/sinais' };

interface PageProps {
  query: URLSearchParams;
}

const MessagesPage = later(async () => (await import('./messages/MessagesPage.tsx')).MessagesPage);
const ChannelsPage = later(async () => (await import('./registry/ChannelsPage.tsx')).ChannelsPage);
const BotsPage = later(async () => (await import('./registry/BotsPage.tsx')).BotsPage);
const LogsPage = later(async () => (await import('./logs/LogsPage.tsx')).LogsPage);
const StatisticsPage = later(async () => (await import('./statistics/StatisticsPage.tsx')).StatisticsPage);
const ReparsePage = later(async () => (await import('./reparse/ReparsePage.tsx')).ReparsePage);

const ROUTES: Record<string, ComponentType<PageProps>> = {
  '/sinais': SignalsPage,
  '/sinais/estatisticas': StatisticsPage,
  [REPARSE_PATH]: ReparsePage,
  '/mensagens': MessagesPage,
  '/canais': ChannelsPage,
  '/bots': BotsPage,
  '/logs': LogsPage,
};

const PRELOAD_AFTER_MS = 3_000;

/** When the first page has settled the small ones come too, so that a change of page waits for nothing. */
function usePreload(): void {
  useEffect(() => {
    const timer = setTimeout(() => {
      for (const page of [MessagesPage, ChannelsPage, BotsPage, LogsPage, ReparsePage]) page.preload();
    }, PRELOAD_AFTER_MS);
    return () => clearTimeout(timer);
  }, []);
}

export function App() {
  const { path, query } = placeOf(useAddress());
  const isHome = path === '/';
  useEffect(() => {
    if (isHome) go(OLD_ADDRESSES[window.location.hash] ?? '/sinais', 'replace');
  }, [isHome]);
  usePreload();
  const Page = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;

  return (
    <TipProvider delayDuration={400}>
      <Shell path={path}>
        <Suspense fallback={null}>
          {Page ? <Page key={path} query={query} /> : !isHome && <NotFoundPage path={path} />}
        </Suspense>
      </Shell>
    </TipProvider>
  );
}
