import { createServer } from 'node:http';
import { readConfig } from './config.ts';
import { startDatabase } from './database/index.ts';
import { runHub } from './lifecycle.ts';
import { tokenKey } from './secrets/index.ts';
const { config } = readConfig(process.argv.slice(2), process.env);
process.exit(await runHub(config, async (config, progress) => {
  const db = await startDatabase({ ...config, notice: progress.say, died: progress.fail });
  tokenKey(config.dataDir);
  const s = createServer((_, r) => r.end('ok')); await new Promise<void>(d => s.listen(config.port, config.host, d));
  return { url: `http://${config.host}:${config.port}`, mllp: { host: config.host, port: config.mllpPort }, accounts: [{ username: 'a', password: 'b', role: 'clinician' }], stop: async () => { s.closeAllConnections(); s.close(); await db.stop(); } };
}));
