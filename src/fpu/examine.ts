/** FXAM (Intel SDM vol. 2, FXAM table): the class of ST(0) in C3, C2, C0 and its sign in C1. */

import { conditionC0, conditionC2, conditionC3, type FpuEnvironment } from './environment.js';
import { classify, type Float80, type Float80Class } from './float80.js';

const conditionsOfClass: Readonly<Record<Float80Class, number>> = {
  unsupported: 0,
  quietNaN: conditionC0,
  signalingNaN: conditionC0,
  normal: conditionC2,
  infinity: conditionC2 | conditionC0,
  zero: conditionC3,
  denormal: conditionC3 | conditionC2,
};
const conditionsOfEmpty = conditionC3 | conditionC0;

/** `empty` comes from the tag word; the sign of an empty register is reported too. */
export function examine(env: FpuEnvironment, a: Float80, empty: boolean): void {
  const conditions = empty ? conditionsOfEmpty : conditionsOfClass[classify(a)];
  env.status = (env.status & ~(conditionC0 | conditionC2 | conditionC3)) | conditions;
  env.setC1(a.sign === 1);
}
