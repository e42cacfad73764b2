/** A file of the operator's that is read again when it changes. */
import { readFile, stat } from 'node:fs/promises';

export class WatchedFile<T> {
  readonly #path: string | undefined;
  readonly #read: (text: string) => T;
  readonly #fault: (error: unknown) => void;
  #value: T;
  #seen = '';

  /**
   * @param path undefined where there is none
   * @param read makes of its text what it says; throws where it cannot be read
   * @param none what there is without a file
   * @param fault is told why a changed file is not taken up: what it said before stays
   */
  constructor(path: string | undefined, read: (text: string) => T, none: T, fault: (error: unknown) => void) {
    this.#path = path;
    this.#read = read;
    this.#value = none;
    this.#fault = fault;
  }

  get isThere(): boolean {
    return this.#path !== undefined;
  }

  /** Reads it for the first time. @throws Error where it cannot be read */
  async load(): Promise<void> {
    if (this.#path === undefined) return;
    const seen = await this.#stamp();
    this.#value = this.#read(await readFile(this.#path, 'utf8'));
    this.#seen = seen;
  }

  /** What it says now. */
  async value(): Promise<T> {
    try {
      if (this.#path !== undefined && (await this.#stamp()) !== this.#seen) await this.load();
    } catch (error) {
      this.#fault(error);
    }
    return this.#value;
  }

  async #stamp(): Promise<string> {
    const { mtimeNs, size, ino } = await stat(this.#path!, { bigint: true });
    return `${mtimeNs}/${size}/${ino}`;
  }
}
