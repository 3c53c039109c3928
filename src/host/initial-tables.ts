/*H:610
 * The first page tables.
 *
 * A kernel between 2.6.29 and 3.0 expects to be started with all of its memory mapped twice: at 0, where it is
 * running, and at PAGE_OFFSET, where it is going to run. It learns from `lguest_data.pgdir` where these tables are
 * and uses them, even writes to them, until it has made its own. We put them where the original's Host did: the
 * directory right below the initrd, the page tables below the directory.
 */

import type { GuestMemory } from '../memory/guest-memory.js';
import { killGuest } from './kill.js';

/** Present, writable, user: the flags the original gave to every entry except those of a PAE directory. */
const ENTRY_FLAGS = 7;
const PAE_DIRECTORY_FLAGS = 1;
const PAGE = 4096;

export interface InitialTables {
  /** Bytes of RAM, all of which is mapped (as far as the address space goes). */
  readonly ramBytes: number;
  /** Bytes at the end of RAM that hold the initrd, a multiple of 4096. */
  readonly initrdBytes: number;
  readonly kernelAddress: number;
  readonly pae: boolean;
}

/** Writes the tables into guest memory and returns the guest-physical address of the top-level one. */
export function buildInitialTables(memory: GuestMemory, where: InitialTables): number {
  const { ramBytes, initrdBytes, kernelAddress, pae } = where;
  const entryBytes = pae ? 8 : 4;
  const entriesPerTable = PAGE / entryBytes;
  const pages = ramBytes / PAGE;
  const tables = Math.ceil(pages / entriesPerTable);
  const directory = ramBytes - initrdBytes - PAGE;
  const firstTable = directory - tables * PAGE;
  const middle = firstTable - PAGE;
  if ((pae ? middle : firstTable) < 0) killGuest('no room for page tables below the initrd');

  memory.fill(firstTable, directory + PAGE - firstTable, 0);
  for (let page = 0; page < pages; page++) memory.write32(firstTable + page * entryBytes, page * PAGE + ENTRY_FLAGS);

  if (pae) {
    memory.fill(middle, PAGE, 0);
    for (let table = 0; table < Math.min(tables, entriesPerTable); table++) {
      memory.write32(middle + table * 8, firstTable + table * PAGE + ENTRY_FLAGS);
    }
    memory.write32(directory, middle + PAE_DIRECTORY_FLAGS);
    memory.write32(directory + (kernelAddress >>> 30) * 8, middle + PAE_DIRECTORY_FLAGS);
    return directory;
  }
  const kernelEntry = kernelAddress >>> 22;
  for (let table = 0; table < tables; table++) {
    const entry = firstTable + table * PAGE + ENTRY_FLAGS;
    memory.write32(directory + table * 4, entry);
    if (kernelEntry + table < 1024) memory.write32(directory + (kernelEntry + table) * 4, entry);
  }
  return directory;
}
/*:*/
