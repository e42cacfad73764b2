/** A hub in a process of its own, without screens: started with its configuration as JSON, tells its ports as JSON. */
import { startHub } from '../main.ts';
import { tellResult } from '../terminal.ts';

const config = JSON.parse(process.argv[2] ?? '{}');
const fail = (reason: string) => {
  console.error(reason);
  process.exit(1);
};
const hub = await startHub(config, { say: () => {}, count: () => {}, fail }, async () => undefined);
process.on('SIGTERM', () => void hub.stop().then(() => process.exit(0)));
tellResult({ url: hub.url, mllpPort: hub.mllp.port });
