import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { productionHeaders } from './vite/csp.ts';
import { apiProxy, parseHosts } from './vite/proxy.ts';

const { env } = process;
const hosts = parseHosts(env['DASHBOARD_HOSTS']);

export default defineConfig({
  plugins: [
    apiProxy({
      tpCapital: new URL(env['VITE_TP_CAPITAL_PROXY_TARGET'] ?? 'http://127.0.0.1:4005'),
      gateway: new URL(env['VITE_GATEWAY_PROXY_TARGET'] ?? 'http://127.0.0.1:4006'),
      hosts,
      adminToken: env['ADMIN_TOKEN'] === '' ? undefined : env['ADMIN_TOKEN'],
    }),
    productionHeaders(),
    react(),
  ],
  // Nothing of the environment reaches the page; the addresses above are for this server only.
  envPrefix: 'PAGE_',
  server: {
    host: '127.0.0.1',
    port: Number(env['DASHBOARD_PORT'] ?? 3103),
    strictPort: true,
    cors: false,
    allowedHosts: [...hosts],
  },
  preview: {
    host: '127.0.0.1',
    port: Number(env['DASHBOARD_PORT'] ?? 3103),
    strictPort: true,
    cors: false,
    allowedHosts: [...hosts],
  },
  build: {
    outDir: 'build/dist',
    target: 'es2022',
    // A data: font or script would need a hole in the content security policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  css: { modules: { localsConvention: 'camelCaseOnly' } },
  test: { include: ['src/**/*.test.{ts,tsx}', 'vite/**/*.test.ts', 'scripts/**/*.test.mjs'] },
});
