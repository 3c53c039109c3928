import { CS, SEGMENT, SS, STATE, TR } from '../memory/layout.js';
import type { CpuContext } from './context.js';
import { DESCRIPTOR, descriptorLevel, FLAT, isNullSelector, NOT_AVAILABLE_BIT } from './descriptors.js';
import { CR0, type CpuState, ESP, FLAG } from './state.js';

/**
 * The usual way into a kernel, quickly: from ring 3 or 0 to ring 0 through a 32-bit gate, all segments flat, everything
 * that is read and written in the TLB. If that is not the case nothing has changed, and interrupt-delivery.ts, which
 * knows the whole of the architecture, does it. The usual ways back are in interpreter/shortcuts.ts.
 */

const INTERRUPT_GATE = 0x8e00;
const TRAP_GATE = 0x8f00;
const GATE_KIND = 0x9f00;

/** TSS of 32 bits, busy or not (types 9 and 11), present. */
const TASK_KIND = 0x9d00;
const TASK = 0x8900;

/** `Segment.access` of the flat segment that `selector` names, if its descriptor is `kind` at `level`; else 0. */
function flatAccess(cpu: CpuContext, selector: number, kind: number, level: number): number {
  const { state, access } = cpu;
  if (selector & 4 || isNullSelector(selector) || state.get(STATE.gdtInHost) !== 0) return 0;
  const offset = selector & 0xfff8;
  if (offset + 7 > state.get(STATE.gdtLimit)) return 0;
  const at = access.hostAddress((state.get(STATE.gdtBase) + offset) >>> 0, 8, false);
  if (at < 0) return 0;
  const { view } = cpu.memory;
  const low = view.getUint32(at, true);
  const high = view.getUint32(at + 4, true);
  const isWanted = low === FLAT.low && (high & NOT_AVAILABLE_BIT) === (kind | (level << 13));
  return isWanted ? high & DESCRIPTOR.accessMask : 0;
}

function isFlatStack(state: CpuState): boolean {
  const at = STATE.segments + SS * SEGMENT.stride;
  return (
    state.get(STATE.segmentFlat + 4 * SS) === 1 &&
    state.get(at + SEGMENT.base) === 0 &&
    (state.get(at + SEGMENT.access) & 0x40_0000) !== 0
  );
}

/** Protected mode without virtual-8086 mode. */
function isUsual(state: CpuState): boolean {
  return (state.get(STATE.cr0) & CR0.PE) !== 0 && (state.get(STATE.eflags) & FLAG.VM) === 0;
}

/** `errorCode` undefined: none. `fault`: RF is set in the frame. `software`: the gate's level counts. */
export function enterFlatHandler(
  cpu: CpuContext,
  vector: number,
  errorCode: number | undefined,
  fault: boolean,
  software: boolean,
): boolean {
  const { state, access } = cpu;
  const { view } = cpu.memory;
  const { cpl } = state;
  if (!isUsual(state) || (cpl !== 0 && cpl !== 3) || vector * 8 + 7 > state.get(STATE.idtLimit)) return false;
  const gate = access.hostAddress((state.get(STATE.idtBase) + vector * 8) >>> 0, 8, false);
  if (gate < 0) return false;
  const low = view.getUint32(gate, true);
  const high = view.getUint32(gate + 4, true);
  const kind = high & GATE_KIND;
  if (kind !== INTERRUPT_GATE && kind !== TRAP_GATE) return false;
  if (software && descriptorLevel(high) < cpl) return false;
  const selector = low >>> 16;
  const code = flatAccess(cpu, selector, FLAT.codeHigh, 0);
  if (code === 0) return false;

  const inward = cpl !== 0;
  let pointer = state.registers[ESP]!;
  let stackSelector = 0;
  let stack = 0;
  if (inward) {
    const task = STATE.segments + TR * SEGMENT.stride;
    if ((state.get(task + SEGMENT.access) & TASK_KIND) !== TASK || state.get(task + SEGMENT.limit) < 9) return false;
    const at = access.hostAddress((state.get(task + SEGMENT.base) + 4) >>> 0, 6, false);
    if (at < 0) return false;
    pointer = view.getUint32(at, true);
    stackSelector = view.getUint16(at + 4, true);
    if (stackSelector & 3) return false;
    stack = flatAccess(cpu, stackSelector, FLAT.dataHigh, 0);
    if (stack === 0) return false;
  } else if (!isFlatStack(state)) return false;
  const bytes = (inward ? 20 : 12) + (errorCode === undefined ? 0 : 4);
  const bottom = (pointer - bytes) >>> 0;
  let at = access.hostAddress(bottom, bytes, true);
  if (at < 0) return false;

  if (errorCode !== undefined) {
    view.setUint32(at, errorCode, true);
    at += 4;
  }
  const { eflags } = state;
  view.setUint32(at, state.eip, true);
  view.setUint32(at + 4, state.selector(CS), true);
  view.setUint32(at + 8, fault ? eflags | FLAG.RF : eflags, true);
  if (inward) {
    view.setUint32(at + 12, state.registers[ESP]!, true);
    view.setUint32(at + 16, state.selector(SS), true);
    state.setFlatSegment(SS, stackSelector, stack);
  }
  state.registers[ESP] = bottom;
  const cleared = FLAG.TF | FLAG.NT | FLAG.RF | (kind === INTERRUPT_GATE ? FLAG.IF : 0);
  state.set(STATE.eflags, state.get(STATE.eflags) & ~cleared);
  state.setFlatSegment(CS, selector & ~3, code);
  state.eip = ((high & 0xffff_0000) | (low & 0xffff)) >>> 0;
  if (inward) state.cpl = 0;
  cpu.segmentsChanged();
  return true;
}
