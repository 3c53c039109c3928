import { type Code, I32, OP, V128, VOID_BLOCK } from '../../wasm/code.js';
import { SIMD } from '../../wasm/simd.js';

/**
 * What string runs do 16 bytes at a time. Arguments are locals, i32 but for `pattern` and `other`: addresses in linear
 * memory, which move, numbers of bytes, and in `shift` log2 of an element's bytes.
 */

const VECTOR = 16;

/** Emits the one of three pieces of code that is for the element's size. */
export function bySize(
  code: Code,
  shift: number,
  type: number,
  emit: readonly [() => void, () => void, () => void],
): void {
  code.localGet(shift);
  code.byte(OP.i32_eqz);
  code.byte(OP.if);
  code.byte(type);
  emit[0]();
  code.byte(OP.else);
  code.localGet(shift);
  code.constant(1);
  code.byte(OP.i32_eq);
  code.byte(OP.if);
  code.byte(type);
  emit[1]();
  code.byte(OP.else);
  emit[2]();
  code.byte(OP.end);
  code.byte(OP.end);
}

/** Sets `pattern` to the elements that are all the lowest one of what `value` pushes. */
export function spread(code: Code, shift: number, value: () => void, pattern: number): void {
  const splat = (opcode: number) => () => {
    value();
    code.simd(opcode);
  };
  bySize(code, shift, V128, [splat(SIMD.i8x16_splat), splat(SIMD.i16x8_splat), splat(SIMD.i32x4_splat)]);
  code.localSet(pattern);
}

function move(code: Code, address: number, by = VECTOR): void {
  code.localGet(address);
  code.constant(by);
  code.byte(OP.i32_add);
  code.localSet(address);
}

/** Runs `body` while there are 16 bytes, then once for each power of two that is left over. */
function inPieces(code: Code, left: number, body: (bytes: number) => void): void {
  code.byte(OP.block);
  code.byte(VOID_BLOCK);
  code.byte(OP.loop);
  code.byte(VOID_BLOCK);
  code.localGet(left);
  code.constant(VECTOR);
  code.byte(OP.i32_lt_u);
  code.branch(OP.br_if, 1);
  body(VECTOR);
  move(code, left, -VECTOR);
  code.branch(OP.br, 0);
  code.byte(OP.end);
  code.byte(OP.end);
  for (const bytes of [8, 4, 2, 1]) {
    code.localGet(left);
    code.constant(bytes);
    code.byte(OP.i32_and);
    code.byte(OP.if);
    code.byte(VOID_BLOCK);
    body(bytes);
    code.byte(OP.end);
  }
}

const LOADS = { 8: OP.i64_load, 4: OP.i32_load, 2: OP.i32_load16_u, 1: OP.i32_load8_u } as const;
const STORES = { 8: OP.i64_store, 4: OP.i32_store, 2: OP.i32_store16, 1: OP.i32_store8 } as const;

/** Copies `left` bytes, the lowest first: right where `to` is behind `from`, too, if it is so by as many bytes. */
export function copyUpwards(code: Code, to: number, from: number, left: number): void {
  inPieces(code, left, (bytes) => {
    code.localGet(to);
    code.localGet(from);
    if (bytes === VECTOR) {
      code.simdMemory(SIMD.v128_load, 0);
      code.simdMemory(SIMD.v128_store, 0);
    } else {
      code.memory(LOADS[bytes as 8], 0);
      code.memory(STORES[bytes as 8], 0);
    }
    move(code, to, bytes);
    move(code, from, bytes);
  });
}

/** Fills `left` bytes with elements of `pattern`. */
export function fillWith(code: Code, to: number, pattern: number, left: number): void {
  inPieces(code, left, (bytes) => {
    code.localGet(to);
    code.localGet(pattern);
    if (bytes === VECTOR) code.simdMemory(SIMD.v128_store, 0);
    else {
      code.simd(bytes === 8 ? SIMD.i64x2_extract_lane : SIMD.i32x4_extract_lane);
      code.byte(0);
      code.memory(STORES[bytes as 8], 0);
    }
    move(code, to, bytes);
  });
}

/** What `skipVectors` goes by. */
export interface Comparison {
  readonly shift: number;
  /** 0: goes on while elements are equal; 1: while they differ. */
  readonly different: number;
  /** Elements left; more than one will be. */
  readonly count: number;
  /** Bytes done. */
  readonly bytes: number;
  readonly to: number;
  /** Undefined: all are compared with those of `pattern`. */
  readonly from: number | undefined;
  readonly pattern: number;
  readonly other: number;
}

/** Goes on, upwards, for as long as the comparison surely does behind the next 16 bytes, too. */
export function skipVectors(
  code: Code,
  { shift, different, count, bytes, to, from, pattern, other }: Comparison,
): void {
  code.byte(OP.block);
  code.byte(VOID_BLOCK);
  code.byte(OP.loop);
  code.byte(VOID_BLOCK);
  code.localGet(count);
  code.localGet(shift);
  code.byte(OP.i32_shl);
  code.constant(VECTOR);
  code.byte(OP.i32_le_u);
  code.branch(OP.br_if, 1);
  if (from !== undefined) {
    code.localGet(from);
    code.simdMemory(SIMD.v128_load, 0);
    code.localSet(pattern);
  }
  code.localGet(to);
  code.simdMemory(SIMD.v128_load, 0);
  code.localSet(other);
  const compare = (opcode: number) => () => {
    code.localGet(pattern);
    code.localGet(other);
    code.simd(opcode);
    code.simd(SIMD.v128_any_true);
  };
  code.localGet(different);
  code.byte(OP.if);
  code.byte(I32);
  bySize(code, shift, I32, [compare(SIMD.i8x16_eq), compare(SIMD.i16x8_eq), compare(SIMD.i32x4_eq)]);
  code.byte(OP.else);
  compare(SIMD.v128_xor)();
  code.byte(OP.end);
  code.branch(OP.br_if, 1);
  for (const local of from === undefined ? [to, bytes] : [to, from, bytes]) move(code, local);
  code.localGet(count);
  code.constant(VECTOR);
  code.localGet(shift);
  code.byte(OP.i32_shr_u);
  code.byte(OP.i32_sub);
  code.localSet(count);
  code.branch(OP.br, 0);
  code.byte(OP.end);
  code.byte(OP.end);
}
