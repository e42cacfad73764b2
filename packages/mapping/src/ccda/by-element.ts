/** What is known of elements, by their number in the document: the elements of a large one are not kept. */
import type { XmlElement } from '@causeway/ccda';

export class ByElement<T> {
  readonly #values = new Map<number, T>();

  get(element: XmlElement): T | undefined {
    return this.#values.get(element.order);
  }

  has(element: XmlElement): boolean {
    return this.#values.has(element.order);
  }

  clear(): void {
    this.#values.clear();
  }

  set(element: XmlElement, value: T): void {
    this.#values.set(element.order, value);
  }
}
