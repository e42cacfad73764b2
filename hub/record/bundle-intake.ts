/**
 * Takes in a large Bundle while it arrives: each resource is scanned and put into a spool as soon as it is whole, so that
 * memory holds no more than what the Bundle is planned by (FHIR R4 §3.1.0.11).
 */
import { BundleCutter, type FhirError, isFhirError, scanResource } from '@causeway/fhir';
import { bundleOf, entryOf, type ReadBundle, refusal } from './bundle.ts';
import { type EntryResource, kept } from './entry-resource.ts';
import { TextSpool } from './text-spool.ts';

export class BundleIntake {
  readonly #spool: TextSpool;
  readonly #resources = new Map<number, EntryResource>();
  readonly #wrong = new Map<number, FhirError>();
  readonly #texts = new Map<string, string>();
  /** Until all bytes were taken in. */
  #cutter: BundleCutter | undefined = new BundleCutter((text, entry) => this.#take(text, entry));

  /** @param directory where the resources are spooled */
  constructor(directory: string) {
    this.#spool = new TextSpool(directory);
  }

  /** Takes in the next bytes. @throws RecordError 400, 413 */
  write(chunk: Buffer): void {
    const failure = this.#cutter!.write(chunk);
    if (failure) throw refusal(failure);
  }

  /**
   * The Bundle, once all bytes were taken in; its resources are to be had until `close`.
   * @param base the base URL that the client used, for addresses that are not relative
   * @throws RecordError as `readBundle`
   */
  end(base: string): ReadBundle {
    const cut = this.#cutter!.end();
    this.#cutter = undefined;
    if (isFhirError(cut)) throw refusal(cut);
    const wrongs = cut.entries.map(({ wrong }, index) => wrong ?? this.#wrong.get(index));
    const first = cut.type === 'transaction' ? wrongs.find((wrong) => wrong) : undefined;
    if (first) throw refusal(first);
    const entries = cut.entries.map(({ fullUrl, request, entry }, index) => {
      const wrong = wrongs[index];
      const frame = { fullUrl, request, entry, ...(wrong ? { wrong } : {}) };
      return entryOf(frame, this.#resources.get(index), index, base);
    });
    return { ...bundleOf(cut.type, entries), spool: this.#spool };
  }

  close(): void {
    this.#spool.close();
  }

  #take(text: string, entry: number): void {
    const scanned = scanResource(text);
    if (isFhirError(scanned)) this.#wrong.set(entry, this.#cutter!.placed(scanned, entry));
    else
      this.#resources.set(
        entry,
        kept(scanned, this.#spool, (part) => this.#own(part)),
      );
  }

  /** The same text, one copy of it, in memory of its own: a part of a longer text holds on to the whole. */
  #own(text: string): string {
    let own = this.#texts.get(text);
    if (own === undefined) {
      own = Buffer.from(text).toString();
      this.#texts.set(own, own);
    }
    return own;
  }
}
