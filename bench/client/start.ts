/** The bench's side of the client process. */
import { fork } from 'node:child_process';
import type { ClientFunctions } from './process.ts';

type Call = <Name extends keyof ClientFunctions>(
  name: Name,
  ...args: Parameters<ClientFunctions[Name]>
) => Promise<Awaited<ReturnType<ClientFunctions[Name]>>>;

export interface Client {
  /** Calls a function of the client process; one at a time. Rejects where it threw, or the process ended. */
  call: Call;
  stop(): void;
}

export function startClient(): Client {
  const child = fork(`${import.meta.dirname}/process.ts`, { execArgv: [], serialization: 'advanced' });
  let waiting: { resolve(value: never): void; reject(error: Error): void } | undefined;
  let ended: Error | undefined;
  child.on('message', ({ value, error }: { value?: unknown; error?: string }) => {
    const { resolve, reject } = waiting!;
    waiting = undefined;
    if (error === undefined) resolve(value as never);
    else reject(new Error(error));
  });
  child.on('exit', (code) => {
    ended = new Error(`The client process ended with code ${code}.`);
    waiting?.reject(ended);
  });
  return {
    call: (name, ...args) =>
      new Promise((resolve, reject) => {
        if (ended) throw ended;
        waiting = { resolve, reject };
        child.send({ name, args });
      }),
    stop: () => child.kill(),
  };
}
