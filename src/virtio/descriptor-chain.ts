import type { GuestMemory } from '../memory/guest-memory.js';

/** One piece of guest memory: guest-physical address and length in bytes, checked by the queue that read it. */
export interface Buffer {
  gpa: number;
  bytes: number;
}

/**
 * One request: the buffers of a descriptor chain, those the device reads first, then those it writes.
 * Both lists are seen as one stream of bytes each, because drivers may cut them as they like (virtio 1.0, 2.4.4).
 */
export class DescriptorChain {
  /** Index of the first descriptor; names the request in the used ring and in snapshots. */
  readonly head: number;
  /** Which life of the queue it belongs to: a chain from before a reset must not be returned after it. */
  readonly epoch: number;
  readonly readable: readonly Buffer[];
  readonly writable: readonly Buffer[];
  readonly readableBytes: number;
  readonly writableBytes: number;
  private readonly memory: GuestMemory;

  constructor(
    memory: GuestMemory,
    head: number,
    epoch: number,
    readable: readonly Buffer[],
    writable: readonly Buffer[],
  ) {
    this.memory = memory;
    this.head = head;
    this.epoch = epoch;
    this.readable = readable;
    this.writable = writable;
    this.readableBytes = sumBytes(readable);
    this.writableBytes = sumBytes(writable);
  }

  /** A copy of up to `length` readable bytes from `offset` of the stream on. */
  read(offset = 0, length = this.readableBytes): Uint8Array {
    const result = new Uint8Array(Math.max(0, Math.min(length, this.readableBytes - offset)));
    let done = 0;
    for (const { gpa, skip, bytes } of slice(this.readable, offset, result.length)) {
      result.set(this.memory.bytes(gpa + skip, bytes), done);
      done += bytes;
    }
    return result;
  }

  /** Puts `data` into the writable stream at `offset`; returns how many bytes there was room for. */
  write(data: Uint8Array, offset = 0): number {
    let done = 0;
    for (const { gpa, skip, bytes } of slice(this.writable, offset, data.length)) {
      this.memory.writeBytes(gpa + skip, data.subarray(done, done + bytes));
      done += bytes;
    }
    return done;
  }
}

function sumBytes(buffers: readonly Buffer[]): number {
  return buffers.reduce((sum, buffer) => sum + buffer.bytes, 0);
}

/** The parts of `buffers` that make up `[offset, offset + length)` of the stream. */
function* slice(
  buffers: readonly Buffer[],
  offset: number,
  length: number,
): Generator<{ gpa: number; skip: number; bytes: number }> {
  let skip = offset;
  let left = length;
  for (const buffer of buffers) {
    const bytes = Math.min(buffer.bytes - skip, left);
    if (bytes > 0) {
      yield { gpa: buffer.gpa, skip, bytes };
      left -= bytes;
      skip = 0;
    } else {
      skip -= Math.min(skip, buffer.bytes);
    }
    if (left <= 0) return;
  }
}
