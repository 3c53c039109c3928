/*L:260
 * The zero page of a PC
 *
 * The 32-bit boot protocol (Linux Documentation/x86/boot.rst): the setup header out of the file, filled in where the
 * boot loader has to, and the memory map that a BIOS would have told. There is no BIOS, so everything it would have
 * left in memory is simply not there: no video mode, no disks, no tables.
 */
import { SETUP_HEADER_START } from '../formats/bzimage.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import { BOOT_PARAMS } from './boot-params.js';
import { E820_RAM, E820_RESERVED, type E820Entry, writeE820 } from './e820.js';

/** Guest-physical addresses, all in the first 640 KB and none in page 0, which kernels protect. */
export const PC_BOOT = {
  gdt: 0x1000,
  stackTop: 0x8000,
  zeroPage: 0x1_0000,
  commandLine: 0x2_0000,
  info: 0x3_0000,
  setupData: 0x3_8000,
};

/** Offsets that lguest guests never look at. */
const HEADER = { bootFlag: 0x1fe, magic: 0x202, extendedMemory: 0x1e0, setupData: 0x250 } as const;
/** The header has `setupData` from this protocol on. */
const PROTOCOL_SETUP_DATA = 0x0209;
/** setup_data: next u64, type u32, length u32, data. Type 9: seed of the random number generator (Linux 6.0). */
const SETUP_RNG_SEED = 9;
const SETUP_DATA_HEAD = 16;
const BOOT_FLAG = 0xaa55;
const MAGIC = 0x5372_6448;
/** The lowest protocol with all fields we fill in; claimed for kernels that come without a header. */
const PROTOCOL = 0x020c;
const UNKNOWN_LOADER = 0xff;
/** loadflags: the kernel is at 1 MB; the heap may be used (there is none). */
const LOADED_HIGH = 1;
const CAN_USE_HEAP = 0x80;

/** Where conventional memory ends and what a PC keeps for adapters and its BIOS begins. */
const CONVENTIONAL_END = 0x9_fc00;
const HIGH_MEMORY = 0x10_0000;

export interface PcBootParams {
  /** Bytes 0x1F1… of the bzImage; empty for an ELF kernel. */
  setupHeader: Uint8Array;
  ramBytes: number;
  initrd: { gpa: number; bytes: number } | undefined;
  /** Without the final NUL. */
  commandLine: Uint8Array;
  /** Random bytes for the kernel's generator; empty: none. */
  randomSeed: Uint8Array;
}

/** What is RAM and what is not. */
export function makeMemoryMap(ramBytes: number): E820Entry[] {
  return [
    { start: 0, bytes: CONVENTIONAL_END, type: E820_RAM },
    { start: CONVENTIONAL_END, bytes: HIGH_MEMORY - CONVENTIONAL_END, type: E820_RESERVED },
    { start: HIGH_MEMORY, bytes: ramBytes - HIGH_MEMORY, type: E820_RAM },
  ];
}

/** Fills zero page and command line; the memory must be zero before. */
export function writePcBootParams(memory: GuestMemory, params: PcBootParams): void {
  const { zeroPage, commandLine } = PC_BOOT;
  const at = (offset: number): number => zeroPage + offset;
  if (params.setupHeader.length > 0) {
    memory.writeBytes(at(SETUP_HEADER_START), params.setupHeader);
  } else {
    memory.write16(at(HEADER.bootFlag), BOOT_FLAG);
    memory.write32(at(HEADER.magic), MAGIC);
    memory.write16(at(BOOT_PARAMS.version), PROTOCOL);
    memory.write8(at(BOOT_PARAMS.loadFlags), LOADED_HIGH);
  }
  memory.write8(at(BOOT_PARAMS.sentinel), 0);
  memory.write8(at(BOOT_PARAMS.typeOfLoader), UNKNOWN_LOADER);
  memory.write8(at(BOOT_PARAMS.loadFlags), memory.read8(at(BOOT_PARAMS.loadFlags)) & ~CAN_USE_HEAP);
  memory.write32(at(HEADER.extendedMemory), (params.ramBytes - HIGH_MEMORY) >>> 10);
  writeE820(memory, zeroPage, makeMemoryMap(params.ramBytes));
  memory.write32(at(BOOT_PARAMS.ramdiskImage), params.initrd?.gpa ?? 0);
  memory.write32(at(BOOT_PARAMS.ramdiskSize), params.initrd?.bytes ?? 0);
  if (params.randomSeed.length > 0 && memory.read16(at(BOOT_PARAMS.version)) >= PROTOCOL_SETUP_DATA) {
    writeRandomSeed(memory, params.randomSeed);
    memory.write32(at(HEADER.setupData), PC_BOOT.setupData);
  }
  memory.write32(at(BOOT_PARAMS.commandLinePointer), commandLine);
  memory.writeBytes(commandLine, params.commandLine);
  memory.write8(commandLine + params.commandLine.length, 0);
}

/**
 * Without a seed a kernel gathers randomness for a good part of its boot, and hashes it anew for every number it needs
 * until then.
 */
function writeRandomSeed(memory: GuestMemory, seed: Uint8Array): void {
  const at = PC_BOOT.setupData;
  memory.write32(at + 8, SETUP_RNG_SEED);
  memory.write32(at + 12, seed.length);
  memory.writeBytes(at + SETUP_DATA_HEAD, seed);
}
