import { SS, STATE, TR } from '../memory/layout.js';
import type { CpuContext } from './context.js';
import { isNullSelector, SYSTEM_TYPE, selectorError, systemType } from './descriptors.js';
import { GuestFault, TS } from './faults.js';
import { GuestStack } from './guest-stack.js';
import { checkStackSegment } from './segmentation.js';
import { ESP } from './state.js';

/**
 * The stack that the task state segment names for a more privileged level (SDM vol. 3, 7.2.1): SS and ESP at
 * 4 + 8 × level in a 32-bit TSS, SS and SP at 2 + 4 × level in a 16-bit one. Every fault carries `ext`.
 */
export function openInnerStack(cpu: CpuContext, level: number, ext = 0): GuestStack {
  const { state, access } = cpu;
  const task = state.segment(TR);
  const taskError = selectorError(task.selector) | ext;
  const type = systemType(task.access);
  const wide = type === SYSTEM_TYPE.tss32Busy || type === SYSTEM_TYPE.tss32;
  const at = wide ? 4 + 8 * level : 2 + 4 * level;
  if (task.access === 0 || at + (wide ? 5 : 3) > task.limit) throw new GuestFault(TS, taskError);
  const linear = task.base + at;
  const pointer = wide ? access.read32(linear >>> 0, true) : access.read16(linear >>> 0, true);
  const selector = access.read16((linear + (wide ? 4 : 2)) >>> 0, true);
  if (isNullSelector(selector)) throw new GuestFault(TS, ext);
  const segment = checkStackSegment(cpu, selector, level, TS, ext);
  return new GuestStack(cpu, segment, pointer, level, selectorError(selector) | ext);
}

/** Makes `stack` the stack in use. */
export function commitStack(cpu: CpuContext, stack: GuestStack): void {
  cpu.state.setSegment(SS, stack.segment);
  cpu.state.registers[ESP] = stack.pointer;
}

/** Whether descriptors live in the Host, where neither gates nor tasks exist (lguest-abi §7). */
export function tablesAreInHost(cpu: CpuContext): boolean {
  return cpu.state.get(STATE.gdtInHost) !== 0;
}
