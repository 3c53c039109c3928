import type { Size } from '../../isa/builder.js';
import { STATE, TLB_BYTE } from '../../memory/layout.js';
import { ACCESS_READ, ACCESS_WRITE } from '../../memory/page-walk.js';
import { Code, I32, I64, OP, V128, VOID_BLOCK } from '../../wasm/code.js';
import type { LocalRun, ModuleBuilder } from '../../wasm/module.js';
import { SIMD } from '../../wasm/simd.js';
import { emitResolve, type MissFunctions } from './miss-functions.js';

/** Functions of the interpreter that access guest memory by way of the TLB, and the look-up itself. */
export interface MemoryFunctions {
  /** (linear, record) → value; (linear, value, record). Zero-extended i32. */
  readonly read: Record<Size, number>;
  readonly write: Record<Size, number>;
  /** The same with i64. */
  readonly read64: number;
  readonly write64: number;
  /** The same with v128. */
  readonly read128: number;
  readonly write128: number;
}

const SIZES: readonly Size[] = [8, 16, 32];
const ONE_NARROW: readonly LocalRun[] = [{ type: I32, count: 1 }];

const ONE_NARROW_ONE_WIDE: readonly LocalRun[] = [...ONE_NARROW, { type: I64, count: 1 }];
const ONE_NARROW_ONE_VECTOR: readonly LocalRun[] = [...ONE_NARROW, { type: V128, count: 1 }];

/** `probeWrite` (linear, bytes, record) faults unless `bytes` may be written; `resolve` is that of gates.ts. */
export function addMemoryFunctions(
  module: ModuleBuilder,
  { slowRead, slowWrite }: MissFunctions,
  probeWrite: number,
  resolve: number,
): MemoryFunctions {
  const read = {} as Record<Size, number>;
  const write = {} as Record<Size, number>;
  for (const size of SIZES) {
    read[size] = module.addFunction([I32, I32], [I32], ONE_NARROW, readFunction(size, slowRead[size]));
    write[size] = module.addFunction([I32, I32, I32], [], ONE_NARROW, writeFunction(size, slowWrite[size]));
  }
  return {
    read,
    write,
    read64: module.addFunction(
      [I32, I32],
      [I64],
      ONE_NARROW_ONE_WIDE,
      readWideFunction(I64_VALUE, slowRead[32], resolve),
    ),
    write64: module.addFunction(
      [I32, I64, I32],
      [],
      ONE_NARROW,
      writeWideFunction(I64_VALUE, slowWrite[32], probeWrite, resolve),
    ),
    read128: module.addFunction(
      [I32, I32],
      [V128],
      ONE_NARROW_ONE_VECTOR,
      readWideFunction(V128_VALUE, slowRead[32], resolve),
    ),
    write128: module.addFunction(
      [I32, V128, I32],
      [],
      ONE_NARROW,
      writeWideFunction(V128_VALUE, slowWrite[32], probeWrite, resolve),
    ),
  };
}

/** (linear, record) → value. */
function readFunction(size: Size, slow: number): Uint8Array {
  const code = new Code();
  const entry = 2;
  emitLookUp(code, STATE.tlbRead, () => code.localGet(0), entry, size);
  code.byte(OP.if);
  code.byte(I32);
  code.localGet(0);
  code.localGet(1);
  code.call(slow);
  code.byte(OP.else);
  code.localGet(0);
  code.localGet(entry);
  code.byte(OP.i32_add);
  code.memory(size === 8 ? OP.i32_load8_u : size === 16 ? OP.i32_load16_u : OP.i32_load, TLB_BYTE);
  code.byte(OP.end);
  return code.bytes();
}

/** (linear, value, record). */
function writeFunction(size: Size, slow: number): Uint8Array {
  const code = new Code();
  const entry = 3;
  emitLookUp(code, STATE.tlbWrite, () => code.localGet(0), entry, size);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.localGet(0);
  code.localGet(1);
  code.localGet(2);
  code.call(slow);
  code.byte(OP.else);
  code.localGet(0);
  code.localGet(entry);
  code.byte(OP.i32_add);
  code.localGet(1);
  code.memory(size === 8 ? OP.i32_store8 : size === 16 ? OP.i32_store16 : OP.i32_store, TLB_BYTE);
  code.byte(OP.end);
  return code.bytes();
}

/** What is wider than a word, and goes by words where the fast path will not do. */
interface Wide {
  readonly bits: 64 | 128;
  load(code: Code, offset: number): void;
  store(code: Code, offset: number): void;
  /** Leaves the value in a local, with word number `word` from `pushWord`, on the wasm stack. */
  join(code: Code, value: number, word: number, pushWord: () => void): void;
  /** Of the value on the wasm stack. */
  split(code: Code, word: number): void;
}

const I64_VALUE: Wide = {
  bits: 64,
  load: (code, offset) => code.memory(OP.i64_load, offset),
  store: (code, offset) => code.memory(OP.i64_store, offset),
  join(code, value, word, pushWord) {
    pushWord();
    code.byte(OP.i64_extend_i32_u);
    shift(code, OP.i64_shl, word);
    code.localGet(value);
    code.byte(OP.i64_or);
  },
  split(code, word) {
    shift(code, OP.i64_shr_u, word);
    code.byte(OP.i32_wrap_i64);
  },
};
function shift(code: Code, opcode: number, words: number): void {
  code.byte(OP.i64_const);
  code.s64(BigInt(32 * words));
  code.byte(opcode);
}

const V128_VALUE: Wide = {
  bits: 128,
  load: (code, offset) => code.simdMemory(SIMD.v128_load, offset),
  store: (code, offset) => code.simdMemory(SIMD.v128_store, offset),
  join(code, value, word, pushWord) {
    code.localGet(value);
    pushWord();
    code.simd(SIMD.i32x4_replace_lane);
    code.byte(word);
  },
  split(code, word) {
    code.simd(SIMD.i32x4_extract_lane);
    code.byte(word);
  },
};

/** (linear, record) → value. */
function readWideFunction(wide: Wide, slow: number, resolve: number): Uint8Array {
  const code = new Code();
  const [entry, value] = [2, 3];
  emitLookUp(code, STATE.tlbRead, () => code.localGet(0), entry, wide.bits);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  emitResolve(code, ACCESS_READ, wide.bits, 1, resolve, entry);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.localGet(entry);
  wide.load(code, 0);
  code.byte(OP.return);
  code.byte(OP.end);
  emitReturnIfStatus(code, () => code.localGet(value));
  for (let word = 0; word < wide.bits / 32; word++) {
    wide.join(code, value, word, () => {
      pushWordAddress(code, word);
      code.localGet(1);
      code.call(slow);
    });
    code.localSet(value);
    emitReturnIfStatus(code, () => code.localGet(value));
  }
  code.byte(OP.else);
  code.localGet(0);
  code.localGet(entry);
  code.byte(OP.i32_add);
  wide.load(code, TLB_BYTE);
  code.localSet(value);
  code.byte(OP.end);
  code.localGet(value);
  return code.bytes();
}

/** (linear, value, record). */
function writeWideFunction(wide: Wide, slow: number, probeWrite: number, resolve: number): Uint8Array {
  const code = new Code();
  const entry = 3;
  emitLookUp(code, STATE.tlbWrite, () => code.localGet(0), entry, wide.bits);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  emitResolve(code, ACCESS_WRITE, wide.bits, 2, resolve, entry);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  code.localGet(entry);
  code.localGet(1);
  wide.store(code, 0);
  code.byte(OP.return);
  code.byte(OP.end);
  emitReturnIfStatus(code, () => {});
  // All of it can be written, or none is.
  code.localGet(0);
  code.constant(wide.bits / 8);
  code.localGet(2);
  code.call(probeWrite);
  emitReturnIfStatus(code, () => {});
  for (let word = 0; word < wide.bits / 32; word++) {
    pushWordAddress(code, word);
    code.localGet(1);
    wide.split(code, word);
    code.localGet(2);
    code.call(slow);
    emitReturnIfStatus(code, () => {});
  }
  code.byte(OP.else);
  code.localGet(0);
  code.localGet(entry);
  code.byte(OP.i32_add);
  code.localGet(1);
  wide.store(code, TLB_BYTE);
  code.byte(OP.end);
  return code.bytes();
}

/** The linear address is in local 0. */
function pushWordAddress(code: Code, word: number): void {
  code.localGet(0);
  code.constant(4 * word);
  code.byte(OP.i32_add);
}

function emitReturnIfStatus(code: Code, pushResult: () => void): void {
  code.constant(0);
  code.memory(OP.i32_load, STATE.status);
  code.byte(OP.if);
  code.byte(VOID_BLOCK);
  pushResult();
  code.byte(OP.return);
  code.byte(OP.end);
}

const PAGE_OFFSET_MASK = 0xfff;

/**
 * Emits the TLB look-up of `linear` (pushed by `pushLinear`, twice): stores the entry in a local and leaves
 * 1 on the wasm stack when the access misses or crosses a page.
 */
export function emitLookUp(
  code: Code,
  table: number,
  pushLinear: () => void,
  entry: number,
  size: Size | 64 | 128,
): void {
  code.constant(0);
  code.memory(OP.i32_load, table);
  pushLinear();
  code.constant(10);
  code.byte(OP.i32_shr_u);
  code.constant(~3);
  code.byte(OP.i32_and);
  code.byte(OP.i32_add);
  code.memory(OP.i32_load, 0);
  code.localTee(entry);
  emitMisses(code, pushLinear, size / 8);
}

/**
 * Of the TLB entry on the wasm stack: leaves there whether `bytes` are not on one page in the TLB, of which byte `ahead`
 * is at `linear`. If they are, the last byte's place on its page is at least `bytes` − 1. All low bits of a valid entry
 * are set and none of an invalid one, so that the same comparison serves for both; a single byte is on one page.
 */
export function emitMisses(code: Code, pushLinear: () => void, bytes: number, ahead = 0): void {
  if (bytes === 1) {
    code.byte(OP.i32_eqz);
    return;
  }
  pushLinear();
  if (bytes - 1 > ahead) {
    code.constant(bytes - 1 - ahead);
    code.byte(OP.i32_add);
  }
  code.byte(OP.i32_and);
  code.constant(PAGE_OFFSET_MASK);
  code.byte(OP.i32_and);
  code.constant(bytes - 1);
  code.byte(OP.i32_lt_u);
}
