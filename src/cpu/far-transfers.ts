import { CS, DS, ES, FS, GS } from '../memory/layout.js';
import type { CpuContext, Helper } from './context.js';
import {
  type Descriptor,
  descriptorLevel,
  isCode,
  isConformingCode,
  isNullSelector,
  isOrdinary,
  isPresent,
  markAccessed,
  readDescriptor,
  SYSTEM_TYPE,
  segmentFromDescriptor,
  selectorError,
  systemType,
} from './descriptors.js';
import { GP, GuestFault, NP } from './faults.js';
import { GuestStack } from './guest-stack.js';
import { commitStack, openInnerStack } from './inner-stack.js';
import {
  checkEip,
  checkStackSegment,
  dropPrivilegedSegments,
  flatModeSegment,
  inProtectedMode,
  setCodeSegment,
} from './segmentation.js';
import { ESP } from './state.js';
import { switchTask } from './tasks.js';

/** JMP, CALL and RET to another segment (SDM vol. 2 JMP, CALL, RET; vol. 3, 5.8). */

/** Bytes of a stack word for operand size 16 or 32. */
function wordBytes(operandSize: number): number {
  return operandSize === 32 ? 4 : 2;
}
function truncate(offset: number, operandSize: number): number {
  return operandSize === 32 ? offset >>> 0 : offset & 0xffff;
}

/** Code segment and EIP of a gate (SDM vol. 3, figure 5-8). */
export interface GateTarget {
  readonly selector: number;
  readonly offset: number;
}
/** `wide`: a 32-bit gate; the others have 16 bits of offset. */
export function readGateTarget(gate: Descriptor, wide: boolean): GateTarget {
  const low = gate.low & 0xffff;
  return { selector: gate.low >>> 16, offset: wide ? ((gate.high & 0xffff_0000) | low) >>> 0 : low };
}

/** A gate or TSS may be used from `cpl` with the RPL of `selector`, and is present. */
function checkGateRights(cpu: CpuContext, selector: number, gate: Descriptor): void {
  const code = selectorError(selector);
  if (descriptorLevel(gate.high) < Math.max(cpu.state.cpl, selector & 3)) throw new GuestFault(GP, code);
  if (!isPresent(gate.high)) throw new GuestFault(NP, code);
}

/** JMP or CALL straight to a code segment: never changes the level. */
function checkDirectTarget(cpu: CpuContext, selector: number, target: Descriptor): void {
  const { cpl } = cpu.state;
  const level = descriptorLevel(target.high);
  const allowed = isConformingCode(target.high) ? level <= cpl : (selector & 3) <= cpl && level === cpl;
  if (!allowed) throw new GuestFault(GP, selectorError(selector));
  if (!isPresent(target.high)) throw new GuestFault(NP, selectorError(selector));
}

/** The code segment behind a call gate; `inward` allows more privileged ones. */
function readGateCode(cpu: CpuContext, selector: number, inward: boolean): Descriptor {
  if (isNullSelector(selector)) throw new GuestFault(GP, 0);
  const code = selectorError(selector);
  const target = readDescriptor(cpu, selector);
  const level = descriptorLevel(target.high);
  const { cpl } = cpu.state;
  const allowed = isConformingCode(target.high) || inward ? level <= cpl : level === cpl;
  if (!isCode(target.high) || !allowed) throw new GuestFault(GP, code);
  if (!isPresent(target.high)) throw new GuestFault(NP, code);
  return target;
}

/** Pushes CS and EIP and goes to a code segment at the same level; a jump is the same without the pushes. */
function transferSameLevel(
  cpu: CpuContext,
  selector: number,
  target: Descriptor,
  eip: number,
  pushBytes: number | undefined,
): void {
  const { state } = cpu;
  const segment = segmentFromDescriptor((selector & ~3) | state.cpl, target);
  checkEip(segment, eip);
  const stack = GuestStack.current(cpu);
  if (pushBytes !== undefined) stack.reserve(2, pushBytes);
  markAccessed(cpu, target);
  if (pushBytes !== undefined) pushReturnAddress(cpu, stack, pushBytes);
  state.registers[ESP] = stack.pointer;
  setCodeSegment(cpu, segment, eip, state.cpl);
}

function pushReturnAddress(cpu: CpuContext, stack: GuestStack, bytes: number): void {
  stack.push(cpu.state.selector(CS), bytes);
  stack.push(cpu.state.eip, bytes);
}

/** CALL through a gate to a more privileged level: new stack from the TSS, parameters copied. */
function callInward(cpu: CpuContext, gate: Descriptor, target: Descriptor, to: GateTarget, bytes: number): void {
  const level = descriptorLevel(target.high);
  const stack = openInnerStack(cpu, level);
  const count = gate.high & 31;
  stack.reserve(count + 4, bytes);
  const segment = segmentFromDescriptor((to.selector & ~3) | level, target);
  checkEip(segment, to.offset);
  const outer = GuestStack.current(cpu);
  const outerPointer = outer.pointer;
  const parameters: number[] = [];
  for (let n = 0; n < count; n++) parameters.push(outer.pop(bytes));
  markAccessed(cpu, target);
  stack.push(outer.segment.selector, bytes);
  stack.push(outerPointer, bytes);
  for (const parameter of parameters.reverse()) stack.push(parameter, bytes);
  pushReturnAddress(cpu, stack, bytes);
  commitStack(cpu, stack);
  setCodeSegment(cpu, segment, to.offset, level);
}

function transferThroughGate(cpu: CpuContext, gate: Descriptor, call: boolean): void {
  const wide = systemType(gate.high) === SYSTEM_TYPE.callGate32;
  const to = readGateTarget(gate, wide);
  const target = readGateCode(cpu, to.selector, call);
  const bytes = wide ? 4 : 2;
  if (call && !isConformingCode(target.high) && descriptorLevel(target.high) < cpu.state.cpl) {
    callInward(cpu, gate, target, to, bytes);
  } else {
    transferSameLevel(cpu, to.selector, target, to.offset, call ? bytes : undefined);
  }
}

/** JMP and CALL to what is not a code segment. */
function transferThroughSystemDescriptor(cpu: CpuContext, selector: number, gate: Descriptor, call: boolean): void {
  const cause = call ? 'call' : 'jump';
  switch (systemType(gate.high)) {
    case SYSTEM_TYPE.callGate16:
    case SYSTEM_TYPE.callGate32:
      checkGateRights(cpu, selector, gate);
      transferThroughGate(cpu, gate, call);
      break;
    case SYSTEM_TYPE.taskGate:
      checkGateRights(cpu, selector, gate);
      switchTask(cpu, gate.low >>> 16, cause);
      break;
    case SYSTEM_TYPE.tss16:
    case SYSTEM_TYPE.tss32:
      checkGateRights(cpu, selector, gate);
      switchTask(cpu, selector, cause);
      break;
    default:
      throw new GuestFault(GP, selectorError(selector));
  }
}

function transfer(cpu: CpuContext, selector: number, offset: number, operandSize: number, call: boolean): void {
  selector &= 0xffff;
  const eip = truncate(offset, operandSize);
  const bytes = wordBytes(operandSize);
  if (!inProtectedMode(cpu)) {
    const segment = flatModeSegment(cpu, CS, selector);
    checkEip(segment, eip);
    const stack = GuestStack.current(cpu);
    if (call) {
      stack.reserve(2, bytes);
      pushReturnAddress(cpu, stack, bytes);
      cpu.state.registers[ESP] = stack.pointer;
    }
    setCodeSegment(cpu, segment, eip, cpu.state.cpl);
    return;
  }
  if (isNullSelector(selector)) throw new GuestFault(GP, 0);
  const target = readDescriptor(cpu, selector);
  if (!isOrdinary(target.high)) {
    transferThroughSystemDescriptor(cpu, selector, target, call);
    return;
  }
  if (!isCode(target.high)) throw new GuestFault(GP, selectorError(selector));
  checkDirectTarget(cpu, selector, target);
  transferSameLevel(cpu, selector, target, eip, call ? bytes : undefined);
}

/** The code segment that RET or IRET goes back to: the RPL of its selector is the level returned to. */
export function readReturnCode(cpu: CpuContext, selector: number): Descriptor {
  if (isNullSelector(selector)) throw new GuestFault(GP, 0);
  const code = selectorError(selector);
  const target = readDescriptor(cpu, selector);
  const level = descriptorLevel(target.high);
  const rpl = selector & 3;
  const allowed = isConformingCode(target.high) ? level <= rpl : level === rpl;
  if (!isCode(target.high) || rpl < cpu.state.cpl || !allowed) throw new GuestFault(GP, code);
  if (!isPresent(target.high)) throw new GuestFault(NP, code);
  return target;
}

/** Data segments a return outward may have to take away. */
const DATA_SEGMENTS = [ES, DS, FS, GS] as const;

/**
 * The end of RET and IRET to a less privileged level: `stack` stands before the outer ESP and SS, `extra` bytes
 * of parameters are released on the outer stack too. Only the low half of ESP is loaded if the new SS has B = 0.
 */
export function returnOutward(
  cpu: CpuContext,
  stack: GuestStack,
  bytes: number,
  target: { selector: number; descriptor: Descriptor; eip: number },
  extra = 0,
): void {
  const { state } = cpu;
  const level = target.selector & 3;
  const pointer = stack.pop(bytes);
  const stackSelector = stack.pop(bytes) & 0xffff;
  if (isNullSelector(stackSelector)) throw new GuestFault(GP, 0);
  const segment = segmentFromDescriptor(target.selector, target.descriptor);
  checkEip(segment, target.eip);
  const outer = new GuestStack(cpu, checkStackSegment(cpu, stackSelector, level), state.registers[ESP]!, level);
  outer.setPointer(pointer);
  outer.skip(extra);
  markAccessed(cpu, target.descriptor);
  commitStack(cpu, outer);
  setCodeSegment(cpu, segment, target.eip, level);
  dropPrivilegedSegments(cpu, level, DATA_SEGMENTS);
  cpu.segmentsChanged();
}

function farReturn(cpu: CpuContext, released: number, operandSize: number): void {
  const { state } = cpu;
  const bytes = wordBytes(operandSize);
  const stack = GuestStack.current(cpu);
  const eip = stack.pop(bytes);
  const selector = stack.pop(bytes) & 0xffff;
  if (!inProtectedMode(cpu)) {
    const segment = flatModeSegment(cpu, CS, selector);
    checkEip(segment, eip);
    stack.skip(released);
    state.registers[ESP] = stack.pointer;
    setCodeSegment(cpu, segment, eip, state.cpl);
    return;
  }
  const descriptor = readReturnCode(cpu, selector);
  stack.skip(released);
  if ((selector & 3) > state.cpl) {
    returnOutward(cpu, stack, bytes, { selector, descriptor, eip }, released);
    return;
  }
  const segment = segmentFromDescriptor(selector, descriptor);
  checkEip(segment, eip);
  markAccessed(cpu, descriptor);
  state.registers[ESP] = stack.pointer;
  setCodeSegment(cpu, segment, eip, state.cpl);
}

export const farTransferHelpers = {
  /** (selector, offset, operand size 16 or 32) */
  farJump: (cpu, selector, offset, operandSize) => transfer(cpu, selector, offset, operandSize, false),
  /** (selector, offset, operand size 16 or 32) */
  farCall: (cpu, selector, offset, operandSize) => transfer(cpu, selector, offset, operandSize, true),
  /** (bytes of parameters to release, operand size 16 or 32) */
  farReturn,
} as const satisfies Record<string, Helper>;
