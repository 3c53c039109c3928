/*L:200
 * Putting a kernel into memory
 *
 * There is no BIOS and no boot loader: the Launcher does by hand what they would leave behind. From the bottom
 * of the guest's memory to its top:
 *
 *     0x000000   the zero page: what a boot loader tells Linux
 *     0x001000   the command line
 *     0x100000   the kernel
 *      …         free; the Host builds the first page tables at its upper end
 *     top−size   the initrd, in whole pages
 *
 * Then the first instruction runs at the kernel's 32-bit entry, with register ESI pointing at the zero page
 * (that is, 0), already in protected mode and, because lguest guests never own ring 0, already in ring 1.
 */
import { SETUP_HEADER_START } from '../formats/bzimage.js';
import type { GuestMemory } from '../memory/guest-memory.js';
import { BootError, describeSize, suggestMegabytes } from './boot-error.js';
import { COMMAND_LINE, writeLguestBootParams } from './boot-params.js';
import { E820_RAM } from './e820.js';
import { type BootFile, identifyKernel, type KernelIdentity, type KernelImage, requireLguestSupport } from './image.js';

/** Where the 32-bit part of a bzImage belongs. */
const BZIMAGE_LOAD = 0x10_0000;
const PAGE = 0x1000;
/** What Linux itself takes (COMMAND_LINE_SIZE since 2.6.22, with the NUL). */
const COMMAND_LINE_LIMIT = 2047;

export interface LguestBoot {
  memory: GuestMemory;
  /** Bytes of RAM, a multiple of 4096, at most `memory.size`. All of it must be zero. */
  ramBytes: number;
  kernel: BootFile;
  initrd?: BootFile | undefined;
  /** The words behind the kernel on the command line. */
  kernelArguments: readonly string[];
}

export interface LoadedKernel {
  /** Physical address of the first instruction. */
  entry: number;
  identity: KernelIdentity;
  /** Where the initrd begins (page-rounded length up to `ramBytes`); first page tables go right below `tablesTop`. */
  initrd: { gpa: number; bytes: number } | undefined;
  /** `ramBytes` minus the initrd. */
  tablesTop: number;
  /** First byte behind what was loaded (and, where the file says so, behind what it will unpack to). */
  kernelEnd: number;
  /** What `--verbose` prints, one line each. */
  report: string[];
}

/** Identifies, checks and loads everything; throws `BootError` before it has touched memory. */
export function loadLguestKernel(boot: LguestBoot): LoadedKernel {
  const image = identifyKernel(boot.kernel);
  requireLguestSupport(image);
  const kernelEnd = findKernelEnd(image);
  checkKernelFits(image, kernelEnd, boot.ramBytes);
  const initrd = placeInitrd(boot, kernelEnd);
  const commandLine = encodeCommandLine(boot.kernelArguments, image);

  const { memory, ramBytes } = boot;
  const report: string[] = [];
  const entry = copyKernel(memory, image, report);
  if (initrd !== undefined && boot.initrd !== undefined) {
    memory.writeBytes(initrd.gpa, boot.initrd.bytes);
    report.push(`${boot.initrd.name}: ${boot.initrd.bytes.length} bytes at 0x${initrd.gpa.toString(16)}`);
  }
  writeLguestBootParams(memory, {
    setupHeader:
      image.format === 'bzimage'
        ? image.bytes.subarray(SETUP_HEADER_START, image.bzImage.headerEnd)
        : new Uint8Array(0),
    kernelAlignment: image.format === 'bzimage' ? image.bzImage.kernelAlignment : 0,
    memoryMap: [{ start: 0, bytes: ramBytes, type: E820_RAM }],
    initrd,
    commandLine,
  });
  return { entry, identity: image.identity, initrd, tablesTop: initrd?.gpa ?? ramBytes, kernelEnd, report };
}

/*L:220
 * An ELF kernel says itself where each of its segments belongs. The 32-bit part of a bzImage always goes to
 * 1 MB; it starts with a small program that unpacks the real kernel, and the guest runs that too: the Host
 * needs to know nothing about compression.
 */
function copyKernel(memory: GuestMemory, image: KernelImage, report: string[]): number {
  if (image.format === 'elf') {
    for (const segment of image.elf.segments) {
      memory.writeBytes(
        segment.physicalAddress,
        image.bytes.subarray(segment.fileOffset, segment.fileOffset + segment.fileBytes),
      );
      report.push(
        `${image.name}: ${segment.fileBytes} of ${segment.memoryBytes} bytes at 0x${segment.physicalAddress.toString(16)}`,
      );
    }
    return image.elf.entry;
  }
  const { codeOffset, codeBytes, compression, entry } = image.bzImage;
  memory.writeBytes(BZIMAGE_LOAD, image.bytes.subarray(codeOffset, codeOffset + codeBytes));
  report.push(
    `${image.name}: ${codeBytes} bytes at 0x${BZIMAGE_LOAD.toString(16)}${compression === '' ? '' : ` (${compression})`}`,
  );
  return entry;
}

/** First address the kernel does not need before it can look after itself. */
function findKernelEnd(image: KernelImage): number {
  if (image.format === 'elf') {
    const { entry, segments } = image.elf;
    const holds = ({ physicalAddress, memoryBytes }: { physicalAddress: number; memoryBytes: number }): boolean =>
      entry >= physicalAddress && entry < physicalAddress + memoryBytes;
    if (!segments.some(holds))
      throw new BootError(
        `${image.name} cannot be started: its entry 0x${entry.toString(16)} is outside of all it loads.`,
      );
    return Math.max(...segments.map((segment) => segment.physicalAddress + segment.memoryBytes));
  }
  const { codeBytes, preferredAddress, initBytes } = image.bzImage;
  const unpackedEnd = initBytes === 0 ? 0 : Math.max(preferredAddress, BZIMAGE_LOAD) + initBytes;
  return Math.max(BZIMAGE_LOAD + codeBytes, unpackedEnd);
}

function checkKernelFits(image: KernelImage, kernelEnd: number, ramBytes: number): void {
  if (kernelEnd <= ramBytes) return;
  const reach = `${image.name} does not fit: it reaches up to ${describeSize(kernelEnd)}, the guest has ${describeSize(ramBytes)}.`;
  // Nobody has 2 GB in a 32-bit guest; a file that asks for it is no kernel, or linked for virtual addresses.
  if (kernelEnd > 0x8000_0000)
    throw new BootError(`${reach} It does not look like a kernel that is loaded at physical addresses.`);
  throw new BootError(`${reach} Give it more, e.g. ${suggestMegabytes(kernelEnd, 0)}.`);
}

/*L:240
 * The initrd sits at the very top of RAM, rounded up to whole pages, and the kernel is told the rounded size:
 * the unpacker skips zeros at its end. Directly below it the Host puts the first page tables of guests that
 * expect them (2.6.24 to 3.0), so a little room stays free between it and the kernel.
 */
function placeInitrd(boot: LguestBoot, kernelEnd: number): LoadedKernel['initrd'] {
  const { initrd, ramBytes } = boot;
  // One table per 2 MB (PAE) and the directories above them.
  const tableBytes = (Math.ceil(ramBytes / 0x20_0000) + 4) * PAGE;
  if (initrd === undefined) return undefined;
  if (initrd.bytes.length === 0)
    throw new BootError(`${initrd.name} is empty: leave out --initrd or name a file that holds one.`);
  const bytes = Math.ceil(initrd.bytes.length / PAGE) * PAGE;
  const gpa = ramBytes - bytes;
  if (gpa - tableBytes >= kernelEnd) return { gpa, bytes };
  const besides = bytes <= ramBytes ? ` and the kernel takes ${describeSize(kernelEnd)}` : '';
  const more = `Give it more, e.g. ${suggestMegabytes(kernelEnd + tableBytes, bytes)}.`;
  throw new BootError(
    `${initrd.name} (${describeSize(initrd.bytes.length)}) does not fit: the guest has ${describeSize(ramBytes)}${besides}. ${more}`,
  );
}

/** Words joined by single blanks; text behind a NUL could never be seen by the guest and is refused with it. */
export function encodeCommandLine(words: readonly string[], image: KernelImage): Uint8Array {
  const text = new TextEncoder().encode(words.join(' '));
  if (text.includes(0)) throw new BootError('the kernel arguments contain a NUL character: leave it out.');
  const own = image.format === 'bzimage' ? image.bzImage.commandLineBytes : COMMAND_LINE_LIMIT;
  const limit = Math.min(own, COMMAND_LINE_LIMIT, BZIMAGE_LOAD - COMMAND_LINE - 1);
  if (text.length > limit)
    throw new BootError(`the kernel arguments are too long: ${text.length} bytes, ${image.name} takes ${limit}.`);
  return text;
}
