/** The last bytes of a stream. */
export class Tail {
  private readonly capacity: number;
  private chunks: Uint8Array[] = [];
  private bytes = 0;

  /** `capacity` in bytes; a little more may be kept. */
  constructor(capacity: number) {
    this.capacity = capacity;
  }

  add(chunk: Uint8Array): void {
    this.chunks.push(chunk.slice(-this.capacity));
    this.bytes += Math.min(chunk.length, this.capacity);
    while (this.bytes - this.chunks[0]!.length >= this.capacity) this.bytes -= this.chunks.shift()!.length;
  }

  /** What is kept; afterwards nothing is. */
  take(): Uint8Array {
    const result = new Uint8Array(this.bytes);
    let at = 0;
    for (const chunk of this.chunks) {
      result.set(chunk, at);
      at += chunk.length;
    }
    this.chunks = [];
    this.bytes = 0;
    return result;
  }
}
