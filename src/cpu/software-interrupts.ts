import type { CpuContext, Helper } from './context.js';
import { EXIT } from './exit.js';

/** INT n, INT3, INTO, INT1: the board looks at the gate, with EIP behind the instruction. */
function softwareInterrupt(cpu: CpuContext, vector: number): void {
  const { exit } = cpu;
  exit.reason = EXIT.trap;
  exit.vector = vector;
  exit.errorCode = 0;
  exit.kind = 'software';
  exit.instructionEip = cpu.instructionEip;
  cpu.reportTrap();
}

/** VMCALL: the board serves it, or `run` leaves at the instruction. */
function hypercall(cpu: CpuContext): void {
  if (!cpu.board.hypercall?.()) cpu.leave(EXIT.hypercall);
}

export const softwareInterruptHelpers = { softwareInterrupt, hypercall } as const satisfies Record<string, Helper>;
