import { STATE } from '../memory/layout.js';
import type { CpuContext, Helper } from './context.js';
import { DB, GP, GuestFault, UD } from './faults.js';
import { requireLevel0 } from './segment-queries.js';
import { CR0, CR4 } from './state.js';

/** Control and debug registers (SDM vol. 2 MOV, LMSW, SMSW, CLTS; vol. 3, 2.5 and 17.2). */

const CR0_WRITABLE = CR0.PE | CR0.MP | CR0.EM | CR0.TS | CR0.NE | CR0.WP | CR0.AM | CR0.NW | CR0.CD | CR0.PG;
const CR0_PAGING = CR0.PG | CR0.WP | CR0.PE;
const CR0_FPU = CR0.MP | CR0.EM | CR0.TS;
/** Bits of CR4 the processor knows; others raise #GP. PCE is there although RDPMC is not: CPUID has no bit for it. */
const CR4_KNOWN = CR4.TSD | CR4.PSE | CR4.PAE | CR4.PGE | CR4.PCE | CR4.OSFXSR | CR4.OSXMMEXCPT;
const CR4_PAGING = CR4.PSE | CR4.PAE | CR4.PGE;

/** Reads CR0, CR2, CR3 or CR4; what is not there raises #UD. */
function readControl(cpu: CpuContext, index: number): number {
  requireLevel0(cpu);
  return cpu.state.get(controlOffset(index)) | (index === 0 ? CR0.ET : 0);
}
function controlOffset(index: number): number {
  const offset = [STATE.cr0, undefined, STATE.cr2, STATE.cr3, STATE.cr4][index];
  if (offset === undefined) throw new GuestFault(UD);
  return offset;
}

/** MOV to CR0, CR2, CR3 or CR4. */
function writeControl(cpu: CpuContext, index: number, value: number): void {
  requireLevel0(cpu);
  switch (index) {
    case 0:
      writeControl0(cpu, value);
      break;
    case 2:
      cpu.state.set(STATE.cr2, value);
      break;
    case 3:
      cpu.state.set(STATE.cr3, value);
      cpu.addressSpaceChanged();
      cpu.board.controlRegisterWritten(3);
      break;
    case 4:
      writeControl4(cpu, value);
      break;
    default:
      throw new GuestFault(UD);
  }
}

/** SDM vol. 3, 2.5: reserved bits are ignored, contradictions refused. */
function writeControl0(cpu: CpuContext, value: number): void {
  const { state } = cpu;
  const pagingWithoutProtection = (value & CR0.PG) !== 0 && (value & CR0.PE) === 0;
  const notWriteThroughWithCache = (value & CR0.NW) !== 0 && (value & CR0.CD) === 0;
  if (pagingWithoutProtection || notWriteThroughWithCache) throw new GuestFault(GP, 0);
  const next = (value & CR0_WRITABLE) | CR0.ET;
  const changed = next ^ state.get(STATE.cr0);
  state.set(STATE.cr0, next);
  if (changed & CR0_PAGING) cpu.pagingChanged();
  if (changed & CR0.PE) cpu.segmentsChanged();
  if (changed & CR0_FPU) cpu.fpuStateChanged();
  cpu.board.controlRegisterWritten(0);
}

function writeControl4(cpu: CpuContext, value: number): void {
  const { state } = cpu;
  if (value & ~CR4_KNOWN) throw new GuestFault(GP, 0);
  const changed = value ^ state.get(STATE.cr4);
  state.set(STATE.cr4, value);
  if (changed & CR4_PAGING) cpu.pagingChanged();
  if (changed & CR4.OSFXSR) cpu.fpuStateChanged();
  cpu.board.controlRegisterWritten(4);
}

/** LMSW loads PE, MP, EM and TS and cannot clear PE. */
function loadMachineStatus(cpu: CpuContext, value: number): void {
  requireLevel0(cpu);
  const cr0 = cpu.state.get(STATE.cr0);
  writeControl0(cpu, (cr0 & ~0xe) | (value & 0xf));
}
function clearTaskSwitched(cpu: CpuContext): void {
  requireLevel0(cpu);
  cpu.state.set(STATE.cr0, cpu.state.get(STATE.cr0) & ~CR0.TS);
  cpu.fpuStateChanged();
}

/** Debug registers: bits that always read as one, and those that can be written (SDM vol. 3, 17.2). */
const DR6_ONES = 0xffff_0ff0;
const DR6_WRITABLE = 0xe00f;
const DR6_BD = 1 << 13;
const DR7_ONES = 0x400;
const DR7_WRITABLE = 0xffff_2fff;
const DR7_GD = 1 << 13;

/** DR4 and DR5 are other names of DR6 and DR7. GD guards them all: #DB with DR6.BD. */
function debugRegister(cpu: CpuContext, index: number): number {
  requireLevel0(cpu);
  const { state } = cpu;
  const dr6 = STATE.debug + 6 * 4;
  const dr7 = STATE.debug + 7 * 4;
  if (state.get(dr7) & DR7_GD) {
    state.set(dr7, state.get(dr7) & ~DR7_GD);
    state.set(dr6, state.get(dr6) | DR6_BD);
    throw new GuestFault(DB);
  }
  return STATE.debug + (index >= 6 ? index : index >= 4 ? index + 2 : index) * 4;
}
function readDebug(cpu: CpuContext, index: number): number {
  const offset = debugRegister(cpu, index);
  const ones = offset === STATE.debug + 24 ? DR6_ONES : offset === STATE.debug + 28 ? DR7_ONES : 0;
  return cpu.state.get(offset) | ones;
}
function writeDebug(cpu: CpuContext, index: number, value: number): void {
  const offset = debugRegister(cpu, index);
  const mask = offset === STATE.debug + 24 ? DR6_WRITABLE : offset === STATE.debug + 28 ? DR7_WRITABLE : -1;
  cpu.state.set(offset, value & mask);
}

export const controlRegisterHelpers = {
  /** (control register) → value */
  readControl,
  /** (control register, value) */
  writeControl,
  readDebug,
  writeDebug,
  /** (machine status word) */
  lmsw: loadMachineStatus,
  /** → CR0; 16-bit destinations take its low half */
  smsw: (cpu) => cpu.state.get(STATE.cr0) | CR0.ET,
  clts: clearTaskSwitched,
} as const satisfies Record<string, Helper>;
