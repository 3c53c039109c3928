import {
  absolute,
  add,
  arctangent,
  compare,
  cosine,
  defaultNaN,
  divide,
  examine,
  exponentialMinusOne,
  extract,
  type Float80,
  type FpuEnvironment,
  flagsFromRelation,
  logarithm,
  logarithmPlusOne,
  multiply,
  negate,
  partialRemainder,
  partialRemainderNearest,
  positiveZero,
  type Relation,
  roundToInteger,
  scale,
  setConditionsFromRelation,
  sine,
  sineAndCosine,
  squareRoot,
  subtract,
  tangent,
  tangentPush,
} from '../fpu/index.js';
import type { Helper } from './context.js';
import { readOperand } from './fpu-operands.js';
import { type FpuUnit, fpuHelper } from './fpu-state.js';
import { ARITHMETIC_FLAGS, FLAG } from './state.js';

/** x87 instructions that compute, compare and move in the register stack (SDM vol. 2; vol. 1, 8.3 and 8.5). */

type Binary = (env: FpuEnvironment, a: Float80, b: Float80) => Float80;
type Unary = (env: FpuEnvironment, a: Float80) => Float80;

/** By the reg field of D8, DA, DC, DE. Operands: destination, source. 2 and 3 are comparisons. */
const ARITHMETIC: readonly (Binary | undefined)[] = [
  add,
  multiply,
  undefined,
  undefined,
  subtract,
  (env, destination, source) => subtract(env, source, destination),
  divide,
  (env, destination, source) => divide(env, source, destination),
];

/** Stores a result unless an unmasked exception has suppressed it. */
function conclude(unit: FpuUnit, destination: number, result: Float80, pops = 0): void {
  if (unit.env.suppressed) return;
  unit.set(destination, result);
  unit.pop(pops);
}

/** An operand register is empty: the indefinite is the result, if that is masked. */
function underflow(unit: FpuUnit, destination: number, pops = 0): void {
  unit.stackFault(false);
  conclude(unit, destination, defaultNaN, pops);
}

/** FADD … FDIVR between registers. `form`: 0 to ST(0), 1 to ST(i), 2 to ST(i) and pop. */
function arithmetic(unit: FpuUnit, operation: number, index: number, form: number): void {
  const destination = form === 0 ? 0 : index;
  const source = form === 0 ? index : 0;
  const pops = form === 2 ? 1 : 0;
  if (unit.isEmpty(destination) || unit.isEmpty(source)) {
    underflow(unit, destination, pops);
    return;
  }
  const result = ARITHMETIC[operation]!(unit.env, unit.get(destination), unit.get(source));
  conclude(unit, destination, result, pops);
}

/** FADD … FDIVR, FIADD … FIDIVR with memory: ST(0) is the destination. */
function arithmeticMemory(unit: FpuUnit, operation: number, linear: number, format: number): void {
  const operand = readOperand(unit, linear, format);
  if (unit.isEmpty(0)) underflow(unit, 0);
  else conclude(unit, 0, ARITHMETIC[operation]!(unit.env, unit.get(0), operand()));
}

/** The relation of ST(0) to an operand; `unordered` with a stack fault if a register is empty. */
function relate(unit: FpuUnit, missing: boolean, operand: () => Float80, quiet: boolean): Relation {
  if (!missing) return compare(unit.env, unit.get(0), operand(), quiet);
  unit.stackFault(false);
  return 'unordered';
}

/** FCOM, FUCOM and their popping forms. */
function compareRegister(quiet: boolean) {
  return (unit: FpuUnit, index: number, pops: number): void => {
    const missing = unit.isEmpty(0) || unit.isEmpty(index);
    setConditionsFromRelation(
      unit.env,
      relate(unit, missing, () => unit.get(index), quiet),
    );
    if (!unit.env.suppressed) unit.pop(pops);
  };
}

/** FCOM, FICOM with memory. */
function compareMemory(unit: FpuUnit, linear: number, format: number, pops: number): void {
  const operand = readOperand(unit, linear, format);
  setConditionsFromRelation(unit.env, relate(unit, unit.isEmpty(0), operand, false));
  if (!unit.env.suppressed) unit.pop(pops);
}

/** FCOMI, FUCOMI: the relation goes to EFLAGS. */
function compareToFlags(quiet: boolean) {
  return (unit: FpuUnit, index: number, pops: number): void => {
    const { state } = unit.cpu;
    const missing = unit.isEmpty(0) || unit.isEmpty(index);
    const relation = relate(unit, missing, () => unit.get(index), quiet);
    state.eflags = (state.eflags & ~ARITHMETIC_FLAGS) | flagsFromRelation(relation);
    if (!unit.env.suppressed) unit.pop(pops);
  };
}

function compareWithZero(unit: FpuUnit): void {
  const relation = relate(unit, unit.isEmpty(0), () => positiveZero, false);
  setConditionsFromRelation(unit.env, relation);
}

/** Instructions on ST(0) alone. `partial`: one that reports in C2 whether it is done. */
function unary(compute: Unary, partial = false): Helper {
  return fpuHelper((unit) => {
    if (partial) unit.env.setC2(false);
    if (unit.isEmpty(0)) underflow(unit, 0);
    else conclude(unit, 0, compute(unit.env, unit.get(0)));
  });
}

/** ST(0) from ST(0) and ST(1). */
function binary(compute: Binary, partial = false): Helper {
  return fpuHelper((unit) => {
    if (partial) unit.env.setC2(false);
    if (unit.isEmpty(0) || unit.isEmpty(1)) underflow(unit, 0);
    else conclude(unit, 0, compute(unit.env, unit.get(0), unit.get(1)));
  });
}

/** ST(1) from ST(0) and ST(1), then pop: FYL2X, FYL2XP1, FPATAN. */
function poppingBinary(compute: Binary): Helper {
  return fpuHelper((unit) => {
    if (unit.isEmpty(0) || unit.isEmpty(1)) underflow(unit, 1, 1);
    else conclude(unit, 1, compute(unit.env, unit.get(0), unit.get(1)), 1);
  });
}

/**
 * Replaces ST(0) and pushes: FXTRACT, FSINCOS, FPTAN. `compute` gives both values, or undefined when only C2 is
 * to be set. A full or empty stack makes both of them indefinite.
 */
function pushing(
  compute: (unit: FpuUnit, value: Float80) => readonly [Float80, Float80] | undefined,
  partial = false,
): Helper {
  return fpuHelper((unit) => {
    if (partial) unit.env.setC2(false);
    const empty = unit.isEmpty(0);
    let results: readonly [Float80, Float80] | undefined = [defaultNaN, defaultNaN];
    if (empty || !unit.isEmpty(7)) unit.stackFault(!empty);
    else results = compute(unit, unit.get(0));
    if (unit.env.suppressed || results === undefined) return;
    unit.set(0, results[0]);
    unit.push(results[1]);
  });
}

const CONDITION_C2 = 0x400;

function exchange(unit: FpuUnit, index: number): void {
  const empties = unit.isEmpty(0) || unit.isEmpty(index);
  if (empties && !unit.stackFault(false)) return;
  const a = unit.isEmpty(0) ? defaultNaN : unit.get(0);
  const b = unit.isEmpty(index) ? defaultNaN : unit.get(index);
  unit.set(0, b);
  unit.set(index, a);
}

/** Conditions of FCMOVcc: B, E, BE, U. */
const MOVE_CONDITIONS: readonly number[] = [FLAG.CF, FLAG.ZF, FLAG.CF | FLAG.ZF, FLAG.PF];

/** (ST(i), condition 0…3, 1 for the negated forms) */
function conditionalMove(unit: FpuUnit, index: number, condition: number, negated: number): void {
  if (unit.isEmpty(0) || unit.isEmpty(index)) {
    underflow(unit, 0);
    return;
  }
  const set = (unit.cpu.state.eflags & MOVE_CONDITIONS[condition]!) !== 0;
  if (set !== (negated !== 0)) unit.set(0, unit.get(index));
}

function rotate(by: number): Helper {
  return fpuHelper((unit) => {
    unit.top = (unit.top + by) & 7;
  });
}

export const x87Helpers = {
  /** (operation 0…7, ST(i), form: 0 to ST(0), 1 to ST(i), 2 and pop) */
  fpuArithmetic: fpuHelper(arithmetic),
  /** (operation, linear address, format) */
  fpuArithmeticMemory: fpuHelper(arithmeticMemory),
  /** (ST(i), registers to pop) */
  fcom: fpuHelper(compareRegister(false)),
  fucom: fpuHelper(compareRegister(true)),
  fcomi: fpuHelper(compareToFlags(false)),
  fucomi: fpuHelper(compareToFlags(true)),
  /** (linear address, format, registers to pop) */
  fcomMemory: fpuHelper(compareMemory),
  ftst: fpuHelper(compareWithZero),
  fxam: fpuHelper((unit) => examine(unit.env, unit.get(0), unit.isEmpty(0))),
  fchs: unary((_, value) => negate(value)),
  fabs: unary((_, value) => absolute(value)),
  fsqrt: unary(squareRoot),
  frndint: unary(roundToInteger),
  f2xm1: unary(exponentialMinusOne),
  fsin: unary(sine, true),
  fcos: unary(cosine, true),
  fprem: binary(partialRemainder, true),
  fprem1: binary(partialRemainderNearest, true),
  fscale: binary(scale),
  fyl2x: poppingBinary(logarithm),
  fyl2xp1: poppingBinary(logarithmPlusOne),
  fpatan: poppingBinary(arctangent),
  fxtract: pushing((unit, value) => {
    const { exponent, significand } = extract(unit.env, value);
    return [exponent, significand];
  }),
  fptan: pushing((unit, value) => {
    const result = tangent(unit.env, value);
    return unit.env.status & CONDITION_C2 ? undefined : [result, tangentPush(result)];
  }, true),
  fsincos: pushing((unit, value) => {
    const results = sineAndCosine(unit.env, value);
    return unit.env.status & CONDITION_C2 ? undefined : [results.sine, results.cosine];
  }, true),
  /** (ST(i)) */
  fxch: fpuHelper(exchange),
  fcmov: fpuHelper(conditionalMove, true),
  fincstp: rotate(1),
  fdecstp: rotate(-1),
  /** (ST(i), registers to pop) */
  ffree: fpuHelper((unit, index, pops) => {
    unit.free(index);
    unit.pop(pops);
  }),
  /** FNOP only becomes the last instruction. */
  fnop: fpuHelper(() => {}, true),
} as const satisfies Record<string, Helper>;
