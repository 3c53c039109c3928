import type { Value } from '../isa/builder.js';
import { type LaneWidth, type LowestOperation, VECTOR_OPERATIONS, type VectorOperation } from '../isa/vector.js';
import { OP } from '../wasm/code.js';
import { SIMD } from '../wasm/simd.js';
import * as n from './node.js';
import type { Node } from './node.js';
import * as vectors from './vector-nodes.js';

/** The part of the translator's `Builder` that only makes nodes, and touches neither the block nor the guest's state. */
export abstract class NodeValues {
  const(value: number): Value {
    return n.constant(value);
  }
  const64(value: bigint): Value {
    return n.wideConstant(value);
  }
  protected operate(narrow: number, wide: number, a: Value, b: Value): Value {
    return a.wide ? n.wideBinary(wide, a as Node, b as Node) : n.binary(narrow, a as Node, b as Node);
  }
  add(a: Value, b: Value): Value {
    return this.operate(OP.i32_add, OP.i64_add, a, b);
  }
  sub(a: Value, b: Value): Value {
    return this.operate(OP.i32_sub, OP.i64_sub, a, b);
  }
  mul(a: Value, b: Value): Value {
    return this.operate(OP.i32_mul, OP.i64_mul, a, b);
  }
  and(a: Value, b: Value): Value {
    return this.operate(OP.i32_and, OP.i64_and, a, b);
  }
  or(a: Value, b: Value): Value {
    return this.operate(OP.i32_or, OP.i64_or, a, b);
  }
  xor(a: Value, b: Value): Value {
    if (a === b && !a.wide) return n.constant(0);
    return this.operate(OP.i32_xor, OP.i64_xor, a, b);
  }
  not(a: Value): Value {
    return this.xor(a, a.wide ? n.wideConstant(-1n) : n.constant(-1));
  }
  shl(a: Value, count: Value): Value {
    return this.operate(OP.i32_shl, OP.i64_shl, a, count);
  }
  shrU(a: Value, count: Value): Value {
    return this.operate(OP.i32_shr_u, OP.i64_shr_u, a, count);
  }
  shrS(a: Value, count: Value): Value {
    return this.operate(OP.i32_shr_s, OP.i64_shr_s, a, count);
  }
  rotl(a: Value, count: Value): Value {
    return n.binary(OP.i32_rotl, a as Node, count as Node);
  }
  clz(a: Value): Value {
    if (a.wide) return n.unary(OP.i64_clz, a as Node, true);
    return n.unary(OP.i32_clz, a as Node, false, 6);
  }
  ctz(a: Value): Value {
    return n.unary(OP.i32_ctz, a as Node, false, 6);
  }
  popcnt(a: Value): Value {
    return n.unary(OP.i32_popcnt, a as Node, false, 6);
  }
  private compare(narrow: number, wide: number, a: Value, b: Value): Value {
    return n.comparison(a.wide ? wide : narrow, a as Node, b as Node);
  }
  eq(a: Value, b: Value): Value {
    return this.compare(OP.i32_eq, OP.i64_eq, a, b);
  }
  ne(a: Value, b: Value): Value {
    return this.compare(OP.i32_ne, OP.i64_ne, a, b);
  }
  ltU(a: Value, b: Value): Value {
    return this.compare(OP.i32_lt_u, OP.i64_lt_u, a, b);
  }
  ltS(a: Value, b: Value): Value {
    return this.compare(OP.i32_lt_s, OP.i64_lt_s, a, b);
  }
  isZero(a: Value): Value {
    return n.isZero(a as Node);
  }
  select(condition: Value, whenTrue: Value, whenFalse: Value): Value {
    return n.select(condition as Node, whenTrue as Node, whenFalse as Node);
  }
  signExtend8(a: Value): Value {
    return n.unary(OP.i32_extend8_s, a as Node, false);
  }
  signExtend16(a: Value): Value {
    return n.unary(OP.i32_extend16_s, a as Node, false);
  }
  toWideU(a: Value): Value {
    return n.unary(OP.i64_extend_i32_u, a as Node, true);
  }
  toWideS(a: Value): Value {
    return n.unary(OP.i64_extend_i32_s, a as Node, true);
  }
  toNarrow(a: Value): Value {
    return n.unary(OP.i32_wrap_i64, a as Node, false);
  }
  // --- vectors --------------------------------------------------------------------------------

  vector(operation: VectorOperation, ...args: Value[]): Value {
    const signature = VECTOR_OPERATIONS[operation];
    return vectors.operate(SIMD[operation], args as Node[], signature[signature.length - 1]!);
  }
  vectorConst(low: bigint, high: bigint): Value {
    return n.vectorConstant(low, high);
  }
  shuffle(a: Value, b: Value, bytes: readonly number[]): Value {
    return vectors.shuffle(a as Node, b as Node, bytes);
  }
  lane(a: Value, width: LaneWidth, index: number): Value {
    return vectors.lane(a as Node, width, index);
  }
  withLane(a: Value, width: LaneWidth, index: number, value: Value): Value {
    return vectors.withLane(a as Node, width, index, value as Node);
  }
  lowest(operation: LowestOperation, width: 32 | 64, x: Value, y: Value): Value {
    const second = vectors.lowest(y as Node, width);
    const opcode = OP[`f${width}_${operation}`];
    const result =
      operation === 'sqrt'
        ? n.float(opcode, width, second)
        : n.float(opcode, width, vectors.lowest(x as Node, width), second);
    return vectors.withLowest(x as Node, width, result);
  }
  compareLowest(relation: 'lt' | 'eq', width: 32 | 64, x: Value, y: Value): Value {
    return n.comparison(
      OP[`f${width}_${relation}`],
      vectors.lowest(x as Node, width),
      vectors.lowest(y as Node, width),
    );
  }
}
