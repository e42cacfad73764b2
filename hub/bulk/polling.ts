/**
 * How often a client asks for the status of a job: it may do so a few times in a row, and then about once a second.
 * The account is kept in memory, by job, for the latest of them.
 */

const burst = 10;
const perMs = 1 / 1_000;
const remembered = 1_000;

export class Polling {
  readonly #accounts = new Map<string, { left: number; at: number }>();

  /** Whether a job may be asked for at this time (milliseconds). */
  allows(job: string, now: number): boolean {
    const account = this.#accounts.get(job) ?? { left: burst, at: now };
    const left = Math.min(burst, account.left + (now - account.at) * perMs);
    if (!this.#accounts.has(job) && this.#accounts.size >= remembered) {
      this.#accounts.delete(this.#accounts.keys().next().value!);
    }
    this.#accounts.set(job, { left: left >= 1 ? left - 1 : left, at: now });
    return left >= 1;
  }
}

/** Seconds after which it is worth to ask again, for a job that is as old as this (milliseconds). */
export function retryAfter(ageMs: number): number {
  return Math.min(30, Math.max(1, Math.round(ageMs / 20_000)));
}
