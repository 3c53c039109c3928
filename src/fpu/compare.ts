/**
 * FCOM, FUCOM, FICOM, FTST, FCOMI and FUCOMI (Intel SDM vol. 1, 8.3.6).
 *
 * The relation reaches the condition codes or EFLAGS even if an unmasked
 * exception is raised; only the pop is suppressed then.
 */

import { type FpuEnvironment, invalidOperation } from './environment.js';
import { effectiveExponent, type Float80, isZero } from './float80.js';
import { isNaN80, isSignalingNaN, isUnsupported, stopsAtDenormal } from './operands.js';

export type Relation = 'less' | 'equal' | 'greater' | 'unordered';

/**
 * Compares a with b. `quiet` is FUCOM and FUCOMI, which accept quiet NaNs
 * without an invalid operation exception.
 */
export function compare(env: FpuEnvironment, a: Float80, b: Float80, quiet: boolean): Relation {
  if (isUnsupported(a) || isUnsupported(b)) {
    env.stop(invalidOperation);
    return 'unordered';
  }
  if (isNaN80(a) || isNaN80(b)) {
    if (!quiet || isSignalingNaN(a) || isSignalingNaN(b)) env.stop(invalidOperation);
    return 'unordered';
  }
  stopsAtDenormal(env, a, b);
  if (isZero(a) && isZero(b)) return 'equal';
  if (a.sign !== b.sign) return a.sign === 1 ? 'less' : 'greater';
  const magnitude = compareMagnitudes(a, b);
  if (magnitude === 0) return 'equal';
  return magnitude < 0 === (a.sign === 0) ? 'less' : 'greater';
}

/** The sign of |a| − |b| for finite and infinite operands. */
function compareMagnitudes(a: Float80, b: Float80): number {
  const exponents = effectiveExponent(a) - effectiveExponent(b);
  if (exponents !== 0) return exponents;
  if (a.significand === b.significand) return 0;
  return a.significand < b.significand ? -1 : 1;
}

/** FCOM and relatives: the relation as condition codes C3, C2, C0. */
export function setConditionsFromRelation(env: FpuEnvironment, relation: Relation): void {
  const unordered = relation === 'unordered';
  env.setConditions(unordered || relation === 'less', unordered, unordered || relation === 'equal');
}

/** FCOMI and relatives: the relation as ZF, PF and CF in the positions of EFLAGS (OF, SF, AF become 0). */
export function flagsFromRelation(relation: Relation): number {
  switch (relation) {
    case 'unordered':
      return 0x45;
    case 'less':
      return 0x01;
    case 'equal':
      return 0x40;
    case 'greater':
      return 0;
  }
}
