import { CS, DS, ES, FS, GS, SS, STATE } from '../memory/layout.js';
import type { CpuContext } from './context.js';
import {
  type Descriptor,
  descriptorLevel,
  isCode,
  isConformingCode,
  isNullSelector,
  isPresent,
  markAccessed,
  readDescriptor,
  SYSTEM_TYPE,
  segmentFromDescriptor,
  selectorError,
  systemType,
} from './descriptors.js';
import { type GateTarget, readGateTarget } from './far-transfers.js';
import { DE, DF, GP, GuestFault, hasErrorCode, NP, PF, TS } from './faults.js';
import { checkVirtual8086Level } from './flag-transfers.js';
import { GuestStack } from './guest-stack.js';
import { commitStack, openInnerStack } from './inner-stack.js';
import { ENTRY, NO_ERROR_CODE } from './interpreter/gates.js';
import { checkEip, flatModeSegment, inVirtual8086, nullSegment, setCodeSegment } from './segmentation.js';
import { CR0, ESP, FLAG } from './state.js';
import { switchTask } from './tasks.js';

/**
 * Interrupts and exceptions through the guest's own IDT at ring 0 (SDM vol. 3, chapter 6). For boards that are
 * plain machines; the lguest Host keeps an IDT of its own and does not come here.
 */

/**
 * 'fault': EIP is the faulting instruction, and RF is set in the pushed flags. 'trap': #DB behind an instruction.
 * 'software': INT n, INT3, INTO; EIP is the next instruction, `cpu.exit.instructionEip` the instruction itself.
 * 'external': from an interrupt controller, between instructions.
 */
export type EventKind = 'fault' | 'trap' | 'software' | 'external';

interface InterruptEvent {
  readonly vector: number;
  /** Undefined: none is pushed. */
  readonly errorCode: number | undefined;
  readonly kind: EventKind;
}

/** Bit 1 of an error code: it names an IDT entry. */
const IN_IDT = 2;
/** Last opcode byte of the software interrupts that need no IOPL in virtual-8086 mode: INT1, INT3, INTO. */
const ONE_BYTE_INTERRUPTS: ReadonlyMap<number, number> = new Map([
  [1, 0xf1],
  [3, 0xcc],
  [4, 0xce],
]);

/**
 * Delivers an event: afterwards the processor stands at the handler's first instruction. A fault on the way is
 * delivered instead, as a double fault where the architecture says so; 'shutdown' is a triple fault.
 */
export function deliverInterrupt(
  cpu: CpuContext,
  vector: number,
  errorCode: number | undefined,
  kind: EventKind,
): 'delivered' | 'shutdown' {
  let event: InterruptEvent = { vector, errorCode, kind };
  cpu.interruptShadow = false;
  cpu.instructionEip = kind === 'software' ? cpu.exit.instructionEip : cpu.state.eip;
  const entry = kind === 'fault' ? ENTRY.fault : kind === 'software' ? ENTRY.software : ENTRY.external;
  if (cpu.enterHandler?.(vector, errorCode ?? NO_ERROR_CODE, cpu.state.eip, entry)) return 'delivered';
  for (;;) {
    try {
      enterHandler(cpu, event);
      return 'delivered';
    } catch (fault) {
      if (!(fault instanceof GuestFault)) throw fault;
      // A task switch may have moved `instructionEip` into the new task: that is where the fault belongs.
      cpu.state.eip = cpu.instructionEip;
      const next = combineFaults(event, fault);
      if (next === undefined) return 'shutdown';
      if (fault.vector === PF) cpu.state.set(STATE.cr2, fault.address);
      event = next;
    }
  }
}

/** Faults that make a double fault of another one (SDM vol. 3, table 6-4). */
function isContributory(vector: number): boolean {
  return vector === DE || (vector >= TS && vector <= GP);
}

/**
 * What to deliver when `fault` hit the delivery of `event`; undefined for a triple fault. Terminates: benign
 * events lead to contributory faults, those to page faults or the double fault, and that to shutdown.
 */
function combineFaults(event: InterruptEvent, fault: GuestFault): InterruptEvent | undefined {
  if (event.kind === 'fault') {
    if (event.vector === DF) return undefined;
    const second = isContributory(fault.vector);
    if ((isContributory(event.vector) && second) || (event.vector === PF && (second || fault.vector === PF))) {
      return { vector: DF, errorCode: 0, kind: 'fault' };
    }
  }
  return { vector: fault.vector, errorCode: hasErrorCode(fault.vector) ? fault.errorCode : undefined, kind: 'fault' };
}
function enterHandler(cpu: CpuContext, event: InterruptEvent): void {
  if (cpu.state.get(STATE.cr0) & CR0.PE) enterThroughGate(cpu, event);
  else enterThroughVector(cpu, event.vector);
}

/** Real-address mode: four bytes IP, CS per vector, no error codes. */
function enterThroughVector(cpu: CpuContext, vector: number): void {
  const { state, access } = cpu;
  if (vector * 4 + 3 > state.get(STATE.idtLimit)) throw new GuestFault(GP, 0);
  const entry = access.read32((state.get(STATE.idtBase) + vector * 4) >>> 0, true);
  const stack = GuestStack.current(cpu);
  stack.reserve(3, 2);
  const code = flatModeSegment(cpu, CS, entry >>> 16);
  checkEip(code, entry & 0xffff);
  const { eflags } = state;
  stack.push(eflags, 2);
  stack.push(state.selector(CS), 2);
  stack.push(state.eip, 2);
  state.registers[ESP] = stack.pointer;
  state.eflags = eflags & ~(FLAG.IF | FLAG.TF | FLAG.AC | FLAG.RF);
  setCodeSegment(cpu, code, entry & 0xffff, state.cpl);
}

function enterThroughGate(cpu: CpuContext, event: InterruptEvent): void {
  const { vector, kind } = event;
  const ext = kind === 'software' ? 0 : 1;
  if (kind === 'software') checkSoftwareInterruptLevel(cpu, vector);
  const gate = readGate(cpu, vector, ext);
  const type = systemType(gate.high);
  if (kind === 'software' && descriptorLevel(gate.high) < cpu.state.cpl) throw new GuestFault(GP, vector * 8 + IN_IDT);
  if (!isPresent(gate.high)) throw new GuestFault(NP, vector * 8 + IN_IDT + ext);
  if (type === SYSTEM_TYPE.taskGate) {
    enterHandlerTask(cpu, gate.low >>> 16, event.errorCode, ext);
    return;
  }
  const wide = type === SYSTEM_TYPE.interruptGate32 || type === SYSTEM_TYPE.trapGate32;
  const masks = type === SYSTEM_TYPE.interruptGate32 || type === SYSTEM_TYPE.interruptGate16;
  enterHandlerCode(cpu, event, readGateTarget(gate, wide), wide ? 4 : 2, masks, ext);
}

/** INT n in virtual-8086 mode is IOPL-sensitive; INT1, INT3 and INTO are not. */
function checkSoftwareInterruptLevel(cpu: CpuContext, vector: number): void {
  if (!inVirtual8086(cpu)) return;
  const { state } = cpu;
  const lastByte = cpu.access.read8((state.segment(CS).base + ((state.eip - 1) & 0xffff)) >>> 0, true);
  if (ONE_BYTE_INTERRUPTS.get(vector) !== lastByte) checkVirtual8086Level(cpu);
}

function readGate(cpu: CpuContext, vector: number, ext: number): Descriptor {
  const { state, access } = cpu;
  const error = vector * 8 + IN_IDT + ext;
  if (vector * 8 + 7 > state.get(STATE.idtLimit)) throw new GuestFault(GP, error);
  const linear = (state.get(STATE.idtBase) + vector * 8) >>> 0;
  const gate = { low: access.read32(linear, true), high: access.read32((linear + 4) >>> 0, true), linear };
  const type = systemType(gate.high);
  const isGate =
    type === SYSTEM_TYPE.taskGate || type === SYSTEM_TYPE.interruptGate16 || type >= SYSTEM_TYPE.interruptGate32;
  if (!isGate && type !== SYSTEM_TYPE.trapGate16) throw new GuestFault(GP, error);
  return gate;
}

/** A task gate: the error code goes onto the stack of the new task. */
function enterHandlerTask(cpu: CpuContext, selector: number, errorCode: number | undefined, ext: number): void {
  const bytes = switchTask(cpu, selector, 'interrupt', ext);
  if (errorCode === undefined) return;
  const stack = GuestStack.current(cpu);
  stack.reserve(1, bytes);
  stack.push(errorCode, bytes);
  cpu.state.registers[ESP] = stack.pointer;
}

/** The handler's code segment and the level it runs at. */
function readHandlerCode(cpu: CpuContext, selector: number, ext: number): { code: Descriptor; level: number } {
  if (isNullSelector(selector)) throw new GuestFault(GP, ext);
  const error = selectorError(selector) | ext;
  const code = readDescriptor(cpu, selector, GP, ext);
  const dpl = descriptorLevel(code.high);
  if (!isCode(code.high) || dpl > cpu.state.cpl) throw new GuestFault(GP, error);
  if (!isPresent(code.high)) throw new GuestFault(NP, error);
  const level = isConformingCode(code.high) ? cpu.state.cpl : dpl;
  // Out of virtual-8086 mode the only way is to level 0.
  if (inVirtual8086(cpu) && level !== 0) throw new GuestFault(GP, error);
  return { code, level };
}

/** Selectors above SS in the frame of a handler that interrupted virtual-8086 mode, in pushing order. */
const VIRTUAL_8086_DATA = [GS, FS, DS, ES] as const;

function enterHandlerCode(
  cpu: CpuContext,
  event: InterruptEvent,
  target: GateTarget,
  bytes: number,
  masksInterrupts: boolean,
  ext: number,
): void {
  const { state } = cpu;
  const { code, level } = readHandlerCode(cpu, target.selector, ext);
  const inward = level !== state.cpl;
  const from8086 = inVirtual8086(cpu);
  const stack = inward ? openInnerStack(cpu, level, ext) : currentStack(cpu, ext);
  const words = 3 + (inward ? 2 : 0) + (from8086 ? 4 : 0) + (event.errorCode === undefined ? 0 : 1);
  stack.reserve(words, bytes);
  const segment = segmentFromDescriptor((target.selector & ~3) | level, code);
  checkEip(segment, target.offset, ext);
  markAccessed(cpu, code);

  const { eflags } = state;
  if (from8086) for (const index of VIRTUAL_8086_DATA) stack.push(state.selector(index), bytes);
  if (inward) {
    stack.push(state.selector(SS), bytes);
    stack.push(state.registers[ESP]!, bytes);
  }
  stack.push(event.kind === 'fault' ? eflags | FLAG.RF : eflags, bytes);
  stack.push(state.selector(CS), bytes);
  stack.push(state.eip, bytes);
  if (event.errorCode !== undefined) stack.push(event.errorCode, bytes);

  commitStack(cpu, stack);
  if (from8086) for (const index of VIRTUAL_8086_DATA) state.setSegment(index, nullSegment());
  const cleared = FLAG.TF | FLAG.NT | FLAG.RF | FLAG.VM | (masksInterrupts ? FLAG.IF : 0);
  state.eflags = eflags & ~cleared;
  setCodeSegment(cpu, segment, target.offset, level);
}

/** The stack in use, whose limit violations carry the EXT bit here. */
function currentStack(cpu: CpuContext, ext: number): GuestStack {
  const { state } = cpu;
  return new GuestStack(cpu, state.segment(SS), state.registers[ESP]!, state.cpl, ext);
}
