/**
 * A cursor over a text that `JSON.parse` has accepted: it passes from member to member and from item to item, and gives
 * slices of the text, so that numbers keep their digits. On other texts its answers mean nothing, though it always ends.
 */

/** Where the cursor stands is `at`: on the first character of a value, before a member or an item is asked for. */
export class JsonWalk {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
    this.space();
  }

  /** The character under the cursor. */
  get first(): string | undefined {
    return this.text[this.at];
  }

  /** Enters an object and stands on its first member's value, whose name it returns; undefined: it was empty, and is passed. */
  firstKey(): string | undefined {
    this.at++;
    this.space();
    if (this.text.charCodeAt(this.at) === 34) return this.key();
    this.at++;
    return undefined;
  }

  /** The next member of the object, after the value of the last was passed; undefined: the object is passed. */
  nextKey(): string | undefined {
    this.space();
    const hasMore = this.text.charCodeAt(this.at) === 44;
    this.at++;
    if (!hasMore) return undefined;
    this.space();
    return this.key();
  }

  /** Enters an array and stands on its first item; false: it was empty, and is passed. */
  firstItem(): boolean {
    this.at++;
    this.space();
    const isEmpty = this.text.charCodeAt(this.at) === 93;
    if (isEmpty) this.at++;
    return !isEmpty && this.at < this.text.length;
  }

  /** Stands on the next item, after the last was passed; false: the array is passed. */
  nextItem(): boolean {
    this.space();
    const hasMore = this.text.charCodeAt(this.at) === 44;
    this.at++;
    if (hasMore) this.space();
    return hasMore && this.at < this.text.length;
  }

  /** Passes the value and returns its text. */
  slice(): string {
    const start = this.at;
    this.pass();
    return this.text.slice(start, this.at);
  }

  /** Passes a string and returns what it means. */
  string(): string {
    const raw = this.slice();
    return raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
  }

  /** Passes the value. */
  pass(): void {
    const { text } = this;
    const code = text.charCodeAt(this.at);
    if (code === 34) {
      this.passString();
      return;
    }
    if (code !== 123 && code !== 91) {
      while (isWordCode(text.charCodeAt(this.at))) this.at++;
      return;
    }
    let depth = 0;
    while (this.at < text.length) {
      const inner = text.charCodeAt(this.at);
      if (inner === 34) {
        this.passString();
        continue;
      }
      this.at++;
      if (inner === 123 || inner === 91) depth++;
      else if ((inner === 125 || inner === 93) && --depth === 0) return;
    }
  }

  private key(): string {
    const name = this.string();
    this.space();
    this.at++;
    this.space();
    return name;
  }

  private passString(): void {
    const { text } = this;
    for (let at = this.at + 1; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === 34) {
        this.at = at + 1;
        return;
      }
      if (code === 92) at++;
    }
    this.at = text.length;
  }

  private space(): void {
    while (this.text.charCodeAt(this.at) <= 32) this.at++;
  }
}

/** Characters of numbers, `true`, `false` and `null`. */
function isWordCode(code: number): boolean {
  return (code >= 97 && code <= 122) || (code >= 43 && code <= 57 && code !== 44) || code === 69;
}
