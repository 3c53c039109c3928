/*H:310
 * The ring of postponed hypercalls.
 *
 * Each hypercall is a trip out of the guest and back, and some come in bunches: a hundred page-table entries in one
 * mapping, a new stack and new TLS at each task switch. So the guest may write calls into a ring of 64 slots and go
 * on. The next real hypercall makes them happen, in order, before itself. Nothing else does: a page fault or a timer
 * must not see a call before its time.
 *
 * The Host's place in the ring is its own, starts at slot 0 and never jumps: a full slot behind an empty one waits.
 */

import { RING_FREE, RING_SLOTS } from '../cpu/lguest-interface.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import { HOST_CALLS } from '../memory/layout.js';
import type { GuestData } from './guest-data.js';

export class AsyncRing {
  private readonly data: GuestData;
  private readonly words: Uint32Array;
  /** The call being executed: number, then four arguments. Reused. */
  private readonly args: number[] = [0, 0, 0, 0];
  /** What the slots are when a round begins. Reused. */
  private readonly status = new Uint8Array(RING_SLOTS);

  /** The place in the ring is where the processor finds it, too (`cpu/interpreter/hypercalls.ts`). */
  constructor(data: GuestData, memory: GuestMemory) {
    this.data = data;
    this.words = memory.u32;
  }

  /** The slot to look at next. */
  private get next(): number {
    return this.words[HOST_CALLS.ringNext >> 2]!;
  }
  private set next(slot: number) {
    this.words[HOST_CALLS.ringNext >> 2] = slot;
  }

  /**
   * Takes out what is ready, at most one round. `words[i]` is the word of an entry that holds argument i + 1.
   * A slot becomes free after its call has been executed.
   */
  drain(words: readonly number[], execute: (call: number, args: readonly number[]) => void): void {
    const { data, args, status } = this;
    // One look at all slots: nothing that a call does can make the round endless.
    if (data.read(data.layout.ringStatus + (this.next & ~3)) === 0xffff_ffff) return;
    data.readRingStatus(status);
    for (let i = 0; i < RING_SLOTS; i++) {
      const slot = this.next;
      if (status[slot] === RING_FREE) return;
      this.next = (slot + 1) % RING_SLOTS;
      const call = data.ringWord(slot, 0);
      for (let argument = 0; argument < 4; argument++) {
        args[argument] = argument < words.length ? data.ringWord(slot, words[argument]!) : 0;
      }
      execute(call, args);
      data.freeRingSlot(slot);
    }
  }

  save(): number {
    return this.next;
  }

  load(next: number): void {
    this.next = next;
  }
}
/*:*/
