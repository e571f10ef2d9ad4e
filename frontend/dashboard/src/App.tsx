import { Provider as TipProvider } from '@radix-ui/react-tooltip';
import { useEffect } from 'react';
import { go, placeOf, useAddress } from './lib/router.ts';
import { NotFoundPage } from './shell/NotFoundPage.tsx';
import { Shell } from './shell/Shell.tsx';
import { SignalsPage } from './signals/SignalsPage.tsx';

/** Bookmarks of the dashboard before this one. */
const OLD_ADDRESSES: Record<string, string> = { '#/tp-capital': '/sinais' };

export function App() {
  const { path, query } = placeOf(useAddress());
  const isHome = path === '/';
  useEffect(() => {
    if (isHome) go(OLD_ADDRESSES[window.location.hash] ?? '/sinais', 'replace');
  }, [isHome]);

  return (
    <TipProvider delayDuration={400}>
      <Shell path={path}>
        {path === '/sinais' ? <SignalsPage query={query} /> : !isHome && <NotFoundPage path={path} />}
      </Shell>
    </TipProvider>
  );
}
