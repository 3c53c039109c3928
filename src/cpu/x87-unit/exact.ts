import {
  add,
  arctangent,
  compare,
  conditionC0,
  conditionC3,
  cosine,
  divide,
  exponentialMinusOne,
  type Float80,
  FpuEnvironment,
  type IntegerWidth,
  logarithm,
  logarithmPlusOne,
  multiply,
  partialRemainder,
  partialRemainderNearest,
  readFloat80,
  roundToInteger,
  roundTowardZero,
  scale,
  setConditionsFromRelation,
  signAndExponent,
  sine,
  sineAndCosine,
  squareRoot,
  subtract,
  tangent,
  toFloat32,
  toFloat64,
  toInteger,
  writeFloat80,
} from '../../fpu/index.js';
import { STATE, X87_EXCHANGE } from '../../memory/layout.js';
import type { GuestMemory } from '../../memory/guest-memory.js';
import { CONDITIONS_KEPT, FLAGS_SHIFT } from './rounding.js';
import { EXACT } from './routines.js';
import { makeTables } from './tables.js';

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
  [EXACT.remainderNearest]: partialRemainderNearest,
};

/** Those with tables. */
const TRANSCENDENTAL: Readonly<Record<number, Binary>> = {
  [EXACT.sine]: sine,
  [EXACT.cosine]: cosine,
  [EXACT.tangent]: tangent,
  [EXACT.arctangent]: arctangent,
  [EXACT.logarithm]: logarithm,
  [EXACT.logarithmPlusOne]: logarithmPlusOne,
  [EXACT.exponentialMinusOne]: exponentialMinusOne,
};

const CONDITIONS = conditionC0 | conditionC3;

const WIDTHS: readonly IntegerWidth[] = [16, 32, 64];

/** Whether FPREM or FPREM1 leaves C0 and C3 as they are, as it does when it is invalid. */
function keepsConditions(remainder: Binary, control: number, a: Float80, b: Float80): boolean {
  const env = new FpuEnvironment();
  env.control = control;
  env.status = CONDITIONS;
  remainder(env, a, b);
  const set = env.status;
  env.status = 0;
  remainder(env, a, b);
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
    if (operation >= EXACT.sine) makeTables(view);
    const binary = BINARY[operation] ?? TRANSCENDENTAL[operation];
    if (operation === EXACT.sineAndCosine) {
      const results = sineAndCosine(env, a);
      bits = results.sine.significand;
      exponent = signAndExponent(results.sine);
      writeFloat80(view, X87_EXCHANGE.second, results.cosine);
    } else if (binary) {
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
    if (operation === EXACT.remainder || operation === EXACT.remainderNearest) {
      if (keepsConditions(binary!, env.control, a, b)) exponent |= CONDITIONS_KEPT;
    }
    return exponent | (env.status << FLAGS_SHIFT);
  };
}
