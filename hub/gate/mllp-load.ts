/**
 * What all MLLP connections together hold in memory, within limits: messages that wait for their commit, and frames that
 * have not ended. Connections past a limit are read no further until there is room.
 */

/** A connection that can be told to read on. */
export interface Reader {
  resume(): void;
}

/** Bytes of messages under way: of one connection, and of all. */
const ofOne = 16 * 1024 * 1024;
const ofAll = 64 * 1024 * 1024;
/** A frame that has grown past this takes a place among the large ones. */
const largeBytes = 256 * 1024;
const largeAtOnce = 4;

export class MllpLoad {
  #bytes = 0;
  /** Connections with a large frame, in the order in which they came; the first few are read. */
  readonly #large = new Set<Reader>();
  readonly #connections = new Set<Reader>();

  joined(connection: Reader): void {
    this.#connections.add(connection);
  }

  left(connection: Reader): void {
    this.#connections.delete(connection);
    if (this.#large.delete(connection)) this.#resumeAll();
  }

  /** A message was read and waits for its commit. */
  taken(bytes: number): void {
    this.#bytes += bytes;
  }

  /** It is answered. */
  answered(bytes: number): void {
    const wasFull = this.#bytes >= ofAll / 2;
    this.#bytes -= bytes;
    if (wasFull && this.#bytes < ofAll / 2) this.#resumeAll();
  }

  /** A connection holds so many bytes of a frame that has not ended. */
  holding(connection: Reader, bytes: number): void {
    if (bytes > largeBytes) this.#large.add(connection);
    else if (this.#large.delete(connection)) this.#resumeAll();
  }

  /** Whether a connection with so many bytes under way is to be read no further. */
  isFull(share: number, bytes: number): boolean {
    return bytes >= ofOne * share || this.#bytes >= ofAll * share;
  }

  /** Whether a connection's large frame has to wait for its turn. */
  mustWait(connection: Reader): boolean {
    if (this.#large.size <= largeAtOnce || !this.#large.has(connection)) return false;
    let place = 0;
    for (const one of this.#large) {
      if (one === connection) return place >= largeAtOnce;
      place++;
    }
    return false;
  }

  #resumeAll(): void {
    for (const connection of this.#connections) connection.resume();
  }
}
