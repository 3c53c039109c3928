import type { LaneWidth } from '../isa/vector.js';
import { OP } from '../wasm/code.js';
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

function isSimd(node: Node, opcode: number): boolean {
  return node.kind === KIND.simd && node.opcode === opcode;
}
/** Whether its lane at `index` of `width` bits has just been put into a vector. */
function isWithLane(node: Node, width: LaneWidth, index: number): boolean {
  return isSimd(node, REPLACE_LANE[width]) && node.immediates[0] === index;
}

type FloatWidth = 32 | 64;
const WITH_FLOAT = { 32: SIMD.f32x4_replace_lane, 64: SIMD.f64x2_replace_lane } as const;
const FLOAT_OF = { 32: SIMD.f32x4_extract_lane, 64: SIMD.f64x2_extract_lane } as const;
const REINTERPRETED = { 32: OP.i32_reinterpret_f32, 64: OP.i64_reinterpret_f64 } as const;
const AS_FLOAT = { 32: OP.f32_reinterpret_i32, 64: OP.f64_reinterpret_i64 } as const;

/** The lowest lane as a float. */
export function lowest(a: Node, width: FloatWidth): Node {
  if (isSimd(a, WITH_FLOAT[width])) return a.b!;
  if (isWithLane(a, width, 0)) return n.float(AS_FLOAT[width], width, a.b!);
  a.lowest ??= {};
  let node = a.lowest[width];
  if (!node) {
    node = n.simd(FLOAT_OF[width], [a], width === 64 ? 'l' : 'i', [0]);
    node.float = true;
    a.lowest[width] = node;
  }
  return node;
}

/** a with another lowest lane. */
export function withLowest(a: Node, width: FloatWidth, value: Node): Node {
  if (isSimd(a, WITH_FLOAT[width]) || isWithLane(a, width, 0)) a = a.a!;
  return n.simd(WITH_FLOAT[width], [a, value], 'v', [0]);
}

/** What is worth computing as soon as a vector is known: not what only puts a float into it. */
export function partsToKeep(vector: Node): Node[] {
  if (vector.kind !== KIND.simd) return [];
  if (!isSimd(vector, WITH_FLOAT[32]) && !isSimd(vector, WITH_FLOAT[64])) return [vector];
  return [...partsToKeep(vector.a!), vector.b!];
}

/** The vector of which a double is the lowest lane, if it came from one. */
export function extractedFrom(double: Node): Node | undefined {
  return isSimd(double, FLOAT_OF[64]) ? double.a : undefined;
}

/** The float of which `value` are the bits, if there is one. */
function asFloat(value: Node, width: FloatWidth): Node | undefined {
  if (value.kind === KIND.unary && value.opcode === REINTERPRETED[width]) return value.a;
  return isSimd(value, EXTRACT_LANE[width]) && value.immediates[0] === 0 ? lowest(value.a!, width) : undefined;
}
/** What is to be stored: a float instead of its bits. */
export function stored(value: Node, size: number): Node {
  return ((size === 32 || size === 64) && asFloat(value, size)) || value;
}

export function lane(a: Node, width: LaneWidth, index: number): Node {
  for (;;) {
    if (width === 32 || width === 64) {
      if (isWithLane(a, width, index)) return a.b!;
      if (index === 0 && isSimd(a, WITH_FLOAT[width])) return n.unary(REINTERPRETED[width], a.b!, width === 64);
      // What has been put in elsewhere.
      if (isSimd(a, REPLACE_LANE[width]) || isSimd(a, WITH_FLOAT[32]) || isSimd(a, WITH_FLOAT[width])) {
        const float = isSimd(a, WITH_FLOAT[32]);
        if (!float || index * width >= 32) {
          a = a.a!;
          continue;
        }
      }
    }
    break;
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
  if (index === 0 && (width === 32 || width === 64)) {
    const float = asFloat(value, width);
    if (float) return withLowest(a, width, float);
    if (isSimd(a, WITH_FLOAT[width])) return withLane(a.a!, width, index, value);
  }
  if (isWithLane(a, width, index)) return withLane(a.a!, width, index, value);
  if (width === 64 && isSimd(value, SIMD.i64x2_extract_lane)) return joinHalves(a, index, value);
  return n.simd(REPLACE_LANE[width], [a, value], 'v', [index]);
}

/** a with half of another vector in place of one of its own. */
function joinHalves(a: Node, index: number, half: Node): Node {
  const bytes = Array.from({ length: BYTES }, (_, i) => i);
  for (let i = 0; i < 8; i++) bytes[8 * index + i] = BYTES + 8 * half.immediates[0]! + i;
  return shuffle(a, half.a!, bytes);
}
