import { I32, I64 } from '../../wasm/code.js';
import { BIAS } from '../../isa/x87-stack.js';
import type { Local, Operand, RoutineBuilder } from '../../wasm/routine.js';
import type { Exactly } from './arithmetic.js';
import {
  C1_BIT,
  exponentOf,
  goesUp,
  isExponentNormal,
  isNormal,
  isZero,
  precisionFlags,
  roundingControl,
  signOf,
} from './rounding.js';

/** Conversions, comparisons and the like: normal numbers and zeros, in every mode, with all exceptions masked. */

/** A format of memory: the bits of its fraction, its bias, its largest normal exponent. */
export interface NarrowFormat {
  readonly fraction: number;
  readonly bias: number;
  readonly largest: number;
}
export const SINGLE: NarrowFormat = { fraction: 23, bias: 127, largest: 254 };
export const DOUBLE: NarrowFormat = { fraction: 52, bias: 1023, largest: 2046 };

/** Exponent of numbers whose lowest bit is worth 1. */
const INTEGER_EXPONENT = BIAS + 63;

/** FST: bits in `bits`, flags in place in `flags`. */
export function narrow(
  r: RoutineBuilder,
  format: NarrowFormat,
  m: Operand,
  e: Operand,
  bits: Local,
  flags: Local,
  exactly: Exactly,
): void {
  const { fraction, bias, largest } = format;
  const x = exponentOf(r, e);
  const sign = signOf(r, e);
  // The sign's place, from bit 15.
  const signBit = r.shl(r.toWide(sign), BigInt(fraction === 52 ? 48 : 16));
  const exponent = r.sub(x, BIAS - bias);
  r.when(
    // What rounds up to the next power of two has room.
    r.and(r.ltS(m, 0n), r.ltU(r.sub(exponent, 1), largest - 1)),
    () => {
      const kept = r.shrU(m, BigInt(63 - fraction));
      const lost = r.shl(m, BigInt(fraction + 1));
      const up = goesUp(r, kept, lost, sign, roundingControl(r));
      // The integer bit adds the one that is missing in the exponent.
      const below = r.add(r.shl(r.toWide(r.sub(exponent, 1)), BigInt(fraction)), r.add(kept, r.toWide(up)));
      r.assign(bits, r.or(below, signBit));
      r.assign(flags, precisionFlags(r, lost, up));
    },
    () =>
      r.when(
        isZero(r, m, x),
        () => {
          r.assign(bits, signBit);
          r.assign(flags, 0);
        },
        exactly,
      ),
  );
}

/** Rounds a normal number below 2^63, or zero, to an integer. */
function integerParts(
  r: RoutineBuilder,
  m: Operand,
  x: Operand,
  sign: Operand,
  rounding: Operand,
): { magnitude: Local; flags: Local } {
  const shift = r.sub(INTEGER_EXPONENT, x);
  const count = r.toWide(shift);
  const inside = r.ltU(shift, 64);
  const kept = r.select(inside, r.shrU(m, count), 0n);
  const little = r.select(r.eq(shift, 64), m, r.toWide(r.ne(m, 0n)));
  const lost = r.select(inside, r.shl(m, r.sub(64n, count)), little);
  const up = goesUp(r, kept, lost, sign, rounding);
  return { magnitude: r.add(kept, r.toWide(up)), flags: precisionFlags(r, lost, up) };
}

/** A normal number of magnitude below 2^63, or zero. */
function isSmallNumber(r: RoutineBuilder, m: Operand, x: Operand): Local {
  const normal = r.and(r.ltS(m, 0n), r.ltU(r.sub(x, 1), INTEGER_EXPONENT - 1));
  return r.or(normal, isZero(r, m, x));
}

/** FIST, FISTTP. */
export function toInteger(
  r: RoutineBuilder,
  width: number,
  m: Operand,
  e: Operand,
  rounding: Operand,
  bits: Local,
  flags: Local,
  exactly: Exactly,
): void {
  const x = exponentOf(r, e);
  const sign = r.shrU(signOf(r, e), 15);
  r.when(
    isSmallNumber(r, m, x),
    () => {
      const { magnitude, flags: raised } = integerParts(r, m, x, sign, rounding);
      r.when(
        r.ltU(magnitude, r.add(1n << BigInt(width - 1), r.toWide(sign))),
        () => {
          r.assign(bits, r.select(sign, r.sub(0n, magnitude), magnitude));
          r.assign(flags, raised);
        },
        exactly,
      );
    },
    exactly,
  );
}

/** FRNDINT. */
export function roundToInteger(
  r: RoutineBuilder,
  m: Operand,
  e: Operand,
  result: { m: Local; e: Local },
  exactly: Exactly,
): void {
  const x = exponentOf(r, e);
  const sign = signOf(r, e);
  r.when(
    r.and(isSmallNumber(r, m, x), r.ne(m, 0n)),
    () => {
      const { magnitude, flags } = integerParts(r, m, x, sign, roundingControl(r));
      const zeros = r.clz(magnitude);
      const exponent = r.sub(INTEGER_EXPONENT, r.toNarrow(zeros));
      r.assign(result.m, r.shl(magnitude, zeros));
      r.assign(result.e, r.or(r.or(r.select(r.isZero(magnitude), 0, exponent), sign), flags));
    },
    () =>
      r.when(
        r.or(isNormal(r, m, x), isZero(r, m, x)),
        () => {
          r.assign(result.m, m);
          r.assign(result.e, e);
        },
        exactly,
      ),
  );
}

/** FSCALE by less than 2^15, where the result is normal. */
export function scale(
  r: RoutineBuilder,
  ma: Operand,
  ea: Operand,
  mb: Operand,
  eb: Operand,
  result: { m: Local; e: Local },
  exactly: Exactly,
): void {
  const xb = exponentOf(r, eb);
  const small = r.or(r.and(r.ltS(mb, 0n), r.ltU(r.sub(xb, 1), BIAS + 14)), isZero(r, mb, xb));
  r.when(
    r.and(small, isNormal(r, ma, exponentOf(r, ea))),
    () => {
      const below = r.sub(INTEGER_EXPONENT, xb);
      const magnitude = r.toNarrow(r.select(r.ltU(below, 64), r.shrU(mb, r.toWide(below)), 0n));
      const x = r.add(exponentOf(r, ea), r.select(signOf(r, eb), r.sub(0, magnitude), magnitude));
      r.when(
        isExponentNormal(r, x),
        () => {
          r.assign(result.m, ma);
          r.assign(result.e, r.or(x, signOf(r, ea)));
        },
        exactly,
      );
    },
    exactly,
  );
}

/** Condition codes of comparisons, at their place in results. */
const LESS = 0x100 << 16;
const EQUAL = 0x4000 << 16;

/** Whether a < b, where they are neither equal nor both zero. */
export function isLess(r: RoutineBuilder, ma: Operand, ea: Operand, mb: Operand, eb: Operand): Local {
  const xa = exponentOf(r, ea);
  const xb = exponentOf(r, eb);
  const nearer = r.or(r.ltU(xa, xb), r.and(r.eq(xa, xb), r.ltU(ma, mb)));
  const negative = r.shrU(ea, 15);
  return r.select(signOf(r, r.xor(ea, eb)), negative, r.xor(nearer, negative));
}

/** FCOM and relatives: condition codes and flags, as in results. */
export function relation(
  r: RoutineBuilder,
  ma: Operand,
  ea: Operand,
  mb: Operand,
  eb: Operand,
  flags: Local,
  exactly: Exactly,
): void {
  const xa = exponentOf(r, ea);
  const xb = exponentOf(r, eb);
  const ordinary = (m: Operand, x: Operand): Local => r.or(isNormal(r, m, x), isZero(r, m, x));
  r.when(
    r.and(ordinary(ma, xa), ordinary(mb, xb)),
    () => {
      const less = r.select(isLess(r, ma, ea, mb, eb), LESS, 0);
      const same = r.and(r.eq(xa, xb), r.eq(ma, mb));
      // Zeros are equal, whatever their signs.
      const equal = r.and(same, r.or(r.isZero(signOf(r, r.xor(ea, eb))), r.isZero(ma)));
      r.assign(flags, r.select(equal, EQUAL, less));
    },
    exactly,
  );
}

const REMAINDER_BITS: readonly (readonly [number, number])[] = [
  // Quotient bits 2, 1, 0 are C0, C3, C1.
  [2, 8],
  [1, 14],
  [0, 9],
];

/**
 * FPREM, or FPREM1 (`nearest`), where it is complete at once: the dividend's exponent is not 63 or more above the
 * divisor's.
 */
export function remainder(nearest: boolean) {
  return (
    r: RoutineBuilder,
    ma: Operand,
    ea: Operand,
    mb: Operand,
    eb: Operand,
    result: { m: Local; e: Local },
    exactly: Exactly,
  ): void => {
    const xa = exponentOf(r, ea);
    const xb = exponentOf(r, eb);
    const normal = r.and(r.ltS(r.and(ma, mb), 0n), r.and(isExponentNormal(r, xa), isExponentNormal(r, xb)));
    r.when(
      r.and(normal, r.ltU(r.sub(xa, xb), 63)),
      () => {
        const rest = r.variable(I64);
        const quotient = r.variable(I64);
        const steps = r.variable(I32);
        const carried = r.variable(I32);
        r.assign(rest, ma);
        r.assign(quotient, 0n);
        r.assign(carried, 0);
        r.assign(steps, r.sub(xa, xb));
        r.loop(() => {
          const fits = r.or(carried, r.isZero(r.ltU(rest, mb)));
          r.assign(rest, r.sub(rest, r.select(fits, mb, 0n)));
          r.assign(quotient, r.or(r.shl(quotient, 1n), r.toWide(fits)));
          const more = r.ne(steps, 0);
          r.assign(carried, r.and(more, r.ltS(rest, 0n)));
          r.assign(rest, r.shl(rest, r.toWide(more)));
          r.assign(steps, r.sub(steps, 1));
          return more;
        });
        let sign = signOf(r, ea);
        if (nearest) {
          const other = r.sub(mb, rest);
          const odd = r.toNarrow(r.and(quotient, 1n));
          const up = r.or(r.ltU(other, rest), r.and(r.eq(other, rest), odd));
          r.assign(rest, r.select(up, other, rest));
          r.assign(quotient, r.add(quotient, r.toWide(up)));
          sign = r.xor(sign, r.shl(up, 15));
        }
        const zeros = r.clz(rest);
        const x = r.sub(xb, r.toNarrow(zeros));
        const bits = r.toNarrow(quotient);
        let flags: Operand = 0;
        for (const [from, to] of REMAINDER_BITS) flags = r.or(flags, r.shl(r.and(r.shrU(bits, from), 1), to + 16));
        const none = r.isZero(rest);
        r.when(
          r.or(none, isExponentNormal(r, x)),
          () => {
            r.assign(result.m, r.shl(rest, zeros));
            r.assign(result.e, r.or(r.or(r.select(none, 0, x), sign), flags));
          },
          exactly,
        );
      },
      () =>
        r.when(
          r.and(normal, r.ltU(xa, xb)),
          () => {
            r.assign(result.m, ma);
            r.assign(result.e, ea);
            if (!nearest) return;
            // More than half of the divisor?
            r.when(
              r.and(r.eq(r.add(xa, 1), xb), r.ltU(mb, ma)),
              () => {
                const rest = r.sub(mb, r.sub(ma, mb));
                const zeros = r.clz(rest);
                const x = r.sub(xa, r.toNarrow(zeros));
                r.when(
                  isExponentNormal(r, x),
                  () => {
                    r.assign(result.m, r.shl(rest, zeros));
                    r.assign(result.e, r.or(r.or(x, r.xor(signOf(r, ea), 0x8000)), 1 << C1_BIT));
                  },
                  exactly,
                );
              },
              () => {},
            );
          },
          exactly,
        ),
    );
  };
}

/** FXAM of a register that is not empty: condition codes and the sign in C1, as in results. */
export function examined(r: RoutineBuilder, m: Operand, e: Operand): Local {
  const x = exponentOf(r, e);
  const special = r.eq(x, 0x7fff);
  const significand = r.shl(m, 1n);
  // In the order C0, C2, C3; an exponent that wants the integer bit and has none is unsupported.
  const ordinary = r.select(special, r.select(r.isZero(significand), 0x500, 0x100), 0x400);
  const supported = r.select(r.ltS(m, 0n), ordinary, 0);
  const small = r.select(r.isZero(m), 0x4000, 0x4400);
  const conditions = r.select(r.isZero(x), small, supported);
  return r.or(r.shl(conditions, 16), r.shl(r.shrU(signOf(r, e), 15), C1_BIT));
}
