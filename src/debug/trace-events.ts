import { hex } from './trace-hypercalls.js';

/** Names of the exceptions (Intel SDM vol. 3, table 6-1), as the kernel spells them. */
const TRAPS: Record<number, string> = {
  0: 'divide error',
  1: 'debug',
  2: 'nmi',
  3: 'breakpoint',
  4: 'overflow',
  5: 'bounds',
  6: 'invalid opcode',
  7: 'device not available',
  8: 'double fault',
  9: 'coprocessor segment overrun',
  10: 'invalid tss',
  11: 'segment not present',
  12: 'stack segment',
  13: 'general protection',
  14: 'page fault',
  16: 'x87 error',
  17: 'alignment check',
  18: 'machine check',
  19: 'simd error',
  128: 'system call',
};

/** `14 page fault`; a vector without a name of its own is a software interrupt. */
export function trapName(vector: number): string {
  return `${vector} ${TRAPS[vector] ?? 'software interrupt'}`;
}

/** What the error code of a page fault says (SDM vol. 3, 4.7): `write from user, not present`. */
export function describePageFault(errorCode: number): string {
  const what = (errorCode & 16) !== 0 ? 'fetch' : (errorCode & 2) !== 0 ? 'write' : 'read';
  const who = (errorCode & 4) !== 0 ? 'user' : 'kernel';
  const why = (errorCode & 8) !== 0 ? 'reserved bit' : (errorCode & 1) !== 0 ? 'protected' : 'not present';
  return `${what} from ${who}, ${why}`;
}

/** A selector error code (SDM vol. 3, 6.13): `idt entry 128`, `selector 0x73`. */
function describeSelectorError(errorCode: number): string {
  if ((errorCode & 2) !== 0) return `idt entry ${(errorCode >>> 3) & 0xff}`;
  return `selector ${hex(errorCode & 0xfffc)}`;
}

/** A trap as one piece of text. `reflected`: it went on to the guest; otherwise the Host dealt with it. */
export function describeTrap(
  vector: number,
  errorCode: number,
  eip: number,
  cpl: number,
  address: number,
  reflected: boolean,
): string {
  let detail = '';
  if (vector === 14) detail = ` at ${hex(address)} (${describePageFault(errorCode)})`;
  else if (errorCode !== 0) detail = ` (${describeSelectorError(errorCode)})`;
  return `${trapName(vector)}${detail} eip=${hex(eip)} ring ${cpl}${reflected ? ', to the guest' : ', served by the Host'}`;
}

/** An interrupt that is delivered now. irq 0 is the timer, the others belong to the device queues (§9.3). */
export function describeInterrupt(irq: number, eip: number): string {
  return `${irq}${irq === 0 ? ' (timer)' : ''} at eip=${hex(eip)}`;
}
