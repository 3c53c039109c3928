import { STATE } from '../../memory/layout.js';
import { I32, I64 } from '../../wasm/code.js';
import type { Local, Operand, RoutineBuilder } from '../../wasm/routine.js';

/**
 * Register values in routines: significand (i64), and one i32 with exponent in bits 0–14, sign in bit 15. In a result
 * bits 16–30 are the flags of the status word that are to be set: PE, C1 and others; bit 31 is `CONDITIONS_KEPT`.
 */

/** In a result of FPREM: C0 and C3 are to stay as they are. */
export const CONDITIONS_KEPT = 1 << 31;
/** Where the status word's flags are in a result. */
export const FLAGS_SHIFT = 16;
const PRECISION_BIT = FLAGS_SHIFT + 5;
export const PRECISION_FLAG = 1 << PRECISION_BIT;
export const C1_BIT = FLAGS_SHIFT + 9;
export const INTEGER_BIT = -(1n << 63n);
/** Precision and rounding in the control word. */
const MODES = 0xf00;
const ORDINARY_MODES = 0x300;

export function exponentOf(r: RoutineBuilder, e: Operand): Local {
  return r.and(e, 0x7fff);
}
export function signOf(r: RoutineBuilder, e: Operand): Local {
  return r.and(e, 0x8000);
}
/** Of an exponent: neither denormal nor NaN nor infinity, nor beyond these. */
export function isExponentNormal(r: RoutineBuilder, x: Operand): Local {
  return r.ltU(r.sub(x, 1), 0x7ffe);
}
export function isNormal(r: RoutineBuilder, m: Operand, x: Operand): Local {
  return r.and(r.ltS(m, 0n), isExponentNormal(r, x));
}
export function isZero(r: RoutineBuilder, m: Operand, x: Operand): Local {
  return r.isZero(r.or(m, r.toWide(x)));
}

/** The RC field: 0 nearest, 1 down, 2 up, 3 toward zero. */
export function roundingControl(r: RoutineBuilder): Local {
  return r.and(r.shrU(r.load(I32, STATE.fpuControl), 10), 3);
}

/** Flags of a result that has `lost` something or not, and was incremented or not. */
export function precisionFlags(r: RoutineBuilder, lost: Operand, incremented: Operand): Local {
  return r.or(r.shl(r.ne(lost, 0n), PRECISION_BIT), r.shl(incremented, C1_BIT));
}

/** To nearest: whether `kept` goes up; bit 63 of `lost` is worth half of its lowest bit. */
function goesUpNearest(r: RoutineBuilder, kept: Operand, lost: Operand): Local {
  return r.and(r.ltS(lost, 0n), r.or(r.ne(r.shl(lost, 1n), 0n), r.and(r.toNarrow(kept), 1)));
}

/** The same in direction `rounding`. */
export function goesUp(r: RoutineBuilder, kept: Operand, lost: Operand, sign: Operand, rounding: Operand): Local {
  // Away from zero: up when positive, down when negative.
  const away = r.eq(rounding, r.select(sign, 1, 2));
  const directed = r.and(away, r.ne(lost, 0n));
  return r.select(r.isZero(rounding), goesUpNearest(r, kept, lost), directed);
}

/** Bits that precision control takes from the significand. */
function bitsCut(r: RoutineBuilder, control: Operand): Local {
  const precision = r.and(control, 0x300);
  return r.select(r.eq(precision, 0x200), 11n, r.select(r.isZero(precision), 40n, 0n));
}

/**
 * Rounds the normalized `high`, followed by `low`, as the control word says; `x` may be any exponent. The results are
 * right if the exponent, in the lower 16 bits, turns out to be normal, which `x` then says.
 */
export function round(
  r: RoutineBuilder,
  high: Operand,
  low: Operand,
  x: Operand,
  sign: Operand,
): { m: Local; x: Local; flags: Local } {
  const control = r.load(I32, STATE.fpuControl);
  const m = r.variable(I64);
  const flags = r.variable(I32);
  r.when(
    r.eq(r.and(control, MODES), ORDINARY_MODES),
    () => {
      const up = goesUpNearest(r, high, low);
      r.assign(m, r.add(high, r.toWide(up)));
      r.assign(flags, precisionFlags(r, low, up));
    },
    () => {
      const cut = bitsCut(r, control);
      const kept = r.shrU(high, cut);
      // A count of 0 would shift by 64.
      const below = r.or(r.shl(high, r.sub(64n, cut)), r.toWide(r.ne(low, 0n)));
      const lost = r.select(r.isZero(cut), low, below);
      const up = goesUp(r, kept, lost, sign, r.and(r.shrU(control, 10), 3));
      r.assign(m, r.shl(r.add(kept, r.toWide(up)), cut));
      r.assign(flags, precisionFlags(r, lost, up));
    },
  );
  const carried = r.isZero(m);
  return { m: r.select(carried, INTEGER_BIT, m), x: r.add(x, carried), flags };
}
