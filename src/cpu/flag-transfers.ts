import type { CpuContext, Helper } from './context.js';
import { GP, GuestFault } from './faults.js';
import { STATE } from '../memory/layout.js';
import { inProtectedMode, inVirtual8086 } from './segmentation.js';
import { ARITHMETIC_FLAGS, FLAG } from './state.js';

/** Who may change which bit of EFLAGS (SDM vol. 2 POPF, IRET, STI; vol. 3, 2.3). */

/** Bits that every program may change by POPF and IRET. */
const FREE = ARITHMETIC_FLAGS | FLAG.TF | FLAG.DF | FLAG.NT;
/** Those of the upper half. */
const FREE_UPPER = FLAG.AC | FLAG.ID;

export function ioPrivilegeLevel(eflags: number): number {
  return (eflags >>> 12) & 3;
}

/** Bits a POPF or IRET of this operand size may change in the current mode and at the current level. */
export function changeableFlags(cpu: CpuContext, operandSize: number): number {
  const { state } = cpu;
  let mask = FREE | (operandSize === 32 ? FREE_UPPER : 0);
  if (inVirtual8086(cpu)) return mask | FLAG.IF;
  if (state.cpl <= ioPrivilegeLevel(state.eflags)) mask |= FLAG.IF;
  if (state.cpl === 0) mask |= FLAG.IOPL | FLAG.IF;
  return mask;
}

/** Takes the bits in `mask` from `value`. RF comes out clear: the instruction behind has completed. */
export function replaceFlags(cpu: CpuContext, value: number, mask: number): void {
  const { state } = cpu;
  state.eflags = ((state.eflags & ~mask) | (value & mask)) & ~FLAG.RF;
  noticeInterrupt(cpu);
}

/** Behind an instruction that may have set IF: lets the board deliver what waits. */
function noticeInterrupt(cpu: CpuContext): void {
  if (cpu.interruptRequested && (cpu.state.get(STATE.eflags) & FLAG.IF) !== 0) cpu.requestStop();
}

/** IOPL-sensitive instructions in virtual-8086 mode: INT n, PUSHF, POPF, IRET, CLI, STI (SDM vol. 3, 20.2.7). */
export function checkVirtual8086Level(cpu: CpuContext): void {
  if (inVirtual8086(cpu) && ioPrivilegeLevel(cpu.state.eflags) < 3) throw new GuestFault(GP, 0);
}

/** POPF: `value` has been read from the stack, ESP not moved yet. */
function writeFlags(cpu: CpuContext, value: number, operandSize: number): void {
  checkVirtual8086Level(cpu);
  replaceFlags(cpu, value, changeableFlags(cpu, operandSize));
}

/** STI needs CPL ≤ IOPL. */
function checkInterruptFlagRights(cpu: CpuContext): void {
  const { state } = cpu;
  const level = inProtectedMode(cpu) ? state.cpl : inVirtual8086(cpu) ? 3 : 0;
  if (level > ioPrivilegeLevel(state.get(STATE.eflags))) throw new GuestFault(GP, 0);
}
function setInterruptFlag(cpu: CpuContext): void {
  checkInterruptFlagRights(cpu);
  const { state } = cpu;
  if (state.get(STATE.eflags) & FLAG.IF) return;
  cpu.interruptShadow = true;
  state.set(STATE.eflags, state.get(STATE.eflags) | FLAG.IF);
  noticeInterrupt(cpu);
}

export const flagTransferHelpers = {
  /** (image, operand size 16 or 32): POPF */
  writeFlags,
  /** Where it is not as simple as `isa/flag-transfers.ts` has it */
  sti: setInterruptFlag,
  checkVirtual8086Level,
} as const satisfies Record<string, Helper>;
