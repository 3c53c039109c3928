import { STATE } from '../memory/layout.js';
import type { CpuContext, Helper } from './context.js';
import { GP, GuestFault } from './faults.js';

/** Bits of MXCSR that exist (SDM vol. 1, 10.2.3); FXSAVE tells. DAZ is among them. */
export const MXCSR_MASK = 0xffff;

/** LDMXCSR: flags that are set and unmasked raise nothing now. */
function ldmxcsr(cpu: CpuContext, value: number): void {
  if (value & ~MXCSR_MASK) throw new GuestFault(GP, 0);
  cpu.state.set(STATE.mxcsr, value);
}

export const sseControlHelpers = { ldmxcsr } as const satisfies Record<string, Helper>;
