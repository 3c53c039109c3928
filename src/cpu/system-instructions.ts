import { CS, SS, STATE, TR } from '../memory/layout.js';
import type { CpuContext, Helper } from './context.js';
import { FLAT, SYSTEM_TYPE, systemType } from './descriptors.js';
import { EXIT } from './exit.js';
import { GP, GuestFault, UD } from './faults.js';
import { ioPrivilegeLevel } from './flag-transfers.js';
import { requireLevel0 } from './segment-queries.js';
import { inVirtual8086 } from './segmentation.js';
import { CR0, CR4, EAX, ECX, EDX, ESP, FLAG } from './state.js';

/** Instructions for operating systems: descriptor tables, MSRs, HLT, ports, SYSENTER. Registers: control-registers.ts. */

/** LGDT, LIDT: limit u16 and base u32 (24 bits with 16-bit operands) at `linear`. */
function loadTable(cpu: CpuContext, baseOffset: number, limitOffset: number, linear: number, operandSize: number) {
  requireLevel0(cpu);
  const limit = cpu.access.read16(linear >>> 0);
  const base = cpu.access.read32((linear + 2) >>> 0);
  cpu.state.set(baseOffset, operandSize === 32 ? base : base & 0xff_ffff);
  cpu.state.set(limitOffset, limit);
}
/** SGDT, SIDT: not privileged; all 32 bits of the base, whatever the operand size, as every processor since the 386. */
function storeTable(cpu: CpuContext, baseOffset: number, limitOffset: number, linear: number): void {
  linear >>>= 0;
  cpu.access.probeWrite(linear, 6);
  cpu.access.write16(linear, cpu.state.get(limitOffset));
  cpu.access.write32((linear + 2) >>> 0, cpu.state.get(baseOffset));
}

function invalidatePage(cpu: CpuContext, linear: number): void {
  requireLevel0(cpu);
  cpu.flushTlbPage(linear >>> 0);
}
function halt(cpu: CpuContext): void {
  requireLevel0(cpu);
  cpu.leave(EXIT.halt);
}

/** MSRs the processor itself keeps: offsets in the state. */
const STATE_MSRS: ReadonlyMap<number, number> = new Map([
  [0x174, STATE.sysenterCs],
  [0x175, STATE.sysenterEsp],
  [0x176, STATE.sysenterEip],
]);
function readMsr(cpu: CpuContext): void {
  requireLevel0(cpu);
  const { registers } = cpu.state;
  const offset = STATE_MSRS.get(registers[ECX]!);
  const value = offset === undefined ? cpu.board.readMsr(registers[ECX]!) : ([cpu.state.get(offset), 0] as const);
  if (value === undefined) throw new GuestFault(GP, 0);
  registers[EAX] = value[0];
  registers[EDX] = value[1];
}
function writeMsr(cpu: CpuContext): void {
  requireLevel0(cpu);
  const { registers } = cpu.state;
  const offset = STATE_MSRS.get(registers[ECX]!);
  if (offset !== undefined) cpu.state.set(offset, registers[EAX]!);
  else if (!cpu.board.writeMsr(registers[ECX]!, registers[EAX]!, registers[EDX]!)) throw new GuestFault(GP, 0);
}

function readTimestamp(cpu: CpuContext): void {
  const { state } = cpu;
  if (state.get(STATE.cr4) & CR4.TSD && state.cpl !== 0) throw new GuestFault(GP, 0);
  const [low, high] = cpu.board.readTimestamp();
  state.registers[EAX] = low;
  state.registers[EDX] = high;
}

/** Ports: CPL ≤ IOPL, or all bits clear in the I/O map of a 32-bit TSS (SDM vol. 1, 19.5.2). Size in bytes. */
export function checkPort(cpu: CpuContext, port: number, size: number): void {
  const { state, access } = cpu;
  port &= 0xffff;
  if ((state.get(STATE.cr0) & CR0.PE) === 0) return;
  if (!inVirtual8086(cpu) && state.cpl <= ioPrivilegeLevel(state.eflags)) return;
  const task = state.segment(TR);
  const type = systemType(task.access);
  const wide = type === SYSTEM_TYPE.tss32 || type === SYSTEM_TYPE.tss32Busy;
  if (task.access === 0 || !wide || task.limit < 0x67) throw new GuestFault(GP, 0);
  const at = access.read16((task.base + 0x66) >>> 0, true) + (port >>> 3);
  if (at + 1 > task.limit) throw new GuestFault(GP, 0);
  const bits = access.read16((task.base + at) >>> 0, true) >>> (port & 7);
  if (bits & ((1 << size) - 1)) throw new GuestFault(GP, 0);
}

/** Code at `selector` and stack at the descriptor behind it. */
function goFlat(cpu: CpuContext, selector: number, level: number, pointer: number, eip: number): void {
  const { state } = cpu;
  state.setFlatSegment(SS, selector + 8, FLAT.dataAccess | (level << 13));
  state.setFlatSegment(CS, selector, FLAT.codeAccess | (level << 13));
  state.registers[ESP] = pointer;
  state.eip = eip;
  state.cpl = level;
  cpu.segmentsChanged();
}
/** SYSENTER_CS, or #GP(0) while the operating system has not set it. */
function sysenterCode(cpu: CpuContext): number {
  const selector = cpu.state.get(STATE.sysenterCs) & 0xffff;
  if ((cpu.state.get(STATE.cr0) & CR0.PE) === 0 || (selector & 0xfffc) === 0) throw new GuestFault(GP, 0);
  return selector;
}
function sysenter(cpu: CpuContext): void {
  const { state } = cpu;
  const selector = sysenterCode(cpu) & 0xfffc;
  state.set(STATE.eflags, state.get(STATE.eflags) & ~(FLAG.VM | FLAG.IF | FLAG.RF));
  goFlat(cpu, selector, 0, state.get(STATE.sysenterEsp), state.get(STATE.sysenterEip));
}
function sysexit(cpu: CpuContext): void {
  const { state } = cpu;
  const selector = sysenterCode(cpu) | 3;
  requireLevel0(cpu);
  goFlat(cpu, selector + 16, 3, state.registers[ECX]!, state.registers[EDX]!);
}

export const systemHelpers = {
  /** (linear address, operand size) */
  lgdt: (cpu, linear, size) => loadTable(cpu, STATE.gdtBase, STATE.gdtLimit, linear, size),
  lidt: (cpu, linear, size) => loadTable(cpu, STATE.idtBase, STATE.idtLimit, linear, size),
  /** (linear address) */
  sgdt: (cpu, linear) => storeTable(cpu, STATE.gdtBase, STATE.gdtLimit, linear),
  sidt: (cpu, linear) => storeTable(cpu, STATE.idtBase, STATE.idtLimit, linear),
  /** (linear address) */
  invlpg: invalidatePage,
  /** INVD, WBINVD: there is no cache to write back */
  flushCaches: requireLevel0,
  rdmsr: readMsr,
  wrmsr: writeMsr,
  rdtsc: readTimestamp,
  /** No counters: every index is beyond the last */
  rdpmc: () => {
    throw new GuestFault(GP, 0);
  },
  hlt: halt,
  /** (port, bytes) */
  checkPort,
  sysenter,
  sysexit,
  ud: () => {
    throw new GuestFault(UD);
  },
} as const satisfies Record<string, Helper>;
