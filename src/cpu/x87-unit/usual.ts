import { STATE } from '../../memory/layout.js';
import { I32, I64 } from '../../wasm/code.js';
import type { Local, Operand, RoutineBuilder } from '../../wasm/routine.js';
import { multiplyWide } from './arithmetic.js';
import { INTEGER_BIT, exponentOf, isExponentNormal, signOf } from './rounding.js';
import type { Demand } from './rounding-test.js';

/*
 * The usual cases of some routines, for code inside regions: operands and result are normal numbers, rounding is to
 * nearest at full precision and no tie. If what is demanded does not hold the routine has to be called.
 */

/** Bits of the status word. */
const PRECISION_BIT = 5;
const C1_BIT = 9;

function flagsOf(r: RoutineBuilder, inexact: Operand, up: Operand): Local {
  return r.or(r.shl(inexact, PRECISION_BIT), r.shl(up, C1_BIT));
}

function demandNormal(r: RoutineBuilder, demand: Demand, ma: Operand, xa: Operand, mb: Operand, xb: Operand): void {
  demand(r.ltS(r.and(ma, mb), 0n));
  demand(isExponentNormal(r, xa));
  demand(isExponentNormal(r, xb));
}

function demandUsualMode(r: RoutineBuilder, demand: Demand): void {
  demand(r.eq(r.and(r.load(I32, STATE.fpuControl), 0xf00), 0x300));
}

/** Significand, exponent and flags of a normalized number. */
function round(
  r: RoutineBuilder,
  demand: Demand,
  high: Operand,
  low: Operand,
  x: Operand,
  sign: Operand,
): readonly Operand[] {
  demand(r.ne(low, INTEGER_BIT));
  demand(isExponentNormal(r, x));
  const up = r.shrU(low, 63n);
  const m = r.add(high, up);
  // Carried into the next power of two it is zero.
  demand(r.ltS(m, 0n));
  return [m, r.or(x, sign), flagsOf(r, r.ne(low, 0n), r.toNarrow(up))];
}

export function usualProduct(
  r: RoutineBuilder,
  demand: Demand,
  ma: Operand,
  ea: Operand,
  mb: Operand,
  eb: Operand,
): readonly Operand[] {
  const xa = exponentOf(r, ea);
  const xb = exponentOf(r, eb);
  demandNormal(r, demand, ma, xa, mb, xb);
  demandUsualMode(r, demand);
  const { high, low } = multiplyWide(r, ma, mb);
  const long = r.ltS(high, 0n);
  const upper = r.select(long, high, r.or(r.shl(high, 1n), r.shrU(low, 63n)));
  const lower = r.select(long, low, r.shl(low, 1n));
  const x = r.add(r.sub(r.add(xa, xb), 16383), long);
  return round(r, demand, upper, lower, x, signOf(r, r.xor(ea, eb)));
}

/** a + b; the sign of b has been changed for a − b. */
export function usualSum(
  r: RoutineBuilder,
  demand: Demand,
  ma: Operand,
  ea: Operand,
  mb: Operand,
  eb: Operand,
): readonly Operand[] {
  const xa = exponentOf(r, ea);
  const xb = exponentOf(r, eb);
  demandNormal(r, demand, ma, xa, mb, xb);
  demandUsualMode(r, demand);
  const distance = r.sub(xa, xb);
  const swap = r.ltS(distance, 0);
  const large = r.select(swap, mb, ma);
  const small = r.select(swap, ma, mb);
  const x = r.select(swap, xb, xa);
  const far = r.select(swap, r.sub(0, distance), distance);
  demand(r.ltU(far, 64));
  const count = r.toWide(far);
  const high = r.shrU(small, count);
  const low = r.shl(r.shl(small, 1n), r.xor(count, 63n));
  const upper = r.variable(I64);
  const lower = r.variable(I64);
  const exponent = r.variable(I32);
  const sign = r.variable(I32);
  r.assign(sign, signOf(r, r.select(swap, eb, ea)));
  r.when(
    signOf(r, r.xor(ea, eb)),
    () => {
      // Only with equal exponents, where nothing is lost, may it be the smaller one.
      const less = r.ltU(large, high);
      const rest = r.sub(r.sub(large, high), r.toWide(r.ne(low, 0n)));
      const magnitude = r.select(less, r.sub(0n, rest), rest);
      const negated = r.sub(0n, low);
      const zeros = r.clz(magnitude);
      r.assign(upper, r.or(r.shl(magnitude, zeros), r.shrU(r.shrU(negated, 1n), r.xor(zeros, 63n))));
      r.assign(lower, r.shl(negated, zeros));
      r.assign(exponent, r.sub(x, r.toNarrow(zeros)));
      r.assign(sign, r.xor(sign, r.shl(less, 15)));
    },
    () => {
      const total = r.add(large, high);
      const carried = r.ltU(total, large);
      const lost = r.or(r.or(r.shrU(low, 1n), r.and(low, 1n)), r.shl(total, 63n));
      r.assign(lower, r.select(carried, lost, low));
      r.assign(upper, r.select(carried, r.or(r.shrU(total, 1n), INTEGER_BIT), total));
      r.assign(exponent, r.add(x, carried));
    },
  );
  // What cancelled more than 63 bits has no integer bit now.
  return round(r, demand, upper, lower, exponent, sign);
}

/** FST m64: bits and flags. */
export function usualToDouble(r: RoutineBuilder, demand: Demand, m: Operand, e: Operand): readonly Operand[] {
  const exponent = r.sub(exponentOf(r, e), 16383 - 1023 + 1);
  demand(r.ltS(m, 0n));
  demand(r.ltU(exponent, 2045));
  demand(r.isZero(r.and(r.load(I32, STATE.fpuControl), 0xc00)));
  const lost = r.and(m, 0x7ffn);
  demand(r.ne(lost, 0x400n));
  const up = r.and(r.shrU(m, 10n), 1n);
  const kept = r.add(r.shrU(m, 11n), up);
  const bits = r.add(r.shl(r.toWide(exponent), 52n), kept);
  return [r.or(bits, r.shl(r.toWide(signOf(r, e)), 48n)), flagsOf(r, r.ne(lost, 0n), r.toNarrow(up))];
}

/** FCOM and relatives: condition codes. */
export function usualRelation(
  r: RoutineBuilder,
  demand: Demand,
  ma: Operand,
  ea: Operand,
  mb: Operand,
  eb: Operand,
): readonly Operand[] {
  const xa = exponentOf(r, ea);
  const xb = exponentOf(r, eb);
  demandNormal(r, demand, ma, xa, mb, xb);
  const nearer = r.or(r.ltU(xa, xb), r.and(r.eq(xa, xb), r.ltU(ma, mb)));
  const equal = r.and(r.eq(ea, eb), r.eq(ma, mb));
  const negative = r.shrU(ea, 15);
  const less = r.select(signOf(r, r.xor(ea, eb)), negative, r.xor(nearer, negative));
  return [r.select(equal, 0x4000, r.shl(less, 8))];
}
