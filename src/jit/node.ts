import type { Value } from '../isa/builder.js';
import { OP } from '../wasm/code.js';
import type { AccessSize } from './steps.js';

/**
 * Values of a translated block, as a graph. A node is immutable but for `local`, where the emitter notes that it has
 * been computed. All leaves (constants, variables at block entry, results of steps) keep their value throughout the
 * block, so that any node may be computed at any place behind its leaves, and more than once.
 */
export const KIND = {
  constant: 0,
  /** `variable` as it is when the block begins. */
  entry: 1,
  unary: 2,
  binary: 3,
  select: 4,
  /** Result of a step, in a local from then on. */
  result: 5,
  /** A SIMD operation on up to three nodes. */
  simd: 6,
  vectorConstant: 7,
} as const;

const NONE: readonly number[] = [];

export class Node implements Value {
  /** Parents; of a node with several the emitter keeps the value. */
  uses = 0;
  /** WebAssembly local that holds the value, or −1. */
  local = -1;
  /** The last walk over the graph that came by. */
  visit = 0;
  /** A v128. */
  vector = false;
  /** f64 if `wide`, else f32. */
  float = false;
  /** Of a vector: its lowest lane as a float, by width. */
  lowest: { 32?: Node; 64?: Node } | undefined;
  /** Bytes behind a SIMD opcode: lane number, shuffle. */
  immediates: readonly number[] = NONE;
  /** `vectorConstant`: the upper half; the lower one is `big`. */
  upper = 0n;

  constructor(
    readonly kind: number,
    readonly wide: boolean,
    /** WebAssembly opcode of `unary` and `binary`. */
    readonly opcode: number,
    /** `constant`: the value; `entry`: the variable. */
    readonly number: number,
    readonly big: bigint,
    readonly a: Node | undefined,
    readonly b: Node | undefined,
    readonly c: Node | undefined,
    /** The value, taken as unsigned, needs no more bits than this. */
    readonly bits: number,
  ) {
    if (a) a.uses++;
    if (b) b.uses++;
    if (c) c.uses++;
  }

  get isConstant(): boolean {
    return this.kind === KIND.constant;
  }
}

function bitsOf(value: number): number {
  return 32 - Math.clz32(value);
}

export function constant(value: number): Node {
  value |= 0;
  return new Node(KIND.constant, false, 0, value, 0n, undefined, undefined, undefined, bitsOf(value));
}

export function wideConstant(value: bigint): Node {
  return new Node(KIND.constant, true, 0, 0, value, undefined, undefined, undefined, 64);
}

export function entry(variable: number, vector = false): Node {
  const node = new Node(KIND.entry, false, 0, variable, 0n, undefined, undefined, undefined, 32);
  node.vector = vector;
  return node;
}

export function result(wide: boolean, bits: number): Node {
  return new Node(KIND.result, wide, 0, 0, 0n, undefined, undefined, undefined, bits);
}

export function vectorResult(): Node {
  const node = new Node(KIND.result, false, 0, 0, 0n, undefined, undefined, undefined, 32);
  node.vector = true;
  return node;
}

/** Of a load. */
export function resultOf(size: AccessSize): Node {
  return size === 128 ? vectorResult() : result(size === 64, size);
}

/** f32 or f64 from one or two values. */
export function float(opcode: number, width: 32 | 64, a: Node, b?: Node): Node {
  const kind = b ? KIND.binary : KIND.unary;
  const node = new Node(kind, width === 64, opcode, 0, 0n, a, b, undefined, 64);
  node.float = true;
  return node;
}

/** `result` is 'v', 'i' or 'l', as in `VECTOR_OPERATIONS`. `vector-nodes.ts` makes simpler ones where it can. */
export function simd(
  opcode: number,
  args: readonly Node[],
  result: string,
  immediates: readonly number[] = NONE,
): Node {
  const node = new Node(KIND.simd, result === 'l', opcode, 0, 0n, args[0], args[1], args[2], 32);
  node.vector = result === 'v';
  node.immediates = immediates;
  return node;
}

export function vectorConstant(low: bigint, high: bigint): Node {
  const node = new Node(KIND.vectorConstant, false, 0, 0, low, undefined, undefined, undefined, 32);
  node.vector = true;
  node.upper = high;
  return node;
}

export function select(condition: Node, whenTrue: Node, whenFalse: Node): Node {
  if (condition.isConstant) return condition.number !== 0 ? whenTrue : whenFalse;
  if (whenTrue === whenFalse) return whenTrue;
  const bits = Math.max(whenTrue.bits, whenFalse.bits);
  const node = new Node(KIND.select, whenTrue.wide, 0, 0, 0n, whenTrue, whenFalse, condition, bits);
  node.vector = whenTrue.vector;
  node.float = whenTrue.float;
  return node;
}

export function unary(opcode: number, a: Node, wide: boolean, bits = wide ? 64 : 32): Node {
  if (a.isConstant) {
    if (opcode === OP.i64_extend_i32_u) return wideConstant(BigInt(a.number >>> 0));
    if (opcode === OP.i32_wrap_i64) return constant(Number(BigInt.asIntN(32, a.big)));
  }
  if (a.isConstant && !a.wide && !wide) {
    const folded = foldUnary(opcode, a.number);
    if (folded !== undefined) return constant(folded);
  }
  return new Node(KIND.unary, wide, opcode, 0, 0n, a, undefined, undefined, bits);
}

function foldUnary(opcode: number, x: number): number | undefined {
  switch (opcode) {
    case OP.i32_extend8_s:
      return (x << 24) >> 24;
    case OP.i32_extend16_s:
      return (x << 16) >> 16;
    case OP.i32_clz:
      return Math.clz32(x);
    default:
      return undefined;
  }
}

/** `op` of 32 bits; constants are folded and moved to the right, sums with constants gathered. */
export function binary(opcode: number, a: Node, b: Node): Node {
  if (a.isConstant && b.isConstant) {
    const folded = fold(opcode, a.number, b.number);
    if (folded !== undefined) return constant(folded);
  }
  if (a.isConstant && COMMUTATIVE.has(opcode)) return binary(opcode, b, a);
  // What a comparison with 0 borrows.
  if (opcode === OP.i32_and && (isNot(a, b) || isNot(b, a))) return constant(0);
  if (b.isConstant) {
    const simpler = withConstant(opcode, a, b.number);
    if (simpler) return simpler;
  }
  return new Node(KIND.binary, false, opcode, 0, 0n, a, b, undefined, resultBits(opcode, a, b));
}

export function wideBinary(opcode: number, a: Node, b: Node): Node {
  return new Node(KIND.binary, true, opcode, 0, 0n, a, b, undefined, 64);
}

/** A comparison; operands i32 or i64, result 0 or 1. */
export function comparison(opcode: number, a: Node, b: Node): Node {
  if (a.isConstant && b.isConstant) {
    if (opcode === OP.i64_lt_u) return constant(Number(BigInt.asUintN(64, a.big) < BigInt.asUintN(64, b.big)));
    const folded = a.wide ? undefined : fold(opcode, a.number, b.number);
    if (folded !== undefined) return constant(folded);
  }
  return new Node(KIND.binary, false, opcode, 0, 0n, a, b, undefined, 1);
}

const COMMUTATIVE: ReadonlySet<number> = new Set([OP.i32_add, OP.i32_mul, OP.i32_and, OP.i32_or, OP.i32_xor]);

function fold(opcode: number, x: number, y: number): number | undefined {
  switch (opcode) {
    case OP.i32_add:
      return (x + y) | 0;
    case OP.i32_sub:
      return (x - y) | 0;
    case OP.i32_mul:
      return Math.imul(x, y);
    case OP.i32_and:
      return x & y;
    case OP.i32_or:
      return x | y;
    case OP.i32_xor:
      return x ^ y;
    case OP.i32_shl:
      return x << y;
    case OP.i32_shr_u:
      return (x >>> y) | 0;
    case OP.i32_shr_s:
      return x >> y;
    case OP.i32_eq:
      return Number(x === y);
    case OP.i32_ne:
      return Number(x !== y);
    case OP.i32_lt_u:
      return Number(x >>> 0 < y >>> 0);
    case OP.i32_lt_s:
      return Number(x < y);
    default:
      return undefined;
  }
}

/** `a op y` where that is less than an operation, or a sum of a smaller one. */
function withConstant(opcode: number, a: Node, y: number): Node | undefined {
  switch (opcode) {
    case OP.i32_sub:
      return binary(OP.i32_add, a, constant(-y));
    case OP.i32_add:
      if (y === 0) return a;
      if (isOf(a, OP.i32_add) && a.b!.isConstant) return binary(OP.i32_add, a.a!, constant(a.b!.number + y));
      return undefined;
    case OP.i32_and:
      if (y === 0) return constant(0);
      if (a.bits < 32 && (y & (2 ** a.bits - 1)) >>> 0 === 2 ** a.bits - 1) return a;
      if (y === -1) return a;
      if (isOf(a, OP.i32_and) && a.b!.isConstant) return binary(OP.i32_and, a.a!, constant(a.b!.number & y));
      // A part of a register that has been put into it.
      if (isOf(a, OP.i32_or)) {
        if ((bitsThatMayBeSet(a.a!) & y) === 0) return binary(OP.i32_and, a.b!, constant(y));
        if ((bitsThatMayBeSet(a.b!) & y) === 0) return binary(OP.i32_and, a.a!, constant(y));
      }
      return undefined;
    case OP.i32_shr_u:
      if (y === 0) return a;
      // Of a mask that keeps what is not shifted out anyway nothing is left.
      if (isOf(a, OP.i32_and) && a.b!.isConstant && a.b!.number >>> y === 0xffff_ffff >>> y)
        return binary(OP.i32_shr_u, a.a!, constant(y));
      return undefined;
    case OP.i32_or:
    case OP.i32_xor:
    case OP.i32_shl:
    case OP.i32_shr_s:
    case OP.i32_rotl:
      return y === 0 ? a : undefined;
    case OP.i32_mul:
      return y === 1 ? a : undefined;
    default:
      return undefined;
  }
}

function bitsThatMayBeSet(node: Node): number {
  const { b } = node;
  if (node.isConstant) return node.number;
  if (isOf(node, OP.i32_and) && b!.isConstant) return b!.number;
  if (isOf(node, OP.i32_shl) && b!.isConstant) return -1 << b!.number;
  return node.bits < 32 ? 2 ** node.bits - 1 : -1;
}

/** A sum with a constant. */
export function isOffset(node: Node): boolean {
  return isOf(node, OP.i32_add) && node.b!.isConstant;
}

export function isZeroConstant(node: Node): boolean {
  return node.isConstant && !node.wide && node.number === 0;
}

/** Whether all bits of `high` are the top bit of `low`. */
export function isSignOf(high: Node, low: Node): boolean {
  return isOf(high, OP.i32_shr_s) && high.a === low && high.b!.isConstant && high.b!.number === 31;
}

/** Whether `a` is the complement of `b`. */
function isNot(a: Node, b: Node): boolean {
  return isOf(a, OP.i32_xor) && a.a === b && a.b!.isConstant && a.b!.number === -1;
}

export function isOf(node: Node, opcode: number): boolean {
  return node.kind === KIND.binary && node.opcode === opcode;
}

function resultBits(opcode: number, a: Node, b: Node): number {
  switch (opcode) {
    case OP.i32_and:
      return Math.min(a.bits, b.bits);
    case OP.i32_or:
    case OP.i32_xor:
      return Math.max(a.bits, b.bits);
    case OP.i32_shr_u:
      return b.isConstant ? Math.max(0, a.bits - (b.number & 31)) : a.bits;
    case OP.i32_shl:
      return b.isConstant ? Math.min(32, a.bits + (b.number & 31)) : 32;
    case OP.i32_add:
      return Math.min(32, Math.max(a.bits, b.bits) + 1);
    case OP.i32_div_u:
    case OP.i32_rem_u:
      return a.bits;
    default:
      return 32;
  }
}

const NEGATED = new Map<number, number>([
  [OP.i32_eq, OP.i32_ne],
  [OP.i32_ne, OP.i32_eq],
  [OP.i32_lt_s, OP.i32_ge_s],
  [OP.i32_lt_u, OP.i32_ge_u],
  [OP.i32_gt_s, OP.i32_le_s],
  [OP.i32_gt_u, OP.i32_le_u],
  [OP.i32_le_s, OP.i32_gt_s],
  [OP.i32_le_u, OP.i32_gt_u],
  [OP.i32_ge_s, OP.i32_lt_s],
  [OP.i32_ge_u, OP.i32_lt_u],
  [OP.i64_eq, OP.i64_ne],
  [OP.i64_ne, OP.i64_eq],
]);

/** Whether `a` is zero; of a comparison, its opposite. */
export function isZero(a: Node): Node {
  if (a.isConstant && !a.wide) return constant(Number(a.number === 0));
  if (a.kind === KIND.binary && !a.wide) {
    const negated = NEGATED.get(a.opcode);
    if (negated !== undefined) return new Node(KIND.binary, false, negated, 0, 0n, a.a, a.b, undefined, 1);
  }
  if (a.kind === KIND.unary && a.opcode === OP.i32_eqz) return comparison(OP.i32_ne, a.a!, constant(0));
  return unary(a.wide ? OP.i64_eqz : OP.i32_eqz, a, false, 1);
}
