import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react';

export function useMedia(query: string): boolean {
  const subscribe = useCallback(
    (listener: () => void) => {
      const list = window.matchMedia(query);
      list.addEventListener('change', listener);
      return () => list.removeEventListener('change', listener);
    },
    [query],
  );
  return useSyncExternalStore(subscribe, () => window.matchMedia(query).matches);
}

export const PHONE = '(max-width: 767px)';
export const NARROW = '(max-width: 1199px)';

/** True once `active` has lasted `ms`: a skeleton that would only flash is not shown. */
export function useLasting(active: boolean, ms: number): boolean {
  const [lasted, setLasted] = useState(false);
  useEffect(() => {
    if (!active) return;
    const timer = setTimeout(() => setLasted(true), ms);
    return () => {
      clearTimeout(timer);
      setLasted(false);
    };
  }, [active, ms]);
  return active && lasted;
}

/** The present time, again every `everyMs`; stands still when `everyMs` is null. */
export function useNow(everyMs: number | null): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (everyMs === null) return;
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [everyMs]);
  return now;
}

/** Width of an element, for layouts that depend on the room they have and not on the window. */
export function useWidth(element: HTMLElement | null): number {
  const [width, setWidth] = useState(0);
  useEffect(() => {
    if (!element) return;
    const observer = new ResizeObserver(([entry]) => {
      if (entry) setWidth(Math.floor(entry.contentRect.width));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [element]);
  return width;
}

const TYPING_MS = 250;

/** A text that is typed freely and takes effect when the hand rests. */
export function useTyped(value: string, apply: (text: string) => void): [string, (text: string) => void] {
  const [typed, setTyped] = useState(value);
  const [known, setKnown] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  if (known !== value) {
    // The address changed, perhaps by another way (back, a cleared filter): it wins over what stands in the field.
    setKnown(value);
    setTyped(value);
  }
  useEffect(() => () => clearTimeout(timer.current), []);
  const type = (text: string) => {
    setTyped(text);
    clearTimeout(timer.current);
    timer.current = setTimeout(() => apply(text), TYPING_MS);
  };
  return [typed, type];
}

/** New rows wait while the reader has scrolled down or points at a row: the list never moves under the pointer. */
export function useHold(onHold: (hold: boolean) => void) {
  const scrolled = useRef(false);
  const pointed = useRef(false);
  const tell = useCallback(() => onHold(scrolled.current || pointed.current), [onHold]);
  return useMemo(
    () => ({
      onScroll: (event: React.UIEvent<HTMLDivElement>) => {
        scrolled.current = event.currentTarget.scrollTop > 4;
        tell();
      },
      onPointerEnter: (event: React.PointerEvent) => {
        pointed.current = event.pointerType === 'mouse';
        tell();
      },
      onPointerLeave: () => {
        pointed.current = false;
        tell();
      },
    }),
    [tell],
  );
}
