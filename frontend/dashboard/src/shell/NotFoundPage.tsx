import { Compass } from 'lucide-react';
import { useTexts } from '../i18n/index.ts';
import { go } from '../lib/router.ts';
import { BigState } from '../ui/notice.tsx';
import { usePageTitle } from '../ui/page.tsx';

export function NotFoundPage({ path }: { path: string }) {
  const t = useTexts();
  usePageTitle(t.notFound.title);
  return (
    <BigState
      icon={<Compass size={24} aria-hidden />}
      title={t.notFound.title}
      text={t.notFound.text(path)}
      action={{ label: t.notFound.action, run: () => go('/sinais') }}
    />
  );
}
