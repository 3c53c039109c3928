import type { CpuContext, Helper } from './context.js';
import { checkPort } from './system-instructions.js';

/** IN and OUT: rights first, then the board. Size in bytes. */
function portRead(cpu: CpuContext, port: number, size: number): number {
  checkPort(cpu, port, size);
  return cpu.board.portRead(port & 0xffff, size);
}

function portWrite(cpu: CpuContext, port: number, size: number, value: number): void {
  checkPort(cpu, port, size);
  cpu.board.portWrite(port & 0xffff, size, size === 4 ? value >>> 0 : value & (2 ** (8 * size) - 1));
}

export const portHelpers = { portRead, portWrite } as const satisfies Record<string, Helper>;
