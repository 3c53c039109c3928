/*H:410
 * The guest's interrupt descriptor table.
 *
 * On a real machine the table is in memory and the processor reads it. Here the guest sends us every gate with
 * LOAD_IDT_ENTRY and we keep them. Of a gate only three things count: where the handler is, who may come through it
 * with an INT instruction, and whether interrupts are off behind it (interrupt gate) or not (trap gate). The code
 * selector is ignored: handlers run in the kernel's code segment, and there is only one.
 */

import { INTERRUPT_GATE, TRAP_GATE } from '../cpu/descriptors.js';
import { SYSCALL_VECTOR } from '../cpu/interpreter/gates.js';
import { HYPERCALL_VECTOR } from '../cpu/lguest-interface.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import { HOST_TRAPS } from '../memory/layout.js';
import { killGuest } from './kill.js';

/** Interrupt n of the guest is vector 0x20 + n. */
export const FIRST_IRQ_VECTOR = 0x20;
export const IRQS = 32;

const VECTORS = 256;

export interface IdtState {
  readonly handlers: readonly number[];
  readonly attributes: readonly number[];
}

/** NMI, double fault, spurious interrupt and hypercall are the Host's: the guest's gates for them are dropped. */
function belongsToHost(vector: number): boolean {
  return vector === 2 || vector === 8 || vector === 15 || vector === HYPERCALL_VECTOR;
}

export class InterruptTable {
  private readonly handlers: Uint32Array;
  /** Bits 8–15 of the gate's high word (P, DPL, type), or 0 for an absent gate. */
  private readonly attributes: Uint8Array;
  /** Bit n set: the gate of interrupt n is present. */
  presentIrqs = 0;

  /** The gates are where the processor finds them, too (`cpu/interpreter/gates.ts`). */
  constructor({ memory }: GuestMemory) {
    this.handlers = new Uint32Array(memory.buffer, HOST_TRAPS.handlers, VECTORS);
    this.attributes = new Uint8Array(memory.buffer, HOST_TRAPS.attributes, VECTORS);
  }

  /** LOAD_IDT_ENTRY: `low` and `high` as in a hardware gate (SDM vol. 3, figure 6-2). */
  setGate(vector: number, low: number, high: number): void {
    // Before any other check: Linux loads a task gate for the double fault.
    if (belongsToHost(vector)) return;
    if (vector >= VECTORS) killGuest(`Setting idt entry ${vector}`);
    const present = (high & 0x8000) !== 0;
    if (present) {
      const type = (high >>> 8) & 0xf;
      if (type !== INTERRUPT_GATE && type !== TRAP_GATE) killGuest(`bad IDT type ${type}`);
    }
    this.handlers[vector] = present ? (high & 0xffff_0000) | (low & 0xffff) : 0;
    this.attributes[vector] = present ? (high >>> 8) & 0xff : 0;
    const irq = vector - FIRST_IRQ_VECTOR;
    if (irq >= 0 && irq < IRQS) {
      if (present) this.presentIrqs |= 1 << irq;
      else this.presentIrqs &= ~(1 << irq);
    }
  }

  isPresent(vector: number): boolean {
    return this.attributes[vector] !== 0;
  }

  /** Address of the handler, an offset in the kernel's code segment. */
  handler(vector: number): number {
    return this.handlers[vector]!;
  }

  /** Whether interrupts are off behind the gate. */
  isInterruptGate(vector: number): boolean {
    return (this.attributes[vector]! & 0xf) === INTERRUPT_GATE;
  }

  /**
   * Highest ring that may come here with INT n, INT3 or INTO (lguest-abi.md §5.1). The guest's word counts for
   * exceptions and for the system call; vectors of interrupts, and exceptions that only the Host sees first (7, 13
   * and 14), can not be faked by an instruction. An absent gate has a Host gate behind it, which is ring 0's.
   */
  softwareLevel(vector: number): number {
    if (vector === HYPERCALL_VECTOR) return 1;
    if (vector >= FIRST_IRQ_VECTOR && vector !== SYSCALL_VECTOR) return 0;
    if (vector === 7 || vector === 13 || vector === 14) return 0;
    return (this.attributes[vector]! >>> 5) & 3;
  }

  save(): IdtState {
    return { handlers: Array.from(this.handlers), attributes: Array.from(this.attributes) };
  }

  load(state: IdtState): void {
    this.handlers.set(state.handlers);
    this.attributes.set(state.attributes);
    this.presentIrqs = 0;
    for (let irq = 0; irq < IRQS; irq++) if (this.isPresent(FIRST_IRQ_VECTOR + irq)) this.presentIrqs |= 1 << irq;
  }
}
/*:*/
