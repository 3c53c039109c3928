import {
  classify,
  type Float80,
  FpuEnvironment,
  initialControlWord,
  invalidOperation,
  readFloat80,
  stackFault,
  writeFloat80,
} from '../fpu/index.js';
import { CS, STATE } from '../memory/layout.js';
import type { CpuContext, Helper } from './context.js';
import { GuestFault, MF, NM, UD } from './faults.js';
import { CR0, CR4, type CpuState } from './state.js';

/**
 * The x87 register stack in the state page (SDM vol. 1, 8.1): eight physical registers, TOP, a tag for each.
 *
 * Invariants
 * - `STATE.fpuTag` has two bits per physical register; between instructions they are 3 (empty) or 0. What else a
 *   tag word says is worked out from the contents when it is stored, as processors do.
 * - `STATE.fpuStatus` has no TOP; bit 7 (ES) is right at any time: an unmasked exception is pending.
 * - The opcode of the last instruction is noted only when it raises an unmasked exception, as the SDM allows
 *   (vol. 1, 8.1.9.1); the operand's selector is taken to be that of DS.
 */

const TAG_EMPTY = 3;
const ERROR_SUMMARY = 0x80;
/** Status bits that are kept: flags, stack fault, condition codes. */
const STATUS_KEPT = 0x477f;

/** The unit during one instruction: takes the state apart, and `close` puts it back. */
export class FpuUnit {
  readonly cpu: CpuContext;
  readonly env = new FpuEnvironment();
  /** Number of the physical register that is ST(0). */
  top: number;
  tags: number;
  private readonly state: CpuState;
  private readonly view: DataView;

  constructor(cpu: CpuContext) {
    const { state } = cpu;
    this.cpu = cpu;
    this.state = state;
    this.view = cpu.memory.view;
    this.env.control = state.get(STATE.fpuControl);
    this.env.status = state.get(STATE.fpuStatus) & STATUS_KEPT;
    this.top = state.get(STATE.fpuTop);
    this.tags = state.get(STATE.fpuTag);
  }

  /** Stores everything but the registers, which are written at once. */
  close(): void {
    const { state, env } = this;
    state.set(STATE.fpuControl, env.control);
    state.set(STATE.fpuTop, this.top);
    state.set(STATE.fpuTag, this.tags);
    const before = state.get(STATE.fpuStatus);
    const status = (env.status & STATUS_KEPT) | (env.pending ? ERROR_SUMMARY : 0);
    state.set(STATE.fpuStatus, status);
    if ((before ^ status) & ERROR_SUMMARY) this.cpu.fpuStateChanged();
  }

  /** The status word with TOP, ES and B. */
  get statusWord(): number {
    return this.env.statusWord(this.top);
  }
  set statusWord(word: number) {
    this.env.status = word & STATUS_KEPT;
    this.top = (word >>> 11) & 7;
  }

  isEmpty(index: number): boolean {
    return this.isPhysicalEmpty((this.top + index) & 7);
  }
  isPhysicalEmpty(register: number): boolean {
    return ((this.tags >>> (2 * register)) & 3) === TAG_EMPTY;
  }
  /** ST(index), whatever its tag says. */
  get(index: number): Float80 {
    return readFloat80(this.view, registerOffset(this.top + index));
  }
  /** Writes ST(index) and makes it non-empty. */
  set(index: number, value: Float80): void {
    writeFloat80(this.view, registerOffset(this.top + index), value);
    this.tags &= ~(TAG_EMPTY << (2 * ((this.top + index) & 7)));
  }
  free(index: number): void {
    this.tags |= TAG_EMPTY << (2 * ((this.top + index) & 7));
  }
  push(value: Float80): void {
    this.top = (this.top - 1) & 7;
    this.set(0, value);
  }
  pop(count = 1): void {
    for (let n = 0; n < count; n++) {
      this.free(0);
      this.top = (this.top + 1) & 7;
    }
  }

  /** Stack overflow (C1 = 1) or underflow (C1 = 0). True if it is masked: the indefinite is the result. */
  stackFault(overflow: boolean): boolean {
    const { env } = this;
    env.raise(stackFault);
    env.setC1(overflow);
    return !env.stop(invalidOperation);
  }

  /** The tag word as FNSTENV stores it: valid 0, zero 1, special 2, empty 3. */
  get tagWord(): number {
    let word = 0;
    for (let register = 0; register < 8; register++) {
      word |= this.tagOf(register) << (2 * register);
    }
    return word;
  }
  /** Only emptiness of a loaded tag counts. */
  set tagWord(word: number) {
    this.tags = 0;
    for (let register = 0; register < 8; register++) {
      if (((word >>> (2 * register)) & 3) === TAG_EMPTY) this.tags |= TAG_EMPTY << (2 * register);
    }
  }
  private tagOf(register: number): number {
    if (this.isPhysicalEmpty(register)) return TAG_EMPTY;
    const kind = classify(readFloat80(this.view, registerOffset(register)));
    return kind === 'normal' ? 0 : kind === 'zero' ? 1 : 2;
  }

  /** FNINIT. Register contents stay. */
  initialize(): void {
    this.env.control = initialControlWord;
    this.env.status = 0;
    this.top = 0;
    this.tags = 0xffff;
    for (const field of [STATE.fpuOpcode, STATE.fpuIp, STATE.fpuCs, STATE.fpuDp, STATE.fpuDs]) this.state.set(field, 0);
  }
}

/** Offset in linear memory of physical register `number` modulo 8. */
export function registerOffset(number: number): number {
  return STATE.fpuRegisters + 16 * (number & 7);
}

/** What one x87 instruction computes; arguments as its row passes them. */
// biome-ignore lint/suspicious/noConfusingVoidType: most have no result
export type FpuOperation = (unit: FpuUnit, a: number, b: number, c: number) => number | void;

/**
 * A helper that computes: clears C1, and notes itself as the last instruction. Memory faults leave no trace.
 * `keepsC1`: FNOP and FCMOV leave C1 alone.
 */
export function fpuHelper(operation: FpuOperation, keepsC1 = false): Helper {
  return (cpu, a, b, c) => {
    const unit = new FpuUnit(cpu);
    if (!keepsC1) unit.env.begin();
    const wasPending = unit.env.pending;
    const result = operation(unit, a, b, c);
    cpu.state.set(STATE.fpuIp, cpu.instructionEip);
    cpu.state.set(STATE.fpuCs, cpu.state.selector(CS));
    if (unit.env.pending && !wasPending) cpu.state.set(STATE.fpuOpcode, readOpcode(cpu));
    unit.close();
    return result;
  };
}

/** A helper that controls the unit: what it does not touch stays. */
export function fpuControlHelper(operation: FpuOperation): Helper {
  return (cpu, a, b, c) => {
    const unit = new FpuUnit(cpu);
    const result = operation(unit, a, b, c);
    unit.close();
    return result;
  };
}

/** Prefixes that may stand before an escape opcode. */
const PREFIXES: readonly number[] = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf2, 0xf3];

/** The 11 bits of opcode of the current instruction, noted when it raises an unmasked exception. */
function readOpcode(cpu: CpuContext): number {
  const base = cpu.state.segment(CS).base;
  let at = cpu.instructionEip;
  const byte = (): number => cpu.access.read8((base + at++) >>> 0, true);
  let opcode = byte();
  for (let n = 0; n < 14 && PREFIXES.includes(opcode); n++) opcode = byte();
  return ((opcode & 7) << 8) | byte();
}

/** State after power-up: what a processor that has not yet run FNINIT holds (SDM vol. 3, table 10-1). */
export function resetFpu(state: CpuState): void {
  state.set(STATE.fpuControl, 0x40);
  state.set(STATE.fpuStatus, 0);
  state.set(STATE.fpuTop, 0);
  state.set(STATE.fpuTag, 0);
  state.set(STATE.mxcsr, 0x1f80);
}

/** In the order of the argument of `checkUnit`. */
export const UNITS: readonly string[] = ['x87', 'x87-nowait', 'mmx', 'wait', 'fxsave', 'sse', 'sse-mmx'];

/** Argument of `checkUnit`: who wants to use the unit, a place in `UNITS`. */
const WAITING = 0;
const MMX = 2;
const WAIT = 3;
const SSE = 5;
const SSE_WITH_MMX = 6;

/**
 * Called before instructions of the unit while `STATE.fpuUnavailable` or, for SSE, `sseUnavailable` is set (SDM vol. 3,
 * 2.5 tables 2-2 and 14.1; vol. 2, tables 2-21 to 2-25).
 */
function checkUnit(cpu: CpuContext, unit: number): void {
  const cr0 = cpu.state.get(STATE.cr0);
  const off = unit === WAIT ? (cr0 & CR0.TS) !== 0 && (cr0 & CR0.MP) !== 0 : (cr0 & (CR0.TS | CR0.EM)) !== 0;
  const sse = unit === SSE || unit === SSE_WITH_MMX;
  if ((unit === MMX || sse) && cr0 & CR0.EM) throw new GuestFault(UD);
  if (sse && (cpu.state.get(STATE.cr4) & CR4.OSFXSR) === 0) throw new GuestFault(UD);
  if (off) throw new GuestFault(NM);
  const waits = unit === WAITING || unit === MMX || unit === WAIT || unit === SSE_WITH_MMX;
  if (waits && cpu.state.get(STATE.fpuStatus) & ERROR_SUMMARY) throw new GuestFault(MF);
}

export const fpuStateHelpers = {
  /** (place in the list of `Row.unit`) */
  checkUnit,
} as const satisfies Record<string, Helper>;
