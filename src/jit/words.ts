/** Gathers 32-bit words, for `WordReader` to read in the same order. */
export class WordWriter {
  private words = new Int32Array(1024);
  length = 0;

  push(word: number): void {
    if (this.length === this.words.length) {
      const words = new Int32Array(2 * this.length);
      words.set(this.words);
      this.words = words;
    }
    this.words[this.length++] = word;
  }

  /** How many they are, then all of them. */
  pushList(words: ReadonlySet<number> | readonly number[]): void {
    this.push('size' in words ? words.size : words.length);
    for (const word of words) this.push(word);
  }

  /** Replaces a word pushed before. */
  set(at: number, word: number): void {
    this.words[at] = word;
  }

  /** Takes back all from word number `length` on. */
  truncate(length: number): void {
    this.length = length;
  }

  /** All words, with a buffer of their own; begins anew. */
  take(): Int32Array<ArrayBuffer> {
    const taken = this.words.slice(0, this.length);
    this.length = 0;
    return taken;
  }
}

/** Reads what a `WordWriter` has gathered. */
export class WordReader {
  private at = 0;

  constructor(private readonly words: Int32Array) {}

  signed(): number {
    return this.words[this.at++]!;
  }
  unsigned(): number {
    return this.words[this.at++]! >>> 0;
  }

  /** What `pushList` has written, unsigned. */
  list(): number[] {
    return Array.from({ length: this.unsigned() }, () => this.unsigned());
  }
}
