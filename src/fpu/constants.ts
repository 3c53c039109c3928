/**
 * FLD1, FLDL2T, FLDL2E, FLDPI, FLDLG2, FLDLN2, FLDZ (Intel SDM vol. 2, FLD1…).
 *
 * The processor holds each irrational constant with more than 64 bits and
 * rounds it by the RC field when it is loaded. No flag is affected.
 */

import { type Rounding, roundUp } from './environment.js';
import { type Float80, makeFloat80, one, positiveZero } from './float80.js';

export type ConstantName = 'one' | 'log2Of10' | 'log2OfE' | 'pi' | 'log10Of2' | 'lnOf2' | 'zero';

/** Truncated significand and whether rounding to nearest adds one in the last place. */
interface Constant {
  readonly exponent: number;
  readonly truncated: bigint;
  readonly nearestIsUp: boolean;
}

const irrational: Readonly<Record<Exclude<ConstantName, 'one' | 'zero'>, Constant>> = {
  log2Of10: { exponent: 0x4000, truncated: 0xd49a784bcd1b8afen, nearestIsUp: false },
  log2OfE: { exponent: 0x3fff, truncated: 0xb8aa3b295c17f0bbn, nearestIsUp: true },
  pi: { exponent: 0x4000, truncated: 0xc90fdaa22168c234n, nearestIsUp: true },
  log10Of2: { exponent: 0x3ffd, truncated: 0x9a209a84fbcff798n, nearestIsUp: true },
  lnOf2: { exponent: 0x3ffe, truncated: 0xb17217f7d1cf79abn, nearestIsUp: true },
};

/** The constant as the given rounding loads it. */
export function constant(name: ConstantName, rounding: Rounding): Float80 {
  if (name === 'one') return one;
  if (name === 'zero') return positiveZero;
  const { exponent, truncated, nearestIsUp } = irrational[name];
  const up = rounding === roundUp || (rounding === 0 && nearestIsUp);
  return makeFloat80(0, exponent, up ? truncated + 1n : truncated);
}
