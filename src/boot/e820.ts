import type { GuestMemory } from '../memory/guest-memory.js';

/** One range of the memory map that the firmware of a PC would report. */
export interface E820Entry {
  /** Guest-physical start, bytes. */
  start: number;
  bytes: number;
  type: number;
}

export const E820_RAM = 1;
export const E820_RESERVED = 2;

/** Offsets in boot_params: the count (u8) and the table of {u64 start, u64 bytes, u32 type}, 20 bytes each. */
const COUNT = 0x1e8;
const TABLE = 0x2d0;
const ENTRY_BYTES = 20;
const MAXIMUM_ENTRIES = 128;

/** Writes the memory map into the zero page at `zeroPage` (lguest-abi §2.3). */
export function writeE820(memory: GuestMemory, zeroPage: number, entries: readonly E820Entry[]): void {
  if (entries.length > MAXIMUM_ENTRIES) throw new RangeError(`e820 table of ${entries.length} entries`);
  memory.write8(zeroPage + COUNT, entries.length);
  entries.forEach((entry, index) => {
    const at = zeroPage + TABLE + index * ENTRY_BYTES;
    memory.write64(at, BigInt(entry.start));
    memory.write64(at + 8, BigInt(entry.bytes));
    memory.write32(at + 16, entry.type);
  });
}
