/*L:230
 * The zero page
 *
 * A boot loader tells Linux what it needs to know in one page, `struct boot_params`, called the zero page (and
 * under lguest it really is at address 0). Most of it describes hardware that this guest does not have, so most
 * of it stays zero. What matters: how much memory there is, where the command line and the initrd are — and one
 * word, `hardware_subarch`. Its value 1 is how an ordinary kernel learns that it is an lguest guest: early in
 * boot it jumps through a table indexed by that word, and entry 1 is `lguest_entry`, whose first act is to call
 * the Host.
 */
import { SETUP_HEADER_START } from '../formats/bzimage.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import { writeE820, type E820Entry } from './e820.js';

/** Guest-physical addresses the Launcher has always used (lguest-abi §2.1). */
export const ZERO_PAGE = 0;
export const COMMAND_LINE = 0x1000;

/** Offsets in boot_params (Linux arch/x86/include/uapi/asm/bootparam.h; lguest-abi §2.3). */
export const BOOT_PARAMS = {
  /** u8, must be 0: otherwise newer kernels take the whole page for uninitialised. */
  sentinel: 0x1ef,
  rootFlags: 0x1f2,
  rootDevice: 0x1fc,
  version: 0x206,
  typeOfLoader: 0x210,
  loadFlags: 0x211,
  ramdiskImage: 0x218,
  ramdiskSize: 0x21c,
  commandLinePointer: 0x228,
  kernelAlignment: 0x230,
  hardwareSubarch: 0x23c,
} as const;

const KEEP_SEGMENTS = 0x40;
const UNKNOWN_LOADER = 0xff;
const SUBARCH_LGUEST = 1;
/** The lowest protocol that knows `hardware_subarch`; what the original Launcher claims for every kernel. */
const PROTOCOL = 0x0207;
/** A relocatable kernel rounds its address up to this; 0 would send it to address 0, over this very page. */
const DEFAULT_ALIGNMENT = 0x100_0000;

export interface LguestBootParams {
  /** Bytes 0x1F1… of a real bzImage, or empty for an ELF kernel. */
  setupHeader: Uint8Array;
  /** From the header; 0 selects the default. */
  kernelAlignment: number;
  memoryMap: readonly E820Entry[];
  /** Guest-physical place and page-rounded length of the initrd. */
  initrd: { gpa: number; bytes: number } | undefined;
  /** ASCII or UTF-8, without the final NUL. */
  commandLine: Uint8Array;
}

/** Fills the zero page and the command line for the lguest board; both pages must be zero before. */
export function writeLguestBootParams(memory: GuestMemory, params: LguestBootParams): void {
  // The original leaves the header out. Kernels may look at more of it than the original sets, so give it to
  // them, except for the root device and its mount flags: those stay 0 (root is mounted read/write, as ever).
  memory.writeBytes(ZERO_PAGE + SETUP_HEADER_START, params.setupHeader);
  memory.write16(ZERO_PAGE + BOOT_PARAMS.rootFlags, 0);
  memory.write16(ZERO_PAGE + BOOT_PARAMS.rootDevice, 0);
  memory.write8(ZERO_PAGE + BOOT_PARAMS.sentinel, 0);

  writeE820(memory, ZERO_PAGE, params.memoryMap);
  memory.write16(ZERO_PAGE + BOOT_PARAMS.version, PROTOCOL);
  // startup_32 must not load segments: the selectors it would use do not exist here.
  memory.write8(ZERO_PAGE + BOOT_PARAMS.loadFlags, memory.read8(ZERO_PAGE + BOOT_PARAMS.loadFlags) | KEEP_SEGMENTS);
  memory.write32(ZERO_PAGE + BOOT_PARAMS.commandLinePointer, COMMAND_LINE);
  memory.write32(ZERO_PAGE + BOOT_PARAMS.kernelAlignment, params.kernelAlignment || DEFAULT_ALIGNMENT);
  memory.write32(ZERO_PAGE + BOOT_PARAMS.hardwareSubarch, SUBARCH_LGUEST);
  if (params.initrd !== undefined) {
    memory.write8(ZERO_PAGE + BOOT_PARAMS.typeOfLoader, UNKNOWN_LOADER);
    memory.write32(ZERO_PAGE + BOOT_PARAMS.ramdiskImage, params.initrd.gpa);
    memory.write32(ZERO_PAGE + BOOT_PARAMS.ramdiskSize, params.initrd.bytes);
  }
  memory.writeBytes(COMMAND_LINE, params.commandLine);
  memory.write8(COMMAND_LINE + params.commandLine.length, 0);
}
