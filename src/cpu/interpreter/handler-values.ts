import type { Value } from '../../isa/builder.js';
import { type LaneWidth, type LowestOperation, VECTOR_OPERATIONS, type VectorOperation } from '../../isa/vector.js';
import { STATE } from '../../memory/layout.js';
import { type Code, I32, I64, OP, V128 } from '../../wasm/code.js';
import type { LocalRun } from '../../wasm/module.js';
import { EXTRACT_LANE, REPLACE_LANE, SIMD } from '../../wasm/simd.js';
import type { HandlerForm } from './forms.js';

/**
 * Locals: the record first, then what is carried (in the main loop), then a pool of i64, one of v128 where the row has
 * such values, then one of i32.
 */
export const RECORD_LOCAL = 0;
export const CARRIED_LOCAL = 1;
const FIRST_WIDE = 2;
const WIDE_LOCALS = 20;
const VECTOR_LOCALS = 48;
const FIRST_VECTOR = FIRST_WIDE + WIDE_LOCALS;
/** Of rows without vectors: hot ones have none. */
export const FIRST_NARROW = FIRST_VECTOR;

function usesVectors({ row }: HandlerForm): boolean {
  return row.compact === true;
}

export interface Local extends Value {
  readonly kind: 'local';
  readonly index: number;
}
interface Constant extends Value {
  readonly kind: 'constant';
  readonly number: number;
  readonly big: bigint;
  /** Upper half of a vector, whose lower half is `big`. */
  readonly upper?: bigint;
}
type AnyValue = Local | Constant;

/** What a handler computes with: constants, and locals of its function; and how each operation on them is emitted. */
export class HandlerValues {
  readonly form: HandlerForm;
  protected readonly code: Code;
  /** Locals of i32 used. */
  protected narrowUsed = 0;
  private wideUsed = 0;
  private vectorsUsed = 0;
  private readonly firstNarrow: number;

  constructor(form: HandlerForm, code: Code) {
    this.form = form;
    this.code = code;
    this.firstNarrow = usesVectors(form) ? FIRST_VECTOR + VECTOR_LOCALS : FIRST_NARROW;
  }

  /** The locals behind the record of a function with such handlers. */
  static localRuns(narrow: number, form?: HandlerForm): LocalRun[] {
    return [
      { type: I32, count: 1 },
      { type: I64, count: WIDE_LOCALS },
      ...(form && usesVectors(form) ? [{ type: V128, count: VECTOR_LOCALS }] : []),
      { type: I32, count: narrow },
    ];
  }

  protected newLocal(wide: boolean): Local {
    if (wide) {
      if (this.wideUsed === WIDE_LOCALS)
        throw new Error(`${this.form.row.name} needs more than ${WIDE_LOCALS} i64 locals`);
      return { kind: 'local', wide, index: FIRST_WIDE + this.wideUsed++ };
    }
    return { kind: 'local', wide, index: this.firstNarrow + this.narrowUsed++ };
  }
  protected newVector(): Local {
    if (this.vectorsUsed === VECTOR_LOCALS || !usesVectors(this.form))
      throw new Error(`${this.form.row.name} needs more v128 locals`);
    return { kind: 'local', wide: false, vector: true, index: FIRST_VECTOR + this.vectorsUsed++ };
  }

  protected push(value: Value): void {
    const v = value as AnyValue;
    if (v.kind === 'local') this.code.localGet(v.index);
    else if (v.vector) this.code.vectorConstant(v.big, v.upper!);
    else if (v.wide) {
      this.code.byte(OP.i64_const);
      this.code.s64(v.big);
    } else this.code.constant(v.number);
  }

  /** Names the value on top of the wasm stack. */
  protected pop(wide = false): Local {
    const local = this.newLocal(wide);
    this.code.localSet(local.index);
    return local;
  }
  protected popVector(): Local {
    const local = this.newVector();
    this.code.localSet(local.index);
    return local;
  }

  const(value: number): Value {
    return { kind: 'constant', wide: false, number: value | 0, big: 0n } as Constant;
  }
  const64(value: bigint): Value {
    return { kind: 'constant', wide: true, number: 0, big: value } as Constant;
  }

  protected binary(narrow: number, wide: number, a: Value, b: Value): Value {
    this.push(a);
    this.push(b);
    this.code.byte(a.wide ? wide : narrow);
    return this.pop(a.wide);
  }

  protected comparison(narrow: number, wide: number, a: Value, b: Value): Value {
    this.push(a);
    this.push(b);
    this.code.byte(a.wide ? wide : narrow);
    return this.pop();
  }

  protected unary(opcode: number, a: Value, wide = false): Value {
    this.push(a);
    this.code.byte(opcode);
    return this.pop(wide);
  }

  add(a: Value, b: Value): Value {
    return this.binary(OP.i32_add, OP.i64_add, a, b);
  }
  sub(a: Value, b: Value): Value {
    return this.binary(OP.i32_sub, OP.i64_sub, a, b);
  }
  mul(a: Value, b: Value): Value {
    return this.binary(OP.i32_mul, OP.i64_mul, a, b);
  }
  and(a: Value, b: Value): Value {
    return this.binary(OP.i32_and, OP.i64_and, a, b);
  }
  or(a: Value, b: Value): Value {
    return this.binary(OP.i32_or, OP.i64_or, a, b);
  }
  xor(a: Value, b: Value): Value {
    return this.binary(OP.i32_xor, OP.i64_xor, a, b);
  }
  not(a: Value): Value {
    return this.xor(a, a.wide ? this.const64(-1n) : this.const(-1));
  }
  shl(a: Value, count: Value): Value {
    return this.binary(OP.i32_shl, OP.i64_shl, a, count);
  }
  shrU(a: Value, count: Value): Value {
    return this.binary(OP.i32_shr_u, OP.i64_shr_u, a, count);
  }
  shrS(a: Value, count: Value): Value {
    return this.binary(OP.i32_shr_s, OP.i64_shr_s, a, count);
  }
  rotl(a: Value, count: Value): Value {
    return this.binary(OP.i32_rotl, OP.i32_rotl, a, count);
  }
  clz(a: Value): Value {
    return a.wide ? this.unary(OP.i64_clz, a, true) : this.unary(OP.i32_clz, a);
  }
  ctz(a: Value): Value {
    return this.unary(OP.i32_ctz, a);
  }
  popcnt(a: Value): Value {
    return this.unary(OP.i32_popcnt, a);
  }
  divU(a: Value, b: Value): Value {
    return this.binary(OP.i32_div_u, OP.i64_div_u, a, b);
  }
  divS(a: Value, b: Value): Value {
    return this.binary(OP.i32_div_s, OP.i64_div_s, a, b);
  }
  remU(a: Value, b: Value): Value {
    return this.binary(OP.i32_rem_u, OP.i64_rem_u, a, b);
  }
  remS(a: Value, b: Value): Value {
    return this.binary(OP.i32_rem_s, OP.i64_rem_s, a, b);
  }
  eq(a: Value, b: Value): Value {
    return this.comparison(OP.i32_eq, OP.i64_eq, a, b);
  }
  ne(a: Value, b: Value): Value {
    return this.comparison(OP.i32_ne, OP.i64_ne, a, b);
  }
  ltU(a: Value, b: Value): Value {
    return this.comparison(OP.i32_lt_u, OP.i64_lt_u, a, b);
  }
  ltS(a: Value, b: Value): Value {
    return this.comparison(OP.i32_lt_s, OP.i64_lt_s, a, b);
  }
  isZero(a: Value): Value {
    return this.unary(a.wide ? OP.i64_eqz : OP.i32_eqz, a);
  }
  select(condition: Value, whenTrue: Value, whenFalse: Value): Value {
    this.push(whenTrue);
    this.push(whenFalse);
    this.push(condition);
    this.code.byte(OP.select);
    return whenTrue.vector ? this.popVector() : this.pop(whenTrue.wide);
  }
  signExtend8(a: Value): Value {
    return this.unary(OP.i32_extend8_s, a);
  }
  signExtend16(a: Value): Value {
    return this.unary(OP.i32_extend16_s, a);
  }
  toWideU(a: Value): Value {
    return this.unary(OP.i64_extend_i32_u, a, true);
  }
  toWideS(a: Value): Value {
    return this.unary(OP.i64_extend_i32_s, a, true);
  }
  toNarrow(a: Value): Value {
    return this.unary(OP.i32_wrap_i64, a);
  }

  // --- vectors --------------------------------------------------------------------------------

  vector(operation: VectorOperation, ...args: Value[]): Value {
    for (const arg of args) this.push(arg);
    this.code.simd(SIMD[operation]);
    return VECTOR_OPERATIONS[operation].endsWith('>v') ? this.popVector() : this.pop();
  }
  vectorConst(low: bigint, high: bigint): Value {
    return { kind: 'constant', wide: false, vector: true, number: 0, big: low, upper: high } as Constant;
  }
  shuffle(a: Value, b: Value, bytes: readonly number[]): Value {
    this.push(a);
    this.push(b);
    this.code.simd(SIMD.i8x16_shuffle);
    for (const byte of bytes) this.code.byte(byte);
    return this.popVector();
  }
  lane(a: Value, width: LaneWidth, index: number): Value {
    this.push(a);
    this.code.simd(EXTRACT_LANE[width]);
    this.code.byte(index);
    return this.pop(width === 64);
  }
  withLane(a: Value, width: LaneWidth, index: number, value: Value): Value {
    this.push(a);
    this.push(value);
    this.code.simd(REPLACE_LANE[width]);
    this.code.byte(index);
    return this.popVector();
  }
  lowest(operation: LowestOperation, width: 32 | 64, x: Value, y: Value): Value {
    const packed = `f${width === 32 ? '32x4' : '64x2'}_${operation}` as const;
    const result = operation === 'sqrt' ? this.vector(packed, y) : this.vector(packed, x, y);
    return this.withLane(x, width, 0, this.lane(result, width, 0));
  }
  compareLowest(relation: 'lt' | 'eq', width: 32 | 64, x: Value, y: Value): Value {
    const mask = this.vector(`f${width === 32 ? '32x4' : '64x2'}_${relation}`, x, y);
    return this.and(this.lane(mask, 32, 0), this.const(1));
  }
  passVector(value: Value): void {
    this.code.constant(0);
    this.push(value);
    this.code.simdMemory(SIMD.v128_store, STATE.vectorScratch);
  }

  variable(initial: Value): Value {
    this.push(initial);
    return initial.vector ? this.popVector() : this.pop(initial.wide);
  }
  assign(variable: Value, value: Value): void {
    this.push(value);
    this.code.localSet((variable as Local).index);
  }
}
