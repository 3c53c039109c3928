/*H:400
 * Traps.
 *
 * Whenever the processor cannot go on by itself, because of a page that is not there, a division by zero, a
 * privileged instruction or an INT, it stops and we look at the reason. There are three outcomes: the Host can deal
 * with it and the guest never knows (chapter "pretended instructions"); it is a hypercall; or it is the guest's own
 * affair. Then we do what the hardware would have done: push a frame on the kernel's stack and continue at the
 * handler the guest gave us. On the original, some traps went straight to the guest without passing through the
 * Host. Here all pass through these lines, but for one that is the guest's affair the processor does not even stop.
 */

import { hasErrorCode } from '../cpu/faults.js';
import { EAX, ESP, FLAG, type Segment } from '../cpu/state.js';
import { GUEST_LEVEL, HYPERCALL_VECTOR } from '../cpu/lguest-interface.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import { CS, HOST_TRAPS, SS, STATE, TRAP_COUNTS } from '../memory/layout.js';
import { type Emulation, emulateInstruction } from './emulate.js';
import { CR2, type GuestData, IRQ_ENABLED } from './guest-data.js';
import { pushWords } from './guest-stack.js';
import type { GuestProcessor } from './guest-processor.js';
import type { InterruptTable } from './idt.js';
import { killForTrap, killGuest } from './kill.js';
import type { PageTables } from './page-tables.js';
import { KERNEL_CS, type Segments } from './segments.js';

/** Exceptions (SDM vol. 3, table 6-1). */
const DEBUG = 1;
const INVALID_OPCODE = 6;
export const GENERAL_PROTECTION = 13;
const PAGE_FAULT = 14;

/** Error code of a fault that an INT n causes: the vector as IDT index (SDM vol. 3, 6.13). */
function idtErrorCode(vector: number): number {
  return vector * 8 + 2;
}

/** DR6 with no event recorded, and its single-step bit. */
const DR6_EMPTY = 0xffff_0ff0;
const DR6_SINGLE_STEP = 0x4000;

/** The stack for traps from ring 3, as SET_STACK named it. */
export interface KernelStack {
  selector: number;
  /** Linear address behind the first word to be pushed, unsigned. */
  pointer: number;
}

export interface TrapCounts {
  /** Traps by vector, whoever dealt with them. */
  readonly all: Uint32Array;
  /** Those that went on to the guest. */
  readonly reflected: Uint32Array;
}

/** What happened to a trap, for whoever watches. */
export type TrapObserver = (
  vector: number,
  errorCode: number,
  eip: number,
  cpl: number,
  address: number,
  reflected: boolean,
) => void;

export interface TrapParts {
  readonly cpu: GuestProcessor;
  readonly memory: GuestMemory;
  readonly idt: InterruptTable;
  readonly segments: Segments;
  readonly pageTables: PageTables;
  readonly data: GuestData;
}

export class Traps {
  private readonly parts: TrapParts;
  readonly stack: KernelStack;
  readonly counts: TrapCounts;
  observer: TrapObserver | undefined;

  /** What the processor needs for the usual traps is where it finds it, too (`cpu/interpreter/gates.ts`). */
  constructor(parts: TrapParts) {
    this.parts = parts;
    const { u32 } = parts.memory;
    const counts = (at: number): Uint32Array => u32.subarray(at >> 2, (at >> 2) + 256);
    this.counts = { all: counts(TRAP_COUNTS), reflected: counts(HOST_TRAPS.reflected) };
    u32[HOST_TRAPS.code >> 2] = KERNEL_CS;
    this.stack = {
      get selector() {
        return u32[HOST_TRAPS.stack >> 2]!;
      },
      set selector(selector) {
        u32[HOST_TRAPS.stack >> 2] = selector;
      },
      get pointer() {
        return u32[HOST_TRAPS.stackPointer >> 2]!;
      },
      set pointer(pointer) {
        u32[HOST_TRAPS.stackPointer >> 2] = pointer;
      },
    };
  }

  /**
   * Deals with the trap that the processor has just left with. True: it is a hypercall, made with INT 0x1f, and
   * EIP is behind the instruction; the caller serves it.
   */
  handle(): boolean {
    const { cpu, idt } = this.parts;
    const { vector, errorCode, kind, instructionEip } = cpu.exit;
    const { state } = cpu;
    if (kind === 'software') {
      if (state.cpl > idt.softwareLevel(vector)) {
        state.eip = instructionEip;
        this.reflect(GENERAL_PROTECTION, idtErrorCode(vector));
        return false;
      }
      if (vector === HYPERCALL_VECTOR) return true;
      this.reflect(vector, 0);
      return false;
    }
    if (vector === GENERAL_PROTECTION && errorCode === 0 && this.emulate()) return false;
    if (vector === DEBUG) {
      state.set(STATE.debug + 6 * 4, kind === 'trap' ? DR6_EMPTY | DR6_SINGLE_STEP : DR6_EMPTY);
    }
    this.reflect(vector, errorCode);
    return false;
  }

  /** `vmcall` anywhere but in the kernel is an instruction that does not exist. */
  refuseVmcall(): void {
    this.reflect(INVALID_OPCODE, 0);
  }

  /** Lets the guest deal with a trap. Without a gate it cannot, and dies. */
  reflect(vector: number, errorCode: number): void {
    const { cpu, idt, data } = this.parts;
    const { state, exit } = cpu;
    const isPageFault = vector === PAGE_FAULT;
    if (isPageFault && data.attached) data.write(CR2, exit.cr2);
    const present = idt.isPresent(vector);
    this.count(vector, errorCode, present);
    if (!present) killForTrap(vector, state.eip, isPageFault ? exit.cr2 : errorCode);
    this.enter(vector, hasErrorCode(vector) ? errorCode : undefined);
  }

  /*H:420
   * Entering the guest's handler.
   *
   * The guest runs with the real interrupt flag on, always; otherwise it could keep the machine for itself. The flags
   * word in the frame shows the flag the guest believes in. This is the word that `lguest_iret` later copies back
   * into `irq_enabled`, and so the virtual flag survives a trap without anyone's help.
   *
   * Whether the kernel was interrupted (then the frame goes on its present stack) or a program (then it goes on the
   * stack of SET_STACK, and the program's stack pointer is part of the frame) is told by the ring in SS.
   */
  enter(vector: number, errorCode: number | undefined): void {
    const { cpu, memory, idt, segments, pageTables, data } = this.parts;
    const { state } = cpu;
    const flags = state.eflags;
    const shownFlags = data.attached && !data.interruptsEnabled ? flags & ~FLAG.IF : flags;
    const frame: number[] = [];
    let stack: Segment;
    let top: number;
    const interruptedSs = state.selector(SS);
    if ((interruptedSs & 3) === GUEST_LEVEL) {
      stack = state.segment(SS);
      top = state.registers[ESP]!;
    } else {
      stack = segments.kernelStack(this.stack.selector);
      top = this.stack.pointer;
      frame.push(interruptedSs, state.registers[ESP]!);
    }
    frame.push(shownFlags, state.selector(CS), state.eip);
    if (errorCode !== undefined) frame.push(errorCode);
    const code = segments.kernelCode();
    const bottom = pushWords(cpu, memory, pageTables, (stack.base + top) >>> 0, frame);

    state.setSegment(SS, stack);
    state.registers[ESP] = bottom - stack.base;
    state.setSegment(CS, code);
    state.cpl = GUEST_LEVEL;
    state.eip = idt.handler(vector);
    state.eflags = flags & ~(FLAG.TF | FLAG.VM | FLAG.RF | FLAG.NT);
    if (idt.isInterruptGate(vector) && data.attached) data.write(IRQ_ENABLED, 0);
    cpu.segmentsChanged();
  }
  /*:*/

  /** SET_STACK. */
  setStack(selector: number, pointer: number, pages: number): void {
    if ((selector & 3) !== GUEST_LEVEL) killGuest(`bad stack segment ${selector}`);
    if (pages > 2) killGuest(`bad stack pages ${pages}`);
    this.stack.selector = selector;
    this.stack.pointer = pointer;
    this.parts.pageTables.setStack(pointer, pages);
  }

  /** A privileged instruction of the kernel that the Host pretends to execute. */
  private emulate(): boolean {
    const { cpu, memory, pageTables } = this.parts;
    const { state } = cpu;
    if (state.cpl !== GUEST_LEVEL) return false;
    const start = (state.segment(CS).base + state.eip) >>> 0;
    const fetch = (offset: number): number => {
      const gpa = pageTables.locate((start + offset) >>> 0);
      return gpa < 0 || !memory.contains(gpa, 1) ? -1 : memory.read8(gpa);
    };
    const found: Emulation | undefined = emulateInstruction(fetch, state.registers, state.get(STATE.debug + 6 * 4));
    if (found === undefined) return false;
    this.count(GENERAL_PROTECTION, 0, false);
    state.registers[found.register ?? EAX] = found.value;
    state.eip = state.eip + found.length;
    return true;
  }

  private count(vector: number, errorCode: number, reflected: boolean): void {
    this.counts.all[vector]! += 1;
    if (reflected) this.counts.reflected[vector]! += 1;
    if (this.observer !== undefined) {
      const { state, exit } = this.parts.cpu;
      const address = vector === PAGE_FAULT ? exit.cr2 : 0;
      this.observer(vector, errorCode, state.eip, state.cpl, address, reflected);
    }
  }
}
