/**
 * The abstract machine in which every instruction is written once (design.md, decision 2).
 *
 * A row's `semantics` runs once for each form of the instruction and *describes* what the instruction does
 * by calling a `Builder`. The interpreter's builder emits a handler whose operands come from a decoded
 * record; the translator's emits straight code whose operands are constants; both mean the same.
 *
 * Invariants for authors of rows
 * - Everything that can fault (memory, `fault`, `helper`) comes before the first visible change.
 * - 8- and 16-bit values are zero-extended i32 unless a method says otherwise; `write` takes the low bits.
 */

import type { LaneWidth, LowestOperation, VectorOperation } from './vector.js';
import type { X87Stack } from './x87-stack.js';

/** A value of the described machine: opaque, i32 unless `wide` or `vector`. */
export interface Value {
  /** i64 instead of i32. */
  readonly wide: boolean;
  /** v128 instead of i32. */
  readonly vector?: boolean;
}

export type Size = 8 | 16 | 32;

/** Fields of the architectural state that rows name; the layout maps them to offsets. */
export type StateField =
  | 'flagsResult'
  | 'flagsAux'
  | 'eflags'
  | 'cpl'
  | 'direction'
  | 'interruptRequested'
  | 'shadowBudget'
  | 'budget'
  | 'fpuUnavailable'
  | 'fpuControl'
  | 'fpuStatus'
  | 'fpuTop'
  | 'fpuTag'
  | 'comparedX'
  | 'comparedY'
  | 'cr0'
  | 'cr4'
  | 'mxcsr';

/** What one form of an instruction has fixed. */
export interface Form {
  /** Bits of the instruction's "v" operands; 8 for byte encodings. */
  readonly size: Size;
  /** Address size of implicit memory operands (string instructions, XLAT) and of the LOOP counter. */
  readonly addressSize: 16 | 32;
  /** Width of the stack pointer (SS.B). */
  readonly stackSize: 16 | 32;
  /** Repeat prefix of a string instruction. */
  readonly repeat: 'none' | 'rep' | 'repne';
  /** Low bits of the opcode for `+cc`, `+r`, `+i` encodings. */
  readonly number: number;
  /** Addresses are checked against their segments, which are not all flat. */
  readonly checked: boolean;
  /** Whether operand n is in memory. */
  isMemory(operand: number): boolean;
}

/** What has to be so for the short way of a floating-point instruction. */
export interface FloatAssumption {
  /** Of the lanes: singles or doubles, all of them or the lowest. */
  readonly width: 32 | 64;
  readonly lowest: boolean;
  /**
   * If these are all normal numbers, none of them the smallest ones, and MXCSR is as usual with PE set, then `holds`
   * is 1 — unless a lane of `doubts`, a vector of masks, is set.
   */
  readonly numbers: readonly Value[];
  /** Numbers that may be zeros as well. */
  readonly orZeros?: readonly Value[];
  /** The sum or difference of the numbers: a normal number, or zero, too. Then a number in another one may be zero. */
  readonly sum?: Value;
  readonly doubts?: Value;
  /** 0 or 1. */
  holds(): Value;
}

export interface Builder {
  readonly form: Form;

  // Constants and arithmetic; both operands i32, or both i64.
  const(value: number): Value;
  const64(value: bigint): Value;
  add(a: Value, b: Value): Value;
  sub(a: Value, b: Value): Value;
  mul(a: Value, b: Value): Value;
  and(a: Value, b: Value): Value;
  or(a: Value, b: Value): Value;
  xor(a: Value, b: Value): Value;
  not(a: Value): Value;
  /** Shift counts are taken modulo the width of `a`; for i64 the count is an i64. */
  shl(a: Value, count: Value): Value;
  shrU(a: Value, count: Value): Value;
  shrS(a: Value, count: Value): Value;
  rotl(a: Value, count: Value): Value;
  clz(a: Value): Value;
  ctz(a: Value): Value;
  popcnt(a: Value): Value;
  /** The divisor must be known to be non-zero (and, signed, the quotient representable). */
  divU(a: Value, b: Value): Value;
  divS(a: Value, b: Value): Value;
  remU(a: Value, b: Value): Value;
  remS(a: Value, b: Value): Value;

  // Comparisons give an i32 0 or 1.
  eq(a: Value, b: Value): Value;
  ne(a: Value, b: Value): Value;
  ltU(a: Value, b: Value): Value;
  ltS(a: Value, b: Value): Value;
  isZero(a: Value): Value;
  select(condition: Value, whenTrue: Value, whenFalse: Value): Value;

  // Widths.
  signExtend8(a: Value): Value;
  signExtend16(a: Value): Value;
  toWideU(a: Value): Value;
  toWideS(a: Value): Value;
  toNarrow(a: Value): Value;

  // v128 values (`vector.ts` says what the operations mean).
  vector(operation: VectorOperation, ...args: Value[]): Value;
  vectorConst(low: bigint, high: bigint): Value;
  /** Bytes of a (0…15) and b (16…31) by number. */
  shuffle(a: Value, b: Value, bytes: readonly number[]): Value;
  /** A lane as i32, zero-extended, or as i64. */
  lane(a: Value, width: LaneWidth, index: number): Value;
  withLane(a: Value, width: LaneWidth, index: number, value: Value): Value;
  /** x, but for its lowest lane, which is what `operation` makes of those of x and y (square root: of y). */
  lowest(operation: LowestOperation, width: 32 | 64, x: Value, y: Value): Value;
  /** Compares the lowest lanes. */
  compareLowest(relation: 'lt' | 'eq', width: 32 | 64, x: Value, y: Value): Value;
  /** The first `width` bits of memory operand n in the lowest lane, zeros above. */
  readLowest(operand: number, width: 32 | 64): Value;
  /** Takes for granted that `assumption` holds, if the builder can find out later for many at once. */
  assume?(assumption: FloatAssumption): boolean;
  /** Infinities, NaNs and denormals are nothing special: the short way has to be right for them, too. */
  readonly anyNumbers?: boolean;
  /** Leaves a v128 at `STATE.vectorScratch` for the helper called next. */
  passVector(value: Value): void;

  // Variables, for values that cross `when` and `loop`.
  variable(initial: Value): Value;
  assign(variable: Value, value: Value): void;

  // Operands of the form.
  /** Reads operand n, zero-extended. Of an operand that is also written: checks that it may be. */
  read(operand: number): Value;
  /** Writes operand n. */
  write(operand: number, value: Value): void;
  /** 64-bit operands (MMX registers, m64). */
  read64(operand: number): Value;
  /** Also sets sign and exponent of an MMX register to ones, as every write by MMX does. */
  write64(operand: number, value: Value): void;
  /** 128-bit operands: XMM registers, and memory, which `aligned` wants at a multiple of 16 (else #GP(0)). */
  read128(operand: number, aligned: boolean): Value;
  write128(operand: number, value: Value, aligned: boolean): void;
  /**
   * Register number, segment number, control register number or ST(i) index of operand n; of an MMX or XMM register
   * its offset in the state.
   */
  number(operand: number): Value;
  /** Effective address without segment base. */
  offset(operand: number): Value;
  /** Linear address (segment base added) of memory operand n; checks `bytes` at it against a non-flat segment. */
  address(operand: number, bytes: number, write: boolean): Value;
  /** Reads `size` bits at memory operand n plus a displacement in bytes (far pointers, bit strings). */
  readAt(operand: number, displacement: Value, size: Size): Value;
  /** The same for a place that will be written too. */
  cellAt(operand: number, displacement: Value, size: Size): MemoryCell;

  // Registers by number, with partial-register rules (AH = 4 when size is 8).
  register(index: number, size: Size): Value;
  setRegister(index: number, size: Size, value: Value): void;
  /** 'budget' is exact only in the last instruction of a block. */
  state(field: StateField): Value;
  setState(field: StateField, value: Value): void;
  /** Selector of segment register `index`. */
  selector(index: Value): Value;
  /**
   * As many iterations of a repeated string instruction as can be done in one piece: not 0 if there is no need to do
   * one by itself; of CMPS and SCAS there has been one then, and what it compared is in `comparedX` and `comparedY`.
   * Undefined: the form allows no such thing.
   */
  stringRun?(operation: 'movs' | 'stos' | 'cmps' | 'scas'): Value | undefined;
  /** Does the whole repeated instruction in one piece if the builder can; false: describe it by iterations. */
  repeatAtOnce?(operation: 'movs' | 'stos' | 'cmps' | 'scas'): boolean;
  /** Told what the flags just set come from (`result = x op y`), where there may be a shorter way to conditions. */
  flagsFrom?(operation: 'add' | 'sub' | 'logic', size: Size, x: Value, y: Value, result: Value): void;
  /** Told that the flags just set come from a comparison of numbers. */
  flagsFromLowest?(less: Value, equal: Value): void;
  /** Condition `cc` as 0 or 1, if the builder knows a shorter way than the two flag words. */
  shortCondition?(cc: number): Value | undefined;
  /** Whether `high` is known to be all zero, or with `signed` all copies of the top bit of `low`. */
  isExtension?(high: Value, low: Value, signed: boolean): boolean;

  // Implicit memory: `segment` is ES…GS, or 'default' for DS with override.
  load(segment: number | 'default', offset: Value, size: Size): Value;
  store(segment: number | 'default', offset: Value, size: Size, value: Value): void;
  /** A cell that will be both read and written: write permission is checked at once. */
  cell(segment: number | 'default', offset: Value, size: Size): MemoryCell;

  // Control.
  when(condition: Value, then: () => void, otherwise?: () => void): void;
  /** Repeats `body` until it does not call `again`; `again` must be the last thing on its path. */
  loop(body: (again: () => void) => void): void;
  /** Raises an exception with error code 0. */
  fault(vector: number): void;
  /** EIP of this and of the next instruction. */
  thisEip(): Value;
  nextEip(): Value;
  /** Ends the block: execution goes on at `target`. */
  jump(target: Value): void;
  /** Ends the block at `state.eip`, which a helper has set. */
  endBlock(): void;
  /**
   * Ends the block behind a helper that has set `state.eip`: mostly to the next instruction where `value` is `usual`.
   * For builders to which that makes a difference.
   */
  resume?(value: Value, usual: number): void;
  /** Calls a TypeScript helper that both tiers share; it may fault. Sees and may change all state. */
  helper(name: string, ...args: Value[]): Value;
  /** The x87's registers, where the builder can do without the helper that the row names otherwise. */
  readonly x87?: X87Stack;
}

/** A memory operand that has been checked for writing. */
export interface MemoryCell {
  read(): Value;
  write(value: Value): void;
}

/** One instruction. */
export interface Row {
  readonly name: string;
  /** See `encoding.ts` for the notation. */
  readonly encodings: readonly string[];
  /** Access of each operand: r, w, rw, or - (address only). Default: 'rw,r' for two, 'rw' for one. */
  readonly access?: string;
  readonly flags?: {
    /** Letters of O S Z A P C. */
    readonly reads?: string;
    readonly writes?: string;
    readonly undefined?: string;
  };
  /** A LOCK prefix is allowed when operand 0 is in memory. */
  readonly lock?: boolean;
  /** Semantics differ by operand size although no operand has size v. */
  readonly sized?: boolean;
  /** Uses the stack: forms for 16- and 32-bit stack pointers. */
  readonly stack?: boolean;
  /** Uses `form.addressSize`. */
  readonly addressSized?: boolean;
  /** Takes repeat prefixes: 'rep' (F3 and F2 alike) or 'repcc' (REPE / REPNE). */
  readonly repeat?: 'rep' | 'repcc';
  /** Nothing is decoded behind it in the same block; 'next': although that is where execution always goes on. */
  readonly ends?: boolean | 'next';
  /** With `ends`: where the immediate operand is this, execution mostly goes on behind it. */
  readonly resumes?: number;
  /** Needs the x87, MMX or SSE unit: checked against CR0, CR4 and pending exceptions before anything else. */
  readonly unit?: 'x87' | 'x87-nowait' | 'mmx' | 'wait' | 'fxsave' | 'sse' | 'sse-mmx';
  /** May use v128 values; makes no forms for segments that are flat, which are not worth the room. */
  readonly compact?: boolean;
  /** Worth a place in the interpreter's main loop. */
  readonly hot?: boolean;
  /** Not for user-level random tests (privileged, far, or machine-dependent). */
  readonly system?: boolean;
  semantics(b: Builder): void;
}
