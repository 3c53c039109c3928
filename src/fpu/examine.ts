/** FXAM (Intel SDM vol. 2, FXAM table): the class of ST(0) in C3, C2, C0 and its sign in C1. */

import type { FpuEnvironment } from './environment.js';
import { classify, type Float80 } from './float80.js';

/** `empty` comes from the tag word; the sign of an empty register is reported too. */
export function examine(env: FpuEnvironment, a: Float80, empty: boolean): void {
  env.setC1(a.sign === 1);
  if (empty) return env.setConditions(true, false, true);
  switch (classify(a)) {
    case 'unsupported':
      return env.setConditions(false, false, false);
    case 'quietNaN':
    case 'signalingNaN':
      return env.setConditions(true, false, false);
    case 'normal':
      return env.setConditions(false, true, false);
    case 'infinity':
      return env.setConditions(true, true, false);
    case 'zero':
      return env.setConditions(false, false, true);
    case 'denormal':
      return env.setConditions(false, true, true);
  }
}
