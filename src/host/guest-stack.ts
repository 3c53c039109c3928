import type { GuestMemory } from '../memory/guest-memory.js';
import type { GuestProcessor } from './guest-processor.js';
import { hex, killGuest } from './kill.js';
import type { PageTables } from './page-tables.js';

/**
 * Writes `words` below the linear address `top`, the first one highest, through the guest's page tables: rights
 * and accessed bits are not looked at (lguest-abi.md §5.4). A page that is not there ends the guest: there would be
 * no stack to tell it on. Returns the linear address of the last word, unsigned.
 */
export function pushWords(
  cpu: GuestProcessor,
  memory: GuestMemory,
  tables: PageTables,
  top: number,
  words: readonly number[],
): number {
  const bytes = words.length * 4;
  const bottom = (top - bytes) >>> 0;
  // Mostly the processor has been there before, and nothing is to be looked up.
  const known = cpu.access.hostAddress(bottom, bytes, true);
  if (known >= 0) {
    for (let i = 0; i < words.length; i++) memory.view.setUint32(known + bytes - 4 * (i + 1), words[i]!, true);
    return bottom;
  }
  const inOnePage = (bottom & 0xfff) + bytes <= 4096;
  if (inOnePage) {
    const gpa = locateOrKill(tables, bottom);
    for (let i = 0; i < words.length; i++) memory.write32(gpa + bytes - 4 * (i + 1), words[i]!);
    return bottom;
  }
  // Byte by byte: a stack pointer need not be aligned, and the pages need not be neighbours.
  for (let i = 0; i < words.length; i++) {
    for (let byte = 0; byte < 4; byte++) {
      const linear = (top - 4 * (i + 1) + byte) >>> 0;
      memory.write8(locateOrKill(tables, linear), (words[i]! >>> (8 * byte)) & 0xff);
    }
  }
  return bottom;
}

function locateOrKill(tables: PageTables, linear: number): number {
  const gpa = tables.locate(linear);
  return gpa < 0 ? killGuest(`Bad address ${hex(linear)}`) : gpa;
}
