import { type Code, F64, I32, I64, OP, VOID_BLOCK } from './code.js';
import type { LocalRun } from './module.js';

/** A value of a routine: in a local, or a constant (number: i32, bigint: i64). */
export type Operand = Local | number | bigint;

export interface Local {
  readonly type: number;
  readonly index: number;
}

/**
 * Writes a WebAssembly function as one writes arithmetic: every method emits an operation and names its result.
 * Shift counts are taken modulo the width; comparisons give an i32 0 or 1.
 */
export class RoutineBuilder {
  readonly parameters: readonly Local[];
  private readonly types: number[] = [];
  /** Labels open. */
  private depth = 0;
  /** Where the last instruction is, if it puts a result into a local, and into which. */
  private lastSet = { from: -1, to: -1, local: -1 };

  /** `allocate`: for code inside another function, gives a local of a type. */
  constructor(
    private readonly code: Code,
    parameters: readonly number[],
    private readonly allocate?: (type: number) => number,
  ) {
    this.parameters = parameters.map((type, index) => ({ type, index }));
  }

  /** Locals behind the parameters. */
  localRuns(): LocalRun[] {
    return this.types.map((type) => ({ type, count: 1 }));
  }

  variable(type: number): Local {
    if (this.allocate) return { type, index: this.allocate(type) };
    return { type, index: this.parameters.length + this.types.push(type) - 1 };
  }
  /** A variable of the same type. */
  variableLike(value: Operand): Local {
    return this.variable(typeOf(value));
  }
  assign(variable: Local, value: Operand): void {
    this.push(value);
    this.code.localSet(variable.index);
  }

  push(value: Operand): void {
    if (typeof value === 'number') this.code.constant(value);
    else if (typeof value === 'bigint') {
      this.code.byte(OP.i64_const);
      this.code.s64(value);
    } else if (this.code.length === this.lastSet.to && value.index === this.lastSet.local) {
      // It is on the wasm stack still.
      this.code.truncate(this.lastSet.from);
      this.code.localTee(value.index);
    } else this.code.localGet(value.index);
  }
  private pop(type: number): Local {
    const local = this.variable(type);
    const from = this.code.length;
    this.code.localSet(local.index);
    this.lastSet = { from, to: this.code.length, local: local.index };
    return local;
  }
  private operation(opcode: number, type: number, ...operands: Operand[]): Local {
    for (const operand of operands) this.push(operand);
    this.code.byte(opcode);
    return this.pop(type);
  }
  private arithmetic(narrow: number, wide: number, a: Operand, b: Operand): Local {
    const type = typeOf(a);
    return this.operation(type === I64 ? wide : narrow, type, a, b);
  }
  private comparison(narrow: number, wide: number, a: Operand, b: Operand): Local {
    return this.operation(typeOf(a) === I64 ? wide : narrow, I32, a, b);
  }

  add(a: Operand, b: Operand): Local {
    return this.arithmetic(OP.i32_add, OP.i64_add, a, b);
  }
  sub(a: Operand, b: Operand): Local {
    return this.arithmetic(OP.i32_sub, OP.i64_sub, a, b);
  }
  mul(a: Operand, b: Operand): Local {
    return this.arithmetic(OP.i32_mul, OP.i64_mul, a, b);
  }
  /** The divisor is not zero. */
  divU(a: Operand, b: Operand): Local {
    return this.arithmetic(OP.i32_div_u, OP.i64_div_u, a, b);
  }
  and(a: Operand, b: Operand): Local {
    return this.arithmetic(OP.i32_and, OP.i64_and, a, b);
  }
  or(a: Operand, b: Operand): Local {
    return this.arithmetic(OP.i32_or, OP.i64_or, a, b);
  }
  xor(a: Operand, b: Operand): Local {
    return this.arithmetic(OP.i32_xor, OP.i64_xor, a, b);
  }
  shl(a: Operand, count: Operand): Local {
    return this.arithmetic(OP.i32_shl, OP.i64_shl, a, count);
  }
  shrU(a: Operand, count: Operand): Local {
    return this.arithmetic(OP.i32_shr_u, OP.i64_shr_u, a, count);
  }
  eq(a: Operand, b: Operand): Local {
    return this.comparison(OP.i32_eq, OP.i64_eq, a, b);
  }
  ne(a: Operand, b: Operand): Local {
    return this.comparison(OP.i32_ne, OP.i64_ne, a, b);
  }
  ltU(a: Operand, b: Operand): Local {
    return this.comparison(OP.i32_lt_u, OP.i64_lt_u, a, b);
  }
  ltS(a: Operand, b: Operand): Local {
    return this.comparison(OP.i32_lt_s, OP.i64_lt_s, a, b);
  }
  isZero(a: Operand): Local {
    return this.operation(typeOf(a) === I64 ? OP.i64_eqz : OP.i32_eqz, I32, a);
  }
  clz(a: Operand): Local {
    const wide = typeOf(a) === I64;
    return this.operation(wide ? OP.i64_clz : OP.i32_clz, wide ? I64 : I32, a);
  }
  select(condition: Operand, whenTrue: Operand, whenFalse: Operand): Local {
    return this.operation(OP.select, typeOf(whenTrue), whenTrue, whenFalse, condition);
  }
  toWide(a: Operand): Local {
    return this.operation(OP.i64_extend_i32_u, I64, a);
  }
  toNarrow(a: Operand): Local {
    return this.operation(OP.i32_wrap_i64, I32, a);
  }

  // Floating point.
  real(value: number): Local {
    this.code.f64Constant(value);
    return this.pop(F64);
  }
  addReal(a: Operand, b: Operand): Local {
    return this.operation(OP.f64_add, F64, a, b);
  }
  subReal(a: Operand, b: Operand): Local {
    return this.operation(OP.f64_sub, F64, a, b);
  }
  mulReal(a: Operand, b: Operand): Local {
    return this.operation(OP.f64_mul, F64, a, b);
  }
  divReal(a: Operand, b: Operand): Local {
    return this.operation(OP.f64_div, F64, a, b);
  }
  sqrtReal(a: Operand): Local {
    return this.operation(OP.f64_sqrt, F64, a);
  }
  negateReal(a: Operand): Local {
    return this.operation(OP.f64_neg, F64, a);
  }
  floorReal(a: Operand): Local {
    return this.operation(OP.f64_floor, F64, a);
  }
  nearestReal(a: Operand): Local {
    return this.operation(OP.f64_nearest, F64, a);
  }
  ltReal(a: Operand, b: Operand): Local {
    return this.operation(OP.f64_lt, I32, a, b);
  }
  bitsOfReal(a: Operand): Local {
    return this.operation(OP.i64_reinterpret_f64, I64, a);
  }
  realFromBits(a: Operand): Local {
    return this.operation(OP.f64_reinterpret_i64, F64, a);
  }
  realFromU(a: Operand): Local {
    return this.operation(OP.f64_convert_i64_u, F64, a);
  }
  realFromS(a: Operand): Local {
    return this.operation(OP.f64_convert_i64_s, F64, a);
  }
  /** Toward zero; the value fits. */
  integerFromU(a: Operand): Local {
    return this.operation(OP.i64_trunc_f64_u, I64, a);
  }
  integerFromS(a: Operand): Local {
    return this.operation(OP.i64_trunc_f64_s, I64, a);
  }

  /** A float64 in memory. */
  loadReal(address: Operand, offset: number): Local {
    this.push(address);
    this.code.memory(OP.f64_load, offset);
    return this.pop(F64);
  }

  // Memory at constant addresses.
  load(type: number, address: number): Local {
    this.code.constant(0);
    this.code.memory(type === I64 ? OP.i64_load : OP.i32_load, address);
    return this.pop(type);
  }
  store(address: number, value: Operand): void {
    this.code.constant(0);
    this.push(value);
    this.code.memory(typeOf(value) === I64 ? OP.i64_store : OP.i32_store, address);
  }

  // Memory at computed addresses.
  loadAt(address: Operand, offset: number, type: number = I32): Local {
    this.push(address);
    this.code.memory(type === I64 ? OP.i64_load : OP.i32_load, offset);
    return this.pop(type);
  }
  storeAt(address: Operand, value: Operand, offset: number): void {
    this.push(address);
    this.push(value);
    this.code.memory(typeOf(value) === I64 ? OP.i64_store : OP.i32_store, offset);
  }
  /** 16 bits, unsigned, as i32. */
  loadHalfAt(address: Operand, offset: number): Local {
    this.push(address);
    this.code.memory(OP.i32_load16_u, offset);
    return this.pop(I32);
  }
  /** Unsigned, as i32. */
  loadByteAt(address: Operand, offset: number): Local {
    this.push(address);
    this.code.memory(OP.i32_load8_u, offset);
    return this.pop(I32);
  }
  storeByteAt(address: Operand, value: Operand, offset: number): void {
    this.push(address);
    this.push(value);
    this.code.memory(OP.i32_store8, offset);
  }

  /** Returns `result` from the function if the condition holds. */
  returnIf(condition: Operand, result: Operand): void {
    this.when(condition, () => this.return(result));
  }
  return(result: Operand): void {
    this.push(result);
    this.code.byte(OP.return);
  }
  when(condition: Operand, then: () => void, otherwise?: () => void): void {
    this.push(condition);
    this.open(OP.if);
    then();
    if (otherwise) {
      this.code.byte(OP.else);
      otherwise();
    }
    this.close();
  }
  /** Does `usual` as far as what it demands holds, else `otherwise`. */
  attempt(usual: (demand: (condition: Operand) => void) => void, otherwise: () => void): void {
    this.open(OP.block);
    this.open(OP.block);
    const level = this.depth;
    usual((condition) => {
      this.push(condition);
      this.code.byte(OP.i32_eqz);
      this.code.branch(OP.br_if, this.depth - level);
    });
    this.code.branch(OP.br, 1);
    this.close();
    otherwise();
    this.close();
  }
  private open(opcode: number): void {
    this.code.byte(opcode);
    this.code.byte(VOID_BLOCK);
    this.depth++;
  }
  private close(): void {
    this.code.byte(OP.end);
    this.depth--;
  }
  /** Repeats `body` while the condition that it returns holds. */
  loop(body: () => Operand): void {
    this.open(OP.loop);
    this.push(body());
    this.code.branch(OP.br_if, 0);
    this.close();
  }
  /** Calls a function with one result. */
  call(functionIndex: number, type: number, ...operands: Operand[]): Local {
    for (const operand of operands) this.push(operand);
    this.code.call(functionIndex);
    return this.pop(type);
  }
}

function typeOf(operand: Operand): number {
  return typeof operand === 'number' ? I32 : typeof operand === 'bigint' ? I64 : operand.type;
}
