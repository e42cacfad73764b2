/**
 * Builds the screens into `web/dist`, which the hub serves. `vite` alone serves them for development and hands
 * everything that is the hub's to a hub on its default port.
 */
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';
import { verifierPage } from './verifier/build.ts';

const hub = 'http://127.0.0.1:8080';
const outDir = fileURLToPath(new URL('dist', import.meta.url));

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  plugins: [react(), verifierPage(outDir)],
  build: {
    outDir,
    emptyOutDir: true,
    target: 'es2023',
    reportCompressedSize: false,
    chunkSizeWarningLimit: 900,
  },
  server: { host: '127.0.0.1', proxy: { '/api': hub, '/auth': hub, '/fhir': hub, '/oauth': hub } },
});
