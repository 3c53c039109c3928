import {
  add,
  compare,
  conditionC0,
  conditionC3,
  divide,
  type Float80,
  FpuEnvironment,
  type IntegerWidth,
  multiply,
  partialRemainder,
  readFloat80,
  roundToInteger,
  roundTowardZero,
  scale,
  setConditionsFromRelation,
  signAndExponent,
  squareRoot,
  subtract,
  toFloat32,
  toFloat64,
  toInteger,
} from '../../fpu/index.js';
import { STATE, X87_EXCHANGE } from '../../memory/layout.js';
import type { GuestMemory } from '../../memory/guest-memory.js';
import { CONDITIONS_KEPT, FLAGS_SHIFT } from './rounding.js';
import { EXACT } from './routines.js';

type Binary = (env: FpuEnvironment, a: Float80, b: Float80) => Float80;

const BINARY: Readonly<Record<number, Binary>> = {
  [EXACT.add]: add,
  [EXACT.mul]: multiply,
  [EXACT.sub]: subtract,
  [EXACT.div]: divide,
  [EXACT.sqrt]: (env, a) => squareRoot(env, a),
  [EXACT.round]: (env, a) => roundToInteger(env, a),
  [EXACT.scale]: scale,
  [EXACT.remainder]: partialRemainder,
};

const CONDITIONS = conditionC0 | conditionC3;

const WIDTHS: readonly IntegerWidth[] = [16, 32, 64];

/** Whether FPREM leaves C0 and C3 as they are, as it does when it is invalid. */
function keepsConditions(control: number, a: Float80, b: Float80): boolean {
  const env = new FpuEnvironment();
  env.control = control;
  env.status = CONDITIONS;
  partialRemainder(env, a, b);
  const set = env.status;
  env.status = 0;
  partialRemainder(env, a, b);
  return ((set ^ env.status) & CONDITIONS) !== 0;
}

/** Does an operation on the values in `X87_EXCHANGE`: the result goes there, its exponent and flags are returned. */
export function createExactly({ view }: GuestMemory): (operation: number) => number {
  return (operation) => {
    const env = new FpuEnvironment();
    env.control = view.getUint32(STATE.fpuControl, true);
    const a = readFloat80(view, X87_EXCHANGE.a);
    const b = readFloat80(view, X87_EXCHANGE.b);
    let exponent = 0;
    let bits = 0n;
    const binary = BINARY[operation];
    if (binary) {
      const result = binary(env, a, b);
      bits = result.significand;
      exponent = signAndExponent(result);
    } else if (operation === EXACT.toSingle) bits = BigInt(toFloat32(env, a));
    else if (operation === EXACT.toDouble) bits = toFloat64(env, a);
    else if (operation === EXACT.compare || operation === EXACT.compareQuietly) {
      setConditionsFromRelation(env, compare(env, a, b, operation === EXACT.compareQuietly));
    } else if (operation >= EXACT.truncate) {
      bits = toInteger(env, a, WIDTHS[operation - EXACT.truncate]!, roundTowardZero);
    } else bits = toInteger(env, a, WIDTHS[operation - EXACT.toInteger]!);
    view.setBigUint64(X87_EXCHANGE.result, BigInt.asUintN(64, bits), true);
    if (operation === EXACT.remainder && keepsConditions(env.control, a, b)) exponent |= CONDITIONS_KEPT;
    return exponent | (env.status << FLAGS_SHIFT);
  };
}
