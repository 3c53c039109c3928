import { CS, DS, ES, FS, GS, SS } from '../memory/layout.js';
import type { CpuContext, Helper } from './context.js';
import { markAccessed, segmentFromDescriptor } from './descriptors.js';
import { readReturnCode, returnOutward } from './far-transfers.js';
import { changeableFlags, checkVirtual8086Level, replaceFlags } from './flag-transfers.js';
import { GuestStack } from './guest-stack.js';
import { checkEip, flatModeSegment, inProtectedMode, setCodeSegment, virtual8086Segment } from './segmentation.js';
import { ESP, FLAG } from './state.js';
import { returnToPreviousTask } from './tasks.js';

/** IRET in all its forms but 64-bit (SDM vol. 2 IRET). */

/** Order of the data segments above SS in a virtual-8086 frame. */
const VIRTUAL_8086_DATA = [ES, DS, FS, GS] as const;

/** Real-address mode, and virtual-8086 mode with IOPL 3. */
function returnWithoutDescriptors(cpu: CpuContext, operandSize: number): void {
  checkVirtual8086Level(cpu);
  const { state } = cpu;
  const bytes = operandSize === 32 ? 4 : 2;
  const stack = GuestStack.current(cpu);
  const eip = stack.pop(bytes);
  const selector = stack.pop(bytes) & 0xffff;
  const flags = stack.pop(bytes);
  const segment = flatModeSegment(cpu, CS, selector);
  checkEip(segment, eip);
  const mask = changeableFlags(cpu, operandSize);
  state.registers[ESP] = stack.pointer;
  replaceFlags(cpu, flags, mask);
  setCodeSegment(cpu, segment, eip, state.cpl);
}

/** From level 0 into virtual-8086 mode: the frame holds all segments. */
function returnToVirtual8086(cpu: CpuContext, stack: GuestStack, eip: number, selector: number, flags: number): void {
  const { state } = cpu;
  const pointer = stack.pop(4);
  const stackSelector = stack.pop(4) & 0xffff;
  const data = VIRTUAL_8086_DATA.map(() => stack.pop(4) & 0xffff);
  const code = virtual8086Segment(selector);
  checkEip(code, eip);
  state.registers[ESP] = pointer;
  state.eflags = flags & ~FLAG.RF;
  state.setSegment(SS, virtual8086Segment(stackSelector));
  VIRTUAL_8086_DATA.forEach((index, n) => {
    state.setSegment(index, virtual8086Segment(data[n]!));
  });
  setCodeSegment(cpu, code, eip, 3);
}

function interruptReturn(cpu: CpuContext, operandSize: number): void {
  if (!inProtectedMode(cpu)) returnWithoutDescriptors(cpu, operandSize);
  else if (cpu.state.eflags & FLAG.NT) returnToPreviousTask(cpu);
  else returnInProtectedMode(cpu, operandSize);
}

function returnInProtectedMode(cpu: CpuContext, operandSize: number): void {
  const { state } = cpu;
  const bytes = operandSize === 32 ? 4 : 2;
  const stack = GuestStack.current(cpu);
  const eip = stack.pop(bytes);
  const selector = stack.pop(bytes) & 0xffff;
  const flags = stack.pop(bytes);
  if (state.cpl === 0 && bytes === 4 && flags & FLAG.VM) {
    returnToVirtual8086(cpu, stack, eip, selector, flags);
    return;
  }
  const descriptor = readReturnCode(cpu, selector);
  // The rights are those of the level that is left; they must be known before it changes.
  let mask = changeableFlags(cpu, operandSize);
  if (state.cpl === 0 && bytes === 4) mask |= FLAG.VIF | FLAG.VIP;
  if ((selector & 3) > state.cpl) {
    returnOutward(cpu, stack, bytes, { selector, descriptor, eip });
  } else {
    const segment = segmentFromDescriptor(selector, descriptor);
    checkEip(segment, eip);
    markAccessed(cpu, descriptor);
    state.registers[ESP] = stack.pointer;
    setCodeSegment(cpu, segment, eip, state.cpl);
  }
  replaceFlags(cpu, flags, mask);
}

export const interruptReturnHelpers = {
  /** (operand size 16 or 32) */
  interruptReturn,
} as const satisfies Record<string, Helper>;
