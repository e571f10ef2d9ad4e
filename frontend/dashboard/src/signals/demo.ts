import { createStore } from '../lib/store.ts';

/** True while the list holds invented signals of the demonstration. */
export const demoRows = createStore(false);
