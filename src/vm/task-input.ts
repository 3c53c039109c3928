import { InputQueue } from './input-queue.js';

/** What the command that is a guest's task reads from its standard input. */
export class TaskInput {
  /** `end` was called. */
  ended = false;
  private readonly queue: InputQueue;
  private readonly tellEnd: () => void;
  private readonly wake: () => void;
  private drained: () => void = () => {};

  constructor(offer: (bytes: Uint8Array) => number, tellEnd: () => void, wake: () => void) {
    this.queue = new InputQueue(offer, () => this.drained());
    this.tellEnd = tellEnd;
    this.wake = wake;
  }

  /** False: that is enough for now, wait for `onDrain` (nothing is lost either way). */
  write(input: Uint8Array | string): boolean {
    const more = this.queue.push(typeof input === 'string' ? new TextEncoder().encode(input) : input);
    this.wake();
    return more;
  }

  /** No more will come: the command reads end of file after the rest. */
  end(): void {
    this.ended = true;
    this.drain();
    this.wake();
  }

  /** Calls `listener`, the only one, whenever `write` may be called again after it returned false. */
  onDrain(listener: () => void): void {
    this.drained = listener;
  }

  /** For the machine: passes on what the guest takes. */
  drain(): void {
    this.queue.drain();
    if (this.ended && this.queue.isEmpty) this.tellEnd();
  }

  save(): Uint8Array[] {
    return this.queue.save();
  }
  load(chunks: readonly Uint8Array[]): void {
    this.queue.load(chunks);
  }
}
