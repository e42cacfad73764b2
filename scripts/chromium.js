// The browser of the journey tests: the one CHROMIUM names, or the system's Chromium, installed by apt where it is missing
// and that is possible.
import { spawnSync } from 'node:child_process';
import { run } from './sections.js';

const names = ['chromium', 'chromium-browser', 'google-chrome'];

/** Throws an Error with what to do when there is no browser and none can be installed. */
export async function ensureChromium() {
  const chosen = process.env.CHROMIUM;
  if (chosen && !runs(chosen))
    throw new Error(`CHROMIUM names ${chosen}, which does not run: name a browser that does.`);
  const present = chosen || names.find(runs);
  if (present) return console.log(spawnSync(present, ['--version'], { encoding: 'utf8' }).stdout.trim());
  if (!runs('apt-get')) {
    throw new Error('There is no Chromium, and no apt to install it: install one, or name it in CHROMIUM.');
  }
  if (process.getuid?.() !== 0) {
    throw new Error(
      'There is no Chromium, and only root can install it: apt-get install chromium, then run the tests again.',
    );
  }
  const quietly = {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'inherit'],
  };
  console.log('Installing Chromium (apt-get install chromium).');
  await run(['apt-get', 'update', '-qq'], quietly);
  await run(['apt-get', 'install', '-y', '-qq', '--no-install-recommends', 'chromium', 'fonts-dejavu-core'], quietly);
  if (!runs('chromium'))
    throw new Error('Chromium could not be installed with apt: install it by hand, then run the tests again.');
}

function runs(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}
