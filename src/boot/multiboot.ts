/*L:270
 * Multiboot
 *
 * The other way to start a 32-bit kernel, used by people who write their own (Multiboot Specification 0.6.96). A
 * header in the first 8 KB says so; the kernel gets a magic number in EAX and in EBX a structure that tells about
 * memory, command line and modules.
 */
import type { GuestMemory } from '../memory/guest-memory.js';
import { makeMemoryMap, PC_BOOT } from './pc-boot-params.js';

const HEADER_MAGIC = 0x1bad_b002;
/** What EAX holds at the kernel's entry. */
export const LOADER_MAGIC = 0x2bad_b002;
const SEARCH_BYTES = 8192;
/** Header flags: addresses in the header count instead of those of the ELF file; flags above must be known. */
const USE_ADDRESSES = 0x1_0000;
const REQUIRED_KNOWN = 0x0003;

/** Info flags: mem_lower and mem_upper, command line, modules, memory map, loader name. */
const INFO = { memory: 1, commandLine: 4, modules: 8, memoryMap: 0x40, loaderName: 0x200 } as const;
const MAP_AT = 0x100;
const MODULES_AT = 0x200;
const NAME_AT = 0x300;
const MAP_ENTRY_BYTES = 24;

/** Whether an ELF file has a Multiboot 1 header that we can obey. */
export function isMultiboot(file: Uint8Array): boolean {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  for (let at = 0; at + 12 <= Math.min(file.length, SEARCH_BYTES); at += 4) {
    if (view.getUint32(at, true) !== HEADER_MAGIC) continue;
    const flags = view.getUint32(at + 4, true);
    const sum = (HEADER_MAGIC + flags + view.getUint32(at + 8, true)) >>> 0;
    if (sum === 0) return (flags & USE_ADDRESSES) === 0 && (flags & 0xffff & ~REQUIRED_KNOWN) === 0;
  }
  return false;
}

export interface MultibootInfo {
  ramBytes: number;
  /** Without the final NUL. */
  commandLine: Uint8Array;
  /** The initrd, handed over as the only module. */
  module: { gpa: number; bytes: number } | undefined;
}

/** Writes the information structure; returns its address, for EBX. */
export function writeMultibootInfo(memory: GuestMemory, info: MultibootInfo): number {
  const at = PC_BOOT.info;
  const { commandLine } = PC_BOOT;
  const map = makeMemoryMap(info.ramBytes);
  memory.write32(
    at,
    INFO.memory | INFO.commandLine | INFO.memoryMap | INFO.loaderName | (info.module === undefined ? 0 : INFO.modules),
  );
  memory.write32(at + 4, map[0]!.bytes >>> 10);
  memory.write32(at + 8, map[2]!.bytes >>> 10);
  memory.write32(at + 16, commandLine);
  memory.writeBytes(commandLine, info.commandLine);
  memory.write8(commandLine + info.commandLine.length, 0);
  if (info.module !== undefined) {
    memory.write32(at + 20, 1);
    memory.write32(at + 24, at + MODULES_AT);
    memory.write32(at + MODULES_AT, info.module.gpa);
    memory.write32(at + MODULES_AT + 4, info.module.gpa + info.module.bytes);
    memory.write32(at + MODULES_AT + 8, commandLine + info.commandLine.length);
  }
  memory.write32(at + 44, map.length * MAP_ENTRY_BYTES);
  memory.write32(at + 48, at + MAP_AT);
  map.forEach((entry, index) => {
    const place = at + MAP_AT + index * MAP_ENTRY_BYTES;
    memory.write32(place, MAP_ENTRY_BYTES - 4);
    memory.write64(place + 4, BigInt(entry.start));
    memory.write64(place + 12, BigInt(entry.bytes));
    memory.write32(place + 20, entry.type);
  });
  memory.write32(at + 64, at + NAME_AT);
  memory.writeBytes(at + NAME_AT, new TextEncoder().encode('lguest\0'));
  return at;
}
