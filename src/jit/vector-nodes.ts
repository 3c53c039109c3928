import type { LaneWidth } from '../isa/vector.js';
import { EXTRACT_LANE, REPLACE_LANE, SIMD } from '../wasm/simd.js';
import * as n from './node.js';
import { KIND, type Node } from './node.js';

/**
 * Operations on vectors, with less to do where operands are constants, as the immediates of shuffles and shifts are,
 * or where a lane is wanted that has just been put in.
 */

const BYTES = 16;
const HALF_MASK = 0xffff_ffff_ffff_ffffn;

function isZeroVector(node: Node): boolean {
  return node.kind === KIND.vectorConstant && node.big === 0n && node.upper === 0n;
}

function bytesOf({ big, upper }: Node): number[] {
  const all = BigInt.asUintN(64, big) | (BigInt.asUintN(64, upper) << 64n);
  return Array.from({ length: BYTES }, (_, i) => Number((all >> BigInt(8 * i)) & 0xffn));
}

function fromBytes(bytes: readonly number[]): Node {
  let all = 0n;
  bytes.forEach((byte, i) => {
    all |= BigInt(byte & 0xff) << BigInt(8 * i);
  });
  return n.vectorConstant(all & HALF_MASK, all >> 64n);
}

function isConstant(node: Node | undefined): boolean {
  return node?.kind === KIND.vectorConstant;
}

/** An operation of `VECTOR_OPERATIONS`; `result` as there. */
export function operate(opcode: number, args: readonly Node[], result: string): Node {
  return simplify(opcode, args[0]!, args[1]) ?? n.simd(opcode, args, result);
}

function simplify(opcode: number, a: Node, b: Node | undefined): Node | undefined {
  switch (opcode) {
    case SIMD.v128_xor:
    case SIMD.v128_or:
      if (a === b) return opcode === SIMD.v128_or ? a : n.vectorConstant(0n, 0n);
      if (isZeroVector(a)) return b;
      if (isZeroVector(b!)) return a;
      return opcode === SIMD.v128_or ? joinSwizzles(a, b!) : undefined;
    case SIMD.v128_and:
      if (a === b) return a;
      if (isConstant(a) && isConstant(b)) return n.vectorConstant(a.big & b!.big, a.upper & b!.upper);
      return undefined;
    case SIMD.i8x16_eq:
    case SIMD.i16x8_eq:
    case SIMD.i32x4_eq:
      return a === b ? n.vectorConstant(HALF_MASK, HALF_MASK) : undefined;
    case SIMD.i32x4_splat: {
      if (!a.isConstant) return undefined;
      const half = BigInt(a.number >>> 0) * 0x1_0000_0001n;
      return n.vectorConstant(half, half);
    }
    case SIMD.i8x16_add:
    case SIMD.i8x16_sub: {
      if (!isConstant(a) || !isConstant(b)) return undefined;
      const by = bytesOf(b!);
      return fromBytes(bytesOf(a).map((byte, i) => (opcode === SIMD.i8x16_add ? byte + by[i]! : byte - by[i]!)));
    }
    case SIMD.i8x16_swizzle: {
      if (!isConstant(b)) return undefined;
      const bytes = bytesOf(b!);
      if (bytes.every((byte) => byte >= BYTES)) return n.vectorConstant(0n, 0n);
      return bytes.every((byte) => byte < BYTES) ? shuffle(a, a, bytes) : undefined;
    }
    default:
      return undefined;
  }
}

/** Two swizzles by constants, one of which gives 0 where the other does not, are one shuffle. */
function joinSwizzles(a: Node, b: Node): Node | undefined {
  const [first, second] = [picks(a), picks(b)];
  if (!first || !second) return undefined;
  const bytes: number[] = [];
  for (let i = 0; i < BYTES; i++) {
    const fromFirst = first[i]! < BYTES;
    if (fromFirst === second[i]! < BYTES) return undefined;
    bytes.push(fromFirst ? first[i]! : BYTES + second[i]!);
  }
  return shuffle(a.a!, b.a!, bytes);
}

function picks(node: Node): number[] | undefined {
  if (node.kind !== KIND.simd || node.opcode !== SIMD.i8x16_swizzle || !isConstant(node.b)) return undefined;
  return bytesOf(node.b!);
}

export function shuffle(a: Node, b: Node, bytes: readonly number[]): Node {
  if (bytes.every((byte, i) => byte === i)) return a;
  if (bytes.every((byte, i) => byte === BYTES + i)) return b;
  return n.simd(SIMD.i8x16_shuffle, [a, b], 'v', bytes);
}

function isWithLane(node: Node, width: LaneWidth): boolean {
  return node.kind === KIND.simd && node.opcode === REPLACE_LANE[width];
}

export function lane(a: Node, width: LaneWidth, index: number): Node {
  while (isWithLane(a, width) && width >= 32) {
    if (a.immediates[0] === index) return a.b!;
    a = a.a!;
  }
  if (width === 32 && isWithLane(a, 64)) {
    if (a.immediates[0] !== index >> 1) return lane(a.a!, width, index);
  }
  if (width === 64 && isConstant(a)) return n.wideConstant(index === 0 ? a.big : a.upper);
  return n.simd(EXTRACT_LANE[width], [a], width === 64 ? 'l' : 'i', [index]);
}

export function withLane(a: Node, width: LaneWidth, index: number, value: Node): Node {
  if (isConstant(a) && value.isConstant) {
    const bits = value.wide ? BigInt.asUintN(64, value.big) : BigInt(value.number >>> 0);
    const bytes = bytesOf(a);
    for (let i = 0; i < width / 8; i++) bytes[(index * width) / 8 + i] = Number((bits >> BigInt(8 * i)) & 0xffn);
    return fromBytes(bytes);
  }
  if (isWithLane(a, width) && a.immediates[0] === index) return withLane(a.a!, width, index, value);
  return n.simd(REPLACE_LANE[width], [a, value], 'v', [index]);
}
