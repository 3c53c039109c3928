/**
 * Bytes of a WebAssembly function body. Opcode values: WebAssembly core specification, section 5.4.
 * This room knows nothing of x86.
 */

import { SIMD, SIMD_PREFIX } from './simd.js';

/** Value types. */
export const I32 = 0x7f;
export const I64 = 0x7e;
export const F32 = 0x7d;
export const F64 = 0x7c;
export const V128 = 0x7b;
export const VOID_BLOCK = 0x40;
export const FUNCREF = 0x70;

/** Opcodes that this project emits, by the specification's names. */
export const OP = {
  unreachable: 0x00,
  block: 0x02,
  loop: 0x03,
  if: 0x04,
  else: 0x05,
  end: 0x0b,
  br: 0x0c,
  br_if: 0x0d,
  br_table: 0x0e,
  return: 0x0f,
  call: 0x10,
  call_indirect: 0x11,
  return_call: 0x12,
  return_call_indirect: 0x13,
  drop: 0x1a,
  select: 0x1b,
  local_get: 0x20,
  local_set: 0x21,
  local_tee: 0x22,
  i32_load: 0x28,
  i64_load: 0x29,
  f32_load: 0x2a,
  f64_load: 0x2b,
  i32_load8_s: 0x2c,
  i32_load8_u: 0x2d,
  i32_load16_s: 0x2e,
  i32_load16_u: 0x2f,
  i32_store: 0x36,
  i64_store: 0x37,
  f32_store: 0x38,
  f64_store: 0x39,
  i32_store8: 0x3a,
  i32_store16: 0x3b,
  i32_const: 0x41,
  i64_const: 0x42,
  f64_const: 0x44,
  i32_eqz: 0x45,
  i32_eq: 0x46,
  i32_ne: 0x47,
  i32_lt_s: 0x48,
  i32_lt_u: 0x49,
  i32_gt_s: 0x4a,
  i32_gt_u: 0x4b,
  i32_le_s: 0x4c,
  i32_le_u: 0x4d,
  i32_ge_s: 0x4e,
  i32_ge_u: 0x4f,
  i64_eqz: 0x50,
  i64_eq: 0x51,
  i64_ne: 0x52,
  i64_lt_s: 0x53,
  i64_lt_u: 0x54,
  i64_gt_s: 0x55,
  i64_gt_u: 0x56,
  f32_eq: 0x5b,
  f32_lt: 0x5d,
  f32_le: 0x5f,
  f64_eq: 0x61,
  f64_lt: 0x63,
  f64_le: 0x65,
  i32_clz: 0x67,
  i32_ctz: 0x68,
  i32_popcnt: 0x69,
  i32_add: 0x6a,
  i32_sub: 0x6b,
  i32_mul: 0x6c,
  i32_div_s: 0x6d,
  i32_div_u: 0x6e,
  i32_rem_s: 0x6f,
  i32_rem_u: 0x70,
  i32_and: 0x71,
  i32_or: 0x72,
  i32_xor: 0x73,
  i32_shl: 0x74,
  i32_shr_s: 0x75,
  i32_shr_u: 0x76,
  i32_rotl: 0x77,
  i32_rotr: 0x78,
  i64_clz: 0x79,
  i64_add: 0x7c,
  i64_sub: 0x7d,
  i64_mul: 0x7e,
  i64_div_s: 0x7f,
  i64_div_u: 0x80,
  i64_rem_s: 0x81,
  i64_rem_u: 0x82,
  i64_and: 0x83,
  i64_or: 0x84,
  i64_xor: 0x85,
  i64_shl: 0x86,
  i64_shr_s: 0x87,
  i64_shr_u: 0x88,
  f32_sqrt: 0x91,
  f32_add: 0x92,
  f32_sub: 0x93,
  f32_mul: 0x94,
  f32_div: 0x95,
  f64_neg: 0x9a,
  f64_floor: 0x9c,
  f64_nearest: 0x9e,
  f64_sqrt: 0x9f,
  f64_add: 0xa0,
  f64_sub: 0xa1,
  f64_mul: 0xa2,
  f64_div: 0xa3,
  i32_wrap_i64: 0xa7,
  i64_extend_i32_s: 0xac,
  i64_extend_i32_u: 0xad,
  i64_trunc_f64_s: 0xb0,
  i64_trunc_f64_u: 0xb1,
  f64_convert_i64_s: 0xb9,
  f64_convert_i64_u: 0xba,
  i32_reinterpret_f32: 0xbc,
  i64_reinterpret_f64: 0xbd,
  f32_reinterpret_i32: 0xbe,
  f64_reinterpret_i64: 0xbf,
  i32_extend8_s: 0xc0,
  i32_extend16_s: 0xc1,
} as const;

/** A growing byte buffer with the encodings that WebAssembly uses. */
export class Code {
  private buffer: Uint8Array;
  length = 0;
  /** The last `localSet`: its local, and the bytes `[start, end)`. */
  private setLocal = -1;
  private setStart = -1;
  private setEnd = -1;

  /** `capacity` is a first guess, in bytes. */
  constructor(capacity = 4096) {
    this.buffer = new Uint8Array(capacity);
  }

  /** Empties it for other code; what `bytes` returned before is overwritten. */
  clear(): void {
    this.truncate(0);
  }

  /** Takes back what was written behind `length`. */
  truncate(length: number): void {
    this.length = length;
    this.setEnd = -1;
  }

  byte(value: number): void {
    if (this.length === this.buffer.length) this.grow(1);
    this.buffer[this.length++] = value;
  }

  append(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.buffer.length) this.grow(bytes.length);
    this.buffer.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Unsigned LEB128 of a u32. */
  u32(value: number): void {
    value >>>= 0;
    while (value >= 0x80) {
      this.byte((value & 0x7f) | 0x80);
      value >>>= 7;
    }
    this.byte(value);
  }

  /** Signed LEB128 of an i32. */
  s32(value: number): void {
    value |= 0;
    while (value < -64 || value > 63) {
      this.byte((value & 0x7f) | 0x80);
      value >>= 7;
    }
    this.byte(value & 0x7f);
  }

  /** Signed LEB128 of an i64. */
  s64(value: bigint): void {
    value = BigInt.asIntN(64, value);
    while (value < -64n || value > 63n) {
      this.byte(Number(value & 0x7fn) | 0x80);
      value >>= 7n;
    }
    this.byte(Number(value & 0x7fn));
  }

  f64Constant(value: number): void {
    this.byte(OP.f64_const);
    for (const byte of new Uint8Array(Float64Array.of(value).buffer)) this.byte(byte);
  }

  name(text: string): void {
    this.u32(text.length);
    for (let i = 0; i < text.length; i++) this.byte(text.charCodeAt(i));
  }

  /** An instruction of `SIMD`; immediates follow. */
  simd(opcode: number): void {
    this.byte(SIMD_PREFIX);
    this.u32(opcode);
  }
  /** The v128 with these halves. */
  vectorConstant(low: bigint, high: bigint): void {
    this.simd(SIMD.v128_const);
    for (const half of [low, high]) for (let i = 0n; i < 64n; i += 8n) this.byte(Number((half >> i) & 0xffn));
  }
  simdMemory(opcode: number, offset: number): void {
    this.simd(opcode);
    this.byte(0);
    this.u32(offset);
  }

  /** A load or store with its static offset; alignment is only a hint, so always 0 (2^0). */
  memory(opcode: number, offset: number): void {
    this.byte(opcode);
    this.byte(0);
    this.u32(offset);
  }

  constant(value: number): void {
    this.byte(OP.i32_const);
    this.s32(value);
  }

  /** Right behind a `localSet` of the same local the two become a `localTee`. */
  localGet(index: number): void {
    if (this.setEnd === this.length && this.setLocal === index) {
      this.buffer[this.setStart] = OP.local_tee;
      this.setEnd = -1;
      return;
    }
    this.byte(OP.local_get);
    this.u32(index);
  }
  localSet(index: number): void {
    this.setStart = this.length;
    this.byte(OP.local_set);
    this.u32(index);
    this.setLocal = index;
    this.setEnd = this.length;
  }
  localTee(index: number): void {
    this.byte(OP.local_tee);
    this.u32(index);
  }
  branch(opcode: number, depth: number): void {
    this.byte(opcode);
    this.u32(depth);
  }
  call(functionIndex: number): void {
    this.byte(OP.call);
    this.u32(functionIndex);
  }

  bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  private grow(extra: number): void {
    const next = new Uint8Array(Math.max(this.buffer.length * 2, this.length + extra));
    next.set(this.buffer.subarray(0, this.length));
    this.buffer = next;
  }
}
