import { CR0, CR4 } from '../cpu/state.js';
import { STATE } from '../memory/layout.js';
import type { GuestProcessor } from './guest-processor.js';

/**
 * The floating-point unit as the guest finds it, and its one switch (lguest-abi.md §5.9). The guest's "task
 * switched" flag is the processor's own: with it set, floating-point instructions raise #NM, which goes to the
 * guest. SSE is enabled from the start, since the guest cannot write CR4.
 */

/** After FNINIT (SDM vol. 1, 8.1.5): all exceptions masked, 64-bit precision, all registers empty. */
const CONTROL_AFTER_INIT = 0x037f;
const ALL_EMPTY = 0xffff;
const MXCSR_AFTER_RESET = 0x1f80;

/** Sets the control registers and the unit as they are at the guest's first instruction. */
export function startFpu(cpu: GuestProcessor): void {
  const { state } = cpu;
  state.set(STATE.cr0, (CR0.PE | CR0.MP | CR0.ET | CR0.NE | CR0.WP | CR0.AM | CR0.PG) >>> 0);
  state.set(STATE.cr4, CR4.OSFXSR | CR4.OSXMMEXCPT);
  state.set(STATE.fpuControl, CONTROL_AFTER_INIT);
  state.set(STATE.fpuTag, ALL_EMPTY);
  state.set(STATE.mxcsr, MXCSR_AFTER_RESET);
  cpu.fpuStateChanged();
}

/** TS: the next floating-point instruction traps, or does not any more. */
export function setTaskSwitched(cpu: GuestProcessor, set: boolean): void {
  const cr0 = cpu.state.get(STATE.cr0);
  cpu.state.set(STATE.cr0, set ? cr0 | CR0.TS : cr0 & ~CR0.TS);
  cpu.fpuStateChanged();
}
