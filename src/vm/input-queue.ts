/** How many bytes may wait before a sender is asked to stop. */
const ROOM_BYTES = 65_536;

/**
 * Console input on its way to the guest. It outlives restarts: what was typed ahead is meant for whoever reads next.
 * Nothing is ever dropped; a sender that goes on although it was told to wait only makes the queue longer.
 */
export class InputQueue {
  private chunks: Uint8Array[] = [];
  private bytes = 0;
  private waiting = false;
  /** Gives bytes to the console; returns how many it took. */
  private readonly offer: (bytes: Uint8Array) => number;
  /** There is room again after `push` said no. */
  private readonly onDrain: () => void;

  constructor(offer: (bytes: Uint8Array) => number, onDrain: () => void) {
    this.offer = offer;
    this.onDrain = onDrain;
  }

  get isEmpty(): boolean {
    return this.chunks.length === 0;
  }

  /** Adds input (copied); false: there is enough for now, wait for the drain. */
  push(bytes: Uint8Array): boolean {
    if (bytes.length > 0) {
      this.chunks.push(bytes.slice());
      this.bytes += bytes.length;
      this.drain();
    }
    this.waiting ||= this.bytes >= ROOM_BYTES;
    return !this.waiting;
  }

  /** Passes on what the console takes. */
  drain(): void {
    for (let first = this.chunks[0]; first !== undefined; first = this.chunks[0]) {
      const taken = this.offer(first);
      this.bytes -= taken;
      if (taken < first.length) {
        this.chunks[0] = first.subarray(taken);
        break;
      }
      this.chunks.shift();
    }
    if (this.waiting && this.bytes < ROOM_BYTES / 2) {
      this.waiting = false;
      this.onDrain();
    }
  }

  save(): Uint8Array[] {
    return this.chunks.map((chunk) => chunk.slice());
  }
  load(chunks: readonly Uint8Array[]): void {
    this.chunks = chunks.map((chunk) => chunk.slice());
    this.bytes = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }
}
