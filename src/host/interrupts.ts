/*H:500
 * Interrupts.
 *
 * An lguest guest has 32 interrupts and no interrupt controller. It masks them in one word of `lguest_data`
 * (`blocked_interrupts`), turns them all off and on in another (`irq_enabled`), and does both with plain stores that
 * nobody tells us about. From 2.6.31 on there is a third word, `irq_pending`, by which we may ask to be told when
 * interrupts come on again; but the kernels' routine for turning them on tests that word against nothing (a `test`
 * with an immediate of zero), so they never do tell. The original Host did not notice, because on real hardware its
 * own timer soon stopped the guest anyway. We have no such timer, and do it by hand: as long as an interrupt waits,
 * the processor runs in short slices, and after each one we look again.
 */

import type { GuestMemory } from '../memory/guest-memory.js';
import { HOST_CALLS } from '../memory/layout.js';
import { type GuestData, IRQ_ENABLED } from './guest-data.js';
import type { GuestProcessor } from './guest-processor.js';
import { FIRST_IRQ_VECTOR, type InterruptTable, IRQS } from './idt.js';
import type { Traps } from './traps.js';

/** Value of `irq_enabled` and `irq_pending` for "yes": the interrupt flag's bit in EFLAGS. */
const IF = 0x200;

/** Instructions between two looks while an unmasked interrupt waits (§5.7 demands at most 1000). */
const SLICE_WAITING = 200;
/** The same while EIP is in the no-interrupt range, which is a few instructions long. */
const SLICE_NO_INTERRUPT = 8;
/** The same while only masked interrupts wait: unmasking is a plain store, too, and counts from there. */
const SLICE_MASKED = 400;

export interface InterruptsState {
  readonly pending: number;
  readonly halted: boolean;
  readonly noInterruptStart: number;
  readonly noInterruptEnd: number;
  readonly askedToBeTold: boolean;
}

export interface InterruptParts {
  readonly cpu: GuestProcessor;
  readonly memory: GuestMemory;
  readonly data: GuestData;
  readonly idt: InterruptTable;
  readonly traps: Traps;
}

export class Interrupts {
  private readonly parts: InterruptParts;
  /** The guest sleeps in HALT. */
  halted = false;
  /** Where no interrupt may come: `[start, end)`, latched at LGUEST_INIT. */
  noInterruptStart = 0;
  noInterruptEnd = 0;
  /** We have set `irq_pending`. */
  private askedToBeTold = false;
  /** Interrupts delivered, by number. */
  readonly counts = new Uint32Array(IRQS);
  /** Called before an interrupt is delivered. */
  observer: ((irq: number, eip: number) => void) | undefined;

  constructor(parts: InterruptParts) {
    this.parts = parts;
  }

  /**
   * Bit n: interrupt n waits. There is no level and no edge, only "happened since it was last delivered". In linear
   * memory: while there is one the processor serves no hypercalls by itself.
   */
  get pending(): number {
    return this.parts.memory.i32[HOST_CALLS.pendingInterrupts >> 2]!;
  }
  set pending(bits: number) {
    this.parts.memory.i32[HOST_CALLS.pendingInterrupts >> 2] = bits;
  }

  raise(irq: number): void {
    this.pending |= 1 << irq;
  }

  /**
   * Delivers at most one interrupt, if one may be delivered now (§5.6). True if it did: time should be refreshed.
   * The lowest number goes first. An interrupt without a gate waits, and does not wake a sleeping guest.
   */
  deliver(): boolean {
    const { cpu, data, idt, traps } = this.parts;
    if (!data.attached || (this.pending === 0 && !this.askedToBeTold)) return false;
    const candidates = this.pending & ~data.blockedInterrupts & idt.presentIrqs;
    if (candidates === 0) {
      this.askToBeTold(false);
      return false;
    }
    const { state } = cpu;
    if (this.isInNoInterruptRange(state.eip)) return false;
    if (this.halted) {
      data.write(IRQ_ENABLED, IF);
      this.halted = false;
    } else if (!data.interruptsEnabled) {
      this.askToBeTold(true);
      return false;
    }
    const irq = 31 - Math.clz32(candidates & -candidates);
    this.pending &= ~(1 << irq);
    this.counts[irq]! += 1;
    this.observer?.(irq, state.eip);
    traps.enter(FIRST_IRQ_VECTOR + irq, undefined);
    if ((candidates & (candidates - 1)) === 0) this.askToBeTold(false);
    return true;
  }

  /** Instructions that may run before `deliver` must be asked again. */
  sliceLimit(): number {
    if (this.pending === 0) return Number.POSITIVE_INFINITY;
    const { cpu, data, idt } = this.parts;
    if (!data.attached || (this.pending & idt.presentIrqs) === 0) return Number.POSITIVE_INFINITY;
    if ((this.pending & ~data.blockedInterrupts & idt.presentIrqs) === 0) return SLICE_MASKED;
    return this.isInNoInterruptRange(cpu.state.eip) ? SLICE_NO_INTERRUPT : SLICE_WAITING;
  }

  save(): InterruptsState {
    const { pending, halted, noInterruptStart, noInterruptEnd, askedToBeTold } = this;
    return { pending, halted, noInterruptStart, noInterruptEnd, askedToBeTold };
  }

  load(state: InterruptsState): void {
    this.pending = state.pending;
    this.halted = state.halted;
    this.noInterruptStart = state.noInterruptStart;
    this.noInterruptEnd = state.noInterruptEnd;
    this.askedToBeTold = state.askedToBeTold;
  }

  /** `lguest_iret` and its like: the flags are already stored, the stack is not yet left. */
  private isInNoInterruptRange(eip: number): boolean {
    return eip >= this.noInterruptStart && eip < this.noInterruptEnd;
  }

  /** Sets or clears `irq_pending`, where the guest has it: elsewhere its offset belongs to the hypercall ring. */
  private askToBeTold(asked: boolean): void {
    if (asked === this.askedToBeTold) return;
    const { data } = this.parts;
    if (data.layout.irqPending < 0) return;
    data.write(data.layout.irqPending, asked ? IF : 0);
    this.askedToBeTold = asked;
  }
}
/*:*/
