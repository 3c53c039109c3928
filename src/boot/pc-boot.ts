/*L:250
 * Putting a kernel into the memory of a PC
 *
 *     0x001000   a descriptor table with flat segments, as the boot protocol wants
 *     0x010000   the zero page            0x030000   or, for Multiboot, its information structure
 *     0x020000   the command line
 *     0x100000   a bzImage that unpacks itself
 *     0x1000000  (or where it was linked for) a kernel that is unpacked already
 *     top−size   the initrd
 *
 * Then the first instruction runs in protected mode without paging, interrupts off, ESI at the zero page.
 */
import { parseElf32, type ElfImage } from '../formats/elf.js';
import { FormatError } from '../formats/format-error.js';
import { SETUP_HEADER_START } from '../formats/bzimage.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import { BootError, describeSize, suggestMegabytes } from './boot-error.js';
import type { BootFile, KernelImage } from './image.js';
import { encodeCommandLine } from './linux-boot.js';
import { LOADER_MAGIC, writeMultibootInfo } from './multiboot.js';
import { PC_BOOT, writePcBootParams } from './pc-boot-params.js';

/** Where the 32-bit part of a bzImage belongs. */
const BZIMAGE_LOAD = 0x10_0000;
const PAGE = 0x1000;
/** Highest address of an initrd for kernels that come without a header: the end of what i386 maps directly. */
const INITRD_LIMIT = 0x37ff_ffff;

/** Selectors of the boot protocol (boot.rst, "32-bit boot protocol"). */
export const BOOT_CS = 0x10;
export const BOOT_DS = 0x18;
const FLAT_CODE = 0x00cf_9b00_0000_ffffn;
const FLAT_DATA = 0x00cf_9300_0000_ffffn;
/** Limit of the descriptor table: four entries. */
export const BOOT_GDT_LIMIT = 31;

export interface PcBoot {
  memory: GuestMemory;
  kernel: KernelImage;
  /** The ELF file in a bzImage, if it could be unpacked. */
  unpacked: Uint8Array | undefined;
  initrd: BootFile | undefined;
  kernelArguments: readonly string[];
  /** Random bytes for the kernel's generator; empty or left out: none. */
  randomSeed?: Uint8Array;
}

/** Registers at the first instruction; all others are zero. */
export interface BootRegisters {
  eip: number;
  eax: number;
  ebx: number;
  esi: number;
}

export interface LoadedPcKernel {
  registers: BootRegisters;
  /** What `--verbose` prints, one line each. */
  report: string[];
}

/** Loads everything; throws `BootError` before it has touched memory. */
export function loadPcKernel(boot: PcBoot): LoadedPcKernel {
  const { memory, kernel } = boot;
  const ramBytes = memory.size;
  const elf = findElf(boot);
  const kernelEnd = findKernelEnd(kernel, elf?.image);
  if (kernelEnd > ramBytes) {
    throw new BootError(
      `${kernel.name} does not fit: it reaches up to ${describeSize(kernelEnd)}, the guest has ${describeSize(ramBytes)}. ` +
        `Give it more, e.g. ${suggestMegabytes(kernelEnd, 0)}.`,
    );
  }
  const initrd = placeInitrd(boot, kernelEnd);
  const commandLine = encodeCommandLine(boot.kernelArguments, kernel);

  const report: string[] = [];
  const eip = elf === undefined ? copyBzImage(boot, report) : copySegments(boot, elf, report);
  if (initrd !== undefined && boot.initrd !== undefined) {
    memory.writeBytes(initrd.gpa, boot.initrd.bytes);
    report.push(`${boot.initrd.name}: ${initrd.bytes} bytes at 0x${initrd.gpa.toString(16)}`);
  }
  memory.write64(PC_BOOT.gdt + BOOT_CS, FLAT_CODE);
  memory.write64(PC_BOOT.gdt + BOOT_DS, FLAT_DATA);
  if (kernel.identity.multiboot) {
    const ebx = writeMultibootInfo(memory, { ramBytes, commandLine, module: initrd });
    return { registers: { eip, eax: LOADER_MAGIC, ebx, esi: 0 }, report };
  }
  const setupHeader =
    kernel.format === 'bzimage'
      ? kernel.bytes.subarray(SETUP_HEADER_START, kernel.bzImage.headerEnd)
      : new Uint8Array(0);
  const { randomSeed = new Uint8Array(0) } = boot;
  writePcBootParams(memory, { setupHeader, ramBytes, initrd, commandLine, randomSeed });
  return { registers: { eip, eax: 0, ebx: 0, esi: PC_BOOT.zeroPage }, report };
}

interface ElfFile {
  bytes: Uint8Array;
  image: ElfImage;
}

/** The ELF file to load: the kernel itself, or what was in its bzImage; undefined: the bzImage as it is. */
function findElf({ kernel, unpacked }: PcBoot): ElfFile | undefined {
  if (kernel.format === 'elf') return { bytes: kernel.bytes, image: kernel.elf };
  if (unpacked === undefined) return undefined;
  try {
    const image = parseElf32(unpacked);
    const inside = image.segments.some(
      ({ physicalAddress, memoryBytes }) =>
        image.entry >= physicalAddress && image.entry < physicalAddress + memoryBytes,
    );
    return inside ? { bytes: unpacked, image } : undefined;
  } catch (error) {
    // Not what we thought: the kernel's own program may know better.
    if (error instanceof FormatError) return undefined;
    throw error;
  }
}

function copySegments({ memory, kernel }: PcBoot, { bytes, image }: ElfFile, report: string[]): number {
  for (const { physicalAddress, fileOffset, fileBytes, memoryBytes } of image.segments) {
    memory.writeBytes(physicalAddress, bytes.subarray(fileOffset, fileOffset + fileBytes));
    report.push(`${kernel.name}: ${fileBytes} of ${memoryBytes} bytes at 0x${physicalAddress.toString(16)}`);
  }
  return image.entry;
}

function copyBzImage({ memory, kernel }: PcBoot, report: string[]): number {
  if (kernel.format !== 'bzimage') throw new TypeError('not a bzImage');
  const { codeOffset, codeBytes, compression, entry } = kernel.bzImage;
  memory.writeBytes(BZIMAGE_LOAD, kernel.bytes.subarray(codeOffset, codeOffset + codeBytes));
  report.push(
    `${kernel.name}: ${codeBytes} bytes at 0x${BZIMAGE_LOAD.toString(16)}${compression === '' ? '' : ` (${compression}, to be unpacked by the guest)`}`,
  );
  return entry;
}

/** First address the kernel does not need before it can look after itself. */
function findKernelEnd(kernel: KernelImage, elf: ElfImage | undefined): number {
  const loaded = Math.max(0, ...(elf?.segments ?? []).map((segment) => segment.physicalAddress + segment.memoryBytes));
  if (kernel.format === 'elf') return loaded;
  const { codeBytes, preferredAddress, initBytes } = kernel.bzImage;
  const unpackedEnd = initBytes === 0 ? 0 : Math.max(preferredAddress, BZIMAGE_LOAD) + initBytes;
  return Math.max(loaded, unpackedEnd, BZIMAGE_LOAD + codeBytes);
}

/** As high as the kernel can reach it, its exact length. */
function placeInitrd(
  { memory, kernel, initrd }: PcBoot,
  kernelEnd: number,
): { gpa: number; bytes: number } | undefined {
  if (initrd === undefined) return undefined;
  const bytes = initrd.bytes.length;
  if (bytes === 0) throw new BootError(`${initrd.name} is empty: leave out --initrd or name a file that holds one.`);
  const limit = kernel.format === 'bzimage' ? kernel.bzImage.initrdLimit : INITRD_LIMIT;
  const top = Math.min(memory.size, limit + 1);
  const gpa = Math.floor((top - bytes) / PAGE) * PAGE;
  if (gpa >= kernelEnd) return { gpa, bytes };
  throw new BootError(
    `${initrd.name} (${describeSize(bytes)}) does not fit: the guest has ${describeSize(memory.size)} and the kernel ` +
      `takes ${describeSize(kernelEnd)}. Give it more, e.g. ${suggestMegabytes(kernelEnd, bytes)}.`,
  );
}
