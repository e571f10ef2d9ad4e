import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { App } from './App.tsx';
import { applyPreferences } from './lib/preferences.ts';
import { watchBrowser } from './live/hub.ts';
import './styles/tokens.css';
import './styles/base.css';

applyPreferences(document.documentElement);
watchBrowser();

const client = new QueryClient();
const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);
