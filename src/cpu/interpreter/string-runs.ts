import { STATE, TLB_BYTE } from '../../memory/layout.js';
import { Code, I32, OP, V128, VOID_BLOCK } from '../../wasm/code.js';
import type { LocalRun, ModuleBuilder } from '../../wasm/module.js';
import { ITERATIONS_PER_TURN } from '../../isa/strings.js';
import { bySize, copyUpwards, fillWith, skipVectors, spread } from './string-vectors.js';

/**
 * Repeated string instructions, many elements at once: functions (log2 of the element's bytes) → done, for both tiers.
 *
 * They do iterations of the instruction as `isa/strings.ts` describes one, with 32-bit addresses in flat segments, and
 * move the registers. What one does in one piece ends at the borders of pages.
 *
 * - MOVS and STOS return 1 at the end of the repetition or of its turn, and 0 before an iteration that cannot be done
 *   so: one that misses the TLB, touches a page with code, crosses a page, or reads in part what the one before it wrote.
 * - CMPS and SCAS, whose parameter has `UNTIL_EQUAL` for REPNE, do one piece. They return 0 if they could do no
 *   iteration, else 1, with what the last one compared in `STATE.comparedX` and `comparedY`; 1 if there is nothing to do.
 */
export const STRING_RUNS = ['movs', 'stos', 'cmps', 'scas'] as const;
export type StringRun = (typeof STRING_RUNS)[number];
/** In the parameter of comparing ones. */
export const UNTIL_EQUAL = 4;

export function isComparing(run: StringRun): boolean {
  return run === 'cmps' || run === 'scas';
}

const ECX = STATE.registers + 4;
const ESI = STATE.registers + 4 * 6;
const EDI = STATE.registers + 4 * 7;

/** Parameter and locals. */
const L = {
  ...{ shift: 0, turn: 1, to: 2, from: 3, count: 4, bytes: 5, hostTo: 6, hostFrom: 7, scratch: 8 },
  ...{ x: 9, y: 10, different: 11, step: 12, pattern: 13, other: 14 },
} as const;
const LOCALS: readonly LocalRun[] = [
  { type: I32, count: 12 },
  { type: V128, count: 2 },
];

/** Bytes up to which a call for all of them takes longer than to move them here. */
const FEW_BYTES = 256;

/** Adds the functions to the interpreter's module, and exports them. Returns their indices. */
export function addStringRuns(module: ModuleBuilder): Record<StringRun, number> {
  const indices = {} as Record<StringRun, number>;
  for (const name of STRING_RUNS) {
    const body = isComparing(name) ? emitComparison(name === 'cmps') : emitRun(name === 'movs');
    indices[name] = module.addFunction([I32], [I32], LOCALS, body);
    module.exportFunction(name, indices[name]);
  }
  return indices;
}

/** Iterations left in this turn; none: returns 1. */
function emitTurn(code: Code): void {
  load(code, ECX);
  code.localTee(L.turn);
  code.byte(OP.i32_eqz);
  returnIf(code, 1);
  code.localGet(L.turn);
  code.constant(1);
  code.byte(OP.i32_sub);
  code.constant(ITERATIONS_PER_TURN - 1);
  code.byte(OP.i32_and);
  code.constant(1);
  code.byte(OP.i32_add);
  code.localSet(L.turn);
}

function emitRun(moving: boolean): Uint8Array {
  const code = new Code();
  emitTurn(code);
  code.byte(OP.loop);
  code.byte(VOID_BLOCK);
  code.localGet(L.turn);
  code.localSet(L.count);
  load(code, EDI);
  code.localSet(L.to);
  limitToPage(code, L.to);
  if (moving) {
    load(code, ESI);
    code.localSet(L.from);
    limitToPage(code, L.from);
    findHost(code, STATE.tlbRead, L.from, L.hostFrom);
  }
  findHost(code, STATE.tlbWrite, L.to, L.hostTo);
  if (moving) limitToDistance(code);
  code.localGet(L.count);
  code.localGet(L.shift);
  code.byte(OP.i32_shl);
  code.localSet(L.bytes);
  // Downwards, the last element is the lowest.
  isDown(code);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  for (const host of moving ? [L.hostTo, L.hostFrom] : [L.hostTo]) {
    code.localGet(host);
    code.localGet(L.bytes);
    elementBytes(code);
    code.byte(OP.i32_sub);
    code.byte(OP.i32_sub);
    code.localSet(host);
  }
  code.byte(OP.end);
  if (moving) copy(code);
  else fill(code);
  advance(code, EDI, L.to);
  if (moving) advance(code, ESI, L.from);
  code.constant(0);
  load(code, ECX);
  code.localGet(L.count);
  code.byte(OP.i32_sub);
  code.memory(OP.i32_store, ECX);
  code.localGet(L.turn);
  code.localGet(L.count);
  code.byte(OP.i32_sub);
  code.localTee(L.turn);
  code.branch(OP.br_if, 0);
  code.byte(OP.end);
  code.constant(1);
  return code.bytes();
}

/** CMPS compares what ESI and EDI point at, SCAS EAX with what EDI points at. */
function emitComparison(two: boolean): Uint8Array {
  const code = new Code();
  // 0: goes on while they are equal; 1: while they differ.
  code.localGet(L.shift);
  code.constant(UNTIL_EQUAL);
  code.byte(OP.i32_ge_u);
  code.localSet(L.different);
  code.localGet(L.shift);
  code.constant(UNTIL_EQUAL - 1);
  code.byte(OP.i32_and);
  code.localSet(L.shift);
  emitTurn(code);
  // The last iteration of a turn that another one may follow is left, so that the turns can be told apart.
  code.localGet(L.turn);
  load(code, ECX);
  code.constant(ITERATIONS_PER_TURN);
  code.byte(OP.i32_gt_u);
  code.byte(OP.i32_sub);
  code.localTee(L.count);
  code.byte(OP.i32_eqz);
  returnIf(code, 0);
  load(code, EDI);
  code.localSet(L.to);
  limitToPage(code, L.to);
  findHost(code, STATE.tlbRead, L.to, L.hostTo);
  if (two) {
    load(code, ESI);
    code.localSet(L.from);
    limitToPage(code, L.from);
    findHost(code, STATE.tlbRead, L.from, L.hostFrom);
  } else {
    code.constant(STATE.registers);
    code.localSet(L.hostFrom);
    loadElement(code, L.hostFrom, L.x);
  }
  load(code, STATE.direction);
  code.localGet(L.shift);
  code.byte(OP.i32_shl);
  code.localSet(L.step);
  code.constant(0);
  code.localSet(L.bytes);
  isDown(code);
  code.byte(OP.i32_eqz);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  if (!two) spread(code, L.shift, () => code.localGet(L.x), L.pattern);
  skipVectors(code, { ...L, to: L.hostTo, from: two ? L.hostFrom : undefined });
  code.byte(OP.end);
  code.byte(OP.loop);
  code.byte(VOID_BLOCK);
  if (two) {
    loadElement(code, L.hostFrom, L.x);
    move(code, L.hostFrom, L.step);
  }
  loadElement(code, L.hostTo, L.y);
  move(code, L.hostTo, L.step);
  move(code, L.bytes, L.step);
  code.localGet(L.count);
  code.constant(1);
  code.byte(OP.i32_sub);
  code.localTee(L.count);
  code.constant(0);
  code.byte(OP.i32_ne);
  code.localGet(L.x);
  code.localGet(L.y);
  code.byte(OP.i32_ne);
  code.localGet(L.different);
  code.byte(OP.i32_eq);
  code.byte(OP.i32_and);
  code.branch(OP.br_if, 0);
  code.byte(OP.end);
  for (const [register, address] of two ? [[EDI, L.to] as const, [ESI, L.from] as const] : [[EDI, L.to] as const]) {
    code.constant(0);
    code.localGet(address);
    code.localGet(L.bytes);
    code.byte(OP.i32_add);
    code.memory(OP.i32_store, register);
  }
  // Elements are done, as many as `bytes` are steps.
  code.constant(0);
  load(code, ECX);
  code.localGet(L.bytes);
  code.localGet(L.step);
  code.byte(OP.i32_div_s);
  code.byte(OP.i32_sub);
  code.memory(OP.i32_store, ECX);
  for (const [field, value] of [[STATE.comparedX, L.x] as const, [STATE.comparedY, L.y] as const]) {
    code.constant(0);
    code.localGet(value);
    code.memory(OP.i32_store, field);
  }
  code.constant(1);
  return code.bytes();
}

/** Adds one local to another. */
function move(code: Code, local: number, by: number): void {
  code.localGet(local);
  code.localGet(by);
  code.byte(OP.i32_add);
  code.localSet(local);
}

function loadElement(code: Code, host: number, into: number): void {
  const load = (opcode: number) => () => {
    code.localGet(host);
    code.memory(opcode, 0);
  };
  bySize(code, L.shift, I32, [load(OP.i32_load8_u), load(OP.i32_load16_u), load(OP.i32_load)]);
  code.localSet(into);
}

function load(code: Code, offset: number): void {
  code.constant(0);
  code.memory(OP.i32_load, offset);
}

/** With a condition on the wasm stack. */
function returnIf(code: Code, result: number): void {
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.constant(result);
  code.byte(OP.return);
  code.byte(OP.end);
}

function elementBytes(code: Code): void {
  code.constant(1);
  code.localGet(L.shift);
  code.byte(OP.i32_shl);
}

/** EFLAGS.DF is set. */
function isDown(code: Code): void {
  load(code, STATE.direction);
  code.constant(0);
  code.byte(OP.i32_lt_s);
}

/** `count` becomes the lesser of itself and the number on the wasm stack, unsigned. */
function limitCount(code: Code): void {
  code.localTee(L.scratch);
  code.localGet(L.count);
  code.localGet(L.scratch);
  code.localGet(L.count);
  code.byte(OP.i32_lt_u);
  code.byte(OP.select);
  code.localSet(L.count);
}

/** To the elements from `address` on that are on its page as a whole; none: returns 0. */
function limitToPage(code: Code, address: number): void {
  code.constant(0x1000);
  offsetInPage(code, address);
  code.byte(OP.i32_sub);
  code.localGet(L.shift);
  code.byte(OP.i32_shr_u);
  code.localTee(L.scratch);
  code.byte(OP.i32_eqz);
  returnIf(code, 0);
  // Downwards: this one and those below.
  offsetInPage(code, address);
  code.localGet(L.shift);
  code.byte(OP.i32_shr_u);
  code.constant(1);
  code.byte(OP.i32_add);
  code.localGet(L.scratch);
  isDown(code);
  code.byte(OP.select);
  limitCount(code);
}

function offsetInPage(code: Code, address: number): void {
  code.localGet(address);
  code.constant(0xfff);
  code.byte(OP.i32_and);
}

/** Puts the host address of `address` into a local, or returns 0. */
function findHost(code: Code, table: number, address: number, host: number): void {
  load(code, table);
  code.localGet(address);
  code.constant(10);
  code.byte(OP.i32_shr_u);
  code.constant(~3);
  code.byte(OP.i32_and);
  code.byte(OP.i32_add);
  code.memory(OP.i32_load, 0);
  code.localTee(host);
  code.byte(OP.i32_eqz);
  returnIf(code, 0);
  code.localGet(host);
  code.localGet(address);
  code.byte(OP.i32_add);
  code.constant(TLB_BYTE);
  code.byte(OP.i32_add);
  code.localSet(host);
}

/**
 * Where source and destination overlap, later elements may be copies of earlier ones: no more at once than lie between
 * the two. The distance is that of host addresses, for two linear pages may be the same memory.
 */
function limitToDistance(code: Code): void {
  isDown(code);
  code.byte(OP.if);
  code.byte(I32);
  code.localGet(L.hostFrom);
  code.localGet(L.hostTo);
  code.byte(OP.i32_sub);
  code.byte(OP.else);
  code.localGet(L.hostTo);
  code.localGet(L.hostFrom);
  code.byte(OP.i32_sub);
  code.byte(OP.end);
  code.localTee(L.scratch);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.localGet(L.scratch);
  code.localGet(L.shift);
  code.byte(OP.i32_shr_u);
  limitCount(code);
  code.localGet(L.count);
  code.byte(OP.i32_eqz);
  returnIf(code, 0);
  code.byte(OP.end);
}

/** Downwards, a few bytes are for the function, too: later elements are at lower addresses. */
function copy(code: Code): void {
  code.localGet(L.bytes);
  code.constant(FEW_BYTES);
  code.byte(OP.i32_gt_u);
  isDown(code);
  code.byte(OP.i32_or);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.localGet(L.hostTo);
  code.localGet(L.hostFrom);
  code.localGet(L.bytes);
  for (const byte of MEMORY_COPY) code.byte(byte);
  code.byte(OP.else);
  code.localGet(L.bytes);
  code.localSet(L.scratch);
  copyUpwards(code, L.hostTo, L.hostFrom, L.scratch);
  code.byte(OP.end);
}

function fill(code: Code): void {
  // Many elements whose bytes are all alike: of EAX the part that counts.
  load(code, STATE.registers);
  load8(code, STATE.registers);
  code.constant(0x1010101);
  code.byte(OP.i32_mul);
  code.byte(OP.i32_xor);
  code.constant(32);
  elementBytes(code);
  code.constant(3);
  code.byte(OP.i32_shl);
  code.byte(OP.i32_sub);
  code.byte(OP.i32_shl);
  code.byte(OP.i32_eqz);
  code.localGet(L.bytes);
  code.constant(FEW_BYTES);
  code.byte(OP.i32_gt_u);
  code.byte(OP.i32_and);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.localGet(L.hostTo);
  load8(code, STATE.registers);
  code.localGet(L.bytes);
  for (const byte of MEMORY_FILL) code.byte(byte);
  code.byte(OP.else);
  spread(code, L.shift, () => load(code, STATE.registers), L.pattern);
  code.localGet(L.bytes);
  code.localSet(L.scratch);
  fillWith(code, L.hostTo, L.pattern, L.scratch);
  code.byte(OP.end);
}

function load8(code: Code, offset: number): void {
  code.constant(0);
  code.memory(OP.i32_load8_u, offset);
}

/** The register becomes `address`, past what has been done. */
function advance(code: Code, register: number, address: number): void {
  code.constant(0);
  code.localGet(address);
  load(code, STATE.direction);
  code.localGet(L.bytes);
  code.byte(OP.i32_mul);
  code.byte(OP.i32_add);
  code.memory(OP.i32_store, register);
}

/** With the memory indices behind the opcodes. */
const MEMORY_COPY: readonly number[] = [0xfc, 0x0a, 0, 0];
const MEMORY_FILL: readonly number[] = [0xfc, 0x0b, 0];
