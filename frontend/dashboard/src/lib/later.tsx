/** Pages that come when they are wanted: the first page carries none of their weight. */
import { use, type ComponentType } from 'react';

/**
 * Like React.lazy, but a load that failed is tried again when the page is shown again: after an outage "Tentar de novo" works.
 */
export function later<Props extends object>(load: () => Promise<ComponentType<Props>>) {
  let loading: Promise<ComponentType<Props>> | null = null;
  const start = () => {
    loading ??= load().catch((error: unknown) => {
      loading = null;
      throw error;
    });
    return loading;
  };
  function Later(props: Props) {
    const Page = use(start());
    return <Page {...props} />;
  }
  return Object.assign(Later, { preload: () => void start().catch(() => undefined) });
}
